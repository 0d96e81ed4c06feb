//! Pure codecs: a client's event in each dialect, and the texts that lead from page to page.

use parlance_dialects::Dialect;
use parlance_domain::model::{ContentHash, ConversationCursor, MessageId, Place, SearchCursor, UserId};
use serde_json::Value;

/// A dialect (the first byte) reads an event: the name is up to the first line break, the rest is its arguments as a JSON
/// array. What is refused is answered in the same dialect, and every answer is JSON.
///
/// # Panics
/// Where that does not hold.
pub fn decode(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (event, args) = text.split_once('\n').unwrap_or((text, "[]"));
    let Ok(args) = serde_json::from_str::<Vec<Value>>(args) else { return };
    let dialect = Dialect::ALL[usize::from(*choice) % Dialect::ALL.len()];
    if let Err(error) = dialect.decode(event, &args) {
        let answer = dialect.answer(event, &args, Err(&error));
        assert!(serde_json::from_str::<Value>(answer.ack.get()).is_ok(), "an answer is JSON");
    }
}

/// Cursors, places and ids: what is read is written as a text that is read as the same.
///
/// # Panics
/// Where that does not hold.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    again(text.parse::<ConversationCursor>());
    again(text.parse::<SearchCursor>());
    again(text.parse::<Place>());
    again(text.parse::<ContentHash>());
    again(text.parse::<MessageId>());
    again(text.parse::<UserId>());
    let _ = text.parse::<Dialect>();
}

fn again<T: std::str::FromStr + ToString + PartialEq, E>(read: Result<T, E>) {
    if let Ok(value) = read {
        assert!(value.to_string().parse().is_ok_and(|same: T| same == value), "it is read as what it was written as");
    }
}
