//! `/api/v1/media/upload` and `/api/media/upload`: a file by itself, to be sent afterwards by its link.

use axum::extract::State;
use parlance_domain::Error;
use parlance_domain::model::{MediaType, Medium};
use parlance_domain::services::{NewUpload, Uploading};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form::{File, FormOf};
use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Caller, Query};

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadData {
    url: String,
    #[schemars(extend("enum" = ["image", "video", "file"]))]
    r#type: &'static str,
    format: String,
    file_size: u64,
    filename: String,
    media_id: String,
    width: Option<u32>,
    height: Option<u32>,
}

impl UploadData {
    fn of(uploading: &Uploading, medium: Medium) -> Self {
        Self {
            url: uploading.link(&medium).url,
            r#type: match medium.media_type {
                MediaType::Image => "image",
                MediaType::Video => "video",
                MediaType::File => "file",
            },
            format: medium.format,
            file_size: medium.bytes,
            filename: medium.filename,
            media_id: medium.id.to_string(),
            width: medium.dimensions.map(|size| size.width),
            height: medium.dimensions.map(|size| size.height),
        }
    }
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadQuery {
    /// The client's name for this upload; its sockets hear by it how far it is.
    pub(super) upload_id: Option<String>,
}

/// The parts of the form.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "parts are read as they come")]
pub(super) struct UploadForm {
    media: File,
}

pub(super) async fn upload(
    State(rest): Rest,
    Caller(caller): Caller,
    Query(query): Query<UploadQuery>,
    FormOf(mut form, _): FormOf<UploadForm>,
) -> Answered<UploadData> {
    let turn = rest.uploading.begin(&caller.id, form.content_length())?;
    while let Some(part) = form.next().await? {
        if part.name() == "media" {
            let filename = part.filename();
            let new = NewUpload { filename: &filename, upload_id: query.upload_id.as_deref(), only: None };
            let medium = turn.take(new, part.chunks()).await?;
            if let Err(error) = form.finish().await {
                rest.uploading.discard(medium.id).await;
                return Err(error.into());
            }
            return Ok(Answer::created("Media uploaded", UploadData::of(&rest.uploading, medium)));
        }
    }
    Err(Error::validation("media", "is required: the file's part of the form").into())
}
