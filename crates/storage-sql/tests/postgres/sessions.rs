//! How sessions are set up, and what happens when the server, another transaction or the network keeps a call waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlance_domain::model::Timestamp;
use parlance_domain::ports::{Conversations, Messages, NewConversation, StorageError, Users};
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::faults::{Fault, Proxy, Server};

use crate::database::{Database, run, session};
use crate::server::{OwnServer, url};
use crate::support::{Bench, draft, id};
use crate::world::user;

/// Waits until a session of this database waits for a lock.
async fn until_somebody_waits(database: &Database) {
    let mut look = session(&database.url).await;
    let waits = async {
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut look)
            .await
            .expect("the server lists its sessions");
            if waiting > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waits).await.expect("somebody waits for a lock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_holds_is_unavailable_and_nothing_happened() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let options = Options { call_timeout: Duration::from_millis(400), ..Options::default() };
    let impatient = SqlStorage::connect(&bench.database.url, &options).await.expect("opens");

    let mut look = bench.look().await;
    run(&mut look, "BEGIN").await;
    run(&mut look, "SELECT 1 FROM conversations FOR UPDATE").await;
    let refused = impatient.append(vec![draft(1, direct, &ann, "x")]).await;
    assert!(matches!(refused, Err(StorageError::Unavailable { .. })), "{refused:?}");
    assert!(impatient.find_user(&ann).await.expect("readers do not wait").is_some());

    run(&mut look, "ROLLBACK").await;
    let sent = impatient.append(vec![draft(1, direct, &ann, "x")]).await.expect("answers").remove(0).expect("sent");
    assert_eq!((sent.message.seq, sent.duplicate), (1, false), "nothing had happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_with_somebody_elses_transaction_is_got_over() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let mut look = bench.look().await;
    // Participants before their conversation: the order that nobody here uses. The other side is given more patience,
    // so that the server ends ours.
    run(&mut look, "SET deadlock_timeout = '1min'").await;
    run(&mut look, "BEGIN").await;
    run(&mut look, "SELECT 1 FROM participants FOR UPDATE").await;
    let appending = tokio::spawn({
        let (storage, draft) = (bench.storage.clone(), draft(1, direct, &ann, "x"));
        async move { storage.append(vec![draft]).await }
    });
    until_somebody_waits(&bench.database).await;
    run(&mut look, "SELECT 1 FROM conversations FOR UPDATE").await;
    run(&mut look, "COMMIT").await;
    let sent = appending.await.expect("an append does not panic").expect("answers").remove(0).expect("sent");
    assert_eq!((sent.message.seq, sent.duplicate), (1, false), "it was stored once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_not_waited_for() {
    let server = OwnServer::start().await;
    let proxy = Proxy::before(server.address()).await;
    let options = Options { call_timeout: Duration::from_millis(1_500), ..Options::default() };
    let storage = SqlStorage::connect(&url(proxy.address()), &options).await.expect("opens");
    storage.migrate().await.expect("migrates");
    let ann = user(&storage, "ann").await;
    let bob = user(&storage, "bob").await;
    let new = NewConversation::Direct { id: id(1), starter: ann.clone(), other: bob };
    storage.start_conversation(&new, Timestamp::from_millis(1)).await.expect("answers");
    proxy.arm(Fault::Stall);
    let asked = Instant::now();
    let (found, sent) = tokio::join!(storage.find_user(&ann), storage.append(vec![draft(1, id(1), &ann, "x")]));
    let given_up =
        |error: &StorageError| matches!(error, StorageError::UnknownOutcome { .. } | StorageError::Unavailable { .. });
    assert!(found.as_ref().is_err_and(given_up) && sent.as_ref().is_err_and(given_up), "{found:?} {sent:?}");
    assert!(matches!(storage.ping().await, Err(StorageError::Unavailable { .. })), "nor does it answer a ping");
    assert!(asked.elapsed() < Duration::from_secs(20), "it took {:?}", asked.elapsed());
    proxy.lift();
    assert!(storage.find_user(&ann).await.expect("answers again").is_some());
    let sent = storage.append(vec![draft(1, id(1), &ann, "x")]).await.expect("answers again").remove(0);
    assert_eq!(sent.expect("sent").message.seq, 1, "it is stored once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_on_disk_also_where_the_server_would_not_wait_for_it() {
    let server = OwnServer::start_with(&["synchronous_commit=off", "wal_writer_delay=10s"]).await;
    let storage = Arc::new(SqlStorage::connect(&url(server.address()), &Options::default()).await.expect("opens"));
    storage.migrate().await.expect("migrates");
    let mut look = session(&url(server.address())).await;
    let flushed = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()";
    run(&mut look, "CREATE TABLE unflushed (a bigint)").await;
    run(&mut look, "INSERT INTO unflushed VALUES (1)").await;
    let lazy: bool = sqlx::query_scalar(flushed).fetch_one(&mut look).await.expect("the server answers");
    assert!(!lazy, "this server does not wait for its disk");
    user(&storage, "ann").await;
    let kept: bool = sqlx::query_scalar(flushed).fetch_one(&mut look).await.expect("the server answers");
    assert!(kept, "but what was acknowledged here is on it");
}
