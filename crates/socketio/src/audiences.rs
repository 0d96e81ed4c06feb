//! Whom the events of large conversations are for, remembered while nobody comes, goes, joins or leaves: finding a
//! thousand people's sockets costs as much as a tenth of telling them. The hub asks and forgets; nothing here decides.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use parlance_domain::model::{ConversationId, UserId};

use crate::session::Session;

/// Audiences of fewer sockets are found as fast as they are remembered.
const FEWEST: usize = 32;

/// How many sockets all that is remembered names, at most; one audience may have more.
const MOST: usize = 100_000;

/// An audience, in the order of session ids.
pub(crate) type Sessions = Arc<[Arc<Session>]>;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Audiences(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of: HashMap<ConversationId, (Arc<[UserId]>, Sessions)>,
    sessions: usize,
}

impl Audiences {
    /// The audience of a conversation, if it was remembered for the same list of participants.
    pub(crate) fn get(&self, conversation: ConversationId, participants: &Arc<[UserId]>) -> Option<Sessions> {
        let known = self.0.lock();
        let (people, sessions) = known.of.get(&conversation)?;
        Arc::ptr_eq(people, participants).then(|| Arc::clone(sessions))
    }

    /// Remembers an audience, if that is worth it.
    pub(crate) fn keep(&self, conversation: ConversationId, participants: &Arc<[UserId]>, sessions: &Sessions) {
        if sessions.len() < FEWEST {
            return;
        }
        let mut known = self.0.lock();
        if known.sessions + sessions.len() > MOST {
            *known = Known::default();
        }
        let before = known.of.insert(conversation, (Arc::clone(participants), Arc::clone(sessions)));
        let gone = before.map_or(0, |(_, sessions)| sessions.len());
        known.sessions = known.sessions + sessions.len() - gone;
    }

    /// Forgets everything: somebody has come, gone, joined or left.
    pub(crate) fn forget(&mut self) {
        let known = self.0.get_mut();
        if !known.of.is_empty() {
            *known = Known::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_dialects::Dialect;

    use super::*;
    use crate::session::testing;

    fn conversation(n: usize) -> ConversationId {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&n.to_be_bytes());
        ConversationId::from_bytes(bytes)
    }

    fn audience(sockets: usize) -> Sessions {
        let one = testing::session(1, "alice", Dialect::Gateway);
        (0..sockets).map(|_| Arc::clone(&one)).collect()
    }

    #[test]
    fn an_audience_is_that_of_one_list_of_participants() {
        let mut audiences = Audiences::default();
        let (people, same): (Arc<[UserId]>, Arc<[UserId]>) = (Arc::from([]), Arc::from([]));
        audiences.keep(conversation(1), &people, &audience(FEWEST));
        audiences.keep(conversation(2), &people, &audience(FEWEST - 1));
        assert!(audiences.get(conversation(1), &people).is_some());
        assert!(audiences.get(conversation(1), &same).is_none());
        assert!(audiences.get(conversation(2), &people).is_none(), "too few");
        audiences.forget();
        assert!(audiences.get(conversation(1), &people).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let audiences = Audiences::default();
        let people: Arc<[UserId]> = Arc::from([]);
        for n in 0..10 {
            audiences.keep(conversation(n), &people, &audience(MOST / 4));
            audiences.keep(conversation(n), &people, &audience(MOST / 4));
        }
        let known = audiences.0.lock();
        assert_eq!(known.sessions, known.of.values().map(|(_, sessions)| sessions.len()).sum::<usize>());
        assert!(known.sessions <= MOST, "{}", known.sessions);
    }
}
