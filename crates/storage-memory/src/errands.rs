//! The `Errands` port.

use async_trait::async_trait;
use parlance_domain::model::{Subject, Timestamp, UserId};
use parlance_domain::ports::{Errand, Errands, StorageResult, TakenErrand};

use crate::MemoryStorage;

/// An errand that is not finished.
#[derive(Debug)]
pub(crate) struct Waiting {
    due: Timestamp,
    attempts: u32,
    /// When it is due again after it is finished.
    again: Option<Timestamp>,
}

fn key(errand: &Errand) -> (String, UserId, Subject) {
    (errand.channel.clone(), errand.user_id.clone(), errand.subject)
}

#[async_trait]
impl Errands for MemoryStorage {
    async fn put_errands(&self, channel: &str, whom: &[(UserId, Subject)], due: Timestamp) -> StorageResult<()> {
        let mut state = self.state();
        state.must_know(whom.iter().map(|(user, _)| user))?;
        for (user, subject) in whom {
            let place = (channel.to_owned(), user.clone(), *subject);
            let waiting = state.errands.entry(place).or_insert(Waiting { due, attempts: 0, again: None });
            if waiting.attempts > 0 {
                waiting.again = Some(due);
            }
        }
        Ok(())
    }

    async fn take_errands(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StorageResult<Vec<TakenErrand>> {
        let mut state = self.state();
        let due = state.errands.iter_mut().filter(|((of, ..), waiting)| of == channel && waiting.due <= now);
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(_, waiting)| waiting.due);
        let taken = due.into_iter().take(limit).map(|((channel, user_id, subject), waiting)| {
            waiting.due = until;
            waiting.attempts += 1;
            let errand = Errand { channel: channel.clone(), user_id: user_id.clone(), subject: *subject };
            TakenErrand { errand, attempts: waiting.attempts }
        });
        Ok(taken.collect())
    }

    async fn finish_errand(&self, errand: &Errand) -> StorageResult<()> {
        let mut state = self.state();
        let finished = state.errands.remove(&key(errand));
        if let Some(due) = finished.and_then(|finished| finished.again) {
            state.errands.insert(key(errand), Waiting { due, attempts: 0, again: None });
        }
        Ok(())
    }

    async fn postpone_errand(&self, errand: &Errand, due: Timestamp) -> StorageResult<()> {
        if let Some(waiting) = self.state().errands.get_mut(&key(errand)) {
            waiting.due = due;
        }
        Ok(())
    }
}
