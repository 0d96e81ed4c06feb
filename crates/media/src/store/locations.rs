//! Where a blob lies in its store: `<shard>/<id>.<part>`, the shard being the id's last byte, so that a
//! folder never holds all and a listing can go shard by shard. Nothing a client says is in a path.

use object_store::path::Path;
use parlance_domain::ports::{BlobKey, BlobPart};

/// All shards, in the order of a listing.
pub(super) fn shards_from(first: u8) -> impl Iterator<Item = String> {
    (first..=u8::MAX).map(|shard| format!("{shard:02x}"))
}

/// The shard that a key is in.
pub(super) const fn shard(key: &BlobKey) -> u8 {
    key.medium.bytes()[11]
}

/// The path of a key.
pub(super) fn path(key: &BlobKey) -> Path {
    let part = match key.part {
        BlobPart::Original => "original",
        BlobPart::Thumbnail => "thumbnail",
    };
    Path::from(format!("{:02x}/{}.{part}", shard(key), key.medium))
}

/// The key at a path; `None` if the file is none of ours.
pub(super) fn key(path: &Path) -> Option<BlobKey> {
    let (id, part) = path.filename()?.split_once('.')?;
    let part = match part {
        "original" => BlobPart::Original,
        "thumbnail" => BlobPart::Thumbnail,
        _ => return None,
    };
    let found = BlobKey { medium: id.parse().ok()?, part };
    (self::path(&found) == *path).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_domain::model::MediumId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_survives_its_path(bytes: [u8; 12]) {
            for key in [BlobKey::original(MediumId::from_bytes(bytes)), BlobKey::thumbnail(MediumId::from_bytes(bytes))] {
                prop_assert_eq!(super::key(&path(&key)), Some(key));
            }
        }
    }

    #[test]
    fn foreign_files_have_no_key() {
        let id = "abababababababababababab";
        for foreign in
            ["x", "ab/x.original", &format!("ac/{id}.original"), &format!("ab/{id}.other"), &format!("{id}.original")]
        {
            assert_eq!(key(&Path::from(foreign)), None, "{foreign}");
        }
    }
}
