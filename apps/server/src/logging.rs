//! Structured log lines on stderr: what is logged is `RUST_LOG`'s matter, how they look `LOG_FORMAT`'s.
//! Standard output stays free for what commands answer.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Sends log lines of this process to stderr from now on. A second call has no effect.
pub fn start(config: &Config) {
    let lines = tracing_subscriber::fmt().with_env_filter(filter(&config.log_filter)).with_writer(stderr);
    let _ = match config.log_format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

fn filter(text: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(text)
}

/// The text of a filter, if it is one.
pub(crate) fn checked_filter(text: &str) -> Result<String, String> {
    EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|_| format!("{text:?} is no filter, such as info or warn,parlance_socketio=debug"))
}
