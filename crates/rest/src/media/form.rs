//! A multipart form, part by part and piece by piece. Everything about it is bounded: the whole, the number of its
//! parts, the texts among them, what is read ahead of what was understood, and how long a part may keep waiting.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use multer::{Constraints, Multipart, SizeLimit};
use parlance_domain::ports::UploadChunks;
use parlance_domain::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use tower_http::timeout::TimeoutBody;

use crate::RestState;
use crate::description::{Describe, Operation};
use crate::errors::Refusal;

/// The most parts of one form.
const MAX_PARTS: usize = 32;
/// The longest text: more than any message may have.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// What may lie before a part is understood: a preamble and headers.
const MAX_AHEAD_BYTES: usize = 64 * 1024;
/// What a form may have around its file, in bytes.
const AROUND_BYTES: u64 = 1024 * 1024;
/// How long the next piece may take to come, and the next part to begin.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The parts of a request's body.
pub(super) struct Form {
    parts: Multipart<'static>,
    left: usize,
    ahead: Arc<AtomicUsize>,
    content_length: Option<u64>,
}

/// One part.
pub(super) struct Part {
    field: multer::Field<'static>,
    ahead: Arc<AtomicUsize>,
}

/// Whether a request says that its body is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    boundary(headers).is_some()
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// A form whose parts are those of `Parts`, which describes them.
pub(crate) struct FormOf<Parts>(pub(super) Form, pub(super) PhantomData<fn() -> Parts>);

impl<Parts> FromRequest<Arc<RestState>> for FormOf<Parts> {
    type Rejection = Refusal;

    async fn from_request(request: Request, rest: &Arc<RestState>) -> Result<Self, Refusal> {
        Ok(Self(Form::open(request, rest)?, PhantomData))
    }
}

impl<Parts: JsonSchema> Describe for FormOf<Parts> {
    fn describe(operation: &mut Operation<'_>) {
        operation.body::<Parts>(FORM);
        operation.refuse(&[400, 413, 415]);
    }
}

/// The content type of forms.
pub(super) const FORM: &str = "multipart/form-data";

/// A file, as the description of a form has it: bytes, not a text.
pub(super) enum File {}

impl JsonSchema for File {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "File".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Both how OpenAPI 3.1 says it, and how tools of the time before 3.1 understand it.
        json_schema!({"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"})
    }
}

impl Form {
    /// The form of a request: an upload, and a little around it.
    pub(super) fn open(request: Request, rest: &RestState) -> Result<Self> {
        let not_a_form = || Error::validation("body", "must be a multipart form (multipart/form-data)");
        let boundary = boundary(request.headers()).ok_or_else(not_a_form)?;
        let length = request.headers().get(header::CONTENT_LENGTH);
        let content_length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let ahead = Arc::new(AtomicUsize::new(0));
        let body = Body::new(TimeoutBody::new(MAX_PAUSE, request.into_body()));
        let pieces = Pieces { body: body.into_data_stream(), ahead: Arc::clone(&ahead), paused: true };
        let constraints = Constraints::new()
            .size_limit(SizeLimit::new().whole_stream(rest.uploading.max_bytes().saturating_add(AROUND_BYTES)));
        let parts = Multipart::with_constraints(pieces, boundary, constraints);
        Ok(Self { parts, left: MAX_PARTS, ahead, content_length })
    }

    /// The length of the whole body, if the client said.
    pub(super) const fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// The next part; what was not read of the one before is passed over.
    pub(super) async fn next(&mut self) -> Result<Option<Part>> {
        let next = tokio::time::timeout(MAX_PAUSE, self.parts.next_field());
        let next = next.await.map_err(|_| Error::validation("body", "took too long"))?;
        let Some(field) = next.map_err(|error| refusal(&error))? else { return Ok(None) };
        self.ahead.store(0, Ordering::Relaxed);
        self.left = self.left.checked_sub(1).ok_or(Error::validation("body", "has too many parts"))?;
        Ok(Some(Part { field, ahead: Arc::clone(&self.ahead) }))
    }

    /// Reads what follows, which must be the rest of a form.
    pub(super) async fn finish(&mut self) -> Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

impl Part {
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The file's name on the client's side.
    pub(super) fn filename(&self) -> String {
        self.field.file_name().unwrap_or_default().to_owned()
    }

    /// The part as a text.
    pub(super) async fn text(self, field: &'static str) -> Result<String> {
        let (mut bytes, mut chunks) = (Vec::new(), self.chunks());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Error::validation(field, "broke off"))?;
            if bytes.len() + chunk.len() > MAX_TEXT_BYTES {
                return Err(Error::PayloadTooLarge(format!("a text of a form may have {MAX_TEXT_BYTES} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| Error::validation(field, "must be UTF-8"))
    }

    /// The part as it comes.
    pub(super) fn chunks(self) -> UploadChunks<'static> {
        let Self { field, ahead } = self;
        Box::pin(field.map(move |chunk| {
            ahead.store(0, Ordering::Relaxed);
            chunk.map_err(Into::into)
        }))
    }
}

fn refusal(error: &multer::Error) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            Error::PayloadTooLarge(format!("the form may have {limit} bytes"))
        }
        multer::Error::StreamReadFailed(cause) if cause.is::<TooMuchAhead>() => {
            Error::PayloadTooLarge(format!("what surrounds a part of a form may have {MAX_AHEAD_BYTES} bytes"))
        }
        _ => Error::validation("body", "broke off, or is no multipart form"),
    }
}

/// A part does not begin.
#[derive(Debug, thiserror::Error)]
#[error("too much before a part of the form")]
struct TooMuchAhead;

/// The body's pieces, one per call: the parser would take all that is there into its memory, and all of a header
/// that never ends.
struct Pieces {
    body: BodyDataStream,
    ahead: Arc<AtomicUsize>,
    paused: bool,
}

impl Stream for Pieces {
    type Item = std::result::Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.paused {
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.ahead.load(Ordering::Relaxed) > MAX_AHEAD_BYTES {
            return Poll::Ready(Some(Err(TooMuchAhead.into())));
        }
        let next = self.body.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(piece))) = &next {
            self.paused = false;
            self.ahead.fetch_add(piece.len(), Ordering::Relaxed);
        }
        next.map(|piece| piece.map(|piece| piece.map_err(Into::into)))
    }
}
