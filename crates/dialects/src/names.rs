//! Names that no event can have, in any dialect and of no product: those of the Socket.IO libraries.

/// What client and server libraries keep for themselves.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Whether a library would take an event of this name for its own.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}
