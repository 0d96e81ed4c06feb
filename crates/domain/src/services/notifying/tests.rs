//! What notifying asks of its storage, and what it does when the storage fails. What it comes to for people is in
//! `tests/services/notifying`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::cluster::Lookers;
use super::super::directory::Directory;
use super::super::emails::Emails;
use super::super::notification_views::NotificationViews;
use super::super::publisher::Publisher;
use super::super::revoking::Revoking;
use super::super::rosters::Rosters;
use super::super::settings::Provisioning;
use super::*;
use crate::event::Event;
use crate::model::{ConversationKind, Notification, NotificationBody, ObjectId, Roster, Timestamp};
use crate::ports::{
    BusClosed, ChatNote, Counted, EmptyRooms, EventBus, MockConversations, MockEventBus, MockMessages,
    MockNotifications, MockUsers, Noted, StorageError,
};

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl IdSource for Counting {
    fn next_id(&self) -> ObjectId {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

const ROOM: ConversationId = ConversationId::from_bytes([9; 12]);

fn user(n: usize) -> UserId {
    format!("u{n}").parse().expect("a valid id")
}

/// Notifying on these notifications, in a group of `people`, on a bus that hears `told` events.
fn notifying(notifications: MockNotifications, people: usize, told: usize) -> (Notifying, Notifier) {
    let mut bus = MockEventBus::new();
    bus.expect_publish().times(told).returning(|_| Ok(()));
    on_bus(notifications, people, Arc::new(bus))
}

fn on_bus(notifications: MockNotifications, people: usize, bus: Arc<dyn EventBus>) -> (Notifying, Notifier) {
    let mut conversations = MockConversations::new();
    conversations
        .expect_find_roster()
        .returning(move |_| Ok(Some(Roster::new(ConversationKind::Group, (0..people).map(user)))));
    conversations.expect_list_conversations().returning(|_| Ok(vec![]));
    let mut messages = MockMessages::new();
    messages.expect_list_messages().returning(|_| Ok(vec![]));
    let conversations = Arc::new(conversations);
    let users = Arc::new(MockUsers::new());
    let revoking = Revoking::new(users.clone());
    let emails = Emails::new(None, Arc::new(Midnight), false);
    let directory = Directory::new(users, revoking, emails, Arc::new(Midnight), Provisioning::FromToken);
    let rosters = Rosters::new(conversations.clone(), true);
    Notifying::new(Needs {
        notifications: Arc::new(notifications),
        views: NotificationViews::new(conversations, Arc::new(messages), directory, rosters.clone()),
        publisher: Publisher::new(bus),
        clock: Arc::new(Midnight),
        ids: Arc::new(Counting::default()),
        rosters,
        lookers: Lookers::new(Arc::new(EmptyRooms), None),
        reaching: Reaching::off(),
    })
}

fn notice() -> Notice {
    let kind = NotificationKind::new("system").expect("a valid type");
    Notice { kind, title: "Hello".into(), message: String::new(), link: None, data: None }
}

fn blank() -> NewNotification {
    NewNotification {
        id: NotificationId::from_bytes([1; 12]),
        user_id: user(0),
        kind: notice().kind,
        title: "Hello".into(),
        message: String::new(),
        link: None,
        data: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn stored(new: NewNotification) -> Counted<Notification> {
    let NewNotification { id, user_id, kind, title, message, link, data, created_at } = new;
    let body = NotificationBody::Text { title, message, link, data };
    Counted { value: Notification { id, user_id, kind, body, read: false, created_at }, unread: 1 }
}

fn noted(note: &ChatNote) -> Noted {
    let made = note.users.iter().map(|(user_id, id)| Counted {
        value: Notification {
            id: *id,
            user_id: user_id.clone(),
            kind: NotificationKind::chat_message(),
            body: NotificationBody::Chat { conversation_id: ROOM, message_id: note.message_id },
            read: false,
            created_at: note.created_at,
        },
        unread: 1,
    });
    Noted { made: made.collect(), standing: vec![] }
}

fn away() -> StorageError {
    StorageError::Unavailable { source: Box::new(io::Error::other("away")) }
}

fn message(n: u8) -> MessageId {
    MessageId::from_bytes([n; 12])
}

#[tokio::test]
async fn ten_thousand_people_are_told_a_bounded_number_at_a_time() {
    let taken = Arc::new(AtomicU64::new(0));
    let mut notifications = MockNotifications::new();
    let (seen, mut before) = (taken.clone(), 0);
    notifications.expect_insert_notifications().times(20).returning(move |new| {
        assert_eq!(new.len(), CHUNK);
        before += new.len() as u64;
        assert_eq!(seen.load(Ordering::Relaxed), before, "nobody is taken before their turn");
        Ok(new.into_iter().map(stored).collect())
    });
    let (notifying, notifier) = notifying(notifications, 0, 10_000);
    tokio::spawn(notifier.run());
    let users = (0..10_000).map(|n| {
        taken.fetch_add(1, Ordering::Relaxed);
        user(n)
    });
    assert_eq!(notifying.notify(users, &notice()).await, Ok(10_000));
}

#[tokio::test]
async fn of_many_people_those_before_a_failure_have_been_told() {
    let mut notifications = MockNotifications::new();
    let mut left = 2;
    notifications.expect_insert_notifications().times(3).returning(move |new| {
        if left == 0 {
            return Err(away());
        }
        left -= 1;
        Ok(new.into_iter().map(stored).collect())
    });
    let (notifying, notifier) = notifying(notifications, 0, 1_000);
    tokio::spawn(notifier.run());
    let told = notifying.notify((0..10_000).map(user), &notice()).await;
    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_stored_is_told_to_the_caller_and_to_nobody_else() {
    let mut notifications = MockNotifications::new();
    notifications.expect_mark_notification_read().returning(|_, _| Err(away()));
    notifications.expect_mark_all_notifications_read().returning(|_| Err(away()));
    notifications.expect_remove_notification().returning(|_, _| Err(away()));
    notifications.expect_list_notifications().returning(|_, _, _, _| Err(away()));
    let (notifying, notifier) = notifying(notifications, 0, 0);
    tokio::spawn(notifier.run());
    let (ann, id) = (user(0), NotificationId::from_bytes([1; 12]));
    assert!(matches!(notifying.mark_read(&ann, id).await, Err(Error::Unavailable(_))));
    assert!(matches!(notifying.mark_all_read(&ann).await, Err(Error::Unavailable(_))));
    assert!(matches!(notifying.remove(&ann, id).await, Err(Error::Unavailable(_))));
    assert!(matches!(notifying.list(&ann, false, 1, 20).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_failure_does_not_stop_the_notifier() {
    let mut notifications = MockNotifications::new();
    let mut first = true;
    notifications
        .expect_note_message()
        .times(2)
        .returning(move |note| if std::mem::take(&mut first) { Err(away()) } else { Ok(noted(&note)) });
    notifications.expect_mark_conversation_notification_read().times(1).returning(|_, _| Err(away()));
    let (notifying, notifier) = notifying(notifications, 3, 2);
    notifying.message_stored(ROOM, message(1), user(0)).await;
    notifying.conversation_read(ROOM, user(1)).await;
    notifying.message_stored(ROOM, message(2), user(0)).await;
    notifying.close();
    notifier.run().await;
}

#[tokio::test]
async fn a_large_group_is_noted_a_bounded_number_at_a_time() {
    let mut notifications = MockNotifications::new();
    notifications.expect_note_message().times(3).returning(|note| {
        assert!(note.users.len() <= CHUNK);
        Ok(noted(&note))
    });
    let (notifying, notifier) = notifying(notifications, 1_201, 1_200);
    notifying.message_stored(ROOM, message(1), user(0)).await;
    notifying.close();
    notifier.run().await;
}

#[tokio::test]
async fn who_is_known_to_have_been_told_is_not_asked_about_again_until_they_read() {
    let mut notifications = MockNotifications::new();
    let mut asked = vec![vec![user(1)], vec![user(1), user(2)]];
    notifications.expect_note_message().times(2).returning(move |note| {
        let users: Vec<UserId> = note.users.iter().map(|(user, _)| user.clone()).collect();
        assert_eq!(Some(users), asked.pop());
        Ok(noted(&note))
    });
    notifications
        .expect_mark_conversation_notification_read()
        .times(1)
        .returning(|_, _| Ok(Some(Counted { value: NotificationId::from_bytes([1; 12]), unread: 0 })));
    let (notifying, notifier) = notifying(notifications, 3, 4);
    for n in 1..=10 {
        notifying.message_stored(ROOM, message(n), user(0)).await;
        if n == 5 {
            // Not for the rest, which is one after the other without reading between.
            notifying.conversation_read(ROOM, user(1)).await;
        }
    }
    notifying.close();
    notifier.run().await;
}

#[tokio::test]
async fn who_is_known_to_have_nothing_unread_is_not_asked_about_until_they_are_told() {
    let mut notifications = MockNotifications::new();
    let mut read = vec![Some(Counted { value: NotificationId::from_bytes([1; 12]), unread: 0 }), None];
    notifications
        .expect_mark_conversation_notification_read()
        .times(2)
        .returning(move |_, _| Ok(read.pop().expect("not more than two")));
    notifications.expect_note_message().times(1).returning(|note| Ok(noted(&note)));
    let (notifying, mut notifier) = notifying(notifications, 2, 2);
    for n in 1..=6 {
        // Each by itself: of several at once it is found out together.
        notifying.conversation_read(ROOM, user(1)).await;
        notifier.step().await;
        if n == 3 {
            notifying.message_stored(ROOM, message(n), user(0)).await;
            notifier.step().await;
        }
    }
}

/// A bus on which the first event takes a while.
#[derive(Default)]
struct Hesitant {
    heard: parking_lot::Mutex<Vec<u64>>,
    begun: AtomicU64,
}

#[async_trait::async_trait]
impl EventBus for Hesitant {
    async fn publish(&self, event: Arc<Event>) -> std::result::Result<(), BusClosed> {
        if self.begun.fetch_add(1, Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if let Event::NotificationRead { unread, .. } = *event {
            self.heard.lock().push(unread);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_in_the_order_in_which_they_were_stored() {
    let mut notifications = MockNotifications::new();
    let mut unread = 2;
    notifications.expect_mark_notification_read().times(2).returning(move |user_id, id| {
        unread -= 1;
        let new = Notification { user_id: user_id.clone(), id, ..stored(blank()).value };
        Ok(Some(Counted { value: (new, true), unread }))
    });
    let bus = Arc::new(Hesitant::default());
    let (notifying, notifier) = on_bus(notifications, 0, bus.clone());
    tokio::spawn(notifier.run());
    let (ann, id) = (user(0), |n| NotificationId::from_bytes([n; 12]));
    let (one, other) = tokio::join!(notifying.mark_read(&ann, id(1)), notifying.mark_read(&ann, id(2)));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(*bus.heard.lock(), [1, 0]);
}
