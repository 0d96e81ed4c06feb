//! Where somebody can be reached who is not there, and what they are to be told of. What a target looks like is its
//! channel's matter; of e-mail addresses the domain knows as much as it takes to refuse what is none.

use std::fmt;
use std::str::FromStr;

use super::{ConversationId, NotificationId};
use crate::error::{Error, Result};

/// A place to which a channel delivers.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// What the channel sends to: an e-mail address, the endpoint of a push service. 1 to 2,048 bytes.
    pub target: String,
    /// What it needs to know beside that, in a form of its own; at most 1,024 bytes, for most channels none.
    pub extra: String,
}

impl Address {
    /// The longest target, in bytes.
    pub const MAX_TARGET_BYTES: usize = 2_048;
    /// The most that is kept beside it, in bytes.
    pub const MAX_EXTRA_BYTES: usize = 1_024;
}

/// Whoever has a target can send to it, so logs have none.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({} bytes)", self.target.len())
    }
}

/// An e-mail address: `local@domain` in ASCII, at most 254 bytes, without blanks, quotes or comments.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The longest address, in bytes (RFC 5321).
    pub const MAX_BYTES: usize = 254;
    const MAX_LOCAL_BYTES: usize = 64;

    /// An address from what somebody gave.
    ///
    /// # Errors
    /// `Validation` of `email`.
    pub fn new(text: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_graphic() && !"\"(),:;<>@[\\]".contains(c);
        let dotted = |part: &str| part.split('.').all(|piece| !piece.is_empty() && piece.chars().all(plain));
        let sound = text.split_once('@').is_some_and(|(local, domain)| {
            text.len() <= Self::MAX_BYTES && local.len() <= Self::MAX_LOCAL_BYTES && dotted(local) && dotted(domain)
        });
        if sound { Ok(Self(text.to_owned())) } else { Err(Error::validation("email", "is no e-mail address")) }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({} bytes)", self.0.len())
    }
}

/// What somebody is told of: a conversation, however much is said there, or one notification of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// What waits in a conversation.
    Conversation(ConversationId),
    /// A product's words.
    Notification(NotificationId),
}

/// As storages keep it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conversation(id) => write!(f, "c{id}"),
            Self::Notification(id) => write!(f, "n{id}"),
        }
    }
}

/// A text that stands for no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no subject")]
pub struct InvalidSubject;

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        let (kind, id) = text.split_at_checked(1).ok_or(InvalidSubject)?;
        match kind {
            "c" => id.parse().map(Self::Conversation).map_err(|_| InvalidSubject),
            "n" => id.parse().map(Self::Notification).map_err(|_| InvalidSubject),
            _ => Err(InvalidSubject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_and_nothing_odd() {
        for good in ["ann@example.com", "a.b+c@mail.example.com", "root@localhost", "o'neil@example.com"] {
            assert!(EmailAddress::new(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a@b@c",
            "a b@c.de",
            "ann@exa mple.com",
            "a..b@c.de",
            ".a@c.de",
            "ann@example.",
            "Ann <ann@example.com>",
            "ann@example.com\r\nBcc: eve@example.com",
            "ä@example.com",
            "a,b@example.com",
            &long,
        ] {
            assert!(EmailAddress::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_subject_survives_its_text() {
        let subjects = [
            Subject::Conversation(ConversationId::from_bytes([7; 12])),
            Subject::Notification(NotificationId::from_bytes([9; 12])),
        ];
        for subject in subjects {
            assert_eq!(subject.to_string().parse(), Ok(subject));
        }
        for bad in ["", "c", "x070707070707070707070707", "ä", "c07"] {
            assert_eq!(bad.parse::<Subject>(), Err(InvalidSubject), "{bad:?}");
        }
    }
}
