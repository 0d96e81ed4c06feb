//! The outbox in a database file: its contract, and that what is done all the time walks indexes.

use std::time::Duration;

use parlance_domain::model::{Timestamp, WebhookKinds};
use parlance_domain::ports::{Messages, Outbox, OutboxClaim, SettledLane};
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Posting, outbox_contract};

use crate::support::{Bench, draft, plan, scans};

async fn fresh() -> Posting {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.expect("a new database opens");
    storage.migrate().await.expect("a new database is migrated");
    Posting::new(storage).keeping(folder)
}

outbox_contract!(fresh);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claiming_and_settling_walk_indexes() {
    let bench = Bench::new().await;
    let look = bench.look().await;
    bench.storage.want(WebhookKinds::all());
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    bench.storage.append(vec![draft(1, direct, &ann, "x"), draft(2, direct, &bob, "y")]).await.expect("answers");
    bench.statements();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let until = now.plus(Duration::from_secs(30));
    let claimed = bench.storage.claim(OutboxClaim { now, until, lanes: 9, events: 2 }).await.expect("answers");
    let lane = claimed.first().expect("there is a lane");
    let settled = SettledLane {
        lane: lane.lane.clone(),
        until,
        delivered: vec![lane.events[0].id],
        buried: vec![parlance_domain::ports::Buried {
            id: lane.events[1].id,
            at: now,
            failures: 1,
            problem: String::new(),
        }],
        due: now,
        failures: 0,
    };
    bench.storage.settle(vec![settled]).await.expect("answers");
    bench.storage.list_dead_letters(None, 10).await.expect("answers");
    let statements = bench.statements();
    assert!(statements.len() > 8, "{statements:#?}");
    for statement in statements {
        let plan = plan(&look, &statement).await;
        let walked: Vec<_> = scans(&plan).into_iter().filter(|step| !step.starts_with("SCAN d")).collect();
        assert_eq!(walked, [""; 0], "{plan:#?} of {statement}");
    }
}
