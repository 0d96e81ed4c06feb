//! Who is looking at a conversation right now.

use std::collections::HashSet;

use crate::model::{ConversationId, UserId};

/// The rooms that sockets have joined, as the transport knows them.
pub trait Rooms: Send + Sync {
    /// The users with at least one socket in the conversation's room.
    fn present(&self, conversation: ConversationId) -> HashSet<UserId>;
}

/// Rooms of a program without sockets: nobody is ever in one.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyRooms;

impl Rooms for EmptyRooms {
    fn present(&self, _conversation: ConversationId) -> HashSet<UserId> {
        HashSet::new()
    }
}
