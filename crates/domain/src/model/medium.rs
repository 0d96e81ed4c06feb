//! An uploaded medium, as it was found to be when it came in: its type is read from the content, never
//! from what the uploader claimed. The bytes are kept by the `Blobs` port under the medium's id.

use super::{MediaLink, MediaType, MediumId, Timestamp, UserId};

/// Everything that is known of a medium apart from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// Its id; in every link to it, and hard to guess.
    pub id: MediumId,
    /// Who uploaded it.
    pub uploader: UserId,
    /// What clients show it as.
    pub media_type: MediaType,
    /// A short name of the format: `jpeg`, `mp4`, `pdf` …
    pub format: String,
    /// The type to serve it with, a MIME type.
    pub content_type: String,
    /// The cleaned name: 1 to 200 bytes, an extension that fits the content, safe in a header when quoted.
    pub filename: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of the bytes in lower-case hex; the content never changes under an id.
    pub digest: String,
    /// Width and height in pixels as shown (with the orientation applied), for images.
    pub dimensions: Option<Dimensions>,
    /// The smaller picture, if there is one.
    pub thumbnail: Option<Thumbnail>,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
}

/// Width and height in pixels, both above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dimensions {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// A smaller picture of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The type to serve it with, a MIME type.
    pub content_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its width and height.
    pub dimensions: Dimensions,
}

impl Medium {
    /// The path of the medium behind `prefix` (`/media/`): its id, then its name, percent-encoded.
    pub fn url(&self, prefix: &str) -> String {
        format!("{prefix}{}/{}", self.id, percent_encoded(&self.filename))
    }

    /// The path of the thumbnail behind `prefix`, if there is one. It has a segment more than any medium's
    /// path, so no name of a medium can stand for it.
    pub fn thumbnail_url(&self, prefix: &str) -> Option<String> {
        let extension = if self.thumbnail.as_ref()?.content_type == "image/webp" { "webp" } else { "jpg" };
        Some(format!("{prefix}{}/thumbnail/512.{extension}", self.id))
    }

    /// The link that a message carries.
    pub fn link(&self, prefix: &str) -> MediaLink {
        MediaLink {
            url: self.url(prefix),
            media_type: self.media_type,
            filename: Some(self.filename.clone()),
            size: Some(self.bytes),
            thumbnail_url: self.thumbnail_url(prefix),
        }
    }
}

/// `text` for one segment of a path: all but RFC 3986's unreserved characters are escaped.
fn percent_encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::messages::check_link;

    fn medium(filename: &str, thumbnail: Option<&str>) -> Medium {
        Medium {
            id: MediumId::from_bytes([0xab; 12]),
            uploader: "u".parse().unwrap(),
            media_type: MediaType::Image,
            format: "png".into(),
            content_type: "image/png".into(),
            filename: filename.into(),
            bytes: 7,
            digest: "00".repeat(32),
            dimensions: None,
            thumbnail: thumbnail.map(|content_type| Thumbnail {
                content_type: content_type.into(),
                bytes: 1,
                dimensions: Dimensions { width: 1, height: 1 },
            }),
            uploaded_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn links_are_encoded_and_pass_the_check_of_links() {
        let medium = medium("Grüße & 1 50%.png", Some("image/jpeg"));
        let link = medium.link("/media/");
        assert_eq!(link.url, "/media/abababababababababababab/Gr%C3%BC%C3%9Fe%20%26%201%2050%25.png");
        assert_eq!(link.thumbnail_url.as_deref(), Some("/media/abababababababababababab/thumbnail/512.jpg"));
        assert_eq!(check_link(&link.url, "media", "/media/"), Ok(()));
    }

    #[test]
    fn no_thumbnail_no_link_to_it() {
        assert_eq!(medium("a.png", None).thumbnail_url("/media/"), None);
        assert!(medium("a.png", Some("image/webp")).thumbnail_url("/m/").unwrap().ends_with("/512.webp"));
    }
}
