//! Pieces of payloads that several dialects share, as borrowed structs that serialize straight to text: ids, times,
//! people, media and reactions. Contract: "Users in payloads".

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::marker::PhantomData;

use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;
use parlance_domain::model::{
    ClientMessageId, MediaLink, MediaType, MessageKind, MessageStatus, MessageView, Reaction, Timestamp, User, UserId,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::schemas::ObjectIdSchema;

/// JSON text of a shape.
pub(crate) fn raw(shape: &impl Serialize) -> Box<RawValue> {
    // Serializing fails for maps whose keys are no strings, and no shape has one.
    serde_json::value::to_raw_value(shape).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// JSON that somebody else wrote, as it is; nothing if it is none after all.
pub(crate) fn passed_on(text: Option<&str>) -> Option<&RawValue> {
    text.and_then(|text| serde_json::from_str(text).ok())
}

/// A moment as the contract shows it: RFC 3339 in UTC with milliseconds, `2026-11-21T01:02:03.004Z`.
pub fn timestamp(at: Timestamp) -> String {
    Moment(at).to_string()
}

/// Writes a moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment(pub Timestamp);

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        let nearest = if self.0.millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let moment = jiff::Timestamp::from_millisecond(self.0.millis()).unwrap_or(nearest);
        PRINTER.print_timestamp(&moment, StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// RFC 3339.
impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment: RFC 3339 in UTC, with milliseconds.",
            "type": "string",
            "format": "date-time",
            "examples": ["2026-11-21T01:02:03.004Z"],
        })
    }
}

/// Writes an id made by the server.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: Copy> From<&T> for Id<T> {
    fn from(id: &T) -> Self {
        Self(*id)
    }
}

impl<T: Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// One schema for all of them.
impl<T> JsonSchema for Id<T> {
    fn schema_name() -> Cow<'static, str> {
        ObjectIdSchema::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ObjectIdSchema::json_schema(generator)
    }
}

/// Writes an array, each item in the shape `Shape`.
#[derive(Debug)]
pub(crate) struct Each<'a, Item, Shape>(&'a [Item], PhantomData<fn(&'a Item) -> Shape>);

impl<'a, Item, Shape> Each<'a, Item, Shape> {
    pub(crate) fn of(items: &'a [Item]) -> Self {
        Self(items, PhantomData)
    }
}

impl<'a, Item, Shape: From<&'a Item> + Serialize> Serialize for Each<'a, Item, Shape> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Shape::from))
    }
}

/// An array of `Shape`.
impl<Item, Shape: JsonSchema> JsonSchema for Each<'_, Item, Shape> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        <Vec<Shape>>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<Shape>>::json_schema(generator)
    }
}

/// `media`, `attachments`.
pub(crate) type Media<'a> = Each<'a, MediaLink, Medium<'a>>;
/// `reactions`.
pub(crate) type Reactions<'a> = Each<'a, Reaction, ReactionShape<'a>>;
/// Server-made ids.
pub(crate) type Ids<'a, T> = Each<'a, T, Id<T>>;
/// User ids.
pub(crate) type UserIds<'a> = Each<'a, UserId, UserIdShape<'a>>;

/// A user's id as text.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct UserIdShape<'a>(&'a str);

impl<'a> From<&'a UserId> for UserIdShape<'a> {
    fn from(id: &'a UserId) -> Self {
        Self(id.as_str())
    }
}

/// A person of whom the dialect shows the id only.
impl<'a> From<&'a User> for UserIdShape<'a> {
    fn from(user: &'a User) -> Self {
        Self(user.id.as_str())
    }
}

/// A person in `gateway` and `marketplace`.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "GatewayUser")]
pub(crate) struct AvatarUser<'a> {
    id: &'a str,
    name: &'a str,
    avatar: Option<&'a str>,
}

impl<'a> From<&'a User> for AvatarUser<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: user.id.as_str(), name: &user.name, avatar: user.picture.as_deref() }
    }
}

/// One medium.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Medium<'a> {
    url: &'a str,
    #[schemars(extend("enum" = ["image", "video", "file"]))]
    r#type: &'static str,
    filename: Option<&'a str>,
    size: Option<u64>,
    thumbnail_url: Option<&'a str>,
}

impl<'a> From<&'a MediaLink> for Medium<'a> {
    fn from(link: &'a MediaLink) -> Self {
        Self {
            url: &link.url,
            r#type: media_type(link.media_type),
            filename: link.filename.as_deref(),
            size: link.size,
            thumbnail_url: link.thumbnail_url.as_deref(),
        }
    }
}

/// Everybody who reacted with one emoji.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reaction")]
pub(crate) struct ReactionShape<'a> {
    emoji: &'a str,
    count: usize,
    user_ids: UserIds<'a>,
}

impl<'a> From<&'a Reaction> for ReactionShape<'a> {
    fn from(reaction: &'a Reaction) -> Self {
        Self { emoji: reaction.emoji.as_str(), count: reaction.users.len(), user_ids: UserIds::of(&reaction.users) }
    }
}

/// The fields that a message has in every dialect but `nextchat`, after its content.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History<'a> {
    #[schemars(extend("enum" = ["sent", "delivered", "read"]))]
    status: &'static str,
    client_message_id: Option<&'a str>,
    reactions: Reactions<'a>,
    created_at: Moment,
    updated_at: Moment,
    edited_at: Option<Moment>,
    deleted_at: Option<Moment>,
}

impl<'a> From<&'a MessageView> for History<'a> {
    fn from(view: &'a MessageView) -> Self {
        let message = &view.message;
        Self {
            status: match view.status {
                MessageStatus::Sent => "sent",
                MessageStatus::Delivered => "delivered",
                MessageStatus::Read => "read",
            },
            client_message_id: message.client_message_id.as_ref().map(ClientMessageId::as_str),
            reactions: Reactions::of(&message.reactions),
            created_at: Moment(message.created_at),
            updated_at: Moment(message.updated_at),
            edited_at: message.edited_at.map(Moment),
            deleted_at: message.deleted_at.map(Moment),
        }
    }
}

/// `messageType`, or `type` where the dialect says so.
pub(crate) fn message_type(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Media(media) => media_type(media),
        MessageKind::System => "system",
    }
}

fn media_type(media: MediaType) -> &'static str {
    match media {
        MediaType::Image => "image",
        MediaType::Video => "video",
        MediaType::File => "file",
    }
}
