//! Events that were given up: looking at them, putting them back, throwing them away.

use std::sync::Arc;

use crate::error::Result;
use crate::model::WebhookId;
use crate::ports::{Clock, DeadLetter, Outbox};

/// How many are put back, or thrown away, in one step.
const PAGE: usize = 500;

/// The dead letters of an outbox.
#[derive(Clone)]
pub struct DeadLetters {
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
}

impl DeadLetters {
    /// The dead letters of this outbox.
    pub fn new(outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) -> Self {
        Self { outbox, clock }
    }

    /// Those after this one, in the order of their ids; at most `limit`.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn list(&self, after: Option<WebhookId>, limit: usize) -> Result<Vec<DeadLetter>> {
        Ok(self.outbox.list_dead_letters(after, limit).await?)
    }

    /// Puts these back, or all; says how many it were. Those that are none are passed over.
    ///
    /// # Errors
    /// As [`list`](Self::list); what was put back until then stays so.
    pub async fn retry(&self, ids: Option<&[WebhookId]>) -> Result<u64> {
        self.act(Act::Retry, ids).await
    }

    /// Throws these away, or all; says how many it were. Those that are none are passed over.
    ///
    /// # Errors
    /// As [`list`](Self::list); what was thrown away until then stays so.
    pub async fn drop(&self, ids: Option<&[WebhookId]>) -> Result<u64> {
        self.act(Act::Drop, ids).await
    }

    async fn act(&self, act: Act, ids: Option<&[WebhookId]>) -> Result<u64> {
        if let Some(ids) = ids {
            return self.act_on(act, ids).await;
        }
        let (mut done, mut after) = (0, None);
        loop {
            let page = self.list(after, PAGE).await?;
            let ids: Vec<WebhookId> = page.iter().map(|letter| letter.event.id).collect();
            let Some(last) = ids.last() else { return Ok(done) };
            after = Some(*last);
            done += self.act_on(act, &ids).await?;
        }
    }

    async fn act_on(&self, act: Act, ids: &[WebhookId]) -> Result<u64> {
        Ok(match act {
            Act::Retry => self.outbox.retry_dead_letters(ids, self.clock.now()).await?,
            Act::Drop => self.outbox.drop_dead_letters(ids).await?,
        })
    }
}

/// What is done with them.
#[derive(Clone, Copy)]
enum Act {
    Retry,
    Drop,
}
