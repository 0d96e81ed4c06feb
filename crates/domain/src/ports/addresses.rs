//! Where people can be reached who are not there, remembered. Not every storage has this port: without it there are no
//! channels but those that need no address.

use async_trait::async_trait;

use super::StorageResult;
use crate::model::{Address, Timestamp, UserId};

/// An address that somebody is reached at from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// Whose.
    pub user_id: UserId,
    /// The name of the channel.
    pub channel: String,
    /// Where.
    pub address: Address,
    /// How many of the channel the user may have, at least 1.
    pub at_most: usize,
    /// Whether it is no longer anybody else's: a browser in which somebody else has signed in.
    pub alone: bool,
    /// When it was given.
    pub at: Timestamp,
}

/// Storage of addresses.
#[async_trait]
pub trait Addresses: Send + Sync {
    /// Remembers an address of somebody, who must exist; one with the same target is replaced, also its moment. Beyond
    /// `at_most` those that were given longest ago are forgotten. Idempotent.
    async fn put_address(&self, new: NewAddress) -> StorageResult<()>;

    /// Where `user` is reached by a channel, what was given last first.
    async fn list_addresses(&self, user: &UserId, channel: &str) -> StorageResult<Vec<Address>>;

    /// Forgets an address; says whether it was there. Idempotent.
    async fn remove_address(&self, user: &UserId, channel: &str, target: &str) -> StorageResult<bool>;
}
