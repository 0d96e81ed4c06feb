//! Identities. Ids made by the server are 12 bytes in the `ObjectId` layout (4 bytes of seconds, 5
//! random, 3 counting), written as 24 lower-case hex digits, so they sort by creation time.
//! User ids come from tokens and are opaque text. Making ids is the `IdSource` port's job.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not 24 lower-case hex digits.
    #[error("must be 24 hex digits")]
    NotHex,
    /// Empty, longer than 128 bytes, or with control characters.
    #[error("must be 1 to 128 bytes without control characters")]
    NotUserId,
}

/// The 12 raw bytes of a server-made id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 12]);

impl ObjectId {
    /// An id from its raw bytes; every 12 bytes are an id.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for storages.
    pub const fn bytes(&self) -> [u8; 12] {
        self.0
    }

    fn hex(self) -> [u8; 24] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0; 24];
        for (pair, byte) in out.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        out
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.as_bytes();
        if digits.len() != 24 {
            return Err(InvalidId::NotHex);
        }
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, InvalidId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        // Some clients upper-case ids; the id is the same.
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(InvalidId::NotHex),
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ObjectId);

        impl $name {
            /// The id in raw bytes, for storages.
            pub const fn bytes(&self) -> [u8; 12] {
                self.0.bytes()
            }

            /// The id of these raw bytes.
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(ObjectId::from_bytes(bytes))
            }
        }

        impl From<ObjectId> for $name {
            fn from(id: ObjectId) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

object_id! {
    /// A conversation.
    ConversationId
}
object_id! {
    /// A message.
    MessageId
}
object_id! {
    /// An uploaded medium.
    MediumId
}
object_id! {
    /// A notification.
    NotificationId
}
object_id! {
    /// An event of a webhook. Storages make these: later ones of one lane are not always greater.
    WebhookId
}

/// A live connection. Transports number theirs from [`SessionId::first_of`] on, so that no two nodes have the same; it
/// is never stored, and never sent to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The first connection of a node.
    pub const fn first_of(node: NodeId) -> Self {
        Self((node.0 as u64) << 32 | 1)
    }

    /// The node that holds it.
    pub const fn node(self) -> NodeId {
        NodeId((self.0 >> 32) as u32)
    }
}

/// A process among those that share a storage: drawn at random when it starts, and gone with it. A node that is alone
/// is number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node that knows of no other.
    pub const ALONE: Self = Self(0);
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A user, by the id in their token: 1 to 128 bytes without control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest user id, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() || text.len() > Self::MAX_BYTES || text.chars().any(char::is_control) {
            return Err(InvalidId::NotUserId);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_survives_its_text(bytes: [u8; 12]) {
            let id = MessageId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<MessageId>(), Ok(id));
        }

        #[test]
        fn text_order_is_byte_order(a: [u8; 12], b: [u8; 12]) {
            let (a, b) = (ObjectId::from_bytes(a), ObjectId::from_bytes(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn no_text_makes_parsing_panic(text: String) {
            let _ = text.parse::<ObjectId>();
            let _ = text.parse::<UserId>();
        }
    }

    #[test]
    fn a_session_says_which_node_holds_it() {
        for node in [NodeId::ALONE, NodeId(1), NodeId(u32::MAX)] {
            let SessionId(first) = SessionId::first_of(node);
            assert_eq!(SessionId(first).node(), node);
            assert_eq!(SessionId(first + 1_000_000).node(), node);
        }
        assert_eq!(SessionId::first_of(NodeId::ALONE), SessionId(1));
    }

    #[test]
    fn user_ids_have_bounds() {
        assert!("a".repeat(128).parse::<UserId>().is_ok());
        assert!("a".repeat(129).parse::<UserId>().is_err());
        assert!("".parse::<UserId>().is_err());
        assert!("a\nb".parse::<UserId>().is_err());
    }
}
