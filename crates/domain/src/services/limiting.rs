//! How fast people may go, counted for each person over all of their sockets and requests on this node. Transports
//! ask before they do anything else; what is refused has cost one look into a table. Sends count together, whichever
//! transport they come by, which is why the count is here and not in a transport. Among several nodes each tells the
//! others whose sends it has let through, and theirs come out of the same buckets: nobody who sends waits for that, and
//! where words do not get through each node counts for itself.

mod limiter;
mod untold;

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::error::Result;
use crate::model::UserId;
use crate::rules::{Rate, Rates};
use limiter::Limiter;
use untold::Untold;

/// The limits of rates; without any, everything is allowed. All clones count together.
#[derive(Clone, Default)]
pub struct Limiting(Arc<Held>);

#[derive(Default)]
struct Held {
    limiters: ArcSwapOption<Limiters>,
    /// Of sends; `None` on a node that is alone.
    untold: Option<Untold>,
}

struct Limiters {
    events: Arc<Limiter>,
    sends: Arc<Limiter>,
    typing: Arc<Limiter>,
    requests: Arc<Limiter>,
    uploads: Arc<Limiter>,
}

impl Limiters {
    /// Limiters of these rates. Those of `before` stay whose rate stays, with everything that they have counted.
    fn new(rates: Rates, before: Option<&Self>) -> Self {
        let limiter = |name, rate: Rate, of: fn(&Self) -> &Arc<Limiter>| match before.map(of) {
            Some(limiter) if limiter.counts(rate) => Arc::clone(limiter),
            _ => Arc::new(Limiter::new(name, rate)),
        };
        Self {
            events: limiter("events", rates.events, |before| &before.events),
            sends: limiter("sends", rates.sends, |before| &before.sends),
            typing: limiter("typing", rates.typing, |before| &before.typing),
            requests: limiter("requests", rates.requests, |before| &before.requests),
            uploads: limiter("uploads", rates.uploads, |before| &before.uploads),
        }
    }
}

impl Limiting {
    /// Limits of these rates, on a node that is alone or one of several.
    pub(super) fn new(rates: Option<Rates>, is_alone: bool) -> Self {
        let limiting =
            Self(Arc::new(Held { limiters: ArcSwapOption::empty(), untold: (!is_alone).then(Untold::default) }));
        limiting.change(rates);
        limiting
    }

    /// Lets other rates hold. What was counted of a rate that stays counts on.
    pub(super) fn change(&self, rates: Option<Rates>) {
        let before = self.0.limiters.load_full();
        self.0.limiters.store(rates.map(|rates| Arc::new(Limiters::new(rates, before.as_deref()))));
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
        let limiters = self.0.limiters.load();
        let Some(limiters) = limiters.as_deref() else { return Ok(()) };
        limiters.sends.check(user)?;
        if let Some(untold) = &self.0.untold {
            untold.add(user);
        }
        Ok(())
    }

    /// Whose sends this node has let through since it was last asked.
    pub(super) fn take_untold(&self) -> Vec<(UserId, u32)> {
        self.0.untold.as_ref().map(Untold::take).unwrap_or_default()
    }

    /// Another node has let through so many sends of `user`.
    pub(super) fn sent_elsewhere(&self, user: &UserId, count: u32) {
        if let Some(limiters) = self.0.limiters.load().as_deref() {
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
        self.0.limiters.load().as_deref().map_or(Ok(()), |limiters| limiter(limiters).check(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_through(limiting: &Limiting, check: impl Fn(&Limiting, &UserId) -> Result<()>) -> usize {
        let ann = "ann".parse().unwrap();
        (0..100).filter(|_| check(limiting, &ann).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_rate_holds_at_once_for_all_clones_and_the_others_count_on() {
        let rates =
            |sends| Rates { events: Rate::per_second(1, 7), sends: Rate::per_second(1, sends), ..Rates::default() };
        let limiting = Limiting::new(Some(rates(10)), true);
        let handed_out = limiting.clone();
        assert_eq!(let_through(&handed_out, Limiting::send), 10);
        assert_eq!(let_through(&handed_out, Limiting::event), 7);
        limiting.change(Some(rates(20)));
        assert_eq!(let_through(&handed_out, Limiting::send), 20, "a fresh bucket of the new size");
        assert_eq!(let_through(&handed_out, Limiting::event), 0, "the same bucket as before");
        limiting.change(None);
        assert_eq!(let_through(&handed_out, Limiting::send), 100);
        limiting.change(Some(rates(3)));
        assert_eq!(let_through(&handed_out, Limiting::send), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_are_to_be_told_outlives_a_change() {
        let limiting = Limiting::new(Some(Rates::default()), false);
        let ann = "ann".parse().unwrap();
        limiting.send(&ann).unwrap();
        limiting.change(Some(Rates { sends: Rate::per_second(1, 1), ..Rates::default() }));
        assert_eq!(limiting.take_untold(), [(ann, 1)]);
    }
}
