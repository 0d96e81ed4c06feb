//! Calls on the wire.

use parlance_domain::event::{CallAudience, CallEvent, CallStep};
use parlance_domain::model::{CallMedia, ConversationId, SessionId};
use parlance_domain::ports::{CallAnswer, CallAsk};
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

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireAsk {
    Accept { user: String, session: u64 },
    Reject { user: String, reason: Option<String> },
    HangUp { user: String, reason: Option<String> },
    Signal { from: String, session: u64, to: String, data: String },
    SocketGone { user: String, session: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireAnswer {
    Done,
    NotFound,
    Conflict(String),
    Failed,
}

impl From<&CallAsk> for WireAsk {
    fn from(ask: &CallAsk) -> Self {
        match ask {
            CallAsk::Accept { user, session } => Self::Accept { user: user.to_string(), session: session.0 },
            CallAsk::Reject { user, reason } => Self::Reject { user: user.to_string(), reason: reason.clone() },
            CallAsk::HangUp { user, reason } => Self::HangUp { user: user.to_string(), reason: reason.clone() },
            CallAsk::Signal { from, session, to, data } => {
                Self::Signal { from: from.to_string(), session: session.0, to: to.to_string(), data: data.clone() }
            }
            CallAsk::SocketGone { user, session } => Self::SocketGone { user: user.to_string(), session: session.0 },
        }
    }
}

impl WireAsk {
    pub(super) fn read(self) -> Result<CallAsk, Unreadable> {
        Ok(match self {
            Self::Accept { user, session } => CallAsk::Accept { user: user_id(&user)?, session: SessionId(session) },
            Self::Reject { user, reason } => CallAsk::Reject { user: user_id(&user)?, reason },
            Self::HangUp { user, reason } => CallAsk::HangUp { user: user_id(&user)?, reason },
            Self::Signal { from, session, to, data } => {
                CallAsk::Signal { from: user_id(&from)?, session: SessionId(session), to: user_id(&to)?, data }
            }
            Self::SocketGone { user, session } => {
                CallAsk::SocketGone { user: user_id(&user)?, session: SessionId(session) }
            }
        })
    }
}

impl From<&CallAnswer> for WireAnswer {
    fn from(answer: &CallAnswer) -> Self {
        match answer {
            CallAnswer::Done => Self::Done,
            CallAnswer::NotFound => Self::NotFound,
            CallAnswer::Conflict(text) => Self::Conflict(text.clone()),
            CallAnswer::Failed => Self::Failed,
        }
    }
}

impl WireAnswer {
    pub(super) fn read(self) -> CallAnswer {
        match self {
            Self::Done => CallAnswer::Done,
            Self::NotFound => CallAnswer::NotFound,
            Self::Conflict(text) => CallAnswer::Conflict(text),
            Self::Failed => CallAnswer::Failed,
        }
    }
}
