//! The one worker of webhooks: it claims lanes that are due, lets each have its turn, and settles turns that ended
//! at about the same time together. It looks when something has happened on this node, and every second for what
//! other nodes or pauses have made due. What it holds is bounded, however much waits in the storage.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::delivering::{Delivering, Ended};
use super::{LookingUp, Needs};
use crate::model::NewWebhook;
use crate::ports::{ClaimedLane, Clock, Outbox, OutboxClaim, SettledLane, StorageResult};
use crate::services::closing::Closing;

/// How long a claimed lane is this node's. What a node that died had claimed waits for so long.
const LEASE: Duration = Duration::from_secs(30);
/// How long after its claim a lane begins with an event: no request may outlast the claim.
pub(super) const WITHIN: Duration = Duration::from_secs(15);
/// Lanes that are claimed at a time.
const LANES: usize = 64;
/// Events of a lane's turn.
const EVENTS: usize = 16;
/// How often it is looked whether something is due of which nobody here knows.
const LOOK: Duration = Duration::from_secs(1);
/// How long what happens is gathered, so that a busy server does not pay for each event by itself.
const GATHER: Duration = Duration::from_millis(20);
/// Failures in a row after which the receiver counts as away: its return makes everything due that waits.
const AWAY: u32 = 16;
/// How often it is counted how much there is.
const COUNT: Duration = Duration::from_secs(15);

/// Delivers webhooks.
pub struct WebhookWorker {
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    delivering: Arc<Delivering>,
    told: mpsc::Receiver<NewWebhook>,
    wake: Arc<Notify>,
    closing: Closing,
    alone: bool,
}

/// What is in hand.
struct Hand {
    /// What was told, and is not written yet.
    told: Vec<NewWebhook>,
    /// Turns that are over and not settled.
    ended: Vec<SettledLane>,
    settle_at: Instant,
    look_at: Instant,
    count_at: Instant,
    failures_in_a_row: u32,
}

impl WebhookWorker {
    pub(super) fn new(
        needs: Needs,
        looking_up: LookingUp,
        told: mpsc::Receiver<NewWebhook>,
        wake: Arc<Notify>,
        closing: Closing,
    ) -> Self {
        let Needs { outbox, receiver, clock, alone } = needs;
        let delivering = Arc::new(Delivering::new(receiver, looking_up, Arc::clone(&clock)));
        Self { outbox, clock, delivering, told, wake, closing, alone }
    }

    /// Delivers until the services are closed. What is not delivered then stays in the outbox.
    pub async fn run(mut self) {
        if self.alone {
            // What the run before this one had claimed is nobody's.
            said(self.outbox.wake(self.clock.now(), true).await, "webhooks of the last run wait for their claims");
        }
        let now = Instant::now();
        let mut turns = FuturesUnordered::new();
        let mut hand = Hand {
            told: Vec::new(),
            ended: Vec::new(),
            settle_at: now,
            look_at: now,
            count_at: now,
            failures_in_a_row: 0,
        };
        loop {
            let next =
                hand.look_at.min(hand.count_at).min(if hand.ended.is_empty() { hand.count_at } else { hand.settle_at });
            tokio::select! {
                biased;
                () = self.closing.closed() => break,
                Some(ended) = turns.next(), if !turns.is_empty() => self.end(ended, &mut hand).await,
                _ = self.told.recv_many(&mut hand.told, super::TOLD), if hand.told.is_empty() && !self.told.is_closed() => {}
                () = self.wake.notified() => hand.look_at = hand.look_at.min(Instant::now() + GATHER),
                () = sleep_until(next) => {}
            }
            self.write_told(&mut hand).await;
            let now = Instant::now();
            if turns.is_empty() || now >= hand.settle_at {
                self.settle(&mut hand).await;
            }
            if now >= hand.look_at && turns.len() + hand.ended.len() <= LANES / 2 {
                for lane in self.claim(LANES - turns.len(), &mut hand).await {
                    let (delivering, closing) = (Arc::clone(&self.delivering), self.closing.clone());
                    turns.push(async move { delivering.turn(lane, now, closing).await });
                }
            } else if now >= hand.look_at {
                hand.look_at = now + LOOK;
            }
            if now >= hand.count_at {
                self.count().await;
                hand.count_at = now + COUNT;
            }
        }
        while let Some(ended) = turns.next().await {
            hand.ended.push(ended.settled);
        }
        while let Ok(told) = self.told.try_recv() {
            hand.told.push(told);
        }
        self.write_told(&mut hand).await;
        self.settle(&mut hand).await;
    }

    /// A turn is over.
    async fn end(&self, ended: Ended, hand: &mut Hand) {
        let Ended { settled, reached, failed } = ended;
        if hand.ended.is_empty() {
            hand.settle_at = Instant::now() + GATHER;
        }
        hand.ended.push(settled);
        if reached {
            if std::mem::take(&mut hand.failures_in_a_row) >= AWAY {
                tracing::info!("the receiver of webhooks takes them again");
                said(self.outbox.wake(self.clock.now(), false).await, "webhooks wait on");
            }
        } else if failed {
            hand.failures_in_a_row += 1;
            if hand.failures_in_a_row == AWAY {
                tracing::warn!("the receiver of webhooks takes none; they are kept");
            }
        }
    }

    async fn write_told(&self, hand: &mut Hand) {
        if !hand.told.is_empty()
            && said(self.outbox.add(hand.told.clone()).await, "events wait to be written").is_some()
        {
            hand.told.clear();
            hand.look_at = Instant::now();
        }
    }

    async fn settle(&self, hand: &mut Hand) {
        if hand.ended.is_empty() {
            return;
        }
        if said(self.outbox.settle(hand.ended.clone()).await, "what was delivered is not noted").is_some() {
            hand.ended.clear();
            hand.look_at = Instant::now();
        } else {
            hand.settle_at = Instant::now() + LOOK;
        }
    }

    async fn claim(&self, lanes: usize, hand: &mut Hand) -> Vec<ClaimedLane> {
        let now = self.clock.now();
        let claim = OutboxClaim { now, until: now.plus(LEASE), lanes, events: EVENTS };
        let claimed = said(self.outbox.claim(claim).await, "webhooks are not claimed").unwrap_or_default();
        hand.look_at = Instant::now() + LOOK;
        claimed
    }

    async fn count(&self) {
        if let Some(counts) = said(self.outbox.count_webhooks().await, "webhooks are not counted") {
            self.delivering.meters.counted(counts);
        }
    }
}

/// What a storage answered; what it failed at is tried again.
fn said<T>(answer: StorageResult<T>, otherwise: &'static str) -> Option<T> {
    answer.inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "{otherwise}")).ok()
}
