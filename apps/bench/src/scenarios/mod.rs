//! The kinds of load. `traffic` sends through conversations that it sets up, `connections` connects and holds,
//! `presence` comes and goes, `history` reads while the data grows, `mixed` does what people do all day, `soak` for
//! long. `stalled` and `storm` make trouble beside others.

mod connections;
mod history;
mod mixed;
mod presence;
mod soak;
mod stalled;
mod storm;
mod traffic;

use crate::arguments::{Load, Scenario};
use crate::failure::Failure;
use crate::people::People;
use crate::progress::Progress;
use crate::report::Report;
use crate::rest::Rest;
use crate::target::Target;

/// What every scenario is set up with.
#[derive(Debug)]
struct Stage {
    load: Load,
    target: Target,
    rest: Rest,
    people: People,
    progress: Progress,
}

impl Stage {
    /// An empty report of a scenario.
    fn report(&self, scenario: &str) -> Report {
        Report {
            scenario: scenario.to_owned(),
            dialect: self.load.dialect.name().to_owned(),
            rate: self.load.rate,
            ..Report::default()
        }
    }
}

/// Runs a scenario.
///
/// # Errors
/// When it cannot be set up. What goes wrong later is in the report.
pub(crate) async fn run(scenario: &Scenario) -> Result<Report, Failure> {
    let load = scenario.load().clone();
    let target = Target::find(&load.url, load.remote).await?;
    let people = People::new(&load.secret)?;
    let progress = Progress::new(load.quiet || load.json);
    let stage = Stage { rest: Rest::new(&target), load, target, people, progress };
    match scenario {
        Scenario::Pairs { conversations, traffic, .. } => traffic::pairs(stage, *conversations, traffic).await,
        Scenario::Rooms { conversations, members, senders, traffic, .. } => {
            traffic::rooms(stage, "rooms", *conversations, *members, *senders, traffic).await
        }
        Scenario::Fanout { members, traffic, .. } => traffic::rooms(stage, "fanout", 1, *members, 1, traffic).await,
        Scenario::Idle { connections, concurrency, .. } => connections::idle(stage, *connections, *concurrency).await,
        Scenario::Storm { connections, concurrency, rounds, bystanders: 0, .. } => {
            connections::storm(stage, *connections, *concurrency, *rounds).await
        }
        Scenario::Storm { connections, concurrency, rounds, bystanders, .. } => {
            storm::run(stage, *connections, *concurrency, *rounds, *bystanders).await
        }
        Scenario::Stalled { members, senders, stalled, .. } => stalled::run(stage, *members, *senders, stalled).await,
        Scenario::Presence { connections, contacts, rounds, .. } => {
            presence::run(stage, *connections, *contacts, *rounds).await
        }
        Scenario::History { sizes, requests, .. } => history::run(stage, sizes, *requests).await,
        Scenario::Mixed { people, churn, .. } => mixed::run(stage, *people, *churn).await,
        Scenario::Soak { people, churn, .. } => soak::run(stage, *people, *churn).await,
    }
}
