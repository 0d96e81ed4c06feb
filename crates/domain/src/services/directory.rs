//! Who people are: made known by their tokens, changed by themselves, shown to others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::emails::Emails;
use super::fresh_cache::FreshCache;
use super::revoking::Revoking;
use super::settings::Provisioning;
use crate::error::{Error, Result};
use crate::model::{ClaimedProfile, EmailAddress, ProfileChange, User, UserId};
use crate::ports::{Claims, Clock, Users};

const CAPACITY: u64 = 100_000;
/// Bounds how long another node's profile change goes unnoticed here.
const TTL: Duration = Duration::from_secs(30);
const MAX_PICTURE_BYTES: usize = 2048;

#[derive(Clone)]
struct Known {
    user: User,
    /// What the last token seen here claimed; `None` if the user was only looked up.
    claims: Option<(ClaimedProfile, Option<EmailAddress>)>,
}

/// The directory of users.
#[derive(Clone)]
pub struct Directory {
    users: Arc<dyn Users>,
    revoking: Revoking,
    emails: Emails,
    clock: Arc<dyn Clock>,
    create: bool,
    cache: Arc<FreshCache<UserId, Known>>,
}

impl Directory {
    pub(super) fn new(
        users: Arc<dyn Users>,
        revoking: Revoking,
        emails: Emails,
        clock: Arc<dyn Clock>,
        provisioning: Provisioning,
    ) -> Self {
        let create = provisioning == Provisioning::FromToken;
        Self { users, revoking, emails, clock, create, cache: Arc::new(FreshCache::new(CAPACITY, TTL)) }
    }

    /// The user that a valid token speaks for; made at first contact. A token that was revoked says nothing.
    ///
    /// # Errors
    /// `InvalidToken` if it was revoked; `UnknownBearer` where users come only from the product's backend.
    pub async fn admit(&self, claims: &Claims) -> Result<User> {
        self.revoking.check_claims(claims).await?;
        let claimed = (bounded(&claims.profile), claims.email.clone());
        if let Some(known) = self.cache.get(&claims.user_id).filter(|known| known.claims.as_ref() == Some(&claimed)) {
            return Ok(known.user);
        }
        let seen = self.cache.seen();
        let user = self.users.record_claims(&claims.user_id, &claimed.0, self.create, self.clock.now()).await?;
        let user = user.ok_or(Error::UnknownBearer)?;
        if let Err(error) = self.emails.claimed(&user.id, claims.email.as_ref()).await {
            // Who comes is let in all the same; the next token says it again.
            tracing::warn!(user = %user.id, error = &error as &dyn std::error::Error, "an e-mail address is not kept");
        }
        self.cache.keep(seen, user.id.clone(), Known { user: user.clone(), claims: Some(claimed) });
        Ok(user)
    }

    /// Makes somebody known if they are not, and changes their profile, as the product's backend says. It is not what a
    /// token said: one that says otherwise later counts as a change.
    ///
    /// # Errors
    /// `Validation` of `fullName` or `profilePicture`.
    pub async fn register(&self, id: &UserId, change: ProfileChange) -> Result<User> {
        let change = checked(change)?;
        self.make_known(id).await?;
        self.put(id, &change).await
    }

    /// Makes somebody known if they are not.
    pub(super) async fn make_known(&self, id: &UserId) -> Result<()> {
        self.users.record_claims(id, &ClaimedProfile::default(), true, self.clock.now()).await?;
        Ok(())
    }

    /// The user with this id.
    ///
    /// # Errors
    /// `UserNotFound`.
    pub async fn find(&self, id: &UserId) -> Result<User> {
        // Whoever sends something is asked for, and nearly always known.
        if let Some(known) = self.cache.get(id) {
            return Ok(known.user);
        }
        self.find_all(std::slice::from_ref(id)).await?.remove(id).ok_or(Error::UserNotFound)
    }

    /// Those of `ids` that exist.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn find_all(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.cache.get(id) {
                Some(known) => _ = found.insert(id.clone(), known.user),
                None => missing.push(id.clone()),
            }
        }
        if !missing.is_empty() {
            let seen = self.cache.seen();
            for user in self.users.list_users(&missing).await? {
                self.cache.keep(seen, user.id.clone(), Known { user: user.clone(), claims: None });
                found.insert(user.id.clone(), user);
            }
        }
        Ok(found)
    }

    /// Changes one's own profile.
    ///
    /// # Errors
    /// `Validation` of `fullName` or `profilePicture`; `UserNotFound`.
    pub async fn update(&self, id: &UserId, change: ProfileChange) -> Result<User> {
        self.put(id, &checked(change)?).await
    }

    async fn put(&self, id: &UserId, change: &ProfileChange) -> Result<User> {
        let user = self.users.update_profile(id, change).await?.ok_or(Error::UserNotFound);
        self.cache.forget(id);
        user
    }

    /// Users whose name contains `text`, or whose id it is.
    ///
    /// # Errors
    /// As every use case: `Unavailable`, `Internal`.
    pub async fn search(&self, text: &str, limit: usize) -> Result<Vec<User>> {
        Ok(self.users.search_users(text.trim(), limit).await?)
    }
}

/// The change, if a profile may have it.
fn checked(change: ProfileChange) -> Result<ProfileChange> {
    let name = change.name.map(|name| name.trim().to_owned());
    let valid_name = |name: &String| {
        (1..=User::MAX_NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control)
    };
    if !name.as_ref().is_none_or(valid_name) {
        return Err(Error::validation("fullName", "must have 1 to 200 characters without control characters"));
    }
    let valid_picture =
        |url: &String| url.len() <= MAX_PICTURE_BYTES && !url.is_empty() && !url.chars().any(char::is_control);
    if change.picture.as_ref().is_some_and(|picture| picture.as_ref().is_some_and(|url| !valid_picture(url))) {
        return Err(Error::validation("profilePicture", "must have 1 to 2048 bytes without control characters"));
    }
    Ok(ProfileChange { name, picture: change.picture })
}

/// Cuts claims to what a profile may hold: a token is not ours to refuse for a long name.
fn bounded(claims: &ClaimedProfile) -> ClaimedProfile {
    let name = claims.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    ClaimedProfile {
        name: name.map(|name| name.chars().filter(|c| !c.is_control()).take(User::MAX_NAME_CHARS).collect()),
        picture: claims.picture.clone().filter(|url| !url.is_empty() && url.len() <= MAX_PICTURE_BYTES),
    }
}
