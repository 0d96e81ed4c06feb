//! The `Range` header (RFC 9110, section 14): one range of bytes. What is malformed, another unit, or several
//! ranges is answered with the whole, as the section allows; a range that starts beyond the end is not.

use std::ops::Range;

/// What a `Range` header asks for, of a content of known size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RangeAsked {
    /// Everything: the header is to be ignored.
    Whole,
    /// These bytes: a range that is not empty and within the content.
    Part(Range<u64>),
    /// None that there are.
    Unsatisfiable,
}

/// Reads a `Range` header for a content of `bytes` bytes.
pub(super) fn parse_range(header: &str, bytes: u64) -> RangeAsked {
    asked(header, bytes).unwrap_or(RangeAsked::Whole)
}

fn asked(header: &str, bytes: u64) -> Option<RangeAsked> {
    let (unit, set) = header.trim().split_once('=')?;
    // A client that wants many pieces of a medium is better off with all of it.
    if !unit.eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let part = if first.is_empty() {
        let suffix = number(last)?;
        bytes.saturating_sub(suffix)..bytes
    } else {
        let first = number(first)?;
        let end = if last.is_empty() { bytes } else { number(last).filter(|last| *last >= first)?.saturating_add(1) };
        first..end.min(bytes)
    };
    Some(if part.is_empty() { RangeAsked::Unsatisfiable } else { RangeAsked::Part(part) })
}

/// Digits only; more than fit mean "to the end".
fn number(digits: &str) -> Option<u64> {
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::RangeAsked::{Part, Unsatisfiable, Whole};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let cases = [
            ("bytes=0-499", Part(0..500)),
            ("bytes=500-999", Part(500..1000)),
            ("bytes=500-", Part(500..1000)),
            ("bytes=-500", Part(500..1000)),
            ("bytes=-5000", Part(0..1000)),
            ("bytes=0-0", Part(0..1)),
            ("bytes=999-5000", Part(999..1000)),
            ("BYTES=1-2", Part(1..3)),
            (" bytes= 1-2 ", Part(1..3)),
            ("bytes=0-99999999999999999999999999", Part(0..1000)),
            ("bytes=1000-", Unsatisfiable),
            ("bytes=1000-2000", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=99999999999999999999999999-", Unsatisfiable),
            ("bytes=5-4", Whole),
            ("bytes=0-1,5-6", Whole),
            ("bytes=", Whole),
            ("bytes=-", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=1-2-3", Whole),
            ("items=0-1", Whole),
            ("0-1", Whole),
            ("", Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(parse_range(header, 1000), expected, "{header}");
        }
        assert_eq!(parse_range("bytes=-5", 0), Unsatisfiable);
    }

    proptest! {
        #[test]
        fn a_part_is_within_the_content(header in prop_oneof!["bytes=[0-9,-]{0,24}", any::<String>()], bytes: u64) {
            if let Part(part) = parse_range(&header, bytes) {
                prop_assert!(part.start < part.end && part.end <= bytes);
            }
        }

        #[test]
        fn what_is_asked_is_what_comes(first in 0_u64..2000, length in 1_u64..2000, bytes in 1_u64..3000) {
            let last = first + length - 1;
            let expected = if first < bytes { Part(first..(last + 1).min(bytes)) } else { Unsatisfiable };
            prop_assert_eq!(parse_range(&format!("bytes={first}-{last}"), bytes), expected);
        }
    }
}
