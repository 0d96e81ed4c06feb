//! The course of a call: it rings, is active once somebody accepts, and ends. No clock and no sockets
//! here: `services::calling` says when time is up and who is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::model::{CallMedia, ConversationId, ConversationKind, SessionId, UserId};

/// A call that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// In a direct conversation it ends with the first who hangs up, in a group with the last.
    pub kind: ConversationKind,
    /// Who started it.
    pub caller: UserId,
    /// What it carries.
    pub media: CallMedia,
    /// Who is in it or may come in; less whoever is put out of the conversation.
    concerned: BTreeSet<UserId>,
    ringing: BTreeSet<UserId>,
    members: BTreeMap<UserId, SessionId>,
    answered: bool,
}

/// Whether a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It goes on.
    On,
    /// It is over.
    Over,
}

/// What became of an accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// They are in the call now.
    Joined,
    /// They were in it, and go on with another socket.
    Moved,
}

impl Call {
    /// A call that begins to ring at `invited` (everybody but the caller).
    pub fn new(
        conversation_id: ConversationId,
        kind: ConversationKind,
        caller: UserId,
        session: SessionId,
        media: CallMedia,
        invited: impl IntoIterator<Item = UserId>,
    ) -> Self {
        let ringing: BTreeSet<UserId> = invited.into_iter().filter(|user| *user != caller).collect();
        let concerned = ringing.iter().chain([&caller]).cloned().collect();
        let members = BTreeMap::from([(caller.clone(), session)]);
        Self { conversation_id, kind, caller, media, concerned, ringing, members, answered: false }
    }

    /// Whether nobody has accepted yet.
    pub fn is_ringing(&self) -> bool {
        !self.answered
    }

    /// Whom it still rings at.
    pub fn ringing(&self) -> impl Iterator<Item = &UserId> {
        self.ringing.iter()
    }

    /// Who is in it.
    pub fn members(&self) -> impl Iterator<Item = &UserId> {
        self.members.keys()
    }

    /// Who is in it or may come in, and the caller.
    pub fn everybody(&self) -> impl Iterator<Item = &UserId> {
        self.concerned.iter()
    }

    /// Whether `user` is one of those.
    pub fn concerns(&self, user: &UserId) -> bool {
        self.concerned.contains(user)
    }

    /// The socket with which `user` is in it.
    pub fn session_of(&self, user: &UserId) -> Option<SessionId> {
        self.members.get(user).copied()
    }

    /// `user` accepts on `session`. Who is in the call already moves to that socket (a reconnect).
    ///
    /// # Errors
    /// `NotFound` for somebody it does not concern.
    pub fn accept(&mut self, user: &UserId, session: SessionId) -> Result<Accepted> {
        if !self.concerns(user) {
            return Err(Error::NotFound("Call not found"));
        }
        self.ringing.remove(user);
        let moved = self.members.insert(user.clone(), session).is_some();
        self.answered |= *user != self.caller;
        Ok(if moved { Accepted::Moved } else { Accepted::Joined })
    }

    /// `user` does not want to come, or cannot.
    ///
    /// # Errors
    /// `NotFound` for somebody it does not concern, `Conflict` for somebody at whom it does not ring.
    pub fn reject(&mut self, user: &UserId) -> Result<Course> {
        if !self.concerns(user) {
            return Err(Error::NotFound("Call not found"));
        }
        if !self.ringing.remove(user) {
            return Err(Error::Conflict("The call does not ring"));
        }
        Ok(self.course())
    }

    /// `user` goes: hangs up, or is gone for too long.
    ///
    /// # Errors
    /// `NotFound` for somebody it does not concern, `Conflict` for somebody who is not in it.
    pub fn leave(&mut self, user: &UserId) -> Result<Course> {
        if !self.concerns(user) {
            return Err(Error::NotFound("Call not found"));
        }
        if self.members.remove(user).is_none() {
            return Err(Error::Conflict("You are not in the call"));
        }
        let ends = self.kind == ConversationKind::Direct || (*user == self.caller && !self.answered);
        Ok(if ends { Course::Over } else { self.course() })
    }

    /// `user` is no longer in the conversation: they go if they are in it, and cannot come in any more.
    pub fn put_out(&mut self, user: &UserId) -> Course {
        let course = self.leave(user);
        self.ringing.remove(user);
        self.concerned.remove(user);
        course.unwrap_or_else(|_| self.course())
    }

    /// It has rung long enough: those who did not answer no longer can by accident.
    pub fn stop_ringing(&mut self) -> Course {
        self.ringing.clear();
        self.course()
    }

    fn course(&self) -> Course {
        let hopeless = !self.answered && self.ringing.is_empty();
        if self.members.is_empty() || hopeless { Course::Over } else { Course::On }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user(n: usize) -> UserId {
        format!("u{n}").parse().expect("a valid id")
    }

    fn call(kind: ConversationKind, people: usize) -> Call {
        let conversation = ConversationId::from_bytes([1; 12]);
        Call::new(conversation, kind, user(0), SessionId(0), CallMedia::Audio, (0..people).map(user))
    }

    #[test]
    fn a_direct_call_ends_with_the_first_who_goes() {
        let mut call = call(ConversationKind::Direct, 2);
        assert_eq!(call.accept(&user(1), SessionId(1)), Ok(Accepted::Joined));
        assert!(!call.is_ringing());
        assert_eq!(call.accept(&user(1), SessionId(2)), Ok(Accepted::Moved));
        assert_eq!(call.session_of(&user(1)), Some(SessionId(2)));
        assert_eq!(call.leave(&user(1)), Ok(Course::Over));
    }

    #[test]
    fn a_group_call_goes_on_until_the_last_one_goes() {
        let mut call = call(ConversationKind::Group, 3);
        assert_eq!(call.reject(&user(2)), Ok(Course::On));
        assert_eq!(call.accept(&user(1), SessionId(1)), Ok(Accepted::Joined));
        assert_eq!(call.leave(&user(0)), Ok(Course::On));
        assert_eq!(call.accept(&user(2), SessionId(2)), Ok(Accepted::Joined), "changed their mind");
        assert_eq!(call.leave(&user(1)), Ok(Course::On));
        assert_eq!(call.leave(&user(2)), Ok(Course::Over));
    }

    #[test]
    fn a_call_that_nobody_takes_ends() {
        assert_eq!(call(ConversationKind::Direct, 2).reject(&user(1)), Ok(Course::Over));
        assert_eq!(call(ConversationKind::Group, 3).stop_ringing(), Course::Over);
        assert_eq!(call(ConversationKind::Group, 3).leave(&user(0)), Ok(Course::Over), "the caller gives up");
        let mut answered = call(ConversationKind::Group, 3);
        answered.accept(&user(1), SessionId(1)).expect("invited");
        assert_eq!(answered.stop_ringing(), Course::On);
    }

    #[test]
    fn who_is_put_out_is_a_stranger() {
        let mut call = call(ConversationKind::Group, 3);
        assert_eq!(call.accept(&user(1), SessionId(1)), Ok(Accepted::Joined));
        for out in [1, 2] {
            assert_eq!(call.put_out(&user(out)), Course::On);
            assert!(!call.concerns(&user(out)) && call.session_of(&user(out)).is_none());
            assert!(matches!(call.accept(&user(out), SessionId(3)), Err(Error::NotFound(_))));
        }
        assert_eq!(call.everybody().collect::<Vec<_>>(), [&user(0)]);
        assert_eq!(call.put_out(&user(0)), Course::Over);
    }

    #[test]
    fn strangers_and_repetitions_are_refused() {
        let mut call = call(ConversationKind::Direct, 2);
        assert!(matches!(call.accept(&user(7), SessionId(7)), Err(Error::NotFound(_))));
        assert!(matches!(call.leave(&user(1)), Err(Error::Conflict(_))));
        assert!(matches!(call.reject(&user(0)), Err(Error::Conflict(_))));
    }

    proptest! {
        #[test]
        fn nobody_is_in_a_call_and_rung_at_and_one_that_goes_on_has_members(
            group: bool, ops in prop::collection::vec((0..4usize, 0..5u8), 0..40),
        ) {
            let mut call = call(if group { ConversationKind::Group } else { ConversationKind::Direct }, if group { 4 } else { 2 });
            for (who, what) in ops {
                let who = user(who);
                let course = match what {
                    0 => call.accept(&who, SessionId(1)).map(|_| Course::On),
                    1 => call.reject(&who),
                    2 => call.leave(&who),
                    3 => Ok(call.put_out(&who)),
                    _ => Ok(call.stop_ringing()),
                };
                prop_assert!(call.ringing().all(|user| call.session_of(user).is_none()));
                if course == Ok(Course::Over) { break }
                prop_assert!(call.members().next().is_some());
            }
        }
    }
}
