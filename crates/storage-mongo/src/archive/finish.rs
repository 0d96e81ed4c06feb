//! The end of a copy.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mongodb::bson::doc;
use parlance_domain::rules::media::Named;

use super::THE_COPY;
use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Delete, Update};
use crate::documents::object_id;
use crate::error::Failed;
use crate::media_items::{self, CountedMedia};
use crate::reader::{Query, Reader};
use crate::schema::{COPIES, USERS};
use crate::users::UserDocument;

/// Finds the media that are pictures, which came in after their users, and forgets the copy.
pub(super) async fn finish(storage: &MongoStorage) -> Result<(), Failed> {
    let mut after = Some(String::new());
    while let Some(last) = after {
        after = storage.make(&UsePictures { after: last }).await?;
    }
    storage.make(&Forget).await
}

/// A page of users whose pictures may be media of this server.
struct UsePictures {
    after: String,
}

impl UsePictures {
    async fn page(&self, reader: &mut Reader<'_>) -> Result<Vec<UserDocument>, Failed> {
        let filter = doc! {
            "_id": { "$gt": self.after.as_str() },
            "picture": { "$regex": "/media/" },
            "picture_medium": { "$exists": false },
        };
        reader.all(Query::new(USERS, filter).sort(doc! { "_id": 1 }).limit(500)).await
    }
}

#[async_trait]
impl Change for UsePictures {
    /// The last user of the page, if there are more.
    type Done = Option<String>;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let page = self.page(reader).await?;
        let named = page.iter().flat_map(|user| Named::by_urls(user.picture.as_deref()).all);
        let named: BTreeSet<_> = named.collect();
        Ok(named.into_iter().map(media_items::lock).chain([THE_COPY.to_owned()]).collect())
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Option<String>, Failed> {
        let page = self.page(&mut unit.reader()).await?;
        let named = page.iter().flat_map(|user| Named::by_urls(user.picture.as_deref()).all);
        let ids: BTreeSet<_> = named.map(|id| object_id(id.bytes())).collect();
        let mut media = CountedMedia::of(unit, ids.into_iter().collect()).await?;
        let mut updates = Vec::new();
        for user in &page {
            if let Some(medium) = media.begin(&Named::by_urls(user.picture.as_deref())).pop() {
                updates.push(Update::one(doc! { "_id": &user.id }, doc! { "$set": { "picture_medium": medium } }));
            }
        }
        media.write(unit)?;
        unit.write(Command::update(USERS, updates));
        Ok(page.last().map(|last| last.id.clone()))
    }
}

/// A copy that is finished.
struct Forget;

#[async_trait]
impl Change for Forget {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![THE_COPY.to_owned()])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        unit.write(Command::delete(COPIES, vec![Delete::one(doc! { "_id": THE_COPY })]));
        Ok(())
    }
}
