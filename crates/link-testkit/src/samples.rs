//! One event of each kind at least, with everything that it can carry, and with as little as it may.

use std::collections::HashMap;
use std::sync::Arc;

use parlance_domain::event::{CallAudience, CallEvent, CallStep, Event, PresenceAudience, ProductAudience};
use parlance_domain::model::{
    CallId, CallMedia, ClientMessageId, Conversation, ConversationId, ConversationKind, ConversationView, Emoji,
    MediaLink, MediaType, Message, MessageId, MessageKind, MessageStatus, MessageView, NotificationId,
    NotificationKind, NotificationView, ProductEvent, Reaction, ReplyView, Role, SessionId, Timestamp, Title, User,
    UserId,
};

const ROOM: ConversationId = ConversationId::from_bytes([0xab; 12]);
const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn user_id(name: &str) -> UserId {
    name.parse().expect("a valid id")
}

fn user(name: &str) -> User {
    User { id: user_id(name), name: format!("{name} Ünal"), picture: Some("https://x.example/p.png".to_owned()) }
}

fn people() -> Arc<[UserId]> {
    [user_id("ann"), user_id("bob")].into()
}

fn full() -> MessageView {
    let media = |url: &str, media_type| MediaLink {
        url: url.to_owned(),
        media_type,
        filename: Some("a b.png".to_owned()),
        size: Some(u64::MAX),
        thumbnail_url: Some("/media/t.webp".to_owned()),
    };
    let bare = MediaLink {
        url: "/media/x".to_owned(),
        media_type: MediaType::Video,
        filename: None,
        size: None,
        thumbnail_url: None,
    };
    let message = Message {
        id: MessageId::from_bytes([2; 12]),
        conversation_id: ROOM,
        seq: 12,
        rev: 1 << 40,
        sender_id: user_id("ann"),
        kind: MessageKind::Media(MediaType::Image),
        text: Some("hello \u{0} 🎉".to_owned()),
        media: vec![media("/media/1", MediaType::Image), media("/media/2", MediaType::File), bare],
        reply_to: Some(MessageId::from_bytes([3; 12])),
        client_message_id: ClientMessageId::new("mark").ok(),
        reactions: vec![Reaction { emoji: Emoji::from_stored("👍".to_owned()), users: people().to_vec() }],
        created_at: AT,
        edited_at: Some(AT),
        deleted_at: None,
        updated_at: Timestamp::from_millis(-1),
    };
    let reply_to = ReplyView { id: MessageId::from_bytes([3; 12]), text: Some("x".to_owned()), sender: user("bob") };
    MessageView { message, sender: user("ann"), reply_to: Some(reply_to), status: MessageStatus::Delivered }
}

fn tombstone() -> MessageView {
    let mut view = full();
    view.message.kind = MessageKind::System;
    view.message.text = None;
    view.message.media.clear();
    view.message.reply_to = None;
    view.message.client_message_id = None;
    view.message.reactions.clear();
    view.message.edited_at = None;
    view.message.deleted_at = Some(AT);
    MessageView { sender: User::nameless(user_id("ann")), reply_to: None, status: MessageStatus::Read, ..view }
}

fn group() -> ConversationView {
    let conversation = Conversation {
        id: ROOM,
        kind: ConversationKind::Group,
        title: Title::new("Team").ok(),
        image: Some("/media/photo".to_owned()),
        last_seq: 12,
        rev: 14,
        created_at: AT,
        updated_at: AT,
        active_at: AT,
    };
    let participants = vec![(user("ann"), Role::Owner), (user("bob"), Role::Admin), (user("cem"), Role::Member)];
    ConversationView { conversation, participants, last_message: Some(full()), unread: 7 }
}

fn direct() -> ConversationView {
    let mut view = group();
    view.conversation.kind = ConversationKind::Direct;
    view.conversation.title = None;
    view.conversation.image = None;
    ConversationView { participants: Vec::new(), last_message: None, ..view }
}

fn note() -> NotificationView {
    NotificationView {
        id: NotificationId::from_bytes([5; 12]),
        kind: NotificationKind::chat_message(),
        title: "Ann".to_owned(),
        message: "hello".to_owned(),
        link: Some("/x".to_owned()),
        conversation_id: Some(ROOM),
        data: Some("{}".to_owned()),
        read: false,
        created_at: AT,
    }
}

fn call(what: CallEvent, to: CallAudience) -> Event {
    Event::Call { call_id: CallId::from_stored("c-1".to_owned()), what, to }
}

/// Events of every kind.
pub fn every_event() -> Vec<Event> {
    let text = || MessageView {
        message: Message { kind: MessageKind::Text, ..full().message },
        status: MessageStatus::Sent,
        ..full()
    };
    let step = |reason: Option<&str>| CallStep {
        conversation_id: ROOM,
        user_id: user_id("bob"),
        reason: reason.map(str::to_owned),
    };
    let everybody = || CallAudience::Users(people());
    let product = |data: Option<&str>| ProductEvent::new("order:update", data.map(str::to_owned)).expect("valid");
    let (user_id_, id) = (user_id("bob"), NotificationId::from_bytes([5; 12]));
    let plain = NotificationView { link: None, conversation_id: None, data: None, read: true, ..note() };
    vec![
        Event::MessageNew { message: Box::new(full()), participants: people(), origin: Some(SessionId(4)) },
        Event::MessageNew { message: Box::new(text()), participants: Arc::new([]), origin: None },
        Event::MessageEdited { message: Box::new(full()) },
        Event::MessageDeleted { message: Box::new(tombstone()) },
        Event::ReactionChanged {
            conversation_id: ROOM,
            message_id: MessageId::from_bytes([2; 12]),
            rev: 15,
            emoji: Emoji::from_stored("👍".to_owned()),
            user_id: user_id("bob"),
            added: true,
            reactions: full().message.reactions,
        },
        Event::MessagesRead {
            conversation_id: ROOM,
            reader: user_id("bob"),
            message_ids: vec![MessageId::from_bytes([2; 12])],
            senders: vec![user_id("ann")],
            participants: people(),
        },
        Event::MessagesDelivered {
            conversation_id: ROOM,
            sender: user_id("ann"),
            message_ids: vec![MessageId::from_bytes([2; 12]), MessageId::from_bytes([3; 12])],
        },
        Event::TypingStarted { conversation_id: ROOM, user: user("ann") },
        Event::TypingStopped { conversation_id: ROOM, user: user("ann") },
        Event::UserOnline { user_id: user_id("ann"), audience: PresenceAudience::Contacts(people()) },
        Event::UserOffline { user_id: user_id("ann"), audience: PresenceAudience::Everyone },
        Event::ConversationNew { conversation: Box::new(group()), users: people() },
        Event::ConversationNew { conversation: Box::new(direct()), users: people() },
        Event::ConversationUpdated {
            conversation: Box::new(group()),
            unread: HashMap::from([(user_id("ann"), 0), (user_id("bob"), 3)]),
        },
        Event::GroupPhotoChanged { conversation_id: ROOM, image: None, by: user_id("ann") },
        Event::ParticipantRemoved { conversation_id: ROOM, user_id: user_id("bob") },
        Event::NotificationNew { user_id: user_id_.clone(), notification: Box::new(note()), unread: 4 },
        Event::NotificationNew { user_id: user_id_.clone(), notification: Box::new(plain), unread: 0 },
        Event::NotificationRead { user_id: user_id_.clone(), id, unread: 3 },
        Event::NotificationsReadAll { user_id: user_id_.clone() },
        Event::NotificationRemoved { user_id: user_id_.clone(), id, unread: 2 },
        Event::UploadProgress { user_id: user_id_.clone(), upload_id: "u".to_owned(), loaded: 5, total: Some(10) },
        Event::Product { event: product(Some("{\"a\":1}")), to: ProductAudience::User(user_id_.clone()) },
        Event::Product { event: product(None), to: ProductAudience::Room(ROOM) },
        Event::Product { event: product(None), to: ProductAudience::Everyone },
        Event::SessionsEnded { user_id: user_id_.clone(), reason: Some("over".to_owned()), issued_before: None },
        Event::SessionsEnded { user_id: user_id_, reason: None, issued_before: Some(AT) },
        call(
            CallEvent::Invited {
                conversation_id: ROOM,
                media: CallMedia::Video,
                data: Some("{}".to_owned()),
                from: user_id("ann"),
            },
            everybody(),
        ),
        call(CallEvent::Accepted(step(None)), everybody()),
        call(CallEvent::Rejected(step(Some("busy"))), everybody()),
        call(CallEvent::HungUp(step(Some("timeout"))), everybody()),
        call(
            CallEvent::Signal { from: user_id("ann"), data: "1".to_owned() },
            CallAudience::Socket(SessionId(u64::MAX)),
        ),
    ]
}
