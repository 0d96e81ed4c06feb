//! `parlance serve` on SIGHUP: the configuration is read again from where it was read at start, and what can be taken over
//! is. A process keeps the environment and the flags that it was started with, so what changes is the file and the
//! files that settings name. A configuration that cannot be used changes nothing.

use std::convert::Infallible;

use parlance_server::config::{Config, ConfigError, Flags};
use parlance_server::logging::LogFilter;
use parlance_server::signals::Hangups;
use parlance_server::{Reloaded, Reloading};

/// Takes over what has changed, as often as it is told, for as long as it is awaited.
pub(super) async fn on(mut hangups: Hangups, mut reloading: Reloading, flags: Flags, filter: LogFilter) -> Infallible {
    loop {
        hangups.next().await;
        let flags = flags.clone();
        // Files are read.
        let Ok(read) = tokio::task::spawn_blocking(move || Config::load(&flags)).await else { continue };
        match take_over(&mut reloading, &filter, read).await {
            Ok(Reloaded { changed, needs_restart }) => {
                tracing::info!(changed = changed.join(","), "the configuration was read again");
                for setting in needs_restart {
                    tracing::warn!(setting, "has changed and holds only after a restart");
                }
            }
            Err(error) => tracing::error!(%error, "the configuration cannot be used, the one before holds"),
        }
    }
}

async fn take_over(
    reloading: &mut Reloading,
    filter: &LogFilter,
    read: Result<Config, ConfigError>,
) -> Result<Reloaded, ConfigError> {
    let next = read?;
    let log_filter = next.log_filter.clone();
    let reloaded = Box::pin(reloading.apply(next)).await?;
    filter.change(&log_filter);
    Ok(reloaded)
}
