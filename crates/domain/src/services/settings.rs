//! What an operator may choose about the domain, with the contract's defaults.

use std::time::Duration;

use crate::rules::{Limits, Rates};

/// Limits, scopes and times of the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Bounds of messages and groups.
    pub limits: Limits,
    /// How fast people may go; `None` as fast as they can (`RATE_LIMITS=off`).
    pub rates: Option<Rates>,
    /// How users become known (`AUTH_PROVISION`).
    pub provisioning: Provisioning,
    /// Who hears of presence (`PRESENCE_SCOPE`).
    pub presence_scope: PresenceScope,
    /// How long a user stays online after their last socket is gone (`PRESENCE_GRACE`, 2 s).
    pub presence_grace: Duration,
    /// When typing ends by itself (`TYPING_TIMEOUT`, 3 s).
    pub typing_timeout: Duration,
    /// How long a call rings (`CALL_RING_TIMEOUT`, 45 s).
    pub call_ring_timeout: Duration,
    /// How long a send waits for a storage that answers nobody before its sender is told `Unavailable`
    /// (`DATABASE_TIMEOUT`, 1.5 s; the contract has them know within 2 s). While others are answered it waits for its turn.
    pub storage_timeout: Duration,
    /// What links to this server's own media begin with.
    pub own_media_prefix: String,
    /// Whether other processes may write to the storage, so that nothing of it can be remembered for long (yes).
    pub shared_storage: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            rates: Some(Rates::default()),
            provisioning: Provisioning::default(),
            presence_scope: PresenceScope::default(),
            presence_grace: Duration::from_secs(2),
            typing_timeout: Duration::from_secs(3),
            call_ring_timeout: Duration::from_secs(45),
            storage_timeout: Duration::from_millis(1_500),
            own_media_prefix: "/media/".to_owned(),
            shared_storage: true,
        }
    }
}

/// How users become known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Provisioning {
    /// With their first valid token.
    #[default]
    FromToken,
    /// Only by the product's own backend; an unknown bearer is refused.
    DirectoryOnly,
}

/// Who hears that somebody came or went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PresenceScope {
    /// Those who share a conversation with them, without blocks in either direction.
    #[default]
    Contacts,
    /// Every socket.
    Everyone,
}
