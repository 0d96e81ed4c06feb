//! What the product's backend is told of by webhooks: which kinds there are, what each is about, and in which lane it
//! waits. An event is a pointer: what it is about is looked up when it is delivered (decision 96), so the words of
//! a deleted message are not kept a second time. Writing events is the storages' part, delivering them the services'.

use std::fmt;
use std::str::FromStr;

use super::{CallId, CallMedia, ConversationId, MessageId, NotificationId, Timestamp, UserId};

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookKind {
    /// A message was stored.
    MessageCreated,
    /// A message's text was changed.
    MessageEdited,
    /// A message became a tombstone.
    MessageDeleted,
    /// A conversation was started.
    ConversationCreated,
    /// A conversation's title, photo, participants or roles changed.
    ConversationUpdated,
    /// Somebody came.
    UserOnline,
    /// Somebody went.
    UserOffline,
    /// A notification was made.
    NotificationCreated,
    /// A call ended.
    CallEnded,
}

impl WebhookKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MessageCreated,
        Self::MessageEdited,
        Self::MessageDeleted,
        Self::ConversationCreated,
        Self::ConversationUpdated,
        Self::UserOnline,
        Self::UserOffline,
        Self::NotificationCreated,
        Self::CallEnded,
    ];

    /// Its name in settings, and its `type` on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageCreated => "message.created",
            Self::MessageEdited => "message.edited",
            Self::MessageDeleted => "message.deleted",
            Self::ConversationCreated => "conversation.created",
            Self::ConversationUpdated => "conversation.updated",
            Self::UserOnline => "user.online",
            Self::UserOffline => "user.offline",
            Self::NotificationCreated => "notification.created",
            Self::CallEnded => "call.ended",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl FromStr for WebhookKind {
    type Err = UnknownWebhook;

    fn from_str(text: &str) -> Result<Self, UnknownWebhook> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownWebhook)
    }
}

impl fmt::Display for WebhookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that no release of this server has written for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no event of webhooks")]
pub struct UnknownWebhook;

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookKinds(u16);

impl WebhookKinds {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub fn all() -> Self {
        WebhookKind::ALL.into_iter().collect()
    }

    /// Whether this one is among them.
    pub const fn contains(self, kind: WebhookKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Those that are among them, in the order of [`WebhookKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = WebhookKind> {
        WebhookKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

impl FromIterator<WebhookKind> for WebhookKinds {
    fn from_iter<I: IntoIterator<Item = WebhookKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | kind.bit()))
    }
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookSubject {
    /// A message.
    Message {
        /// Where it was said.
        conversation_id: ConversationId,
        /// Which.
        message_id: MessageId,
    },
    /// A conversation.
    Conversation(ConversationId),
    /// Somebody.
    User(UserId),
    /// Somebody's notification.
    Notification {
        /// Whose.
        user_id: UserId,
        /// Which.
        notification_id: NotificationId,
    },
    /// A call. Nothing else remains of it, so this is all there is to tell.
    Call(EndedCall),
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedCall {
    /// Which.
    pub call_id: CallId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who began it.
    pub caller: UserId,
    /// What it carried.
    pub media: CallMedia,
    /// Whether anybody had taken it.
    pub answered: bool,
    /// Why it ended, in a client's words or one of ours (`timeout`, `busy`, `disconnected`, `removed`).
    pub reason: Option<String>,
}

/// What parts the fields of a stored subject: no id has control characters.
const BETWEEN: char = '\n';

impl WebhookSubject {
    /// The lane in which it waits: events of one lane are delivered one after the other, in order. It is the
    /// conversation's, or the user's.
    pub fn lane(&self) -> String {
        match self {
            Self::Message { conversation_id, .. }
            | Self::Conversation(conversation_id)
            | Self::Call(EndedCall { conversation_id, .. }) => format!("conversation/{conversation_id}"),
            Self::User(user_id) | Self::Notification { user_id, .. } => format!("user/{user_id}"),
        }
    }

    /// As storages keep it, beside its kind.
    pub fn to_stored(&self) -> String {
        match self {
            Self::Message { conversation_id, message_id } => format!("{conversation_id}{BETWEEN}{message_id}"),
            Self::Conversation(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Notification { user_id, notification_id } => format!("{notification_id}{BETWEEN}{user_id}"),
            Self::Call(EndedCall { call_id, conversation_id, caller, media, answered, reason }) => {
                let (call_id, media) = (call_id.as_str(), stored_media(*media));
                // What a client wrote comes last, so that it may have anything in it.
                let reason = reason.as_ref().map(|reason| format!("{BETWEEN}{reason}")).unwrap_or_default();
                [conversation_id.to_string().as_str(), call_id, caller.as_str(), media, answered_word(*answered)]
                    .join(&BETWEEN.to_string())
                    + &reason
            }
        }
    }

    /// The subject of an event of this kind that was stored as `text`.
    ///
    /// # Errors
    /// [`UnknownWebhook`] where it cannot have been stored so.
    pub fn from_stored(kind: WebhookKind, text: &str) -> Result<Self, UnknownWebhook> {
        fn parsed<T: FromStr>(text: Option<&str>) -> Result<T, UnknownWebhook> {
            text.and_then(|text| text.parse().ok()).ok_or(UnknownWebhook)
        }
        let mut fields = text.splitn(6, BETWEEN);
        Ok(match kind {
            WebhookKind::MessageCreated | WebhookKind::MessageEdited | WebhookKind::MessageDeleted => {
                Self::Message { conversation_id: parsed(fields.next())?, message_id: parsed(fields.next())? }
            }
            WebhookKind::ConversationCreated | WebhookKind::ConversationUpdated => {
                Self::Conversation(parsed(fields.next())?)
            }
            WebhookKind::UserOnline | WebhookKind::UserOffline => Self::User(parsed(fields.next())?),
            WebhookKind::NotificationCreated => {
                let notification_id = parsed(fields.next())?;
                Self::Notification { user_id: parsed(fields.next())?, notification_id }
            }
            WebhookKind::CallEnded => {
                let conversation_id = parsed(fields.next())?;
                let call_id = fields.next().and_then(|id| CallId::new(id).ok()).ok_or(UnknownWebhook)?;
                Self::Call(EndedCall {
                    call_id,
                    conversation_id,
                    caller: parsed(fields.next())?,
                    media: media_from_stored(fields.next().unwrap_or_default())?,
                    answered: fields.next() == Some(answered_word(true)),
                    reason: fields.next().map(str::to_owned),
                })
            }
        })
    }
}

const fn answered_word(answered: bool) -> &'static str {
    if answered { "answered" } else { "missed" }
}

const fn stored_media(media: CallMedia) -> &'static str {
    match media {
        CallMedia::Audio => "audio",
        CallMedia::Video => "video",
        CallMedia::Screen => "screen",
    }
}

fn media_from_stored(text: &str) -> Result<CallMedia, UnknownWebhook> {
    let all = [CallMedia::Audio, CallMedia::Video, CallMedia::Screen];
    all.into_iter().find(|media| stored_media(*media) == text).ok_or(UnknownWebhook)
}

/// Something that happened, on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// What happened.
    pub kind: WebhookKind,
    /// To what.
    pub subject: WebhookSubject,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conversation() -> ConversationId {
        ConversationId::from_bytes([1; 12])
    }

    #[test]
    fn every_kind_has_a_name_of_its_own_that_is_read_back() {
        for kind in WebhookKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!([kind].into_iter().collect::<WebhookKinds>().iter().collect::<Vec<_>>(), [kind]);
        }
        assert_eq!("message.read".parse::<WebhookKind>(), Err(UnknownWebhook));
        assert_eq!(WebhookKinds::all().iter().count(), WebhookKind::ALL.len());
        assert!(WebhookKinds::NONE.iter().next().is_none());
    }

    #[test]
    fn conversations_and_users_have_lanes_of_their_own() {
        let said =
            WebhookSubject::Message { conversation_id: conversation(), message_id: MessageId::from_bytes([2; 12]) };
        assert_eq!(said.lane(), WebhookSubject::Conversation(conversation()).lane());
        // A user may be called like a conversation.
        let user: UserId = conversation().to_string().parse().expect("a valid id");
        assert_ne!(WebhookSubject::User(user).lane(), said.lane());
    }

    proptest! {
        #[test]
        fn a_subject_survives_being_stored(user in "[^\\p{Cc}]{1,40}", call in "[!-~]{1,64}", reason: Option<String>, answered: bool) {
            let user: UserId = user.parse().expect("a valid id");
            let ended = EndedCall {
                call_id: CallId::new(&call).expect("a valid id"),
                conversation_id: conversation(),
                caller: user.clone(),
                media: CallMedia::Screen,
                answered,
                reason,
            };
            let message_id = MessageId::from_bytes([2; 12]);
            let notification_id = NotificationId::from_bytes([3; 12]);
            for (kind, subject) in [
                (WebhookKind::MessageEdited, WebhookSubject::Message { conversation_id: conversation(), message_id }),
                (WebhookKind::ConversationUpdated, WebhookSubject::Conversation(conversation())),
                (WebhookKind::UserOffline, WebhookSubject::User(user.clone())),
                (WebhookKind::NotificationCreated, WebhookSubject::Notification { user_id: user, notification_id }),
                (WebhookKind::CallEnded, WebhookSubject::Call(ended)),
            ] {
                prop_assert_eq!(WebhookSubject::from_stored(kind, &subject.to_stored()), Ok(subject));
            }
        }

        #[test]
        fn no_text_makes_reading_a_subject_panic(text: String) {
            for kind in WebhookKind::ALL {
                let _ = WebhookSubject::from_stored(kind, &text);
            }
        }
    }
}
