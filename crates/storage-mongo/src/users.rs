//! The `Users` port. Contacts with a token that says nothing new are answered without a change.

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{ClaimedProfile, Preferences, ProfileChange, Timestamp, User, UserId, UserRecord};
use parlance_domain::ports::{StorageResult, Users};
use parlance_domain::rules::media::Named;
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::{all, date, moment, user_id};
use crate::error::{BadDocument, Failed};
use crate::media_items::{self, CountedMedia};
use crate::reader::{Query, Reader};
use crate::schema::USERS;

/// A user together with what their last token claimed: a claim that repeats it must not undo the user's own change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UserDocument {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    name: String,
    /// The name in lower case, for searches.
    name_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) picture: Option<String>,
    /// The picture, if it is a medium that counts this use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture_medium: Option<ObjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_picture: Option<String>,
    created_at: DateTime,
    /// The moment before which their tokens are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_before: Option<DateTime>,
}

impl TryFrom<UserDocument> for User {
    type Error = BadDocument;

    fn try_from(document: UserDocument) -> Result<Self, BadDocument> {
        let UserDocument {
            id,
            name,
            name_key: _,
            picture,
            picture_medium: _,
            claimed_name: _,
            claimed_picture: _,
            created_at: _,
            revoked_before: _,
        } = document;
        Ok(Self { id: user_id(&id)?, name, picture })
    }
}

impl From<&UserRecord> for UserDocument {
    fn from(record: &UserRecord) -> Self {
        let UserRecord { user, claimed, preferences: _, created_at, revoked_before } = record;
        let ClaimedProfile { name, picture } = claimed.clone();
        Self {
            claimed_name: name,
            claimed_picture: picture,
            revoked_before: revoked_before.map(date),
            ..Self::new(user, *created_at)
        }
    }
}

impl UserDocument {
    /// The user as a record, with what they want.
    pub(crate) fn into_record(self, preferences: Preferences) -> Result<UserRecord, BadDocument> {
        let claimed = ClaimedProfile { name: self.claimed_name.clone(), picture: self.claimed_picture.clone() };
        let (created_at, revoked_before) = (moment(self.created_at), self.revoked_before.map(moment));
        Ok(UserRecord { user: self.try_into()?, claimed, preferences, created_at, revoked_before })
    }

    fn new(user: &User, now: Timestamp) -> Self {
        let User { id, name, picture } = user;
        Self {
            id: id.as_str().to_owned(),
            name: name.clone(),
            name_key: name.to_lowercase(),
            picture: picture.clone(),
            picture_medium: None,
            claimed_name: None,
            claimed_picture: None,
            created_at: date(now),
            revoked_before: None,
        }
    }

    /// Takes on what is claimed where that differs from the last claim. Says whether anything has changed.
    fn claim(&mut self, claims: &ClaimedProfile) -> bool {
        let ClaimedProfile { name, picture } = claims;
        let new_name = name.as_ref().filter(|name| self.claimed_name.as_ref() != Some(*name));
        let new_picture = picture.as_ref().filter(|picture| self.claimed_picture.as_ref() != Some(*picture));
        if let Some(name) = new_name {
            self.rename(name.clone());
            self.claimed_name = Some(name.clone());
        }
        if let Some(picture) = new_picture {
            self.picture = Some(picture.clone());
            self.claimed_picture = Some(picture.clone());
        }
        new_name.is_some() || new_picture.is_some()
    }

    fn rename(&mut self, name: String) {
        self.name_key = name.to_lowercase();
        self.name = name;
    }
}

#[async_trait]
impl Users for MongoStorage {
    async fn find_user(&self, id: &UserId) -> StorageResult<Option<User>> {
        let found = self.within(find(&mut self.reader(), id)).await?;
        Ok(found.map(User::try_from).transpose().map_err(Failed::from)?)
    }

    async fn list_users(&self, ids: &[UserId]) -> StorageResult<Vec<User>> {
        let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        let query = Query::new(USERS, doc! { "_id": { "$in": ids } });
        let found: Vec<UserDocument> = self.within(self.reader().all(query)).await?;
        Ok(all(found).map_err(Failed::from)?)
    }

    async fn search_users(&self, text: &str, limit: usize) -> StorageResult<Vec<User>> {
        let matches = vec![doc! { "name_key": containing(&text.to_lowercase()) }, doc! { "_id": text }];
        let query = Query::new(USERS, doc! { "$or": matches }).sort(doc! { "_id": 1 }).limit(limit);
        let mut found: Vec<UserDocument> = self.within(self.reader().all(query)).await?;
        found.truncate(limit);
        Ok(all(found).map_err(Failed::from)?)
    }

    async fn record_claims(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        now: Timestamp,
    ) -> StorageResult<Option<User>> {
        match self.within(find(&mut self.reader(), id)).await? {
            None if !create => return Ok(None),
            Some(known) if !known.clone().claim(claims) => return Ok(Some(known.try_into().map_err(Failed::from)?)),
            _ => {}
        }
        let picture = claims.picture.as_deref();
        Ok(self.make(&Profile { id, picture, edit: Edit::Claim { claims, create, now } }).await?)
    }

    async fn update_profile(&self, id: &UserId, change: &ProfileChange) -> StorageResult<Option<User>> {
        let picture = change.picture.as_ref().and_then(Option::as_deref);
        Ok(self.make(&Profile { id, picture, edit: Edit::Own(change) }).await?)
    }

    async fn find_revocation(&self, id: &UserId) -> StorageResult<Option<Timestamp>> {
        let found = self.within(find(&mut self.reader(), id)).await?;
        Ok(found.and_then(|user| user.revoked_before).map(moment))
    }

    async fn revoke_tokens(&self, id: &UserId, before: Timestamp) -> StorageResult<Option<Timestamp>> {
        Ok(self.make(&Revocation { id, before }).await?)
    }
}

/// Tokens of a user that are no longer good.
struct Revocation<'a> {
    id: &'a UserId,
    before: Timestamp,
}

#[async_trait]
impl Change for Revocation<'_> {
    type Done = Option<Timestamp>;

    async fn locks(&self, _: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.id)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Option<Timestamp>, Failed> {
        let Some(user) = find(&mut unit.reader(), self.id).await? else { return Ok(None) };
        let revoked = user.revoked_before.map(moment);
        let now = revoked.max(Some(self.before));
        if now != revoked {
            let set = doc! { "$set": { "revoked_before": date(self.before) } };
            unit.write(Command::update(USERS, vec![Update::one(doc! { "_id": self.id.as_str() }, set)]));
        }
        Ok(now)
    }
}

/// Held by whatever changes a user.
fn lock(user: &UserId) -> String {
    format!("user/{user}")
}

/// A user's name or picture that changes, or a user who comes.
struct Profile<'a> {
    id: &'a UserId,
    /// The picture that they may get.
    picture: Option<&'a str>,
    edit: Edit<'a>,
}

/// What changes.
enum Edit<'a> {
    /// What a token claims.
    Claim { claims: &'a ClaimedProfile, create: bool, now: Timestamp },
    /// What the user wants.
    Own(&'a ProfileChange),
}

#[async_trait]
impl Change for Profile<'_> {
    type Done = Option<User>;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let mut locks = vec![lock(self.id)];
        locks.extend(Named::by_urls(self.picture).all.into_iter().map(media_items::lock));
        let before = find(reader, self.id).await?.and_then(|user| user.picture_medium);
        locks.extend(before.map(media_items::lock_of));
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Option<User>, Failed> {
        let known = find(&mut unit.reader(), self.id).await?;
        let before = known.as_ref().map(|user| user.picture.clone());
        let mut user = match (&known, &self.edit) {
            (Some(known), _) => known.clone(),
            (None, Edit::Claim { create: true, now, .. }) => UserDocument::new(&User::nameless(self.id.clone()), *now),
            (None, _) => return Ok(None),
        };
        match &self.edit {
            Edit::Claim { claims, .. } => drop(user.claim(claims)),
            Edit::Own(ProfileChange { name, picture }) => {
                if let Some(name) = name {
                    user.rename(name.clone());
                }
                if let Some(picture) = picture {
                    user.picture.clone_from(picture);
                }
            }
        }
        if before.as_ref() != Some(&user.picture) {
            let named = Named::by_urls(user.picture.as_deref());
            let mut media = CountedMedia::of_names(unit, &named, user.picture_medium).await?;
            user.picture_medium = media.replace(user.picture_medium, &named);
            media.write(unit)?;
        }
        if known.is_none() {
            unit.write(Command::insert(USERS, &[&user])?);
        } else {
            let document = mongodb::bson::serialize_to_document(&user).map_err(|_| BadDocument("user"))?;
            unit.write(Command::update(USERS, vec![Update::one(doc! { "_id": self.id.as_str() }, document)]));
        }
        Ok(Some(user.try_into()?))
    }
}

async fn find(reader: &mut Reader<'_>, id: &UserId) -> Result<Option<UserDocument>, Failed> {
    reader.one(Query::by_id(USERS, id.as_str())).await
}

/// A condition on a name that contains `text`. Whatever is not a letter or digit is escaped, so the pattern means the
/// text itself.
pub(crate) fn containing(text: &str) -> Document {
    if text.chars().count() > User::MAX_NAME_CHARS {
        return doc! { "$in": [] };
    }
    let mut pattern = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // A pattern with this character itself is refused.
            '\0' => pattern.push_str(r"\x00"),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    doc! { "$regex": pattern }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_a_pattern() {
        assert_eq!(containing("a.b*[c] $é\0"), doc! { "$regex": r"a\.b\*\[c\]\ \$é\x00" });
        assert_eq!(containing(&"x".repeat(201)), doc! { "$in": [] }, "no name is as long");
    }
}
