//! Whose sockets this node holds, which conversations those people are in, and how far each of these has come here. A
//! conversation is followed while somebody is held who is in it, so all of this is bounded by what is held.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{OnceCell, SetError};
use tokio::time::Instant;

use super::reading::{Found, event_of};
use super::sequence::Sequence;
use super::topic::Changed;
use crate::event::Event;
use crate::model::{ConversationId, Rev, Seq, UserId};
use crate::ports::{Head, Topic};

/// Somebody who has sockets here.
#[derive(Debug, Default)]
struct Person {
    sockets: usize,
    conversations: HashSet<ConversationId>,
    /// Set once their conversations are followed; whoever comes meanwhile waits for it.
    ready: Arc<OnceCell<()>>,
}

#[derive(Debug)]
struct Followed {
    sequence: Sequence,
    /// How many of those who are held are in it.
    people: usize,
}

/// What this node holds.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    people: HashMap<UserId, Person>,
    conversations: HashMap<ConversationId, Followed>,
    /// What misses something, and since when.
    behind: HashMap<ConversationId, Instant>,
}

impl Holdings {
    /// A socket of `user` is about to come. The topic to follow if it is the first, and what to wait for.
    pub(super) fn come(&mut self, user: &UserId) -> (Option<Topic>, Arc<OnceCell<()>>) {
        let person = self.people.entry(user.clone()).or_default();
        person.sockets += 1;
        let topic = (person.sockets == 1).then(|| Topic::User(user.clone()));
        (topic, Arc::clone(&person.ready))
    }

    /// A socket of `user` is gone. What to follow no more.
    pub(super) fn go(&mut self, user: &UserId) -> Vec<Topic> {
        let Entry::Occupied(mut person) = self.people.entry(user.clone()) else { return Vec::new() };
        person.get_mut().sockets -= 1;
        if person.get().sockets > 0 {
            return Vec::new();
        }
        let person = person.remove();
        let mut topics = vec![Topic::User(user.clone())];
        topics.extend(person.conversations.into_iter().filter_map(|conversation| self.let_go(conversation)));
        topics
    }

    /// `user` is in a conversation that has come so far. The topic to follow, if nobody here was in it before.
    pub(super) fn enter(&mut self, user: &UserId, conversation: ConversationId, seq: Seq, rev: Rev) -> Option<Topic> {
        let person = self.people.get_mut(user)?;
        if !person.conversations.insert(conversation) {
            return None;
        }
        match self.conversations.entry(conversation) {
            Entry::Occupied(mut followed) => {
                followed.get_mut().people += 1;
                None
            }
            Entry::Vacant(place) => {
                place.insert(Followed { sequence: Sequence::from(seq, rev), people: 1 });
                Some(Topic::Conversation(conversation))
            }
        }
    }

    /// `user` is no longer in a conversation. The topic to follow no more, if nobody here is in it now.
    pub(super) fn leave(&mut self, user: &UserId, conversation: ConversationId) -> Option<Topic> {
        let was_in = self.people.get_mut(user).is_some_and(|person| person.conversations.remove(&conversation));
        if was_in { self.let_go(conversation) } else { None }
    }

    fn let_go(&mut self, conversation: ConversationId) -> Option<Topic> {
        let Entry::Occupied(mut followed) = self.conversations.entry(conversation) else { return None };
        followed.get_mut().people -= 1;
        if followed.get().people > 0 {
            return None;
        }
        followed.remove();
        self.behind.remove(&conversation);
        Some(Topic::Conversation(conversation))
    }

    /// Everybody who is held.
    pub(super) fn people(&self) -> Vec<UserId> {
        self.people.keys().cloned().collect()
    }

    /// Whether the user's conversations have been followed since before this is asked. For somebody whose following did
    /// not come to its end it counts as done from now on, unless it is under way.
    pub(super) fn is_ready(&self, user: &UserId) -> bool {
        let done = |person: &Person| matches!(person.ready.set(()), Err(SetError::AlreadyInitializedError(())));
        self.people.get(user).is_none_or(done)
    }

    pub(super) fn is_in(&self, user: &UserId, conversation: ConversationId) -> bool {
        self.people.get(user).is_some_and(|person| person.conversations.contains(&conversation))
    }

    /// What of these people's conversations is followed.
    pub(super) fn conversations_of(&self, users: &[UserId]) -> Vec<(UserId, ConversationId)> {
        let of = |user: &UserId| self.people.get(user).map(|person| person.conversations.iter().copied());
        let all = users.iter().filter_map(|user| Some((user, of(user)?)));
        all.flat_map(|(user, conversations)| conversations.map(|id| (user.clone(), id))).collect()
    }

    /// The storage says how far a conversation has come. What is new to this node begins there; of what is not, the
    /// difference is missing.
    pub(super) fn compare(&mut self, head: &Head, now: Instant) -> Option<Topic> {
        let topic = self.enter(&head.user_id, head.conversation_id, head.last_seq, head.rev);
        self.expect(head.conversation_id, head.rev, now);
        topic
    }

    /// There is something up to `rev` in the storage.
    fn expect(&mut self, conversation: ConversationId, rev: Rev, now: Instant) {
        if let Some(followed) = self.conversations.get_mut(&conversation) {
            followed.sequence.expect(rev);
            self.note(conversation, now);
        }
    }

    /// A change came, from here or from another node: what may go on now, in order. A conversation in which nobody is
    /// held keeps no order, since nobody hears of it but the socket that it came in on.
    pub(super) fn arrive(&mut self, changed: Changed, event: Arc<Event>, now: Instant) -> Vec<Arc<Event>> {
        let Some(followed) = self.conversations.get_mut(&changed.conversation) else { return vec![event] };
        let ready = followed.sequence.arrive(changed, event);
        self.note(changed.conversation, now);
        ready
    }

    /// The conversations that have missed something since before `then`; they are no longer named until something
    /// comes of [`repaired`](Self::repaired) or [`again`](Self::again).
    pub(super) fn take_behind(&mut self, then: Instant, limit: usize) -> Vec<ConversationId> {
        let due = self.behind.iter().filter(|(_, since)| **since <= then).map(|(id, _)| *id);
        let due: Vec<ConversationId> = due.take(limit).collect();
        for id in &due {
            self.behind.remove(id);
        }
        due
    }

    /// From where a conversation has to be read: its newest message and last change here.
    pub(super) fn position(&self, conversation: ConversationId) -> Option<(Seq, Rev)> {
        self.conversations.get(&conversation).map(|followed| (followed.sequence.seq(), followed.sequence.rev()))
    }

    /// A conversation was read: what may go on now, in order.
    pub(super) fn repaired(&mut self, conversation: ConversationId, found: Found, now: Instant) -> Vec<Arc<Event>> {
        let Some(followed) = self.conversations.get_mut(&conversation) else { return Vec::new() };
        let Found { messages, participants, until } = found;
        let messages = messages.into_iter().map(|view| (view.message.rev, view.message.seq, view));
        let ready = followed.sequence.repair(messages, until, |view, new| event_of(view, new, &participants));
        self.note(conversation, now);
        ready
    }

    /// A conversation could not be read, and is to be at `then`.
    pub(super) fn again(&mut self, conversation: ConversationId, then: Instant) {
        if self.conversations.contains_key(&conversation) {
            self.behind.insert(conversation, then);
        }
    }

    fn note(&mut self, conversation: ConversationId, now: Instant) {
        if self.conversations.get(&conversation).is_some_and(|followed| followed.sequence.is_behind()) {
            self.behind.entry(conversation).or_insert(now);
        } else {
            self.behind.remove(&conversation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: ConversationId = ConversationId::from_bytes([9; 12]);

    fn user(name: &str) -> UserId {
        name.parse().expect("a valid id")
    }

    #[test]
    fn a_conversation_is_followed_from_the_first_to_the_last_who_is_in_it() {
        let mut holdings = Holdings::default();
        let (ann, bob) = (user("ann"), user("bob"));
        assert_eq!(holdings.come(&ann).0, Some(Topic::User(ann.clone())));
        assert_eq!(holdings.come(&ann).0, None, "the second socket");
        holdings.come(&bob);
        assert_eq!(holdings.enter(&ann, ROOM, 0, 0), Some(Topic::Conversation(ROOM)));
        assert_eq!(holdings.enter(&ann, ROOM, 0, 0), None, "she is in it");
        assert_eq!(holdings.enter(&bob, ROOM, 0, 0), None);
        assert_eq!(holdings.go(&ann), []);
        assert_eq!(holdings.go(&ann), [Topic::User(ann.clone())], "bob is still in it");
        assert_eq!(holdings.leave(&bob, ROOM), Some(Topic::Conversation(ROOM)));
        assert_eq!(holdings.go(&bob), [Topic::User(bob)]);
        assert!(holdings.people.is_empty() && holdings.conversations.is_empty() && holdings.behind.is_empty());
    }

    #[test]
    fn nobody_who_is_not_held_makes_it_follow_anything() {
        let mut holdings = Holdings::default();
        assert_eq!(holdings.enter(&user("ann"), ROOM, 0, 0), None);
        assert!(holdings.conversations.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_storage_is_ahead_of_is_behind_until_it_is_read() {
        let mut holdings = Holdings::default();
        let (ann, start) = (user("ann"), Instant::now());
        holdings.come(&ann);
        let head = |rev| Head { user_id: ann.clone(), conversation_id: ROOM, last_seq: rev, rev };
        assert_eq!(holdings.compare(&head(3), start), Some(Topic::Conversation(ROOM)));
        assert_eq!(holdings.take_behind(start, 9), [], "what was there before is no news");
        assert_eq!(holdings.compare(&head(5), start), None);
        assert_eq!(holdings.take_behind(start, 9), [ROOM]);
        assert_eq!(holdings.position(ROOM), Some((3, 3)));
        assert_eq!(holdings.take_behind(start, 9), [], "it is being read");
        let nothing = |until| Found { messages: Vec::new(), participants: Arc::new([]), until };
        holdings.repaired(ROOM, nothing(4), start);
        assert_eq!(holdings.take_behind(start, 9), [ROOM], "there is more");
        holdings.repaired(ROOM, nothing(5), start);
        assert_eq!(holdings.take_behind(start, 9), []);
    }
}
