//! The sums that chain the lines of a file: each is over the line and the sum before it.

use sha2::{Digest, Sha256};

/// How many hex digits of a sum a line shows. It is against accidents and careless editing, not against somebody who
/// works the sums out again.
const SHOWN: usize = 16;

/// All lines so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    /// Adds a line's record and says what its sum is.
    pub(crate) fn add(&mut self, record: &str) -> String {
        let mut sum = Sha256::new();
        sum.update(self.0);
        sum.update(record);
        self.0 = sum.finalize().into();
        self.0[..SHOWN / 2].iter().fold(String::with_capacity(SHOWN), |mut shown, byte| {
            shown.push(digit(byte >> 4));
            shown.push(digit(byte & 15));
            shown
        })
    }
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_of_the_line_and_of_all_before_it() {
        let sums = |lines: &[&str]| {
            let mut chain = Chain::default();
            lines.iter().map(|line| chain.add(line)).collect::<Vec<_>>()
        };
        let one = sums(&["a", "b", "b"]);
        assert!(one.iter().all(|sum| sum.len() == SHOWN && sum.chars().all(|c| c.is_ascii_hexdigit())));
        assert_ne!(one[1], one[2], "the same line at another place");
        assert_eq!(sums(&["a", "b"]), one[..2]);
        assert_ne!(sums(&["c", "b"])[1], one[1], "another line before it");
    }
}
