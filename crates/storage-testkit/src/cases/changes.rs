//! The promises of `Messages::list_changes`: a client that follows `rev` ends up with the whole truth.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlance_domain::model::{ConversationId, Message, MessageId, Rev};
use parlance_domain::ports::Changes;
use parlance_domain::rules::amending::Amendment;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::doing::{emoji_of, ids};
use crate::{World, race, race_two};

async fn changes(world: &World, id: ConversationId, since: Rev, limit: usize) -> Changes {
    let changes = world.storage().list_changes(id, since, limit).await.expect("the storage answers");
    changes.expect("there is such a conversation")
}

/// What a client keeps: each message as it last heard of it, and the `rev` up to which it has heard.
#[derive(Default)]
struct Replica {
    messages: BTreeMap<MessageId, Message>,
    rev: Rev,
}

impl Replica {
    /// Asks on until there is nothing more.
    async fn catch_up(&mut self, world: &World, id: ConversationId, limit: usize) {
        loop {
            let page = changes(world, id, self.rev, limit).await;
            let revs: Vec<Rev> = page.messages.iter().map(|message| message.rev).collect();
            assert!(revs.is_sorted() && revs.iter().all(|rev| *rev > self.rev), "higher `rev` only, in `rev` order");
            assert!(page.messages.len() <= limit, "at most `limit` messages");
            assert!(page.rev >= self.rev, "the place to ask on never goes back");
            if page.has_more {
                assert_eq!(Some(page.rev), revs.last().copied(), "if there are more, ask on after the last one");
            }
            self.rev = page.rev;
            self.messages.extend(page.messages.into_iter().map(|message| (message.id, message)));
            if !page.has_more {
                return;
            }
        }
    }

    fn messages(&self) -> Vec<Message> {
        let mut all: Vec<Message> = self.messages.values().cloned().collect();
        all.sort_by_key(|message| message.seq);
        all
    }
}

/// Messages with a higher `rev`, in `rev` order; an amended message is there once, as it is now.
pub async fn changes_come_in_the_order_of_rev(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 4).await;
    world.edit(sent[0].id, &ann, "edited").await;
    let first = world.react(sent[0].id, &bob, "👍").await.message;
    let third = world.delete(sent[2].id, &ann).await.message;
    let all = changes(&world, direct, 0, 100).await;
    let expected = vec![sent[1].clone(), sent[3].clone(), first.clone(), third.clone()];
    assert_eq!(all, Changes { messages: expected, rev: 7, has_more: false }, "by their last change, each once");
    let since = changes(&world, direct, 5, 100).await;
    assert_eq!(since, Changes { messages: vec![first, third], rev: 7, has_more: false }, "only what changed since");
    let nothing = changes(&world, direct, 7, 100).await;
    assert_eq!(nothing, Changes { messages: vec![], rev: 7, has_more: false }, "nothing has changed since");
}

/// `rev` is that of the last message if there are more, else the conversation's.
pub async fn a_page_of_changes_says_where_to_ask_on(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 3).await;
    let page = changes(&world, direct, 0, 2).await;
    assert_eq!((ids(&page.messages), page.rev, page.has_more), (ids(&sent[..2]), 2, true), "there is one more");
    let page = changes(&world, direct, 0, 3).await;
    assert_eq!((page.messages.len(), page.rev, page.has_more), (3, 3, false), "a full page can be the last");
    let page = changes(&world, direct, 2, 1).await;
    assert_eq!((ids(&page.messages), page.rev, page.has_more), (ids(&sent[2..]), 3, false), "the rest");
}

/// A `since` beyond the conversation's `rev` yields nothing and the conversation's `rev`.
pub async fn changes_since_the_future_are_none(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let empty = changes(&world, direct, 0, 10).await;
    assert_eq!(empty, Changes { messages: vec![], rev: 0, has_more: false }, "nothing has happened");
    world.send_many(direct, &ann, 2).await;
    for since in [3, 1_000_000, u64::from(u32::MAX) + 1] {
        let none = changes(&world, direct, since, 10).await;
        assert_eq!(none, Changes { messages: vec![], rev: 2, has_more: false }, "`since` {since} is ahead of it");
    }
}

/// `None` if there is no such conversation; other conversations' changes are not in it.
pub async fn changes_are_those_of_one_conversation(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (here, there) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let sent = world.send(here, &ann, "here").await;
    world.send_many(there, &ann, 3).await;
    assert_eq!(changes(&world, here, 0, 10).await.messages, [sent], "only this conversation's");
    let none = world.storage().list_changes(world.id(), 0, 10).await.expect("the storage answers");
    assert_eq!(none, None, "there is no such conversation");
}

/// Membership moves `rev` like a send: its system message is among the changes.
pub async fn changes_tell_of_membership(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let added = world.add(group, &ann, &cleo).await.message;
    let left = world.leave(group, &bob).await.message;
    let expected: Vec<Message> = [added, left].into_iter().flatten().collect();
    assert_eq!(changes(&world, group, 0, 10).await.messages, expected, "both system messages, in order");
}

/// Paging through the changes, at any time and in pages of any size, yields the full state.
pub async fn following_the_changes_yields_the_full_state(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let mut random = StdRng::seed_from_u64(7);
    let mut replicas = [Replica::default(), Replica::default(), Replica::default()];
    let mut sent = world.send_many(direct, &ann, 5).await;
    for step in 0..60 {
        let at = random.random_range(0..sent.len());
        let id = sent[at].id;
        match random.random_range(0..6) {
            0 | 1 => sent.push(world.send(direct, &ann, &format!("sent at {step}")).await),
            2 => drop(world.try_amend(id, &ann, edit(step)).await),
            3 => drop(world.delete(id, &ann).await),
            // A tombstone takes no reactions.
            4 => drop(world.try_amend(id, &bob, react(step)).await),
            _ => {
                let which = random.random_range(0..replicas.len());
                let limit = random.random_range(1..8);
                replicas[which].catch_up(&world, direct, limit).await;
                let expected = world.history(direct).await;
                assert_eq!(replicas[which].messages(), expected, "having caught up, a client knows everything");
            }
        }
    }
}

fn edit(step: usize) -> Amendment {
    Amendment::Edit(format!("edited at {step}"))
}

fn react(step: usize) -> Amendment {
    Amendment::React(emoji_of(&format!("e{}", step % 5)))
}

/// A client that follows while others write misses nothing: what is visible is never passed by a lower `rev`.
pub async fn following_the_changes_during_writes_misses_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let (writer, reader) = (world.clone(), world.clone());
    let written = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&written);
    let write = async move {
        let writers = [ann, bob].map(|who| {
            let world = writer.clone();
            async move {
                for _ in 0..10 {
                    let sent = world.send_many(direct, &who, 2).await;
                    world.edit(sent[0].id, &who, "edited").await;
                }
            }
        });
        race(writers).await;
        written.store(true, Ordering::Release);
    };
    let follow = async move {
        let mut replica = Replica::default();
        loop {
            // Looked at before the last reading, so that nothing is written after that.
            let last = over.load(Ordering::Acquire);
            replica.catch_up(&reader, direct, 3).await;
            if last {
                return replica;
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), replica) = race_two(write, follow).await;
    assert_eq!(replica.messages(), world.history(direct).await, "a client that followed all along missed nothing");
    assert_eq!(replica.rev, 60, "40 sends and 20 edits have moved `rev`");
}
