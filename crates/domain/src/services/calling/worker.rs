//! What runs beside calls: it tells what happened in them, in order, and says when the time of one is up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::super::closing::Closing;
use super::super::missed_calls::MissedCalls;
use super::super::publisher::Publisher;
use super::super::webhooks::Webhooks;
use super::{Shared, TOLD_PER_STEP, Timer, Told};
use crate::model::{EndedCall, WebhookKind, WebhookSubject};

/// Tells of calls, and ends those whose time is up.
pub struct CallingWorker {
    pub(super) shared: Arc<Shared>,
    pub(super) tell: mpsc::Receiver<Told>,
    pub(super) closing: Closing,
    pub(super) missed: MissedCalls,
    pub(super) publisher: Publisher,
    pub(super) webhooks: Option<Webhooks>,
}

impl CallingWorker {
    /// Tells until the services are closed.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.closed() => return,
                Some(told) = self.tell.recv() => match told {
                    Told::Event(event) => self.publisher.publish(event).await,
                    Told::Missed(call) => self.missed.note(call).await,
                    Told::Ended(call) => self.ended(call).await,
                },
                timer = self.shared.timers.next() => self.time_is_up(timer),
            }
        }
    }

    async fn ended(&self, call: EndedCall) {
        if let Some(webhooks) = &self.webhooks {
            webhooks.tell(WebhookKind::CallEnded, WebhookSubject::Call(call)).await;
        }
    }

    fn time_is_up(&self, timer: Timer) {
        // This task empties the queue, so it cannot wait for room in it: it comes back a little later.
        let Ok(mut tell) = self.shared.told.try_reserve_many(TOLD_PER_STEP) else {
            return self.shared.timers.set(timer, Duration::from_millis(100));
        };
        match timer {
            Timer::Ringing(call_id) => self.shared.ring_out(&mut tell, &call_id),
            Timer::Away(call_id, user) => {
                // Fails if they left in the meantime.
                let _ = self.shared.leave(&mut tell, &user, &call_id, Some("disconnected"));
            }
        }
    }
}
