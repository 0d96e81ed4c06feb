//! What people do all day, in an open loop: most write, some type, read, and page through the history, in pairs and in
//! groups of ten, while others come and go. Every message is still accounted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Stage;
use super::connections::bare_run;
use super::traffic::{Cast, Course, Group, play};
use crate::client::Deed;
use crate::failure::Failure;
use crate::people::Person;
use crate::report::Report;
use crate::socket::Socket;

/// Members of each group.
const GROUP: usize = 10;

/// How long somebody stays who only comes and goes.
const STAY: Duration = Duration::from_secs(1);

/// Messages a second when nobody says how many.
const RATE: u64 = 500;

/// Of twenty tickets, fourteen are messages.
const DEEDS: &[Deed] = &[
    Deed::Send,
    Deed::Send,
    Deed::Type,
    Deed::Send,
    Deed::Send,
    Deed::Read,
    Deed::Send,
    Deed::Send,
    Deed::Type,
    Deed::Send,
    Deed::Page,
    Deed::Send,
    Deed::Send,
    Deed::Read,
    Deed::Send,
    Deed::Send,
    Deed::Type,
    Deed::Send,
    Deed::Send,
    Deed::Send,
];

/// `people` in pairs with their neighbours and in groups, while `churn` others a second come and go.
pub(super) async fn run(mut stage: Stage, people: usize, churn: usize) -> Result<Report, Failure> {
    if stage.load.rate == 0 {
        stage.load.rate = RATE;
    }
    let cast = cast(&mut stage, people)?;
    let comings = Comings::begin(&mut stage, churn)?;
    let mut report = play(&stage, "mixed", cast, COURSE).await?;
    report.faults.failed += comings.end();
    Ok(report)
}

/// How people play who do what people do.
pub(super) const COURSE: Course = Course { in_flight: 1, max_messages: u64::MAX, deeds: DEEDS };

/// `people` in pairs with their neighbours and in groups.
pub(super) fn cast(stage: &mut Stage, people: usize) -> Result<Cast, Failure> {
    let crowd = stage.people.make_many(people.max(GROUP))?;
    let count = crowd.len();
    let pairs = (0..count).map(|one| Group { members: vec![one, (one + 1) % count], senders: 2, direct: true });
    let groups = (0..count / GROUP).map(|group| Group {
        members: (group * GROUP..(group + 1) * GROUP).collect(),
        senders: GROUP,
        direct: false,
    });
    Ok(Cast { groups: pairs.chain(groups).collect(), people: crowd })
}

/// People who connect, stay for a second, and go.
pub(super) struct Comings {
    refused: Arc<AtomicU64>,
    people: Vec<JoinHandle<()>>,
}

impl Comings {
    /// So many come in a second, and as many go.
    pub(super) fn begin(stage: &mut Stage, churn: usize) -> Result<Self, Failure> {
        let strangers = stage.people.make_many(churn.min(1000))?;
        let run = bare_run(stage);
        let refused = Arc::new(AtomicU64::new(0));
        let come_and_go = |person: Person| {
            let (run, refused) = (Arc::clone(&run), Arc::clone(&refused));
            tokio::spawn(async move {
                loop {
                    if let Ok(mut socket) = Socket::connect(&run.target, run.dialect, &person.token).await {
                        let _ = tokio::time::timeout(STAY, async { while socket.read().await.is_some() {} }).await;
                    } else {
                        refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(STAY).await;
                    }
                }
            })
        };
        let people = strangers.into_iter().map(come_and_go).collect();
        Ok(Self { refused, people })
    }

    /// Nobody comes any more. How many were not let in.
    pub(super) fn end(self) -> u64 {
        self.people.iter().for_each(JoinHandle::abort);
        self.refused.load(Ordering::Relaxed)
    }
}
