//! Uploaded media and what uses them, remembered. Their bytes are kept by the `Blobs` port. Messages, groups and
//! users that name a medium (`rules::media`) keep it: the other ports count such uses in the transactions of
//! their own changes, so that a medium is never removed under a link that was accepted.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{Medium, MediumId, Timestamp};

/// Storage of media.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait MediaItems: Send + Sync {
    /// Remembers an upload, which nothing uses yet. Its uploader must exist as a user, and its id must be new.
    async fn insert_medium(&self, medium: &Medium) -> StorageResult<()>;

    /// The medium with this id, if there is one.
    async fn find_medium(&self, id: MediumId) -> StorageResult<Option<Medium>>;

    /// Media that were uploaded before `before` and that no message, group photo or user picture uses, oldest first,
    /// those of one moment in id order, at most `limit`. The cost does not depend on how many media are used.
    async fn list_unused_media(&self, before: Timestamp, limit: usize) -> StorageResult<Vec<MediumId>>;

    /// Removes a medium if nothing uses it at this moment; says whether it was removed. Of a removal and a send that
    /// names the medium by its path, one comes first: either the medium stays or the send is refused. (With a host
    /// before the path the link may be another server's, and is accepted without its medium.)
    async fn remove_medium(&self, id: MediumId) -> StorageResult<bool>;
}
