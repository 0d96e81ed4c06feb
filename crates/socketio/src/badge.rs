//! The count of unread notifications that a socket hears when it connects, in dialects that show one (contract:
//! `unreadCount`). Afterwards `delivery` brings each change with its event. A count that was read before a change and
//! would arrive after it is not sent: the last that a client hears is right.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use parlance_domain::event::Event;

use crate::node::Node;
use crate::session::Session;

/// How long to wait before a storage is asked again that did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// What a socket has been told of its user's unread notifications.
#[derive(Debug, Default)]
pub(crate) struct Badge(Mutex<bool>);

/// Held while something about unread notifications is put on its way to the socket.
pub(crate) struct Telling<'a>(#[expect(dead_code, reason = "held, not used")] MutexGuard<'a, bool>);

impl Badge {
    /// Before the socket is sent an event that changes the count; to be held until it is sent.
    pub(crate) fn telling(&self) -> Telling<'_> {
        let mut told = self.0.lock();
        *told = true;
        Telling(told)
    }

    /// Before the socket is sent the first count; `None` if an event has told it a newer one.
    fn telling_first(&self) -> Option<Telling<'_>> {
        let mut told = self.0.lock();
        (!std::mem::replace(&mut *told, true)).then_some(Telling(told))
    }
}

/// Whether an event changes how many notifications of somebody are unread.
pub(crate) fn changes_count(event: &Event) -> bool {
    matches!(
        event,
        Event::NotificationNew { .. }
            | Event::NotificationRead { .. }
            | Event::NotificationsReadAll { .. }
            | Event::NotificationRemoved { .. }
    )
}

/// Tells a socket that takes part since just now how much is unread.
pub(crate) async fn show(node: Arc<Node>, session: Arc<Session>) {
    while !session.is_closed() {
        match node.services.notifying.unread(&session.user_id).await {
            Ok(count) => {
                if let Some(wire) = session.dialect.unread_notifications(count)
                    && let Some(_telling) = session.badge.telling_first()
                {
                    node.send(&session, wire.into());
                }
                return;
            }
            Err(error) => {
                tracing::warn!(session = session.id.0, %error, "unread notifications cannot be counted yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_from_before_a_change_is_not_told_after_it() {
        let badge = Badge::default();
        drop(badge.telling());
        assert!(badge.telling_first().is_none());
    }

    #[test]
    fn the_first_count_is_told_once() {
        let badge = Badge::default();
        assert!(badge.telling_first().is_some());
        assert!(badge.telling_first().is_none());
    }
}
