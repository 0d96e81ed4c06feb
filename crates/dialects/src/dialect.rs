//! The names of the dialects.

use std::fmt;
use std::str::FromStr;

/// One of the five vocabularies. Every socket speaks exactly one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// `conversation:join`, every call acked. The server's default.
    #[default]
    Talentbridge,
    /// `join:conversation`, answers and errors come as events.
    Ulearn,
    /// `joinConversation`, `sendMessage {content}`.
    Gateway,
    /// `join:conversation` with a bare id; messages are sent over REST.
    Marketplace,
    /// `joinConversation`, `sendMessage {senderId, message}`.
    Nextchat,
}

/// A name that is none of the five.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDialect(pub String);

impl Dialect {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Talentbridge, Self::Ulearn, Self::Gateway, Self::Marketplace, Self::Nextchat];

    /// The name in handshakes, queries and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Talentbridge => "talentbridge",
            Self::Ulearn => "ulearn",
            Self::Gateway => "gateway",
            Self::Marketplace => "marketplace",
            Self::Nextchat => "nextchat",
        }
    }

    /// Whether conversation events reach every socket of every participant (`talentbridge`), or only the sockets
    /// that joined the room (contract: "Message sending, all dialects").
    pub const fn reaches_participants(self) -> bool {
        matches!(self, Self::Talentbridge)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown dialect: {}", self.0)
    }
}

impl std::error::Error for UnknownDialect {}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name).ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}
