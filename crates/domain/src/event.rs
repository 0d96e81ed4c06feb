//! What happened, and who hears of it. Services publish events on the bus; each node's transport
//! encodes them for its own sockets. Dialects decide how one looks, the audience who gets it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    ConversationId, ConversationView, Emoji, MessageId, MessageView, Reaction, SessionId, User, UserId,
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
        participants: &'a [UserId],
        /// Users whose sockets hear of it without having joined.
        also: &'a [UserId],
        /// One socket that hears of it without having joined.
        origin: Option<SessionId>,
    },
    /// Every socket of these users.
    Users(&'a [UserId]),
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
            Self::ConversationNew { users, .. } => Audience::Users(users),
            Self::ConversationUpdated { unread, .. } => Audience::Counted(unread),
            Self::ParticipantRemoved { user_id, .. } => Audience::Users(std::slice::from_ref(user_id)),
        }
    }
}
