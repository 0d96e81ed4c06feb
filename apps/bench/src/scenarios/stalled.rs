//! People who stop reading: a room in which some write, first with everybody reading, then with a few whose programs hang
//! while messages go on. What the others see, how soon those few are cut, and what they cost until then.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Stage;
use super::traffic::{Cast, Course, Group, perform, set_up};
use crate::client::Deed;
use crate::failure::Failure;
use crate::people::Person;
use crate::process::{self, Ports};
use crate::report::{Beside, Faults, Report};
use crate::run::{Conversation, Run};
use crate::socket::Socket;
use crate::swell::Swell;

/// What a client holds that it has not read, in bytes: little, so that it is the server that has to hold more.
const RECEIVE_BUFFER: u32 = 8 << 10;

/// The longest that a server may take to cut somebody: its default is ten seconds after the client stopped.
const LONGEST: Duration = Duration::from_secs(40);

/// Messages a second when nobody says how many.
const RATE: u64 = 20;

/// A room of `members` of whom `senders` write, with each of these numbers of people who stop reading among them.
pub(super) async fn run(
    mut stage: Stage,
    members: usize,
    senders: usize,
    stalled: &[usize],
) -> Result<Report, Failure> {
    let Some(pid) = stage.load.one_pid() else { return Err(Failure::plain("stalled needs the server's --pid")) };
    if stage.load.rate == 0 {
        stage.load.rate = RATE;
    }
    let least = stage.load.duration;
    let most = stalled.iter().copied().max().unwrap_or(0);
    let readers = members.saturating_sub(most).max(2);
    let people = stage.people.make_many(readers + most)?;
    let everybody = Cast {
        groups: vec![Group { members: (0..people.len()).collect(), senders: 0, direct: false }],
        people: people.clone(),
    };
    let rooms = set_up(&stage, &everybody).await?;
    let (reading, hanging) = people.split_at(readers);
    let cast = Cast {
        groups: vec![Group { members: (0..readers).collect(), senders: senders.clamp(1, readers), direct: false }],
        people: reading.to_vec(),
    };
    let course = Course { in_flight: 1, max_messages: u64::MAX, deeds: &[Deed::Send] };

    let mut whole = Report { sockets: readers, conversations: 1, ..stage.report("stalled") };
    for count in [0].into_iter().chain(stalled.iter().copied()) {
        // Long enough to see the last one cut; it ends earlier.
        stage.load.duration = if count == 0 { least } else { least.max(LONGEST) };
        let room = rooms.iter().map(|room| Conversation::new(room.id.clone(), readers as u64)).collect();
        let people = hanging[..count].to_vec();
        let hang = move |run| hang(run, people, least, pid);
        let (report, hung) = perform(&stage, "stalled", room, &cast, course, hang).await?;
        let hung = hung.unwrap_or_default();
        whole.faults.add(&report.faults);
        whole.faults.add(&Faults { failed: (count - hung.cut.len().min(count)) as u64, ..Faults::default() });
        whole.first_failure = whole.first_failure.or(hung.first_failure);
        whole.seconds += report.seconds;
        (whole.server, whole.load) = (report.server, report.load);
        if let Some(traffic) = &report.traffic {
            whole.beside.push(Beside {
                what: format!("{count} of {} stop reading, {} of them cut", readers + count, hung.cut.len()),
                ack: traffic.ack,
                delivery: traffic.delivery,
                settled_after: hung.cut.iter().max().map(Duration::as_secs_f64),
                resident_mib: hung.swell,
            });
        }
    }
    Ok(whole)
}

/// How it went with those who stopped reading.
#[derive(Debug, Default)]
struct Hung {
    /// How long each of those was held that were cut.
    cut: Vec<Duration>,
    swell: Option<[f64; 3]>,
    first_failure: Option<String>,
}

/// Joins, reads until the measurement begins, then no more; ends when all are cut, and not before `least`.
async fn hang(run: Arc<Run>, people: Vec<Person>, least: Duration, pid: u32) -> Hung {
    let joined = join_all(people.iter().map(|person| join(&run, person))).await;
    let mut hung = Hung::default();
    let mut sockets = Vec::new();
    for socket in joined {
        match socket {
            Ok(socket) => sockets.push(socket),
            Err(failure) => hung.first_failure = Some(failure.to_string()),
        }
    }
    join_all(sockets.iter_mut().map(|socket| read_until_measured(&run, socket))).await;
    let swell = Swell::watch(Some(pid));
    (hung.cut, ()) = tokio::join!(held_for(&sockets, pid), sleep(least));
    hung.swell = swell.end();
    hung
}

/// How long the server held each of these from now on that it has closed. This end need not hear of it: what the system
/// gives up because nothing was taken, it gives up without a word.
async fn held_for(sockets: &[Socket], pid: u32) -> Vec<Duration> {
    /// How often it is looked at: the list is long, and reading it takes the time of those who are measured.
    const GLANCE: Duration = Duration::from_millis(200);
    let stopped = Instant::now();
    let mut left: Vec<Ports> = sockets.iter().filter_map(Socket::ports).collect();
    let mut cut = Vec::new();
    while !left.is_empty() && stopped.elapsed() < LONGEST {
        sleep(GLANCE).await;
        let Some(held) = process::held(pid) else { break };
        let before = left.len();
        left.retain(|ports| held.contains(ports));
        cut.extend(std::iter::repeat_n(stopped.elapsed(), before - left.len()));
    }
    cut
}

async fn join(run: &Run, person: &Person) -> Result<Socket, Failure> {
    let mut socket = Socket::connect_buffered(&run.target, run.dialect, &person.token, Some(RECEIVE_BUFFER)).await?;
    for room in &run.conversations {
        socket.ask(run.words.join, &Value::from(room.id.as_str())).await?;
    }
    Ok(socket)
}

async fn read_until_measured(run: &Run, socket: &mut Socket) {
    let reading = async { while socket.read().await.is_some() {} };
    tokio::select! {
        () = run.until_measured() => {}
        () = reading => {}
    }
}
