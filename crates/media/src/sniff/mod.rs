//! What a content really is, found from its bytes alone as they stream by: names and claimed types are never
//! asked. [`Sniffer::begin`] refuses what the head gives away, `feed` what shows later, `finish` the rest.
//! Nothing here holds more than 64 KiB, and no bytes make it panic.

mod format;
mod jpeg;
mod markup;
mod mp4;
mod ole;
mod picture;
mod refusal;
mod text;
mod webm;
mod zip;

use parlance_domain::model::Dimensions;

pub use format::Format;
pub(crate) use jpeg::{is_progressive, swaps};
pub use refusal::Refusal;

/// How much of the beginning [`Sniffer::begin`] wants to see, unless the content is shorter.
pub const HEAD_BYTES: usize = 16 * 1024;
/// How far into a text markup is looked for; browsers look at 1.5 KiB.
const TEXT_MARKUP_BYTES: usize = 4 * 1024;

/// What a content was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its format.
    pub format: Format,
    /// Its size as shown, if it is an image.
    pub dimensions: Option<Dimensions>,
}

/// Watches one content go by.
#[derive(Debug)]
pub struct Sniffer(Watch);

#[derive(Debug)]
enum Watch {
    Decided(Format),
    Jpeg(jpeg::JpegWalk, markup::PictureWatch),
    Picture(Found, markup::PictureWatch),
    Film(Format, mp4::BoxWalk),
    Webm(webm::ElementWalk),
    Text(text::TextWatch),
    Zip(zip::ZipWalk),
    Ole(ole::OleWalk),
}

impl Sniffer {
    /// Looks at the first [`HEAD_BYTES`] of a content (or all of it). They must be fed afterwards, too.
    ///
    /// # Errors
    /// What the head gives away.
    pub fn begin(head: &[u8]) -> Result<Self, Refusal> {
        let picture = |format, dimensions: Option<Dimensions>| match dimensions {
            Some(_) => Ok(Watch::Picture(Found { format, dimensions }, markup::PictureWatch::default())),
            None => Err(Refusal::unsupported(format!("{} that is damaged", format.content_type()))),
        };
        let watch = match head {
            [0xff, 0xd8, 0xff, ..] => Watch::Jpeg(jpeg::JpegWalk::new(), markup::PictureWatch::default()),
            [0x89, b'P', b'N', b'G', ..] => picture(Format::Png, picture::png(head))?,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => picture(Format::Gif, picture::gif(head))?,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                picture(Format::Webp, picture::webp(head))?
            }
            [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => avi(head)?,
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => film(brand)?,
            // Such files of before its brands.
            [0, _, _, _, b'm', b'o', b'o', b'v', ..]
            | [0..=2, _, _, _, b'm', b'd', b'a', b't', ..]
            | [0, 0, 0, 8, b'w', b'i', b'd', b'e', ..] => Watch::Film(Format::Mov, mp4::BoxWalk::default()),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Watch::Webm(webm::ElementWalk::default()),
            [b'O', b'g', b'g', b'S', ..] => return Err(ogg(head)),
            [b'%', b'P', b'D', b'F', b'-', b'0'..=b'9', ..] => Watch::Decided(Format::Pdf),
            [b'P', b'K', 3, 4, ..] => Watch::Zip(zip::ZipWalk::begin(head)?),
            // Without a single entry.
            [b'P', b'K', 5, 6, ..] => Watch::Decided(Format::Zip),
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Watch::Ole(ole::OleWalk::begin(head)?),
            _ => text_or_refused(head)?,
        };
        Ok(Self(watch))
    }

    /// Takes the next bytes, the head's among them.
    ///
    /// # Errors
    /// What they give away; the content is not to be fed further.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        match &mut self.0 {
            Watch::Decided(_) => {}
            Watch::Jpeg(walk, watch) => {
                walk.feed(chunk);
                no_markup(watch, chunk, Format::Jpeg)?;
            }
            Watch::Picture(found, watch) => no_markup(watch, chunk, found.format)?,
            Watch::Film(_, walk) => walk.feed(chunk),
            Watch::Webm(walk) => walk.feed(chunk),
            Watch::Text(watch) => watch.feed(chunk)?,
            Watch::Zip(walk) => walk.feed(chunk),
            Watch::Ole(walk) => walk.feed(chunk),
        }
        Ok(())
    }

    /// The content is over: what is it?
    ///
    /// # Errors
    /// That it is nothing that may be uploaded.
    pub fn finish(self) -> Result<Found, Refusal> {
        let format = match self.0 {
            Watch::Decided(format) => format,
            Watch::Picture(found, _) => return Ok(found),
            Watch::Jpeg(walk, _) => {
                let dimensions = walk.size().ok_or_else(|| Refusal::unsupported("image/jpeg that is damaged"))?;
                return Ok(Found { format: Format::Jpeg, dimensions: Some(dimensions) });
            }
            Watch::Film(format, walk) => match (walk.video, walk.audio) {
                (true, _) => format,
                (false, true) => return Err(Refusal::audio("audio/mp4")),
                (false, false) => {
                    return Err(Refusal::unsupported(format!("{} without a film", format.content_type())));
                }
            },
            Watch::Webm(walk) => match (walk.is_webm(), walk.video, walk.audio) {
                (true, true, _) => Format::Webm,
                (webm, false, true) => {
                    return Err(Refusal::audio(if webm { "audio/webm" } else { "audio/x-matroska" }));
                }
                (true, false, false) => return Err(Refusal::unsupported("video/webm without a film")),
                (false, ..) => return Err(Refusal::unsupported("video/x-matroska")),
            },
            Watch::Text(watch) => watch.finish().map(|()| Format::Text)?,
            Watch::Zip(walk) => walk.format(),
            Watch::Ole(walk) => walk.finish()?,
        };
        Ok(Found { format, dimensions: None })
    }
}

fn no_markup(watch: &mut markup::PictureWatch, chunk: &[u8], format: Format) -> Result<(), Refusal> {
    if watch.feed(chunk) {
        return Err(Refusal::unsupported(format!("{} with markup inside", format.content_type())));
    }
    Ok(())
}

/// By the brand of an MP4, `QuickTime`, HEIF … file, what follows `ftyp`.
fn film(brand: &[u8]) -> Result<Watch, Refusal> {
    let watch = |format| Ok(Watch::Film(format, mp4::BoxWalk::default()));
    match brand.get(..4).unwrap_or_default() {
        b"M4A " | b"M4B " | b"M4P " | b"F4A " | b"F4B " => Err(Refusal::audio("audio/mp4")),
        b"qt  " => watch(Format::Mov),
        b"avif" | b"avis" => Err(Refusal::unsupported("image/avif")),
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Err(Refusal::unsupported("image/heic")),
        b"crx " => Err(Refusal::unsupported("image/x-canon-cr3")),
        b"jp2 " | b"jpx " | b"jpm " => Err(Refusal::unsupported("image/jp2")),
        [b'3', b'g', ..] => Err(Refusal::unsupported("video/3gpp")),
        _ => watch(Format::Mp4),
    }
}

fn avi(head: &[u8]) -> Result<Watch, Refusal> {
    let has_stream = |kind: &[u8; 4]| head.windows(12).any(|it| it.starts_with(b"strh") && it[8..12] == *kind);
    match (has_stream(b"vids"), has_stream(b"auds")) {
        (true, _) => Ok(Watch::Decided(Format::Avi)),
        (false, true) => Err(Refusal::audio("audio/x-msvideo")),
        (false, false) => Err(Refusal::unsupported("video/x-msvideo without a film")),
    }
}

fn ogg(head: &[u8]) -> Refusal {
    if head.windows(7).any(|window| window == b"\x80theora") {
        Refusal::unsupported("video/ogg")
    } else {
        Refusal::audio("audio/ogg")
    }
}

/// Anything without a signature of ours: text, or something that is only named to be refused.
fn text_or_refused(head: &[u8]) -> Result<Watch, Refusal> {
    let mut watch = text::TextWatch::default();
    // Text first: letters such as `MZ` or `BM` at the beginning of a text are other formats' signatures.
    if watch.feed(head).is_ok() {
        let begins = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let begins = &begins[..begins.len().min(TEXT_MARKUP_BYTES)];
        return match markup::in_text(begins) {
            Some(found) => Err(Refusal::unsupported(found)),
            None => Ok(Watch::Text(text::TextWatch::default())),
        };
    }
    if head.starts_with(b"#!AMR") || head.starts_with(b"caff") || head.starts_with(b".snd") {
        return Err(Refusal::audio("audio"));
    }
    Err(match infer::get(head) {
        Some(kind) if kind.matcher_type() == infer::MatcherType::Audio => Refusal::audio(kind.mime_type()),
        Some(kind) => Refusal::unsupported(kind.mime_type()),
        None => Refusal::unsupported(text::BINARY),
    })
}
