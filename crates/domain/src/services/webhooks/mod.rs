//! Webhooks: what happens is told to the product's backend, at least once and in order within each conversation and for
//! each user. Storages write events with the changes that they tell of (`ports::Outbox`); here they are delivered, and
//! those are written that belong to no stored change (presence, ends of calls). Nothing that people do waits for a
//! receiver.

mod dead_letters;
mod delivering;
mod looking_up;
mod worker;

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

pub use dead_letters::DeadLetters;
pub use worker::WebhookWorker;

pub(super) use looking_up::LookingUp;

use super::closing::{Switch, closing};
use crate::model::{NewWebhook, WebhookKind, WebhookKinds, WebhookSubject};
use crate::ports::{Clock, Outbox, WebhookSender};

/// The most events without a stored change that wait to be written; beyond that whoever tells them waits.
const TOLD: usize = 1_024;

/// Who is told of what.
#[derive(Clone)]
pub struct WebhookReceiver {
    /// The way to them.
    pub sender: Arc<dyn WebhookSender>,
    /// What they want to know.
    pub kinds: WebhookKinds,
}

/// What webhooks are made of.
pub(super) struct Needs {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) receiver: WebhookReceiver,
    pub(super) clock: Arc<dyn Clock>,
    /// Nobody else delivers from this outbox.
    pub(super) alone: bool,
}

/// The end of webhooks that services hold.
#[derive(Clone)]
pub(super) struct Webhooks {
    kinds: WebhookKinds,
    told: mpsc::Sender<NewWebhook>,
    clock: Arc<dyn Clock>,
    pub(super) wake: Arc<Notify>,
    switch: Switch,
}

/// A worker that is not complete: it is told how to look things up when there is something to look them up with.
pub(super) struct Unfinished {
    needs: Needs,
    told: mpsc::Receiver<NewWebhook>,
    wake: Arc<Notify>,
    closing: super::closing::Closing,
}

impl Webhooks {
    pub(super) fn new(needs: Needs) -> (Self, Unfinished) {
        needs.outbox.want(needs.receiver.kinds);
        let (sender, told) = mpsc::channel(TOLD);
        let (switch, closing) = closing();
        let wake = Arc::new(Notify::new());
        let webhooks = Self {
            kinds: needs.receiver.kinds,
            told: sender,
            clock: Arc::clone(&needs.clock),
            wake: Arc::clone(&wake),
            switch,
        };
        (webhooks, Unfinished { needs, told, wake, closing })
    }

    /// Tells of what belongs to no stored change.
    pub(super) async fn tell(&self, kind: WebhookKind, subject: WebhookSubject) {
        if !self.kinds.contains(kind) {
            return;
        }
        let event = NewWebhook { kind, subject, at: self.clock.now() };
        if self.told.send(event).await.is_err() {
            tracing::debug!(%kind, "an event of webhooks is not told: the node is going down");
        }
    }

    pub(super) fn close(&self) {
        self.switch.close();
    }
}

impl Unfinished {
    /// The worker.
    pub(super) fn with(self, looking_up: LookingUp) -> WebhookWorker {
        let Self { needs, told, wake, closing } = self;
        WebhookWorker::new(needs, looking_up, told, wake, closing)
    }
}
