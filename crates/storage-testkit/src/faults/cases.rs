//! The cases of [`storage_faults!`](crate::storage_faults): whatever breaks, a call says truly whether something
//! happened, and repeating an append stores nothing twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlance_domain::model::{ConversationId, MessageId, NewMessage, UserId};
use parlance_domain::ports::{Storage, StorageError};

use super::{Fault, Proxy, Server};
use crate::cases::races::assert_gapless;
use crate::{Fresh, World, race, race_two};

/// More requests than an append has.
const MOST_REQUESTS: usize = 60;
/// How long somebody may be kept from writing by what nobody will finish. Servers that end it by themselves take longer.
const SOON: Duration = Duration::from_secs(20);

async fn world(server: &impl Server) -> World {
    World::new(Fresh::shared(server.open(server.address(), 4).await))
}

/// Three sends with marks of their own.
fn batch(world: &World, direct: ConversationId, sender: &UserId) -> Vec<NewMessage> {
    let mark = || format!("mark-{}", world.id::<MessageId>());
    (0..3).map(|_| world.marked(direct, sender, &mark())).collect()
}

/// Repeats a batch over a connection that works, and says how much of it was stored before.
async fn stored_before(world: &World, batch: Vec<NewMessage>) -> usize {
    let answers = world.append(batch).await;
    answers.into_iter().filter(|answer| answer.as_ref().expect("a participant may send").duplicate).count()
}

/// Lets an append break at each of its requests in turn.
async fn break_each_request(server: &impl Server, fault: fn(usize) -> Fault) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(server.address()).await;
    let shaky = server.open(proxy.address(), 2).await;
    for request in 0.. {
        assert!(request < MOST_REQUESTS, "an append has a bounded number of requests");
        let batch = batch(&world, direct, &ann);
        proxy.arm(fault(request));
        let answer = shaky.append(batch.clone()).await;
        let struck = proxy.lift();
        let stored = stored_before(&world, batch).await;
        match answer {
            Ok(_) => assert_eq!(stored, 3, "what was answered is stored (request {request})"),
            Err(StorageError::Unavailable { .. }) => assert_eq!(stored, 0, "nothing happened (request {request})"),
            Err(StorageError::UnknownOutcome { .. }) => {
                assert!(stored == 0 || stored == 3, "all or nothing happened (request {request})");
            }
            Err(StorageError::Corrupt { source }) => {
                assert_eq!(source.to_string(), "", "a broken connection is no bug");
            }
        }
        assert_eq!(world.history(direct).await.len(), 3 * (request + 1), "nothing is stored twice");
        if !struck {
            assert!(request > 0, "an append has requests that can be broken");
            break;
        }
    }
    assert_gapless(&world, direct).await;
}

/// Whichever request of an append gets lost with its connection, the answer is true.
pub async fn an_append_whose_request_is_lost_is_stored_whole_or_not_at_all(server: &impl Server) {
    break_each_request(server, Fault::LoseRequest).await;
}

/// Whichever answer gets lost, that of the commit among them, it is never taken for a failure.
pub async fn an_append_whose_answer_is_lost_is_stored_whole_or_not_at_all(server: &impl Server) {
    break_each_request(server, Fault::LoseAnswer).await;
}

/// The server dies when it has committed and before that is heard: the message is there once, and repeating finds it.
pub async fn a_restart_between_commit_and_answer_keeps_what_was_stored(server: &impl Server) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(server.address()).await;
    let shaky = server.open(proxy.address(), 2).await;
    let batch = batch(&world, direct, &ann);
    proxy.arm(Fault::LoseAnswerTo(server.commit()));
    let appending = tokio::spawn({
        let (shaky, batch) = (Arc::clone(&shaky), batch.clone());
        async move { shaky.append(batch).await }
    });
    proxy.struck().await;
    server.restart().await;
    let answer = appending.await.expect("an append does not panic");
    assert!(
        matches!(answer, Ok(_) | Err(StorageError::UnknownOutcome { .. })),
        "what is stored is not called a failure, got {answer:?}"
    );
    let again = shaky.append(batch).await.expect("the storage answers after the restart");
    assert!(again.iter().all(|sent| sent.as_ref().is_ok_and(|sent| sent.duplicate)), "repeating finds what is stored");
    assert_eq!(world.history(direct).await.len(), 3, "it is stored once");
    assert_gapless(&world, direct).await;
}

/// Appends over a line that breaks when everything but the commit has arrived, and gives it up then.
async fn give_up_before_commit(
    storage: &Arc<dyn Storage>,
    proxy: &Proxy,
    commit: &'static [u8],
    batch: Vec<NewMessage>,
) {
    proxy.arm(Fault::LoseFrom(commit));
    let storage = Arc::clone(storage);
    let appending = tokio::spawn(async move { storage.append(batch).await.is_ok() });
    proxy.struck().await;
    appending.abort();
    assert!(!matches!(appending.await, Ok(true)), "it is not committed");
}

/// A process dies before its commit: others may wait for it, not for long.
pub async fn what_a_process_leaves_unfinished_when_it_dies_is_soon_in_nobodys_way(server: &impl Server) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(server.address()).await;
    let dying = server.open(proxy.address(), 2).await;
    let batch = batch(&world, direct, &ann);
    give_up_before_commit(&dying, &proxy, server.commit(), batch.clone()).await;
    let began = Instant::now();
    world.send(direct, &ann, "next").await;
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    assert_eq!(stored_before(&world, batch).await, 0, "nothing of it has happened");
    assert_gapless(&world, direct).await;
}

/// A call loses its line before its commit, and is given up: when the line is mended, the same process writes on.
pub async fn what_a_call_leaves_unfinished_is_soon_in_nobodys_way(server: &impl Server) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(server.address()).await;
    let shaky = server.open(proxy.address(), 2).await;
    let batch = batch(&world, direct, &ann);
    give_up_before_commit(&shaky, &proxy, server.commit(), batch.clone()).await;
    proxy.lift();
    let began = Instant::now();
    let again = shaky.append(batch).await.expect("the storage answers");
    assert!(again.iter().all(Result::is_ok), "got {again:?}");
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    assert_eq!(world.history(direct).await.len(), 3, "it is stored once");
    assert_gapless(&world, direct).await;
}

/// Connections that died while nobody used them are replaced, and no call fails for them.
pub async fn a_restart_is_not_noticed_by_later_calls(server: &impl Server) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    // As many connections as there may be, all of them used and idle.
    let looks = (0..8).map(|_| (world.clone(), ann.clone()));
    race(looks.map(|(world, ann)| async move { drop(world.storage().find_user(&ann).await.expect("answers")) })).await;
    server.restart().await;
    world.send(direct, &ann, "after the restart").await;
    let looks = (0..8).map(|_| (world.clone(), ann.clone()));
    let found = race(looks.map(|(world, ann)| async move { world.storage().find_user(&ann).await })).await;
    assert!(found.iter().all(|found| matches!(found, Ok(Some(_)))), "got {found:?}");
    assert_eq!(world.history(direct).await.len(), 1, "it was sent once");
}

/// With its one connection in use, a storage says that nothing happened instead of waiting for ever.
pub async fn an_exhausted_pool_is_unavailable_until_it_is_free(server: &impl Server) {
    let world = world(server).await;
    let (ann, _, direct) = world.ann_and_bob().await;
    let proxy = Proxy::before(server.address()).await;
    let narrow = server.open(proxy.address(), 1).await;
    assert!(narrow.find_user(&ann).await.expect("the storage answers").is_some());
    let batch = batch(&world, direct, &ann);
    proxy.arm(Fault::Stall);
    let appending = tokio::spawn({
        let (narrow, batch) = (Arc::clone(&narrow), batch.clone());
        async move { narrow.append(batch).await }
    });
    proxy.struck().await;
    let refused = narrow.find_user(&ann).await;
    assert!(matches!(refused, Err(StorageError::Unavailable { .. })), "got {refused:?}");
    proxy.lift();
    let sent = appending.await.expect("an append does not panic");
    // A driver may have had a use of its own for the connection, so that the append got none either.
    let goes_on = sent.is_ok() || matches!(sent, Err(StorageError::Unavailable { .. }));
    assert!(goes_on, "what holds the connection goes on, got {sent:?}");
    assert!(narrow.find_user(&ann).await.expect("the pool is free again").is_some());
    assert_eq!(stored_before(&world, batch).await, if sent.is_ok() { 3 } else { 0 }, "the answer was true");
}

async fn read_all(world: World, reader: UserId, direct: ConversationId) -> usize {
    world.read_all(direct, &reader).await.newly_read.len()
}

/// Two nodes that start at once on an empty database bring it up to date once, and then write into the same
/// conversations: each mark is stored once, and nobody's count has a gap.
pub async fn two_nodes_share_one_database(server: &impl Server) {
    let (one, other) = tokio::join!(server.open(server.address(), 4), server.open(server.address(), 4));
    let (one, other) = (World::new(Fresh::shared(one)), World::new(Fresh::shared(other)));
    let (ann, bob, direct) = one.ann_and_bob().await;
    let second = one.group(&ann, &[&bob]).await;
    assert!(other.storage().find_roster(direct).await.expect("answers").is_some(), "a node sees what the other made");
    let batches: Vec<Vec<NewMessage>> = (0..12)
        .map(|_| {
            let mut batch = batch(&one, direct, &ann);
            batch.extend(self::batch(&one, second, &bob));
            batch
        })
        .collect();
    let (mut here, mut there) = (batches.clone(), batches.clone());
    // The other node gets the same sends, and the conversations in the other order.
    for batch in &mut here {
        batch.reverse();
    }
    there.reverse();
    let send = |world: World, batches: Vec<Vec<NewMessage>>| async move {
        let mut new = 0;
        for batch in batches {
            let size = batch.len();
            new += size - stored_before(&world, batch).await;
        }
        new
    };
    let (from_one, from_other) = race_two(send(one.clone(), here), send(other.clone(), there)).await;
    assert_eq!(from_one + from_other, 72, "each mark is stored once");
    for place in [direct, second] {
        assert_eq!(other.history(place).await.len(), 36, "and is in its conversation");
        assert_gapless(&one, place).await;
    }
    let unread = one.unread(direct, &bob).await;
    let (read_here, read_there) =
        race_two(read_all(one.clone(), bob.clone(), direct), read_all(other.clone(), bob.clone(), direct)).await;
    assert_eq!((read_here + read_there) as u64, unread, "each message is newly read once");
    one.block(&bob, &ann).await;
    assert!(other.try_send(other.draft(direct, &ann, "x")).await.is_err(), "a block holds on every node at once");
}
