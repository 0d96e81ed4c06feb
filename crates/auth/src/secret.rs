//! The secret that tokens are signed with. It has no `Display`, its `Debug` is blank, and only this crate
//! reads it.

use std::fmt;

/// A secret of no bytes: everybody could sign with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token secret must not be empty")]
pub struct EmptySecret;

/// The shared secret of `ACCESS_TOKEN_SECRET`, taken byte for byte.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret of these bytes.
    ///
    /// # Errors
    /// [`EmptySecret`] where there are none.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, EmptySecret> {
        let bytes = bytes.into();
        if bytes.is_empty() { Err(EmptySecret) } else { Ok(Self(bytes)) }
    }

    /// Whether it is shorter than the hashes it makes (RFC 7518, 3.2): such secrets can be guessed.
    pub fn is_short(&self) -> bool {
        self.0.len() < 32
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_empty_and_does_not_show_itself() {
        assert_eq!(Secret::new("").err(), Some(EmptySecret));
        let secret = Secret::new("hunter2").expect("not empty");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
