//! Who a bearer token speaks for.

use async_trait::async_trait;

use crate::model::{ClaimedProfile, EmailAddress, Timestamp, UserId};

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// From the first present of the claims `sub`, `_id`, `id`, `userId`.
    pub user_id: UserId,
    /// Name and picture, as far as they are claimed.
    pub profile: ClaimedProfile,
    /// From the claim `email`, unless `email_verified` says that nobody has looked whose it is.
    pub email: Option<EmailAddress>,
    /// When it was made; `None` where the token does not say so, or not credibly. Such a token counts as older than
    /// any revocation.
    pub issued_at: Option<Timestamp>,
    /// When it stops being valid; `None` for a token without `exp`.
    pub expires_at: Option<Timestamp>,
}

/// Why a token is refused. Clients hear the same text for all of it; the log gets the reason.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Malformed, wrong signature or algorithm, expired, not yet valid, wrong issuer or audience, no usable id.
    #[error("invalid token: {0}")]
    Invalid(String),
    /// The keys cannot be had at the moment.
    #[error("the keys are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Verifies tokens.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The claims of `token` (without a leading `Bearer `), if it is valid now.
    async fn verify(&self, token: &str) -> Result<Claims, TokenError>;
}
