//! Which sockets this node holds, whose they are and what they joined. Our own registry rather than the library's
//! rooms: delivery must know whose buffer is full, and each event is encoded once per dialect. A socket is in here
//! from the moment it is connected until it is closed, and leaves with everything it joined. Nothing here waits.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use parlance_domain::model::{ConversationId, SessionId, UserId};

use crate::audiences::{Audiences, Sessions};
use crate::session::Session;

/// The most rooms that one socket is in.
const MAX_JOINED: usize = 10_000;

/// The node's sockets.
#[derive(Debug)]
pub(crate) struct Hub {
    max_per_user: AtomicUsize,
    state: RwLock<State>,
    /// Sockets per user, those that are still shaking hands included.
    slots: Mutex<HashMap<UserId, usize>>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<SessionId, Held>,
    users: HashMap<UserId, Vec<Arc<Session>>>,
    rooms: HashMap<ConversationId, Vec<Arc<Session>>>,
    /// Forgotten with every change of what stands above.
    audiences: Audiences,
    evictions: u64,
}

#[derive(Debug)]
struct Held {
    session: Arc<Session>,
    joined: Vec<ConversationId>,
}

/// How many evictions there have been; see [`Hub::join`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// What became of joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The socket is in the room.
    Yes,
    /// Somebody was evicted since the ticket was taken: the permission must be checked again.
    Stale,
    /// The socket is in as many rooms as it may be.
    TooMany,
    /// The socket is closed.
    Gone,
}

/// One of a user's places for sockets; free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    hub: Arc<Hub>,
    user_id: UserId,
}

impl Hub {
    /// A hub in which each user has at most `max_per_user` sockets.
    pub(crate) fn new(max_per_user: usize) -> Arc<Self> {
        Arc::new(Self {
            max_per_user: AtomicUsize::new(max_per_user),
            state: RwLock::default(),
            slots: Mutex::default(),
        })
    }

    /// Lets each user have so many sockets from now on; who has more keeps them.
    pub(crate) fn change_max_per_user(&self, max_per_user: usize) {
        self.max_per_user.store(max_per_user, Ordering::Relaxed);
    }

    /// Takes a place for one more socket of `user_id`; `None` when there is none left.
    pub(crate) fn reserve(self: &Arc<Self>, user_id: &UserId) -> Option<Slot> {
        let mut slots = self.slots.lock();
        let taken = slots.entry(user_id.clone()).or_default();
        if *taken >= self.max_per_user.load(Ordering::Relaxed) {
            return None;
        }
        *taken += 1;
        Some(Slot { hub: Arc::clone(self), user_id: user_id.clone() })
    }

    /// Registers a connected socket.
    pub(crate) fn add(&self, session: Arc<Session>) {
        let mut state = self.state.write();
        state.audiences.forget();
        state.users.entry(session.user_id.clone()).or_default().push(Arc::clone(&session));
        state.sessions.insert(session.id, Held { session, joined: Vec::new() });
    }

    /// Forgets a socket and takes it out of its rooms; says which. `None` if it was not here (any more).
    pub(crate) fn remove(&self, id: SessionId) -> Option<Vec<ConversationId>> {
        let mut state = self.state.write();
        let Held { session, joined } = state.sessions.remove(&id)?;
        state.audiences.forget();
        take_out(state.users.entry(session.user_id.clone()), id);
        for conversation in &joined {
            take_out(state.rooms.entry(*conversation), id);
        }
        Some(joined)
    }

    /// Taken before a permission is checked, and shown when joining.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.state.read().evictions)
    }

    /// Puts a socket into a room. The permission was checked after `ticket` was taken; if somebody was evicted in the
    /// meantime, it may have been this socket's user, and nothing happens.
    pub(crate) fn join(&self, id: SessionId, conversation: ConversationId, ticket: Ticket) -> Joined {
        let mut state = self.state.write();
        if state.evictions != ticket.0 {
            return Joined::Stale;
        }
        let State { sessions, rooms, audiences, .. } = &mut *state;
        let Some(held) = sessions.get_mut(&id) else { return Joined::Gone };
        if !held.joined.contains(&conversation) {
            if held.joined.len() >= MAX_JOINED {
                return Joined::TooMany;
            }
            held.joined.push(conversation);
            audiences.forget();
            rooms.entry(conversation).or_default().push(Arc::clone(&held.session));
        }
        Joined::Yes
    }

    /// Takes a socket out of a room.
    pub(crate) fn leave(&self, id: SessionId, conversation: ConversationId) {
        let mut state = self.state.write();
        state.audiences.forget();
        if let Some(held) = state.sessions.get_mut(&id) {
            held.joined.retain(|joined| *joined != conversation);
        }
        take_out(state.rooms.entry(conversation), id);
    }

    /// Takes all sockets of a user out of a room.
    pub(crate) fn evict(&self, user_id: &UserId, conversation: ConversationId) {
        let mut state = self.state.write();
        state.evictions += 1;
        state.audiences.forget();
        let State { sessions, users, rooms, .. } = &mut *state;
        for session in users.get(user_id).into_iter().flatten() {
            if let Some(held) = sessions.get_mut(&session.id) {
                held.joined.retain(|joined| *joined != conversation);
            }
            take_out(rooms.entry(conversation), session.id);
        }
    }

    /// The sockets in a room, save those of `except`.
    pub(crate) fn room(&self, conversation: ConversationId, except: Option<&UserId>) -> Vec<Arc<Session>> {
        let state = self.state.read();
        let room = state.rooms.get(&conversation).into_iter().flatten();
        room.filter(|session| Some(&session.user_id) != except).cloned().collect()
    }

    /// The sockets of `participants` that speak a dialect in which these hear of a conversation without joining, and
    /// those in its room; each once, in the order of their ids.
    pub(crate) fn audience(&self, conversation: ConversationId, participants: &Arc<[UserId]>) -> Sessions {
        // Nothing can change before it is kept.
        let state = self.state.read();
        if let Some(sessions) = state.audiences.get(conversation, participants) {
            return sessions;
        }
        let of_users = participants.iter().filter_map(|user| state.users.get(user)).flatten();
        let reached = of_users.filter(|session| session.dialect.reaches_participants());
        let joined = state.rooms.get(&conversation).into_iter().flatten();
        let mut sessions: Vec<_> = reached.chain(joined).cloned().collect();
        sessions.sort_unstable_by_key(|session| session.id);
        sessions.dedup_by_key(|session| session.id);
        let sessions: Sessions = sessions.into();
        state.audiences.keep(conversation, participants, &sessions);
        sessions
    }

    /// All sockets of these users; each once if each user is named once.
    pub(crate) fn users<'a>(&self, users: impl IntoIterator<Item = &'a UserId>) -> Vec<Arc<Session>> {
        let state = self.state.read();
        users.into_iter().filter_map(|user| state.users.get(user)).flatten().cloned().collect()
    }

    /// One socket, if it is here.
    pub(crate) fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.state.read().sessions.get(&id).map(|held| Arc::clone(&held.session))
    }

    /// Every socket.
    pub(crate) fn everyone(&self) -> Vec<Arc<Session>> {
        self.state.read().sessions.values().map(|held| Arc::clone(&held.session)).collect()
    }

    /// How many sockets there are.
    pub(crate) fn len(&self) -> usize {
        self.state.read().sessions.len()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self.hub.slots.lock();
        if let Entry::Occupied(mut taken) = slots.entry(self.user_id.clone()) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

fn take_out<K>(entry: Entry<'_, K, Vec<Arc<Session>>>, id: SessionId) {
    if let Entry::Occupied(mut entry) = entry {
        entry.get_mut().retain(|session| session.id != id);
        if entry.get().is_empty() {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_dialects::Dialect;

    use super::*;
    use crate::session::testing;

    const ROOM: ConversationId = ConversationId::from_bytes([1; 12]);
    const OTHER: ConversationId = ConversationId::from_bytes([2; 12]);

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn add(hub: &Hub, id: u64, user: &str) -> SessionId {
        hub.add(testing::session(id, user, Dialect::Ulearn));
        SessionId(id)
    }

    fn ids(sessions: &[Arc<Session>]) -> Vec<u64> {
        let mut ids: Vec<u64> = sessions.iter().map(|session| session.id.0).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn a_room_holds_who_joined_it_once() {
        let hub = Hub::new(20);
        let (one, two) = (add(&hub, 1, "alice"), add(&hub, 2, "bob"));
        add(&hub, 3, "carol");
        for id in [one, one, two] {
            assert_eq!(hub.join(id, ROOM, hub.ticket()), Joined::Yes);
        }
        assert_eq!(ids(&hub.room(ROOM, None)), [1, 2]);
        assert_eq!(ids(&hub.room(ROOM, Some(&user("alice")))), [2]);
        hub.leave(one, ROOM);
        assert_eq!(ids(&hub.room(ROOM, None)), [2]);
        assert_eq!(ids(&hub.users([&user("alice"), &user("carol"), &user("nobody")])), [1, 3]);
    }

    #[test]
    fn a_socket_leaves_with_everything_it_joined() {
        let hub = Hub::new(20);
        let one = add(&hub, 1, "alice");
        hub.join(one, ROOM, hub.ticket());
        hub.join(one, OTHER, hub.ticket());
        assert_eq!(hub.remove(one), Some(vec![ROOM, OTHER]));
        assert_eq!(hub.remove(one), None);
        assert_eq!(hub.join(one, ROOM, hub.ticket()), Joined::Gone);
        let state = hub.state.read();
        assert!(state.sessions.is_empty() && state.users.is_empty() && state.rooms.is_empty());
    }

    #[test]
    fn an_audience_is_found_anew_after_everything_that_changes_it() {
        let hub = Hub::new(20);
        let participants: Arc<[UserId]> = (1..=40).map(|n| user(&format!("user-{n}"))).collect();
        for (id, user) in (1..).zip(participants.iter()) {
            hub.add(testing::session(id, user.as_str(), Dialect::Talentbridge));
        }
        let sockets = || hub.audience(ROOM, &participants).len();
        assert_eq!(sockets(), 40);
        let first = hub.audience(ROOM, &participants);
        assert!(Arc::ptr_eq(&first, &hub.audience(ROOM, &participants)), "nothing has changed");
        hub.add(testing::session(41, "user-1", Dialect::Talentbridge));
        assert_eq!(sockets(), 41);
        let guest = add(&hub, 42, "user-2");
        assert_eq!(sockets(), 41, "in this dialect one has to join");
        hub.join(guest, ROOM, hub.ticket());
        assert_eq!(sockets(), 42);
        hub.leave(guest, ROOM);
        assert_eq!(sockets(), 41);
        hub.join(guest, ROOM, hub.ticket());
        assert_eq!(sockets(), 42);
        hub.evict(&user("user-2"), ROOM);
        assert_eq!(sockets(), 41);
        hub.remove(SessionId(41));
        assert_eq!(sockets(), 40);
    }

    #[test]
    fn eviction_takes_every_socket_of_the_user_out_of_one_room() {
        let hub = Hub::new(20);
        for (id, name) in [(1, "alice"), (2, "alice"), (3, "bob")] {
            let id = add(&hub, id, name);
            hub.join(id, ROOM, hub.ticket());
            hub.join(id, OTHER, hub.ticket());
        }
        hub.evict(&user("alice"), ROOM);
        assert_eq!(ids(&hub.room(ROOM, None)), [3]);
        assert_eq!(ids(&hub.room(OTHER, None)), [1, 2, 3]);
        assert_eq!(hub.remove(SessionId(1)), Some(vec![OTHER]));
    }

    #[test]
    fn a_permission_from_before_an_eviction_does_not_join() {
        let hub = Hub::new(20);
        let one = add(&hub, 1, "alice");
        let ticket = hub.ticket();
        hub.evict(&user("alice"), ROOM);
        assert_eq!(hub.join(one, ROOM, ticket), Joined::Stale);
        assert!(hub.room(ROOM, None).is_empty());
        assert_eq!(hub.join(one, ROOM, hub.ticket()), Joined::Yes);
    }

    #[test]
    fn a_socket_is_in_so_many_rooms_and_no_more() {
        let hub = Hub::new(20);
        let one = add(&hub, 1, "alice");
        let room = |n: usize| {
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&n.to_be_bytes());
            ConversationId::from_bytes(bytes)
        };
        for n in 0..MAX_JOINED {
            assert_eq!(hub.join(one, room(n), hub.ticket()), Joined::Yes);
        }
        assert_eq!(hub.join(one, room(MAX_JOINED), hub.ticket()), Joined::TooMany);
        assert_eq!(hub.join(one, room(0), hub.ticket()), Joined::Yes, "it is in this one");
        hub.leave(one, room(0));
        assert_eq!(hub.join(one, room(MAX_JOINED), hub.ticket()), Joined::Yes);
    }

    #[test]
    fn places_are_limited_and_come_back() {
        let hub = Hub::new(2);
        let first = hub.reserve(&user("alice"));
        let second = hub.reserve(&user("alice"));
        assert!(first.is_some() && second.is_some());
        assert!(hub.reserve(&user("alice")).is_none());
        assert!(hub.reserve(&user("bob")).is_some());
        drop(first);
        assert!(hub.reserve(&user("alice")).is_some());
        drop(second);
        assert!(hub.slots.lock().is_empty());
    }
}
