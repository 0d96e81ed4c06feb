//! `/api/v1/chat/messages/file`: a message with a file in one request. A form names the conversation before the file
//! if it is well made: then who may not send is refused before the file is read.

use axum::extract::State;
use parlance_dialects::errors::Operation;
use parlance_dialects::read_draft;
use parlance_dialects::schemas::ObjectIdSchema;
use parlance_domain::error::Attempt;
use parlance_domain::model::{ClientMessageId, Medium, User};
use parlance_domain::services::{NewUpload, Sent, UploadTurn};
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::form::{File, Form, FormOf, Part};
use super::upload::UploadQuery;
use crate::answer::Answered;
use crate::errors::Refusal;
use crate::extract::{Caller, Query, Shape};
use crate::messages::{MessageData, sent_answer};
use crate::{Rest, RestState};

/// The texts of the form; others are passed over.
const TEXTS: [&str; 8] =
    ["conversationId", "text", "content", "message", "messageType", "replyTo", "clientMessageId", "uploadId"];

/// The parts of the form.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "parts are read as they come")]
pub(super) struct FileForm {
    conversation_id: ObjectIdSchema,
    file: File,
    text: Option<String>,
    content: Option<String>,
    message: Option<String>,
    message_type: Option<String>,
    reply_to: Option<ObjectIdSchema>,
    #[schemars(length(max = ClientMessageId::MAX_BYTES))]
    client_message_id: Option<String>,
    upload_id: Option<String>,
}

pub(super) async fn send_file(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    Query(query): Query<UploadQuery>,
    FormOf(form, _): FormOf<FileForm>,
) -> Answered<MessageData> {
    let sending = |error| Refusal::Failed(error, Operation::Send);
    rest.services.limiting.send(&caller.id).map_err(sending)?;
    let turn = rest.uploading.begin(&caller.id, form.content_length()).map_err(sending)?;
    let mut reading =
        Reading { rest: &rest, caller: &caller, texts: Map::new(), upload_id: query.upload_id, medium: None };
    let sent = match reading.read(form, turn).await {
        Ok(()) => reading.send().await,
        Err(error) => Err(error),
    };
    // A message of the same mark was there before: the file of this one has no use.
    if let Some(medium) = &reading.medium
        && !sent.as_ref().is_ok_and(|sent| !sent.duplicate)
    {
        rest.uploading.discard(medium.id).await;
    }
    let sent = sent.map_err(sending)?;
    Ok(sent_answer(&rest, dialect, &sent).await)
}

/// A form that is being read.
struct Reading<'a> {
    rest: &'a RestState,
    caller: &'a User,
    texts: Map<String, Value>,
    upload_id: Option<String>,
    medium: Option<Medium>,
}

impl Reading<'_> {
    async fn read(&mut self, mut form: Form, turn: UploadTurn) -> Result<()> {
        let mut turn = Some(turn);
        while let Some(part) = form.next().await? {
            if part.name() == "file" {
                let turn = turn.take().ok_or(Error::validation("file", "must be one"))?;
                self.take(part, turn).await?;
            } else if let Some(name) = TEXTS.into_iter().find(|name| *name == part.name()) {
                let text = part.text(name).await?;
                match name {
                    "uploadId" => self.upload_id = Some(text),
                    "conversationId" => {
                        let id = text.parse().map_err(|_| Error::ConversationNotFound)?;
                        self.rest.services.conversing.authorize(&self.caller.id, id, Attempt::Send).await?;
                        self.texts.insert(name.to_owned(), text.into());
                    }
                    // Forms send empty fields for what was left out.
                    _ if text.is_empty() => {}
                    _ => {
                        self.texts.insert(name.to_owned(), text.into());
                    }
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, part: Part, turn: UploadTurn) -> Result<()> {
        let filename = part.filename();
        let new = NewUpload { filename: &filename, upload_id: self.upload_id.as_deref(), only: None };
        self.medium = Some(turn.take(new, part.chunks()).await?);
        Ok(())
    }

    async fn send(&mut self) -> Result<Sent> {
        let medium = self.medium.as_ref().ok_or(Error::validation("file", "is required"))?;
        let mut draft = read_draft(&Value::Object(std::mem::take(&mut self.texts)))?;
        draft.media.push(self.rest.uploading.link(medium));
        self.rest.services.messaging.send(self.caller, draft, None).await
    }
}
