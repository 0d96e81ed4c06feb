//! The worker that tells what is due: channel by channel, several errands at a time, each for half a minute at most. An
//! errand is leased: a node that dies with it leaves it to the others, or to its own next start.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use tokio::time::{sleep, timeout};

use super::digests::Digests;
use super::{Shared, Way};
use crate::model::Subject;
use crate::ports::{ChannelError, Errand, StorageError, TakenErrand};
use crate::services::closing::Closing;
use crate::services::meters;

/// How often is looked for what is due, also what other nodes have put down and left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The most errands that are under way at a time.
const AT_ONCE: usize = 64;
/// How many times as many are taken together.
const ROUNDS: usize = 8;
/// How long a delivery may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long errands are ours: longer than all rounds may take.
const LEASE: Duration = Duration::from_mins(5);
/// How long what is under way has to end when the server does.
const GRACE: Duration = Duration::from_secs(2);
/// How often is tried before an errand is given up: with the pauses between, for most of a day.
const ATTEMPTS: u32 = 20;
/// The pause after the first failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Tells people who are away what waits for them.
pub struct Courier {
    shared: Option<Arc<Shared>>,
    digests: Digests,
    closing: Closing,
}

/// What has become of an errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was told.
    Delivered,
    /// They have come or read, do not want it, or are reached nowhere.
    NotNeeded,
}

/// Why it has not been told.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the storage does not answer")]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Domain(#[from] crate::Error),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("it takes longer than {PATIENCE:?}")]
    Late,
}

impl Courier {
    pub(super) fn new(shared: Option<Arc<Shared>>, digests: Digests, closing: Closing) -> Self {
        Self { shared, digests, closing }
    }

    /// Tells until the services are closed; what is under way then has two seconds, and is told again by the next to come
    /// if that was not enough.
    pub async fn run(mut self) {
        match self.shared.clone() {
            Some(shared) => _ = join_all(shared.ways.iter().map(|way| self.serve(&shared, way))).await,
            None => self.closing.closed().await,
        }
    }

    async fn serve(&self, shared: &Shared, way: &Way) {
        let mut closing = self.closing.clone();
        let at_once = way.channel.at_once().clamp(1, AT_ONCE);
        let batch = at_once * ROUNDS;
        loop {
            tokio::select! {
                biased;
                () = closing.closed() => return,
                () = way.wake.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            while let Some(taken) = take(shared, way, batch).await {
                let more = taken.len() == batch;
                let work = stream::iter(taken).for_each_concurrent(at_once, |taken| self.carry_out(shared, way, taken));
                let ended = async {
                    closing.closed().await;
                    sleep(GRACE).await;
                };
                tokio::select! {
                    () = work => {}
                    () = ended => return,
                }
                if !more {
                    break;
                }
            }
        }
    }

    async fn carry_out(&self, shared: &Shared, way: &Way, taken: TakenErrand) {
        let TakenErrand { errand, attempts } = taken;
        let outcome = timeout(PATIENCE, self.tell(shared, way, &errand)).await.unwrap_or(Err(Failed::Late));
        let channel = way.channel.name();
        let noted = match outcome {
            Ok(outcome) => {
                meters::reached(channel, if outcome == Outcome::Delivered { "delivered" } else { "not_needed" });
                shared.errands.finish_errand(&errand).await
            }
            Err(failed) => {
                let refused = matches!(failed, Failed::Channel(ChannelError::Refused(_)));
                let given_up = refused || attempts >= ATTEMPTS;
                meters::reached(channel, if given_up { "given_up" } else { "failed" });
                log(channel, &errand, attempts, given_up, &failed);
                if given_up {
                    shared.errands.finish_errand(&errand).await
                } else {
                    shared.errands.postpone_errand(&errand, shared.clock.now().plus(pause(attempts))).await
                }
            }
        };
        if let Err(error) = noted {
            // Its lease ends, and it is told again.
            tracing::warn!(channel, error = &error as &dyn std::error::Error, "what was told cannot be noted");
        }
    }

    async fn tell(&self, shared: &Shared, way: &Way, errand: &Errand) -> Result<Outcome, Failed> {
        let Errand { channel: name, user_id: user, subject } = errand;
        if shared.presence.is_online(user) {
            return Ok(Outcome::NotNeeded);
        }
        let wanted = shared.notifications.find_preferences(user).await?;
        let of_chat = matches!(subject, Subject::Conversation(_));
        if !way.channel.is_wanted(&wanted) || of_chat && !wanted.chat {
            return Ok(Outcome::NotNeeded);
        }
        let addresses = shared.addresses.list_addresses(user, name).await?;
        if addresses.is_empty() && way.channel.needs_address() {
            return Ok(Outcome::NotNeeded);
        }
        let Some(digest) = self.digests.of(user, *subject, addresses).await? else { return Ok(Outcome::NotNeeded) };
        let delivered = way.channel.deliver(&digest).await?;
        for target in delivered.gone {
            shared.addresses.remove_address(user, name, &target).await?;
        }
        Ok(Outcome::Delivered)
    }
}

/// The errands that are due, if there are any.
async fn take(shared: &Shared, way: &Way, limit: usize) -> Option<Vec<TakenErrand>> {
    let now = shared.clock.now();
    match shared.errands.take_errands(way.channel.name(), now, now.plus(LEASE), limit).await {
        Ok(taken) => Some(taken).filter(|taken| !taken.is_empty()),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(channel = way.channel.name(), error, "what is due cannot be looked up");
            None
        }
    }
}

/// Says why somebody was not told. What is said of the cause names no address.
fn log(channel: &str, errand: &Errand, attempts: u32, given_up: bool, failed: &Failed) {
    let (user, error) = (&errand.user_id, failed as &dyn std::error::Error);
    tracing::warn!(channel, %user, attempts, given_up, error, "somebody who is away is not told");
}

/// How long to wait after so many attempts.
fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour() {
        let seconds: Vec<u64> = [1, 2, 3, 8, 9, 10, 1_000].map(|attempts| pause(attempts).as_secs()).to_vec();
        assert_eq!(seconds, [15, 30, 60, 1_920, 3_600, 3_600, 3_600]);
    }
}
