//! Calls on the wire, one shape in every dialect: what a client says to ring, answer, go and pass a word on, and what
//! the others hear. What clients tell each other (`data`: SDP, ICE) is any JSON, passed on and not looked into.
//! Contract: "Extension vocabulary".

use parlance_domain::event::{CallEvent, CallStep};
use parlance_domain::model::{CallId, CallMedia, ConversationId};
use parlance_domain::services::Invitation;
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::arguments::Arguments;
use crate::shapes::{Id, passed_on};
use crate::vocabulary::{Inbound, Outbound};
use crate::{Command, Wire, payloads, wire};

/// What clients may say.
pub(crate) const INBOUND: &[Inbound] = &[
    Inbound::new::<payloads::Invite>("call:invite", |args| invitation(args).map(Command::CallInvite)),
    Inbound::new::<payloads::OfCall>("call:accept", |args| call_id(args).map(Command::CallAccept)),
    Inbound::new::<payloads::Leave>("call:reject", |args| Ok(Command::CallReject(call_id(args)?, reason(args)?))),
    Inbound::new::<payloads::Leave>("call:hangup", |args| Ok(Command::CallHangUp(call_id(args)?, reason(args)?))),
    Inbound::new::<payloads::Signal>("call:signal", |args| {
        let fields = args.fields()?;
        Ok(Command::CallSignal {
            call_id: call_id(args)?,
            to: fields.required_user_id("to")?,
            data: fields.get("data").ok_or_else(|| Error::validation("data", "is required"))?.to_string(),
        })
    }),
];

fn invitation(args: Arguments<'_>) -> Result<Invitation> {
    let fields = args.fields()?;
    Ok(Invitation {
        conversation_id: fields.conversation_id()?,
        call_id: call_id(args)?,
        media: match fields.required_text("media")? {
            "audio" => CallMedia::Audio,
            "video" => CallMedia::Video,
            "screen" => CallMedia::Screen,
            _ => return Err(Error::validation("media", "must be audio, video or screen")),
        },
        data: fields.get("data").map(ToString::to_string),
    })
}

/// A call's id, bare or as `callId`.
fn call_id(args: Arguments<'_>) -> Result<CallId> {
    CallId::new(args.text("callId")?)
}

/// With a bare id there is none.
fn reason(args: Arguments<'_>) -> Result<Option<String>> {
    let Ok(fields) = args.fields() else { return Ok(None) };
    Ok(fields.text("reason")?.map(str::to_owned))
}

/// What clients may hear.
pub(crate) const OUTBOUND: &[Outbound] = &[
    Outbound::new::<Invited<'static>>("call:invite"),
    Outbound::new::<Step<'static>>("call:accept"),
    Outbound::new::<Step<'static>>("call:reject"),
    Outbound::new::<Step<'static>>("call:hangup"),
    Outbound::new::<Signal<'static>>("call:signal"),
];

/// What clients hear of a call.
pub(crate) fn encode(call_id: &CallId, what: &CallEvent) -> Vec<Wire> {
    let call_id = call_id.as_str();
    match what {
        CallEvent::Invited { conversation_id, media, data, from } => wire::one(
            "call:invite",
            &Invited {
                conversation_id: Id(*conversation_id),
                call_id,
                media: match media {
                    CallMedia::Audio => "audio",
                    CallMedia::Video => "video",
                    CallMedia::Screen => "screen",
                },
                data: passed_on(data.as_deref()),
                from: from.as_str(),
            },
        ),
        CallEvent::Accepted(step) => wire::one("call:accept", &Step::new(call_id, step)),
        CallEvent::Rejected(step) => wire::one("call:reject", &Step::new(call_id, step)),
        CallEvent::HungUp(step) => wire::one("call:hangup", &Step::new(call_id, step)),
        CallEvent::Signal { from, data } => {
            wire::one("call:signal", &Signal { call_id, from: from.as_str(), data: passed_on(Some(data)) })
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Invited<'a> {
    conversation_id: Id<ConversationId>,
    call_id: &'a str,
    #[schemars(extend("enum" = ["audio", "video", "screen"]))]
    media: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    from: &'a str,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Step<'a> {
    call_id: &'a str,
    conversation_id: Id<ConversationId>,
    user_id: &'a str,
    reason: Option<&'a str>,
}

impl<'a> Step<'a> {
    fn new(call_id: &'a str, step: &'a CallStep) -> Self {
        Self {
            call_id,
            conversation_id: Id(step.conversation_id),
            user_id: step.user_id.as_str(),
            reason: step.reason.as_deref(),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Signal<'a> {
    call_id: &'a str,
    from: &'a str,
    data: Option<&'a RawValue>,
}
