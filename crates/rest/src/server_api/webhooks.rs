//! `/api/v1/server/webhooks`: events that were given up, for those who look after the receiver.

use axum::extract::State;
use parlance_dialects::schemas::ObjectIdSchema;
use parlance_dialects::timestamp;
use parlance_domain::model::{Page, WebhookId, WebhookKind};
use parlance_domain::ports::DeadLetter;
use parlance_domain::services::DeadLetters;
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rest;
use crate::RestState;
use crate::answer::{Answer, Answered, Pagination};
use crate::description::{About, Routes};
use crate::extract::{Body, Limit, Parsed, Query};

/// The most events that one call names.
const MAX_NAMED: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::under("Server API")
        .get(
            "/api/v1/server/webhooks/dead-letters",
            list,
            About::new("listDeadLetters", "Webhooks that were given up, in the order of their ids").refuses(&[404]),
        )
        .post(
            "/api/v1/server/webhooks/dead-letters/retry",
            retry,
            About::new("retryDeadLetters", "Puts webhooks back that were given up").refuses(&[404]),
        )
        .post(
            "/api/v1/server/webhooks/dead-letters/drop",
            drop,
            About::new("dropDeadLetters", "Throws webhooks away that were given up").refuses(&[404]),
        )
}

#[derive(JsonSchema, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    limit: Limit<50, 500>,
    /// The `nextCursor` of the page before.
    cursor: Option<Parsed<WebhookId>>,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLettersData {
    dead_letters: Vec<DeadLetterShape>,
    pagination: Pagination,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeadLetter")]
struct DeadLetterShape {
    #[schemars(with = "ObjectIdSchema")]
    id: String,
    #[schemars(extend("enum" = WebhookKind::ALL.map(WebhookKind::name)))]
    r#type: &'static str,
    /// The conversation, or the user, whose events are delivered in order.
    lane: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    given_up_at: String,
    attempts: u32,
    /// What went wrong the last time.
    problem: String,
}

impl From<&DeadLetter> for DeadLetterShape {
    fn from(letter: &DeadLetter) -> Self {
        let DeadLetter { event, buried_at, failures, problem } = letter;
        Self {
            id: event.id.to_string(),
            r#type: event.kind.name(),
            lane: event.subject.lane(),
            created_at: timestamp(event.at),
            given_up_at: timestamp(*buried_at),
            attempts: *failures,
            problem: problem.clone(),
        }
    }
}

async fn list(State(rest): Rest, Query(query): Query<ListQuery>) -> Answered<DeadLettersData> {
    let limit = query.limit.0;
    let after = query.cursor.map(|cursor| cursor.0);
    // One more than the limit says whether there is a next page.
    let found = dead_letters(&rest)?.list(after, limit + 1).await?;
    let page = Page::cut(found, limit, |last| last.event.id);
    let pagination = Pagination::of(&page);
    let dead_letters = page.items.iter().map(DeadLetterShape::from).collect();
    Ok(Answer::ok("Dead letters", DeadLettersData { dead_letters, pagination }))
}

/// Which ones.
#[derive(JsonSchema, Deserialize)]
pub(super) struct WhichBody {
    /// These; all, if it is left out.
    #[schemars(length(min = 1, max = MAX_NAMED))]
    ids: Option<Vec<Parsed<WebhookId>>>,
}

impl WhichBody {
    fn read(self) -> Result<Option<Vec<WebhookId>>> {
        let ids: Option<Vec<WebhookId>> = self.ids.map(|ids| ids.into_iter().map(|id| id.0).collect());
        match ids {
            Some(ids) if !(1..=MAX_NAMED).contains(&ids.len()) => {
                Err(Error::validation("ids", format!("must have 1 to {MAX_NAMED} ids")))
            }
            ids => Ok(ids),
        }
    }
}

#[derive(JsonSchema, Serialize)]
pub(super) struct RetriedData {
    retried: u64,
}

async fn retry(State(rest): Rest, Body(body): Body<WhichBody>) -> Answered<RetriedData> {
    let ids = body.read()?;
    let retried = dead_letters(&rest)?.retry(ids.as_deref()).await?;
    Ok(Answer::ok("Dead letters put back", RetriedData { retried }))
}

#[derive(JsonSchema, Serialize)]
pub(super) struct DroppedData {
    dropped: u64,
}

async fn drop(State(rest): Rest, Body(body): Body<WhichBody>) -> Answered<DroppedData> {
    let ids = body.read()?;
    let dropped = dead_letters(&rest)?.drop(ids.as_deref()).await?;
    Ok(Answer::ok("Dead letters dropped", DroppedData { dropped }))
}

fn dead_letters(rest: &RestState) -> Result<&DeadLetters> {
    rest.services.dead_letters.as_ref().ok_or(Error::NotFound("This storage keeps no webhooks"))
}
