//! MP4 and `QuickTime`: walks the boxes as they stream by, down to what kind each track is. The index may come
//! last, so the verdict does too. Holds a few bytes.

/// Boxes to look into, from the file down to a track's kind.
const INTO: [&[u8]; 3] = [b"moov", b"trak", b"mdia"];
/// So many boxes (outside those that are skipped whole) no real film has; walking on would be our work only.
const MAX_BOXES: u32 = 100_000;

/// What is known of a film so far.
#[derive(Debug, Default)]
pub(super) struct BoxWalk {
    header: Vec<u8>,
    skip: u64,
    boxes: u32,
    over: bool,
    /// Whether a track of pictures was met.
    pub(super) video: bool,
    /// Whether a track of sound was met.
    pub(super) audio: bool,
}

impl BoxWalk {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() && !self.over {
            if self.skip > 0 {
                let step = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
                self.skip -= step as u64;
                chunk = &chunk[step..];
                continue;
            }
            let missing = self.wanted().saturating_sub(self.header.len()).min(chunk.len());
            let (taken, rest) = chunk.split_at(missing);
            self.header.extend_from_slice(taken);
            chunk = rest;
            if self.header.len() >= self.wanted() {
                self.take_box();
            }
        }
    }

    /// How much of a box's beginning must be there to go on.
    fn wanted(&self) -> usize {
        let Some((size, kind)) = self.header.split_first_chunk::<4>() else { return 8 };
        let base = if u32::from_be_bytes(*size) == 1 { 16 } else { 8 };
        // A track's kind is 12 bytes into its handler box.
        if kind.starts_with(b"hdlr") { base + 12 } else { base }
    }

    fn take_box(&mut self) {
        let header = std::mem::take(&mut self.header);
        self.boxes += 1;
        let (Some(size), Some(kind)) = (header.first_chunk::<4>(), header.get(4..8)) else { return };
        let large = header.get(8..16).and_then(|size| size.try_into().ok()).map(u64::from_be_bytes);
        let (size, base) = match u32::from_be_bytes(*size) {
            // To the end of the file.
            0 => (u64::MAX, 8),
            1 => (large.unwrap_or(0), 16),
            size => (size.into(), 8),
        };
        if kind == b"hdlr" {
            match header.get(base + 8..base + 12) {
                Some(b"vide") => self.video = true,
                Some(b"soun") => self.audio = true,
                _ => {}
            }
        }
        let read = if INTO.contains(&kind) { base } else { header.len() };
        let broken = size < read as u64 || !kind.iter().all(|byte| matches!(byte, 0x20..=0x7e | 0xa9));
        if broken || self.boxes > MAX_BOXES {
            self.over = true;
        } else if !INTO.contains(&kind) {
            self.skip = size - read as u64;
        }
    }
}
