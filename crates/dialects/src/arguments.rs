//! Reading what a client sent: the arguments of an event, which are any JSON whatever. A field that is missing or
//! of the wrong type is `Validation` naming it, a malformed id of something is that thing not found, and fields that
//! nobody asks for are ignored. An id stands bare or in an object, in every dialect. Every dialect's table calls this.

use parlance_domain::model::{ConversationId, MessageId, UserId};
use parlance_domain::ports::ReadTarget;
use parlance_domain::rules::Limits;
use parlance_domain::{Error, Result};
use serde_json::{Map, Value};

/// The largest whole number that every client can write exactly (JavaScript's `Number.MAX_SAFE_INTEGER`).
const MAX_WHOLE: u64 = (1 << 53) - 1;

/// The arguments of one event, without the ack. Only the first is ever looked at.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a>(pub(crate) &'a [Value]);

impl<'a> Arguments<'a> {
    /// The first argument, which must be an object. Nothing at all is an empty object, so that the error names the
    /// first field that is missing.
    pub fn fields(self) -> Result<Fields<'a>> {
        match self.first() {
            None => Ok(Fields(None)),
            Some(Value::Object(fields)) => Ok(Fields(Some(fields))),
            Some(_) => Err(Error::validation("payload", "must be an object")),
        }
    }

    /// A conversation's id, bare or as `conversationId`.
    pub fn conversation_id(self) -> Result<ConversationId> {
        conversation_id(self.text("conversationId")?)
    }

    /// A message's id, bare or as `messageId`.
    pub fn message_id(self) -> Result<MessageId> {
        message_id(self.text("messageId")?)
    }

    /// A user's id, bare or as `userId`.
    pub fn user_id(self) -> Result<UserId> {
        user_id("userId", self.text("userId")?)
    }

    /// Users' ids, as a bare array or as `userIds`; at most [`Limits::MAX_SYNC`].
    pub fn user_ids(self) -> Result<Vec<UserId>> {
        let items = match self.first() {
            Some(Value::Array(items)) => items,
            _ => self.fields()?.list("userIds", Limits::MAX_SYNC)?.ok_or_else(|| missing("userIds"))?,
        };
        bounded("userIds", items, Limits::MAX_SYNC)?;
        items.iter().map(|item| user_id("userIds", string("userIds", item)?)).collect()
    }

    /// A text, bare or in the field `name`.
    pub fn text(self, name: &'static str) -> Result<&'a str> {
        match self.first() {
            Some(Value::Object(fields)) => Fields(Some(fields)).required_text(name),
            Some(value) => string(name, value),
            None => Err(missing(name)),
        }
    }

    fn first(self) -> Option<&'a Value> {
        self.0.first().filter(|value| !value.is_null())
    }
}

/// The fields of an object. `null` is the same as absent.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> From<&'a Map<String, Value>> for Fields<'a> {
    fn from(fields: &'a Map<String, Value>) -> Self {
        Self(Some(fields))
    }
}

impl<'a> Fields<'a> {
    /// The field, whatever it is.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(self, name: &'static str) -> Result<Option<&'a str>> {
        self.get(name).map(|value| string(name, value)).transpose()
    }

    /// A text that must be there.
    pub fn required_text(self, name: &'static str) -> Result<&'a str> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A number without fraction, from 0 up.
    pub fn whole_number(self, name: &'static str) -> Result<Option<u64>> {
        self.get(name).map(|value| whole_number(name, value)).transpose()
    }

    /// An array of at most `max` items.
    pub fn list(self, name: &'static str, max: usize) -> Result<Option<&'a Vec<Value>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| Error::validation(name, "must be an array"))?;
        bounded(name, items, max)?;
        Ok(Some(items))
    }

    /// An object.
    pub fn required_object(self, name: &'static str) -> Result<&'a Map<String, Value>> {
        let value = self.get(name).ok_or_else(|| missing(name))?;
        value.as_object().ok_or_else(|| Error::validation(name, "must be an object"))
    }

    /// `conversationId`.
    pub fn conversation_id(self) -> Result<ConversationId> {
        conversation_id(self.required_text("conversationId")?)
    }

    /// A message's id that may be left out.
    pub fn message_id(self, name: &'static str) -> Result<Option<MessageId>> {
        self.text(name)?.map(message_id).transpose()
    }

    /// A user's id that must be there.
    pub fn required_user_id(self, name: &'static str) -> Result<UserId> {
        user_id(name, self.required_text(name)?)
    }

    /// `messageIds`, at most [`Limits::MAX_IDS`]; none at all means all.
    pub fn read_messages(self) -> Result<ReadTarget> {
        let items = self.list("messageIds", Limits::MAX_IDS)?.ok_or_else(|| missing("messageIds"))?;
        if items.is_empty() {
            return Ok(ReadTarget::All);
        }
        let ids = items.iter().map(|item| message_id(string("messageIds", item)?)).collect::<Result<_>>()?;
        Ok(ReadTarget::Messages(ids))
    }
}

/// A number without fraction, from 0 up.
pub(crate) fn whole_number(name: &'static str, value: &Value) -> Result<u64> {
    value
        .as_u64()
        .filter(|number| *number <= MAX_WHOLE)
        .ok_or_else(|| Error::validation(name, "must be a whole number from 0 up"))
}

fn string<'a>(name: &'static str, value: &'a Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::validation(name, "must be a string"))
}

fn bounded(name: &'static str, items: &[Value], max: usize) -> Result<()> {
    if items.len() > max {
        return Err(Error::validation(name, format!("must have at most {max} items")));
    }
    Ok(())
}

/// No such id was ever given out, so it is answered like any other that leads nowhere.
fn conversation_id(text: &str) -> Result<ConversationId> {
    text.parse().map_err(|_| Error::ConversationNotFound)
}

fn message_id(text: &str) -> Result<MessageId> {
    text.parse().map_err(|_| Error::MessageNotFound)
}

fn user_id(name: &'static str, text: &str) -> Result<UserId> {
    text.parse().map_err(|error: parlance_domain::model::InvalidId| Error::validation(name, error.to_string()))
}

fn missing(name: &'static str) -> Error {
    Error::validation(name, "is required")
}
