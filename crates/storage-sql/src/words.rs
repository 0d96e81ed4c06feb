//! Words as the full-text index holds them, each with its conversation before it. One word is one token of the
//! index, so matching is comparing beginnings. What a word is, `rules::search` says.

use std::fmt::Write;

use parlance_domain::model::ConversationId;
use parlance_domain::rules::search;

/// Stands for the conversation in a [`template`]: no word has a control character.
pub(crate) const CONVERSATION: char = '\u{1}';

/// What comes after so many characters of a message is not indexed: with one word in every other character, each with
/// its conversation before it, that is as much as a `tsvector` of PostgreSQL holds (1 MiB).
const MAX_INDEXED_CHARS: usize = 60_000;

/// How an engine writes what it is asked for.
pub(crate) struct Syntax {
    open: &'static str,
    close: &'static str,
    and: &'static str,
}

impl Syntax {
    /// A query of FTS5.
    pub(crate) const FTS5: Self = Self { open: "\"", close: "\" *", and: " AND " };
    /// A `tsquery`.
    pub(crate) const TSQUERY: Self = Self { open: "'", close: "':*", and: " & " };
}

/// The words of a message for the index, each once.
pub(crate) fn indexed(conversation: ConversationId, text: &str) -> String {
    let text = match text.char_indices().nth(MAX_INDEXED_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    let words = search::indexed(text);
    let conversation = conversation.to_string();
    let mut indexed = String::with_capacity(words.iter().map(|word| word.len() + conversation.len() + 1).sum());
    for word in words {
        // Writing to a string does not fail.
        let _ = write!(indexed, "{conversation}{word} ");
    }
    indexed
}

/// What the index is asked for one conversation, which [`CONVERSATION`] stands for: every one of `words` as the
/// beginning of a word. `None` if nothing can match.
pub(crate) fn template(words: &[String], syntax: &Syntax) -> Option<String> {
    let Syntax { open, close, and } = syntax;
    let mut template = String::new();
    // Nothing but letters and digits gets into the expression, so nothing in it can be taken for syntax.
    for word in search::beginnings(words)? {
        let and = if template.is_empty() { "" } else { and };
        let _ = write!(template, "{and}{open}{CONVERSATION}{word}{close}");
    }
    Some(format!("({template})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let id = ConversationId::from_bytes([0xab; 12]);
        let strip = |word: &str| word.strip_prefix(&"ab".repeat(12)).expect("its conversation before it").to_owned();
        indexed(id, text).split_whitespace().map(strip).collect()
    }

    #[test]
    fn words_are_folded_and_held_once() {
        assert_eq!(words("Le CAFÉ, le cafe\u{301}!"), ["cafe", "le"]);
        assert_eq!(words("snake_case 你好 ΣΊΣΥΦΟΣ"), ["case", "snake", "σισυφοσ", "你好"]);
        assert_eq!(words(" -\"*() 😀"), [""; 0]);
    }

    #[test]
    fn nothing_but_words_gets_into_an_expression() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let tsquery = template(&words(&["Ab", "c"]), &Syntax::TSQUERY);
        assert_eq!(tsquery.as_deref(), Some("('\u{1}ab':* & '\u{1}c':*)"));
        let template = |these: &[&str]| template(&words(these), &Syntax::FTS5);
        assert_eq!(template(&["Ab", "c"]).as_deref(), Some("(\"\u{1}ab\" * AND \"\u{1}c\" *)"));
        for odd in ["a\"b", "a*", "a b", "\u{1}", "a\0"] {
            assert_eq!(template(&[odd]), None, "{odd:?}");
        }
        assert_eq!(template(&[]), None);
        assert_eq!(template(&["\u{301}"]), None);
    }

    #[test]
    fn long_words_are_cut_on_both_sides() {
        let long = "ä".repeat(10_000);
        assert_eq!(words(&long), ["a".repeat(100)]);
        assert!(
            template(&[long], &Syntax::FTS5)
                .is_some_and(|template| template.contains(&format!("{}\"", "a".repeat(100))))
        );
    }

    #[test]
    fn what_is_indexed_of_a_very_long_text_fits_into_a_tsvector() {
        // Different words of one character each, with a character between them.
        let dense: String =
            ('\u{4e00}'..).take(20_000).chain(('\u{ac00}'..).take(11_000)).flat_map(|word| [word, ' ']).collect();
        assert!(dense.chars().count() > MAX_INDEXED_CHARS);
        let indexed = indexed(ConversationId::from_bytes([0xab; 12]), &dense);
        assert!(indexed.len() < 1024 * 1024, "{}", indexed.len());
    }
}
