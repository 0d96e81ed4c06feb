//! Reaching people who are not there: what they are notified of while no socket of theirs is anywhere is told them by
//! the channels that there are (`ports::NotificationChannel`). Here is put down that there is something to tell, behind
//! the notification and in one statement; the [`Courier`] works out what it is when it is due, and whether it still is.
//! So what was read meanwhile is told nobody, and a process that dies forgets nothing.

mod courier;
mod digests;

use std::sync::Arc;
use std::time::Duration;

pub use courier::Courier;
use moka::sync::Cache;
use tokio::sync::Notify;

use self::digests::Digests;
use super::closing::{Switch, closing};
use super::directory::Directory;
use super::notification_views::NotificationViews;
use super::presence::Presence;
use crate::model::{Subject, Timestamp, UserId};
use crate::ports::{Addresses, Clock, Errands, Messages, NotificationChannel, Notifications, Receipts, WebPush};

/// The most errands that are known to wait. Beyond that more are put down for nothing.
const KNOWN: u64 = 100_000;

/// What reaches people who are not there.
#[derive(Clone)]
pub struct Reach {
    /// Where people are reached.
    pub addresses: Arc<dyn Addresses>,
    /// What is still to be told.
    pub errands: Arc<dyn Errands>,
    /// The ways; none where addresses are kept for later.
    pub channels: Vec<Arc<dyn NotificationChannel>>,
    /// What browsers have to know of the way to them, if it is one of these.
    pub push: Option<Arc<dyn WebPush>>,
}

/// A channel, and what is known of its errands.
struct Way {
    channel: Arc<dyn NotificationChannel>,
    /// Until when an errand waits in any case.
    waiting: Cache<(UserId, Subject), Timestamp>,
    /// Something is due at once.
    wake: Notify,
}

struct Shared {
    ways: Vec<Way>,
    addresses: Arc<dyn Addresses>,
    errands: Arc<dyn Errands>,
    presence: Presence,
    notifications: Arc<dyn Notifications>,
    clock: Arc<dyn Clock>,
}

/// Puts down whom to reach. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reaching {
    shared: Option<Arc<Shared>>,
    switch: Switch,
}

pub(super) struct Needs {
    pub(super) reach: Option<Reach>,
    pub(super) presence: Presence,
    pub(super) notifications: Arc<dyn Notifications>,
    pub(super) messages: Arc<dyn Messages>,
    pub(super) receipts: Arc<dyn Receipts>,
    pub(super) views: NotificationViews,
    pub(super) directory: Directory,
    pub(super) clock: Arc<dyn Clock>,
}

impl Reaching {
    pub(super) fn new(needs: Needs) -> (Self, Courier) {
        let Needs { reach, presence, notifications, messages, receipts, views, directory, clock } = needs;
        let (switch, closing) = closing();
        let shared = reach.filter(|reach| !reach.channels.is_empty()).map(|reach| {
            let ways = reach.channels.into_iter().map(|channel| Way {
                waiting: Cache::builder().max_capacity(KNOWN).time_to_live(channel.gathers().max(MOMENT)).build(),
                channel,
                wake: Notify::new(),
            });
            Arc::new(Shared {
                ways: ways.collect(),
                addresses: reach.addresses,
                errands: reach.errands,
                presence,
                notifications: notifications.clone(),
                clock,
            })
        });
        let digests = Digests { notifications, messages, receipts, views, directory };
        (Self { shared: shared.clone(), switch }, Courier::new(shared, digests, closing))
    }

    /// Nobody is reached.
    #[cfg(test)]
    pub(super) fn off() -> Self {
        Self { shared: None, switch: closing().0 }
    }

    /// Whether there is a way to reach anybody.
    pub(super) fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// Those of these people who are offline are told, soon. Each must have an unread notification of the subject.
    pub(super) async fn tell(&self, whom: Vec<(UserId, Subject)>) {
        let Some(shared) = &self.shared else { return };
        let away: Vec<_> = whom.into_iter().filter(|(user, _)| !shared.presence.is_online(user)).collect();
        if away.is_empty() {
            return;
        }
        for way in &shared.ways {
            way.put(&away, &*shared.errands, shared.clock.now()).await;
        }
    }

    /// Nothing more is told.
    pub(super) fn close(&self) {
        self.switch.close();
    }
}

/// Caches take no time of zero.
const MOMENT: Duration = Duration::from_millis(1);

impl Way {
    async fn put(&self, away: &[(UserId, Subject)], errands: &dyn Errands, now: Timestamp) {
        let waits = |place: &&(UserId, Subject)| self.waiting.get(*place).is_some_and(|until| now < until);
        let new: Vec<_> = away.iter().filter(|place| !waits(place)).cloned().collect();
        if new.is_empty() {
            return;
        }
        let gathers = self.channel.gathers();
        let due = now.plus(gathers);
        if let Err(error) = errands.put_errands(self.channel.name(), &new, due).await {
            let error = &error as &dyn std::error::Error;
            return tracing::warn!(channel = self.channel.name(), error, "people who are away are not told");
        }
        if gathers.is_zero() {
            self.wake.notify_one();
        } else {
            for place in new {
                self.waiting.insert(place, due);
            }
        }
    }
}
