//! Verifies tokens: the signature against the keys, then issuer, audience, time and what else must be claimed. The key
//! decides which algorithms are allowed, never the token: `none` and every algorithm of another family are refused
//! before a signature is looked at. Reasons of refusal are fixed texts, so that nothing a stranger wrote reaches the
//! log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Header, Validation, decode, decode_header};
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};

use crate::Keys;
use crate::claims::{self, Payload};
use crate::key::Key;
use crate::keys::NoKey;

/// What a token must say beside its signature.
#[derive(Debug, Clone, Default)]
pub struct VerifierSettings {
    /// Accepted issuers (`AUTH_ISSUER`); when empty, `iss` is not looked at.
    pub issuers: Vec<String>,
    /// Accepted audiences (`AUTH_AUDIENCE`), of which `aud` must name one; when empty, `aud` is not looked at.
    pub audiences: Vec<String>,
    /// How far the issuer's clock may be off (`AUTH_LEEWAY`); default zero.
    pub leeway: Duration,
    /// Claims that must be there and not `null` (`AUTH_REQUIRED_CLAIMS`), such as `exp`; default none.
    pub required_claims: Vec<String>,
}

/// Verifies tokens that are signed with one of its keys. Keys and settings may change while it is used: each token is
/// held against those that there are when it comes.
pub struct JwtVerifier {
    checks: ArcSwap<Checks>,
    clock: Arc<dyn Clock>,
}

/// What a token is held against.
struct Checks {
    keys: Keys,
    settings: VerifierSettings,
}

impl JwtVerifier {
    /// The longest token, in bytes. Real ones have a few hundred.
    pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

    /// A verifier of what these keys sign.
    pub fn new(keys: Keys, settings: VerifierSettings, clock: Arc<dyn Clock>) -> Self {
        Self { checks: ArcSwap::from_pointee(Checks { keys, settings }), clock }
    }

    /// Holds tokens against these from now on, in one step. Whoever was let in before is not asked again.
    pub fn renew(&self, keys: Keys, settings: VerifierSettings) {
        self.checks.store(Arc::new(Checks { keys, settings }));
    }

    /// Whether there are keys. Those that somebody publishes are fetched where there are none yet.
    pub async fn has_keys(&self) -> bool {
        self.checks.load_full().keys.are_there().await
    }

    async fn check(&self, token: &str) -> Result<Claims, NoKey> {
        if token.len() > Self::MAX_TOKEN_BYTES {
            return Err(NoKey::Refused("too long"));
        }
        let header = decode_header(token).map_err(|error| NoKey::Refused(reason(&error)))?;
        // RFC 7515, 4.1.11: an extension that must be understood and is not makes the token invalid.
        if header.crit.is_some() {
            return Err(NoKey::Refused("a critical header extension is not understood"));
        }
        let checks = self.checks.load_full();
        let keys = checks.keys.fitting(&header).await?;
        let payload = signed_by_one(token, &header, &keys);
        payload.and_then(|payload| self.read(&payload, &checks.settings)).map_err(NoKey::Refused)
    }

    fn read(&self, payload: &Payload, settings: &VerifierSettings) -> Result<Claims, &'static str> {
        let VerifierSettings { issuers, audiences, leeway, required_claims } = settings;
        claims::issuer(payload, issuers)?;
        claims::audience(payload, audiences)?;
        claims::required(payload, required_claims)?;
        let now = self.clock.now();
        // The leeway belongs to the token's life: a session is not cut while a reconnect would still be let in.
        let expires_at = claims::moment(payload, "exp")?.map(|exp| exp.plus(*leeway));
        if expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err("expired");
        }
        if claims::moment(payload, "nbf")?.is_some_and(|not_before| now.plus(*leeway) < not_before) {
            return Err("not yet valid");
        }
        Ok(Claims {
            user_id: claims::user_id(payload)?,
            profile: claims::profile(payload),
            email: claims::email(payload),
            issued_at: claims::issued_at(payload, now),
            expires_at,
        })
    }
}

/// The payload, if one of the keys signed it.
fn signed_by_one(token: &str, header: &Header, keys: &[Arc<Key>]) -> Result<Payload, &'static str> {
    let mut validation = Validation::new(header.alg);
    // What is claimed is checked here, against the `Clock` port, and every claim is optional unless it is required.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut refused = "wrong signature";
    for key in keys {
        match decode::<Payload>(token, key.decoding(), &validation) {
            Ok(data) => return Ok(data.claims),
            Err(error) => refused = reason(&error),
        }
    }
    Err(refused)
}

#[async_trait]
impl TokenVerifier for JwtVerifier {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.check(token).await.map_err(|no_key| match no_key {
            NoKey::Refused(reason) => TokenError::Invalid(reason.to_owned()),
            NoKey::Unavailable(error) => TokenError::Unavailable(Box::new(error)),
        })
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier").field("settings", &self.checks.load().settings).finish_non_exhaustive()
    }
}

fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "wrong algorithm",
        // The library's list is open; an unknown algorithm's name counts as a malformed header there.
        _ => "malformed",
    }
}
