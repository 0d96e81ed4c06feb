//! What a call is known by. Its course is a state machine in `rules::calling`; calls live in memory only,
//! what remains of a missed one is a message and a notification.

use super::short_text::short_text;

short_text! {
    /// A call, by the id that the inviting client gave it: 1 to 64 bytes.
    CallId, "callId", 64, "must have 1 to 64 bytes without control characters"
}

/// What a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallMedia {
    /// Sound.
    Audio,
    /// Sound and picture.
    Video,
    /// Somebody's screen.
    Screen,
}
