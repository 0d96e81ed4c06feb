//! `WebM`: walks EBML elements as they stream by, up to the first cluster of frames: the document's type and
//! each track's kind come before it. Holds a few bytes.

const DOC_TYPE: u32 = 0x4282;
const TRACK_TYPE: u32 = 0x83;
const CLUSTER: u32 = 0x1F43_B675;
/// EBML header, segment, tracks, one track: elements to look into.
const INTO: [u32; 4] = [0x1A45_DFA3, 0x1853_8067, 0x1654_AE6B, 0xAE];
/// The longest value that is read.
const MAX_VALUE: u64 = 32;
const MAX_ELEMENTS: u32 = 100_000;

/// What is known of a file so far.
#[derive(Debug, Default)]
pub(super) struct ElementWalk {
    header: Vec<u8>,
    skip: u64,
    elements: u32,
    over: bool,
    doc_type: Vec<u8>,
    /// Whether a track of pictures was met.
    pub(super) video: bool,
    /// Whether a track of sound was met.
    pub(super) audio: bool,
}

impl ElementWalk {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() && !self.over {
            if self.skip > 0 {
                let step = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
                self.skip -= step as u64;
                chunk = &chunk[step..];
                continue;
            }
            self.header.push(chunk[0]);
            chunk = &chunk[1..];
            self.step();
        }
    }

    /// Whether it calls itself `WebM` (and not plain Matroska).
    pub(super) fn is_webm(&self) -> bool {
        self.doc_type == b"webm"
    }

    /// Acts as soon as the header and, where it matters, the value are complete.
    fn step(&mut self) {
        let Some((id, id_length)) = id(&self.header) else { return self.stop_if(self.header.len() >= 4) };
        let Some((size, size_length)) = size(&self.header[id_length..]) else {
            return self.stop_if(self.header.len() >= id_length + 8);
        };
        let value = id_length + size_length;
        if id == CLUSTER {
            self.over = true;
        } else if INTO.contains(&id) {
            self.next();
        } else if id == DOC_TYPE || id == TRACK_TYPE {
            let Some(size) = size.filter(|size| *size <= MAX_VALUE) else { return self.stop_if(true) };
            if (self.header.len() - value) as u64 == size {
                self.take_value(id, value);
                self.next();
            }
        } else if let Some(size) = size {
            self.next();
            self.skip = size;
        } else {
            self.over = true;
        }
    }

    fn take_value(&mut self, id: u32, at: usize) {
        let value = &self.header[at..];
        if id == DOC_TYPE {
            self.doc_type = value.iter().copied().take_while(|byte| *byte != 0).collect();
        } else {
            match value {
                [leading @ .., 1] if leading.iter().all(|byte| *byte == 0) => self.video = true,
                [leading @ .., 2] if leading.iter().all(|byte| *byte == 0) => self.audio = true,
                _ => {}
            }
        }
    }

    fn next(&mut self) {
        self.header.clear();
        self.elements += 1;
        self.over = self.elements > MAX_ELEMENTS;
    }

    fn stop_if(&mut self, broken: bool) {
        self.over |= broken;
    }
}

/// An element's id (with its length marker) and how many bytes it takes; `None` while it is not complete.
fn id(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = usize::try_from(bytes.first()?.leading_zeros()).ok()? + 1;
    let id = bytes.get(..length).filter(|_| length <= 4)?;
    Some((id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), length))
}

/// An element's size (`None` inside: unknown, until its parent ends) and how many bytes it takes.
fn size(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let length = usize::try_from(bytes.first()?.leading_zeros()).ok()? + 1;
    let coded = bytes.get(..length).filter(|_| length <= 8)?;
    let all = coded.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    let mask = (1_u64 << (7 * length)) - 1;
    Some(((all & mask != mask).then_some(all & mask), length))
}
