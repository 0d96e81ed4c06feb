//! The answers to requests for media, by conditions and ranges.

use parlance_domain::model::{Dimensions, MediumId, Thumbnail, Timestamp};
use proptest::prelude::*;

use super::*;

fn medium(media_type: MediaType) -> Medium {
    Medium {
        id: MediumId::from_bytes([7; 12]),
        uploader: "u".parse().unwrap(),
        media_type,
        format: "x".into(),
        content_type: "x/y".into(),
        filename: "Grüße.pdf".into(),
        bytes: 1000,
        digest: "d".into(),
        dimensions: None,
        thumbnail: Some(Thumbnail {
            content_type: "image/jpeg".into(),
            bytes: 10,
            dimensions: Dimensions { width: 1, height: 1 },
        }),
        uploaded_at: Timestamp::from_millis(0),
    }
}

fn answer(asked: Asked<'_>) -> Outgoing {
    Outgoing::decide(&Served::original(&medium(MediaType::File)), &asked)
}

fn header<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a str> {
    outgoing.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_whole_comes_with_safe_headers() {
    let whole = answer(Asked::default());
    assert_eq!((whole.status, whole.body.clone()), (200, Some(0..1000)));
    for (name, value) in [
        ("etag", "\"d\""),
        ("accept-ranges", "bytes"),
        ("content-length", "1000"),
        ("content-type", "x/y"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("content-disposition", "attachment; filename=\"Gr__e.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf"),
    ] {
        assert_eq!(header(&whole, name), Some(value), "{name}");
    }
}

#[test]
fn pictures_and_films_are_shown_in_place() {
    for (media_type, kind) in
        [(MediaType::Image, "inline"), (MediaType::Video, "inline"), (MediaType::File, "attachment")]
    {
        let medium = medium(media_type);
        let outgoing = Outgoing::decide(&Served::original(&medium), &Asked::default());
        assert!(header(&outgoing, "content-disposition").unwrap().starts_with(kind), "{media_type:?}");
        let thumbnail = Outgoing::decide(&Served::thumbnail(&medium).unwrap(), &Asked::default());
        assert_eq!(header(&thumbnail, "content-disposition"), Some("inline; filename=\"thumbnail.jpg\""));
        assert_eq!(header(&thumbnail, "etag"), Some("\"d-512\""));
    }
}

#[test]
fn a_part_says_which() {
    let part = answer(Asked { range: Some("bytes=10-19"), ..Asked::default() });
    assert_eq!((part.status, part.body.clone()), (206, Some(10..20)));
    assert_eq!(header(&part, "content-range"), Some("bytes 10-19/1000"));
    assert_eq!(header(&part, "content-length"), Some("10"));
    let none = answer(Asked { range: Some("bytes=1000-"), ..Asked::default() });
    assert_eq!((none.status, none.bytes().is_some()), (416, false));
    assert_eq!(header(&none, "content-range"), Some("bytes */1000"));
}

#[test]
fn who_has_it_gets_nothing() {
    for tags in ["\"d\"", "W/\"d\"", "\"x\", \"d\"", "*"] {
        let outgoing = answer(Asked { if_none_match: Some(tags), range: Some("bytes=0-1"), ..Asked::default() });
        assert_eq!((outgoing.status, outgoing.bytes().is_some()), (304, false), "{tags}");
        assert_eq!(header(&outgoing, "etag"), Some("\"d\""));
    }
    assert_eq!(answer(Asked { if_none_match: Some("\"x\""), ..Asked::default() }).status, 200);
}

#[test]
fn a_range_of_something_else_is_the_whole() {
    let asked = |if_range| answer(Asked { range: Some("bytes=0-1"), if_range: Some(if_range), ..Asked::default() });
    assert_eq!(asked("\"d\"").status, 206);
    for other in ["\"x\"", "W/\"d\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        assert_eq!(asked(other).status, 200, "{other}");
    }
}

proptest! {
    #[test]
    fn headers_are_visible_ascii(filename: String) {
        let header = content_disposition(&filename, false);
        prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", header);
        prop_assert_eq!(header.matches('"').count(), 2);
    }
}
