//! Users, and whom they block. Somebody who is only spoken of (their document was deleted, their messages were not) is
//! known by their id.

use std::collections::BTreeMap;

use parlance_domain::model::{BlocksRecord, ClaimedProfile, Preferences, Record, Timestamp, User, UserId, UserRecord};

use crate::document::{Document, Unusable};

const NAME: &[&str] = &["fullName", "name", "displayName", "username"];
const PICTURE: &[&str] = &["profilePicture", "profileImage", "picture", "avatar"];
const BLOCKED: &[&str] = &["blockedUsers", "blocked"];
const CREATED: &[&str] = &["createdAt"];
const UPDATED: &[&str] = &["updatedAt", "createdAt"];

/// Everybody.
pub(crate) struct People {
    known: BTreeMap<UserId, UserRecord>,
    blocks: BTreeMap<UserId, BlocksRecord>,
}

impl People {
    pub(crate) fn of(documents: &[Document]) -> Result<Self, Unusable> {
        let mut people = Self { known: BTreeMap::new(), blocks: BTreeMap::new() };
        for document in documents {
            let id: UserId = document.needed_id(&["_id"])?;
            let name = document.text(NAME).map(|name| name.chars().take(User::MAX_NAME_CHARS).collect::<String>());
            let picture = document.text(PICTURE).map(str::to_owned);
            let record = UserRecord {
                user: User {
                    name: name.clone().unwrap_or_else(|| id.as_str().to_owned()),
                    id: id.clone(),
                    picture: picture.clone(),
                },
                claimed: ClaimedProfile { name, picture },
                preferences: Preferences::default(),
                created_at: document.moment(CREATED).unwrap_or(Timestamp::from_millis(0)),
                revoked_before: None,
            };
            if people.known.insert(id.clone(), record).is_some() {
                return Err(document.unusable(format!("there is another user {id}")));
            }
            let since = document.moment(UPDATED).unwrap_or(Timestamp::from_millis(0));
            let mut blocked: Vec<UserId> = document.ids(BLOCKED)?;
            blocked.sort();
            blocked.dedup();
            blocked.retain(|other| *other != id);
            if !blocked.is_empty() {
                let blocked = blocked.into_iter().map(|other| (other, since)).collect();
                people.blocks.insert(id.clone(), BlocksRecord { blocker: id, blocked });
            }
        }
        let spoken_of: Vec<_> = people.blocks.values().flat_map(|blocks| blocks.blocked.clone()).collect();
        for (id, since) in spoken_of {
            people.meet(&id, since);
        }
        Ok(people)
    }

    /// Sees to it that somebody is known.
    pub(crate) fn meet(&mut self, id: &UserId, at: Timestamp) {
        self.known.entry(id.clone()).or_insert_with(|| UserRecord {
            user: User::nameless(id.clone()),
            claimed: ClaimedProfile::default(),
            preferences: Preferences::default(),
            created_at: at,
            revoked_before: None,
        });
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.known.values().cloned().map(Record::User).collect()
    }

    pub(crate) fn blocks(self) -> impl Iterator<Item = BlocksRecord> {
        self.blocks.into_values()
    }
}
