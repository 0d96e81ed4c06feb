//! What becomes of a change whose process dies in the middle, where there are no transactions.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use parlance_domain::model::{ConversationId, Timestamp, UserId, WebhookKind, WebhookKinds};
use parlance_domain::ports::{Outbox, OutboxClaim};
use parlance_storage_mongo::{MongoStorage, Options, Transactions};
use parlance_storage_testkit::faults::{Fault, Proxy};
use parlance_storage_testkit::{Fresh, World};

use crate::database::Database;

const LEASE: Duration = Duration::from_millis(800);

fn options() -> Options {
    Options { transactions: Transactions::Never, lease: LEASE, ..Options::default() }
}

/// Ann and Bob, and an append that stops at `fault`, together with its process.
async fn broken_off(database: &Database, fault: Fault) -> (World, UserId, ConversationId) {
    let storage = database.open(&options()).await;
    storage.want(WebhookKinds::all());
    let world = World::new(Fresh::new(storage));
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(database.address()).await;
    let dying = MongoStorage::connect(&database.url_at(proxy.address()), &options()).await.expect("answers");
    dying.want(WebhookKinds::all());
    let batch = vec![world.marked(direct, &ann, "one"), world.marked(direct, &ann, "two")];
    proxy.arm(fault);
    let appending = tokio::spawn(async move { drop(parlance_domain::ports::Messages::append(&dying, batch).await) });
    proxy.struck().await;
    // Nothing more comes from it: neither another request nor another try.
    proxy.arm(Fault::Stall);
    appending.abort();
    assert!(appending.await.is_err_and(|error| error.is_cancelled()), "the append was under way");
    (world, ann, direct)
}

/// What webhooks tell of messages, of all that waits.
async fn told(database: &Database) -> usize {
    let far = Timestamp::from_millis(4_000_000_000_000);
    let claim = OutboxClaim { now: far, until: far, lanes: 10, events: 10 };
    let claimed = database.open(&options()).await.claim(claim).await.expect("answers");
    let events = claimed.iter().flat_map(|lane| &lane.events);
    events.filter(|event| event.kind == WebhookKind::MessageCreated).count()
}

async fn locks(database: &Database) -> Vec<Document> {
    let mut locks = Vec::new();
    let mut cursor = database.look().await.collection("locks").find(doc! {}).await.expect("answers");
    while cursor.advance().await.expect("answers") {
        locks.push(cursor.deserialize_current().expect("a document"));
    }
    locks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_was_written_down_is_finished_by_the_next_change() {
    let database = Database::new();
    let (world, ann, direct) = broken_off(&database, Fault::LoseAnswerTo(b"journal")).await;
    assert!(locks(&database).await[0].contains_key("journal"), "the append has happened");
    assert_eq!(world.history(direct).await, [], "and nothing of it is to be seen");
    let sent = world.send(direct, &ann, "next").await;
    assert_eq!(sent.seq, 3, "it comes after the two of the append");
    let texts: Vec<_> = world.history(direct).await.into_iter().filter_map(|message| message.text).collect();
    assert_eq!(texts, ["one", "two", "next"]);
    let again = world.send_draft(world.marked(direct, &ann, "two")).await;
    assert!(again.duplicate && again.message.seq == 2, "a repetition finds it");
    assert_eq!(locks(&database).await, [], "nothing is left of it");
    assert_eq!(told(&database).await, 3, "webhooks tell of what has happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_was_not_written_down_is_undone_by_the_next_change() {
    let database = Database::new();
    let (world, ann, direct) = broken_off(&database, Fault::LoseAnswerTo(b"conversation/")).await;
    assert!(!locks(&database).await[0].contains_key("journal"), "its locks are there, and that is all");
    assert_eq!(world.send(direct, &ann, "next").await.seq, 1);
    assert_eq!(locks(&database).await, []);
    assert_eq!(told(&database).await, 1, "webhooks tell of nothing that has not happened");
}
