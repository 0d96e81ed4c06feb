//! From domain events to sockets: one loop takes events off the bus in order, works out which sockets each is for,
//! encodes it once per dialect that has such a socket (never for one that has none), and sends the shared bytes.
//! Each socket gets an event once. It never waits for a socket; one that cannot keep up is cut by `node`.

use std::collections::HashMap;
use std::sync::Arc;

use parlance_dialects::{Dialect, Wire};
use parlance_domain::event::{Audience, Event};
use parlance_domain::model::UserId;

use crate::hub::Hub;
use crate::node::Node;
use crate::outbox::Packet;
use crate::session::Session;

/// An event in one dialect; several packets, or none.
type Encoded = Vec<Arc<Wire>>;

/// Brings one event to the sockets of this node.
pub(crate) fn deliver(node: &Arc<Node>, event: &Event) {
    if let Event::ParticipantRemoved { conversation_id, user_id } = event {
        node.hub.evict(user_id, *conversation_id);
    }
    let droppable = matches!(event, Event::TypingStarted { .. } | Event::TypingStopped { .. });
    let audience = event.audience();
    // Only counts differ between sockets of one dialect, and few differ.
    let mut encoded: HashMap<(Dialect, u64), Encoded> = HashMap::new();
    for session in targets(&node.hub, audience) {
        if droppable && session.outbox.is_behind() {
            continue;
        }
        let unread = unread_of(audience, &session.user_id);
        let wires = encoded
            .entry((session.dialect, unread))
            .or_insert_with(|| session.dialect.encode(event, unread).into_iter().map(Arc::new).collect());
        for wire in wires {
            node.send(&session, Packet::Event(Arc::clone(wire)));
        }
    }
}

/// The hearer's own unread count, where the event shows one.
fn unread_of(audience: Audience<'_>, user_id: &UserId) -> u64 {
    match audience {
        Audience::Counted(unread) => unread.get(user_id).copied().unwrap_or(0),
        Audience::Room { .. } | Audience::Conversation { .. } | Audience::Users(_) | Audience::Everyone => 0,
    }
}

/// The sockets of this node that an event is for, each once.
fn targets(hub: &Hub, audience: Audience<'_>) -> Vec<Arc<Session>> {
    match audience {
        Audience::Room { conversation, except } => hub.room(conversation, except),
        Audience::Users(users) => hub.users(users),
        Audience::Counted(unread) => hub.users(unread.keys()),
        Audience::Everyone => hub.everyone(),
        Audience::Conversation { conversation, participants, also, origin } => {
            let mut sessions = hub.users(participants);
            sessions.retain(|session| session.dialect.reaches_participants());
            sessions.extend(hub.room(conversation, None));
            sessions.extend(hub.users(also));
            sessions.extend(origin.and_then(|id| hub.session(id)));
            sessions.sort_unstable_by_key(|session| session.id);
            sessions.dedup_by_key(|session| session.id);
            sessions
        }
    }
}
