//! Opening a database: what is refused and how it says so, what a reopened one still holds, and that nodes which start
//! at once migrate once.

use std::error::Error;

use crate::database::{Database, run, server_url, session};
use crate::support::{Bench, draft, id};
use crate::world::user;
use parlance_domain::ports::{Messages, Receipts, StorageError, Users};
use parlance_storage_sql::{ConnectError, Options, SqlStorage};

async fn refusal(url: &str) -> ConnectError {
    SqlStorage::connect(url, &Options::default()).await.expect_err("it cannot be opened")
}

#[tokio::test]
async fn what_cannot_be_reached_is_refused_in_one_line_that_says_why() {
    let server = server_url();
    let (_, host) = server.rsplit_once('@').expect("the tests' server has a user");
    let (host, _) = host.split_once('/').expect("and a database");
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a free port");
    for (url, says) in [
        (format!("postgres://me:secret@{free}/chat"), "refused"),
        (format!("postgresql://somebody_else:secret@{host}/chat"), "somebody_else"),
        ("postgres://me:secret@host:99999/chat".to_owned(), "cannot be read"),
    ] {
        let error = refusal(&url).await;
        let line = error.to_string();
        assert!(line.contains(says) && !line.contains('\n') && !line.contains("secret"), "{url}: {line}");
    }
    let error = refusal(&format!("postgres://me:secret@{free}/chat")).await;
    assert!(error.source().is_some(), "the driver's error is kept as the source");
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let database = Database::empty("TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'").await;
    let error = refusal(&database.url).await;
    assert!(matches!(&error, ConnectError::Encoding { encoding, .. } if encoding == "SQL_ASCII"), "{error:?}");
    assert!(error.to_string().contains("UTF8"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_release_is_refused() {
    let bench = Bench::new().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 0)";
    run(&mut bench.look().await, newer).await;
    let error = refusal(&bench.database.url).await;
    assert!(matches!(&error, ConnectError::Newer(name) if name == "m29990101_000001_future"), "{error:?}");
    assert!(error.to_string().contains("newer release"), "{error}");
    assert!(matches!(bench.storage.migrate().await, Err(ConnectError::Newer(_))), "nor is it migrated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_migrate_once() {
    let database = Database::empty("TEMPLATE template0 ENCODING 'UTF8'").await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        let url = database.url.clone();
        nodes.push(tokio::spawn(async move {
            let storage = SqlStorage::connect(&url, &Options::default()).await.expect("opens");
            storage.migrate().await.expect("migrates, or finds it done");
            storage
        }));
    }
    for node in nodes {
        let storage = node.await.expect("a node does not panic");
        storage.migrate().await.expect("migrates again");
        user(&storage, "ann").await;
        storage.close().await.expect("closes");
    }
    let applied: Vec<String> = sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version")
        .fetch_all(&mut session(&database.url).await)
        .await
        .expect("the migrations are listed");
    assert!(applied.len() >= 3 && applied.is_sorted_by(|one, next| one < next), "each is applied once: {applied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_reopening() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let batch = (1..=300).map(|number| draft(number, direct, &ann, "kept")).collect();
    bench.storage.append(batch).await.expect("answers");

    let again = SqlStorage::connect(&bench.database.url, &Options::default()).await.expect("opens");
    again.migrate().await.expect("is up to date");
    let page = again.list_history(direct, None, 1_000).await.expect("answers").expect("is there");
    assert_eq!(page.items.iter().map(|message| message.seq).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    assert_eq!(again.list_unread(&bob).await.expect("answers"), [(direct, 300)]);
    let repeated = again.append(vec![draft(7, direct, &ann, "kept")]).await.expect("answers").remove(0);
    assert!(repeated.expect("answered").duplicate, "repetitions are recognised by what is stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_storage_is_unavailable() {
    let bench = Bench::new().await;
    let ann = bench.user("ann").await;
    bench.storage.close().await.expect("closes");
    assert!(matches!(bench.storage.find_user(&ann).await, Err(StorageError::Unavailable { .. })));
    assert!(matches!(bench.storage.ping().await, Err(StorageError::Unavailable { .. })));
    let sent = bench.storage.append(vec![draft(1, id(1), &ann, "x")]).await;
    assert!(matches!(sent, Err(StorageError::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_in_the_order_of_their_bytes_whatever_the_database_thinks() {
    let database = Database::empty("TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'").await;
    let storage = SqlStorage::connect(&database.url, &Options::default()).await.expect("opens");
    storage.migrate().await.expect("migrates");
    for name in ["b", "A", "ä", "a", "B", "a-b", "ab"] {
        user(&storage, name).await;
    }
    let found = storage.search_users("", 10).await.expect("answers");
    let ids: Vec<&str> = found.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["A", "B", "a", "a-b", "ab", "b", "ä"]);
}
