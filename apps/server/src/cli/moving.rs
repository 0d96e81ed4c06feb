//! `parlance copy`, `export` and `import`: everything from one end to the other, with a bar that shows how far it is.

use std::error::Error;
use std::time::Instant;

use indicatif::HumanCount;
use parlance_domain::model::RecordCounts;
use parlance_domain::ports::StorageError;
use parlance_domain::services::{MoveError, Moved, Side};
use parlance_server::config::{Config, DatabaseAt};
use parlance_server::moving::{self, CopyError};
use parlance_server::{signals, system};

use super::arguments::{End, MoveArguments};
use super::failure::Failure;
use super::progress::Bar;
use super::say;

pub(super) async fn run(config: &Config, arguments: MoveArguments) -> Result<(), Failure> {
    let MoveArguments { from, to } = arguments;
    let names = Names { source: name(config, &from), target: name(config, &to) };
    let (from, to) = (end(config, from)?, end(config, to)?);
    let (bar, begun) = (Bar::new(), Instant::now());
    let (terminated, show) = (signals::terminated(), |progress| bar.show(progress));
    let moved = tokio::select! {
        moved = moving::copy(config, &from, &to, &show) => moved,
        () = terminated => {
            bar.clear();
            return Err(Failure::Running("interrupted; the same command goes on where it was".to_owned()));
        }
    };
    bar.clear();
    let moved = moved.map_err(|error| names.failure(&error))?;
    say(&summary(&moved, begun))
}

/// How the two ends were named, for errors.
struct Names {
    source: String,
    target: String,
}

impl Names {
    fn of(&self, side: Side) -> &str {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    fn failure(&self, error: &CopyError) -> Failure {
        match error {
            CopyError::Unusable { side, problem } => Failure::Usage(format!("{}: {problem}", self.of(*side))),
            CopyError::Move(MoveError::Failed { side, source }) => {
                let line = format!("{}: {}", self.of(*side), cause(source));
                match (side, source) {
                    // A source that is not whole is no argument that can be used.
                    (Side::Source, StorageError::Corrupt { .. }) => Failure::Usage(line),
                    _ => Failure::Running(format!("{line}; the same command goes on where it was")),
                }
            }
            CopyError::Move(error @ (MoveError::Occupied | MoveError::Foreign)) => {
                Failure::Usage(format!("{}: {error}", self.target))
            }
            CopyError::Move(error @ MoveError::Differs { .. }) => Failure::Running(format!(
                "{}: {error}; empty it and begin anew, while no server runs on either",
                self.target
            )),
        }
    }
}

fn name(config: &Config, end: &End) -> String {
    match end {
        End::Url { flag, .. } => format!("--{flag}"),
        End::File(_) => "--file".to_owned(),
        End::Configured => config.database_setting().to_owned(),
    }
}

fn end(config: &Config, end: End) -> Result<moving::End, Failure> {
    match end {
        End::Url { flag, url } => {
            let at = DatabaseAt::parse(&url).map_err(|problem| Failure::Usage(format!("--{flag}: {problem}")))?;
            Ok(moving::End::Storage(at))
        }
        End::File(path) => Ok(moving::End::File(path)),
        End::Configured => Ok(moving::End::Storage(config.database.at.clone())),
    }
}

/// What an adapter says of its failure, down to the driver, in one line.
fn cause(error: &StorageError) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        // Drivers repeat what lies below them.
        if said.last().is_none_or(|last| !last.contains(&text)) {
            said.push(text);
        }
        next = error.source();
    }
    if said.is_empty() { error.to_string() } else { said.join(": ") }
}

fn summary(moved: &Moved, begun: Instant) -> String {
    let Moved { counts, hash, resumed } = moved;
    let RecordCounts { users, media, conversations, messages, participants, blocks, notifications } = *counts;
    let counted = [
        (users, "users"),
        (media, "media"),
        (conversations, "conversations"),
        (messages, "messages"),
        (participants, "participants"),
        (blocks, "blocks"),
        (notifications, "notifications"),
    ]
    .map(|(count, what)| format!("{} {what}", HumanCount(count)))
    .join(", ");
    let seconds = begun.elapsed().as_secs_f64();
    let resumed = if *resumed { ", going on with what had been copied before" } else { "" };
    let memory = system::peak_memory_bytes()
        .map_or_else(String::new, |bytes| format!("; peak memory {:.1} MiB", bytes_to_mib(bytes)));
    format!("copied {counted} in {seconds:.1} s{resumed}{memory}\nboth sides hold the same contents: sha256 {hash}\n")
}

#[expect(clippy::cast_precision_loss, reason = "a tenth of a MiB is shown")]
fn bytes_to_mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
