//! One key that signatures are checked with. The key decides which algorithms a token may name, never the token: a
//! secret checks HMAC alone, an RSA key RSA alone, and what a key set says of a key's algorithm narrows that further.
//! Which of several keys a token means is `keys`' matter.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, OctetKeyPairParameters, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, Header};

use crate::Secret;

/// RSA keys below 2,048 bits can be broken (RFC 7518, 3.3); those above 4,096 the library does not compute with.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key, and what it may be used for.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Why a published key is of no use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("is not meant for signatures")]
    Purpose,
    #[error("is a shared secret")]
    Secret,
    #[error("is of a kind that is not supported (RSA, EC P-256 and P-384, Ed25519 are)")]
    Kind,
    #[error("is an RSA key of less than 2048 or more than 4096 bits")]
    Size,
    #[error("is damaged")]
    Damaged,
}

impl Key {
    /// The key of HS256, HS384 and HS512 signatures.
    pub(crate) fn secret(secret: &Secret) -> Self {
        let decoding = DecodingKey::from_secret(secret.bytes());
        Self { id: None, algorithms: AlgorithmFamily::Hmac.algorithms().to_vec(), decoding }
    }

    /// A public key in the form that key sets have.
    pub(crate) fn published(jwk: &Jwk) -> Result<Self, Unusable> {
        let common = &jwk.common;
        let signs = match (&common.public_key_use, &common.key_operations) {
            (Some(purpose), _) => *purpose == PublicKeyUse::Signature,
            (None, Some(operations)) => operations.contains(&KeyOperations::Verify),
            (None, None) => true,
        };
        if !signs {
            return Err(Unusable::Purpose);
        }
        let possible = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return Err(Unusable::Kind),
            },
            AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters { curve: EllipticCurve::Ed25519, .. }) => {
                vec![Algorithm::EdDSA]
            }
            // Whoever can read the key set could sign with it.
            AlgorithmParameters::OctetKey(_) => return Err(Unusable::Secret),
            _ => return Err(Unusable::Kind),
        };
        let algorithms = match common.key_algorithm {
            None => possible,
            Some(named) => possible.into_iter().filter(|possible| KeyAlgorithm::from(*possible) == named).collect(),
        };
        if algorithms.is_empty() {
            return Err(Unusable::Purpose);
        }
        let decoding = DecodingKey::from_jwk(jwk).map_err(|_| Unusable::Damaged)?;
        check_size(&decoding, &algorithms)?;
        Ok(Self { id: common.key_id.clone(), algorithms, decoding })
    }

    /// Whether a token with this header may be signed by it. A key without an id may be any that is named.
    pub(crate) fn fits(&self, header: &Header) -> bool {
        let named = match (&header.kid, &self.id) {
            (Some(named), Some(id)) => named == id,
            _ => true,
        };
        named && self.checks(header.alg)
    }

    /// Whether it checks signatures of this algorithm.
    pub(crate) fn checks(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// The library looks at a key only when it checks a signature; a wrong one is better heard of when it is read.
fn check_size(key: &DecodingKey, algorithms: &[Algorithm]) -> Result<(), Unusable> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            let bytes = n.iter().skip_while(|byte| **byte == 0).count();
            if RSA_BYTES.contains(&bytes) { Ok(()) } else { Err(Unusable::Size) }
        }
        DecodingKeyKind::SecretOrDer(bytes) => {
            let length = match algorithms {
                [Algorithm::ES256] => 65,
                [Algorithm::ES384] => 97,
                _ => 32,
            };
            if bytes.len() == length { Ok(()) } else { Err(Unusable::Damaged) }
        }
    }
}
