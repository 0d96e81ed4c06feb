//! Events on the wire.

use parlance_domain::event::{Event, PresenceAudience, ProductAudience};
use parlance_domain::model::{CallId, ConversationId, Emoji, MessageId, NotificationId, ProductEvent, Timestamp};
use serde::{Deserialize, Serialize};

use super::call::{WireCallAudience, WireCallEvent};
use super::conversation::WireConversationView;
use super::message::{Id, WireMessageView, WireReaction, WireUser};
use super::notification::WireNotification;
use super::{Unreadable, names, user_id, user_ids};

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireEvent {
    MessageNew {
        message: Box<WireMessageView>,
        participants: Vec<String>,
    },
    MessageEdited(Box<WireMessageView>),
    MessageDeleted(Box<WireMessageView>),
    ReactionChanged {
        conversation_id: Id,
        message_id: Id,
        rev: u64,
        emoji: String,
        user_id: String,
        added: bool,
        reactions: Vec<WireReaction>,
    },
    MessagesRead {
        conversation_id: Id,
        reader: String,
        message_ids: Vec<Id>,
        senders: Vec<String>,
        participants: Vec<String>,
    },
    MessagesDelivered {
        conversation_id: Id,
        sender: String,
        message_ids: Vec<Id>,
    },
    TypingStarted {
        conversation_id: Id,
        user: WireUser,
    },
    TypingStopped {
        conversation_id: Id,
        user: WireUser,
    },
    UserOnline {
        user_id: String,
        audience: WirePresenceAudience,
    },
    UserOffline {
        user_id: String,
        audience: WirePresenceAudience,
    },
    ConversationNew {
        conversation: Box<WireConversationView>,
        users: Vec<String>,
    },
    ConversationUpdated {
        conversation: Box<WireConversationView>,
        unread: Vec<(String, u64)>,
    },
    GroupPhotoChanged {
        conversation_id: Id,
        image: Option<String>,
        by: String,
    },
    ParticipantRemoved {
        conversation_id: Id,
        user_id: String,
    },
    NotificationNew {
        user_id: String,
        notification: Box<WireNotification>,
        unread: u64,
    },
    NotificationRead {
        user_id: String,
        id: Id,
        unread: u64,
    },
    NotificationsReadAll {
        user_id: String,
    },
    NotificationRemoved {
        user_id: String,
        id: Id,
        unread: u64,
    },
    UploadProgress {
        user_id: String,
        upload_id: String,
        loaded: u64,
        total: Option<u64>,
    },
    Product {
        name: String,
        data: Option<String>,
        to: WireProductAudience,
    },
    SessionsEnded {
        user_id: String,
        reason: Option<String>,
        issued_before: Option<i64>,
    },
    Call {
        call_id: String,
        what: WireCallEvent,
        to: WireCallAudience,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WirePresenceAudience {
    Contacts(Vec<String>),
    Everyone,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireProductAudience {
    User(String),
    Room(Id),
    Everyone,
}

impl From<&Event> for WireEvent {
    fn from(event: &Event) -> Self {
        match event {
            // The socket on which it came in is on the node that says it.
            Event::MessageNew { message, participants, origin: _ } => {
                Self::MessageNew { message: Box::new((&**message).into()), participants: names(participants) }
            }
            Event::MessageEdited { message } => Self::MessageEdited(Box::new((&**message).into())),
            Event::MessageDeleted { message } => Self::MessageDeleted(Box::new((&**message).into())),
            Event::ReactionChanged { conversation_id, message_id, rev, emoji, user_id, added, reactions } => {
                Self::ReactionChanged {
                    conversation_id: conversation_id.bytes(),
                    message_id: message_id.bytes(),
                    rev: *rev,
                    emoji: emoji.as_str().to_owned(),
                    user_id: user_id.to_string(),
                    added: *added,
                    reactions: reactions.iter().map(WireReaction::from).collect(),
                }
            }
            Event::MessagesRead { conversation_id, reader, message_ids, senders, participants } => Self::MessagesRead {
                conversation_id: conversation_id.bytes(),
                reader: reader.to_string(),
                message_ids: message_ids.iter().map(MessageId::bytes).collect(),
                senders: names(senders),
                participants: names(participants),
            },
            Event::MessagesDelivered { conversation_id, sender, message_ids } => Self::MessagesDelivered {
                conversation_id: conversation_id.bytes(),
                sender: sender.to_string(),
                message_ids: message_ids.iter().map(MessageId::bytes).collect(),
            },
            Event::TypingStarted { conversation_id, user } => {
                Self::TypingStarted { conversation_id: conversation_id.bytes(), user: user.into() }
            }
            Event::TypingStopped { conversation_id, user } => {
                Self::TypingStopped { conversation_id: conversation_id.bytes(), user: user.into() }
            }
            Event::UserOnline { user_id, audience } => {
                Self::UserOnline { user_id: user_id.to_string(), audience: audience.into() }
            }
            Event::UserOffline { user_id, audience } => {
                Self::UserOffline { user_id: user_id.to_string(), audience: audience.into() }
            }
            Event::ConversationNew { conversation, users } => {
                Self::ConversationNew { conversation: Box::new((&**conversation).into()), users: names(users) }
            }
            Event::ConversationUpdated { conversation, unread } => Self::ConversationUpdated {
                conversation: Box::new((&**conversation).into()),
                unread: unread.iter().map(|(user, count)| (user.to_string(), *count)).collect(),
            },
            Event::GroupPhotoChanged { conversation_id, image, by } => Self::GroupPhotoChanged {
                conversation_id: conversation_id.bytes(),
                image: image.clone(),
                by: by.to_string(),
            },
            Event::ParticipantRemoved { conversation_id, user_id } => {
                Self::ParticipantRemoved { conversation_id: conversation_id.bytes(), user_id: user_id.to_string() }
            }
            Event::NotificationNew { user_id, notification, unread } => Self::NotificationNew {
                user_id: user_id.to_string(),
                notification: Box::new((&**notification).into()),
                unread: *unread,
            },
            Event::NotificationRead { user_id, id, unread } => {
                Self::NotificationRead { user_id: user_id.to_string(), id: id.bytes(), unread: *unread }
            }
            Event::NotificationsReadAll { user_id } => Self::NotificationsReadAll { user_id: user_id.to_string() },
            Event::NotificationRemoved { user_id, id, unread } => {
                Self::NotificationRemoved { user_id: user_id.to_string(), id: id.bytes(), unread: *unread }
            }
            Event::UploadProgress { user_id, upload_id, loaded, total } => Self::UploadProgress {
                user_id: user_id.to_string(),
                upload_id: upload_id.clone(),
                loaded: *loaded,
                total: *total,
            },
            Event::Product { event, to } => Self::Product {
                name: event.name().to_owned(),
                data: event.data().map(str::to_owned),
                to: match to {
                    ProductAudience::User(user) => WireProductAudience::User(user.to_string()),
                    ProductAudience::Room(conversation) => WireProductAudience::Room(conversation.bytes()),
                    ProductAudience::Everyone => WireProductAudience::Everyone,
                },
            },
            Event::SessionsEnded { user_id, reason, issued_before } => Self::SessionsEnded {
                user_id: user_id.to_string(),
                reason: reason.clone(),
                issued_before: issued_before.map(Timestamp::millis),
            },
            Event::Call { call_id, what, to } => {
                Self::Call { call_id: call_id.as_str().to_owned(), what: what.into(), to: to.into() }
            }
        }
    }
}

impl WireEvent {
    pub(super) fn read(self) -> Result<Event, Unreadable> {
        Ok(match self {
            Self::MessageNew { message, participants } => Event::MessageNew {
                message: Box::new(message.read()?),
                participants: user_ids(&participants)?.into(),
                origin: None,
            },
            Self::MessageEdited(message) => Event::MessageEdited { message: Box::new(message.read()?) },
            Self::MessageDeleted(message) => Event::MessageDeleted { message: Box::new(message.read()?) },
            Self::ReactionChanged { conversation_id, message_id, rev, emoji, user_id: user, added, reactions } => {
                Event::ReactionChanged {
                    conversation_id: ConversationId::from_bytes(conversation_id),
                    message_id: MessageId::from_bytes(message_id),
                    rev,
                    emoji: Emoji::from_stored(emoji),
                    user_id: user_id(&user)?,
                    added,
                    reactions: reactions.into_iter().map(WireReaction::read).collect::<Result<_, _>>()?,
                }
            }
            Self::MessagesRead { conversation_id, reader, message_ids, senders, participants } => Event::MessagesRead {
                conversation_id: ConversationId::from_bytes(conversation_id),
                reader: user_id(&reader)?,
                message_ids: message_ids.into_iter().map(MessageId::from_bytes).collect(),
                senders: user_ids(&senders)?,
                participants: user_ids(&participants)?.into(),
            },
            Self::MessagesDelivered { conversation_id, sender, message_ids } => Event::MessagesDelivered {
                conversation_id: ConversationId::from_bytes(conversation_id),
                sender: user_id(&sender)?,
                message_ids: message_ids.into_iter().map(MessageId::from_bytes).collect(),
            },
            Self::TypingStarted { conversation_id, user } => Event::TypingStarted {
                conversation_id: ConversationId::from_bytes(conversation_id),
                user: user.read()?,
            },
            Self::TypingStopped { conversation_id, user } => Event::TypingStopped {
                conversation_id: ConversationId::from_bytes(conversation_id),
                user: user.read()?,
            },
            Self::UserOnline { user_id: user, audience } => {
                Event::UserOnline { user_id: user_id(&user)?, audience: audience.read()? }
            }
            Self::UserOffline { user_id: user, audience } => {
                Event::UserOffline { user_id: user_id(&user)?, audience: audience.read()? }
            }
            Self::ConversationNew { conversation, users } => {
                Event::ConversationNew { conversation: Box::new(conversation.read()?), users: user_ids(&users)?.into() }
            }
            Self::ConversationUpdated { conversation, unread } => {
                let count = |(user, count): (String, u64)| Ok((user_id(&user)?, count));
                Event::ConversationUpdated {
                    conversation: Box::new(conversation.read()?),
                    unread: unread.into_iter().map(count).collect::<Result<_, _>>()?,
                }
            }
            Self::GroupPhotoChanged { conversation_id, image, by } => Event::GroupPhotoChanged {
                conversation_id: ConversationId::from_bytes(conversation_id),
                image,
                by: user_id(&by)?,
            },
            Self::ParticipantRemoved { conversation_id, user_id: user } => Event::ParticipantRemoved {
                conversation_id: ConversationId::from_bytes(conversation_id),
                user_id: user_id(&user)?,
            },
            Self::NotificationNew { user_id: user, notification, unread } => {
                Event::NotificationNew { user_id: user_id(&user)?, notification: Box::new(notification.read()), unread }
            }
            Self::NotificationRead { user_id: user, id, unread } => {
                Event::NotificationRead { user_id: user_id(&user)?, id: NotificationId::from_bytes(id), unread }
            }
            Self::NotificationsReadAll { user_id: user } => Event::NotificationsReadAll { user_id: user_id(&user)? },
            Self::NotificationRemoved { user_id: user, id, unread } => {
                Event::NotificationRemoved { user_id: user_id(&user)?, id: NotificationId::from_bytes(id), unread }
            }
            Self::UploadProgress { user_id: user, upload_id, loaded, total } => {
                Event::UploadProgress { user_id: user_id(&user)?, upload_id, loaded, total }
            }
            Self::Product { name, data, to } => Event::Product {
                event: ProductEvent::new(&name, data).map_err(|_| Unreadable::Garbage)?,
                to: match to {
                    WireProductAudience::User(user) => ProductAudience::User(user_id(&user)?),
                    WireProductAudience::Room(id) => ProductAudience::Room(ConversationId::from_bytes(id)),
                    WireProductAudience::Everyone => ProductAudience::Everyone,
                },
            },
            Self::SessionsEnded { user_id: user, reason, issued_before } => Event::SessionsEnded {
                user_id: user_id(&user)?,
                reason,
                issued_before: issued_before.map(Timestamp::from_millis),
            },
            Self::Call { call_id, what, to } => {
                Event::Call { call_id: CallId::from_stored(call_id), what: what.read()?, to: to.read()? }
            }
        })
    }
}

impl From<&PresenceAudience> for WirePresenceAudience {
    fn from(audience: &PresenceAudience) -> Self {
        match audience {
            PresenceAudience::Contacts(users) => Self::Contacts(names(users)),
            PresenceAudience::Everyone => Self::Everyone,
        }
    }
}

impl WirePresenceAudience {
    fn read(self) -> Result<PresenceAudience, Unreadable> {
        Ok(match self {
            Self::Contacts(users) => PresenceAudience::Contacts(user_ids(&users)?.into()),
            Self::Everyone => PresenceAudience::Everyone,
        })
    }
}
