//! What happened, and who hears of it. Services publish events on the bus; each node's transport
//! encodes them for its own sockets. Dialects decide how one looks, the audience who gets it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    CallId, CallMedia, ConversationId, ConversationView, Emoji, MessageId, MessageView, NotificationId,
    NotificationView, ProductEvent, Reaction, Rev, SessionId, Timestamp, User, UserId,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message was stored. Per conversation these are published in `seq` order.
    MessageNew {
        /// The message.
        message: Box<MessageView>,
        /// Everybody in the conversation.
        participants: Arc<[UserId]>,
        /// The connection that it came in on: included once, joined or not.
        origin: Option<SessionId>,
    },
    /// A message's text was changed.
    MessageEdited {
        /// The message as it is now.
        message: Box<MessageView>,
    },
    /// A message became a tombstone.
    MessageDeleted {
        /// The tombstone.
        message: Box<MessageView>,
    },
    /// A reaction was added or taken back.
    ReactionChanged {
        /// Where.
        conversation_id: ConversationId,
        /// To which message.
        message_id: MessageId,
        /// The conversation's `rev` at this change.
        rev: Rev,
        /// Which.
        emoji: Emoji,
        /// Whose.
        user_id: UserId,
        /// Added, or taken back.
        added: bool,
        /// All reactions to the message now.
        reactions: Vec<Reaction>,
    },
    /// Somebody read messages.
    MessagesRead {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        reader: UserId,
        /// Which, oldest first, at most the newest 500; never empty, never the reader's own.
        message_ids: Vec<MessageId>,
        /// Whose messages they are.
        senders: Vec<UserId>,
        /// Everybody in the conversation.
        participants: Arc<[UserId]>,
    },
    /// Messages of one sender reached their first recipient.
    MessagesDelivered {
        /// Where.
        conversation_id: ConversationId,
        /// Whose.
        sender: UserId,
        /// Which, oldest first.
        message_ids: Vec<MessageId>,
    },
    /// Somebody types.
    TypingStarted {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        user: User,
    },
    /// Somebody no longer types.
    TypingStopped {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        user: User,
    },
    /// Somebody's first live socket came.
    UserOnline {
        /// Who.
        user_id: UserId,
        /// Who hears of it.
        audience: PresenceAudience,
    },
    /// Somebody's last live socket has been gone for longer than the grace.
    UserOffline {
        /// Who.
        user_id: UserId,
        /// Who hears of it.
        audience: PresenceAudience,
    },
    /// A conversation was started with these people, or they were added to it.
    ConversationNew {
        /// The conversation; its `unread` is 0.
        conversation: Box<ConversationView>,
        /// Who hears of it.
        users: Arc<[UserId]>,
    },
    /// A conversation's title, photo, participants or roles changed.
    ConversationUpdated {
        /// The conversation; `unread` is each hearer's own.
        conversation: Box<ConversationView>,
        /// Who hears of it, with their unread counts.
        unread: HashMap<UserId, u64>,
    },
    /// A group's photo changed, or was removed (`image: None`).
    GroupPhotoChanged {
        /// Which group.
        conversation_id: ConversationId,
        /// The new photo.
        image: Option<String>,
        /// Who changed it.
        by: UserId,
    },
    /// Somebody is no longer in a conversation: their sockets leave its room at once.
    ParticipantRemoved {
        /// Which conversation.
        conversation_id: ConversationId,
        /// Who.
        user_id: UserId,
    },
    /// A notification was made.
    NotificationNew {
        /// Whose.
        user_id: UserId,
        /// The notification.
        notification: Box<NotificationView>,
        /// How many of theirs are unread now.
        unread: u64,
    },
    /// A notification was read, on any device.
    NotificationRead {
        /// Whose.
        user_id: UserId,
        /// Which.
        id: NotificationId,
        /// How many of theirs are unread now.
        unread: u64,
    },
    /// All notifications were read.
    NotificationsReadAll {
        /// Whose.
        user_id: UserId,
    },
    /// An unread notification was removed.
    NotificationRemoved {
        /// Whose.
        user_id: UserId,
        /// Which.
        id: NotificationId,
        /// How many of theirs are unread now.
        unread: u64,
    },
    /// Some of an upload has arrived.
    UploadProgress {
        /// Whose.
        user_id: UserId,
        /// The client's name for it.
        upload_id: String,
        /// Bytes that have arrived.
        loaded: u64,
        /// Bytes that there will be, where the client said.
        total: Option<u64>,
    },
    /// The product's own backend says something.
    Product {
        /// What.
        event: ProductEvent,
        /// To whom.
        to: ProductAudience,
    },
    /// The product's own backend ends somebody's connections: they hear it, and are closed.
    SessionsEnded {
        /// Whose.
        user_id: UserId,
        /// Why, in the backend's words.
        reason: Option<String>,
        /// Only those that showed a token from before this moment, which are revoked; `None` for all.
        issued_before: Option<Timestamp>,
    },
    /// Something happened in a call.
    Call {
        /// Which call.
        call_id: CallId,
        /// What happened.
        what: CallEvent,
        /// Who hears of it.
        to: CallAudience,
    },
}

/// What happens in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// It rings.
    Invited {
        /// Where.
        conversation_id: ConversationId,
        /// What it carries.
        media: CallMedia,
        /// JSON from the caller's client, passed on as it is.
        data: Option<String>,
        /// Who calls.
        from: UserId,
    },
    /// Somebody came in.
    Accepted(CallStep),
    /// Somebody will not come, or cannot.
    Rejected(CallStep),
    /// Somebody went, or it ended.
    HungUp(CallStep),
    /// A word from one person in the call to another.
    Signal {
        /// From whom.
        from: UserId,
        /// JSON from their client (SDP, ICE), passed on as it is.
        data: String,
    },
}

/// Somebody's step in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStep {
    /// Where.
    pub conversation_id: ConversationId,
    /// Whose step.
    pub user_id: UserId,
    /// Why, in the client's words or one of ours (`timeout`, `busy`, `disconnected`).
    pub reason: Option<String>,
}

/// Who hears of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallAudience {
    /// Every socket of these people.
    Users(Arc<[UserId]>),
    /// One socket of one person.
    Socket(SessionId),
}

/// To whom a product's own backend speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductAudience {
    /// Every socket of this user.
    User(UserId),
    /// The sockets that joined this conversation.
    Room(ConversationId),
    /// Every socket.
    Everyone,
}

/// Who hears that somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceAudience {
    /// These people.
    Contacts(Arc<[UserId]>),
    /// Every socket (`PRESENCE_SCOPE=everyone`).
    Everyone,
}

/// The sockets that an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'a> {
    /// The sockets that joined the conversation, save those of one user.
    Room {
        /// Whose room.
        conversation: ConversationId,
        /// Whose sockets are left out.
        except: Option<&'a UserId>,
    },
    /// In dialects that reach participants whether they joined or not: every socket of `participants`. In the others:
    /// the sockets that joined, all sockets of `also`, and the one socket `origin`. Each socket once.
    Conversation {
        /// Which conversation.
        conversation: ConversationId,
        /// Everybody in it.
        participants: &'a Arc<[UserId]>,
        /// Users whose sockets hear of it without having joined.
        also: &'a [UserId],
        /// One socket that hears of it without having joined.
        origin: Option<SessionId>,
    },
    /// Every socket of these users.
    Users(&'a [UserId]),
    /// One socket.
    Socket(SessionId),
    /// Every socket of those who hear with an own unread count.
    Counted(&'a HashMap<UserId, u64>),
    /// Every socket.
    Everyone,
}

impl Event {
    /// Who hears of it.
    pub fn audience(&self) -> Audience<'_> {
        match self {
            Self::MessageNew { message, participants, origin } => Audience::Conversation {
                conversation: message.message.conversation_id,
                participants,
                also: &[],
                origin: *origin,
            },
            Self::MessagesRead { conversation_id, participants, senders, .. } => {
                Audience::Conversation { conversation: *conversation_id, participants, also: senders, origin: None }
            }
            Self::MessageEdited { message } | Self::MessageDeleted { message } => {
                Audience::Room { conversation: message.message.conversation_id, except: None }
            }
            Self::ReactionChanged { conversation_id, .. } | Self::GroupPhotoChanged { conversation_id, .. } => {
                Audience::Room { conversation: *conversation_id, except: None }
            }
            Self::TypingStarted { conversation_id, user } | Self::TypingStopped { conversation_id, user } => {
                Audience::Room { conversation: *conversation_id, except: Some(&user.id) }
            }
            Self::UserOnline { audience, .. } | Self::UserOffline { audience, .. } => match audience {
                PresenceAudience::Contacts(users) => Audience::Users(users),
                PresenceAudience::Everyone => Audience::Everyone,
            },
            Self::MessagesDelivered { sender, .. } => Audience::Users(std::slice::from_ref(sender)),
            Self::ConversationNew { users, .. } | Self::Call { to: CallAudience::Users(users), .. } => {
                Audience::Users(users)
            }
            Self::ConversationUpdated { unread, .. } => Audience::Counted(unread),
            Self::Product { to: ProductAudience::Room(conversation), .. } => {
                Audience::Room { conversation: *conversation, except: None }
            }
            Self::Product { to: ProductAudience::Everyone, .. } => Audience::Everyone,
            Self::Product { to: ProductAudience::User(user_id), .. }
            | Self::SessionsEnded { user_id, .. }
            | Self::ParticipantRemoved { user_id, .. }
            | Self::NotificationNew { user_id, .. }
            | Self::NotificationRead { user_id, .. }
            | Self::NotificationsReadAll { user_id }
            | Self::NotificationRemoved { user_id, .. }
            | Self::UploadProgress { user_id, .. } => Audience::Users(std::slice::from_ref(user_id)),
            Self::Call { to: CallAudience::Socket(session), .. } => Audience::Socket(*session),
        }
    }
}
