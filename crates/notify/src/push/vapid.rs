//! By what push services know this server (RFC 8292): a key pair of its own, and with each message a token that is signed
//! with it, for that service alone and for half a day.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use parlance_domain::model::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;

/// How long a token holds; a day is what services take at most.
const LASTS: Duration = Duration::from_hours(12);
const HEADER: &str = r#"{"typ":"JWT","alg":"ES256"}"#;

/// A text that is no private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no private key of P-256: 32 bytes as base64url, such as `parlance keys vapid` prints")]
pub struct InvalidVapidKey;

/// The key pair by which push services know this server.
#[derive(Clone)]
pub struct VapidKey(SigningKey);

impl FromStr for VapidKey {
    type Err = InvalidVapidKey;

    fn from_str(text: &str) -> Result<Self, InvalidVapidKey> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| InvalidVapidKey)?;
        SigningKey::from_slice(&bytes).map(Self).map_err(|_| InvalidVapidKey)
    }
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VapidKey({})", self.public_key())
    }
}

impl VapidKey {
    /// A new one; `None` where the system has no randomness.
    pub fn generate() -> Option<Self> {
        let random = SystemRandom::new();
        let mut bytes = [0; 32];
        // All but one in 2^32 are keys.
        (0..4).find_map(|_| {
            random.fill(&mut bytes).ok()?;
            SigningKey::from_slice(&bytes).ok().map(Self)
        })
    }

    /// The private key, as the configuration takes it.
    pub fn private_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.to_bytes())
    }

    /// The public key, as browsers take it.
    pub fn public_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The header by which a push service knows us.
    pub(super) fn authorization(&self, origin: &str, contact: &str, now: Timestamp) -> String {
        let expires = now.plus(LASTS).millis() / 1_000;
        let claims = json!({ "aud": origin, "exp": expires, "sub": contact }).to_string();
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encoded(HEADER), encoded(&claims));
        let signature: Signature = self.0.sign(signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_and_does_not_show_itself() {
        let key = VapidKey::generate().unwrap();
        let again: VapidKey = key.private_key().parse().unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(!format!("{key:?}").contains(&key.private_key()));
        for bad in ["", "hush", &"A".repeat(43), &key.public_key()] {
            assert_eq!(bad.parse::<VapidKey>().err(), Some(InvalidVapidKey), "{bad}");
        }
    }
}
