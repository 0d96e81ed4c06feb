//! `parlance webhooks`: looks at events that were given up, puts them back, throws them away. A server may run
//! meanwhile; what is put back it delivers within a second.

use std::fmt::Write;

use parlance_dialects::timestamp;
use parlance_domain::model::WebhookId;
use parlance_domain::ports::DeadLetter;
use parlance_domain::services::DeadLetters;
use parlance_server::DeadLetterBox;
use parlance_server::config::Config;
use serde_json::json;

use super::arguments::{Letters, WebhooksCommand};
use super::failure::Failure;
use super::say;

/// How many are read at a time.
const PAGE: usize = 500;

pub(super) async fn run(config: &Config, command: &WebhooksCommand) -> Result<(), Failure> {
    let opened = DeadLetterBox::open(config).await?;
    let outcome = carry_out(opened.letters(), command).await;
    opened.close().await;
    outcome
}

async fn carry_out(letters: &DeadLetters, command: &WebhooksCommand) -> Result<(), Failure> {
    match command {
        WebhooksCommand::List { json } => list(letters, *json).await,
        WebhooksCommand::Retry(which) => {
            let put_back = letters.retry(ids(which)).await.map_err(Failure::running)?;
            say(&format!("put {put_back} dead letters back\n"))
        }
        WebhooksCommand::Drop(which) => {
            let dropped = letters.drop(ids(which)).await.map_err(Failure::running)?;
            say(&format!("dropped {dropped} dead letters\n"))
        }
    }
}

fn ids(which: &Letters) -> Option<&[WebhookId]> {
    match which {
        Letters::All => None,
        Letters::These(ids) => Some(ids),
    }
}

async fn list(letters: &DeadLetters, json: bool) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = letters.list(after, PAGE).await.map_err(Failure::running)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.event.id);
        let mut lines = String::new();
        for letter in &page {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{}", if json { as_json(letter) } else { as_text(letter) });
        }
        say(&lines)?;
    }
}

fn as_text(letter: &DeadLetter) -> String {
    let DeadLetter { event, buried_at, failures, problem } = letter;
    let (happened, buried) = (timestamp(event.at), timestamp(*buried_at));
    let lane = event.subject.lane();
    format!("{}  {}  {lane}  happened {happened}  given up {buried} after {failures}: {problem}", event.id, event.kind)
}

fn as_json(letter: &DeadLetter) -> String {
    let DeadLetter { event, buried_at, failures, problem } = letter;
    let shown = json!({
        "id": event.id.to_string(),
        "type": event.kind.name(),
        "lane": event.subject.lane(),
        "createdAt": timestamp(event.at),
        "givenUpAt": timestamp(*buried_at),
        "attempts": failures,
        "problem": problem,
    });
    shown.to_string()
}
