//! What people do all day, in an open loop: most write, some type, read, and page through the history, in pairs and in
//! groups of ten, while others come and go. Every message is still accounted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Stage;
use super::connections::bare_run;
use super::traffic::{Cast, Course, Group, play};
use crate::client::Deed;
use crate::failure::Failure;
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
    let crowd = stage.people.make_many(people.max(GROUP))?;
    let strangers = stage.people.make_many(churn.min(1000))?;
    let count = crowd.len();
    let pairs = (0..count).map(|one| Group { members: vec![one, (one + 1) % count], senders: 2, direct: true });
    let groups = (0..count / GROUP).map(|group| Group {
        members: (group * GROUP..(group + 1) * GROUP).collect(),
        senders: GROUP,
        direct: false,
    });
    let cast = Cast { groups: pairs.chain(groups).collect(), people: crowd };

    let run = bare_run(&stage);
    let refused = Arc::new(AtomicU64::new(0));
    let comings: Vec<_> = strangers
        .into_iter()
        .map(|person| {
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
        })
        .collect();
    let course = Course { in_flight: 1, max_messages: u64::MAX, deeds: DEEDS };
    let report = play(&stage, "mixed", cast, course).await;
    comings.iter().for_each(tokio::task::JoinHandle::abort);
    report.map(|mut report| {
        report.faults.failed += refused.load(Ordering::Relaxed);
        report
    })
}
