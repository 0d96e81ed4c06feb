//! Uploads.

use parlance_domain::model::Medium;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use crate::error::Failed;
use crate::rows::media_type_number;
use crate::statement::Sql;

/// Uploads, which nothing uses yet.
pub(super) async fn insert(transaction: &DatabaseTransaction, media: &[&Medium]) -> Result<(), Failed> {
    if media.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = media.iter().map(|medium| row(medium)).collect();
    Sql::new(
        "INSERT INTO media (id, uploader, media_type, format, content_type, filename, bytes, digest, width, height, \
             thumbnail_content_type, thumbnail_bytes, thumbnail_width, thumbnail_height, uploaded_at) \
         SELECT unhex(value -> 0 ->> 0), value -> 0 ->> 1, CAST(value -> 0 ->> 2 AS BIGINT), value -> 0 ->> 3, \
             value -> 0 ->> 4, value -> 0 ->> 5, CAST(value -> 0 ->> 6 AS BIGINT), value -> 0 ->> 7, \
             CAST(value -> 1 ->> 0 AS BIGINT), CAST(value -> 1 ->> 1 AS BIGINT), value -> 2 ->> 0, \
             CAST(value -> 2 ->> 1 AS BIGINT), CAST(value -> 2 ->> 2 AS BIGINT), CAST(value -> 2 ->> 3 AS BIGINT), \
             CAST(value ->> 3 AS BIGINT) \
         FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    Ok(())
}

fn row(medium: &Medium) -> impl Serialize {
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
    let small = thumbnail
        .as_ref()
        .map(|small| (small.content_type.as_str(), small.bytes, small.dimensions.width, small.dimensions.height));
    let size = dimensions.map(|size| (size.width, size.height));
    let kind = media_type_number(*media_type);
    (
        (id.to_string(), uploader.as_str(), kind, format, content_type, filename, *bytes, digest),
        size,
        small,
        uploaded_at.millis(),
    )
}
