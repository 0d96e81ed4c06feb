//! Messages on their way in: which fields of a payload make a [`Draft`]. Whether it may be sent is decided by
//! `rules::messages` and the append transaction. The dialects take the fields that their table names; REST takes all.

use parlance_domain::model::{ClientMessageId, MediaLink, MediaType};
use parlance_domain::rules::messages::{ClaimedKind, Draft};
use parlance_domain::{Error, Result};
use serde_json::Value;

use crate::arguments::Fields;

/// More than any limit on media allows (`MAX_MEDIA`); the rules apply the setting.
const MAX_MEDIA_ITEMS: usize = 1_000;

/// The draft in the body of a REST request: text as `text`, `content` or `message`, and every optional field.
///
/// # Errors
/// `Validation` naming the field, `ConversationNotFound`, `MessageNotFound`, `AudioNotAllowed`.
pub fn read_draft(body: &Value) -> Result<Draft> {
    let fields = Fields::from(body.as_object().ok_or_else(|| Error::validation("body", "must be an object"))?);
    let text = ["text", "content", "message"].into_iter().find(|name| fields.get(name).is_some());
    rich(fields, text.unwrap_or("text"))
}

/// What every dialect's send has: `conversationId` and `clientMessageId`.
pub(crate) fn bare(fields: Fields<'_>) -> Result<Draft> {
    Ok(Draft {
        conversation_id: fields.conversation_id()?,
        text: None,
        media: Vec::new(),
        claimed_kind: None,
        reply_to: None,
        client_message_id: fields.text("clientMessageId")?.map(ClientMessageId::new).transpose()?,
    })
}

/// A text that must be there, under the dialect's name for it.
pub(crate) fn text(fields: Fields<'_>, name: &'static str) -> Result<Draft> {
    let draft = bare(fields)?;
    Ok(Draft { text: Some(fields.required_text(name)?.to_owned()), ..draft })
}

/// An optional text with media, `messageType` and `replyTo`.
pub(crate) fn rich(fields: Fields<'_>, text: &'static str) -> Result<Draft> {
    let draft = bare(fields)?;
    Ok(Draft {
        text: fields.text(text)?.map(str::to_owned),
        media: media(fields)?,
        claimed_kind: fields.text("messageType")?.map(claimed_kind).transpose()?,
        reply_to: fields.message_id("replyTo")?,
        ..draft
    })
}

fn claimed_kind(name: &str) -> Result<ClaimedKind> {
    match name {
        "text" => Ok(ClaimedKind::Text),
        "audio" => Ok(ClaimedKind::Audio),
        _ => media_type(name)
            .map(ClaimedKind::Media)
            .ok_or_else(|| Error::validation("messageType", "must be text, image, video or file")),
    }
}

fn media(fields: Fields<'_>) -> Result<Vec<MediaLink>> {
    fields.list("media", MAX_MEDIA_ITEMS)?.into_iter().flatten().map(media_link).collect()
}

fn media_link(item: &Value) -> Result<MediaLink> {
    let fields =
        Fields::from(item.as_object().ok_or_else(|| Error::validation("media", "must be an array of objects"))?);
    let media_type = match fields.required_text("type").map_err(within_media)? {
        "audio" => return Err(Error::AudioNotAllowed),
        name => media_type(name).ok_or_else(|| Error::validation("media.type", "must be image, video or file"))?,
    };
    Ok(MediaLink {
        url: fields.required_text("url").map_err(within_media)?.to_owned(),
        media_type,
        filename: fields.text("filename").map_err(within_media)?.map(str::to_owned),
        size: fields.whole_number("size").map_err(within_media)?,
        // Previews are made by the server; a client's link to one would be shown unchecked.
        thumbnail_url: None,
    })
}

fn within_media(error: Error) -> Error {
    match error {
        Error::Validation { field, message } => Error::validation(format!("media.{field}"), message),
        other => other,
    }
}

fn media_type(name: &str) -> Option<MediaType> {
    match name {
        "image" => Some(MediaType::Image),
        "video" => Some(MediaType::Video),
        "file" => Some(MediaType::File),
        _ => None,
    }
}
