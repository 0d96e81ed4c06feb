//! `PUT /api/v1/chat/conversations/{conversation}/photo`: a group's photo, as a picture in a form or by its link.

use axum::extract::{FromRequest, Request, State};
use parlance_domain::Error;
use parlance_domain::model::{MediaType, Medium, User};
use parlance_domain::services::NewUpload;
use schemars::JsonSchema;
use serde::Deserialize;

use super::form::{FORM, File, Form, is_form};
use crate::answer::{Answer, Answered};
use crate::conversations::PhotoData;
use crate::description::Operation;
use crate::extract::{Body, Caller, JSON, Params};
use crate::{Rest, RestState};

#[derive(JsonSchema, Deserialize)]
pub(super) struct PhotoLink {
    url: String,
}

/// The parts of the form.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "parts are read as they come")]
pub(super) struct PhotoForm {
    photo: File,
}

/// A photo comes in either of two ways.
pub(super) fn bodies(operation: &mut Operation<'_>) {
    operation.body::<PhotoForm>(FORM);
    operation.body::<PhotoLink>(JSON);
    operation.refuse(&[400, 413, 415]);
}

pub(super) async fn set_photo(
    State(rest): Rest,
    Caller(caller): Caller,
    params: Params,
    request: Request,
) -> Answered<PhotoData> {
    let id = params.conversation()?;
    let group_image = if is_form(request.headers()) {
        rest.services.conversing.authorize_look(&caller.id, id).await?;
        let form = Form::open(request, &rest)?;
        let medium = picture(&rest, &caller, form).await?;
        let url = rest.uploading.link(&medium).url;
        let set = rest.services.conversing.set_photo(&caller, id, Some(url)).await;
        if set.is_err() {
            rest.uploading.discard(medium.id).await;
        }
        set?
    } else {
        let Body(PhotoLink { url }) = Body::from_request(request, &rest).await?;
        rest.services.conversing.set_photo(&caller, id, Some(url)).await?
    };
    Ok(Answer::ok("Group photo changed", PhotoData { group_image }))
}

async fn picture(rest: &RestState, caller: &User, mut form: Form) -> parlance_domain::Result<Medium> {
    let turn = rest.uploading.begin(&caller.id, form.content_length())?;
    while let Some(part) = form.next().await? {
        if part.name() == "photo" {
            let filename = part.filename();
            let new = NewUpload { filename: &filename, only: Some(MediaType::Image), ..NewUpload::default() };
            let medium = turn.take(new, part.chunks()).await?;
            if let Err(error) = form.finish().await {
                rest.uploading.discard(medium.id).await;
                return Err(error);
            }
            return Ok(medium);
        }
    }
    Err(Error::validation("photo", "is required: the picture's part of the form"))
}
