//! One turn of a lane: its first events are delivered one after the other, until one fails or the time of the claim is
//! nearly up. What became of them is settled by the worker, for several lanes together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::LookingUp;
use super::worker::WITHIN;
use crate::model::Timestamp;
use crate::ports::{Buried, ClaimedLane, Clock, SendFailure, SettledLane, Webhook, WebhookEvent};
use crate::rules::retrying::pause;
use crate::services::closing::Closing;
use crate::services::meters::WebhookMeters;
use crate::services::webhooks::WebhookReceiver;

/// Requests at a time.
const AT_ONCE: usize = 16;
/// How long a lane waits whose events cannot be looked up.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);
/// How long what is under way may take when the server goes down.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a turn needs.
pub(super) struct Delivering {
    pub(super) receiver: WebhookReceiver,
    pub(super) looking_up: LookingUp,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) meters: WebhookMeters,
    turns: Semaphore,
}

/// A turn that is over.
pub(super) struct Ended {
    pub(super) settled: SettledLane,
    /// The receiver has taken something.
    pub(super) reached: bool,
    /// It has failed to.
    pub(super) failed: bool,
}

impl Delivering {
    pub(super) fn new(receiver: WebhookReceiver, looking_up: LookingUp, clock: Arc<dyn Clock>) -> Self {
        let turns = Semaphore::new(AT_ONCE);
        Self { receiver, looking_up, clock, meters: WebhookMeters::new(), turns }
    }

    /// Delivers what was claimed at `since`.
    pub(super) async fn turn(&self, claimed: ClaimedLane, since: Instant, mut closing: Closing) -> Ended {
        let ClaimedLane { lane, until, failures, events } = claimed;
        let settled =
            SettledLane { lane, until, delivered: Vec::new(), buried: Vec::new(), due: self.clock.now(), failures };
        let mut ended = Ended { settled, reached: false, failed: false };
        let turn = tokio::select! {
            turn = self.turns.acquire() => turn,
            () = closing.closed() => return ended,
        };
        // Nobody closes the semaphore.
        let Ok(_turn) = turn else { return ended };
        if since.elapsed() >= WITHIN {
            return ended;
        }
        let limits: Vec<Timestamp> = events.iter().map(|event| event.give_up_at).collect();
        let Some(webhooks) = self.look_up(events).await else {
            ended.settled.due = self.clock.now().plus(STORAGE_PAUSE);
            return ended;
        };
        for (webhook, give_up_at) in webhooks.iter().zip(limits) {
            if since.elapsed() >= WITHIN || closing.is_closed() {
                break;
            }
            let began = Instant::now();
            let outcome = tokio::select! {
                biased;
                outcome = self.receiver.sender.send(webhook) => outcome,
                () = farewell(&mut closing) => break,
            };
            self.meters.attempted(began.elapsed());
            if !self.note(webhook, give_up_at, outcome, &mut ended) {
                break;
            }
        }
        ended
    }

    async fn look_up(&self, events: Vec<WebhookEvent>) -> Option<Vec<Webhook>> {
        match self.looking_up.all(events).await {
            Ok(webhooks) => Some(webhooks),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "webhooks cannot be looked up");
                None
            }
        }
    }

    /// Notes what became of an event; says whether the lane goes on.
    fn note(
        &self,
        webhook: &Webhook,
        give_up_at: Timestamp,
        outcome: Result<(), SendFailure>,
        ended: &mut Ended,
    ) -> bool {
        let Ended { settled, reached, failed } = ended;
        let SendFailure { problem, is_final } = match outcome {
            Ok(()) => {
                settled.delivered.push(webhook.id);
                settled.failures = 0;
                *reached = true;
                self.meters.delivered();
                return true;
            }
            Err(failure) => failure,
        };
        let (now, failures) = (self.clock.now(), settled.failures.saturating_add(1));
        if is_final || now >= give_up_at {
            tracing::warn!(id = %webhook.id, kind = %webhook.kind, problem, "a webhook is given up");
            settled.buried.push(Buried { id: webhook.id, at: now, failures, problem });
            settled.failures = 0;
            // An answer that refuses this event says nothing against the next.
            *failed |= !is_final;
            self.meters.buried();
            return true;
        }
        tracing::debug!(id = %webhook.id, kind = %webhook.kind, problem, failures, "a webhook is not delivered");
        settled.failures = failures;
        settled.due = now.plus(pause(failures, webhook.id)).min(give_up_at);
        *failed = true;
        self.meters.failed();
        false
    }
}

/// Waits until the server goes down, and for what is under way then.
async fn farewell(closing: &mut Closing) {
    closing.closed().await;
    sleep(FAREWELL).await;
}
