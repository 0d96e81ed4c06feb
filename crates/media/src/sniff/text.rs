//! Plain text: valid UTF-8 without control characters (tab and line ends apart), checked as it streams by.

use super::refusal::Refusal;

/// The type of what is not text after all.
pub(super) const BINARY: &str = "application/octet-stream";

/// What is known of a text so far.
#[derive(Debug, Default)]
pub(super) struct TextWatch {
    /// The beginning of a character that the last chunk cut.
    cut: Vec<u8>,
}

impl TextWatch {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        if chunk.iter().any(|&byte| is_control(byte)) {
            return Err(Refusal::unsupported(BINARY));
        }
        // Complete the cut character first (at most three bytes are missing), so that the chunk is not copied.
        let mut rest = chunk;
        while !self.cut.is_empty() {
            let Some((&next, after)) = rest.split_first() else { return Ok(()) };
            self.cut.push(next);
            rest = after;
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_some() => return Err(Refusal::unsupported(BINARY)),
                Err(_) => {}
            }
        }
        match std::str::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Refusal::unsupported(BINARY)),
            Err(error) => {
                self.cut = rest[error.valid_up_to()..].to_vec();
                Ok(())
            }
        }
    }

    /// The text is over.
    pub(super) fn finish(&self) -> Result<(), Refusal> {
        if self.cut.is_empty() { Ok(()) } else { Err(Refusal::unsupported(BINARY)) }
    }
}

fn is_control(byte: u8) -> bool {
    byte == 0x7f || (byte < 0x20 && !b"\t\n\r\x0c".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(bytes: &[u8], size: usize) -> bool {
        let mut watch = TextWatch::default();
        bytes.chunks(size).all(|chunk| watch.feed(chunk).is_ok()) && watch.finish().is_ok()
    }

    proptest! {
        #[test]
        fn the_cut_does_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..64), text in "\\PC{0,40}", size in 1_usize..9) {
            prop_assert_eq!(judged(&bytes, size), std::str::from_utf8(&bytes).is_ok_and(|t| !t.bytes().any(is_control)));
            prop_assert!(judged(text.as_bytes(), size));
        }
    }
}
