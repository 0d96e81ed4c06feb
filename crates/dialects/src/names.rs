//! Names that events of a product's own cannot have: those of the Socket.IO libraries, and those of the five
//! vocabularies in either direction.

use crate::Dialect;

/// What client and server libraries keep for themselves.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Whether an event of a product's own cannot be called this.
pub fn is_taken(name: &str) -> bool {
    let is_spoken = |dialect: Dialect| {
        dialect.inbound().any(|inbound| inbound == name) || dialect.outbound().any(|outbound| outbound == name)
    };
    RESERVED.contains(&name) || Dialect::ALL.into_iter().any(is_spoken)
}
