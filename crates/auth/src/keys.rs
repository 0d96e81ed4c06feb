//! All keys that tokens may be signed with: secrets, or public keys, never both. With both, whoever can read a public
//! key could use its text as a secret, and a verifier that mixes them has to be right about every token.

use std::sync::Arc;

use jsonwebtoken::{AlgorithmFamily, Header};

use crate::jwks::{Jwks, KeysUnavailable};
use crate::key::Key;
use crate::{PublicKeys, Secret};

/// Keys of tokens.
#[derive(Debug)]
pub struct Keys {
    fixed: Vec<Arc<Key>>,
    published: Option<Arc<Jwks>>,
}

/// Why no key fits a token.
#[derive(Debug)]
pub(crate) enum NoKey {
    /// There is none; the reason is for the log.
    Refused(&'static str),
    /// There may be one, and it cannot be had at the moment.
    Unavailable(KeysUnavailable),
}

impl Keys {
    /// Shared secrets. With two of them tokens of both are valid, while one replaces the other.
    pub fn secrets<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self { fixed: secrets.into_iter().map(Key::secret).map(Arc::new).collect(), published: None }
    }

    /// Public keys: those that were given, and those that somebody publishes.
    pub fn public(given: Option<PublicKeys>, published: Option<Arc<Jwks>>) -> Self {
        let given = given.map(|PublicKeys(keys)| keys).unwrap_or_default();
        Self { fixed: given.into_iter().map(Arc::new).collect(), published }
    }

    /// Whether those keys are there that somebody publishes, if somebody does; they are fetched where there are none.
    pub(crate) async fn are_there(&self) -> bool {
        match &self.published {
            Some(published) => published.is_loaded() || published.load().await.is_ok(),
            None => true,
        }
    }

    /// The keys that a token with this header may be signed by, at least one.
    pub(crate) async fn fitting(&self, header: &Header) -> Result<Vec<Arc<Key>>, NoKey> {
        let fixed: Vec<_> = self.fixed.iter().filter(|key| key.fits(header)).cloned().collect();
        let Some(published) = self.published.as_ref().filter(|_| header.alg.family() != AlgorithmFamily::Hmac) else {
            return if fixed.is_empty() { Err(NoKey::Refused(self.reason(header))) } else { Ok(fixed) };
        };
        match published.fitting(header).await {
            Ok(more) => Ok(fixed.into_iter().chain(more).collect()),
            Err(_) if !fixed.is_empty() => Ok(fixed),
            Err(no_key) => Err(no_key),
        }
    }

    fn reason(&self, header: &Header) -> &'static str {
        if self.fixed.iter().any(|key| key.checks(header.alg)) { "unknown key" } else { "wrong algorithm" }
    }
}
