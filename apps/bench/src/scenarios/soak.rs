//! A long day: the load of `mixed`, while members come into groups and go and files are uploaded. Beside what is lost it
//! says what it leaves behind: how memory grows, and whether files and threads of the server come back to what they were.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, interval};
use tokio_tungstenite::tungstenite::http::Method;

use super::Stage;
use super::connections::{bare_run, cut};
use super::mixed::{COURSE, Comings, cast};
use super::traffic::{perform, set_up};
use crate::crowd;
use crate::failure::Failure;
use crate::line::slope;
use crate::people::Person;
use crate::process::{Holdings, Sample};
use crate::report::{Report, Soak, mib};
use crate::rest::Rest;
use crate::run::Run;

/// Messages a second when nobody says how many.
const RATE: u64 = 200;

/// How often somebody comes into a group, goes, or uploads a file, and how often memory is looked at, in turn.
const TURN: Duration = Duration::from_millis(200);

/// Words of an upload.
const UPLOAD: usize = 1600;

/// How long it is left alone before it is counted what it holds.
const QUIET: Duration = Duration::from_secs(30);

/// How long the server has to give back what it held for those who have gone: idle connections to a database and idle
/// threads are kept for some time.
const SETTLE: Duration = Duration::from_mins(1);

/// What it may hold more than before: connections to its database that it had not needed before.
const SLACK: Holdings = Holdings { descriptors: 24, threads: 8 };

/// `people` who talk, `churn` a second who come and go.
pub(super) async fn run(mut stage: Stage, people: usize, churn: usize) -> Result<Report, Failure> {
    if stage.load.rate == 0 {
        stage.load.rate = RATE;
    }
    let Some(pid) = stage.load.one_pid() else { return Err(Failure::plain("soak needs the server's --pid")) };
    let cast = cast(&mut stage, people)?;
    let rooms = set_up(&stage, &cast).await?;
    let busy = stage.people.make_many(3)?;
    for person in &busy {
        stage.rest.introduce(person).await?;
    }
    let group = stage.rest.group(&busy[..2]).await?;
    // What the first sockets make the server open for good is not what the rest leave behind.
    let first = &cast.people[..cast.people.len().min(50)];
    let first = crowd::hold(&bare_run(&stage), first, 16, &stage.progress).await;
    cut(first.held).await;
    // The connections of the set-up go with it.
    stage.rest = Rest::new(&stage.target);
    stage.progress.wait("settling", stage.load.warm_up.min(QUIET), || false).await;
    let before = Holdings::take(pid).ok_or_else(|| Failure::plain("the server's process is not there"))?;

    let comings = Comings::begin(&mut stage, churn)?;
    let beside = move |run| busy_day(run, busy, group, pid);
    let (mut report, day) = perform(&stage, "soak", rooms, &cast, COURSE, beside).await?;
    report.faults.failed += comings.end();
    let day = day.unwrap_or_default();
    report.faults.failed += day.failed;
    report.first_failure = report.first_failure.or(day.first_failure);

    let allowed = |now: &Holdings| {
        now.descriptors <= before.descriptors + SLACK.descriptors && now.threads <= before.threads + SLACK.threads
    };
    let returned = || Holdings::take(pid).as_ref().is_some_and(allowed);
    stage.progress.wait("settling", SETTLE, returned).await;
    let after = Holdings::take(pid).unwrap_or_default();
    if !allowed(&after) {
        report.faults.failed += 1;
        report.first_failure.get_or_insert_with(|| "the server holds more than before".to_owned());
    }
    let ends = [day.memory.first(), day.memory.last()].map(|point| point.map_or(0.0, |(_, mib)| *mib));
    report.soak = Some(Soak {
        mib_per_minute: slope(&day.memory),
        resident_mib: ends,
        held: [before, after],
        group_changes: day.group_changes,
        uploads: day.uploads,
    });
    Ok(report)
}

/// What went on beside the talk.
#[derive(Debug, Default)]
struct Day {
    /// Minutes since the measurement began, and MiB.
    memory: Vec<(f64, f64)>,
    group_changes: u64,
    uploads: u64,
    failed: u64,
    first_failure: Option<String>,
}

/// Until the measurement ends: a member who comes and goes, uploads, and a look at the memory.
async fn busy_day(run: Arc<Run>, people: Vec<Person>, group: String, pid: u32) -> Day {
    let (mut day, mut turns) = (Day::default(), interval(TURN));
    let [owner, uploader, guest] = people.as_slice() else { return day };
    run.until_measured().await;
    let began = Instant::now();
    let text = "soak ".repeat(UPLOAD);
    for turn in 0_u64.. {
        turns.tick().await;
        if !run.counts(run.now()) {
            break;
        }
        let done = match turn % 4 {
            0 | 2 => change(&run.rest, owner, guest, &group, turn % 4 == 0).await.map(|()| day.group_changes += 1),
            1 => run.rest.upload(uploader, &format!("{turn} {text}")).await.map(|()| day.uploads += 1),
            _ => {
                let minutes = began.elapsed().as_secs_f64() / 60.0;
                day.memory.extend(Sample::take(pid).map(|sample| (minutes, mib(sample.resident))));
                Ok(())
            }
        };
        if let Err(failure) = done {
            day.failed += 1;
            day.first_failure.get_or_insert_with(|| failure.to_string());
        }
    }
    day
}

/// The guest comes into the group, or has to go.
async fn change(rest: &Rest, owner: &Person, guest: &Person, group: &str, comes: bool) -> Result<(), Failure> {
    let path = format!("/api/v1/chat/conversations/{group}/participants");
    let answer = if comes {
        rest.call(owner, Method::POST, &path, Some(&json!({ "userIds": [&*guest.id] }))).await
    } else {
        rest.call(owner, Method::DELETE, &format!("{path}/{}", guest.id), None).await
    };
    answer.map(|_| ())
}
