//! `/api/v1/media/upload` and `/api/media/upload`: a file by itself, to be sent afterwards by its link.

use axum::extract::State;
use parlance_domain::Error;
use parlance_domain::model::{MediaType, Medium};
use parlance_domain::services::{NewUpload, Uploading};
use serde::Serialize;

use super::form::Form;
use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Caller, Query};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadData {
    url: String,
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

pub(crate) async fn upload(
    State(rest): Rest,
    Caller(caller): Caller,
    query: Query,
    mut form: Form,
) -> Answered<UploadData> {
    let turn = rest.uploading.begin(&caller.id, form.content_length())?;
    while let Some(part) = form.next().await? {
        if part.name() == "media" {
            let filename = part.filename();
            let new = NewUpload { filename: &filename, upload_id: query.text("uploadId"), only: None };
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
