//! Small contents of every kind, made here byte by byte or by an encoder.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "kinds of boxes are written as byte strings, which are references"
)]

use std::io::Cursor;

use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

/// A picture whose left half is red and right half blue, in a format.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture =
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) });
    encoded(&picture.into(), format)
}

/// A PNG that one can look through.
pub(crate) fn transparent(width: u32, height: u32) -> Vec<u8> {
    encoded(&RgbaImage::from_pixel(width, height, Rgba([0, 200, 0, 90])).into(), ImageFormat::Png)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// A PNG that lies on its side, as its Exif chunk says.
pub(crate) fn turned_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec()).unwrap();
    RgbImage::new(width, height).write_with_encoder(encoder).unwrap();
    bytes
}

/// `jpeg` with an Exif segment that turns it and says where it was taken.
pub(crate) fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    tiff.extend(orientation.to_be_bytes());
    tiff.extend(b"\0\0\0\0\0\0GPSLatitude 52.5200");
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend(segment(0xe1, &[b"Exif\0\0", &tiff[..]].concat()));
    bytes.extend(&jpeg[2..]);
    bytes
}

/// A JPEG segment.
pub(crate) fn segment(code: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, code], &length[..], body].concat()
}

/// The beginning of a PNG of any size: all that its header says, and no picture.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// A box of MP4.
pub(crate) fn mp4_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
    [&size[..], kind, body].concat()
}

/// An MP4 of a brand with tracks of these kinds, its index first or last.
pub(crate) fn mp4(brand: &[u8; 4], tracks: &[&[u8; 4]], index_last: bool) -> Vec<u8> {
    let track = |kind: &&[u8; 4]| {
        let handler = mp4_box(b"hdlr", &[&[0; 8], &kind[..], &[0; 13]].concat());
        mp4_box(b"trak", &[mp4_box(b"tkhd", &[0; 84]), mp4_box(b"mdia", &handler)].concat())
    };
    let tracks: Vec<u8> = tracks.iter().flat_map(track).collect();
    let index = mp4_box(b"moov", &[mp4_box(b"mvhd", &[0; 100]), tracks].concat());
    let data = mp4_box(b"mdat", &vec![0xaa; 40_000]);
    let brand = mp4_box(b"ftyp", &[&brand[..], &[0, 0, 2, 0], b"isom"].concat());
    if index_last { [brand, data, index].concat() } else { [brand, index, data].concat() }
}

/// An element of EBML with an id of any length.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap() | 0x1000_0000;
    [id, &size.to_be_bytes(), body].concat()
}

/// A Matroska file with tracks of these kinds; the segment's size is unknown, as of a live recording.
pub(crate) fn matroska(doc_type: &[u8], tracks: &[u8]) -> Vec<u8> {
    let entry = |kind: &u8| element(&[0xae], &[element(&[0xd7], &[1]), element(&[0x83], &[*kind])].concat());
    let tracks: Vec<u8> = tracks.iter().flat_map(entry).collect();
    let mut bytes =
        element(b"\x1a\x45\xdf\xa3", &[element(b"\x42\x86", &[1]), element(b"\x42\x82", doc_type)].concat());
    bytes.extend(b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff");
    bytes.extend(element(b"\x15\x49\xa9\x66", &[0; 300]));
    bytes.extend(element(b"\x16\x54\xae\x6b", &tracks));
    bytes.extend(element(b"\x1f\x43\xb6\x75", &[0; 5000]));
    bytes
}

/// A zip of uncompressed entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, body) in entries {
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        bytes.extend(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend([size, size].concat());
        bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(*body);
    }
    bytes.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    bytes
}

/// An office document of before 2007: its directory in the third sector, with a root of this class and an entry.
pub(crate) fn ole(class: [u8; 4], entry: &str) -> Vec<u8> {
    let mut bytes = vec![0; 512 * 8];
    bytes[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    bytes[30] = 9;
    bytes[48] = 2;
    let directory = 512 * 3;
    for (at, unit) in "Root Entry".encode_utf16().enumerate() {
        bytes[directory + 2 * at..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    bytes[directory + 80..][..4].copy_from_slice(&class);
    for (at, unit) in entry.encode_utf16().enumerate() {
        bytes[directory + 128 + 2 * at..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    bytes
}

/// An AVI with one stream of a kind.
pub(crate) fn avi(kind: &[u8; 4]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\x10\0\0AVI LIST\xc0\0\0\0hdrlavih\x38\0\0\0".to_vec();
    bytes.extend([0; 0x38]);
    bytes.extend(b"LIST\x74\0\0\0strlstrh\x38\0\0\0");
    bytes.extend(kind);
    bytes.extend([0; 4000]);
    bytes
}

/// An Ogg page with this in it.
pub(crate) fn ogg(packet: &[u8]) -> Vec<u8> {
    [b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x1e", packet, &[0; 100]].concat()
}
