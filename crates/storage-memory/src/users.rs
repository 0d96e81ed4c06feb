//! The `Users` port.

use std::collections::HashSet;

use async_trait::async_trait;
use parlance_domain::model::{ClaimedProfile, ProfileChange, Timestamp, User, UserId};
use parlance_domain::ports::{StorageResult, Users};
use parlance_domain::rules::media::Named;

use crate::MemoryStorage;
use crate::media_items::Use;
use crate::state::{Known, contains};

#[async_trait]
impl Users for MemoryStorage {
    async fn find_user(&self, id: &UserId) -> StorageResult<Option<User>> {
        Ok(self.state().users.get(id).map(|known| known.user.clone()))
    }

    async fn list_users(&self, ids: &[UserId]) -> StorageResult<Vec<User>> {
        let state = self.state();
        let ids: HashSet<&UserId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| state.users.get(id)).map(|known| known.user.clone()).collect())
    }

    async fn search_users(&self, text: &str, limit: usize) -> StorageResult<Vec<User>> {
        let state = self.state();
        let users = state.users.values().map(|known| &known.user);
        let found = users.filter(|user| user.id.as_str() == text || contains(&user.name, text));
        Ok(found.take(limit).cloned().collect())
    }

    async fn record_claims(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        now: Timestamp,
    ) -> StorageResult<Option<User>> {
        let mut state = self.state();
        if create && !state.users.contains_key(id) {
            let user = User::nameless(id.clone());
            let known = Known { user, claimed: ClaimedProfile::default(), created_at: now, revoked_before: None };
            state.users.insert(id.clone(), known);
        }
        let Some(known) = state.users.get_mut(id) else { return Ok(None) };
        let before = Named::by_urls(known.user.picture.as_deref());
        if claims.name.is_some() && claims.name != known.claimed.name {
            known.claimed.name.clone_from(&claims.name);
            if let Some(name) = &claims.name {
                known.user.name.clone_from(name);
            }
        }
        if claims.picture.is_some() && claims.picture != known.claimed.picture {
            known.claimed.picture.clone_from(&claims.picture);
            known.user.picture.clone_from(&claims.picture);
        }
        let user = known.user.clone();
        state.use_media(&Use::Picture(id.clone()), &before, &Named::by_urls(user.picture.as_deref()));
        Ok(Some(user))
    }

    async fn update_profile(&self, id: &UserId, change: &ProfileChange) -> StorageResult<Option<User>> {
        let mut state = self.state();
        let Some(known) = state.users.get_mut(id) else { return Ok(None) };
        let before = Named::by_urls(known.user.picture.as_deref());
        if let Some(name) = &change.name {
            known.user.name.clone_from(name);
        }
        if let Some(picture) = &change.picture {
            known.user.picture.clone_from(picture);
        }
        let user = known.user.clone();
        state.use_media(&Use::Picture(id.clone()), &before, &Named::by_urls(user.picture.as_deref()));
        Ok(Some(user))
    }

    async fn find_revocation(&self, id: &UserId) -> StorageResult<Option<Timestamp>> {
        Ok(self.state().users.get(id).and_then(|known| known.revoked_before))
    }

    async fn revoke_tokens(&self, id: &UserId, before: Timestamp) -> StorageResult<Option<Timestamp>> {
        let mut state = self.state();
        let Some(known) = state.users.get_mut(id) else { return Ok(None) };
        known.revoked_before = known.revoked_before.max(Some(before));
        Ok(known.revoked_before)
    }
}
