//! The sockets of this node as the rest of the program sees them: made before the domain's services, which ask
//! who is looking at a conversation, and handed to the transport, which fills it.

use std::collections::HashSet;
use std::sync::Arc;

use parlance_domain::model::{ConversationId, UserId};
use parlance_domain::ports::Rooms;

use crate::config::Config;
use crate::hub::Hub;

/// The sockets of one node, and the rooms they are in.
#[derive(Debug, Clone)]
pub struct Sockets(pub(crate) Arc<Hub>);

impl Sockets {
    /// No sockets yet, bounded as `config` says.
    pub fn new(config: &Config) -> Self {
        Self(Hub::new(config.max_sockets_per_user))
    }
}

impl Rooms for Sockets {
    fn present(&self, conversation: ConversationId) -> HashSet<UserId> {
        self.0.room(conversation, None).iter().map(|session| session.user_id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use parlance_dialects::Dialect;
    use parlance_domain::model::SessionId;

    use super::*;
    use crate::session::testing;

    const ROOM: ConversationId = ConversationId::from_bytes([1; 12]);

    #[test]
    fn who_has_a_socket_in_the_room_is_there_once() {
        let sockets = Sockets::new(&Config::default());
        let hub = &sockets.0;
        for (id, name) in [(1, "alice"), (2, "alice"), (3, "bob"), (4, "carol")] {
            hub.add(testing::session(id, name, Dialect::Gateway));
        }
        for id in [1, 2, 3] {
            hub.join(SessionId(id), ROOM, hub.ticket());
        }
        let present = || {
            let mut names: Vec<String> = sockets.present(ROOM).iter().map(ToString::to_string).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(present(), ["alice", "bob"]);
        hub.remove(SessionId(1));
        hub.leave(SessionId(3), ROOM);
        assert_eq!(present(), ["alice"], "the other socket is still there");
    }
}
