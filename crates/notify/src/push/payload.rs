//! What a browser is told: as JSON for the service worker of the client, short enough for one record.

use parlance_domain::model::Subject;
use parlance_domain::ports::Digest;
use serde::Serialize;

use super::sealing::MAX_MESSAGE_BYTES;

/// The longest title and body, in bytes; a notification shows less.
const MAX_TITLE_BYTES: usize = 400;
const MAX_BODY_BYTES: usize = 1_200;
/// A longer link is left out.
const MAX_LINK_BYTES: usize = 1_024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    notification_id: String,
    #[serde(rename = "type")]
    kind: &'a str,
    title: String,
    body: String,
    /// A newer notification of the same tag takes the place of one that is still shown.
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    unread: u64,
}

/// The topic under which a push service keeps the newest message alone, and the message.
pub(super) fn write(digest: &Digest) -> Result<(String, Vec<u8>), serde_json::Error> {
    let notification = &digest.notification;
    // Short enough and of the right characters (RFC 8030, 5.4).
    let topic = match notification.conversation_id {
        Some(id) => Subject::Conversation(id).to_string(),
        None => Subject::Notification(notification.id).to_string(),
    };
    let mut payload = Payload {
        notification_id: notification.id.to_string(),
        kind: notification.kind.as_str(),
        title: shortened(&notification.title, MAX_TITLE_BYTES),
        body: shortened(&notification.message, MAX_BODY_BYTES),
        tag: &topic,
        conversation_id: notification.conversation_id.map(|id| id.to_string()),
        link: notification.link.as_deref().filter(|link| link.len() <= MAX_LINK_BYTES),
        unread: digest.unread,
    };
    let mut message = serde_json::to_vec(&payload)?;
    // Only of characters that JSON writes with several.
    while message.len() > MAX_MESSAGE_BYTES && !payload.body.is_empty() {
        payload.body = shortened(&payload.body, payload.body.len() / 2);
        message = serde_json::to_vec(&payload)?;
    }
    Ok((topic, message))
}

/// The beginning of a text, in at most so many bytes, without characters that do not show.
fn shortened(text: &str, bytes: usize) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= bytes).last().unwrap_or(0);
    text[..end].chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use parlance_domain::model::{ConversationId, NotificationId, NotificationKind, NotificationView, Timestamp, User};
    use serde_json::Value;

    use super::*;

    fn digest(title: &str, message: &str, conversation_id: Option<ConversationId>, link: Option<&str>) -> Digest {
        Digest {
            user: User::nameless("ann".parse().unwrap()),
            addresses: vec![],
            notification: NotificationView {
                id: NotificationId::from_bytes([9; 12]),
                kind: NotificationKind::chat_message(),
                title: title.to_owned(),
                message: message.to_owned(),
                link: link.map(str::to_owned),
                conversation_id,
                data: None,
                read: false,
                created_at: Timestamp::from_millis(0),
            },
            unread: 2,
            words: vec![],
        }
    }

    #[test]
    fn a_message_says_what_it_is_of() {
        let room = ConversationId::from_bytes([7; 12]);
        let (topic, message) = write(&digest("Team", "Bob: hi", Some(room), None)).unwrap();
        let said: Value = serde_json::from_slice(&message).unwrap();
        assert_eq!((said["title"].as_str(), said["body"].as_str()), (Some("Team"), Some("Bob: hi")));
        assert_eq!(said["conversationId"], room.to_string());
        assert_eq!((said["tag"].as_str(), said["unread"].as_u64()), (Some(topic.as_str()), Some(2)));
        assert!(said.get("link").is_none());
        let (other, _) = write(&digest("Order", "Shipped", None, Some("/orders/7"))).unwrap();
        assert_ne!(topic, other);
        let fits = |topic: &str| topic.len() <= 32 && topic.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(fits(&topic) && fits(&other));
    }

    #[test]
    fn a_message_fits_whatever_is_in_it() {
        for piece in ["ä", "\"", "\u{1}", "\u{1F600}", "\n"] {
            let text = piece.repeat(2_000);
            let link = format!("/{}", "x".repeat(2_000));
            let (_, message) = write(&digest(&text, &text, None, Some(&link))).unwrap();
            assert!(message.len() <= MAX_MESSAGE_BYTES, "{} bytes of {piece:?}", message.len());
            let said: Value = serde_json::from_slice(&message).unwrap();
            assert!(said["title"].as_str().is_some_and(|title| !title.is_empty()), "{piece:?}");
        }
    }
}
