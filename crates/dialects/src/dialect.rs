//! The names of the dialects that every server has. One that a server may have besides is an `AnyDialect`.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::codec::Codec;
use crate::gateway::Gateway;
use crate::marketplace::Marketplace;
use crate::nextchat::Nextchat;
use crate::talentbridge::Talentbridge;
use crate::ulearn::Ulearn;

/// One of the five vocabularies. It is used like the [`Codec`] that it names.
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

/// A name that no dialect has.
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

    pub(crate) const fn codec(self) -> &'static dyn Codec {
        match self {
            Self::Talentbridge => &Talentbridge,
            Self::Ulearn => &Ulearn,
            Self::Gateway => &Gateway,
            Self::Marketplace => &Marketplace,
            Self::Nextchat => &Nextchat,
        }
    }
}

impl Deref for Dialect {
    type Target = dyn Codec;

    fn deref(&self) -> &Self::Target {
        self.codec()
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
