//! What a search text asks for: words of letters and digits, so that no storage's query syntax is ever
//! made from what a user typed.

use crate::error::{Error, Result};

const MAX_WORDS: usize = 10;
const MAX_WORD_CHARS: usize = 64;

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
        fn whatever_is_typed_becomes_few_plain_words_or_an_error(text: String) {
            if let Ok(words) = words(&text) {
                prop_assert!((1..=10).contains(&words.len()));
                prop_assert!(words.iter().all(|word| !word.contains(['"', '*', '(', ')', ':', '^', ' '])));
            }
        }
    }
}
