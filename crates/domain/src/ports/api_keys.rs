//! Which program of a product's backend calls, and what it may do.

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Making users known and changing their profiles.
    Users,
    /// Asking who is online.
    Presence,
    /// Ending people's connections.
    Sessions,
    /// Events of the product's own.
    Emit,
    /// Notifications.
    Notifications,
    /// Starting conversations, and sending in anybody's name.
    Messages,
    /// Webhooks that were given up.
    Webhooks,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Users, Self::Presence, Self::Sessions, Self::Emit, Self::Notifications, Self::Messages, Self::Webhooks];

    /// Its name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Presence => "presence",
            Self::Sessions => "sessions",
            Self::Emit => "emit",
            Self::Notifications => "notifications",
            Self::Messages => "messages",
            Self::Webhooks => "webhooks",
        }
    }
}

/// A program that has shown a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCaller {
    /// What the key is called, for the audit log.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
}

/// Knows the keys.
pub trait ApiKeys: Send + Sync {
    /// Whose key this is, if it is anybody's. How long that takes says nothing about how much of a key is right.
    fn find(&self, key: &str) -> Option<ApiCaller>;
}
