//! Names that events of a product's own cannot have: those of the Socket.IO libraries, and those of the five
//! vocabularies in either direction.

use crate::Dialect;

/// What client and server libraries keep for themselves.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// What clients of any dialect hear. Kept whole by a test that encodes every event in every dialect.
const OUTBOUND: &[&str] = &[
    "call:accept",
    "call:hangup",
    "call:invite",
    "call:reject",
    "call:signal",
    "conversation:new",
    "conversation:removed",
    "conversation:updated",
    "error",
    "group:photo:removed",
    "group:photo:updated",
    "message:deleted",
    "message:delivered",
    "message:edited",
    "message:new",
    "message:reaction",
    "message:sent",
    "messages:read",
    "new:message",
    "newMessage",
    "notification",
    "notification:new",
    "notification:read",
    "notifications:read-all",
    "session:ended",
    "session:expired",
    "typing",
    "typing:start",
    "typing:stop",
    "unreadCount",
    "upload:progress",
    "user:offline",
    "user:online",
    "user:status-changed",
    "userStoppedTyping",
    "userTyping",
];

/// Whether an event of a product's own cannot be called this.
pub fn is_taken(name: &str) -> bool {
    RESERVED.contains(&name)
        || OUTBOUND.contains(&name)
        || Dialect::ALL.into_iter().any(|dialect| dialect.inbound().any(|inbound| inbound == name))
}
