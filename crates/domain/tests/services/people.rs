//! Presence, typing, reading, blocking, catching up and the directory, on the storage in memory. Time
//! is paused: it moves only when everything waits.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{SOCKET, World, claims, draft, id};
use parlance_domain::Error;
use parlance_domain::event::{Event, PresenceAudience};
use parlance_domain::model::{ClaimedProfile, MessageStatus, ProfileChange};
use parlance_domain::ports::{Claims, ConversationQuery, ReadTarget};
use parlance_domain::services::{AcceptAll, PresenceScope, Provisioning, Settings};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn contacts_hear_of_the_first_socket_and_of_the_last_after_the_grace() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    world.user("stranger").await;
    world.direct(&ann, &bob).await;
    let presence = world.services.presence.clone();
    presence.connected(&ann.id);
    presence.connected(&ann.id);
    let event = world.event().await;
    let Event::UserOnline { user_id, audience: PresenceAudience::Contacts(contacts) } = &*event else {
        panic!("{event:?}")
    };
    assert_eq!((user_id, contacts.to_vec()), (&ann.id, vec![bob.id.clone()]));
    presence.disconnected(&ann.id);
    presence.disconnected(&ann.id);
    let gone = Instant::now();
    assert!(presence.is_online(&ann.id), "within the grace");
    assert!(matches!(&*world.event().await, Event::UserOffline { .. }));
    assert_eq!(gone.elapsed(), Duration::from_secs(2));
    assert!(!presence.is_online(&ann.id));
    assert_eq!(presence.online_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_reload_is_not_heard() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    world.direct(&ann, &bob).await;
    let presence = world.services.presence.clone();
    presence.connected(&ann.id);
    assert!(matches!(&*world.event().await, Event::UserOnline { .. }));
    for _ in 0..5 {
        presence.disconnected(&ann.id);
        sleep(Duration::from_millis(1_900)).await;
        presence.connected(&ann.id);
    }
    sleep(Duration::from_secs(10)).await;
    assert!(world.is_quiet() && presence.is_online(&ann.id));
}

#[tokio::test]
async fn with_scope_everyone_every_socket_hears() {
    let settings = Settings { presence_scope: PresenceScope::Everyone, ..Settings::default() };
    let mut world = World::with(settings, Arc::new(AcceptAll));
    let ann = world.user("ann").await;
    world.services.presence.connected(&ann.id);
    let event = world.event().await;
    assert!(matches!(&*event, Event::UserOnline { audience: PresenceAudience::Everyone, .. }));
}

#[tokio::test]
async fn a_block_hides_presence_and_typing_both_ways_and_forbids_starting() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let services = world.services.clone();
    services.blocking.block(&ann, &bob.id).await.expect("blocked");
    services.presence.connected(&bob.id);
    let event = world.event().await;
    assert!(
        matches!(&*event, Event::UserOnline { audience: PresenceAudience::Contacts(contacts), .. } if contacts.is_empty())
    );
    for (viewer, other) in [(&ann, &bob), (&bob, &ann)] {
        services.presence.connected(&viewer.id);
        let statuses = services.presence.statuses(&viewer.id, std::slice::from_ref(&other.id)).await.expect("statuses");
        assert_eq!(statuses, vec![(other.id.clone(), false)]);
        let online = services.conversing.online(&viewer.id, chat).await.expect("online");
        assert_eq!(online, vec![viewer.clone()]);
        services.typing.start(viewer, chat, SOCKET).await.expect("accepted and not told");
    }
    assert_eq!(services.conversing.start_direct(&ann, &bob.id).await.expect_err("refused"), Error::BlockedByYou);
    assert_eq!(services.conversing.start_direct(&bob, &ann.id).await.expect_err("refused"), Error::Blocked);
    assert_eq!(services.blocking.list(&ann.id).await.expect("listed"), vec![bob.clone()]);
    services.blocking.unblock(&ann, &bob.id).await.expect("unblocked");
    services.typing.start(&bob, chat, SOCKET).await.expect("typing");
    let mut told = world.event().await;
    while matches!(&*told, Event::UserOnline { .. }) {
        told = world.event().await;
    }
    assert!(matches!(&*told, Event::TypingStarted { user, .. } if user.id == bob.id));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_a_block_is_delivered_when_it_is_gone_to_who_is_here() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let before = world.send(&ann, chat, "before").await.message.id;
    world.services.blocking.block(&bob, &ann.id).await.expect("blocked");
    sleep(Duration::from_millis(1)).await;
    world.rest();
    world.services.presence.connected(&bob.id);
    assert!(matches!(&*world.event().await, Event::UserOnline { .. }), "what is delivered is told before that");
    world.services.blocking.unblock(&bob, &ann.id).await.expect("unblocked");
    let Event::MessagesDelivered { sender, message_ids, .. } = &*world.event().await else { panic!("it is delivered") };
    assert_eq!((sender, message_ids), (&ann.id, &vec![before]));
    world.services.blocking.unblock(&bob, &ann.id).await.expect("there was none");
    sleep(Duration::from_millis(1)).await;
    assert!(world.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn typing_is_one_start_and_one_stop_per_burst_and_ends_by_itself() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let typing = world.services.typing.clone();
    for _ in 0..5 {
        typing.start(&ann, chat, SOCKET).await.expect("typing");
        sleep(Duration::from_secs(2)).await;
    }
    let last = Instant::now() - Duration::from_secs(2);
    assert!(matches!(&*world.event().await, Event::TypingStarted { .. }));
    assert!(matches!(&*world.event().await, Event::TypingStopped { .. }));
    assert_eq!(last.elapsed(), Duration::from_secs(3));
    typing.stop(&ann, chat).await.expect("nothing to stop");
    assert!(world.is_quiet());
}

#[tokio::test]
async fn typing_stops_with_the_message_and_with_the_socket() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let typing = world.services.typing.clone();
    typing.start(&ann, chat, SOCKET).await.expect("typing");
    assert!(matches!(&*world.event().await, Event::TypingStarted { .. }));
    world.services.messaging.send(&ann, draft(chat, "done"), None).await.expect("sent");
    let mut kinds =
        [world.event().await, world.event().await].map(|event| matches!(&*event, Event::TypingStopped { .. }));
    kinds.sort_unstable();
    assert_eq!(kinds, [false, true], "one stop, one message");
    typing.start(&bob, chat, SOCKET).await.expect("typing");
    assert!(matches!(&*world.event().await, Event::TypingStarted { .. }));
    typing.stop_session(SOCKET);
    assert!(matches!(&*world.event().await, Event::TypingStopped { .. }));
    let eve = world.user("eve").await;
    assert!(typing.start(&eve, chat, SOCKET).await.is_err());
}

#[tokio::test]
async fn reading_is_told_once_and_turns_the_status() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let chat = world.direct(&ann, &bob).await;
    let first = world.send(&ann, chat, "1").await.message.id;
    let second = world.send(&ann, chat, "2").await.message.id;
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    assert!(matches!(&*world.event().await, Event::MessageNew { .. }));
    let reading = world.services.reading.clone();
    assert_eq!(reading.unread(&bob.id).await.expect("counts"), vec![(chat, 2)]);
    assert_eq!(reading.mark(&bob.id, chat, ReadTarget::Messages(vec![second])).await.expect("marked"), 1);
    let event = world.event().await;
    let Event::MessagesRead { message_ids, senders, .. } = &*event else { panic!("{event:?}") };
    assert_eq!((message_ids, senders), (&vec![second], &vec![ann.id.clone()]));
    assert_eq!(reading.mark(&bob.id, chat, ReadTarget::All).await.expect("marked"), 0);
    assert!(matches!(&*world.event().await, Event::MessagesRead { message_ids, .. } if *message_ids == vec![first]));
    assert_eq!(reading.mark(&bob.id, chat, ReadTarget::All).await.expect("again"), 0);
    assert_eq!(reading.mark(&ann.id, chat, ReadTarget::All).await.expect("own messages"), 0);
    assert!(world.is_quiet());
    let page = world.services.messaging.history(&ann.id, chat, None, 10).await.expect("history");
    assert!(page.items.iter().all(|view| view.status == MessageStatus::Read));
}

#[tokio::test]
async fn catching_up_yields_each_changed_message_once_in_rev_order() {
    let mut world = World::new();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let chat = world.direct(&ann, &bob).await;
    let secret = world.direct(&ann, &eve).await;
    let first = world.send(&ann, chat, "1").await.message.id;
    for n in 2..=250 {
        world.send(&ann, chat, &n.to_string()).await;
    }
    world.services.messaging.edit(&ann, first, "one").await.expect("edited");
    let asked = vec![(chat, 0), (secret, 0), ("0".repeat(24).parse().expect("an id"), 0)];
    let synced = world.services.syncing.sync(&bob.id, asked).await.expect("synced");
    assert_eq!(synced.unknown.len(), 2);
    let (_, page) = &synced.conversations[0];
    assert_eq!((page.messages.len(), page.rev, page.has_more), (200, 201, true));
    let rest = world.services.syncing.changes(&bob.id, chat, page.rev, 200).await.expect("changes");
    assert_eq!((rest.messages.len(), rest.rev, rest.has_more), (50, 251, false));
    assert_eq!(rest.messages.last().map(|view| view.message.id), Some(first));
    let too_many = (0..=200u8)
        .map(|n| ([n; 12], 0))
        .map(|(bytes, rev)| (parlance_domain::model::ConversationId::from_bytes(bytes), rev));
    assert!(matches!(world.services.syncing.sync(&bob.id, too_many.collect()).await, Err(Error::Validation { .. })));
}

#[tokio::test]
async fn a_profile_change_outlives_the_next_token() {
    let world = World::new();
    let directory = world.services.directory.clone();
    let ann = world.user("ann").await;
    directory.update(&ann.id, ProfileChange { name: Some("Annie".into()), picture: None }).await.expect("changed");
    assert_eq!(world.user("ann").await.name, "Annie");
    let renamed = Claims { profile: ClaimedProfile { name: Some("Anna".into()), picture: None }, ..claims("ann") };
    assert_eq!(directory.admit(&renamed).await.expect("admitted").name, "Anna");
    let blank = ProfileChange { name: Some("  ".into()), picture: None };
    assert!(matches!(directory.update(&ann.id, blank).await, Err(Error::Validation { .. })));
    assert_eq!(directory.find(&id("nobody")).await.expect_err("unknown"), Error::UserNotFound);
}

#[tokio::test]
async fn a_directory_refuses_bearers_it_does_not_know() {
    let settings = Settings { provisioning: Provisioning::DirectoryOnly, ..Settings::default() };
    let world = World::with(settings, Arc::new(AcceptAll));
    assert_eq!(world.services.directory.admit(&claims("ann")).await.expect_err("refused"), Error::UnknownBearer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_start_at_once_get_one_conversation_and_one_announcement() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let starts = (0..20).map(|n| {
        let conversing = world.services.conversing.clone();
        let (starter, other) = if n % 2 == 0 { (ann.clone(), bob.id.clone()) } else { (bob.clone(), ann.id.clone()) };
        tokio::spawn(async move { conversing.start_direct(&starter, &other).await.expect("started") })
    });
    let mut created = 0;
    let mut ids = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        let (view, new) = start.await.expect("a starter finishes");
        created += usize::from(new);
        ids.push(view.conversation.id);
    }
    ids.dedup();
    assert_eq!((created, ids.len()), (1, 1));
    assert!(matches!(&*world.event().await, Event::ConversationNew { .. }));
    assert!(world.is_quiet());
    let query = ConversationQuery { limit: 20, ..ConversationQuery::default() };
    assert_eq!(world.services.conversing.list(&ann.id, &query).await.expect("listed").items.len(), 1);
    assert!(world.services.conversing.start_direct(&ann, &ann.id).await.is_err());
    assert_eq!(
        world.services.conversing.start_direct(&ann, &id("nobody")).await.expect_err("unknown"),
        Error::UserNotFound
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whenever_somebody_comes_each_message_is_told_as_delivered_exactly_once() {
    for _ in 0..30 {
        let mut world = World::new();
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let chat = world.direct(&ann, &bob).await;
        let early = world.send(&ann, chat, "early").await.message.id;
        let presence = world.services.presence.clone();
        let coming = bob.id.clone();
        let comes = tokio::spawn(async move { presence.connected(&coming) });
        let mut expected = vec![early];
        for n in 0..20 {
            let sent = world.services.messaging.send(&ann, draft(chat, &n.to_string()), None).await.expect("sent");
            world.services.messaging.announce_delivered(&sent).await;
            expected.push(sent.message.message.id);
        }
        comes.await.expect("bob comes");
        let mut told = Vec::new();
        while told.len() < expected.len() {
            if let Event::MessagesDelivered { message_ids, .. } = &*world.event().await {
                told.extend(message_ids.iter().copied());
            }
        }
        told.sort_unstable();
        assert_eq!(told, expected);
    }
}
