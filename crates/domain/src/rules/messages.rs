//! What a message must look like before it is stored (contract: `dialects.md`, "Behaviour shared by
//! all dialects"; `errors.md`, limits). Who may send where is decided in the append transaction.

use super::Limits;
use crate::error::{Error, Result};
use crate::model::{ClientMessageId, ConversationId, MediaLink, MediaType, MessageId, MessageKind};

/// The longest name of a medium that a message repeats, in bytes.
const MAX_FILENAME_BYTES: usize = 255;

/// A message as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where it goes.
    pub conversation_id: ConversationId,
    /// What it says.
    pub text: Option<String>,
    /// What hangs on it.
    pub media: Vec<MediaLink>,
    /// What the client says it is; `None` if it did not say.
    pub claimed_kind: Option<ClaimedKind>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own mark.
    pub client_message_id: Option<ClientMessageId>,
}

impl Draft {
    /// A plain text, and nothing else.
    pub fn text(conversation_id: ConversationId, text: impl Into<String>) -> Self {
        Self {
            conversation_id,
            text: Some(text.into()),
            media: Vec::new(),
            claimed_kind: None,
            reply_to: None,
            client_message_id: None,
        }
    }
}

/// The `messageType` of a client. `system` is not among them: only the server writes those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedKind {
    /// Text.
    Text,
    /// A medium of this type.
    Media(MediaType),
    /// Audio, which is refused with an error of its own.
    Audio,
}

/// A draft that keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Trimmed; `None` if there is only media.
    pub text: Option<String>,
    /// What it is.
    pub kind: MessageKind,
}

/// Checks a draft against the rules and the limits.
///
/// # Errors
/// `Validation` naming `text`, `media` or `messageType`; `AudioNotAllowed`.
pub fn check(draft: &Draft, limits: &Limits, own_media_prefix: &str) -> Result<Checked> {
    if draft.claimed_kind == Some(ClaimedKind::Audio) {
        return Err(Error::AudioNotAllowed);
    }
    if draft.media.len() > limits.max_media {
        return Err(Error::validation("media", format!("must have at most {} items", limits.max_media)));
    }
    for link in &draft.media {
        check_link(&link.url, "media", own_media_prefix)?;
        if link
            .filename
            .as_ref()
            .is_some_and(|name| name.len() > MAX_FILENAME_BYTES || name.chars().any(char::is_control))
        {
            return Err(Error::validation("media", "filename must have at most 255 bytes without control characters"));
        }
    }
    let kind = draft.media.first().map_or(MessageKind::Text, |first| MessageKind::Media(first.media_type));
    let claimed = draft.claimed_kind.map(|claim| match claim {
        ClaimedKind::Media(media_type) => MessageKind::Media(media_type),
        ClaimedKind::Text | ClaimedKind::Audio => MessageKind::Text,
    });
    if claimed.is_some_and(|claimed| claimed != kind) {
        return Err(Error::validation("messageType", "must be the type of the first medium, or text without media"));
    }
    let text = match draft.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(checked_text(text, limits)?),
        None if draft.media.is_empty() => return Err(Error::validation("text", "must not be empty without media")),
        None => None,
    };
    Ok(Checked { text, kind })
}

/// Checks the new text of an edit.
///
/// # Errors
/// `Validation` naming `text`.
pub fn check_edit(text: &str, limits: &Limits) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::validation("text", "must not be empty"));
    }
    checked_text(text, limits)
}

fn checked_text(text: &str, limits: &Limits) -> Result<String> {
    // Counting characters of a text that is short enough in bytes is not needed.
    if text.len() > limits.max_text_chars && text.chars().count() > limits.max_text_chars {
        return Err(Error::validation("text", format!("must have at most {} characters", limits.max_text_chars)));
    }
    if text.contains('\0') {
        return Err(Error::validation("text", "must not contain NUL"));
    }
    Ok(text.to_owned())
}

/// Checks a link to a medium: ours or `https:`, at most 2,048 bytes.
///
/// # Errors
/// `Validation` naming `field`.
pub fn check_link(url: &str, field: &'static str, own_prefix: &str) -> Result<()> {
    const MAX_URL_BYTES: usize = 2048;
    let https = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) && url.len() > 8;
    let ours = !own_prefix.is_empty() && url.starts_with(own_prefix) && !url.contains("..");
    let plain = url.len() <= MAX_URL_BYTES && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain && (https || ours) {
        Ok(())
    } else {
        Err(Error::validation(field, "url must be one of this server's media or https"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draft(text: Option<&str>, media: &[(&str, MediaType)], claimed_kind: Option<ClaimedKind>) -> Draft {
        let link = |(url, media_type): &(&str, MediaType)| MediaLink {
            url: (*url).to_owned(),
            media_type: *media_type,
            filename: None,
            size: None,
            thumbnail_url: None,
        };
        Draft {
            conversation_id: ConversationId::from_bytes([1; 12]),
            text: text.map(str::to_owned),
            media: media.iter().map(link).collect(),
            claimed_kind,
            reply_to: None,
            client_message_id: None,
        }
    }

    fn verdict(draft: &Draft) -> Result<Checked> {
        check(draft, &Limits::default(), "/media/")
    }

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(verdict(&draft(Some("  hi \n"), &[], None)).map(|c| c.text), Ok(Some("hi".into())));
        assert!(verdict(&draft(Some(&"ß".repeat(10_000)), &[], None)).is_ok());
        assert!(verdict(&draft(Some(&"ß".repeat(10_001)), &[], None)).is_err());
        assert!(verdict(&draft(Some("   "), &[], None)).is_err());
        assert!(verdict(&draft(None, &[], None)).is_err());
    }

    #[test]
    fn the_type_must_be_that_of_the_first_medium() {
        let image = [("https://x/y.jpg", MediaType::Image)];
        assert!(verdict(&draft(None, &image, Some(ClaimedKind::Media(MediaType::Image)))).is_ok());
        assert!(verdict(&draft(None, &image, None)).is_ok());
        assert!(verdict(&draft(None, &image, Some(ClaimedKind::Text))).is_err());
        assert!(verdict(&draft(Some("x"), &[], Some(ClaimedKind::Media(MediaType::File)))).is_err());
        assert_eq!(verdict(&draft(Some("x"), &[], Some(ClaimedKind::Audio))), Err(Error::AudioNotAllowed));
    }

    #[test]
    fn media_links_are_ours_or_https() {
        for url in ["javascript:alert(1)", "http://x/y", "https://", "/media/../etc", "data:x", "https://a b"] {
            assert!(verdict(&draft(None, &[(url, MediaType::File)], None)).is_err(), "{url}");
        }
        assert!(verdict(&draft(None, &[("/media/1/a.pdf", MediaType::File)], None)).is_ok());
        let eleven = [("https://x/y", MediaType::File); 11];
        assert!(verdict(&draft(None, &eleven[..10], None)).is_ok());
        assert!(verdict(&draft(None, &eleven, None)).is_err());
    }

    #[test]
    fn names_of_media_are_bounded() {
        let named = |name: &str| {
            let mut draft = draft(None, &[("https://x/y", MediaType::File)], None);
            draft.media[0].filename = Some(name.to_owned());
            verdict(&draft).is_ok()
        };
        assert!(named("Übersicht 2026.pdf") && named(&"x".repeat(255)));
        assert!(!named(&"x".repeat(256)) && !named("a\0.pdf"));
    }

    proptest! {
        #[test]
        fn an_accepted_text_is_never_blank_nor_too_long(text: String) {
            if let Ok(Checked { text: Some(text), .. }) = verdict(&draft(Some(&text), &[], None)) {
                prop_assert!(!text.trim().is_empty() && text.chars().count() <= 10_000);
                prop_assert_eq!(text.trim(), &text);
            }
        }
    }
}
