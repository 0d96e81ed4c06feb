//! `parlance migrate`: the schema up to date, before a new version is let loose on a database.

use parlance_server::config::Config;

use super::failure::Failure;
use super::say;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    parlance_server::migrate(config).await?;
    say(&format!("the schema of {} is up to date\n", config.database.at.shown()))
}
