//! Values of single fields that are more than a text or a number: each is read, bounded and described in one place.

use std::borrow::Cow;

use parlance_dialects::schemas::ObjectIdSchema;
use parlance_domain::model::{ConversationCursor, MessageId, Role, SearchCursor, Timestamp, UserId, WebhookId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The longest text to search for, in characters.
const MAX_SEARCH_CHARS: usize = 200;

/// A value with a text form of its own.
pub(crate) trait Readable: Sized {
    /// The value, or what it must be.
    fn read(text: &str) -> Result<Self, Cow<'static, str>>;

    /// What texts there are.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// A field that holds a text form.
#[derive(Debug, Clone)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T: Readable> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text).map(Self).map_err(D::Error::custom)
    }
}

impl<T: Readable> JsonSchema for Parsed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl Readable for UserId {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse().map_err(|error: parlance_domain::model::InvalidId| error.to_string().into())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        user_id()
    }
}

/// A user's id, in fields and paths.
pub(super) fn user_id() -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": UserId::MAX_BYTES,
        // Lengths count characters; the server counts bytes of UTF-8.
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
        "examples": ["alice"],
    })
}

impl Readable for MessageId {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse().map_err(|_| "must be the id of a message".into())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<ObjectIdSchema>()
    }
}

impl Readable for WebhookId {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse().map_err(|_| "must be the id of an event".into())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<ObjectIdSchema>()
    }
}

impl Readable for ConversationCursor {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse().map_err(|_| "must be the nextCursor of a page".into())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        cursor()
    }
}

impl Readable for SearchCursor {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse().map_err(|_| "must be the nextCursor of a page".into())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        cursor()
    }
}

fn cursor() -> Schema {
    json_schema!({"description": "The `nextCursor` of the page before.", "type": "string"})
}

impl Readable for Role {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        match text {
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            _ => Err("must be admin or member".into()),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": ["admin", "member"]})
    }
}

impl Readable for Timestamp {
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        let moment = text.parse::<jiff::Timestamp>();
        let moment = moment.map_err(|_| "must be a moment such as 2026-11-21T01:02:03Z")?;
        Ok(Self::from_millis(moment.as_millisecond()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// How many items are asked for, from 1 to `MAX`; `DEFAULT` if it is not said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit<const DEFAULT: usize, const MAX: usize>(pub(crate) usize);

impl<const DEFAULT: usize, const MAX: usize> Default for Limit<DEFAULT, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const DEFAULT: usize, const MAX: usize> Deserialize<'de> for Limit<DEFAULT, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("must be a number"))?;
        if (1..=MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(D::Error::custom(format!("must be from 1 to {MAX}")))
        }
    }
}

impl<const DEFAULT: usize, const MAX: usize> JsonSchema for Limit<DEFAULT, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Limit{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT})
    }
}

/// A whole number from `MIN`, as far as every storage counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub(crate) u64);

/// The bound of what stores count, which is in signed 64 bits.
pub(crate) const COUNTED: u64 = i64::MAX.unsigned_abs();

impl<const MIN: u64, const MAX: u64> Default for Whole<MIN, MAX> {
    fn default() -> Self {
        Self(MIN)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = String::deserialize(deserializer)?.parse().ok();
        let within = number.filter(|number| (MIN..=MAX).contains(number));
        within.map(Self).ok_or_else(|| D::Error::custom(format!("must be a whole number from {MIN} to {MAX}")))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Whole{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX, "default": MIN})
    }
}

/// Whether something is asked for; no if it is not said.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "false" | "0" => Ok(Self(false)),
            "true" | "1" => Ok(Self(true)),
            _ => Err(D::Error::custom("must be true or false")),
        }
    }
}

impl JsonSchema for Flag {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "boolean", "default": false})
    }
}

/// A text to search for, without the space around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Searched(String);

impl Searched {
    /// The text; nothing if it was only space.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Searched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?.trim().to_owned();
        if text.chars().count() > MAX_SEARCH_CHARS || text.contains('\0') {
            return Err(D::Error::custom(format!("must have at most {MAX_SEARCH_CHARS} characters and no NUL")));
        }
        Ok(Self(text))
    }
}

impl JsonSchema for Searched {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Searched".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": MAX_SEARCH_CHARS})
    }
}
