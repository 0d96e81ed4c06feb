//! Why a content is refused, with the type that it was found to be.

use std::borrow::Cow;

use parlance_domain::Error;

/// Why a content is refused. The text is a type or a few words, fit for the answer to the uploader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is sound without a picture.
    #[error("audio is not allowed ({0})")]
    Audio(Cow<'static, str>),
    /// It is something else that may not be uploaded.
    #[error("unsupported media type {0}")]
    Unsupported(Cow<'static, str>),
}

impl Refusal {
    pub(crate) fn audio(found: impl Into<Cow<'static, str>>) -> Self {
        Self::Audio(found.into())
    }

    pub(crate) fn unsupported(found: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported(found.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Audio(_) => Self::AudioNotAllowed,
            Refusal::Unsupported(found) => Self::UnsupportedMedia(found.into_owned()),
        }
    }
}
