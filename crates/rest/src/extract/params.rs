//! The ids in a path, percent-decoded. One that cannot be an id is answered like one that does not exist.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use parlance_domain::model::{ConversationId, Emoji, MediumId, MessageId, NotificationId, UserId};
use parlance_domain::{Error, Result};
use serde_json::{Value, json};
use std::convert::Infallible;

use super::values::user_id;
use crate::description::{Describe, Operation};

/// What stands in the path at the route's `{…}`. Nothing if any of it is not UTF-8 after decoding: then the first
/// that is asked for leads nowhere.
pub(crate) struct Params(Option<RawPathParams>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(RawPathParams::from_request_parts(parts, state).await.ok()))
    }
}

/// The route says which there are.
impl Describe for Params {
    fn describe(_: &mut Operation<'_>) {}
}

impl Params {
    /// `{conversation}`.
    pub(crate) fn conversation(&self) -> Result<ConversationId> {
        self.conversation_at("conversation")
    }

    /// `{message}`.
    pub(crate) fn message(&self) -> Result<MessageId> {
        self.message_at("message")
    }

    /// A conversation's id under another name, on routes that name two things alike.
    pub(crate) fn conversation_at(&self, name: &str) -> Result<ConversationId> {
        self.text(name).and_then(|text| text.parse().ok()).ok_or(Error::ConversationNotFound)
    }

    /// A message's id under another name.
    pub(crate) fn message_at(&self, name: &str) -> Result<MessageId> {
        self.text(name).and_then(|text| text.parse().ok()).ok_or(Error::MessageNotFound)
    }

    /// `{notification}`.
    pub(crate) fn notification(&self) -> Result<NotificationId> {
        let id = self.text("notification").and_then(|text| text.parse().ok());
        id.ok_or(Error::NotFound("Notification not found"))
    }

    /// `{user}`.
    pub(crate) fn user(&self) -> Result<UserId> {
        self.text("user").and_then(|text| text.parse().ok()).ok_or(Error::UserNotFound)
    }

    /// `{emoji}`.
    pub(crate) fn emoji(&self) -> Result<Emoji> {
        Emoji::new(self.text("emoji").unwrap_or_default())
    }

    /// `{medium}`.
    pub(crate) fn medium(&self) -> Result<MediumId> {
        self.text("medium").and_then(|text| text.parse().ok()).ok_or(Error::NotFound("Medium not found"))
    }

    /// `{name}`.
    pub(crate) fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// What stands at the `{…}` of a route: names, what can be there, and how anything else is refused.
    pub(crate) fn described(route: &'static str) -> impl Iterator<Item = (&'static str, Value, u16)> {
        let names = route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| match name {
            "user" => (name, user_id().to_value(), 404),
            "emoji" => (name, json!({"type": "string", "minLength": 1, "maxLength": Emoji::MAX_BYTES}), 400),
            "name" => (name, json!({"type": "string"}), 404),
            _ => (name, json!({"$ref": "#/components/schemas/ObjectId"}), 404),
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.iter().find_map(|(key, value)| (key == name).then_some(value))
    }
}
