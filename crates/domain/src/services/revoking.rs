//! Which tokens are no longer good although they have not expired: those of a user from before a moment that the
//! product's backend named. Asked whenever somebody shows a token, never for an event; the answer is kept for a while,
//! and a revocation made here, or heard of, replaces it at once.

use std::sync::Arc;
use std::time::Duration;

use super::fresh_cache::FreshCache;
use crate::error::{Error, Result};
use crate::model::{Timestamp, UserId};
use crate::ports::{Claims, Users};

const CAPACITY: u64 = 100_000;
/// Bounds how long another node's revocation goes unnoticed here if nobody tells of it.
const TTL: Duration = Duration::from_secs(30);

/// The revocations.
#[derive(Clone)]
pub struct Revoking {
    users: Arc<dyn Users>,
    cache: Arc<FreshCache<UserId, Option<Timestamp>>>,
}

impl Revoking {
    pub(super) fn new(users: Arc<dyn Users>) -> Self {
        Self { users, cache: Arc::new(FreshCache::new(CAPACITY, TTL)) }
    }

    /// That a token of this user, made at this moment, is not revoked.
    ///
    /// # Errors
    /// `InvalidToken`.
    pub async fn check(&self, user: &UserId, issued_at: Option<Timestamp>) -> Result<()> {
        let revoked_before = if let Some(known) = self.cache.get(user) {
            known
        } else {
            let seen = self.cache.seen();
            let found = self.users.find_revocation(user).await?;
            self.cache.keep(seen, user.clone(), found);
            found
        };
        match revoked_before {
            Some(before) if is_older(issued_at, before) => Err(Error::InvalidToken),
            _ => Ok(()),
        }
    }

    pub(super) async fn check_claims(&self, claims: &Claims) -> Result<()> {
        self.check(&claims.user_id, claims.issued_at).await.inspect_err(|error| {
            if *error == Error::InvalidToken {
                tracing::debug!(reason = "revoked", "token refused");
            }
        })
    }

    /// Revokes the tokens of a user from before a moment; says which moment holds now.
    pub(super) async fn revoke(&self, user: &UserId, before: Timestamp) -> Result<Timestamp> {
        let revoked = self.users.revoke_tokens(user, before).await;
        // Also after an error: it may have been stored.
        self.cache.forget(user);
        revoked?.ok_or(Error::UserNotFound)
    }

    /// Another part of the system revoked them.
    pub fn heard(&self, user: &UserId) {
        self.cache.forget(user);
    }
}

/// Whether a token made at `issued_at` is from before a moment; one that does not say when it was made is.
pub fn is_older(issued_at: Option<Timestamp>, moment: Timestamp) -> bool {
    issued_at.is_none_or(|issued_at| issued_at < moment)
}
