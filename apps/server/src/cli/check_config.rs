//! `parlance check-config`: what the server would run with. Databases and ports are not tried.

use parlance_server::config::Config;

use super::failure::Failure;
use super::say;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    config.require_keys()?;
    say(&config.show())
}
