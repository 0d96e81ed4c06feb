//! How fast people may go, counted for each person over all of their sockets and requests on this node. Transports
//! ask before they do anything else; what is refused has cost one look into a table. Sends count together, whichever
//! transport they come by, which is why the count is here and not in a transport. Among several nodes each tells the
//! others whose sends it has let through, and theirs come out of the same buckets: nobody who sends waits for that, and
//! where words do not get through each node counts for itself.

mod limiter;
mod untold;

use std::sync::Arc;

use crate::error::Result;
use crate::model::UserId;
use crate::rules::Rates;
use limiter::Limiter;
use untold::Untold;

/// The limits of rates; without any, everything is allowed.
#[derive(Clone, Default)]
pub struct Limiting(Option<Arc<Limiters>>);

struct Limiters {
    events: Limiter,
    sends: Limiter,
    typing: Limiter,
    requests: Limiter,
    uploads: Limiter,
    /// Of `sends`; `None` on a node that is alone.
    untold: Option<Untold>,
}

impl Limiting {
    /// Limits of these rates, on a node that is alone or one of several.
    pub(super) fn new(rates: Option<Rates>, is_alone: bool) -> Self {
        Self(rates.map(|rates| {
            Arc::new(Limiters {
                events: Limiter::new("events", rates.events),
                sends: Limiter::new("sends", rates.sends),
                typing: Limiter::new("typing", rates.typing),
                requests: Limiter::new("requests", rates.requests),
                uploads: Limiter::new("uploads", rates.uploads),
                untold: (!is_alone).then(Untold::default),
            })
        }))
    }

    /// An event of `user` came on a socket.
    ///
    /// # Errors
    /// `RateLimited`: it is not to be carried out.
    pub fn event(&self, user: &UserId) -> Result<()> {
        self.check(user, |limiters| &limiters.events)
    }

    /// `user` sends a message, over whatever transport.
    ///
    /// # Errors
    /// `RateLimited`: it is not to be stored.
    pub fn send(&self, user: &UserId) -> Result<()> {
        self.check(user, |limiters| &limiters.sends)?;
        if let Some(untold) = self.0.as_deref().and_then(|limiters| limiters.untold.as_ref()) {
            untold.add(user);
        }
        Ok(())
    }

    /// Whose sends this node has let through since it was last asked.
    pub(super) fn take_untold(&self) -> Vec<(UserId, u32)> {
        self.0.as_deref().and_then(|limiters| limiters.untold.as_ref()).map(Untold::take).unwrap_or_default()
    }

    /// Another node has let through so many sends of `user`.
    pub(super) fn sent_elsewhere(&self, user: &UserId, count: u32) {
        if let Some(limiters) = self.0.as_deref() {
            limiters.sends.draw(user, count);
        }
    }

    /// `user` begins to type.
    ///
    /// # Errors
    /// `RateLimited`: nobody is to be told. The contract has it acked as if they were.
    pub fn typing(&self, user: &UserId) -> Result<()> {
        self.check(user, |limiters| &limiters.typing)
    }

    /// `user` asks something over HTTP.
    ///
    /// # Errors
    /// `RateLimited`: it is not to be carried out.
    pub fn request(&self, user: &UserId) -> Result<()> {
        self.check(user, |limiters| &limiters.requests)
    }

    /// `user` uploads something.
    ///
    /// # Errors
    /// `RateLimited`: its bytes are not to be read.
    pub fn upload(&self, user: &UserId) -> Result<()> {
        self.check(user, |limiters| &limiters.uploads)
    }

    fn check(&self, user: &UserId, limiter: impl Fn(&Limiters) -> &Limiter) -> Result<()> {
        self.0.as_deref().map_or(Ok(()), |limiters| limiter(limiters).check(user))
    }
}
