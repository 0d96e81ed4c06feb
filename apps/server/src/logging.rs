//! Structured log lines on stderr: what is logged is `RUST_LOG`'s matter, how they look `LOG_FORMAT`'s.
//! Standard output stays free for what commands answer. What clients send (tokens, messages) is in no line, whatever
//! the filter.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt as lines, reload};

use crate::config::{Config, LogFormat};
use crate::traces::{self, Gate, Traces};

/// The libraries that carry what clients send. Below `info` they say what it is, and above it there is a line for each
/// broken packet: how many that are would be up to strangers. The Socket.IO library is built without its lines.
const CARRIERS: [&str; 2] = ["tungstenite", "tokio_tungstenite"];

/// Says what is logged from then on.
#[derive(Clone)]
pub struct LogFilter(Arc<dyn Fn(&str) + Send + Sync>);

impl LogFilter {
    /// Lets another filter hold, one that a [`Config`] has. Without lines of this process's own nothing happens.
    pub fn change(&self, filter: &str) {
        (self.0)(filter);
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFilter").finish_non_exhaustive()
    }
}

/// Sends log lines of this process to stderr from now on, and spans of traces to whoever records them. A second call has
/// no effect.
pub fn start(config: &Config, traces: Option<&Traces>) -> LogFilter {
    let gate = Gate { lines: filter(&config.log_filter), ratio: traces.map(|_| config.traces.ratio) };
    // Whoever asks whether a line is logged reads the filter behind a lock, which nobody else holds but while it changes;
    // what is below every filter is not asked for, since each place remembers that it is off.
    let (gate, handle) = reload::Layer::new(gate);
    let lines = lines::layer().with_writer(stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // Spans of traces are none of the lines', and writing them down would cost.
    let lines = match traces {
        Some(_) => lines.with_filter(filter_fn(|line| !traces::is_traced(line))).boxed(),
        None => lines,
    };
    // Filters of everything rather than of the lines: those of one layer forget a line when a library has only asked
    // whether it would be logged.
    let said = tracing_subscriber::registry().with(lines).with(traces.map(Traces::layer));
    let _ = said.with(gate).with(filter_fn(is_ours_to_say)).try_init();
    LogFilter(Arc::new(move |text| {
        // It fails when there is no subscriber of ours to change.
        let _ = handle.modify(|gate: &mut Gate| gate.lines = filter(text));
    }))
}

fn filter(text: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(text)
}

fn is_ours_to_say(line: &Metadata<'_>) -> bool {
    !CARRIERS.iter().any(|carrier| line.target().starts_with(carrier))
}

/// The text of a filter, if it is one.
pub(crate) fn checked_filter(text: &str) -> Result<String, String> {
    EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|_| format!("{text:?} is no filter, such as info or warn,parlance_socketio=debug"))
}
