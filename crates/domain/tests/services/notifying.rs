//! Notifications on the storage in memory: one for a conversation, read with it and on every device, counted,
//! wanted or not. Time is paused where nothing is waited for: it moves only when everything that was begun is done.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::{World, id};
use parlance_domain::Error;
use parlance_domain::event::Event;
use parlance_domain::model::{NotificationKind, NotificationView, PreferencesChange, User};
use parlance_domain::ports::ReadTarget;
use parlance_domain::services::{Notice, NotificationsPage, Notifying};

fn notice(kind: &str, title: &str) -> Notice {
    let kind = NotificationKind::new(kind).expect("a valid type");
    Notice { kind, title: title.into(), message: "Look here".into(), link: None, data: None }
}

async fn all(notifying: &Notifying, user: &User) -> NotificationsPage {
    notifying.list(&user.id, false, 1, 100).await.expect("a page")
}

/// What somebody sees: messages of their notifications, newest first, with how many are unread.
async fn seen(world: &World, user: &User) -> (Vec<String>, u64) {
    let page = all(&world.services.notifying, user).await;
    assert_eq!(page.total, page.notifications.len() as u64);
    (page.notifications.into_iter().map(|notification| notification.message).collect(), page.unread)
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_conversation_are_one_notification_that_says_the_newest() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let room = world.direct(&ann, &bob).await;
    let first = world.send(&ann, room, "one").await;
    assert_eq!(world.told().await, r#"bob: chat_message "ANN" "one", 1 unread"#);
    world.send(&ann, room, "two").await;
    let newest = world.send(&ann, room, "three").await;
    assert!(world.nobody_is_told().await, "one that is updated is not announced again");
    assert_eq!(seen(&world, &bob).await, (vec!["three".to_owned()], 1));
    let shown = all(&world.services.notifying, &bob).await.notifications.remove(0);
    let about = format!(r#"{{"conversationId":"{room}","messageId":"{}"}}"#, newest.message.id);
    assert_eq!((shown.conversation_id, shown.data), (Some(room), Some(about)));
    assert_ne!(first.message.id, newest.message.id);
    assert_eq!(seen(&world, &ann).await, (vec![], 0), "who wrote is not told");
}

#[tokio::test(start_paused = true)]
async fn who_has_left_a_group_is_not_shown_what_is_said_and_changed_there() {
    let mut world = World::new();
    let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
    let (room, direct) = (world.group(&ann, &[&bob, &eve]).await, world.direct(&ann, &bob).await);
    world.send(&ann, direct, "between us").await;
    assert_eq!(world.told().await, r#"bob: chat_message "ANN" "between us", 1 unread"#);
    let sent = world.send(&ann, room, "while you are here").await;
    world.services.conversing.remove(&ann, room, &bob.id).await.expect("removed");
    world.services.messaging.edit(&ann, sent.message.id, "a secret").await.expect("an edit");
    world.send(&ann, room, "another secret").await;
    let shown = all(&world.services.notifying, &bob).await.notifications;
    let group = shown.iter().find(|one| one.conversation_id == Some(room)).expect("it is still in the list");
    assert_eq!((group.title.as_str(), group.message.as_str()), ("Group", "You are no longer in this group"));
    assert_eq!(group.data.as_deref(), Some(format!(r#"{{"conversationId":"{room}"}}"#).as_str()));
    assert!(shown.iter().any(|one| one.message == "between us"), "other conversations are shown as before");
    assert_eq!(seen(&world, &eve).await.0, ["ANN: another secret"], "who stays is shown what is said");
    world.services.conversing.add(&ann, room, vec![bob.id.clone()]).await.expect("added");
    let again = all(&world.services.notifying, &bob).await.notifications;
    assert!(again.iter().any(|one| one.title == "Team"), "who comes back is shown it again");
}

#[tokio::test(start_paused = true)]
async fn a_notification_says_what_the_message_says_now() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let room = world.group(&ann, &[&bob]).await;
    let sent = world.send(&ann, room, &"ä".repeat(300)).await;
    let told = world.told().await;
    assert_eq!(told, format!(r#"bob: chat_message "Team" "ANN: {}…", 1 unread"#, "ä".repeat(200)));
    world.services.messaging.edit(&ann, sent.message.id, "short").await.expect("an edit");
    assert_eq!(seen(&world, &bob).await.0, ["ANN: short"]);
    world.services.messaging.delete(&ann, sent.message.id).await.expect("a deletion");
    assert_eq!(seen(&world, &bob).await.0, ["ANN: This message was deleted"]);
    assert!(world.nobody_is_told().await);
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_the_conversation_is_not_told() {
    let mut world = World::new();
    let (ann, bob, cem) = (world.user("ann").await, world.user("bob").await, world.user("cem").await);
    let room = world.group(&ann, &[&bob, &cem]).await;
    world.rooms.enter(room, &bob);
    world.send(&ann, room, "hello").await;
    assert_eq!(world.told().await, r#"cem: chat_message "Team" "ANN: hello", 1 unread"#);
    assert!(world.nobody_is_told().await);
}

#[tokio::test(start_paused = true)]
async fn reading_a_conversation_reads_its_notification_and_the_next_message_makes_another() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let room = world.direct(&ann, &bob).await;
    world.send(&ann, room, "one").await;
    world.told().await;
    let reading = world.services.reading.clone();
    reading.mark(&bob.id, room, ReadTarget::All).await.expect("reading");
    assert_eq!(world.told().await, "bob: read, 0 unread");
    reading.mark(&bob.id, room, ReadTarget::All).await.expect("reading again");
    assert!(world.nobody_is_told().await, "one that is read twice is announced once");
    world.send(&ann, room, "two").await;
    assert_eq!(world.told().await, r#"bob: chat_message "ANN" "two", 1 unread"#);
    assert_eq!(seen(&world, &bob).await, (vec!["two".to_owned(), "one".to_owned()], 1));
    // An answer reads what came before it.
    world.send(&bob, room, "three").await;
    assert_eq!(world.told().await, "bob: read, 0 unread");
    assert_eq!(world.told().await, r#"ann: chat_message "BOB" "three", 1 unread"#);
}

#[tokio::test(start_paused = true)]
async fn reading_a_part_of_a_conversation_leaves_its_notification() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let room = world.direct(&ann, &bob).await;
    let first = world.send(&ann, room, "one").await;
    world.told().await;
    world.send(&ann, room, "two").await;
    world.services.reading.mark(&bob.id, room, ReadTarget::UpTo(first.message.id)).await.expect("reading");
    assert!(world.nobody_is_told().await);
    assert_eq!(seen(&world, &bob).await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn marking_and_removing_are_told_once_with_what_is_left() {
    let mut world = World::new();
    let bob = world.user("bob").await;
    let notifying = world.services.notifying.clone();
    for title in ["a", "b", "c", "d"] {
        assert_eq!(notifying.notify([bob.id.clone()], &notice("system", title)).await, Ok(1));
    }
    for count in 1..=4 {
        assert!(world.told().await.ends_with(&format!("{count} unread")));
    }
    let page = all(&notifying, &bob).await;
    let titles: Vec<&str> = page.notifications.iter().map(|shown| shown.title.as_str()).collect();
    assert_eq!((titles, page.unread), (vec!["d", "c", "b", "a"], 4));
    let [d, c, b, _] = &page.notifications[..] else { panic!("{page:?}") };

    let read = notifying.mark_read(&bob.id, d.id).await.expect("marking");
    assert_eq!(read, NotificationView { read: true, ..d.clone() });
    assert_eq!(world.told().await, "bob: read, 3 unread");
    assert_eq!(notifying.mark_read(&bob.id, d.id).await, Ok(read));
    assert_eq!(notifying.remove(&bob.id, d.id).await, Ok(()));
    assert!(world.nobody_is_told().await, "it was read before");
    assert_eq!(notifying.remove(&bob.id, c.id).await, Ok(()));
    assert_eq!(world.told().await, "bob: removed, 2 unread");
    assert_eq!(notifying.mark_all_read(&bob.id).await, Ok(2));
    assert_eq!(world.told().await, "bob: all read");
    assert_eq!(notifying.mark_all_read(&bob.id).await, Ok(0));
    assert!(world.nobody_is_told().await);
    let page = notifying.list(&bob.id, true, 1, 20).await.expect("a page");
    assert_eq!((page.notifications, page.total, page.unread), (vec![], 0, 0));

    let ann = world.user("ann").await;
    for gone in [d.id, c.id] {
        assert!(matches!(notifying.mark_read(&bob.id, gone).await, Err(Error::NotFound(_))));
        assert!(matches!(notifying.remove(&bob.id, gone).await, Err(Error::NotFound(_))));
    }
    assert!(matches!(notifying.mark_read(&ann.id, b.id).await, Err(Error::NotFound(_))), "somebody else's");
    assert!(matches!(notifying.remove(&ann.id, b.id).await, Err(Error::NotFound(_))), "somebody else's");
}

#[tokio::test(start_paused = true)]
async fn preferences_stop_what_is_not_wanted_and_keep_what_is_left_out() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let room = world.direct(&ann, &bob).await;
    let notifying = world.services.notifying.clone();
    let told_by_default = notifying.preferences(&bob.id).await.expect("preferences");
    assert!(told_by_default.chat && told_by_default.job_match && told_by_default.email && told_by_default.push);
    let no_chat = PreferencesChange { chat: Some(false), ..PreferencesChange::default() };
    let no_jobs = PreferencesChange { job_match: Some(false), ..PreferencesChange::default() };
    notifying.prefer(&bob.id, no_chat).await.expect("a change");
    let both = notifying.prefer(&bob.id, no_jobs).await.expect("a change");
    assert_eq!(notifying.preferences(&bob.id).await, Ok(both));
    assert!(!both.chat && !both.job_match && both.email && both.push);

    world.send(&ann, room, "unheard").await;
    let everybody = || [ann.id.clone(), bob.id.clone(), id("nobody")];
    assert_eq!(notifying.notify(everybody(), &notice("job_match", "A job")).await, Ok(1));
    assert_eq!(world.told().await, r#"ann: job_match "A job" "Look here", 1 unread"#);
    assert!(world.nobody_is_told().await);
    assert_eq!(notifying.notify(everybody(), &notice("system", "News")).await, Ok(2));
    assert_eq!(world.told().await, r#"ann: system "News" "Look here", 2 unread"#);
    assert_eq!(world.told().await, r#"bob: system "News" "Look here", 1 unread"#);

    notifying
        .prefer(&bob.id, PreferencesChange { chat: Some(true), ..PreferencesChange::default() })
        .await
        .expect("a change");
    world.send(&ann, room, "heard").await;
    assert_eq!(world.told().await, r#"bob: chat_message "ANN" "heard", 2 unread"#);
}

#[tokio::test]
async fn notices_are_bounded_and_links_lead_to_the_web() {
    let world = World::new();
    let bob = world.user("bob").await;
    let text = |count: usize| "x".repeat(count);
    let system = || notice("system", "t");
    let refused = [
        (Notice { kind: NotificationKind::chat_message(), ..system() }, "type"),
        (Notice { title: "  ".into(), ..system() }, "title"),
        (Notice { title: text(201), ..system() }, "title"),
        (Notice { title: "a\0b".into(), ..system() }, "title"),
        (Notice { message: "a\0b".into(), ..system() }, "message"),
        (Notice { message: text(2_001), ..system() }, "message"),
        (Notice { link: Some("javascript:alert(1)".into()), ..system() }, "link"),
        (Notice { link: Some(format!("/{}", text(2_048))), ..system() }, "link"),
        (Notice { link: Some("/a\nb".into()), ..system() }, "link"),
        (Notice { data: Some(text(8_193)), ..system() }, "data"),
    ];
    for (notice, field) in refused {
        let outcome = world.services.notifying.notify([bob.id.clone()], &notice).await;
        assert!(matches!(&outcome, Err(Error::Validation { field: named, .. }) if *named == field), "{outcome:?}");
    }
    for link in ["/jobs/7", "https://example.com/a?b", "http://localhost:3000/"] {
        let linked = Notice { link: Some(link.into()), title: text(200), message: text(2_000), ..system() };
        assert_eq!(world.services.notifying.notify([bob.id.clone()], &linked).await, Ok(1));
    }
    assert_eq!(world.services.notifying.unread(&bob.id).await, Ok(3));
}

#[tokio::test]
async fn pages_are_counted_from_one() {
    let world = World::new();
    let bob = world.user("bob").await;
    let notifying = &world.services.notifying;
    for n in 0..5 {
        notifying.notify([bob.id.clone()], &notice("system", &n.to_string())).await.expect("a notice");
    }
    let titles =
        |page: NotificationsPage| -> Vec<String> { page.notifications.into_iter().map(|shown| shown.title).collect() };
    assert_eq!(titles(notifying.list(&bob.id, false, 1, 2).await.expect("a page")), ["4", "3"]);
    assert_eq!(titles(notifying.list(&bob.id, false, 3, 2).await.expect("a page")), ["0"]);
    assert_eq!(titles(notifying.list(&bob.id, false, 4, 2).await.expect("a page")), [""; 0]);
    for page in [0, 100_001] {
        assert!(matches!(notifying.list(&bob.id, false, page, 2).await, Err(Error::Validation { .. })));
    }
}

/// Two clients that only listen: one shows the count that it is told, the other counts what it is told of.
#[derive(Default)]
struct Badges {
    count: u64,
    unread: HashMap<parlance_domain::model::NotificationId, bool>,
}

impl Badges {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::NotificationNew { notification, unread, .. } => {
                self.unread.insert(notification.id, true);
                self.count = *unread;
            }
            Event::NotificationRead { id, unread, .. } | Event::NotificationRemoved { id, unread, .. } => {
                self.unread.insert(*id, false);
                self.count = *unread;
            }
            Event::NotificationsReadAll { .. } => {
                self.unread.values_mut().for_each(|unread| *unread = false);
                self.count = 0;
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_at_once_badges_end_at_the_truth() {
    for round in 0..20 {
        let mut world = World::new();
        let bob = Arc::new(world.user("bob").await);
        let mut devices = tokio::task::JoinSet::new();
        for device in 0..8 {
            let (notifying, bob) = (world.services.notifying.clone(), bob.clone());
            devices.spawn(async move {
                for step in 0..20 {
                    match (device + step * 7) % 10 {
                        0 if step > 15 => _ = notifying.mark_all_read(&bob.id).await.expect("marking all"),
                        1..=5 => _ = notifying.notify([bob.id.clone()], &notice("system", "n")).await.expect("telling"),
                        what => {
                            let page = notifying.list(&bob.id, true, 1, 3).await.expect("a page");
                            let Some(shown) = page.notifications.last() else { continue };
                            // Another device may have been faster.
                            if what % 2 == 0 {
                                let _ = notifying.mark_read(&bob.id, shown.id).await;
                            } else {
                                let _ = notifying.remove(&bob.id, shown.id).await;
                            }
                        }
                    }
                }
            });
        }
        devices.join_all().await;
        let mut badges = Badges::default();
        while let Ok(event) = world.events.try_recv() {
            badges.hear(&event);
        }
        let truth = world.services.notifying.unread(&bob.id).await.expect("a count");
        let counted = badges.unread.values().filter(|unread| **unread).count() as u64;
        assert_eq!((badges.count, counted), (truth, truth), "round {round}");
    }
}
