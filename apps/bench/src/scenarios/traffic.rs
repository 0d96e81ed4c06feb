//! Messages through conversations made for the run: `pairs`, `rooms` and `fanout`, and the course that every run with
//! messages takes: connect, warm up, measure, drain, compare what was acked with what each socket got.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::mpsc;

use super::Stage;
use crate::arguments::{Load, Traffic};
use crate::client::{Deed, Loop, Part};
use crate::crowd;
use crate::failure::Failure;
use crate::pace;
use crate::people::Person;
use crate::process::Sample;
use crate::report::{self, Faults, Report, Usage, per_second};
use crate::run::{Conversation, Phase, Run};

/// REST calls under way while a run is set up.
const CONCURRENCY: usize = 16;

/// People, and who of them is in a conversation with whom.
#[derive(Debug, Default)]
pub(super) struct Cast {
    pub(super) people: Vec<Person>,
    /// Members as numbers of `people`, the first of whom starts the conversation.
    pub(super) groups: Vec<Group>,
}

/// A conversation to make.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) members: Vec<usize>,
    /// The first of the members who write.
    pub(super) senders: usize,
    pub(super) direct: bool,
}

/// What the senders do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// Messages that each sender has under way, in a closed loop.
    pub(super) in_flight: usize,
    /// The most messages.
    pub(super) max_messages: u64,
    /// What tickets are for, in an open loop.
    pub(super) deeds: &'static [Deed],
}

/// Direct conversations.
pub(super) async fn pairs(mut stage: Stage, conversations: usize, traffic: &Traffic) -> Result<Report, Failure> {
    let people = stage.people.make_many(conversations * 2)?;
    let groups = (0..conversations)
        .map(|pair| Group { members: vec![pair * 2, pair * 2 + 1], senders: 2, direct: true })
        .collect();
    play(&stage, "pairs", Cast { people, groups }, course(traffic)).await
}

/// Groups of the same size.
pub(super) async fn rooms(
    mut stage: Stage,
    name: &str,
    conversations: usize,
    members: usize,
    senders: usize,
    traffic: &Traffic,
) -> Result<Report, Failure> {
    let people = stage.people.make_many(conversations * members)?;
    let groups = (0..conversations)
        .map(|room| Group {
            members: (room * members..(room + 1) * members).collect(),
            senders: senders.min(members),
            direct: false,
        })
        .collect();
    play(&stage, name, Cast { people, groups }, course(traffic)).await
}

fn course(traffic: &Traffic) -> Course {
    Course { in_flight: traffic.in_flight, max_messages: traffic.max_messages, deeds: &[Deed::Send] }
}

/// Makes people known to the server and their conversations.
pub(super) async fn set_up(stage: &Stage, cast: &Cast) -> Result<Vec<Conversation>, Failure> {
    let (rest, progress) = (&stage.rest, &stage.progress);
    progress.step("introducing", cast.people.len());
    let introducing = stream::iter(&cast.people)
        .map(|person| async move { rest.introduce(person).await.inspect(|()| progress.advance()) });
    introducing.buffer_unordered(CONCURRENCY).try_collect::<()>().await?;

    progress.step("starting", cast.groups.len());
    let starting = stream::iter(&cast.groups).map(|group| async move {
        let id = match *group.members.as_slice() {
            [one, other] if group.direct => rest.pair(&cast.people[one], &cast.people[other]).await?,
            _ => {
                let members: Vec<Person> = group.members.iter().map(|member| cast.people[*member].clone()).collect();
                rest.group(&members).await?
            }
        };
        progress.advance();
        Ok(Conversation::new(id, group.members.len() as u64))
    });
    starting.buffered(CONCURRENCY).try_collect().await
}

/// The parts of all people, and where tickets for senders go in an open loop.
pub(super) fn parts(cast: &Cast, course: Course, open: bool) -> (Vec<Part>, Vec<mpsc::Sender<crate::client::Ticket>>) {
    let mut joins = vec![Vec::new(); cast.people.len()];
    let mut sends_to = vec![Vec::new(); cast.people.len()];
    for (conversation, group) in cast.groups.iter().enumerate() {
        for (place, member) in group.members.iter().enumerate() {
            joins[*member].push(conversation);
            if place < group.senders {
                sends_to[*member].push(conversation);
            }
        }
    }
    let mut tickets = Vec::new();
    let parts = cast.people.iter().zip(joins).zip(sends_to).map(|((person, joins), sends_to)| {
        let sending = if sends_to.is_empty() {
            Loop::Closed(0)
        } else if open {
            let (sender, receiver) = mpsc::channel(pace::QUEUE);
            tickets.push(sender);
            Loop::Open(receiver)
        } else {
            Loop::Closed(course.in_flight)
        };
        Part { person: person.clone(), joins, sends_to, sending }
    });
    (parts.collect(), tickets)
}

/// The whole course of a run with messages.
pub(super) async fn play(stage: &Stage, name: &str, cast: Cast, course: Course) -> Result<Report, Failure> {
    let conversations = set_up(stage, &cast).await?;
    let alone = |_| std::future::pending::<()>();
    perform(stage, name, conversations, &cast, course, alone).await.map(|(report, _)| report)
}

/// Connects the cast and lets it play in these conversations, while `beside` goes on from before the first message. With
/// it the measurement ends, at the latest when its time is over. What it came to; nothing if it had to be ended.
pub(super) async fn perform<B: Future<Output: Send> + Send + 'static>(
    stage: &Stage,
    name: &str,
    conversations: Vec<Conversation>,
    cast: &Cast,
    course: Course,
    beside: impl FnOnce(Arc<Run>) -> B,
) -> Result<(Report, Option<B::Output>), Failure> {
    let Load { duration, warm_up, drain, rate, threads, dialect, .. } = stage.load;
    let run = Arc::new(Run::new(stage.target.clone(), dialect, conversations, threads));
    let (parts, tickets) = parts(cast, course, rate > 0);
    let sockets = parts.len();
    let mut playing = crowd::gather(&run, parts, &stage.progress).await?;

    run.measure(warm_up, duration);
    let beside = tokio::spawn(beside(Arc::clone(&run)));
    run.enter(Phase::Sending);
    let pacer = (rate > 0).then(|| pace::start(Arc::clone(&run), rate, tickets, course.deeds));
    let enough = || run.sends() >= course.max_messages || beside.is_finished();
    stage.progress.wait("warming up", warm_up, enough).await;
    let before = (stage.load.sample(), Sample::own());
    let measured = tokio::time::Instant::now();
    stage.progress.wait("measuring", duration, enough).await;
    let seconds = measured.elapsed();
    let after = (stage.load.sample(), Sample::own());

    run.enter(Phase::Draining);
    // Clients still work off the tickets they have; what they are about to send is not counted as drained.
    let unsent = match pacer {
        Some(pacer) => tokio::task::spawn_blocking(move || pacer.join().unwrap_or(0)).await.unwrap_or(0),
        None => 0,
    };
    stage.progress.wait("draining", drain, || run.is_drained()).await;
    run.enter(Phase::Done);
    if !beside.is_finished() {
        beside.abort();
    }
    let besides = beside.await.ok();

    let acked: Vec<_> = run.conversations.iter().map(Conversation::acked).collect();
    let mut lost = 0;
    let mut accounted = HashSet::new();
    let mut ledgers = 0;
    while let Some(ledger) = playing.join_next().await {
        let Ok(ledger) = ledger else { continue };
        ledgers += 1;
        for (conversation, received) in ledger {
            lost += received.lacks(&acked[conversation]);
            accounted.insert(conversation);
        }
    }
    let total = run.total();
    let faults = Faults {
        lost,
        duplicated: total.duplicated,
        out_of_order: total.out_of_order,
        // A client that broke down says nothing of what it got.
        failed: total.failed + (sockets - ledgers) as u64 + (acked.len() - accounted.len()) as u64,
        closed: total.closed,
        unsent,
    };
    let window = seconds.min(duration);
    let report = Report {
        sockets,
        conversations: acked.len(),
        seconds: window.as_secs_f64(),
        traffic: Some(report::Traffic {
            sends_per_second: per_second(total.acked, window),
            deliveries_per_second: per_second(total.delivered, window),
            ack: (&total.ack).into(),
            delivery: (&total.delivery).into(),
            other: (!total.other.is_empty()).then(|| (&total.other).into()),
        }),
        faults,
        server: Usage::between(before.0, after.0),
        load: Usage::between(before.1, after.1),
        ..stage.report(name)
    };
    Ok((report, besides))
}
