//! Access tokens of this server's own making: for `parlance token`, and for demo users of `--dev`. In production they
//! come from the product's login.

use std::time::Duration;

use parlance_auth::{MintError, Secret, TokenRequest, mint};
use parlance_domain::model::{ClaimedProfile, UserId};
use parlance_domain::ports::Clock;

use crate::config::Config;
use crate::system::SystemClock;

/// A token that a server of this configuration accepts, where `secret` is its key.
///
/// # Errors
/// [`MintError`] where the library fails to sign.
pub fn access_token(
    config: &Config,
    secret: &Secret,
    user_id: UserId,
    profile: ClaimedProfile,
    expires_in: Duration,
) -> Result<String, MintError> {
    let request = TokenRequest {
        profile,
        expires_in: Some(expires_in),
        issuer: config.issuer.clone(),
        audience: config.audience.clone(),
        ..TokenRequest::new(user_id)
    };
    mint(secret, &request, SystemClock.now())
}
