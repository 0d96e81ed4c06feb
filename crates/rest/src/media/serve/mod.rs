//! How a stored medium goes out: [`Outgoing::decide`] turns the request's conditions and range into a status,
//! headers and the bytes to send, all plain values; `serving` copies them and streams [`Outgoing::bytes`].
//! Whatever was uploaded, no browser will run it: only pictures and films are shown in place.

mod conditions;
mod disposition;
mod range;

use std::ops::Range;

use parlance_domain::model::{MediaType, Medium};
use parlance_domain::ports::BlobKey;

use disposition::content_disposition;
use range::{RangeAsked, parse_range};

/// A blob with all that its headers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served<'a> {
    key: BlobKey,
    content_type: &'a str,
    filename: &'a str,
    inline: bool,
    bytes: u64,
    etag: String,
}

impl<'a> Served<'a> {
    /// What was uploaded.
    pub(super) fn original(medium: &'a Medium) -> Self {
        Self {
            key: BlobKey::original(medium.id),
            content_type: &medium.content_type,
            filename: &medium.filename,
            inline: matches!(medium.media_type, MediaType::Image | MediaType::Video),
            bytes: medium.bytes,
            etag: format!("\"{}\"", medium.digest),
        }
    }

    /// Its smaller picture, if it has one.
    pub(super) fn thumbnail(medium: &'a Medium) -> Option<Self> {
        let thumbnail = medium.thumbnail.as_ref()?;
        Some(Self {
            key: BlobKey::thumbnail(medium.id),
            content_type: &thumbnail.content_type,
            filename: if thumbnail.content_type == "image/webp" { "thumbnail.webp" } else { "thumbnail.jpg" },
            inline: true,
            bytes: thumbnail.bytes,
            etag: format!("\"{}-512\"", medium.digest),
        })
    }
}

/// The headers of a request that matter here, each with its repetitions joined by `, `.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// `Range`; to be left out for any method but GET.
    pub(super) range: Option<&'a str>,
    /// `If-None-Match`.
    pub(super) if_none_match: Option<&'a str>,
    /// `If-Range`.
    pub(super) if_range: Option<&'a str>,
}

/// The answer, but for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// 200, 206, 304 or 416.
    pub(super) status: u16,
    /// Names in lower case, and values in visible ASCII.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Which blob they are of.
    pub(super) key: BlobKey,
    body: Option<Range<u64>>,
}

impl Outgoing {
    /// Decides what to answer.
    pub(super) fn decide(served: &Served<'_>, asked: &Asked<'_>) -> Self {
        let mut headers = vec![
            ("etag", served.etag.clone()),
            // Nothing changes under an id; a conversation's media are no business of shared caches.
            ("cache-control", "private, max-age=31536000, immutable".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("content-security-policy", "default-src 'none'; sandbox".to_owned()),
            ("cross-origin-resource-policy", "cross-origin".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
        ];
        if asked.if_none_match.is_some_and(|tags| conditions::none_match_fails(tags, &served.etag)) {
            return Self { status: 304, headers, key: served.key, body: None };
        }
        headers.push(("accept-ranges", "bytes".to_owned()));
        let current = asked.if_range.is_none_or(|tag| conditions::is_current(tag, &served.etag));
        let range = asked.range.filter(|_| current).map_or(RangeAsked::Whole, |range| parse_range(range, served.bytes));
        let (status, body) = match range {
            RangeAsked::Whole => (200, 0..served.bytes),
            RangeAsked::Part(part) => {
                let (first, last) = (part.start, part.end.saturating_sub(1));
                headers.push(("content-range", format!("bytes {first}-{last}/{}", served.bytes)));
                (206, part)
            }
            RangeAsked::Unsatisfiable => {
                headers.push(("content-range", format!("bytes */{}", served.bytes)));
                return Self { status: 416, headers, key: served.key, body: None };
            }
        };
        headers.push(("content-length", (body.end - body.start).to_string()));
        headers.push(("content-type", served.content_type.to_owned()));
        headers.push(("content-disposition", content_disposition(served.filename, served.inline)));
        Self { status, headers, key: served.key, body: Some(body) }
    }

    /// The bytes that belong to the answer, if any do (not for HEAD: leave them unsent).
    pub(super) fn bytes(&self) -> Option<Range<u64>> {
        self.body.clone()
    }
}

#[cfg(test)]
mod tests;
