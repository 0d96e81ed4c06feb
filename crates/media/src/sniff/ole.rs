//! Office documents before 2007: a small file system, shared with installers and mail. Its directory, somewhere
//! in the file, says whose it is; only the office's pass. Holds one sector's worth of directory.

use super::format::Format;
use super::refusal::Refusal;

const KIND: &str = "application/x-ole-storage";
/// Four entries of 128 bytes: what every sector size has at least.
const DIRECTORY_BYTES: usize = 512;
const ENTRY_BYTES: usize = 128;
const CLASS_AT: usize = 80;

/// What is known of a document so far.
#[derive(Debug)]
pub(super) struct OleWalk {
    skip: u64,
    directory: Vec<u8>,
}

impl OleWalk {
    /// Finds where the directory is.
    pub(super) fn begin(head: &[u8]) -> Result<Self, Refusal> {
        let refused = || Refusal::unsupported(KIND);
        let shift = head.get(30..32).map(|it| u16::from_le_bytes([it[0], it[1]])).ok_or_else(refused)?;
        let sector = head.get(48..52).and_then(|it| it.try_into().ok()).map(u32::from_le_bytes).ok_or_else(refused)?;
        if !matches!(shift, 9 | 12) {
            return Err(refused());
        }
        Ok(Self { skip: (u64::from(sector) + 1) << shift, directory: Vec::new() })
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let step = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        self.skip -= step as u64;
        let wanted = DIRECTORY_BYTES - self.directory.len();
        self.directory.extend(chunk[step..].iter().take(wanted));
    }

    /// What it is.
    pub(super) fn finish(&self) -> Result<Format, Refusal> {
        let class = self.directory.get(CLASS_AT..CLASS_AT + 4).unwrap_or_default();
        let by_class = match class {
            [0x06 | 0x00, 0x09, 0x02, 0x00] => Some(Format::Doc),
            [0x10 | 0x20, 0x08, 0x02, 0x00] => Some(Format::Xls),
            [0x10, 0x8d, 0x81, 0x64] => Some(Format::Ppt),
            [0x84, 0x10, 0x0c, 0x00] => return Err(Refusal::unsupported("application/x-msi")),
            _ => None,
        };
        by_class
            .or_else(|| self.directory.chunks(ENTRY_BYTES).find_map(by_name))
            .ok_or_else(|| Refusal::unsupported(KIND))
    }
}

fn by_name(entry: &[u8]) -> Option<Format> {
    let names = [
        ("WordDocument", Format::Doc),
        ("Workbook", Format::Xls),
        ("Book", Format::Xls),
        ("PowerPoint Document", Format::Ppt),
    ];
    let name: String = entry
        .chunks_exact(2)
        .take(32)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .take_while(|unit| *unit != 0)
        .filter_map(|unit| char::from_u32(unit.into()))
        .collect();
    names.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
}
