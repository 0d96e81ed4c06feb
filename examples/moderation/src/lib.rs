//! A message policy of one's own: messages with links are refused, listed words are masked. It sees every
//! message that a user sends or edits, over any transport and in any dialect, before it is stored.

use async_trait::async_trait;
use parlance_domain::model::{Roster, User};
use parlance_domain::ports::{MessagePolicy, Verdict};
use parlance_domain::rules::messages::Draft;

/// Refuses links and masks words.
#[derive(Debug, Clone)]
pub struct Moderation {
    masked: Vec<String>,
}

impl Moderation {
    /// Masks these words, whatever their case.
    pub fn masking(words: &[&str]) -> Self {
        Self { masked: words.iter().map(|word| word.to_lowercase()).collect() }
    }

    fn mask(&self, text: &str) -> String {
        let mask = |piece: &str| {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            if self.masked.contains(&word.to_lowercase()) {
                piece.replacen(word, &"*".repeat(word.chars().count()), 1)
            } else {
                piece.to_owned()
            }
        };
        text.split_inclusive(|c: char| !c.is_alphanumeric()).map(mask).collect()
    }
}

#[async_trait]
impl MessagePolicy for Moderation {
    async fn review(&self, _sender: &User, _roster: &Roster, draft: Draft) -> Verdict {
        match draft.text.as_deref() {
            Some(text) if text.contains("://") || text.contains("www.") => {
                Verdict::Refuse("Links are not allowed here")
            }
            Some(text) => Verdict::Accept(Draft { text: Some(self.mask(text)), ..draft }),
            None => Verdict::Accept(draft),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_masked_and_everything_else_stays() {
        let moderation = Moderation::masking(&["darn", "Öl"]);
        assert_eq!(moderation.mask("Darn! darned öl, (darn)\n"), "****! darned **, (****)\n");
    }
}
