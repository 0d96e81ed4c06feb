//! `parlance gc`: removes media that nothing refers to, once. A server may run meanwhile.

use std::time::Duration;

use parlance_domain::services::Collected;
use parlance_server::CollectError;
use parlance_server::config::Config;

use super::failure::Failure;
use super::say;

pub(super) async fn run(config: &Config, older_than: Duration) -> Result<(), Failure> {
    let collected = parlance_server::collect_media(config, older_than).await.map_err(|error| match error {
        CollectError::Config(error) => error.into(),
        CollectError::Failed(error) => Failure::running(error),
    })?;
    let Collected { media, blobs, broken_writes } = collected;
    say(&format!("removed {media} unused media, {blobs} blobs without a record and {broken_writes} broken writes\n"))
}
