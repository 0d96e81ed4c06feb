//! Sockets as such: `idle` connects and holds them, `storm` cuts all at once and lets them come back.

use std::sync::Arc;
use std::time::Duration;

use super::Stage;
use crate::crowd::{self, Connected, Held};
use crate::failure::Failure;
use crate::process::Sample;
use crate::report::{Connecting, Faults, Report, Usage, mib, per_second};
use crate::run::Run;
use crate::tally::latencies;

/// Bytes in a MiB, as a figure.
const MIB: f64 = 1_048_576.0;

/// Connects, holds, and says what a socket costs that does nothing.
pub(super) async fn idle(mut stage: Stage, connections: usize, concurrency: usize) -> Result<Report, Failure> {
    let people = stage.people.make_many(connections)?;
    // The first users also make the server's pools and caches, which are not what a socket costs.
    let run = bare_run(&stage);
    let first = crowd::hold(&run, &people[..connections.min(100)], concurrency, &stage.progress).await;
    cut(first.held).await;
    let empty = stage.load.sample();

    stage.progress.step("connecting", connections);
    let connected = crowd::hold(&run, &people, concurrency, &stage.progress).await;
    if let (true, Some(failure)) = (connected.held.is_empty(), &connected.first_failure) {
        return Err(Failure::plain(failure));
    }
    stage.progress.wait("settling", stage.load.warm_up, || false).await;
    let before = (stage.load.sample(), Sample::own());
    stage.progress.wait("holding", stage.load.duration, || false).await;
    let after = (stage.load.sample(), Sample::own());

    let gone = connected.held.iter().filter(|held| held.is_gone()).count() as u64;
    let sockets = connected.held.len();
    let server = Usage::between(before.0, after.0);
    let grown = empty.zip(after.0).map(|(empty, full)| mib(full.resident) - mib(empty.resident));
    Ok(Report {
        sockets,
        seconds: stage.load.duration.as_secs_f64(),
        connecting: Some(Connecting {
            connects_per_second: per_second(sockets as u64, connected.took),
            handshake: (&connected.latency).into(),
            bytes_per_socket: grown.map(|mib| mib * MIB / per_second(sockets as u64, Duration::from_secs(1))),
            idle_cores: server.map(|usage| usage.cores),
        }),
        faults: Faults { failed: connected.failed, closed: gone, ..Faults::default() },
        first_failure: connected.first_failure.map(|failure| failure.to_string()),
        server,
        load: Usage::between(before.1, after.1),
        ..stage.report("idle")
    })
}

/// Cuts all sockets and lets them come back, `rounds` times.
pub(super) async fn storm(
    mut stage: Stage,
    connections: usize,
    concurrency: usize,
    rounds: usize,
) -> Result<Report, Failure> {
    let people = stage.people.make_many(connections)?;
    let run = bare_run(&stage);
    stage.progress.step("connecting", connections);
    let Connected { mut held, mut failed, mut first_failure, .. } =
        crowd::hold(&run, &people, concurrency, &stage.progress).await;
    let (mut took, mut came, mut closed) = (Duration::ZERO, 0, 0);
    let mut handshake = latencies();
    let before = (stage.load.sample(), Sample::own());
    for _ in 0..rounds {
        closed += held.iter().filter(|held| held.is_gone()).count() as u64;
        cut(held).await;
        stage.progress.step("coming back", connections);
        let back = crowd::hold(&run, &people, concurrency, &stage.progress).await;
        took += back.took;
        came += back.held.len() as u64;
        failed += back.failed;
        first_failure = first_failure.or(back.first_failure);
        // Both have the same bounds.
        let _ = handshake.add(&back.latency);
        held = back.held;
    }
    let after = (stage.load.sample(), Sample::own());
    Ok(Report {
        sockets: held.len(),
        seconds: took.as_secs_f64(),
        connecting: Some(Connecting {
            connects_per_second: per_second(came, took),
            handshake: (&handshake).into(),
            bytes_per_socket: None,
            idle_cores: None,
        }),
        faults: Faults { failed, closed, ..Faults::default() },
        first_failure: first_failure.map(|failure| failure.to_string()),
        server: Usage::between(before.0, after.0),
        load: Usage::between(before.1, after.1),
        ..stage.report("storm")
    })
}

/// A run without conversations.
pub(super) fn bare_run(stage: &Stage) -> Arc<Run> {
    Arc::new(Run::new(stage.target.clone(), stage.load.dialect, Vec::new(), stage.load.threads))
}

/// Cuts all of them.
pub(super) async fn cut(held: Vec<Held>) {
    held.into_iter().for_each(Held::cut);
    // The tasks end when the runtime comes to them; then the kernel has told the server.
    tokio::task::yield_now().await;
}
