//! How fast people may go, counted for each person over all of their sockets and requests on this node. Transports
//! ask before they do anything else; what is refused has cost one look into a table. Sends count together, whichever
//! transport they come by, which is why the count is here and not in a transport.

mod limiter;

use std::sync::Arc;

use crate::error::Result;
use crate::model::UserId;
use crate::rules::Rates;
use limiter::Limiter;

/// The limits of rates; without any, everything is allowed.
#[derive(Clone, Default)]
pub struct Limiting(Option<Arc<Limiters>>);

struct Limiters {
    events: Limiter,
    sends: Limiter,
    typing: Limiter,
    requests: Limiter,
    uploads: Limiter,
}

impl Limiting {
    /// Limits of these rates.
    pub fn new(rates: Option<Rates>) -> Self {
        Self(rates.map(|rates| {
            Arc::new(Limiters {
                events: Limiter::new("events", rates.events),
                sends: Limiter::new("sends", rates.sends),
                typing: Limiter::new("typing", rates.typing),
                requests: Limiter::new("requests", rates.requests),
                uploads: Limiter::new("uploads", rates.uploads),
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
        self.check(user, |limiters| &limiters.sends)
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
