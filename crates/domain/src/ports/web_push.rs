//! What clients have to know, and to give, so that a browser can be reached that is closed.

use crate::error::Result;
use crate::model::Address;

/// The name of the channel that browsers belong to.
pub const PUSH: &str = "push";

/// A browser's subscription, as its `PushSubscription` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where messages go.
    pub endpoint: String,
    /// The browser's public key, in base64url.
    pub p256dh: String,
    /// What it shares with us, in base64url.
    pub auth: String,
}

/// The way to browsers.
pub trait WebPush: Send + Sync {
    /// The public key by which push services know this server, in base64url: `applicationServerKey`.
    fn public_key(&self) -> &str;

    /// The address of a subscription.
    ///
    /// # Errors
    /// `Validation` of `endpoint` or `keys` for one that nothing can be sent to, or must not be: an endpoint inside our
    /// own network is somebody's try to make us call there.
    fn address(&self, subscription: &Subscription) -> Result<Address>;
}
