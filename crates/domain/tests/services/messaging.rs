//! Sending and changing messages, on the storage in memory.

use std::sync::Arc;

use crate::support::{SOCKET, World, draft, id, marked};
use async_trait::async_trait;
use parlance_domain::Error;
use parlance_domain::error::Attempt;
use parlance_domain::event::{Audience, Event};
use parlance_domain::model::{Emoji, MessageKind, MessageStatus, Roster, User};
use parlance_domain::ports::{MessagePolicy, Verdict};
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::Settings;

#[tokio::test]
async fn a_send_is_stored_and_told_to_the_participants_and_the_sending_socket() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let sent = world.services.messaging.send(&ann, draft(chat, " hi "), Some(SOCKET)).await.expect("sent");
    assert_eq!((sent.message.message.seq, sent.message.message.rev, sent.duplicate), (1, 1, false));
    assert_eq!(sent.message.message.text.as_deref(), Some("hi"));
    let event = world.event().await;
    let Event::MessageNew { message, participants, origin } = &*event else { panic!("{event:?}") };
    assert_eq!(**message, sent.message);
    assert_eq!((participants.to_vec(), *origin), (vec![id("ann"), id("bob")], Some(SOCKET)));
    assert!(matches!(event.audience(), Audience::Conversation { origin: Some(SOCKET), .. }));
    assert!(world.is_quiet());
}

#[tokio::test]
async fn a_repeated_client_message_id_gets_the_first_message_and_tells_nobody() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let first = world.services.messaging.send(&ann, marked(chat, "hi", "m1"), None).await.expect("sent");
    let again = world.services.messaging.send(&ann, marked(chat, "hi!", "m1"), None).await.expect("found");
    assert_eq!((again.duplicate, &again.message), (true, &first.message));
    let other = world.services.messaging.send(&bob, marked(chat, "hi", "m1"), None).await.expect("another sender's");
    assert!(!other.duplicate);
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    assert!(matches!(&*world.event().await, Event::MessagesRead { .. }), "bob's answer reads what came before");
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    assert!(world.is_quiet());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_racing_senders_are_told_in_seq_order() {
    let mut world = World::new();
    let owner = world.user("owner").await;
    let mut people = Vec::new();
    for n in 0..100 {
        people.push(world.user(&format!("u{n}")).await);
    }
    let chat = world.group(&owner, &people.iter().collect::<Vec<_>>()).await;
    let sends = people.into_iter().map(|sender| {
        let messaging = world.services.messaging.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                messaging.send(&sender, draft(chat, &n.to_string()), None).await.expect("sent");
            }
        })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.expect("a sender finishes");
    }
    let mut seqs = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        if let Event::MessageNew { message, .. } = &*event {
            seqs.push(message.message.seq);
        }
    }
    assert_eq!(seqs, (1..=1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn submits_of_one_task_keep_their_order_without_waiting_for_each_other() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let mut pending = Vec::new();
    for n in 0..50 {
        pending.push(world.services.messaging.submit(&ann, draft(chat, &n.to_string()), None).await.expect("queued"));
    }
    for (n, pending) in pending.into_iter().enumerate() {
        let message = pending.outcome().await.expect("stored").message.message;
        assert_eq!((message.text, message.seq), (Some(n.to_string()), n as u64 + 1));
    }
}

#[tokio::test]
async fn who_may_not_send_is_told_why() {
    let mut world = World::new();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let chat = world.direct(&ann, &bob).await;
    let messaging = world.services.messaging.clone();
    let refused = |sender: User, draft: Draft| {
        let messaging = messaging.clone();
        async move { messaging.send(&sender, draft, None).await.expect_err("refused") }
    };
    assert_eq!(refused(eve, draft(chat, "hi")).await, Error::NotParticipant(Attempt::Send));
    assert_eq!(
        refused(ann.clone(), draft("0".repeat(24).parse().expect("an id"), "hi")).await,
        Error::ConversationNotFound
    );
    assert!(matches!(refused(ann.clone(), draft(chat, " ")).await, Error::Validation { .. }));
    world.services.blocking.block(&ann, &bob.id).await.expect("blocked");
    assert_eq!(refused(ann, draft(chat, "hi")).await, Error::BlockedByYou);
    assert_eq!(refused(bob, draft(chat, "hi")).await, Error::Blocked);
}

#[tokio::test]
async fn a_message_is_delivered_when_a_recipient_is_online_and_that_is_told_after_the_ack() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let early = world.send(&ann, chat, "early").await;
    assert_eq!(early.status, MessageStatus::Sent);
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    world.services.presence.connected(&bob.id);
    let event = world.event().await;
    let Event::MessagesDelivered { sender, message_ids, .. } = &*event else { panic!("{event:?}") };
    assert_eq!((sender, message_ids), (&ann.id, &vec![early.message.id]));
    assert!(matches!(&*world.event().await, Event::UserOnline { .. }));

    let sent = world.services.messaging.send(&ann, draft(chat, "late"), None).await.expect("sent");
    assert_eq!((sent.delivered, sent.message.status), (true, MessageStatus::Delivered));
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    assert!(world.is_quiet());
    world.services.messaging.announce_delivered(&sent).await;
    assert!(matches!(&*world.event().await, Event::MessagesDelivered { .. }));
    let page = world.services.messaging.history(&ann.id, chat, None, 10).await.expect("history");
    assert!(page.items.iter().all(|view| view.status == MessageStatus::Delivered));
}

#[tokio::test]
async fn edits_deletions_and_reactions_are_told_once_and_move_rev() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let first = world.send(&ann, chat, "hi").await.message.id;
    let messaging = world.services.messaging.clone();
    let wave = Emoji::new("👋").expect("an emoji");
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));

    assert_eq!(messaging.edit(&ann, first, "ho").await.expect("edited").message.rev, 2);
    assert!(matches!(&*world.event().await, Event::MessageEdited { .. }));
    assert_eq!(messaging.react(&bob, first, wave.clone()).await.expect("reacted").message.rev, 3);
    assert!(matches!(&*world.event().await, Event::ReactionChanged { added: true, .. }));
    assert_eq!(messaging.react(&bob, first, wave.clone()).await.expect("again").message.rev, 3);
    assert_eq!(messaging.unreact(&bob, first, wave).await.expect("taken back").message.rev, 4);
    assert!(matches!(&*world.event().await, Event::ReactionChanged { added: false, .. }));
    assert!(matches!(messaging.delete(&bob, first).await, Err(Error::Forbidden(_))));
    assert_eq!(messaging.delete(&ann, first).await.expect("deleted").message.text, None);
    assert!(matches!(&*world.event().await, Event::MessageDeleted { .. }));
    assert!(matches!(messaging.edit(&ann, first, "x").await, Err(Error::Conflict(_))));
    assert!(world.is_quiet());
}

#[tokio::test]
async fn an_answer_shows_what_it_answers_also_when_that_is_deleted() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let original = world.send(&ann, chat, "question").await;
    let answer = Draft { reply_to: Some(original.message.id), ..draft(chat, "answer") };
    let sent = world.services.messaging.send(&bob, answer, None).await.expect("sent").message;
    let reply = sent.reply_to.expect("the original is shown");
    assert_eq!((reply.text.as_deref(), reply.sender), (Some("question"), ann.clone()));
    world.services.messaging.delete(&ann, original.message.id).await.expect("deleted");
    let page = world.services.messaging.history(&bob.id, chat, None, 1).await.expect("history");
    let reply = page.items[0].reply_to.clone().expect("the tombstone is shown");
    assert_eq!((reply.id, reply.text), (original.message.id, None));
}

#[tokio::test]
async fn closing_stores_and_answers_what_is_queued() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let mut pending = Vec::new();
    for n in 0..100 {
        pending.push(world.services.messaging.submit(&ann, draft(chat, &n.to_string()), None).await.expect("queued"));
    }
    world.services.close();
    for pending in pending {
        pending.outcome().await.expect("stored");
    }
    while let Some(ended) = world.running.join_next().await {
        ended.expect("a worker ends by itself");
    }
    let late = world.services.messaging.send(&ann, draft(chat, "late"), None).await;
    assert!(matches!(late, Err(Error::Unavailable(_))));
}

struct NoLinks;

#[async_trait]
impl MessagePolicy for NoLinks {
    async fn review(&self, _: &User, _: &Roster, draft: Draft) -> Verdict {
        match draft.text.as_deref() {
            Some(text) if text.contains("http") => Verdict::Refuse("No links"),
            Some(text) => Verdict::Accept(Draft { text: Some(text.replace("darn", "****")), ..draft.clone() }),
            None => Verdict::Accept(draft),
        }
    }
}

#[tokio::test]
async fn a_policy_refuses_and_rewrites_sends_and_edits() {
    let mut world = World::with(Settings::default(), Arc::new(NoLinks));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let messaging = world.services.messaging.clone();
    assert_eq!(
        messaging.send(&ann, draft(chat, "http://x"), None).await.expect_err("refused"),
        Error::Forbidden("No links")
    );
    let sent = messaging.send(&ann, draft(chat, "darn"), None).await.expect("sent").message.message;
    assert_eq!(sent.text.as_deref(), Some("****"));
    let edited = messaging.edit(&ann, sent.id, "darn it").await.expect("edited");
    assert_eq!(edited.message.text.as_deref(), Some("**** it"));
    assert!(messaging.edit(&ann, sent.id, "http://x").await.is_err());
}

#[tokio::test]
async fn history_and_search_are_for_participants() {
    let mut world = World::new();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let chat = world.direct(&ann, &bob).await;
    world.send(&ann, chat, "a secret plan").await;
    let messaging = world.services.messaging.clone();
    assert_eq!(
        messaging.history(&eve.id, chat, None, 10).await.expect_err("refused"),
        Error::NotParticipant(Attempt::Access)
    );
    assert_eq!(messaging.search(&bob.id, "secr plan", None, None, 10).await.expect("found").items.len(), 1);
    assert!(messaging.search(&eve.id, "secret", None, None, 10).await.expect("nothing").items.is_empty());
    let elsewhere = messaging.history(&ann.id, chat, Some("1".repeat(24).parse().expect("an id")), 10).await;
    assert!(matches!(elsewhere, Err(Error::Validation { .. })));
}

#[tokio::test]
async fn a_membership_change_writes_a_system_message_and_reaches_those_concerned() {
    let mut world = World::new();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let chat = world.group(&ann, &[&bob]).await;
    world.services.conversing.add(&ann, chat, vec![eve.id.clone()]).await.expect("added");
    let event = world.event().await;
    let Event::ConversationNew { users, conversation } = &*event else { panic!("{event:?}") };
    assert_eq!((users.to_vec(), conversation.participants.len()), (vec![eve.id.clone()], 3));
    let event = world.event().await;
    let Event::MessageNew { message, participants, .. } = &*event else { panic!("{event:?}") };
    assert_eq!((message.message.kind, message.message.text.as_deref()), (MessageKind::System, Some("ANN added EVE")));
    assert_eq!(participants.len(), 3);

    world.services.conversing.remove(&ann, chat, &bob.id).await.expect("removed");
    assert!(matches!(&*world.event().await, Event::ParticipantRemoved { user_id, .. } if *user_id == bob.id));
    let event = world.event().await;
    let Event::MessageNew { participants, .. } = &*event else { panic!("{event:?}") };
    assert!(!participants.contains(&bob.id), "who is gone hears nothing more");
    assert!(world.services.messaging.send(&bob, draft(chat, "still here?"), None).await.is_err());
    assert!(world.services.messaging.history(&bob.id, chat, None, 1).await.is_err());
}
