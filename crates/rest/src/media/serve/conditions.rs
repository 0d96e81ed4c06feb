//! Conditions on entity tags (RFC 9110, section 13). Ours are strong: they are digests of the content.

/// Whether `If-None-Match` fails for the current tag, so that the client has the content already. Compares
/// weakly, as the section says; tags hold no commas here, so a list may be cut at them.
pub(super) fn none_match_fails(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Whether `If-Range` names the current tag. Weak tags and dates never do: then the whole is sent, which is
/// always right.
pub(super) fn is_current(tag: &str, etag: &str) -> bool {
    tag.trim() == etag
}
