//! The `MediaItems` port, and who uses which medium. Of a removal and something that names the medium, the one that
//! locks it first (in SQLite, that writes first) decides.

use std::collections::BTreeSet;

use async_trait::async_trait;
use parlance_domain::model::{ConversationId, Dimensions, Medium, MediumId, MessageId, Thumbnail, Timestamp, UserId};
use parlance_domain::ports::{MediaItems, StorageResult};
use parlance_domain::rules::media::Named;
use sea_orm::{DatabaseTransaction, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::{count, media_type, media_type_number, object_id, sql_number, user_id};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks};

/// What can name a medium.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use<'a> {
    Message(MessageId),
    Group(ConversationId),
    Picture(&'a UserId),
}

impl Use<'_> {
    /// The columns `kind` and `used_by`.
    fn columns(self) -> (i64, String) {
        match self {
            Self::Message(id) => (0, id.to_string()),
            Self::Group(id) => (1, id.to_string()),
            Self::Picture(id) => (2, id.as_str().to_owned()),
        }
    }
}

/// The columns of [`MediumRow`].
macro_rules! medium_columns {
    () => {
        "id, uploader, media_type, format, content_type, filename, bytes, digest, width, height, \
         thumbnail_content_type, thumbnail_bytes, thumbnail_width, thumbnail_height, uploaded_at"
    };
}
pub(crate) use medium_columns;

/// A medium.
#[derive(Debug, FromQueryResult)]
pub(crate) struct MediumRow {
    id: Vec<u8>,
    uploader: String,
    media_type: i64,
    format: String,
    content_type: String,
    filename: String,
    bytes: i64,
    digest: String,
    width: Option<i64>,
    height: Option<i64>,
    thumbnail_content_type: Option<String>,
    thumbnail_bytes: Option<i64>,
    thumbnail_width: Option<i64>,
    thumbnail_height: Option<i64>,
    uploaded_at: i64,
}

impl TryFrom<MediumRow> for Medium {
    type Error = BadRow;

    fn try_from(row: MediumRow) -> Result<Self, BadRow> {
        let MediumRow {
            id,
            uploader,
            media_type: number,
            format,
            content_type,
            filename,
            bytes,
            digest,
            width,
            height,
            thumbnail_content_type,
            thumbnail_bytes,
            thumbnail_width,
            thumbnail_height,
            uploaded_at,
        } = row;
        let thumbnail = match (thumbnail_content_type, thumbnail_bytes, dimensions(thumbnail_width, thumbnail_height)?)
        {
            (Some(content_type), Some(bytes), Some(dimensions)) => {
                Some(Thumbnail { content_type, bytes: count(bytes)?, dimensions })
            }
            _ => None,
        };
        let media_type = u8::try_from(number).ok().and_then(media_type).ok_or(BadRow("type of a medium"))?;
        Ok(Self {
            id: object_id(&id)?.into(),
            uploader: user_id(&uploader)?,
            media_type,
            format,
            content_type,
            filename,
            bytes: count(bytes)?,
            digest,
            dimensions: dimensions(width, height)?,
            thumbnail,
            uploaded_at: Timestamp::from_millis(uploaded_at),
        })
    }
}

fn dimensions(width: Option<i64>, height: Option<i64>) -> Result<Option<Dimensions>, BadRow> {
    let (Some(width), Some(height)) = (width, height) else { return Ok(None) };
    let pixels = |number: i64| u32::try_from(number).map_err(|_| BadRow("size of a picture"));
    Ok(Some(Dimensions { width: pixels(width)?, height: pixels(height)? }))
}

#[async_trait]
impl MediaItems for SqlStorage {
    async fn insert_medium(&self, medium: &Medium) -> StorageResult<()> {
        self.again(|| self.insert(medium)).await
    }

    async fn find_medium(&self, id: MediumId) -> StorageResult<Option<Medium>> {
        self.again(|| self.find(id)).await
    }

    async fn list_unused_media(&self, before: Timestamp, limit: usize) -> StorageResult<Vec<MediumId>> {
        self.again(|| self.unused(before, limit)).await
    }

    async fn remove_medium(&self, id: MediumId) -> StorageResult<bool> {
        self.again(|| self.remove_unused(id)).await
    }
}

impl SqlStorage {
    async fn insert(&self, medium: &Medium) -> Result<(), Failed> {
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
        } = medium;
        let small = thumbnail.as_ref();
        let transaction = self.pools.begin().await?;
        Sql::new(
            "INSERT INTO media (id, uploader, media_type, format, content_type, filename, bytes, digest, width, \
                 height, thumbnail_content_type, thumbnail_bytes, thumbnail_width, thumbnail_height, uploaded_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.bytes().to_vec())
        .bind(uploader.as_str())
        .bind(i64::from(media_type_number(*media_type)))
        .bind(format.as_str())
        .bind(content_type.as_str())
        .bind(filename.as_str())
        .bind(sql_number(*bytes))
        .bind(digest.as_str())
        .bind(dimensions.map(|size| i64::from(size.width)))
        .bind(dimensions.map(|size| i64::from(size.height)))
        .bind(small.map(|small| small.content_type.clone()))
        .bind(small.map(|small| sql_number(small.bytes)))
        .bind(small.map(|small| i64::from(small.dimensions.width)))
        .bind(small.map(|small| i64::from(small.dimensions.height)))
        .bind(uploaded_at.millis())
        .run(&transaction)
        .await?;
        commit(transaction).await
    }

    async fn find(&self, id: MediumId) -> Result<Option<Medium>, Failed> {
        let sql = Sql::new(concat!("SELECT ", medium_columns!(), " FROM media WHERE id = ?"));
        let row: Option<MediumRow> = sql.bind(id.bytes().to_vec()).row(self.pools.reader()).await?;
        Ok(row.map(Medium::try_from).transpose()?)
    }

    async fn unused(&self, before: Timestamp, limit: usize) -> Result<Vec<MediumId>, Failed> {
        let ids: Vec<Vec<u8>> = Sql::new(
            "SELECT id FROM media INDEXED BY media_unused WHERE uses = 0 AND uploaded_at < ? \
             ORDER BY uploaded_at, id LIMIT ?",
        )
        .bind(before.millis())
        .bind(sql_number(limit))
        .scalars(self.pools.reader())
        .await?;
        Ok(ids.iter().map(|id| Ok(object_id(id)?.into())).collect::<Result<_, BadRow>>()?)
    }

    async fn remove_unused(&self, id: MediumId) -> Result<bool, Failed> {
        let transaction = self.pools.begin().await?;
        let sql = Sql::new("DELETE FROM media WHERE id = ? AND uses = 0");
        let removed = sql.bind(id.bytes().to_vec()).run(&transaction).await? > 0;
        commit(transaction).await?;
        Ok(removed)
    }
}

/// Those of `required` that are not there; nothing is asked where nothing is required.
pub(crate) async fn list_missing(
    transaction: &DatabaseTransaction,
    required: &BTreeSet<MediumId>,
) -> Result<BTreeSet<MediumId>, Failed> {
    if required.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<String> = required.iter().map(ToString::to_string).collect();
    let there: Vec<Vec<u8>> =
        Sql::new("SELECT media.id FROM json_each(?) d CROSS JOIN media WHERE media.id = unhex(d.atom)")
            .bind_json(&ids)?
            .scalars(transaction)
            .await?;
    let mut missing = required.clone();
    for id in there {
        missing.remove(&object_id(&id)?.into());
    }
    Ok(missing)
}

/// These name these media, which are locked, from now on, as far as they are there.
pub(crate) async fn insert_uses<'a>(
    transaction: &DatabaseTransaction,
    uses: impl IntoIterator<Item = (Use<'a>, Named)>,
) -> Result<(), Failed> {
    let rows: Vec<(String, i64, String)> = uses
        .into_iter()
        .flat_map(|(user, named)| {
            let (kind, used_by) = user.columns();
            named.all.into_iter().map(move |id| (id.to_string(), kind, used_by.clone()))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    Sql::new(
        "INSERT INTO media_uses (medium_id, kind, used_by) \
         SELECT media.id, CAST(d.value ->> 1 AS BIGINT), d.value ->> 2 \
         FROM json_each(?) d CROSS JOIN media WHERE media.id = unhex(d.value ->> 0) ON CONFLICT DO NOTHING",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    Ok(())
}

/// `user` names these media now, after having named `before`.
pub(crate) async fn update_uses(
    transaction: &DatabaseTransaction,
    user: Use<'_>,
    before: Named,
    now: Named,
) -> Result<(), Failed> {
    if before == now {
        return Ok(());
    }
    locks::media(transaction, before.all.union(&now.all).copied()).await?;
    if !before.is_empty() {
        let (kind, used_by) = user.columns();
        let ids: Vec<String> = before.all.iter().map(ToString::to_string).collect();
        Sql::new(
            "DELETE FROM media_uses WHERE medium_id IN (SELECT unhex(atom) FROM json_each(?)) \
                 AND kind = ? AND used_by = ?",
        )
        .bind_json(&ids)?
        .bind(kind)
        .bind(used_by)
        .run(transaction)
        .await?;
    }
    insert_uses(transaction, [(user, now)]).await
}
