//! From domain events to sockets: one loop takes events off the bus in order, works out which sockets each is for,
//! encodes it once per dialect that has such a socket (never for one that has none), and sends the shared bytes.
//! Each socket gets an event once. It never waits for a socket; one that cannot keep up is cut by `node`.

use std::collections::HashMap;
use std::sync::Arc;

use parlance_dialects::AnyDialect;
use parlance_domain::event::{Audience, Event};
use parlance_domain::model::UserId;
use parlance_domain::trace;
use tracing::Span;

use crate::audiences::Sessions;
use crate::badge::changes_count;
use crate::hub::Hub;
use crate::node::Node;
use crate::packet::{Packet, Told};
use crate::revocation;
use crate::session::Session;

/// An event in one dialect; several packets, or none.
type Encoded = Arc<[Arc<Told>]>;

/// Brings one event to the sockets of this node.
pub(crate) fn deliver(node: &Arc<Node>, event: &Event) {
    if let Event::ParticipantRemoved { conversation_id, user_id } = event {
        node.hub.evict(user_id, *conversation_id);
    }
    if let Event::SessionsEnded { user_id, issued_before: Some(_), .. } = event {
        // Before sockets are looked for: who connects from now on is checked against the new moment.
        node.services.revoking.heard(user_id);
    }
    let droppable = matches!(event, Event::TypingStarted { .. } | Event::TypingStopped { .. });
    let span = span_of(event).entered();
    let plan = plan(&node.hub, event);
    span.record("sockets", trace::number(plan.len()));
    for (session, wires) in plan {
        // Who is behind anyway is told of typing last, that is, not at all.
        if droppable && session.outbox.is_behind() {
            continue;
        }
        if revocation::spares(event, &session) {
            continue;
        }
        tell(node, &session, &wires, event);
        if matches!(event, Event::SessionsEnded { .. }) {
            dismiss(node, session);
        }
    }
    if let Event::MessageNew { message, .. } = event {
        node.meters.delivered(node.clock.now().millis() - message.message.created_at.millis());
    }
}

/// Delivering a change of a message is a trace of its own: an event carries none, least of all from another node.
fn span_of(event: &Event) -> Span {
    let event = match event {
        Event::MessageNew { .. } => "message-new",
        Event::MessageEdited { .. } => "message-edited",
        Event::MessageDeleted { .. } => "message-deleted",
        Event::ReactionChanged { .. } => "reaction-changed",
        _ => return Span::none(),
    };
    tracing::info_span!(target: trace::ROOT, "socketio.event.deliver", otel.kind = "consumer", event, sockets = tracing::field::Empty)
}

/// Tells one socket the event by which it ends, and ends it.
pub(crate) fn end(node: &Arc<Node>, session: &Arc<Session>, event: &Event) {
    let encoded: Encoded = session.dialect.encode(event, 0).into_iter().map(Told::new).collect();
    tell(node, session, &encoded, event);
    dismiss(node, Arc::clone(session));
}

fn dismiss(node: &Arc<Node>, session: Arc<Session>) {
    let node = Arc::clone(node);
    tokio::spawn(async move { node.dismiss(&session).await });
}

fn tell(node: &Arc<Node>, session: &Arc<Session>, encoded: &[Arc<Told>], event: &Event) {
    let _telling = changes_count(event).then(|| session.badge.telling());
    for told in encoded {
        node.send(session, Packet::Event(Arc::clone(told)));
    }
    node.meters.of(session.dialect).events_out.increment(encoded.len() as u64);
}

/// Who is sent what.
fn plan(hub: &Hub, event: &Event) -> Vec<(Arc<Session>, Encoded)> {
    let audience = event.audience();
    // Only counts differ between sockets of one dialect, and few differ.
    let mut encoded: HashMap<(AnyDialect, u64), Encoded> = HashMap::new();
    let mut with_wires = |session: Arc<Session>| {
        let (dialect, unread) = (session.dialect, unread_of(audience, &session.user_id));
        let wires = encoded
            .entry((dialect, unread))
            .or_insert_with(|| dialect.encode(event, unread).into_iter().map(Told::new).collect());
        (session, Arc::clone(wires))
    };
    targets(hub, audience).iter().cloned().map(&mut with_wires).collect()
}

/// The hearer's own unread count, where the event shows one.
fn unread_of(audience: Audience<'_>, user_id: &UserId) -> u64 {
    match audience {
        Audience::Counted(unread) => unread.get(user_id).copied().unwrap_or(0),
        Audience::Room { .. }
        | Audience::Conversation { .. }
        | Audience::Users(_)
        | Audience::Socket(_)
        | Audience::Everyone => 0,
    }
}

/// The sockets of this node that an event is for, each once.
fn targets(hub: &Hub, audience: Audience<'_>) -> Sessions {
    match audience {
        Audience::Room { conversation, except } => hub.room(conversation, except).into(),
        Audience::Users(users) => hub.users(users).into(),
        Audience::Socket(session) => hub.session(session).into_iter().collect(),
        Audience::Counted(unread) => hub.users(unread.keys()).into(),
        Audience::Everyone => hub.everyone().into(),
        Audience::Conversation { conversation, participants, also, origin } => {
            let sessions = hub.audience(conversation, participants);
            let mut more = hub.users(also);
            more.extend(origin.and_then(|id| hub.session(id)));
            more.retain(|session| sessions.binary_search_by_key(&session.id, |known| known.id).is_err());
            if more.is_empty() {
                return sessions;
            }
            more.extend(sessions.iter().cloned());
            more.sort_unstable_by_key(|session| session.id);
            more.dedup_by_key(|session| session.id);
            more.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use parlance_dialects::Dialect;
    use parlance_domain::event::{CallAudience, CallEvent, PresenceAudience};
    use parlance_domain::model::{
        CallId, ConversationId, Message, MessageId, MessageKind, MessageStatus, MessageView, SessionId, Timestamp, User,
    };

    use super::*;
    use crate::session::testing;

    const ROOM: ConversationId = ConversationId::from_bytes([1; 12]);

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn message(origin: Option<SessionId>) -> Event {
        let at = Timestamp::from_millis(0);
        let message = Message {
            id: MessageId::from_bytes([2; 12]),
            conversation_id: ROOM,
            seq: 1,
            rev: 1,
            sender_id: user("alice"),
            kind: MessageKind::Text,
            text: Some("hello".to_owned()),
            media: Vec::new(),
            reply_to: None,
            client_message_id: None,
            reactions: Vec::new(),
            created_at: at,
            edited_at: None,
            deleted_at: None,
            updated_at: at,
        };
        let sender = User::nameless(user("alice"));
        Event::MessageNew {
            message: Box::new(MessageView { message, sender, reply_to: None, status: MessageStatus::Sent }),
            participants: [user("alice"), user("bob")].into(),
            origin,
        }
    }

    /// Two people with a socket in each dialect, numbered from 1 and 11, and a stranger with one, 21.
    fn hub() -> Arc<Hub> {
        let hub = Hub::new(20);
        for (from, name) in [(1, "alice"), (11, "bob")] {
            for (id, dialect) in (from..).zip(Dialect::ALL) {
                hub.add(testing::session(id, name, dialect));
            }
        }
        hub.add(testing::session(21, "carol", Dialect::Talentbridge));
        hub
    }

    fn ids(plan: &[(Arc<Session>, Encoded)]) -> Vec<u64> {
        plan.iter().map(|(session, _)| session.id.0).collect()
    }

    fn join(hub: &Hub, id: u64) {
        hub.join(SessionId(id), ROOM, hub.ticket());
    }

    #[test]
    fn a_message_reaches_participants_joined_sockets_and_its_origin_each_once() {
        let hub = hub();
        // Bob's talentbridge socket joined as well, and so did the sending one.
        for id in [11, 12, 15, 3] {
            join(&hub, id);
        }
        assert_eq!(ids(&plan(&hub, &message(Some(SessionId(3))))), [1, 3, 11, 12, 15]);
        assert_eq!(ids(&plan(&hub, &message(Some(SessionId(4))))), [1, 3, 4, 11, 12, 15]);
        assert_eq!(ids(&plan(&hub, &message(None))), [1, 3, 11, 12, 15]);
    }

    #[test]
    fn receipts_reach_the_senders_sockets_without_joining() {
        let hub = hub();
        join(&hub, 12);
        let read = Event::MessagesRead {
            conversation_id: ROOM,
            reader: user("bob"),
            message_ids: vec![MessageId::from_bytes([2; 12])],
            senders: vec![user("alice")],
            participants: [user("alice"), user("bob")].into(),
        };
        assert_eq!(ids(&plan(&hub, &read)), [1, 2, 3, 4, 5, 11, 12]);
    }

    #[test]
    fn typing_passes_by_the_typists_own_sockets() {
        let hub = hub();
        for id in [1, 2, 11, 12] {
            join(&hub, id);
        }
        let typing = Event::TypingStarted { conversation_id: ROOM, user: User::nameless(user("alice")) };
        assert_eq!(ids(&plan(&hub, &typing)), [11, 12]);
    }

    #[test]
    fn presence_reaches_contacts_or_everyone() {
        let hub = hub();
        let online = |audience| Event::UserOnline { user_id: user("alice"), audience };
        assert_eq!(ids(&plan(&hub, &online(PresenceAudience::Contacts([user("carol")].into())))), [21]);
        assert_eq!(plan(&hub, &online(PresenceAudience::Everyone)).len(), 11);
    }

    #[test]
    fn a_word_in_a_call_reaches_one_socket() {
        let hub = hub();
        let word = |session| Event::Call {
            call_id: CallId::new("c").unwrap(),
            what: CallEvent::Signal { from: user("alice"), data: "1".to_owned() },
            to: CallAudience::Socket(SessionId(session)),
        };
        assert_eq!(ids(&plan(&hub, &word(12))), [12]);
        assert_eq!(ids(&plan(&hub, &word(99))), [0; 0]);
    }

    #[test]
    fn sockets_of_one_dialect_share_one_encoding() {
        let hub = Hub::new(20);
        for id in 1..=100 {
            let dialect = if id % 2 == 0 { Dialect::Ulearn } else { Dialect::Gateway };
            hub.add(testing::session(id, "bob", dialect));
            join(&hub, id);
        }
        let plan = plan(&hub, &message(None));
        assert_eq!(plan.len(), 100);
        let encodings: HashSet<*const Told> =
            plan.iter().flat_map(|(_, wires)| wires.iter().map(Arc::as_ptr)).collect();
        assert_eq!(encodings.len(), 2);
    }
}
