//! Makes tokens that [`JwtVerifier`](crate::JwtVerifier) accepts: for `parlance token`, demos and load tests.
//! In production tokens come from the product's own login.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use parlance_domain::model::{ClaimedProfile, Timestamp, UserId};
use serde_json::{Value, json};

use crate::Secret;
use crate::claims::Payload;

/// A token could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be written")]
pub struct MintError(#[source] jsonwebtoken::errors::Error);

/// What a token shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Claim `sub`.
    pub user_id: UserId,
    /// Claims `name` and `picture`.
    pub profile: ClaimedProfile,
    /// How long it is valid; `None` for good. Whole seconds.
    pub expires_in: Option<Duration>,
    /// Claim `iss`.
    pub issuer: Option<String>,
    /// Claim `aud`.
    pub audience: Option<String>,
}

impl TokenRequest {
    /// A token for this user that says nothing else and does not expire.
    pub fn new(user_id: UserId) -> Self {
        Self { user_id, profile: ClaimedProfile::default(), expires_in: None, issuer: None, audience: None }
    }
}

/// Writes a token and signs it with HS256.
///
/// # Errors
/// [`MintError`] where the library fails to sign.
pub fn mint(secret: &Secret, request: &TokenRequest, now: Timestamp) -> Result<String, MintError> {
    let seconds = |at: Timestamp| at.millis().div_euclid(1000);
    let text = |value: &Option<String>| value.as_ref().map(|text| Value::from(text.as_str()));
    let claims: Payload = [
        ("sub", Some(json!(request.user_id.as_str()))),
        ("name", text(&request.profile.name)),
        ("picture", text(&request.profile.picture)),
        ("iss", text(&request.issuer)),
        ("aud", text(&request.audience)),
        ("iat", Some(json!(seconds(now)))),
        ("exp", request.expires_in.map(|life| json!(seconds(now.plus(life))))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.bytes())).map_err(MintError)
}
