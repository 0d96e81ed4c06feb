//! `parlance token`: an access token as a product's own login would make it, for trying out and for scripts.

use std::time::Duration;

use parlance_domain::model::{ClaimedProfile, UserId};
use parlance_server::access_token;
use parlance_server::config::Config;

use super::arguments::TokenArguments;
use super::failure::Failure;
use super::say;

pub(super) fn run(config: &Config, arguments: &TokenArguments) -> Result<(), Failure> {
    if config.tokens.are_signed_elsewhere() {
        return Err(Failure::Usage(
            "the server's tokens are signed elsewhere: only public keys are configured".to_owned(),
        ));
    }
    let TokenArguments { user, name, picture, expires } = arguments;
    let profile = ClaimedProfile { name: name.clone(), picture: picture.clone() };
    say(&format!("{}\n", for_user(config, user.clone(), profile, *expires)?))
}

/// A token that this configuration's server accepts.
pub(super) fn for_user(
    config: &Config,
    user_id: UserId,
    profile: ClaimedProfile,
    expires_in: Duration,
) -> Result<String, Failure> {
    let secret = config.signing_secret()?;
    access_token(config, &secret, user_id, profile, expires_in).map_err(Failure::running)
}
