//! What happens when another process holds the file: readers go on, writers wait and then say that nothing
//! happened.

use std::time::Duration;

use parlance_domain::ports::{Messages, StorageError, Users};
use parlance_storage_sql::{Options, SqlStorage};
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::support::{Bench, draft};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_file_is_unavailable_to_writers_and_open_to_readers() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let options = Options { busy_timeout: Duration::from_millis(20), ..Options::default() };
    let impatient = SqlStorage::connect(&bench.url, &options).await.expect("opens");

    let look = bench.look().await;
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let held = look.begin_with_options(immediate).await.expect("takes the lock");
    let refused = impatient.append(vec![draft(1, direct, &ann, "x")]).await;
    assert!(matches!(refused, Err(StorageError::Unavailable { .. })), "{refused:?}");
    assert!(impatient.find_user(&ann).await.expect("readers do not wait").is_some());

    held.rollback().await.expect("lets go");
    let sent = impatient.append(vec![draft(1, direct, &ann, "x")]).await.expect("answers").remove(0).expect("sent");
    assert_eq!((sent.message.seq, sent.duplicate), (1, false), "nothing had happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_storages_on_one_file_count_without_gaps() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let second = SqlStorage::connect(&bench.url, &Options::default()).await.expect("opens");
    let write = async |storage: &SqlStorage, from: u64| {
        for number in from..from + 50 {
            let sent = storage.append(vec![draft(number, direct, &ann, "x")]).await.expect("answers");
            assert!(sent[0].is_ok());
        }
    };
    tokio::join!(write(&bench.storage, 1_000), write(&second, 2_000));
    let page = bench.storage.list_history(direct, None, 1_000).await.expect("answers").expect("is there");
    let seqs: Vec<u64> = page.items.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
}
