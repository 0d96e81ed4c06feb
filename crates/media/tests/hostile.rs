//! The table of hostile uploads: what each gets. Name and claimed type never help: the columns are the name it
//! comes with, its bytes, and the answer. Each runs through the intake cut in several ways, and what is refused
//! leaves nothing.

#![expect(clippy::unwrap_used, reason = "what is not as it should be ends the test")]

mod support;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use image::ImageFormat;
use parlance_domain::Error;
use parlance_domain::model::{MediaType, Medium, Timestamp};
use parlance_domain::ports::Blobs;
use parlance_media::{Intake, IntakeError, IntakeSettings, Upload};
use support::contents::{avi, matroska, mp4, mp4_box, ogg, ole, picture, png_header, segment, zip};
use support::{Home, medium};

/// What an upload gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gets {
    /// `AUDIO_NOT_ALLOWED`.
    Audio,
    /// `UNSUPPORTED_MEDIA`, with this type found.
    Unsupported(&'static str),
    /// `PAYLOAD_TOO_LARGE`.
    TooLarge,
    /// `VALIDATION_FAILED`.
    Invalid,
    /// Taken under this name and served so: shown in place or only saved.
    Taken(&'static str, &'static str, &'static str),
}
use Gets::{Audio, Invalid, Taken, TooLarge, Unsupported};

const BINARY: Gets = Unsupported("application/octet-stream");

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cases() -> Vec<(&'static str, &'static str, Vec<u8>, Gets)> {
    let jpeg = || picture(40, 30, ImageFormat::Jpeg);
    let png = || picture(40, 30, ImageFormat::Png);
    let gif = || picture(40, 30, ImageFormat::Gif);
    let docx: [(&str, &[u8]); 3] =
        [("[Content_Types].xml", &[7; 900]), ("docProps/app.xml", &[7; 15_000]), ("word/document.xml", b"x")];
    vec![
        // Markup and scripts.
        (
            "HTML as a picture",
            "cat.jpg",
            b"<!DOCTYPE html><script>alert(1)</script>".to_vec(),
            Unsupported("text/html"),
        ),
        (
            "HTML as a text",
            "notes.txt",
            b"\xef\xbb\xbf \n<HTML><body onload=alert(1)>".to_vec(),
            Unsupported("text/html"),
        ),
        (
            "HTML after some text",
            "notes.txt",
            b"Dear all,\n<script>alert(1)</script>".to_vec(),
            Unsupported("text/html"),
        ),
        (
            "a comment that begins HTML",
            "a.txt",
            b"<!-- --><img src=x onerror=alert(1)>".to_vec(),
            Unsupported("text/html"),
        ),
        (
            "SVG",
            "logo.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(),
            Unsupported("image/svg+xml"),
        ),
        (
            "SVG behind an XML declaration, as PNG",
            "logo.png",
            b"<?xml version='1.0'?><svg onload='alert(1)'/>".to_vec(),
            Unsupported("image/svg+xml"),
        ),
        ("XML", "feed.txt", b"<?xml version='1.0'?><feed/>".to_vec(), Unsupported("text/xml")),
        ("a shell script", "run.txt", b"#!/bin/sh\nrm -rf ~".to_vec(), Unsupported("text/x-shellscript")),
        ("PHP", "x.php", b"hello <?php system($_GET['c']); ?>".to_vec(), Unsupported("application/x-httpd-php")),
        ("PostScript", "x.txt", b"%!PS-Adobe-3.0\n".to_vec(), Unsupported("application/postscript")),
        ("RTF with objects", "x.doc", br"{\rtf1 {\object\objdata 0105}}".to_vec(), Unsupported("application/rtf")),
        ("UTF-16 HTML", "x.txt", "<script>".encode_utf16().flat_map(u16::to_le_bytes).collect(), BINARY),
        (
            "UTF-7 is only a text",
            "x.txt",
            b"+ADw-script+AD4-alert(1)".to_vec(),
            Taken("x.txt", "text/plain; charset=utf-8", "attachment"),
        ),
        (
            "JavaScript is only a text",
            "x.js",
            b"alert(document.cookie)".to_vec(),
            Taken("x_js.txt", "text/plain; charset=utf-8", "attachment"),
        ),
        // Text that is none.
        ("a text with control bytes", "x.txt", b"hello \x1b[2J world".to_vec(), BINARY),
        ("a text that ends in half a character", "x.txt", b"gr\xc3".to_vec(), BINARY),
        ("a text whose bytes go wrong late", "x.txt", [vec![b'a'; 50_000], vec![0xff]].concat(), BINARY),
        // Programs.
        (
            "a Windows program as a picture",
            "cat.jpg",
            [b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0", &[0; 200][..]].concat(),
            Unsupported("application/vnd.microsoft.portable-executable"),
        ),
        (
            "a Linux program",
            "run",
            [&b"\x7fELF\x02\x01\x01"[..], &[0; 100]].concat(),
            Unsupported("application/x-executable"),
        ),
        ("WebAssembly", "x.wasm", b"\0asm\x01\0\0\0".to_vec(), Unsupported("application/wasm")),
        (
            "a Java archive as zip",
            "x.zip",
            zip(&[("META-INF/MANIFEST.MF", b"Main-Class: X"), ("X.class", b"x")]),
            Unsupported("application/java-archive"),
        ),
        (
            "an Android package as zip",
            "x.zip",
            zip(&[("AndroidManifest.xml", b"x"), ("classes.dex", b"x")]),
            Unsupported("application/vnd.android.package-archive"),
        ),
        ("an installer as Word", "cv.doc", ole([0x84, 0x10, 0x0c, 0], "x"), Unsupported("application/x-msi")),
        ("an unknown OLE storage", "cv.doc", ole([1, 2, 3, 4], "x"), Unsupported("application/x-ole-storage")),
        (
            "an e-book as zip",
            "x.zip",
            zip(&[("mimetype", b"application/epub+zip"), ("x", b"x")]),
            Unsupported("application/epub+zip"),
        ),
        ("7z", "x.7z", b"7z\xbc\xaf\x27\x1c\0\x04aaaaaaa".to_vec(), Unsupported("application/x-7z-compressed")),
        // Polyglots.
        (
            "a GIF's signature before script",
            "x.gif",
            b"GIF89a/*aaaaaaaaaaaaa*/=1;<script>alert(1)</script>".to_vec(),
            Unsupported("image/gif that is damaged"),
        ),
        ("a GIF's signature alone", "x.gif", b"GIF89a".to_vec(), Unsupported("image/gif that is damaged")),
        (
            "a GIF with script behind it",
            "x.gif",
            [gif(), b"<script>alert(1)</script>".to_vec()].concat(),
            Unsupported("image/gif with markup inside"),
        ),
        (
            "a JPEG with HTML in a comment",
            "x.jpg",
            [&jpeg()[..2], &segment(0xfe, b"<html><ScRiPt>"), &jpeg()[2..]].concat(),
            Unsupported("image/jpeg with markup inside"),
        ),
        (
            "a JPEG with PHP at its end",
            "x.php.jpg",
            [jpeg(), vec![0; 70_000], b"<?php system('id');".to_vec()].concat(),
            Unsupported("image/jpeg with markup inside"),
        ),
        (
            "a JPEG without a frame",
            "x.jpg",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9".to_vec(),
            Unsupported("image/jpeg that is damaged"),
        ),
        ("a PDF behind junk", "x.pdf", b"\x01\x02junk%PDF-1.7\n".to_vec(), BINARY),
        ("a PDF behind HTML", "x.pdf", b"<script>1</script>%PDF-1.7\n".to_vec(), Unsupported("text/html")),
        ("a PNG of no size", "x.png", png_header(0, 10), Unsupported("image/png that is damaged")),
        (
            "a picture larger than any screen",
            "x.png",
            png_header(65_000, 65_000),
            Unsupported("image/png of 65000 × 65000 pixels"),
        ),
        // Sound.
        ("MP3 as MP4", "film.mp4", [&b"ID3\x04\0\0\0\0\0\0"[..], &[0xff, 0xfb, 0x90, 0x64], &[0; 100]].concat(), Audio),
        ("WAV", "x.wav", [&b"RIFF\0\0\0\0WAVEfmt "[..], &[0; 40]].concat(), Audio),
        ("M4A by its brand", "x.mp4", mp4(b"M4A ", &[b"soun"], false), Audio),
        ("an MP4 with sound only", "film.mp4", mp4(b"isom", &[b"soun"], false), Audio),
        ("an MP4 with sound only, its index last", "film.mp4", mp4(b"mp42", &[b"soun", b"soun"], true), Audio),
        ("a QuickTime file with sound only", "film.mov", mp4(b"qt  ", &[b"soun"], true), Audio),
        ("a WebM with sound only", "note.webm", matroska(b"webm", &[2]), Audio),
        ("Opus in Ogg", "note.webm", ogg(b"OpusHead"), Audio),
        ("Vorbis in Ogg", "x.txt", ogg(b"\x01vorbis"), Audio),
        ("FLAC", "x.zip", [&b"fLaC\0\0\0\x22"[..], &[0; 60]].concat(), Audio),
        ("an AVI with sound only", "x.avi", avi(b"auds"), Audio),
        // Films that are not on the list, or none.
        ("Matroska", "x.webm", matroska(b"matroska", &[1, 2]), Unsupported("video/x-matroska")),
        ("Theora", "x.mp4", ogg(b"\x80theora"), Unsupported("video/ogg")),
        ("HEIC as JPEG", "x.jpg", mp4(b"heic", &[b"pict"], false), Unsupported("image/heic")),
        ("an MP4 without tracks", "x.mp4", mp4(b"isom", &[], false), Unsupported("video/mp4 without a film")),
        (
            "an MP4 whose box is smaller than its header",
            "x.mp4",
            [mp4_box(b"ftyp", b"isom"), b"\0\0\0\x04moov".to_vec()].concat(),
            Unsupported("video/mp4 without a film"),
        ),
        // Sizes.
        ("nothing", "x.txt", Vec::new(), Invalid),
        ("too much", "x.txt", vec![b'a'; 200_001], TooLarge),
        // Names: the content is harmless.
        ("a picture that calls itself HTML", "x.jpg.html", jpeg(), Taken("x.jpg_html.jpg", "image/jpeg", "inline")),
        (
            "a picture with a server's extension",
            "shell.php.jpg",
            jpeg(),
            Taken("shell_php.jpg", "image/jpeg", "inline"),
        ),
        ("a PNG that calls itself a PDF", "bill.pdf", png(), Taken("bill.pdf.png", "image/png", "inline")),
        ("a path", "../../../etc/cron.d/x.png", png(), Taken("x.png", "image/png", "inline")),
        ("a Windows path", r"..\..\boot.ini", png(), Taken("boot.ini.png", "image/png", "inline")),
        (
            "a name that reads backwards",
            "photo\u{202e}gnp.exe",
            png(),
            Taken("photognp_exe.png", "image/png", "inline"),
        ),
        (
            "a name that breaks a header",
            "a\"\r\nSet-Cookie: x=1;.png",
            png(),
            Taken("a_Set-Cookie_ x=1;.png", "image/png", "inline"),
        ),
        ("a device", "CON.gif", gif(), Taken("_CON.gif", "image/gif", "inline")),
        // What is allowed beside them.
        ("WebP", "a.webp", picture(40, 30, ImageFormat::WebP), Taken("a.webp", "image/webp", "inline")),
        ("MP4", "a.mp4", mp4(b"isom", &[b"soun", b"vide"], true), Taken("a.mp4", "video/mp4", "inline")),
        ("QuickTime", "a.MOV", mp4(b"qt  ", &[b"vide"], false), Taken("a.mov", "video/quicktime", "inline")),
        ("WebM", "a.webm", matroska(b"webm", &[1, 2]), Taken("a.webm", "video/webm", "inline")),
        ("AVI", "a.avi", avi(b"vids"), Taken("a.avi", "video/x-msvideo", "inline")),
        ("PDF", "a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), Taken("a.pdf", "application/pdf", "attachment")),
        (
            "zip",
            "a.zip",
            zip(&[("a.txt", b"x"), ("x.html", b"<script>")]),
            Taken("a.zip", "application/zip", "attachment"),
        ),
        (
            "Word",
            "a.docx",
            zip(&docx),
            Taken("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "attachment"),
        ),
        (
            "OpenDocument",
            "a.ods",
            zip(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("x", b"x")]),
            Taken("a.ods", "application/vnd.oasis.opendocument.spreadsheet", "attachment"),
        ),
        ("Word of before 2007", "a.doc", ole([6, 9, 2, 0], "x"), Taken("a.doc", "application/msword", "attachment")),
        (
            "Excel of before 2007 by its entry",
            "a.xls",
            ole([0; 4], "Workbook"),
            Taken("a.xls", "application/vnd.ms-excel", "attachment"),
        ),
        (
            "a text that begins like a program",
            "a.txt",
            b"MZ is where programs begin, BM where bitmaps do".to_vec(),
            Taken("a.txt", "text/plain; charset=utf-8", "attachment"),
        ),
        (
            "a table",
            "a.csv",
            "name;größe\nÄpfel;< 3 kg\n".into(),
            Taken("a.csv", "text/plain; charset=utf-8", "attachment"),
        ),
    ]
}

async fn received(home: &Home, filename: &str, bytes: &[u8], size: usize) -> Result<Medium, IntakeError> {
    let settings = IntakeSettings { max_bytes: 200_000, ..IntakeSettings::default() };
    let intake = Intake::new(Arc::new(home.blobs.clone()), settings);
    let upload = Upload {
        id: medium(1),
        uploader: "mallory".parse().unwrap(),
        filename,
        declared_bytes: None,
        uploaded_at: Timestamp::from_millis(0),
    };
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    intake.receive(upload, stream::iter(chunks)).await
}

fn verdict(received: Result<Medium, IntakeError>) -> String {
    match received.map_err(Error::from) {
        Ok(medium) => {
            // What is no picture and no film is only saved, whatever it is called.
            let disposition = if medium.media_type == MediaType::File { "attachment" } else { "inline" };
            format!("taken: {}, {}, {disposition}", medium.filename, medium.content_type)
        }
        Err(Error::AudioNotAllowed) => "audio".into(),
        Err(Error::UnsupportedMedia(found)) => format!("unsupported: {found}"),
        Err(Error::PayloadTooLarge(_)) => "too large".into(),
        Err(Error::Validation { .. }) => "invalid".into(),
        Err(other) => format!("{other:?}"),
    }
}

#[tokio::test]
async fn every_hostile_upload_gets_what_the_table_says() {
    let cases = cases();
    assert!(cases.len() >= 25);
    let mut wrong = Vec::new();
    println!("{:<48} {:<28} gets", "upload", "name");
    for (what, name, bytes, gets) in &cases {
        let expected = match gets {
            Audio => "audio".to_owned(),
            Unsupported(found) => format!("unsupported: {found}"),
            TooLarge => "too large".to_owned(),
            Invalid => "invalid".to_owned(),
            Taken(name, content_type, disposition) => format!("taken: {name}, {content_type}, {disposition}"),
        };
        println!("{what:<48} {:<28} {expected}", name.escape_debug().to_string());
        for size in [1, 13, 4096, usize::MAX] {
            let home = support::memory();
            let got = verdict(received(&home, name, bytes, size).await);
            let kept = home.blobs.list_finished_before(support::FUTURE, None, 9).await.unwrap().len();
            if got != expected || (kept == 1) != matches!(gets, Taken(..)) {
                wrong.push(format!("{what} in chunks of {size}: {got}, {kept} blobs, not {expected}"));
            }
        }
    }
    println!("{} cases", cases.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
