//! What a client asks for, and what it is answered, whatever its dialect.

use parlance_domain::Error;
use parlance_domain::model::{
    CallId, ConversationId, Emoji, MessageId, MessageView, NotificationId, Rev, User, UserId,
};
use parlance_domain::ports::ReadTarget;
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::Invitation;

/// The outcome of decoding an event: a command, or an error with a code. Never a panic, never silence.
pub type Decoded = Result<Command, Error>;

/// Something a client asks for over its socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hear what happens in a conversation.
    Join(ConversationId),
    /// No longer hear it.
    Leave(ConversationId),
    /// Who is online in a conversation.
    OnlineUsers(ConversationId),
    /// Send a message.
    Send(Draft),
    /// Send a message in somebody's name; refused unless it is the caller's own (`nextchat`).
    SendAs(UserId, Draft),
    /// The caller types. With a user id that is not the caller's: refused (`nextchat`).
    TypingStart(ConversationId, Option<UserId>),
    /// The caller no longer types.
    TypingStop(ConversationId),
    /// The caller has read.
    MarkRead(ConversationId, ReadTarget),
    /// Another text for an own message.
    Edit(MessageId, String),
    /// Delete a message.
    Delete(MessageId),
    /// React to a message.
    React(MessageId, Emoji),
    /// Take a reaction back.
    Unreact(MessageId, Emoji),
    /// Whether somebody is online.
    UserStatus(UserId),
    /// Whether these people are online, in the order asked; at most 200.
    UsersStatus(Vec<UserId>),
    /// What has changed since these `rev`s; at most 200 conversations.
    Sync(Vec<(ConversationId, Rev)>),
    /// Go on with a newer token.
    AuthRefresh(String),
    /// A notification was read.
    NotificationRead(NotificationId),
    /// All notifications were read.
    NotificationsReadAll,
    /// Call the others of a conversation.
    CallInvite(Invitation),
    /// Come into a call, or go on with it on this socket.
    CallAccept(CallId),
    /// Not come into a call.
    CallReject(CallId, Option<String>),
    /// Go out of a call.
    CallHangUp(CallId, Option<String>),
    /// Pass a word on to somebody in the same call.
    CallSignal {
        /// Which call.
        call_id: CallId,
        /// To whom.
        to: UserId,
        /// JSON for their client.
        data: String,
    },
}

impl Command {
    /// What it is called in traces.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Join(_) => "join",
            Self::Leave(_) => "leave",
            Self::OnlineUsers(_) => "online-users",
            Self::Send(_) | Self::SendAs(..) => "send",
            Self::TypingStart(..) => "typing-start",
            Self::TypingStop(_) => "typing-stop",
            Self::MarkRead(..) => "mark-read",
            Self::Edit(..) => "edit",
            Self::Delete(_) => "delete",
            Self::React(..) => "react",
            Self::Unreact(..) => "unreact",
            Self::UserStatus(_) => "user-status",
            Self::UsersStatus(_) => "users-status",
            Self::Sync(_) => "sync",
            Self::AuthRefresh(_) => "auth-refresh",
            Self::NotificationRead(_) => "notification-read",
            Self::NotificationsReadAll => "notifications-read-all",
            Self::CallInvite(_) => "call-invite",
            Self::CallAccept(_) => "call-accept",
            Self::CallReject(..) => "call-reject",
            Self::CallHangUp(..) => "call-hang-up",
            Self::CallSignal { .. } => "call-signal",
        }
    }
}

/// What a command came to, before a dialect writes it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to tell.
    Done,
    /// Joined or left.
    Room(ConversationId),
    /// Who is online.
    OnlineUsers(Vec<User>),
    /// Sent, durably; or found again by its `clientMessageId`.
    Sent(Box<MessageView>),
    /// Read; what remains unread.
    Read {
        /// Others' messages that are still unread.
        unread: u64,
    },
    /// The message as it is now (edit, delete, react, unreact).
    Message(Box<MessageView>),
    /// Who is online and who is not, in the order asked. One for `UserStatus`.
    Statuses(Vec<(UserId, bool)>),
    /// What has changed.
    Synced {
        /// Per conversation: id, the `rev` to ask from next, whether there is more, messages in `rev` order.
        conversations: Vec<(ConversationId, Rev, bool, Vec<MessageView>)>,
        /// Conversations that do not exist or that the caller is not in.
        unknown: Vec<ConversationId>,
    },
}
