//! Which nodes an event is for. One topic each, so that it goes over the link once, and to each node once however many
//! of its sockets are concerned.

use crate::event::{CallAudience, CallEvent, Event, ProductAudience};
use crate::model::{ConversationId, MessageView, Rev, Seq};
use crate::ports::Topic;

/// The topic of an event; `None` for one that concerns this node alone.
pub(super) fn topic_of(event: &Event) -> Option<Topic> {
    Some(match event {
        // Each node announces presence from its own account.
        Event::UserOnline { .. } | Event::UserOffline { .. } => return None,
        Event::MessageNew { message, .. } | Event::MessageEdited { message } | Event::MessageDeleted { message } => {
            Topic::Conversation(message.message.conversation_id)
        }
        Event::ReactionChanged { conversation_id, .. }
        | Event::MessagesRead { conversation_id, .. }
        | Event::TypingStarted { conversation_id, .. }
        | Event::TypingStopped { conversation_id, .. }
        | Event::GroupPhotoChanged { conversation_id, .. }
        | Event::ParticipantRemoved { conversation_id, .. } => Topic::Conversation(*conversation_id),
        Event::ConversationUpdated { conversation, .. } => Topic::Conversation(conversation.conversation.id),
        // Those whom a conversation concerns that is new to them do not follow it yet. And every node may remember that
        // somebody has an unread notification, or good tokens, whether it holds a socket of theirs or not.
        Event::ConversationNew { .. }
        | Event::NotificationRead { .. }
        | Event::NotificationsReadAll { .. }
        | Event::NotificationRemoved { .. }
        | Event::SessionsEnded { issued_before: Some(_), .. } => Topic::Everyone,
        Event::MessagesDelivered { sender, .. } => Topic::User(sender.clone()),
        Event::NotificationNew { user_id, .. }
        | Event::UploadProgress { user_id, .. }
        | Event::SessionsEnded { user_id, .. } => Topic::User(user_id.clone()),
        Event::Product { to, .. } => match to {
            ProductAudience::User(user_id) => Topic::User(user_id.clone()),
            ProductAudience::Room(conversation) => Topic::Conversation(*conversation),
            ProductAudience::Everyone => Topic::Everyone,
        },
        Event::Call { to: CallAudience::Socket(session), .. } => Topic::Node(session.node()),
        Event::Call { what, to: CallAudience::Users(users), .. } => match what {
            CallEvent::Invited { conversation_id, .. } => Topic::Conversation(*conversation_id),
            // Who was put out of the conversation hears it too, and no longer follows.
            CallEvent::Accepted(_) | CallEvent::Rejected(_) | CallEvent::HungUp(_) => Topic::Everyone,
            CallEvent::Signal { .. } => return users.first().cloned().map(Topic::User),
        },
    })
}

/// The change of a conversation that an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) conversation: ConversationId,
    pub(super) rev: Rev,
    /// The place of a new message.
    pub(super) seq: Option<Seq>,
}

/// What an event changes; `None` if it is none of those that move a conversation's `rev`.
pub(super) fn changed_by(event: &Event) -> Option<Changed> {
    let of = |view: &MessageView, seq| {
        Some(Changed { conversation: view.message.conversation_id, rev: view.message.rev, seq })
    };
    match event {
        Event::MessageNew { message, .. } => of(message, Some(message.message.seq)),
        Event::MessageEdited { message } | Event::MessageDeleted { message } => of(message, None),
        Event::ReactionChanged { conversation_id, rev, .. } => {
            Some(Changed { conversation: *conversation_id, rev: *rev, seq: None })
        }
        _ => None,
    }
}
