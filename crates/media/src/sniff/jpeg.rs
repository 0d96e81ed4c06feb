//! Walks the segments of a JPEG as it streams by, up to its picture data: its frame says the size, its Exif
//! segment the orientation. Holds at most one segment (64 KiB).

use image::metadata::Orientation;
use parlance_domain::model::Dimensions;

const EXIF: &[u8] = b"Exif\0\0";

/// What is known of a JPEG so far.
#[derive(Debug)]
pub(super) struct JpegWalk {
    state: State,
    segment: Vec<u8>,
    size: Option<Dimensions>,
    turned: bool,
    progressive: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The two bytes that every JPEG begins with are to be skipped.
    Start(u8),
    /// A marker's 0xFF is due.
    Marker,
    /// Fill bytes or the marker's code are due.
    Code,
    /// The length's first or second byte is due.
    Length(u8, Option<u8>),
    /// This many bytes of the segment are due.
    Body(u8, u16),
    /// Picture data has begun, or it is no JPEG.
    Over,
}

impl JpegWalk {
    pub(super) fn new() -> Self {
        Self { state: State::Start(2), segment: Vec::new(), size: None, turned: false, progressive: false }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut chunk: &[u8]) {
        while let Some((&byte, rest)) = chunk.split_first() {
            self.state = match self.state {
                State::Over => return,
                State::Body(code, left) => {
                    let (taken, rest) = chunk.split_at(usize::from(left).min(chunk.len()));
                    if keeps(code) {
                        self.segment.extend_from_slice(taken);
                    }
                    chunk = rest;
                    let left = left.saturating_sub(u16::try_from(taken.len()).unwrap_or(u16::MAX));
                    self.state = if left > 0 { State::Body(code, left) } else { self.close(code) };
                    continue;
                }
                State::Start(left) if left > 1 => State::Start(left - 1),
                State::Start(_) => State::Marker,
                State::Marker if byte == 0xff => State::Code,
                State::Marker => State::Over,
                State::Code => match byte {
                    0xff => State::Code,
                    0x01 | 0xd0..=0xd7 => State::Marker,
                    0x00 | 0xd8 | 0xd9 | 0xda => State::Over,
                    code => State::Length(code, None),
                },
                State::Length(code, None) => State::Length(code, Some(byte)),
                State::Length(code, Some(high)) => match u16::from_be_bytes([high, byte]) {
                    0 | 1 => State::Over,
                    2 => State::Marker,
                    length => State::Body(code, length - 2),
                },
            };
            chunk = rest;
        }
    }

    fn close(&mut self, code: u8) -> State {
        let segment = std::mem::take(&mut self.segment);
        if code == 0xe1 {
            if let Some(orientation) = segment.strip_prefix(EXIF).and_then(Orientation::from_exif_chunk) {
                self.turned = swaps(orientation);
            }
        } else if is_frame(code)
            && let [_, h1, h2, w1, w2, ..] = segment[..]
        {
            let (width, height) = (u16::from_be_bytes([w1, w2]).into(), u16::from_be_bytes([h1, h2]).into());
            self.progressive = code & 3 == 2;
            self.size = (width > 0 && height > 0).then_some(Dimensions { width, height });
        }
        State::Marker
    }

    /// The size as shown; `None` if no frame says one.
    pub(super) fn size(&self) -> Option<Dimensions> {
        let size = self.size?;
        Some(if self.turned { Dimensions { width: size.height, height: size.width } } else { size })
    }
}

/// Whether a JPEG comes in ever finer passes, for which a decoder holds all of it several times.
pub(crate) fn is_progressive(jpeg: &[u8]) -> bool {
    let mut walk = JpegWalk::new();
    walk.feed(jpeg);
    walk.progressive
}

/// Whether an orientation lays the picture on its side.
pub(crate) fn swaps(orientation: Orientation) -> bool {
    orientation.to_exif() >= 5
}

const fn is_frame(code: u8) -> bool {
    matches!(code, 0xc0..=0xcf) && !matches!(code, 0xc4 | 0xc8 | 0xcc)
}

const fn keeps(code: u8) -> bool {
    code == 0xe1 || is_frame(code)
}
