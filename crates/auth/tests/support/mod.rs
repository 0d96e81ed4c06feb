//! Key pairs of every kind, made at the moment, and the verifier's clock.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

use std::sync::Arc;

use ed25519_dalek::pkcs8::spki::EncodePublicKey as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use parlance_auth::{JwtVerifier, Keys, VerifierSettings};
use parlance_domain::model::Timestamp;
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};
use rsa::pkcs1::{EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

pub const NOW: i64 = 1_800_000_000;

pub struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW * 1000)
    }
}

/// A key pair.
pub struct Pair {
    pub signing: EncodingKey,
    /// The public key as PEM text.
    pub pem: String,
    /// The private key as PEM text.
    pub private_pem: String,
}

impl Pair {
    pub fn rsa(bits: usize) -> (Self, rsa::RsaPublicKey) {
        let private = rsa::RsaPrivateKey::new(&mut OsRng, bits).unwrap();
        let public = private.to_public_key();
        let pair = Self {
            signing: EncodingKey::from_rsa_der(private.to_pkcs1_der().unwrap().as_bytes()),
            pem: public.to_public_key_pem(LineEnding::LF).unwrap(),
            private_pem: private.to_pkcs1_pem(LineEnding::LF).unwrap().to_string(),
        };
        (pair, public)
    }

    pub fn p256() -> Self {
        let private = p256::SecretKey::random(&mut OsRng);
        Self {
            signing: EncodingKey::from_ec_der(private.to_pkcs8_der().unwrap().as_bytes()),
            pem: private.public_key().to_public_key_pem(LineEnding::LF).unwrap(),
            private_pem: private.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        }
    }

    pub fn ed25519() -> Self {
        let private = ed25519_dalek::SigningKey::generate(&mut OsRng);
        Self {
            signing: EncodingKey::from_ed_der(private.to_pkcs8_der().unwrap().as_bytes()),
            pem: private.verifying_key().to_public_key_pem(LineEnding::LF).unwrap(),
            private_pem: private.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        }
    }

    /// A token of user `a`, signed with this key.
    pub fn sign(&self, algorithm: Algorithm, id: Option<&str>) -> String {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
        encode(&header, &json!({"sub": "a"}), &self.signing).unwrap()
    }

    /// The public key as an entry of a key set.
    pub fn jwk(&self, id: Option<&str>, more: &Value) -> Value {
        let families = [
            jsonwebtoken::DecodingKey::from_rsa_pem,
            jsonwebtoken::DecodingKey::from_ec_pem,
            jsonwebtoken::DecodingKey::from_ed_pem,
        ];
        let key = families.iter().find_map(|read| read(self.pem.as_bytes()).ok()).unwrap();
        let mut jwk = serde_json::to_value(jsonwebtoken::jwk::Jwk::from_decoding_key(&key, None).unwrap()).unwrap();
        if let Some(id) = id {
            jwk["kid"] = json!(id);
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            jwk[name] = value.clone();
        }
        jwk
    }
}

/// The older form of an RSA public key's text.
pub fn pkcs1_pem(key: &rsa::RsaPublicKey) -> String {
    key.to_pkcs1_pem(LineEnding::LF).unwrap()
}

pub fn verifier(keys: Keys) -> JwtVerifier {
    JwtVerifier::new(keys, VerifierSettings::default(), Arc::new(Fixed))
}

/// Whose token it is, or why it is refused.
pub async fn says(verifier: &JwtVerifier, token: &str) -> String {
    match verifier.verify(token).await {
        Ok(Claims { user_id, .. }) => user_id.to_string(),
        Err(TokenError::Invalid(reason)) => reason,
        Err(TokenError::Unavailable(_)) => "unavailable".to_owned(),
    }
}
