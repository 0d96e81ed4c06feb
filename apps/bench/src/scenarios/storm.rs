//! Everybody is cut at once and comes back, while others stay connected and talk: what those see of it, and whether
//! everybody gets in again. How many come back in a second is what `connections` measures, with nobody beside.

use std::sync::Arc;
use std::time::Duration;

use super::Stage;
use super::connections::{bare_run, cut};
use super::traffic::{Cast, Course, Group, perform, set_up};
use crate::aside::Aside;
use crate::client::Deed;
use crate::crowd::{self, Held};
use crate::failure::Failure;
use crate::people::Person;
use crate::progress::Progress;
use crate::report::{Beside, Report};
use crate::run::{Conversation, Run};
use crate::swell::Swell;

/// The longest that a storm may last.
const LONGEST: Duration = Duration::from_mins(5);

/// Messages a second when nobody says how many.
const RATE: u64 = 100;

/// `bystanders` in pairs, and `connections` others who are cut `rounds` times.
pub(super) async fn run(
    mut stage: Stage,
    connections: usize,
    concurrency: usize,
    rounds: usize,
    bystanders: usize,
) -> Result<Report, Failure> {
    if stage.load.rate == 0 {
        stage.load.rate = RATE;
    }
    let calm = stage.load.duration;
    let people = stage.people.make_many(bystanders.max(2))?;
    let pairs =
        (0..people.len() / 2).map(|pair| Group { members: vec![pair * 2, pair * 2 + 1], senders: 2, direct: true });
    let cast = Cast { groups: pairs.collect(), people };
    let rooms = set_up(&stage, &cast).await?;
    let course = Course { in_flight: 1, max_messages: u64::MAX, deeds: &[Deed::Send] };
    let others = stage.people.make_many(connections)?;
    let aside = Arc::new(Aside::new()?);
    let (run, crowd) = (bare_run(&stage), others.clone());
    let come = async move { crowd::hold(&run, &crowd, concurrency, &Progress::new(true)).await };
    let mut connected = aside.run(come).await?;
    let mut whole = Report { sockets: connections + cast.people.len(), ..stage.report("storm") };
    whole.conversations = rooms.len();
    whole.first_failure = connected.first_failure.take().map(|failure| failure.to_string());
    whole.faults.failed += connected.failed;
    let mut held = Some(connected.held);
    for rounds in [0, rounds.max(1)] {
        let rooms = rooms.iter().map(|room| Conversation::new(room.id.clone(), room.hearers)).collect();
        if rounds > 0 {
            // It ends with the storm.
            stage.load.duration = LONGEST;
        }
        let (people, mine, pid) = (others.clone(), if rounds > 0 { held.take() } else { None }, stage.load.one_pid());
        let aside = Arc::clone(&aside);
        let storm = move |run| async move {
            aside.run(weather(run, people, mine.unwrap_or_default(), concurrency, rounds, calm, pid)).await
        };
        let (report, storm) = perform(&stage, "storm", rooms, &cast, course, storm).await?;
        whole.faults.add(&report.faults);
        whole.seconds += report.seconds;
        (whole.server, whole.load) = (report.server, report.load);
        let Some(storm) = storm.transpose()? else { return Err(Failure::plain("the storm did not end in time")) };
        whole.faults.failed += storm.lost;
        whole.first_failure = whole.first_failure.or(storm.first_failure);
        if let Some(traffic) = &report.traffic {
            let what = if rounds == 0 {
                format!("{connections} others who stay")
            } else {
                format!("{connections} others who are cut and come back {rounds} times, {} of them in vain", storm.lost)
            };
            whole.beside.push(Beside {
                what,
                ack: traffic.ack,
                delivery: traffic.delivery,
                settled_after: (rounds > 0).then_some(storm.longest.as_secs_f64()),
                resident_mib: storm.swell,
            });
        }
    }
    Ok(whole)
}

/// What a storm came to.
#[derive(Debug, Default)]
struct Storm {
    /// Handshakes that failed.
    lost: u64,
    /// Until the last of a round was back.
    longest: Duration,
    swell: Option<[f64; 3]>,
    first_failure: Option<String>,
}

/// Waits for the measurement, then cuts all who are held and lets them come back; without rounds it is calm.
async fn weather(
    run: Arc<Run>,
    people: Vec<Person>,
    mut held: Vec<Held>,
    concurrency: usize,
    rounds: usize,
    calm: Duration,
    pid: Option<u32>,
) -> Storm {
    let progress = Progress::new(true);
    let mut storm = Storm::default();
    run.until_measured().await;
    let swell = Swell::watch(pid);
    if rounds == 0 {
        tokio::time::sleep(calm).await;
    }
    for _ in 0..rounds {
        cut(held).await;
        let back = crowd::hold(&run, &people, concurrency, &progress).await;
        storm.longest = storm.longest.max(back.took);
        storm.lost += back.failed;
        storm.first_failure = storm.first_failure.or(back.first_failure.map(|failure| failure.to_string()));
        held = back.held;
    }
    storm.lost += held.iter().filter(|held| held.is_gone()).count() as u64;
    storm.swell = swell.end();
    storm
}
