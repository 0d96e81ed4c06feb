//! Markup that a browser or an interpreter could act on: what a text may not begin with, and what has no
//! business inside a picture.

/// Markup that is refused anywhere in the head of a text, as old browsers look for it beyond the beginning.
const IN_TEXT: [(&[u8], &str); 16] = [
    (b"<!doctype", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<title", "text/html"),
    (b"<script", "text/html"),
    (b"<iframe", "text/html"),
    (b"<object", "text/html"),
    (b"<embed", "text/html"),
    (b"<meta", "text/html"),
    (b"<link", "text/html"),
    (b"<style", "text/html"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "text/xml"),
    (b"<xsl:", "text/xml"),
    (b"<?php", "application/x-httpd-php"),
];

/// Markup that is refused anywhere in a picture. Long enough that compressed data does not hold it by chance:
/// once in some million pictures of 20 MiB.
const IN_PICTURES: [&[u8]; 7] = [b"<script", b"<!doctype", b"<iframe", b"<html>", b"<html ", b"<?php ", b"<?php\n"];

/// The longest of [`IN_PICTURES`] less one: what the end of a chunk may hold of it.
const CARRY: usize = 8;

/// The markup that a text would be taken for, if any: by its beginning, or by tags in `head`.
pub(super) fn in_text(head: &[u8]) -> Option<&'static str> {
    let tag = find(head, &IN_TEXT.map(|(tag, _)| tag)).map(|index| match IN_TEXT[index].1 {
        // Say what the XML is, where that is known.
        "text/xml" if find(head, &[b"<svg"]).is_some() => "image/svg+xml",
        found => found,
    });
    let begins = head.trim_ascii_start();
    let opens = begins.first() == Some(&b'<')
        && begins.get(1).is_some_and(|next| next.is_ascii_alphabetic() || b"!?/%".contains(next));
    let runs = head.starts_with(b"#!").then_some("text/x-shellscript");
    let prints = head.starts_with(b"%!PS").then_some("application/postscript");
    // RTF carries objects that its readers run.
    let rich = begins.starts_with(br"{\rtf").then_some("application/rtf");
    tag.or(opens.then_some("text/html")).or(runs).or(prints).or(rich)
}

/// Looks for markup in a picture as it streams by.
#[derive(Debug, Default)]
pub(super) struct PictureWatch {
    carried: Vec<u8>,
}

impl PictureWatch {
    /// Whether the picture so far holds markup that begins or ends in `chunk`.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> bool {
        let mut seam = std::mem::take(&mut self.carried);
        seam.extend_from_slice(&chunk[..chunk.len().min(CARRY)]);
        let found = find(&seam, &IN_PICTURES).is_some() || find(chunk, &IN_PICTURES).is_some();
        // A chunk shorter than the carry must not push out what came before it.
        let last = if chunk.len() >= CARRY { chunk } else { &seam };
        self.carried = last[last.len().saturating_sub(CARRY)..].to_vec();
        found
    }
}

/// The first of `needles` (lower case, beginning with `<`) that is somewhere in `hay`, in any case.
fn find(hay: &[u8], needles: &[&[u8]]) -> Option<usize> {
    let opens = hay.iter().enumerate().filter(|(_, byte)| **byte == b'<');
    opens.map(|(at, _)| &hay[at..]).find_map(|rest| {
        needles.iter().position(|needle| rest.get(..needle.len()).is_some_and(|it| it.eq_ignore_ascii_case(needle)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_found_however_it_is_cut() {
        let picture = b"GIF89a....................<ScRiPt>alert(1)</script>..........";
        for size in 1..picture.len() {
            let mut watch = PictureWatch::default();
            assert!(picture.chunks(size).any(|chunk| watch.feed(chunk)), "{size}");
        }
        let harmless = b"GIF89a <scrip <doctype <xmp:CreatorTool> ............ ipt>";
        for size in 1..harmless.len() {
            let mut watch = PictureWatch::default();
            assert!(!harmless.chunks(size).any(|chunk| watch.feed(chunk)), "{size}");
        }
    }

    #[test]
    fn plain_comparisons_are_not_markup() {
        assert_eq!(in_text(b"if a < b and b <c then"), None);
        assert_eq!(in_text(b"< 5 kg"), None);
        assert_eq!(in_text(b"  <b>bold</b>"), Some("text/html"));
    }
}
