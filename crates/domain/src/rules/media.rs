//! Which media of this server a link means. Storages keep a medium for as long as something that they store
//! names it, and refuse what names one that is gone.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::model::{MediaLink, MediumId};

/// The media that something names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// All of them. Those that are not there belong to other servers.
    pub all: BTreeSet<MediumId>,
    /// Those that must be there: named by a path alone, which can only mean this server.
    pub required: BTreeSet<MediumId>,
}

impl Named {
    /// What these links name.
    pub fn by_urls<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let mut named = Self::default();
        for url in urls {
            if let Some(id) = own_id(url) {
                named.all.insert(id);
                if url.starts_with('/') {
                    named.required.insert(id);
                }
            }
        }
        named
    }

    /// What the media of a message name.
    pub fn by_links(links: &[MediaLink]) -> Self {
        Self::by_urls(links.iter().flat_map(|link| [Some(link.url.as_str()), link.thumbnail_url.as_deref()]).flatten())
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Why something that names a missing medium in `field` is refused.
pub fn missing(field: &'static str) -> Error {
    Error::validation(field, "names a medium that is not there")
}

/// The medium that a link means: its path is `/media/{24 hex}/…`, also behind `https://host`. Such a path of another
/// server cannot be told from ours; ids are hard to guess, so it means no medium of ours.
pub fn own_id(url: &str) -> Option<MediumId> {
    let path = match without_scheme(url) {
        Some(rest) => &rest[rest.find('/')?..],
        None => url,
    };
    let (id, _) = path.strip_prefix("/media/")?.split_once('/')?;
    id.parse().ok()
}

fn without_scheme(url: &str) -> Option<&str> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = url.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "0123456789abcdef01234567";

    #[test]
    fn a_path_of_ours_names_a_medium() {
        let id: MediumId = HEX.parse().expect("24 digits");
        for url in [
            format!("/media/{HEX}/a.png"),
            format!("/media/{}/a.png", HEX.to_uppercase()),
            format!("/media/{HEX}/thumbnail/512.webp"),
            format!("https://chat.example:4000/media/{HEX}/a.png"),
            format!("HTTPS://chat.example/media/{HEX}/"),
        ] {
            assert_eq!(own_id(&url), Some(id), "{url}");
        }
    }

    #[test]
    fn other_links_name_none() {
        for url in [
            String::new(),
            "/media/".to_owned(),
            format!("/media/{HEX}"),
            format!("/media/{}/a.png", &HEX[1..]),
            format!("/media/{HEX}0/a.png"),
            format!("/other/{HEX}/a.png"),
            format!("//chat.example/media/{HEX}/a.png"),
            format!("https://chat.example/x/media/{HEX}/a.png"),
            format!("https://chat.example?/media/{HEX}"),
            "https://chat.example".to_owned(),
        ] {
            assert_eq!(own_id(&url), None, "{url}");
        }
    }

    #[test]
    fn a_path_alone_can_only_mean_this_server() {
        let named = Named::by_urls([format!("/media/{HEX}/a").as_str(), "https://x/media/ffffffffffffffffffffffff/b"]);
        assert_eq!((named.all.len(), named.required.len()), (2, 1));
        assert!(named.required.contains(&HEX.parse().expect("24 digits")));
        assert!(Named::by_urls(["https://x/y"]).is_empty());
    }

    proptest! {
        #[test]
        fn no_link_makes_the_rule_panic(url: String, host in "(https?:)?/?/?[a-z/ß]{0,9}") {
            let _ = own_id(&url);
            let _ = own_id(&format!("{host}/media/{url}"));
        }
    }
}
