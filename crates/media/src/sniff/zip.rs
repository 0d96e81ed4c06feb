//! Zip archives and what is built on them. Office documents are told by the names of their entries, which
//! may come late; programs in zips (Java, Android) by the entries that they must begin with.

use super::format::Format;
use super::refusal::Refusal;

const ENTRY: &[u8] = b"PK\x03\x04";
const NAME_AT: usize = 30;
/// The longest beginning of a name that matters.
const NAME_BYTES: usize = 24;
/// What a chunk's end may hold of an entry's beginning.
const WINDOW: usize = NAME_AT + NAME_BYTES;
/// Entries of these folders make the document.
const OOXML: [(&[u8], Format); 3] = [(b"word/", Format::Docx), (b"xl/", Format::Xlsx), (b"ppt/", Format::Pptx)];

/// What is known of an archive so far.
#[derive(Debug)]
pub(super) struct ZipWalk {
    format: Format,
    /// It is an office document whose kind is still to be seen.
    undecided: bool,
    carried: Vec<u8>,
}

impl ZipWalk {
    /// Judges an archive by its beginning.
    pub(super) fn begin(head: &[u8]) -> Result<Self, Refusal> {
        let names = entries(head);
        let first = names.first().map_or(&[][..], |name| name);
        if first.starts_with(b"mimetype") {
            return open_document(head).map(|format| Self { format, undecided: false, carried: Vec::new() });
        }
        let has = |entry: &[u8]| names.iter().any(|name| name.starts_with(entry));
        if has(b"AndroidManifest.xml") || has(b"classes.dex") {
            return Err(Refusal::unsupported("application/vnd.android.package-archive"));
        }
        if has(b"META-INF/MANIFEST.MF") || has(b"META-INF/") && first.starts_with(b"META-INF/") {
            return Err(Refusal::unsupported("application/java-archive"));
        }
        let undecided = has(b"[Content_Types].xml") || has(b"_rels/.rels");
        Ok(Self { format: Format::Zip, undecided, carried: Vec::new() })
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        if !self.undecided {
            return;
        }
        self.carried.extend_from_slice(chunk);
        let decided = entries(&self.carried)
            .iter()
            .find_map(|name| OOXML.iter().find(|(folder, _)| name.starts_with(folder)).map(|(_, format)| *format));
        if let Some(format) = decided {
            self.format = format;
            self.undecided = false;
            self.carried = Vec::new();
        } else {
            self.carried.drain(..self.carried.len().saturating_sub(WINDOW));
        }
    }

    /// What it is.
    pub(super) fn format(&self) -> Format {
        self.format
    }
}

/// The (beginnings of) names of the entries that begin in `bytes`.
fn entries(bytes: &[u8]) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(ENTRY.len()).position(|window| window == ENTRY) {
        let entry = &rest[at..];
        let length = entry.get(26..28).map_or(0, |length| usize::from(u16::from_le_bytes([length[0], length[1]])));
        if let Some(name) = entry.get(NAME_AT..).and_then(|names| names.get(..length.min(NAME_BYTES))) {
            names.push(name);
        }
        rest = &entry[ENTRY.len()..];
    }
    names
}

/// `OpenDocument` says its type in its first entry, uncompressed.
fn open_document(head: &[u8]) -> Result<Format, Refusal> {
    const TYPE_AT: usize = NAME_AT + 8;
    let extra = head.get(28..30).map_or(0, |length| usize::from(u16::from_le_bytes([length[0], length[1]])));
    let text = head.get(TYPE_AT + extra..).unwrap_or_default();
    let end = text.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or(text.len());
    let kind = String::from_utf8_lossy(&text[..end.min(80)]);
    // The next entry's signature follows without a gap.
    let kind = kind.strip_suffix("PK").unwrap_or(&kind);
    [Format::Odt, Format::Ods, Format::Odp].into_iter().find(|format| format.content_type() == kind).ok_or_else(|| {
        Refusal::unsupported(if kind.is_empty() { "application/zip".to_owned() } else { kind.to_owned() })
    })
}
