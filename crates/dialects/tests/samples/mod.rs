//! One of everything that can happen and everything that a command can come to, for the tests that look at how a
//! dialect words it. Ids, texts and people are those of the guides' examples.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a sample that cannot be made fails the test")]

use std::collections::HashMap;
use std::sync::Arc;

use parlance_dialects::Reply;
use parlance_domain::event::{CallAudience, CallEvent, CallStep, Event, PresenceAudience, ProductAudience};
use parlance_domain::model::{
    CallId, CallMedia, ClientMessageId, Conversation, ConversationId, ConversationKind, ConversationView, Emoji,
    MediaLink, MediaType, Message, MessageId, MessageKind, MessageStatus, MessageView, NotificationId,
    NotificationKind, NotificationView, ProductEvent, Reaction, ReplyView, Role, SessionId, Timestamp, Title, User,
    UserId,
};

/// 2026-11-21T01:02:03.004Z
const NOON: i64 = 1_795_222_923_004;

pub(crate) fn conversation_id() -> ConversationId {
    "64f456def789abc123456789".parse().unwrap()
}

pub(crate) fn message_id(last: u8) -> MessageId {
    format!("507f1f77bcf86cd7994390{last:02}").parse().unwrap()
}

pub(crate) fn alice() -> User {
    User {
        id: "64f123abc456def789012345".parse().unwrap(),
        name: "Alice \"Al\" Ünal".into(),
        picture: Some("https://cdn.example.com/alice.jpg".into()),
    }
}

pub(crate) fn bob() -> User {
    User { id: "bob".parse().unwrap(), name: "Bob".into(), picture: None }
}

fn time(plus: i64) -> Timestamp {
    Timestamp::from_millis(NOON + plus)
}

fn plain() -> MessageView {
    MessageView {
        message: Message {
            id: message_id(11),
            conversation_id: conversation_id(),
            seq: 7,
            rev: 9,
            sender_id: alice().id,
            kind: MessageKind::Text,
            text: Some("Hello, how are you?".into()),
            media: vec![],
            reply_to: None,
            client_message_id: None,
            reactions: vec![],
            created_at: time(0),
            edited_at: None,
            deleted_at: None,
            updated_at: time(0),
        },
        sender: alice(),
        reply_to: None,
        status: MessageStatus::Sent,
    }
}

/// A message with a value in every field that may have one.
pub(crate) fn full() -> MessageView {
    let mut view = plain();
    view.message.text = Some("Check this out!\n<b>&</b>".into());
    view.message.kind = MessageKind::Media(MediaType::Image);
    view.message.media = vec![
        MediaLink {
            url: "https://res.cloudinary.com/x/image.jpg".into(),
            media_type: MediaType::Image,
            filename: Some("photo.jpg".into()),
            size: Some(245_678),
            thumbnail_url: Some("/media/1/thumb.webp".into()),
        },
        MediaLink {
            url: "/media/2/a.pdf".into(),
            media_type: MediaType::File,
            filename: None,
            size: None,
            thumbnail_url: None,
        },
    ];
    view.message.reply_to = Some(message_id(12));
    view.reply_to = Some(ReplyView { id: message_id(12), text: Some("That sounds great!".into()), sender: bob() });
    view.message.client_message_id = Some(ClientMessageId::new("c-1").unwrap());
    view.message.reactions = reactions();
    view.message.edited_at = Some(time(1_996));
    view.message.updated_at = time(1_996);
    view.status = MessageStatus::Read;
    view
}

fn tombstone() -> MessageView {
    let mut view = plain();
    view.message.text = None;
    view.message.deleted_at = Some(time(60_000));
    view.message.updated_at = time(60_000);
    view.reply_to = Some(ReplyView { id: message_id(12), text: None, sender: bob() });
    view.status = MessageStatus::Delivered;
    view
}

fn system() -> MessageView {
    let mut view = plain();
    view.message.kind = MessageKind::System;
    view.message.text = Some("Alice added Bob".into());
    view
}

pub(crate) fn reactions() -> Vec<Reaction> {
    vec![Reaction { emoji: Emoji::new("👍🏽").unwrap(), users: vec![alice().id, bob().id] }]
}

pub(crate) fn group() -> ConversationView {
    ConversationView {
        conversation: Conversation {
            id: conversation_id(),
            kind: ConversationKind::Group,
            title: Some(Title::new("Team").unwrap()),
            image: Some("/media/3/team.png".into()),
            last_seq: 7,
            rev: 9,
            created_at: time(-1_000),
            updated_at: time(0),
            active_at: time(1_000),
        },
        participants: vec![(alice(), Role::Owner), (bob(), Role::Admin), (User::nameless(carol()), Role::Member)],
        last_message: Some(plain()),
        unread: 0,
    }
}

fn direct() -> ConversationView {
    let mut view = group();
    view.conversation.kind = ConversationKind::Direct;
    view.conversation.title = None;
    view.conversation.image = None;
    view.participants = vec![(alice(), Role::Member), (bob(), Role::Member)];
    view.last_message = None;
    view
}

fn notification_id() -> NotificationId {
    "507f191e810c19729de860ea".parse().unwrap()
}

/// A notification of a message.
pub(crate) fn noted() -> NotificationView {
    NotificationView {
        id: notification_id(),
        kind: NotificationKind::chat_message(),
        title: "Alice \"Al\" Ünal".into(),
        message: "Hello, how are you?".into(),
        link: None,
        conversation_id: Some(conversation_id()),
        data: Some(format!(r#"{{"conversationId":"{}","messageId":"{}"}}"#, conversation_id(), message_id(11))),
        read: false,
        created_at: time(0),
    }
}

/// A notification of a product's own.
pub(crate) fn notice() -> NotificationView {
    NotificationView {
        kind: NotificationKind::new("job_match").unwrap(),
        title: "A job for you".into(),
        message: String::new(),
        link: Some("/jobs/7".into()),
        conversation_id: None,
        data: Some(r#"{"score":0.75,"tags":["rust",null]}"#.into()),
        read: true,
        ..noted()
    }
}

fn call(what: CallEvent) -> Event {
    let to = match what {
        CallEvent::Signal { .. } => CallAudience::Socket(SessionId(1)),
        _ => CallAudience::Users(everybody()),
    };
    Event::Call { call_id: CallId::new("call-1").unwrap(), what, to }
}

fn calls() -> Vec<Event> {
    let invited = |media, data: Option<&str>| {
        let data = data.map(str::to_owned);
        call(CallEvent::Invited { conversation_id: conversation_id(), media, data, from: alice().id })
    };
    let step = |reason: Option<&str>| CallStep {
        conversation_id: conversation_id(),
        user_id: bob().id,
        reason: reason.map(str::to_owned),
    };
    let sdp = r#"{"type":"offer","sdp":"v=0\r\no=- 46117 2 IN IP4 127.0.0.1"}"#;
    vec![
        invited(CallMedia::Video, Some(r#"{"quality":[1,"hd",null]}"#)),
        invited(CallMedia::Audio, None),
        invited(CallMedia::Screen, None),
        call(CallEvent::Accepted(step(None))),
        call(CallEvent::Rejected(step(Some("busy")))),
        call(CallEvent::HungUp(step(Some("timeout")))),
        call(CallEvent::Signal { from: bob().id, data: sdp.into() }),
    ]
}

fn notifications() -> Vec<Event> {
    let user_id = bob().id;
    let new = |view| Event::NotificationNew { user_id: bob().id, notification: Box::new(view), unread: 4 };
    vec![
        new(noted()),
        new(notice()),
        Event::NotificationRead { user_id: user_id.clone(), id: notification_id(), unread: 3 },
        Event::NotificationsReadAll { user_id: user_id.clone() },
        Event::NotificationRemoved { user_id, id: notification_id(), unread: 2 },
    ]
}

fn uploads() -> Vec<Event> {
    let progress =
        |total| Event::UploadProgress { user_id: alice().id, upload_id: "u-1".into(), loaded: 65_536, total };
    vec![progress(Some(245_678)), progress(None)]
}

fn from_the_backend() -> Vec<Event> {
    let ended = |reason: Option<&str>| Event::SessionsEnded {
        user_id: bob().id,
        reason: reason.map(str::to_owned),
        issued_before: None,
    };
    vec![
        Event::Product {
            event: ProductEvent::new("order:update", Some(r#"{"orderId":7,"status":"shipped"}"#.to_owned())).unwrap(),
            to: ProductAudience::User(bob().id),
        },
        ended(Some("account closed")),
        ended(None),
    ]
}

fn carol() -> UserId {
    "carol".parse().unwrap()
}

fn everybody() -> Arc<[UserId]> {
    Arc::new([alice().id, bob().id, carol()])
}

/// Everything that can happen.
pub(crate) fn events() -> Vec<Event> {
    let new = |view| Event::MessageNew { message: Box::new(view), participants: everybody(), origin: None };
    let reaction = |added, reactions| Event::ReactionChanged {
        rev: 7,
        conversation_id: conversation_id(),
        message_id: message_id(11),
        emoji: Emoji::new("👍🏽").unwrap(),
        user_id: bob().id,
        added,
        reactions,
    };
    let photo = |image| Event::GroupPhotoChanged { conversation_id: conversation_id(), image, by: alice().id };
    let contacts = || PresenceAudience::Contacts(everybody());
    let beside = [notifications(), calls(), uploads(), from_the_backend()].concat();
    let messages = vec![
        new(plain()),
        new(full()),
        new(system()),
        Event::MessageEdited { message: Box::new(full()) },
        Event::MessageDeleted { message: Box::new(tombstone()) },
        reaction(true, reactions()),
        reaction(false, vec![]),
        Event::MessagesRead {
            conversation_id: conversation_id(),
            reader: bob().id,
            message_ids: vec![message_id(12), message_id(13)],
            senders: vec![alice().id],
            participants: everybody(),
        },
        Event::MessagesDelivered {
            conversation_id: conversation_id(),
            sender: alice().id,
            message_ids: vec![message_id(12), message_id(13)],
        },
        Event::TypingStarted { conversation_id: conversation_id(), user: alice() },
        Event::TypingStopped { conversation_id: conversation_id(), user: bob() },
        Event::UserOnline { user_id: alice().id, audience: contacts() },
        Event::UserOffline { user_id: alice().id, audience: PresenceAudience::Everyone },
        Event::ConversationNew { conversation: Box::new(direct()), users: everybody() },
        Event::ConversationUpdated { conversation: Box::new(group()), unread: HashMap::from([(bob().id, UNREAD)]) },
        photo(Some("/media/3/team.png".into())),
        photo(None),
        Event::ParticipantRemoved { conversation_id: conversation_id(), user_id: bob().id },
    ];
    [messages, beside].concat()
}

/// What `ConversationUpdated` is encoded with.
pub(crate) const UNREAD: u64 = 3;

macro_rules! kinds {
    ($($pattern:pat => $name:literal,)*) => {
        /// The name of an event's kind. A new kind does not compile until it is named here, and then wants a sample.
        pub(crate) fn kind(event: &Event) -> &'static str {
            match event {
                $($pattern => $name,)*
            }
        }

        const KINDS: &[&str] = &[$($name),*];
    };
}

kinds! {
    Event::MessageNew { .. } => "MessageNew",
    Event::MessageEdited { .. } => "MessageEdited",
    Event::MessageDeleted { .. } => "MessageDeleted",
    Event::ReactionChanged { .. } => "ReactionChanged",
    Event::MessagesRead { .. } => "MessagesRead",
    Event::MessagesDelivered { .. } => "MessagesDelivered",
    Event::TypingStarted { .. } => "TypingStarted",
    Event::TypingStopped { .. } => "TypingStopped",
    Event::UserOnline { .. } => "UserOnline",
    Event::UserOffline { .. } => "UserOffline",
    Event::ConversationNew { .. } => "ConversationNew",
    Event::ConversationUpdated { .. } => "ConversationUpdated",
    Event::GroupPhotoChanged { image: Some(_), .. } => "GroupPhotoChanged",
    Event::GroupPhotoChanged { image: None, .. } => "GroupPhotoRemoved",
    Event::ParticipantRemoved { .. } => "ParticipantRemoved",
    Event::NotificationNew { .. } => "NotificationNew",
    Event::NotificationRead { .. } => "NotificationRead",
    Event::NotificationsReadAll { .. } => "NotificationsReadAll",
    Event::NotificationRemoved { .. } => "NotificationRemoved",
    Event::UploadProgress { .. } => "UploadProgress",
    Event::Product { .. } => "Product",
    Event::SessionsEnded { .. } => "SessionsEnded",
    Event::Call { what: CallEvent::Invited { data: Some(_), .. }, .. } => "CallInvited",
    Event::Call { what: CallEvent::Invited { data: None, .. }, .. } => "CallInvitedWithoutData",
    Event::Call { what: CallEvent::Accepted(_), .. } => "CallAccepted",
    Event::Call { what: CallEvent::Rejected(_), .. } => "CallRejected",
    Event::Call { what: CallEvent::HungUp(_), .. } => "CallHungUp",
    Event::Call { what: CallEvent::Signal { .. }, .. } => "CallSignal",
}

#[test]
fn every_kind_of_event_has_a_sample() {
    let sampled: Vec<_> = events().iter().map(kind).collect();
    for kind in KINDS {
        assert!(sampled.contains(kind), "no sample of {kind}");
    }
}

/// What the command of a client's event comes to when all goes well.
pub(crate) fn reply(event: &str) -> Reply {
    match event {
        "conversation:join" | "join:conversation" | "joinConversation" | "conversation:leave"
        | "leave:conversation" | "leaveConversation" => Reply::Room(conversation_id()),
        "message:send" | "send:message" | "sendMessage" => Reply::Sent(Box::new(full())),
        "conversation:get_online_users" | "conversation:get-online-users" => Reply::OnlineUsers(vec![alice(), bob()]),
        "messages:mark_read" | "message:read" => Reply::Read { unread: 2 },
        "message:edit" | "message:react" | "message:unreact" => Reply::Message(Box::new(full())),
        "message:delete" => Reply::Message(Box::new(tombstone())),
        "user:get-status" => Reply::Statuses(vec![(bob().id, true)]),
        "users:get-status" => Reply::Statuses(vec![(bob().id, true), (alice().id, false)]),
        "sync" => Reply::Synced {
            conversations: vec![(conversation_id(), 9, true, vec![full(), tombstone()])],
            unknown: vec!["507f1f77bcf86cd799439011".parse().unwrap()],
        },
        "typing:start"
        | "typing:stop"
        | "typing"
        | "stopTyping"
        | "auth:refresh"
        | "notification:read"
        | "notifications:read-all"
        | "call:invite"
        | "call:accept"
        | "call:reject"
        | "call:hangup"
        | "call:signal" => Reply::Done,
        other => panic!("no sample of a reply to {other}"),
    }
}
