//! Sockets whose token was revoked: they are told, and end. Each is found by one of two ways, whatever comes first: it
//! is among the node's sockets when the event is delivered, or its token is looked at once more after it has become one
//! of them. Tokens that are shown later are refused by the domain.

use std::sync::Arc;

use parlance_domain::Error;
use parlance_domain::event::Event;
use parlance_domain::services::is_older;

use crate::delivery;
use crate::node::Node;
use crate::session::Session;

/// Whether an event ends a user's other sockets, and not this one, whose token is new enough.
pub(crate) fn spares(event: &Event, session: &Session) -> bool {
    match event {
        Event::SessionsEnded { issued_before: Some(before), .. } => !is_older(session.issued_at(), *before),
        _ => false,
    }
}

/// Ends a socket if the token that it showed last has been revoked.
pub(crate) async fn check_again(node: Arc<Node>, session: Arc<Session>) {
    // A storage that does not answer now has answered a moment ago: the token was good then.
    if node.services.revoking.check(&session.user_id, session.issued_at()).await == Err(Error::InvalidToken) {
        let ended = Event::SessionsEnded { user_id: session.user_id.clone(), reason: None, issued_before: None };
        delivery::end(&node, &session, &ended);
    }
}
