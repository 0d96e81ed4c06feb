//! What a search text asks for, and what a message is found by: words of letters and digits, so that no storage's
//! query syntax is ever made from what a user typed.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::error::{Error, Result};

const MAX_WORDS: usize = 10;
const MAX_WORD_CHARS: usize = 64;
/// Longer words are cut, in an index as in a search.
const MAX_INDEXED_CHARS: usize = 100;

/// The words of a search text, in order, each once, in lower case; the first ten of them.
///
/// # Errors
/// `Validation` of `q` if there is none.
pub fn words(text: &str) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word: String = word.chars().take(MAX_WORD_CHARS).flat_map(char::to_lowercase).collect();
        if words.len() < MAX_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return Err(Error::validation("q", "must have at least one letter or digit"));
    }
    Ok(words)
}

/// The words of a message for an index, each once, without case and accents.
pub fn indexed(text: &str) -> BTreeSet<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(cut).collect()
}

/// The beginnings of indexed words that a search for `words` asks for; none is empty, and there is nothing but
/// letters and digits in them. `None` if nothing can match.
pub fn beginnings(words: &[String]) -> Option<Vec<String>> {
    let folded = words.iter().map(|word| fold(word)).filter(|word| !word.is_empty());
    let beginning = |word: String| word.chars().all(char::is_alphanumeric).then(|| cut(&word));
    folded.map(beginning).collect::<Option<Vec<_>>>().filter(|beginnings| !beginnings.is_empty())
}

/// `text` without case and accents.
pub fn fold(text: &str) -> String {
    // Most texts have nothing to decompose, and every message is folded on its way.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

fn cut(word: &str) -> String {
    if word.len() <= MAX_INDEXED_CHARS {
        return word.to_owned();
    }
    word.chars().take(MAX_INDEXED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(words("  Grüße, \"AND\" (2026)* grüße"), Ok(vec!["grüße".into(), "and".into(), "2026".into()]));
        assert!(words(" -\"*() ").is_err());
    }

    proptest! {
        #[test]
        fn plain_text_is_folded_as_any_other(text in "[ -~]{0,80}") {
            // A letter that is not plain, at the end, takes the long way.
            prop_assert_eq!(fold(&text) + "e", fold(&format!("{text}\u{e9}")));
        }

        #[test]
        fn whatever_is_typed_becomes_few_plain_words_or_an_error(text: String) {
            if let Ok(words) = words(&text) {
                prop_assert!((1..=10).contains(&words.len()));
                prop_assert!(words.iter().all(|word| !word.contains(['"', '*', '(', ')', ':', '^', ' '])));
            }
        }
    }
}
