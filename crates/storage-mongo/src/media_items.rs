//! The `MediaItems` port, and who uses which medium. A medium counts its uses; whatever begins or ceases to name it
//! writes that count in the same change, so a removal and a use of one medium always meet.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, doc};
use parlance_domain::model::{Dimensions, MediaLink, Medium, MediumId, Thumbnail, Timestamp};
use parlance_domain::ports::{MediaItems, StorageResult};
use parlance_domain::rules::media::Named;
use serde::{Deserialize, Serialize};

use crate::MongoStorage;
use crate::change::{Change, Unit};
use crate::command::{Command, Delete, Update};
use crate::conversations::must_know;
use crate::documents::{count, date, media_type, media_type_number, moment, number, object_id, user_id};
use crate::error::{BadDocument, Failed};
use crate::reader::{Query, Reader};
use crate::schema::MEDIA;

/// The end of the year 9999: not every server and tool reads later dates.
const LATEST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// A medium.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MediumDocument {
    #[serde(rename = "_id")]
    pub(crate) id: ObjectId,
    uploader: String,
    #[serde(rename = "type")]
    media_type: i32,
    format: String,
    content_type: String,
    filename: String,
    bytes: i64,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimensions: Option<SizeDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<ThumbnailDocument>,
    uploaded_at: DateTime,
    /// How many messages, groups and users use it.
    uses: i64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct SizeDocument {
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct ThumbnailDocument {
    content_type: String,
    bytes: i64,
    dimensions: SizeDocument,
}

impl From<Dimensions> for SizeDocument {
    fn from(Dimensions { width, height }: Dimensions) -> Self {
        Self { width, height }
    }
}

impl From<SizeDocument> for Dimensions {
    fn from(SizeDocument { width, height }: SizeDocument) -> Self {
        Self { width, height }
    }
}

impl From<&Medium> for MediumDocument {
    fn from(medium: &Medium) -> Self {
        let Medium {
            id,
            uploader,
            media_type,
            format,
            content_type,
            filename,
            bytes,
            digest,
            dimensions,
            thumbnail,
            uploaded_at,
        } = medium.clone();
        let small = |Thumbnail { content_type, bytes, dimensions }| ThumbnailDocument {
            content_type,
            bytes: number(bytes),
            dimensions: dimensions.into(),
        };
        Self {
            id: object_id(id.bytes()),
            uploader: uploader.as_str().to_owned(),
            media_type: media_type_number(media_type),
            format,
            content_type,
            filename,
            bytes: number(bytes),
            digest,
            dimensions: dimensions.map(SizeDocument::from),
            thumbnail: thumbnail.map(small),
            uploaded_at: date(uploaded_at),
            uses: 0,
        }
    }
}

impl TryFrom<MediumDocument> for Medium {
    type Error = BadDocument;

    fn try_from(document: MediumDocument) -> Result<Self, BadDocument> {
        let MediumDocument {
            id,
            uploader,
            media_type: type_number,
            format,
            content_type,
            filename,
            bytes,
            digest,
            dimensions,
            thumbnail,
            uploaded_at,
            uses: _,
        } = document;
        let small = |ThumbnailDocument { content_type, bytes, dimensions }| {
            Ok(Thumbnail { content_type, bytes: count(bytes)?, dimensions: dimensions.into() })
        };
        Ok(Self {
            id: MediumId::from_bytes(id.bytes()),
            uploader: user_id(&uploader)?,
            media_type: media_type(type_number).ok_or(BadDocument("type of a medium"))?,
            format,
            content_type,
            filename,
            bytes: count(bytes)?,
            digest,
            dimensions: dimensions.map(Dimensions::from),
            thumbnail: thumbnail.map(small).transpose()?,
            uploaded_at: moment(uploaded_at),
        })
    }
}

#[async_trait]
impl MediaItems for MongoStorage {
    async fn insert_medium(&self, medium: &Medium) -> StorageResult<()> {
        Ok(self.make(&Insert { medium }).await?)
    }

    async fn find_medium(&self, id: MediumId) -> StorageResult<Option<Medium>> {
        let medium = Query::by_id(MEDIA, object_id(id.bytes()));
        let found: Option<MediumDocument> = self.within(self.reader().one(medium)).await?;
        Ok(found.map(Medium::try_from).transpose().map_err(Failed::from)?)
    }

    async fn list_unused_media(&self, before: Timestamp, limit: usize) -> StorageResult<Vec<MediumId>> {
        Ok(self.within(list_unused(&mut self.reader(), before, limit)).await?)
    }

    async fn remove_medium(&self, id: MediumId) -> StorageResult<bool> {
        Ok(self.make(&Remove { id }).await?)
    }
}

async fn list_unused(reader: &mut Reader<'_>, before: Timestamp, limit: usize) -> Result<Vec<MediumId>, Failed> {
    #[derive(Deserialize)]
    struct IdDocument {
        #[serde(rename = "_id")]
        id: ObjectId,
    }
    let unused = Query::new(MEDIA, doc! { "uses": 0_i64, "uploaded_at": { "$lt": date(before.min(LATEST)) } });
    let unused = unused.sort(doc! { "uploaded_at": 1, "_id": 1 }).limit(limit).fields(doc! { "_id": 1 });
    let unused: Vec<IdDocument> = reader.all(unused).await?;
    Ok(unused.into_iter().take(limit).map(|medium| MediumId::from_bytes(medium.id.bytes())).collect())
}

/// An upload.
struct Insert<'a> {
    medium: &'a Medium,
}

#[async_trait]
impl Change for Insert<'_> {
    type Done = ();

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.medium.id)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        let mut reader = unit.reader();
        must_know(&mut reader, [&self.medium.uploader]).await?;
        let same = Query::by_id(MEDIA, object_id(self.medium.id.bytes()));
        if reader.one::<MediumDocument>(same).await?.is_some() {
            return Err(BadDocument("medium: its id is taken").into());
        }
        unit.write(Command::insert(MEDIA, &[MediumDocument::from(self.medium)])?);
        Ok(())
    }
}

/// A medium that goes if nothing uses it.
struct Remove {
    id: MediumId,
}

#[async_trait]
impl Change for Remove {
    type Done = bool;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![lock(self.id)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<bool, Failed> {
        let id = object_id(self.id.bytes());
        let found = unit.reader().one::<MediumDocument>(Query::by_id(MEDIA, id)).await?;
        let unused = found.is_some_and(|medium| medium.uses == 0);
        if unused {
            unit.write(Command::delete(MEDIA, vec![Delete::one(doc! { "_id": id })]));
        }
        Ok(unused)
    }
}

/// The lock of a medium with its uses.
pub(crate) fn lock(id: MediumId) -> String {
    format!("medium/{id}")
}

/// The same by its stored id.
pub(crate) fn lock_of(id: ObjectId) -> String {
    lock(MediumId::from_bytes(id.bytes()))
}

/// Media with the number of their uses, in the course of a change.
#[derive(Debug, Default)]
pub(crate) struct CountedMedia {
    before: BTreeMap<ObjectId, i64>,
    after: BTreeMap<ObjectId, i64>,
}

impl CountedMedia {
    /// Those of `ids` that are there.
    pub(crate) async fn of(unit: &mut Unit<'_>, ids: Vec<ObjectId>) -> Result<Self, Failed> {
        #[derive(Deserialize)]
        struct CountDocument {
            #[serde(rename = "_id")]
            id: ObjectId,
            uses: i64,
        }
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let counted = Query::new(MEDIA, doc! { "_id": { "$in": ids } }).fields(doc! { "uses": 1 });
        let counted: Vec<CountDocument> = unit.reader().all(counted).await?;
        let before: BTreeMap<_, _> = counted.into_iter().map(|CountDocument { id, uses }| (id, uses)).collect();
        Ok(Self { after: before.clone(), before })
    }

    /// Those that these links name.
    pub(crate) async fn of_links(
        unit: &mut Unit<'_>,
        links: impl IntoIterator<Item = &MediaLink>,
    ) -> Result<Self, Failed> {
        let urls = links.into_iter().flat_map(|link| [Some(link.url.as_str()), link.thumbnail_url.as_deref()]);
        let named = Named::by_urls(urls.flatten());
        Self::of_names(unit, &named, None).await
    }

    /// Those that are named, and one more.
    pub(crate) async fn of_names(unit: &mut Unit<'_>, named: &Named, other: Option<ObjectId>) -> Result<Self, Failed> {
        Self::of(unit, named.all.iter().map(|id| object_id(id.bytes())).chain(other).collect()).await
    }

    /// This medium comes in the same change, before its uses are written.
    pub(crate) fn arrive(&mut self, id: ObjectId) {
        self.before.insert(id, 0);
        self.after.insert(id, 0);
    }

    /// Those of `required` that are not there.
    pub(crate) fn missing(&self, mut required: BTreeSet<MediumId>) -> BTreeSet<MediumId> {
        required.retain(|id| !self.before.contains_key(&object_id(id.bytes())));
        required
    }

    /// Something names these from now on. Says which of them count it.
    pub(crate) fn begin(&mut self, named: &Named) -> Vec<ObjectId> {
        let ids: Vec<ObjectId> = named.all.iter().map(|id| object_id(id.bytes())).collect();
        ids.into_iter().filter(|id| self.after.get_mut(id).map(|uses| *uses += 1).is_some()).collect()
    }

    /// Something that these count does not name them any more.
    pub(crate) fn end(&mut self, ids: &[ObjectId]) {
        for id in ids {
            self.after.entry(*id).and_modify(|uses| *uses = uses.saturating_sub(1));
        }
    }

    /// Something that `before` counts names these from now on. Says which one counts it.
    pub(crate) fn replace(&mut self, before: Option<ObjectId>, named: &Named) -> Option<ObjectId> {
        self.end(before.as_slice());
        self.begin(named).pop()
    }

    /// Writes the counts that have changed.
    pub(crate) fn write(self, unit: &mut Unit<'_>) -> Result<(), Failed> {
        let Self { before, after } = self;
        let mut updates = Vec::new();
        for (id, uses) in after.iter().filter(|(id, uses)| before.get(*id) != Some(*uses)) {
            unit.require(&lock_of(*id))?;
            updates.push(Update::one(doc! { "_id": *id }, doc! { "$set": { "uses": *uses } }));
        }
        unit.write(Command::update(MEDIA, updates));
        Ok(())
    }
}
