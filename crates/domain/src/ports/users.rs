//! People, remembered.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{ClaimedProfile, ProfileChange, Timestamp, User, UserId};

/// Storage of users.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Users: Send + Sync {
    /// The user with this id, if there is one.
    async fn find_user(&self, id: &UserId) -> StorageResult<Option<User>>;

    /// Those of `ids` that exist, each once, in any order.
    async fn list_users(&self, ids: &[UserId]) -> StorageResult<Vec<User>>;

    /// Users whose name contains `text` (case-insensitive in ASCII at least; `%` and `_` mean themselves) or whose
    /// id equals it, in id order, at most `limit`.
    async fn search_users(&self, text: &str, limit: usize) -> StorageResult<Vec<User>>;

    /// Remembers what a token claims, and returns the user as they are now.
    ///
    /// An unknown user is made from the claims if `create`, else the answer is `None`. Of a known user a field
    /// changes only where the claim is present and differs from what the last token claimed, so that a change by
    /// [`update_profile`](Self::update_profile) outlives further tokens with the old claim. Two first contacts at
    /// once make one user. Idempotent.
    async fn record_claims(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        now: Timestamp,
    ) -> StorageResult<Option<User>>;

    /// Changes a profile and returns the user as they are now; `None` if there is no such user.
    ///
    /// Whichever way a picture comes in: one that is a medium of this server (`rules::media`) is used by the user
    /// until they have another one. A picture whose medium is not there is kept as the link that it is.
    async fn update_profile(&self, id: &UserId, change: &ProfileChange) -> StorageResult<Option<User>>;

    /// The moment before which all of a user's tokens are revoked; `None` if none are, or there is no such user.
    async fn find_revocation(&self, id: &UserId) -> StorageResult<Option<Timestamp>>;

    /// Revokes a user's tokens from before a moment, and returns the moment that holds now; `None` if there is no
    /// such user. It never moves back: of several moments the latest holds, whatever order they come in.
    async fn revoke_tokens(&self, id: &UserId, before: Timestamp) -> StorageResult<Option<Timestamp>>;
}
