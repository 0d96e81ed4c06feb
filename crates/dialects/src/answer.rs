//! Acks, and the event that answers one socket where something failed: `error`. Contract: "Acks".
//! What goes to anybody else is an event and belongs to the dialects, and so does what they say beside an ack.

use parlance_domain::Error;
use parlance_domain::model::{ConversationId, MessageId, MessageView, Rev, User};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::Arguments;
use crate::errors::{self, Operation};
use crate::extension::{self, StatusShape};
use crate::shapes::{Each, Id, UserIdShape, raw};
use crate::vocabulary::{Ack, Inbound, Said, Vocabulary};
use crate::{Answer, Reply, Wire};

/// The answer to an event that was carried out.
pub(crate) fn success<V: Vocabulary>(inbound: Option<&Inbound>, args: &[Value], reply: &Reply) -> Answer {
    let bare = inbound.and_then(|inbound| bare(inbound.ack, reply));
    let ack = bare.unwrap_or_else(|| envelope::<V>(args, reply));
    Answer { ack, events: V::beside_ack(reply), instead_of_ack: None }
}

/// The answer to an event that was refused, failed or could not be read.
pub(crate) fn failure<V: Vocabulary>(inbound: Option<&Inbound>, args: &[Value], error: &Error) -> Answer {
    let operation = inbound.map_or(Operation::Other, |inbound| inbound.operation);
    let (message, code) = (errors::message(error, operation), errors::code(error));
    let retry_after_ms = errors::retry_after_ms(error);
    let event = Wire::new("error", &ErrorEvent { message: &message, code, retry_after_ms });
    let bare = match inbound.map_or(Ack::Envelope, |inbound| inbound.ack) {
        Ack::Envelope => None,
        Ack::Array => Some(raw(&[(); 0])),
        Ack::Status => Some(raw(&StatusShape::unknown(Arguments(args).text("userId").unwrap_or_default()))),
    };
    // An ack without an envelope cannot say that it failed.
    let always = bare.is_some() || V::ERRORS_ARE_EVENTS;
    let ack = bare.unwrap_or_else(|| raw(&Failure { success: false, error: &message, code, retry_after_ms }));
    let (events, instead_of_ack) = if always { (vec![event], None) } else { (Vec::new(), Some(event)) };
    Answer { ack, events, instead_of_ack }
}

fn envelope<V: Vocabulary>(args: &[Value], reply: &Reply) -> Box<RawValue> {
    let success = true;
    match reply {
        Reply::Done => raw(&Success { success }),
        Reply::Room(id) => raw(&Room { success, conversation_id: Id(*id) }),
        Reply::OnlineUsers(users) => {
            let online_users = Each::<User, V::User<'_>>::of(users);
            raw(&Present { success, online_users, count: users.len() })
        }
        Reply::Sent(view) => raw(&Sent {
            success,
            message_id: Id(view.message.id),
            conversation_id: Id(view.message.conversation_id),
            message: V::Message::from(view),
        }),
        Reply::Read { unread } => raw(&Read { success, unread_count: *unread }),
        Reply::Message(view) => raw(&Changed { success, message: V::Message::from(view) }),
        Reply::Statuses(statuses) => raw(&Statuses { success, statuses: Each::<_, StatusShape<'_>>::of(statuses) }),
        Reply::Synced { conversations, unknown } => raw(&Synced {
            success,
            conversations: conversations
                .iter()
                .map(|(id, rev, has_more, messages)| SyncedConversation {
                    conversation_id: Id(*id),
                    rev: *rev,
                    has_more: *has_more,
                    messages: Each::<MessageView, V::Message<'_>>::of(messages),
                })
                .collect(),
            unknown: unknown.iter().map(ToString::to_string).chain(malformed(args)).collect(),
        }),
    }
}

/// What the ack of an event may be, as a schema: success or failure.
pub(crate) fn schema<V: Vocabulary>(inbound: &Inbound, generator: &mut SchemaGenerator) -> Schema {
    let bare = match inbound.ack {
        Ack::Envelope => None,
        Ack::Array if inbound.said == Said::OnlineUsers => Some(<Vec<UserIdShape<'static>>>::json_schema(generator)),
        Ack::Array => Some(<Vec<StatusShape<'static>>>::json_schema(generator)),
        Ack::Status => Some(generator.subschema_for::<StatusShape<'static>>()),
    };
    // An ack without an envelope looks the same on failure.
    bare.unwrap_or_else(|| {
        let success = match inbound.said {
            Said::Done => Success::json_schema(generator),
            Said::Room => Room::json_schema(generator),
            Said::OnlineUsers => <Present<Vec<V::User<'static>>>>::json_schema(generator),
            Said::Sent => <Sent<V::Message<'static>>>::json_schema(generator),
            Said::Read => Read::json_schema(generator),
            Said::Message => <Changed<V::Message<'static>>>::json_schema(generator),
            Said::Statuses => <Statuses<Vec<StatusShape<'static>>>>::json_schema(generator),
            Said::Synced => <Synced<SyncedConversation<Vec<V::Message<'static>>>>>::json_schema(generator),
        };
        json_schema!({"anyOf": [success, generator.subschema_for::<Failure<'static>>()]})
    })
}

fn malformed(args: &[Value]) -> impl Iterator<Item = String> {
    let asked = extension::sync(Arguments(args)).map(|asked| asked.malformed);
    asked.unwrap_or_default().into_iter().map(str::to_owned)
}

/// An ack without an envelope, as `marketplace`'s guide has them.
fn bare(ack: Ack, reply: &Reply) -> Option<Box<RawValue>> {
    match (ack, reply) {
        (Ack::Array, Reply::OnlineUsers(users)) => Some(raw(&Each::<_, UserIdShape<'_>>::of(users))),
        (Ack::Array, Reply::Statuses(statuses)) => Some(raw(&Each::<_, StatusShape<'_>>::of(statuses))),
        (Ack::Status, Reply::Statuses(statuses)) => statuses.first().map(|status| raw(&StatusShape::from(status))),
        _ => None,
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    #[schemars(extend("const" = false))]
    success: bool,
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub(crate) struct ErrorEvent<'a> {
    message: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Success {
    #[schemars(extend("const" = true))]
    success: bool,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Room {
    #[schemars(extend("const" = true))]
    success: bool,
    conversation_id: Id<ConversationId>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Present<U> {
    #[schemars(extend("const" = true))]
    success: bool,
    online_users: U,
    count: usize,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Sent<M> {
    #[schemars(extend("const" = true))]
    success: bool,
    message_id: Id<MessageId>,
    conversation_id: Id<ConversationId>,
    message: M,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct Read {
    #[schemars(extend("const" = true))]
    success: bool,
    unread_count: u64,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Changed<M> {
    #[schemars(extend("const" = true))]
    success: bool,
    message: M,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Statuses<S> {
    #[schemars(extend("const" = true))]
    success: bool,
    statuses: S,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Synced<C> {
    #[schemars(extend("const" = true))]
    success: bool,
    conversations: Vec<C>,
    unknown: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct SyncedConversation<M> {
    conversation_id: Id<ConversationId>,
    rev: Rev,
    has_more: bool,
    messages: M,
}
