//! The `Users` port.

use async_trait::async_trait;
use parlance_domain::model::{ClaimedProfile, Preferences, ProfileChange, Timestamp, User, UserId};
use parlance_domain::ports::{StorageResult, Users};
use parlance_domain::rules::media::Named;
use serde::{Deserialize, Serialize};

use crate::EmbeddedStorage;
use crate::failure::Failed;
use crate::media_items::Use;
use crate::records::{ClaimedProfileFields, PreferencesFields, UserFields, text_or_none};
use crate::store::{Scan, View, Writer};
use crate::tables::{self, USERS};

/// A user, what their tokens last claimed and before when those are revoked, what they want to be told, and how many
/// notifications they have. Counts are kept here, so that asking for them costs the same however many there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    #[serde(with = "UserFields")]
    pub(crate) user: User,
    #[serde(with = "ClaimedProfileFields")]
    claimed: ClaimedProfile,
    #[serde(with = "PreferencesFields")]
    pub(crate) preferences: Preferences,
    pub(crate) notifications: u64,
    pub(crate) unread: u64,
    #[serde(default, with = "text_or_none")]
    revoked_before: Option<Timestamp>,
}

#[async_trait]
impl Users for EmbeddedStorage {
    async fn find_user(&self, id: &UserId) -> StorageResult<Option<User>> {
        let id = id.clone();
        self.read(move |view| Ok(find(view, &id)?.map(|known| known.user))).await
    }

    async fn list_users(&self, ids: &[UserId]) -> StorageResult<Vec<User>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.read(move |view| {
            let found = ids.iter().map(|id| find(view, id)).collect::<Result<Vec<_>, _>>()?;
            Ok(found.into_iter().flatten().map(|known| known.user).collect())
        })
        .await
    }

    async fn search_users(&self, text: &str, limit: usize) -> StorageResult<Vec<User>> {
        let text = text.to_owned();
        self.read(move |view| {
            let named = |json: &[u8]| {
                let Known { user, .. } = serde_json::from_slice(json)?;
                Ok(user.id.as_str() == text || contains(&user.name, &text))
            };
            // Keys are ids, so the scan is in id order.
            let found = view.entries_where(USERS.raw, Scan { limit, ..Scan::of(&[]) }, named)?;
            let users = found.iter().map(|(_, json)| Ok(serde_json::from_slice::<Known>(json)?.user));
            users.collect()
        })
        .await
    }

    async fn record_claims(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        _now: Timestamp,
    ) -> StorageResult<Option<User>> {
        let (id, claims) = (id.clone(), claims.clone());
        self.write(move |writer| {
            let known = match find(writer, &id)? {
                Some(known) => known,
                None if create => Known {
                    user: User::nameless(id),
                    claimed: ClaimedProfile::default(),
                    preferences: Preferences::default(),
                    notifications: 0,
                    unread: 0,
                    revoked_before: None,
                },
                None => return Ok(None),
            };
            writer.change_user(known, |Known { user, claimed, .. }| {
                if claims.name.is_some() && claims.name != claimed.name {
                    claimed.name.clone_from(&claims.name);
                    user.name = claims.name.unwrap_or_default();
                }
                if claims.picture.is_some() && claims.picture != claimed.picture {
                    claimed.picture.clone_from(&claims.picture);
                    user.picture = claims.picture;
                }
            })
        })
        .await
    }

    async fn update_profile(&self, id: &UserId, change: &ProfileChange) -> StorageResult<Option<User>> {
        let (id, ProfileChange { name, picture }) = (id.clone(), change.clone());
        self.write(move |writer| {
            let Some(known) = find(writer, &id)? else { return Ok(None) };
            writer.change_user(known, |Known { user, .. }| {
                if let Some(name) = name {
                    user.name = name;
                }
                if let Some(picture) = picture {
                    user.picture = picture;
                }
            })
        })
        .await
    }

    async fn find_revocation(&self, id: &UserId) -> StorageResult<Option<Timestamp>> {
        let id = id.clone();
        self.read(move |view| Ok(find(view, &id)?.and_then(|known| known.revoked_before))).await
    }

    async fn revoke_tokens(&self, id: &UserId, before: Timestamp) -> StorageResult<Option<Timestamp>> {
        let id = id.clone();
        self.write(move |writer| {
            let Some(mut known) = find(writer, &id)? else { return Ok(None) };
            known.revoked_before = known.revoked_before.max(Some(before));
            writer.put(&USERS, &tables::of_user(&id), &known)?;
            Ok(known.revoked_before)
        })
        .await
    }
}

impl Writer {
    /// Changes a user, and which medium their picture uses.
    fn change_user(&mut self, mut known: Known, change: impl FnOnce(&mut Known)) -> Result<Option<User>, Failed> {
        let before = Named::by_urls(known.user.picture.as_deref());
        change(&mut known);
        let now = Named::by_urls(known.user.picture.as_deref());
        self.put(&USERS, &tables::of_user(&known.user.id), &known)?;
        self.use_media(&Use::Picture(&known.user.id), &before, &now)?;
        Ok(Some(known.user))
    }
}

/// What is known of a user.
pub(crate) fn find(view: &impl View, id: &UserId) -> Result<Option<Known>, Failed> {
    view.get(&USERS, &tables::of_user(id))
}

/// What a database's foreign key would say.
pub(crate) fn must_know<'a>(view: &impl View, users: impl IntoIterator<Item = &'a UserId>) -> Result<(), Failed> {
    for id in users {
        find(view, id)?.ok_or_else(|| Failed::Broken(format!("there is no user {id}")))?;
    }
    Ok(())
}

/// Whether `text` contains `part` in any case.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
