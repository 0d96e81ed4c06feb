//! The keys that webhooks are signed with (`WEBHOOK_SECRETS`), and a signature: HMAC-SHA256 over the moment and the body,
//! as hex, with each of the keys. Receivers that know one of them can check it, so a key can be replaced without a gap.

use std::fmt::{self, Write};
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The shortest secret, in bytes: what is shorter can be guessed.
const MIN_BYTES: usize = 16;
/// The most secrets: an old and a new one, and one too many.
const MAX_KEYS: usize = 3;

/// The keys.
#[derive(Clone)]
pub struct SigningKeys(Vec<Hmac<Sha256>>);

/// Secrets that are none. Nothing of them is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("needs 1 to {MAX_KEYS} secrets of {MIN_BYTES} or more visible ASCII characters, separated by commas")]
pub struct InvalidSecrets;

impl FromStr for SigningKeys {
    type Err = InvalidSecrets;

    fn from_str(text: &str) -> Result<Self, InvalidSecrets> {
        let key = |secret: &str| {
            let usable = secret.len() >= MIN_BYTES && secret.bytes().all(|byte| byte.is_ascii_graphic());
            usable.then_some(secret).and_then(|secret| Hmac::new_from_slice(secret.as_bytes()).ok())
        };
        let keys: Option<Vec<_>> = text.split(',').map(|secret| key(secret.trim())).collect();
        keys.filter(|keys| keys.len() <= MAX_KEYS).map(Self).ok_or(InvalidSecrets)
    }
}

impl SigningKeys {
    /// The value of `Parlance-Webhook-Signature` for what is sent at this moment: `v1=HEX`, once for each key, with commas
    /// between them.
    pub(super) fn sign(&self, seconds: i64, body: &str) -> String {
        let mut signature = String::new();
        for key in &self.0 {
            let mut mac = key.clone();
            mac.update(seconds.to_string().as_bytes());
            mac.update(b".");
            mac.update(body.as_bytes());
            signature.push_str(if signature.is_empty() { "v1=" } else { ",v1=" });
            for byte in mac.finalize().into_bytes() {
                // Writing to a string does not fail.
                let _ = write!(signature, "{byte:02x}");
            }
        }
        signature
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_everybody_can_compute() {
        let keys: SigningKeys = "sixteen-visible-1, sixteen-visible-2".parse().unwrap();
        let signature = keys.sign(1_795_000_000, r#"{"id":"1"}"#);
        // printf '1795000000.{"id":"1"}' | openssl dgst -sha256 -hmac sixteen-visible-1
        assert_eq!(
            signature,
            "v1=bc258b195f363a1eece991893bf496efe6b47b0219a9118f5af6744d87965d7d,\
             v1=173bcd7545c587833d38b93dc4e3fbc8406849251062d9fe03015ae844ea4230"
        );
        assert!(!format!("{keys:?}").contains("sixteen"));
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        for bad in
            ["", "short", "sixteen-visible-1,", "with blanks in it, x", "a,b,c", &["sixteen-visible-1"; 4].join(",")]
        {
            assert_eq!(bad.parse::<SigningKeys>().err(), Some(InvalidSecrets), "{bad:?}");
        }
    }
}
