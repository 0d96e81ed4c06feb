//! The text of a message of a load: a mark that says when it was meant to be sent and into which conversation, then
//! words. Received messages are recognised by searching for the mark and for `seq` in the raw JSON: nothing else in them
//! contains either, since the load wrote them all, and it works for every dialect and server.

use std::fmt::Write;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What begins a text. No JSON escape, no word, no id contains it.
const MARK: &str = "b~";

static MARKS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
static SEQS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"seq\":"));
static SUCCESSES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"success\":true"));

/// Syllables that words are made of.
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "ter", "san", "vel", "po", "ri", "dun", "fa", "sel", "no", "gar", "bi", "tu", "hem"];

/// A word that one in a thousand messages contains.
pub(crate) const RARE_WORD: &str = "zeppelin";

/// A received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    /// Which of the run's conversations it is in.
    pub(crate) conversation: usize,
    /// When it was meant to be sent, in nanoseconds since the run began.
    pub(crate) sent_at: u64,
    /// Its place in the conversation.
    pub(crate) seq: u64,
}

/// The text of message `number`.
pub(crate) fn text(conversation: usize, sent_at: u64, number: u64) -> String {
    let mut text = String::with_capacity(96);
    let _ = write!(text, "{MARK}{conversation}~{sent_at}~");
    let mut state = number;
    for _ in 0..8 {
        // Knuth's multiplier: successive numbers give words that look unrelated, and the same ones in every run.
        state = state.wrapping_add(1).wrapping_mul(6_364_136_223_846_793_005);
        let pick = |shift: u32| SYLLABLES[usize::try_from(state >> shift & 15).unwrap_or(0)];
        let _ = write!(text, " {}{}{}", pick(60), pick(56), pick(52));
    }
    if number.is_multiple_of(1000) {
        let _ = write!(text, " {RARE_WORD}");
    }
    text
}

/// Reads the mark and the place out of a message in JSON.
pub(crate) fn read(json: &str) -> Option<Received> {
    let bytes = json.as_bytes();
    let (conversation, used) = number(&bytes[MARKS.find(bytes)? + MARK.len()..])?;
    let (sent_at, _) = number(used.strip_prefix(b"~")?)?;
    Some(Received { conversation: usize::try_from(conversation).ok()?, sent_at, seq: seq(json)? })
}

/// The first `seq` in an answer.
pub(crate) fn seq(json: &str) -> Option<u64> {
    let bytes = json.as_bytes();
    number(&bytes[SEQS.find(bytes)? + "\"seq\":".len()..]).map(|(seq, _)| seq)
}

/// Whether an answer says that the call succeeded.
pub(crate) fn succeeded(json: &str) -> bool {
    SUCCESSES.find(json.as_bytes()).is_some()
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value =
        bytes[..digits].iter().fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (digits > 0).then_some((value, &bytes[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_any_order_of_fields() {
        let text = text(17, 123_456_789, 4000);
        assert!(text.ends_with(RARE_WORD));
        let expected = Some(Received { conversation: 17, sent_at: 123_456_789, seq: 42 });
        assert_eq!(read(&format!(r#"{{"message":{{"seq":42,"text":"{text}"}}}}"#)), expected);
        assert_eq!(read(&format!(r#"{{"message":"{text}","timestamp":"x","seq":42}}"#)), expected);
        assert_eq!(read(r#"{"message":{"seq":42,"text":"hello"}}"#), None);
    }

    #[test]
    fn answers_say_whether_they_succeeded() {
        assert!(succeeded(r#"[{"success":true,"messageId":"x"}]"#));
        assert!(!succeeded(r#"[{"success":false,"error":"no"}]"#));
    }
}
