//! Calls on the wire.

use parlance_domain::event::{CallAudience, CallEvent, CallStep};
use parlance_domain::model::{CallMedia, ConversationId, SessionId};
use serde::{Deserialize, Serialize};

use super::message::Id;
use super::{Unreadable, names, user_id, user_ids};

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireCallEvent {
    Invited { conversation_id: Id, media: WireCallMedia, data: Option<String>, from: String },
    Accepted(WireStep),
    Rejected(WireStep),
    HungUp(WireStep),
    Signal { from: String, data: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireCallMedia {
    Audio,
    Video,
    Screen,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireStep {
    conversation_id: Id,
    user_id: String,
    reason: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireCallAudience {
    Users(Vec<String>),
    Socket(u64),
}

impl From<&CallEvent> for WireCallEvent {
    fn from(what: &CallEvent) -> Self {
        match what {
            CallEvent::Invited { conversation_id, media, data, from } => Self::Invited {
                conversation_id: conversation_id.bytes(),
                media: (*media).into(),
                data: data.clone(),
                from: from.to_string(),
            },
            CallEvent::Accepted(step) => Self::Accepted(step.into()),
            CallEvent::Rejected(step) => Self::Rejected(step.into()),
            CallEvent::HungUp(step) => Self::HungUp(step.into()),
            CallEvent::Signal { from, data } => Self::Signal { from: from.to_string(), data: data.clone() },
        }
    }
}

impl WireCallEvent {
    pub(super) fn read(self) -> Result<CallEvent, Unreadable> {
        Ok(match self {
            Self::Invited { conversation_id, media, data, from } => CallEvent::Invited {
                conversation_id: ConversationId::from_bytes(conversation_id),
                media: media.into(),
                data,
                from: user_id(&from)?,
            },
            Self::Accepted(step) => CallEvent::Accepted(step.read()?),
            Self::Rejected(step) => CallEvent::Rejected(step.read()?),
            Self::HungUp(step) => CallEvent::HungUp(step.read()?),
            Self::Signal { from, data } => CallEvent::Signal { from: user_id(&from)?, data },
        })
    }
}

impl From<CallMedia> for WireCallMedia {
    fn from(media: CallMedia) -> Self {
        match media {
            CallMedia::Audio => Self::Audio,
            CallMedia::Video => Self::Video,
            CallMedia::Screen => Self::Screen,
        }
    }
}

impl From<WireCallMedia> for CallMedia {
    fn from(media: WireCallMedia) -> Self {
        match media {
            WireCallMedia::Audio => Self::Audio,
            WireCallMedia::Video => Self::Video,
            WireCallMedia::Screen => Self::Screen,
        }
    }
}

impl From<&CallStep> for WireStep {
    fn from(step: &CallStep) -> Self {
        let CallStep { conversation_id, user_id, reason } = step;
        Self { conversation_id: conversation_id.bytes(), user_id: user_id.to_string(), reason: reason.clone() }
    }
}

impl WireStep {
    fn read(self) -> Result<CallStep, Unreadable> {
        let Self { conversation_id, user_id: user, reason } = self;
        let conversation_id = ConversationId::from_bytes(conversation_id);
        Ok(CallStep { conversation_id, user_id: user_id(&user)?, reason })
    }
}

impl From<&CallAudience> for WireCallAudience {
    fn from(to: &CallAudience) -> Self {
        match to {
            CallAudience::Users(users) => Self::Users(names(users)),
            CallAudience::Socket(SessionId(session)) => Self::Socket(*session),
        }
    }
}

impl WireCallAudience {
    pub(super) fn read(self) -> Result<CallAudience, Unreadable> {
        Ok(match self {
            Self::Users(users) => CallAudience::Users(user_ids(&users)?.into()),
            Self::Socket(session) => CallAudience::Socket(SessionId(session)),
        })
    }
}
