//! Many sockets at once: connecting with a bounded number of handshakes under way, and holding what is connected.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use hdrhistogram::Histogram;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::client::{Client, Ledger, Part};
use crate::failure::Failure;
use crate::people::Person;
use crate::progress::Progress;
use crate::run::Run;
use crate::socket::Socket;
use crate::tally::{latencies, record};

/// Handshakes under way while a crowd that is not measured connects.
const CONCURRENCY: usize = 32;

/// Connects all clients and lets them play.
pub(crate) async fn gather(run: &Arc<Run>, parts: Vec<Part>, progress: &Progress) -> Result<JoinSet<Ledger>, Failure> {
    progress.step("connecting", parts.len());
    let connecting = stream::iter(parts.into_iter().enumerate()).map(|(number, part)| {
        let run = Arc::clone(run);
        async move { Client::connect(number, run, part).await }
    });
    let mut connected = connecting.buffer_unordered(CONCURRENCY);
    let mut playing = JoinSet::new();
    while let Some(client) = connected.next().await {
        playing.spawn(client?.play());
        progress.advance();
    }
    Ok(playing)
}

/// A socket that only answers pings.
#[derive(Debug)]
pub(crate) struct Held {
    task: JoinHandle<()>,
}

impl Held {
    /// Holds a socket.
    pub(crate) fn new(mut socket: Socket) -> Self {
        Self { task: tokio::spawn(async move { while socket.read().await.is_some() {} }) }
    }

    /// Whether the server ended it.
    pub(crate) fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Cuts the connection.
    pub(crate) fn cut(self) {
        self.task.abort();
    }
}

/// How connecting went.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) held: Vec<Held>,
    pub(crate) took: Duration,
    pub(crate) latency: Histogram<u64>,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<Failure>,
}

/// Connects one socket for each of `people`, `concurrency` handshakes at a time, and holds them.
pub(crate) async fn hold(run: &Arc<Run>, people: &[Person], concurrency: usize, progress: &Progress) -> Connected {
    let start = Instant::now();
    let mut connected = Connected {
        held: Vec::with_capacity(people.len()),
        took: Duration::ZERO,
        latency: latencies(),
        failed: 0,
        first_failure: None,
    };
    let tokens: Vec<Arc<str>> = people.iter().map(|person| Arc::clone(&person.token)).collect();
    let connecting = stream::iter(tokens).map(|token| {
        let run = Arc::clone(run);
        async move {
            let asked = Instant::now();
            // A task of its own, so that handshakes wait for the server alone.
            let socket = tokio::spawn(async move { Socket::connect(&run.target, run.dialect, &token).await }).await;
            (socket, asked.elapsed())
        }
    });
    let mut connecting = connecting.buffer_unordered(concurrency.max(1));
    while let Some((socket, took)) = connecting.next().await {
        match socket {
            Ok(Ok(socket)) => {
                record(&mut connected.latency, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                connected.held.push(Held::new(socket));
            }
            Ok(Err(failure)) => {
                connected.failed += 1;
                connected.first_failure.get_or_insert(failure);
            }
            Err(_) => connected.failed += 1,
        }
        progress.advance();
    }
    connected.took = start.elapsed();
    connected
}
