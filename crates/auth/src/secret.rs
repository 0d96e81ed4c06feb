//! The secret that tokens are signed with. It has no `Display`, its `Debug` is blank, and only this crate
//! reads it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

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

    /// A key for another purpose, which tells nothing of the secret or of the keys for others.
    pub fn key_for(&self, purpose: &str) -> [u8; 32] {
        // HMAC takes keys of every length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mac| mac.chain_update(purpose).finalize());
        mac.map_or([0; 32], |key| key.into_bytes().into())
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
    fn each_purpose_has_a_key_of_its_own() {
        let secret = Secret::new("hunter2").expect("not empty");
        assert_eq!(secret.key_for("links"), secret.key_for("links"));
        assert_ne!(secret.key_for("links"), secret.key_for("doors"));
        assert_ne!(secret.key_for("links"), Secret::new("hunter3").expect("not empty").key_for("links"));
    }

    #[test]
    fn it_is_not_empty_and_does_not_show_itself() {
        assert_eq!(Secret::new("").err(), Some(EmptySecret));
        let secret = Secret::new("hunter2").expect("not empty");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
