//! The hook by which a product has a say before a message is stored: moderation, masking, bots.

use async_trait::async_trait;

use crate::model::{Roster, User};
use crate::rules::messages::Draft;

/// What a policy says of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Store it as it is here; the policy may have rewritten it. The rules of `rules::messages` are applied again.
    Accept(Draft),
    /// Refuse it; the sender gets `FORBIDDEN` with this text.
    Refuse(&'static str),
}

/// Looks at every message that a user sends or edits, before it is stored.
#[async_trait]
pub trait MessagePolicy: Send + Sync {
    /// Decides on a draft. For an edit the draft holds the new text and nothing else.
    /// Called on the way of every message: answer fast. A repeated send is judged again.
    async fn review(&self, sender: &User, roster: &Roster, draft: Draft) -> Verdict;
}
