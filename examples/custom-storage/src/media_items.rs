//! The `MediaItems` port, and who uses which medium. A use is there from the moment that something names a medium that
//! is there until it is gone or names another one. Media without one are listed in an index of their own.

use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use parlance_domain::model::{ConversationId, Medium, MediumId, MessageId, Timestamp, UserId};
use parlance_domain::ports::{MediaItems, StorageResult};
use parlance_domain::rules::media::Named;
use serde::{Deserialize, Serialize};

use crate::EmbeddedStorage;
use crate::failure::Failed;
use crate::records::MediumFields;
use crate::store::{Scan, View, Writer};
use crate::tables::{self, MEDIA, UNUSED};
use crate::users;

/// A medium, and what names it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    #[serde(with = "MediumFields")]
    medium: Medium,
    uses: BTreeSet<String>,
}

/// What can name a medium.
#[derive(Debug)]
pub(crate) enum Use<'a> {
    Message(MessageId),
    Group(ConversationId),
    Picture(&'a UserId),
}

#[async_trait]
impl MediaItems for EmbeddedStorage {
    async fn insert_medium(&self, medium: &Medium) -> StorageResult<()> {
        let item = Item { medium: medium.clone(), uses: BTreeSet::new() };
        self.write(move |writer| {
            users::must_know(writer, [&item.medium.uploader])?;
            if writer.bytes(MEDIA.raw, &item.medium.id.bytes())?.is_some() {
                return Err(Failed::Broken(format!("there is a medium {} already", item.medium.id)));
            }
            writer.put_item(&item)
        })
        .await
    }

    async fn find_medium(&self, id: MediumId) -> StorageResult<Option<Medium>> {
        self.read(move |view| Ok(view.get(&MEDIA, &id.bytes())?.map(|item| item.medium))).await
    }

    async fn list_unused_media(&self, before: Timestamp, limit: usize) -> StorageResult<Vec<MediumId>> {
        self.read(move |view| {
            let to = Bound::Excluded(tables::moment(before).to_vec());
            let old = Scan { to, limit, ..Scan::of(&[]) };
            let keys = view.entries(UNUSED, old)?;
            Ok(keys.iter().map(|(key, _)| MediumId::from_bytes(tables::last_id(key))).collect())
        })
        .await
    }

    async fn remove_medium(&self, id: MediumId) -> StorageResult<bool> {
        self.write(move |writer| {
            let Some(item) = writer.get(&MEDIA, &id.bytes())?.filter(|item| item.uses.is_empty()) else {
                return Ok(false);
            };
            writer.remove(MEDIA.raw, &id.bytes())?;
            writer.remove(UNUSED, &item.unused_key())?;
            Ok(true)
        })
        .await
    }
}

impl Item {
    fn unused_key(&self) -> Vec<u8> {
        [tables::moment(self.medium.uploaded_at).as_slice(), &self.medium.id.bytes()].concat()
    }
}

impl Writer {
    /// Whether all that must be there is there.
    pub(crate) fn has_media(&self, named: &Named) -> Result<bool, Failed> {
        for id in &named.required {
            if self.bytes(MEDIA.raw, &id.bytes())?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `user` names these media now, after having named `before`.
    pub(crate) fn use_media(&mut self, user: &Use<'_>, before: &Named, now: &Named) -> Result<(), Failed> {
        let user = match user {
            Use::Message(id) => format!("message {id}"),
            Use::Group(id) => format!("group {id}"),
            Use::Picture(id) => format!("picture {id}"),
        };
        for id in before.all.symmetric_difference(&now.all) {
            // A link to a medium that is not there is another server's.
            let Some(mut item) = self.get(&MEDIA, &id.bytes())? else { continue };
            if now.all.contains(id) {
                item.uses.insert(user.clone());
            } else {
                item.uses.remove(&user);
            }
            self.put_item(&item)?;
        }
        Ok(())
    }

    fn put_item(&mut self, item: &Item) -> Result<(), Failed> {
        self.put(&MEDIA, &item.medium.id.bytes(), item)?;
        if item.uses.is_empty() {
            self.put_bytes(UNUSED, &item.unused_key(), &[])
        } else {
            self.remove(UNUSED, &item.unused_key())
        }
    }
}
