//! Opening a database: what is refused and how it says so, what a reopened file still holds, and that
//! migrating is safe to repeat.

use std::error::Error;

use crate::support::{Bench, draft};
use parlance_domain::ports::{Conversations, Messages, Receipts, StorageError, Users};
use parlance_storage_sql::{ConnectError, Options, SqlStorage};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

async fn refusal(url: &str) -> ConnectError {
    SqlStorage::connect(url, &Options::default()).await.expect_err("it cannot be opened")
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_in_one_line_that_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    std::fs::write(folder.path().join("notes.txt"), "not a database, but long enough to be read as one".repeat(50))
        .expect("a file");
    for (url, says) in [
        ("mysql://me:secret@host/chat".to_owned(), "`mysql`"),
        ("sqlite://".to_owned(), "must name a file"),
        (format!("sqlite://{at}/missing/chat.db"), "does not exist"),
        (format!("sqlite://{at}"), "cannot be opened"),
        (format!("sqlite://{at}/notes.txt"), "file is not a database"),
    ] {
        let error = refusal(&url).await;
        let line = error.to_string();
        assert!(line.contains(says) && !line.contains('\n') && !line.contains("secret"), "{url}: {line}");
    }
    let error = refusal(&format!("sqlite://{at}/notes.txt")).await;
    assert!(error.source().is_some(), "the driver's error is kept as the source");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_release_is_refused() {
    let bench = Bench::new().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 0)";
    let look = bench.look().await;
    look.execute_raw(Statement::from_string(DbBackend::Sqlite, newer)).await.expect("the row is taken");
    let error = refusal(&bench.url).await;
    assert!(matches!(&error, ConnectError::Newer(name) if name == "m29990101_000001_future"), "{error:?}");
    assert!(error.to_string().contains("newer release"), "{error}");
    assert!(matches!(bench.storage.migrate().await, Err(ConnectError::Newer(_))), "nor is it migrated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_again_and_at_once_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let options = Options::default();
    let (one, other) = tokio::join!(SqlStorage::connect(&url, &options), SqlStorage::connect(&url, &options));
    let (one, other) = (one.expect("opens"), other.expect("opens"));
    let (first, second) = tokio::join!(one.migrate(), other.migrate());
    first.expect("migrates");
    second.expect("migrates");
    one.migrate().await.expect("migrates again");
    other.ping().await.expect("answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_reopening() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let batch = (1..=300).map(|number| draft(number, direct, &ann, "kept")).collect();
    bench.storage.append(batch).await.expect("answers");

    // The first storage is neither closed nor dropped, as when its process is killed.
    let again = SqlStorage::connect(&bench.url, &Options::default()).await.expect("opens");
    again.migrate().await.expect("is up to date");
    let page = again.list_history(direct, None, 1_000).await.expect("answers").expect("is there");
    assert_eq!(page.items.iter().map(|message| message.seq).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    assert_eq!(again.list_unread(&bob).await.expect("answers"), [(direct, 300)]);
    let repeated = again.append(vec![draft(7, direct, &ann, "kept")]).await.expect("answers").remove(0);
    assert!(repeated.expect("answered").duplicate, "repetitions are recognised by what is stored");
    let next = again.append(vec![draft(301, direct, &bob, "next")]).await.expect("answers").remove(0);
    assert_eq!(next.expect("sent").message.seq, 301, "counting goes on");
    assert!(again.find_user(&ann).await.expect("answers").is_some());
    assert!(again.find_conversation(direct).await.expect("answers").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_storage_is_unavailable() {
    let bench = Bench::new().await;
    let ann = bench.user("ann").await;
    bench.storage.close().await.expect("closes");
    assert!(matches!(bench.storage.find_user(&ann).await, Err(StorageError::Unavailable { .. })));
    assert!(matches!(
        bench.storage.append(vec![draft(1, crate::support::id(1), &ann, "x")]).await,
        Err(StorageError::Unavailable { .. })
    ));
}
