//! Users who come at the same time share the flush of the disk.

use std::time::Duration;

use parlance_domain::model::{ClaimedProfile, Timestamp, UserId};
use parlance_domain::ports::Users;
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::support::Bench;

const COMING: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_while_others_write_is_made_together_with_others() {
    let bench = Bench::new().await;
    let look = bench.look().await;
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let held = look.begin_with_options(immediate).await.expect("takes the lock");
    let ids: Vec<UserId> = (0..COMING).map(|n| format!("user-{n}").parse().expect("a valid id")).collect();
    let come = |id: UserId| {
        let storage = bench.storage.clone();
        let claims = ClaimedProfile { name: Some(format!("Name of {id}")), picture: None };
        tokio::spawn(async move { storage.record_claims(&id, &claims, true, Timestamp::from_millis(1)).await })
    };
    let coming: Vec<_> = ids.iter().cloned().map(come).collect();
    // Each looks whether they are known before they wait.
    let mut ran = Vec::new();
    let ran_so_far = |ran: &[String], text: &str| ran.iter().filter(|ran| ran.starts_with(text)).count();
    while ran_so_far(&ran, "SELECT id, name") < COMING {
        tokio::time::sleep(Duration::from_millis(1)).await;
        ran.extend(bench.statements());
    }
    held.rollback().await.expect("lets go");
    for (come, id) in coming.into_iter().zip(&ids) {
        let user = come.await.expect("it runs").expect("the storage answers").expect("they are made");
        assert_eq!((&user.id, user.name), (id, format!("Name of {id}")));
    }
    ran.extend(bench.statements());
    let inserts = ran_so_far(&ran, "INSERT INTO users");
    assert!(inserts < COMING / 4, "{inserts} statements for {COMING} users");
    assert_eq!(bench.storage.list_users(&ids).await.expect("answers").len(), COMING);
}
