//! Reading and sending while the data grows: at each size the newest page, a page deep in the past, the list, unread
//! counts, search for a rare and for a common word, what changed lately, and sends. Half of all messages are in one
//! conversation, the rest in others of the same viewer. One request at a time: what is measured is the work, no queue.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::http::Method;

use super::Stage;
use super::traffic::{Cast, Course, Group, parts, set_up};
use crate::client::{Deed, Loop};
use crate::crowd;
use crate::failure::Failure;
use crate::letter::{self, RARE_WORD};
use crate::people::Person;
use crate::process::Sample;
use crate::report::{Faults, Growth, Latency, Report, Usage};
use crate::run::{Conversation, Phase, Run};
use crate::socket::Socket;
use crate::tally::{latencies, record};

/// The viewer's other conversations.
const OTHERS: usize = 30;

/// Messages under way while the data grows.
const IN_FLIGHT: usize = 64;

/// How long growing to the next size may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// A page of the history.
const PAGE: usize = 50;

/// Grows to each of `sizes` and measures there.
pub(super) async fn run(mut stage: Stage, sizes: &[u64], requests: usize) -> Result<Report, Failure> {
    let people = stage.people.make_many(OTHERS + 2)?;
    // The viewer is the first, who sends everything is the second; the big conversation comes first.
    let big = Group { members: vec![0, 1], senders: 2, direct: true };
    let others = (0..OTHERS).map(|other| Group { members: vec![0, 1, other + 2], senders: 2, direct: false });
    let cast = Cast { people, groups: [big].into_iter().chain(others).collect() };
    let conversations = set_up(&stage, &cast).await?;
    let course = Course { in_flight: IN_FLIGHT, max_messages: u64::MAX, deeds: &[Deed::Send] };
    let run = Arc::new(Run::new(stage.target.clone(), stage.load.dialect, conversations, stage.load.threads));
    let (parts, _) = parts(&cast, course, false);
    let viewer = Viewer { stage: &stage, run: &run, person: &cast.people[0], requests };
    let writer = parts.into_iter().nth(1).map(|mut part| {
        // Every second message goes into the big conversation.
        part.sends_to = (1..=OTHERS).flat_map(|other| [0, other]).collect();
        part
    });
    let Some(writer) = writer else { return Err(Failure::plain("nobody to write")) };
    let before = (stage.load.sample(), Sample::own());
    let measured = Instant::now();

    let (mut growth, mut failed, mut stored) = (Vec::new(), 0, 0);
    for size in sizes {
        failed += grow(&stage, &run, &writer, size.saturating_sub(stored)).await?;
        stored = stored.max(*size);
        let calls = viewer.measure(stored).await?;
        growth.push(Growth { messages: stored, calls });
    }
    let after = (stage.load.sample(), Sample::own());
    Ok(Report {
        sockets: 1,
        conversations: run.conversations.len(),
        seconds: measured.elapsed().as_secs_f64(),
        growth,
        faults: Faults { failed, ..Faults::default() },
        server: Usage::between(before.0, after.0),
        load: Usage::between(before.1, after.1),
        ..stage.report("history")
    })
}

/// Stores `count` more messages. How many were refused.
async fn grow(stage: &Stage, run: &Arc<Run>, writer: &crate::client::Part, count: u64) -> Result<u64, Failure> {
    let part = crate::client::Part {
        person: writer.person.clone(),
        joins: writer.joins.clone(),
        sends_to: writer.sends_to.clone(),
        sending: Loop::Closed(IN_FLIGHT),
    };
    let until = run.sends() + count;
    run.enter(Phase::Preparing);
    let mut playing = crowd::gather(run, vec![part], &stage.progress).await?;
    run.enter(Phase::Sending);
    stage.progress.wait("growing", PATIENCE, || run.sends() >= until).await;
    run.enter(Phase::Draining);
    stage.progress.wait("draining", stage.load.drain, || run.is_drained()).await;
    run.enter(Phase::Done);
    while playing.join_next().await.is_some() {}
    Ok(run.total().failed)
}

/// Who looks at the data.
struct Viewer<'a> {
    stage: &'a Stage,
    run: &'a Arc<Run>,
    person: &'a Person,
    requests: usize,
}

impl Viewer<'_> {
    async fn measure(&self, stored: u64) -> Result<Vec<(String, Latency)>, Failure> {
        self.stage.progress.step("reading", self.requests * 8);
        let big: &Conversation = &self.run.conversations[0];
        let pages = format!("/api/v1/chat/messages/all/{}?limit={PAGE}", big.id);
        let deep = format!("{pages}&cursor={}", self.somewhere_deep(&big.id).await?);
        let rev = self.rev(&big.id).await?;
        let changes =
            format!("/api/v1/chat/conversations/{}/changes?since={}&limit={PAGE}", big.id, rev.saturating_sub(50));
        let search = |word: &str| format!("/api/v1/chat/messages/search?q={word}&limit=20");
        // The word that the first message begins with is one of 4,096.
        let common = letter::text(0, 0, 1).split(' ').nth(1).unwrap_or(RARE_WORD).to_owned();
        let mut calls = Vec::new();
        for (name, path) in [
            ("newest page", pages),
            ("deep page", deep),
            ("list", "/api/v1/chat/conversations?limit=20".to_owned()),
            ("unread", "/api/v1/chat/unread".to_owned()),
            ("search, rare word", search(RARE_WORD)),
            ("search, common word", search(&common)),
            ("changes", changes),
        ] {
            calls.push((name.to_owned(), self.get(&path).await?));
        }
        calls.push(("send".to_owned(), self.send(stored).await?));
        Ok(calls)
    }

    async fn get(&self, path: &str) -> Result<Latency, Failure> {
        let mut took = latencies();
        // The first one may have to fill caches.
        self.stage.rest.call(self.person, Method::GET, path, None).await?;
        for _ in 0..self.requests {
            let asked = Instant::now();
            self.stage.rest.call(self.person, Method::GET, path, None).await?;
            record(&mut took, u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
            self.stage.progress.advance();
        }
        Ok((&took).into())
    }

    async fn data(&self, path: &str) -> Result<Value, Failure> {
        self.stage.rest.data(self.person, Method::GET, path, None).await
    }

    async fn rev(&self, conversation: &str) -> Result<u64, Failure> {
        let data = self.data(&format!("/api/v1/chat/conversations/{conversation}")).await?;
        data["conversation"]["rev"].as_u64().ok_or_else(|| Failure::plain("a conversation without a rev"))
    }

    /// A message in the older half of the conversation, found by the changes since then.
    async fn somewhere_deep(&self, conversation: &str) -> Result<String, Failure> {
        let since = self.rev(conversation).await? / 4;
        let data =
            self.data(&format!("/api/v1/chat/conversations/{conversation}/changes?since={since}&limit=1")).await?;
        let id = data["messages"][0]["_id"].as_str();
        id.map(str::to_owned).ok_or_else(|| Failure::plain("no message deep in the past"))
    }

    /// Sends one message after the other.
    async fn send(&self, stored: u64) -> Result<Latency, Failure> {
        let mut took = latencies();
        let Some(event) = self.run.words.send else { return Ok((&took).into()) };
        let mut socket = Socket::connect(&self.run.target, self.run.dialect, &self.person.token).await?;
        for number in 0..self.requests as u64 {
            let text = letter::text(0, 0, number);
            let id = format!("v{stored}-{number}");
            let draft = self.run.words.draft(&self.run.conversations[0].id, &self.person.id, &text, &id);
            let asked = Instant::now();
            let answer = socket.ask(event, &draft).await?;
            record(&mut took, u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
            if !letter::succeeded(&answer) {
                return Err(Failure::new("a send was refused", answer));
            }
            self.stage.progress.advance();
        }
        Ok((&took).into())
    }
}
