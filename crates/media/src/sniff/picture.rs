//! Pictures: what a PNG, GIF or WebP says of its size at its beginning, and enough of its build that a forged
//! signature in front of something else does not pass. JPEG, whose size comes late, is in `jpeg`.

use parlance_domain::model::Dimensions;

/// The size in a PNG's first chunk.
pub(super) fn png(head: &[u8]) -> Option<Dimensions> {
    let body = head.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    dimensions(be32(body, 0)?, be32(body, 4)?)
}

/// The size of a GIF's screen, if a block of GIF follows where one must.
pub(super) fn gif(head: &[u8]) -> Option<Dimensions> {
    let body = head.strip_prefix(b"GIF87a").or_else(|| head.strip_prefix(b"GIF89a"))?;
    let flags = *body.get(4)?;
    let colours = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let block = body.get(7 + colours)?;
    if !matches!(block, 0x21 | 0x2c | 0x3b) {
        return None;
    }
    dimensions(le16(body, 0)?, le16(body, 2)?)
}

/// The size of a WebP's canvas.
pub(super) fn webp(head: &[u8]) -> Option<Dimensions> {
    let chunk = head.get(12..)?;
    let body = chunk.get(8..)?;
    match chunk.get(..4)? {
        b"VP8X" => dimensions(le24(body, 4)? + 1, le24(body, 7)? + 1),
        b"VP8L" if body.first() == Some(&0x2f) => {
            let bits = u32::from_le_bytes(body.get(1..5)?.try_into().ok()?);
            dimensions((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)
        }
        b"VP8 " if body.get(3..6) == Some(&[0x9d, 0x01, 0x2a]) => {
            dimensions(le16(body, 6)? & 0x3fff, le16(body, 8)? & 0x3fff)
        }
        _ => None,
    }
}

fn dimensions(width: u32, height: u32) -> Option<Dimensions> {
    (width > 0 && height > 0).then_some(Dimensions { width, height })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 3)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
}
