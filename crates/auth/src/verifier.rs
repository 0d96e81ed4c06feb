//! Verifies tokens against the shared secret. The key decides which algorithms are allowed, never the
//! token: `none` and every algorithm of another family are refused before a signature is looked at.
//! Reasons of refusal are fixed texts, so that nothing a stranger wrote reaches the log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, Validation};
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};

use crate::Secret;
use crate::claims::{self, Payload};

/// What a token must say beside its signature.
#[derive(Debug, Clone, Default)]
pub struct VerifierSettings {
    /// Accepted issuers (`AUTH_ISSUER`); when empty, `iss` is not looked at.
    pub issuers: Vec<String>,
    /// Accepted audiences (`AUTH_AUDIENCE`), of which `aud` must name one; when empty, `aud` is not looked at.
    pub audiences: Vec<String>,
    /// How far the issuer's clock may be off; default zero.
    pub leeway: Duration,
}

/// Verifies tokens that are signed with a shared secret.
pub struct JwtVerifier {
    key: DecodingKey,
    validation: Validation,
    leeway: Duration,
    clock: Arc<dyn Clock>,
}

impl JwtVerifier {
    /// The longest token, in bytes. Real ones have a few hundred.
    pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

    /// A verifier of HS256, HS384 and HS512 signatures.
    pub fn new(secret: &Secret, settings: &VerifierSettings, clock: Arc<dyn Clock>) -> Self {
        let mut validation = Validation::new_for_family(AlgorithmFamily::Hmac);
        // `exp` and `nbf` are checked here against the `Clock` port; `exp` is optional.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = !settings.audiences.is_empty();
        if !settings.audiences.is_empty() {
            validation.set_audience(&settings.audiences);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if !settings.issuers.is_empty() {
            validation.set_issuer(&settings.issuers);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        Self { key: DecodingKey::from_secret(secret.bytes()), validation, leeway: settings.leeway, clock }
    }

    fn check(&self, token: &str) -> Result<Claims, &'static str> {
        if token.len() > Self::MAX_TOKEN_BYTES {
            return Err("too long");
        }
        let data =
            jsonwebtoken::decode::<Payload>(token, &self.key, &self.validation).map_err(|error| reason(&error))?;
        // RFC 7515, 4.1.11: an extension that must be understood and is not makes the token invalid.
        if data.header.crit.is_some() {
            return Err("a critical header extension is not understood");
        }
        let payload = data.claims;
        let now = self.clock.now();
        // The leeway belongs to the token's life: a session is not cut while a reconnect would still be let in.
        let expires_at = claims::moment(&payload, "exp")?.map(|exp| exp.plus(self.leeway));
        if expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err("expired");
        }
        if claims::moment(&payload, "nbf")?.is_some_and(|not_before| now.plus(self.leeway) < not_before) {
            return Err("not yet valid");
        }
        Ok(Claims { user_id: claims::user_id(&payload)?, profile: claims::profile(&payload), expires_at })
    }
}

#[async_trait]
impl TokenVerifier for JwtVerifier {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.check(token).map_err(|reason| TokenError::Invalid(reason.to_owned()))
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("issuers", &self.validation.iss)
            .field("audiences", &self.validation.aud)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}

fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "wrong algorithm",
        ErrorKind::InvalidIssuer => "wrong issuer",
        ErrorKind::InvalidAudience => "wrong audience",
        ErrorKind::MissingRequiredClaim(_) => "no issuer or audience",
        // The library's list is open; an unknown algorithm's name counts as a malformed header there.
        _ => "malformed",
    }
}
