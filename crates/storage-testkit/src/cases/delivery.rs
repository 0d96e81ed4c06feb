//! The promises of `Receipts::mark_delivered`.

use parlance_domain::model::{MessageId, MessageStatus, NewMessage};
use parlance_domain::ports::DeliveredNow;

use crate::World;
use crate::doing::ids;
use crate::race;

/// Answers with the messages whose status turns from sent to delivered: per conversation and sender, oldest first.
pub async fn a_live_socket_delivers_what_waited(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (direct, group) = (world.direct(&ann, &bob).await, world.group(&ann, &[&bob, &cleo]).await);
    let told = world.send_many(direct, &ann, 2).await;
    let first = world.send(group, &ann, "1").await;
    let said = world.send_many(group, &cleo, 2).await;
    let mut now = world.deliver(&bob).await;
    now.sort_by(|a, b| (a.conversation_id, &a.sender_id).cmp(&(b.conversation_id, &b.sender_id)));
    let entry = |conversation_id, sender_id: &_, message_ids: Vec<MessageId>| DeliveredNow {
        conversation_id,
        sender_id: Clone::clone(sender_id),
        message_ids,
    };
    // Cleo's first send has read Ann's message, so that one is past being delivered.
    let expected = [entry(direct, &ann, ids(&told)), entry(group, &cleo, ids(&said))];
    assert_eq!(now, expected, "by conversation and sender, oldest first");
    for message in told.iter().chain(&said) {
        assert_eq!(world.status(message).await, MessageStatus::Delivered, "what was told is delivered");
    }
    assert_eq!(world.status(&first).await, MessageStatus::Read, "a status never goes back");
}

/// Idempotent.
pub async fn nothing_is_delivered_twice(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let first = world.send(direct, &ann, "1").await;
    assert_eq!(world.delivered_ids(&bob).await, [first.id], "the first time it is delivered");
    assert_eq!(world.deliver(&bob).await, [], "the second time there is nothing to deliver");
    let second = world.send(direct, &ann, "2").await;
    assert_eq!(world.delivered_ids(&bob).await, [second.id], "only what is new is delivered");
    assert_eq!(world.deliver(&world.id_of_nobody()).await, [], "nobody receives nothing");
}

/// Not: one's own, deleted ones, and those that were delivered to or read by another recipient before.
pub async fn only_what_had_reached_nobody_is_told(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
    let sent = world.send_many(group, &ann, 2).await;
    world.delete(sent[1].id, &ann).await;
    let third = world.send(group, &ann, "3").await;
    world.read_each(group, &cleo, &[&third]).await;
    assert_eq!(world.delivered_ids(&bob).await, [sent[0].id], "neither the tombstone nor what Cleo has read");
    assert_eq!(world.delivered_ids(&dan).await, [], "it had been delivered to Bob before");
    let own = world.send(group, &bob, "own").await;
    assert_eq!(world.delivered_ids(&bob).await, [], "one's own messages are not delivered to oneself");
    assert_eq!(world.delivered_ids(&ann).await, [own.id], "but to others");
}

/// A message that its recipient has singly read already is past being delivered.
pub async fn what_was_read_is_not_delivered_any_more(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 3).await;
    world.read_each(direct, &bob, &[&sent[1]]).await;
    assert_eq!(world.delivered_ids(&bob).await, [sent[0].id, sent[2].id], "the second was read before");
    assert_eq!(world.status(&sent[1]).await, MessageStatus::Read, "a status never goes back");
}

/// What `append` delivered to a live recipient is not told again.
pub async fn what_the_append_delivered_is_not_told_again(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    world.send_draft(NewMessage { delivered_to: Some(bob.clone()), ..world.draft(group, &ann, "live") }).await;
    assert_eq!(world.delivered_ids(&cleo).await, [], "it had reached Bob");
    assert_eq!(world.delivered_ids(&bob).await, [], "Bob has it");
}

/// Across a block of either direction nothing is delivered: a receipt would tell who came. In groups a block changes
/// nothing, and what waited is delivered when the block is gone.
pub async fn nothing_is_delivered_across_a_block(world: World) {
    for by_recipient in [true, false] {
        let (ann, bob, direct) = world.ann_and_bob().await;
        let (blocker, blocked) = if by_recipient { (&bob, &ann) } else { (&ann, &bob) };
        let group = world.group(&ann, &[&bob]).await;
        let before = world.send(direct, &ann, "before").await;
        let said = world.send(group, &ann, "in the group").await;
        world.block(blocker, blocked).await;
        assert_eq!(world.delivered_ids(&bob).await, [said.id], "what is said in a group is");
        assert_eq!(world.deliver(&bob).await, [], "and nothing later");
        assert_eq!(world.status(&before).await, MessageStatus::Sent, "its status tells of nobody");
        world.unblock(blocker, blocked).await;
        assert_eq!(world.delivered_ids(&bob).await, [before.id], "it has waited for the block to be gone");
    }
}

/// The newest 500 per conversation; everything is delivered all the same.
pub async fn the_newest_500_of_each_conversation_are_told(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&cleo, &bob).await);
    let (many, few) = (world.send_many(one, &ann, 600).await, world.send_many(two, &cleo, 3).await);
    let now = world.deliver(&bob).await;
    let of = |id| now.iter().filter(move |now| now.conversation_id == id).flat_map(|now| now.message_ids.clone());
    assert_eq!(of(one).collect::<Vec<_>>(), ids(&many[100..]), "the newest 500, oldest first");
    assert_eq!(of(two).collect::<Vec<_>>(), ids(&few), "the bound is per conversation");
    assert_eq!(world.status(&many[0]).await, MessageStatus::Delivered, "the older ones are delivered too");
    assert_eq!(world.deliver(&bob).await, [], "and not told later");
}

/// Each message is told once, however many recipients and sockets appear at once.
pub async fn sockets_at_once_tell_of_each_message_once(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
    for _ in 0..5 {
        let sent = world.send_many(group, &ann, 10).await;
        let sockets = [&bob, &bob, &cleo, &cleo, &dan, &dan].map(Clone::clone).map(|user| {
            let world = world.clone();
            async move { world.delivered_ids(&user).await }
        });
        let mut told = race(sockets).await.concat();
        told.sort_unstable();
        assert_eq!(told, ids(&sent), "each message turns to delivered exactly once");
    }
}

/// Sends and appearing sockets: nothing is told twice, and in the end everything is delivered.
pub async fn sends_while_sockets_appear_are_delivered_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let tasks = (0..6).map(|n| {
        let (world, ann, bob) = (world.clone(), ann.clone(), bob.clone());
        async move {
            let mut told = Vec::new();
            for _ in 0..5 {
                if n % 2 == 0 {
                    world.send(direct, &ann, "x").await;
                } else {
                    told.extend(world.delivered_ids(&bob).await);
                }
            }
            told
        }
    });
    let mut told = race(tasks).await.concat();
    told.extend(world.delivered_ids(&bob).await);
    told.sort_unstable();
    let mut sent = ids(&world.history(direct).await);
    sent.sort_unstable();
    assert_eq!(told, sent, "each message is told exactly once");
}
