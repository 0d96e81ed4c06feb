//! Bounds of the domain, with the contract's defaults (`errors.md`).

/// What one message, group or call may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters in a message after trimming (`MAX_TEXT_CHARS`, default 10,000).
    pub max_text_chars: usize,
    /// Media on a message (`MAX_MEDIA`, default 10).
    pub max_media: usize,
    /// People in a group (`MAX_GROUP_SIZE`, default 1,000).
    pub max_group_size: usize,
    /// Different reactions to a message (`MAX_REACTIONS`, default 20).
    pub max_reactions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_text_chars: 10_000, max_media: 10, max_group_size: 1_000, max_reactions: 20 }
    }
}

impl Limits {
    /// The most message ids that one call may name (a page of history).
    pub const MAX_IDS: usize = 500;
    /// The most conversations that one `sync` may name, and users that one status call may name.
    pub const MAX_SYNC: usize = 200;
}
