//! What webhooks cost an append: the same few statements whatever the batch, and none where nobody is told.

use parlance_domain::model::{Timestamp, WebhookKind, WebhookKinds};
use parlance_domain::ports::{Messages, Outbox, OutboxClaim};

use crate::support::{APPEND_STATEMENTS, Bench, OUTBOX_STATEMENTS, draft};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_writes_its_events_with_statements_that_do_not_depend_on_the_batch() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let hall = bench.direct(1, &ann, &bob).await;
    bench.storage.append(vec![draft(1, hall, &bob, "something to read")]).await.expect("answers");
    let mut next = 1;
    let mut counts = Vec::new();
    let edited = [WebhookKind::MessageEdited].into_iter().collect();
    for (kinds, size) in [(edited, 1), (WebhookKinds::all(), 1), (WebhookKinds::all(), 40)] {
        bench.storage.want(kinds);
        bench.statements();
        let batch = (0..size).map(|_| {
            next += 1;
            draft(next, hall, if next % 2 == 0 { &ann } else { &bob }, "text")
        });
        let batch: Vec<_> = batch.collect();
        bench.storage.append(batch).await.expect("answers");
        counts.push(bench.statements().len());
    }
    assert!(counts[0] <= APPEND_STATEMENTS, "{counts:?}");
    assert_eq!(counts[1..], [counts[0] + OUTBOX_STATEMENTS; 2], "{counts:?}");
    let now = Timestamp::from_millis(1_800_000_000_000);
    let claimed = bench.storage.claim(OutboxClaim { now, until: now, lanes: 9, events: 99 }).await.expect("answers");
    assert_eq!(claimed.iter().map(|lane| lane.events.len()).sum::<usize>(), 41, "what was wanted is there");
}
