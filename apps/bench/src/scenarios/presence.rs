//! What it takes to tell contacts that somebody came: measured beside few and many others who are online, it must not
//! depend on them. The server's grace for people who go (`PRESENCE_GRACE`) should be short, or each round waits for it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::Stage;
use super::connections::bare_run;
use super::traffic::{Cast, Group, set_up};
use crate::crowd;
use crate::failure::Failure;
use crate::packet::Packet;
use crate::process::Sample;
use crate::report::{Faults, Presence, Report, Usage};
use crate::socket::Socket;
use crate::tally::{latencies, record};

/// How long to wait until everybody has heard.
const PATIENCE: Duration = Duration::from_secs(10);

/// Words in events that say that somebody came or went, in any dialect.
const CAME: [&str; 2] = ["user:online", "user:status-changed"];

/// Somebody comes and goes, `rounds` times, beside `connections` others.
pub(super) async fn run(
    mut stage: Stage,
    connections: usize,
    contacts: usize,
    rounds: usize,
) -> Result<Report, Failure> {
    let people = stage.people.make_many(contacts + 1)?;
    let everybody = Group { members: (0..=contacts).collect(), senders: 0, direct: false };
    let cast = Cast { people, groups: vec![everybody] };
    set_up(&stage, &cast).await?;
    let run = bare_run(&stage);
    let others = stage.people.make_many(connections)?;
    stage.progress.step("connecting", connections);
    let bystanders = crowd::hold(&run, &others, 64, &stage.progress).await;

    let [visitor, watchers @ ..] = cast.people.as_slice() else { return Err(Failure::plain("nobody to come")) };
    let (heard, mut hears) = mpsc::channel(contacts * 2 + 1);
    for watcher in watchers {
        let mut socket = Socket::connect(&run.target, run.dialect, &watcher.token).await?;
        // With its quotation marks: without them it would be the beginning of other people's.
        let (heard, visitor) = (heard.clone(), format!("\"{}\"", visitor.id));
        tokio::spawn(async move {
            while let Some(text) = socket.read().await {
                let Packet::Event(name, rest) = Packet::read(&text) else { continue };
                let came = CAME.contains(&name) && !rest.contains("offline");
                let went = name == "user:offline" || rest.contains("offline");
                if (came || went) && rest.contains(&*visitor) && heard.send((came, Instant::now())).await.is_err() {
                    return;
                }
            }
        });
    }

    let mut visit = async |latency: &mut _| {
        let asked = Instant::now();
        let socket = Socket::connect(&run.target, run.dialect, &visitor.token).await?;
        let mut lost = all_hear(&mut hears, contacts, true, |at| {
            record(latency, u64::try_from(at.duration_since(asked).as_nanos()).unwrap_or(u64::MAX));
        })
        .await;
        drop(socket);
        lost += all_hear(&mut hears, contacts, false, |_| ()).await;
        Ok::<_, Failure>(lost)
    };
    // Once uncounted: before this is heard the server has told of everybody who came above.
    let mut lost = visit(&mut latencies()).await?;
    let mut latency = latencies();
    let before = (stage.load.sample(), Sample::own());
    let measured = Instant::now();
    stage.progress.step("coming and going", rounds);
    for _ in 0..rounds {
        lost += visit(&mut latency).await?;
        stage.progress.advance();
    }
    let after = (stage.load.sample(), Sample::own());
    let cpu = before.0.zip(after.0).map(|(before, after)| after.cpu_since(&before).as_secs_f64());
    let each = u32::try_from(rounds).map_or(1.0, f64::from);
    Ok(Report {
        sockets: bystanders.held.len() + contacts,
        conversations: 1,
        seconds: measured.elapsed().as_secs_f64(),
        presence: Some(Presence {
            bystanders: bystanders.held.len(),
            contacts,
            heard: (&latency).into(),
            cpu_micros: cpu.map(|seconds| seconds * 1_000_000.0 / each),
        }),
        faults: Faults { lost, failed: bystanders.failed, ..Faults::default() },
        first_failure: bystanders.first_failure.map(|failure| failure.to_string()),
        server: Usage::between(before.0, after.0),
        load: Usage::between(before.1, after.1),
        ..stage.report("presence")
    })
}

/// Waits until all contacts heard. How many did not.
async fn all_hear(
    hears: &mut mpsc::Receiver<(bool, Instant)>,
    contacts: usize,
    wanted: bool,
    mut note: impl FnMut(Instant),
) -> u64 {
    let mut left = contacts as u64;
    let everybody = timeout(PATIENCE, async {
        while left > 0 {
            let Some((came, at)) = hears.recv().await else { return };
            if came == wanted {
                note(at);
                left -= 1;
            }
        }
    });
    let _ = everybody.await;
    left
}
