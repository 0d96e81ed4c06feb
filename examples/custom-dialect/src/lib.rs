//! `plainchat`: a vocabulary of a team's own, for clients that enter rooms and say lines. It is a table of what clients
//! may send, one of what they hear, and shapes; acks, errors, edits, reactions, `sync`, notifications and calls are those
//! that every dialect has. Nothing here knows sockets.

use parlance_dialects::vocabulary::{
    Arguments, Id, Inbound, Moment, Notification, ObjectIdSchema, Operation, Outbound, Said, Vocabulary,
    encode_extension,
};
use parlance_dialects::{Command, Decoded, Wire};
use parlance_domain::Error;
use parlance_domain::event::Event;
use parlance_domain::model::{ClientMessageId, ConversationId, MessageId, MessageView, User};
use parlance_domain::rules::messages::Draft;
use schemars::JsonSchema;
use serde::Serialize;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Plainchat;

impl Vocabulary for Plainchat {
    type Message<'a> = Spoken<'a>;
    type User<'a> = Person<'a>;
    // A shape that another dialect has will do.
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = "plainchat";

    const INBOUND: &'static [Inbound] = &[
        Inbound::join("enter"),
        Inbound::leave("part"),
        Inbound::new::<Say>("say", say).of(Operation::Send).says(Said::Sent),
    ];

    const OUTBOUND: &'static [Outbound] = &[
        Outbound::new::<Spoken<'static>>("heard"),
        Outbound::new::<Presence<'static>>("arrived"),
        Outbound::new::<Presence<'static>>("gone"),
    ];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        match event {
            Event::MessageNew { message, .. } => vec![Wire::new("heard", &Spoken::from(&**message))],
            Event::UserOnline { user_id, .. } => vec![Wire::new("arrived", &Presence { who: user_id.as_str() })],
            Event::UserOffline { user_id, .. } => vec![Wire::new("gone", &Presence { who: user_id.as_str() })],
            // Edits, reactions, receipts, notifications, calls: as in every dialect, with a message as it is here.
            _ => encode_extension::<Self>(event, unread),
        }
    }
}

/// What `say` takes, for the description; `say` reads it.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "stands for a schema")]
struct Say {
    room: ObjectIdSchema,
    line: String,
    /// The sender's own mark: what is said again with the same one is one line.
    mark: Option<String>,
}

fn say(args: Arguments<'_>) -> Decoded {
    let fields = args.fields()?;
    let room = fields.required_text("room")?.parse().map_err(|_| Error::ConversationNotFound)?;
    let mark = fields.text("mark")?.map(ClientMessageId::new).transpose()?;
    Ok(Command::Send(Draft { client_message_id: mark, ..Draft::text(room, fields.required_text("line")?) }))
}

/// A message.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PlainchatLine")]
pub struct Spoken<'a> {
    id: Id<MessageId>,
    room: Id<ConversationId>,
    seq: u64,
    who: Person<'a>,
    line: Option<&'a str>,
    mark: Option<&'a str>,
    at: Moment,
}

impl<'a> From<&'a MessageView> for Spoken<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            id: Id(message.id),
            room: Id(message.conversation_id),
            seq: message.seq,
            who: (&view.sender).into(),
            line: message.text.as_deref(),
            mark: message.client_message_id.as_ref().map(ClientMessageId::as_str),
            at: Moment(message.created_at),
        }
    }
}

/// A person.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PlainchatPerson")]
pub struct Person<'a> {
    id: &'a str,
    nick: &'a str,
}

impl<'a> From<&'a User> for Person<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: user.id.as_str(), nick: &user.name }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(inline)]
struct Presence<'a> {
    who: &'a str,
}
