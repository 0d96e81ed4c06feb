//! Browsers that want to be told while they are closed. What a subscription must be is the channel's matter
//! (`ports::WebPush`); here is whose it is.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::UserId;
use crate::ports::{Addresses, Clock, NewAddress, PUSH, Subscription, WebPush};

/// How many browsers of a user are told; one more takes the place of the one that subscribed longest ago.
const MAX_BROWSERS: usize = 10;

const OFF: Error = Error::NotFound("Web push is not set up");

struct Needs {
    addresses: Arc<dyn Addresses>,
    push: Arc<dyn WebPush>,
    clock: Arc<dyn Clock>,
}

/// Everybody's browsers. Cheap to clone.
#[derive(Clone)]
pub struct Subscribing(Option<Arc<Needs>>);

impl Subscribing {
    pub(super) fn new(
        addresses: Option<Arc<dyn Addresses>>,
        push: Option<Arc<dyn WebPush>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(addresses.zip(push).map(|(addresses, push)| Arc::new(Needs { addresses, push, clock })))
    }

    /// The key with which a browser subscribes; `None` where there is no web push.
    pub fn key(&self) -> Option<&str> {
        self.0.as_ref().map(|needs| needs.push.public_key())
    }

    /// A browser in which `user` is signed in wants to be told; nobody else is told there any more. Idempotent.
    ///
    /// # Errors
    /// `Validation` of `endpoint` or `keys`; `NotFound` where there is no web push.
    pub async fn subscribe(&self, user: &UserId, subscription: &Subscription) -> Result<()> {
        let Needs { addresses, push, clock } = self.needs()?;
        let new = NewAddress {
            user_id: user.clone(),
            channel: PUSH.to_owned(),
            address: push.address(subscription)?,
            at_most: MAX_BROWSERS,
            alone: true,
            at: clock.now(),
        };
        Ok(addresses.put_address(new).await?)
    }

    /// A browser of `user` does not want to be told any more; says whether it did. Idempotent.
    ///
    /// # Errors
    /// `NotFound` where there is no web push.
    pub async fn unsubscribe(&self, user: &UserId, endpoint: &str) -> Result<bool> {
        Ok(self.needs()?.addresses.remove_address(user, PUSH, endpoint).await?)
    }

    fn needs(&self) -> Result<&Needs> {
        self.0.as_deref().ok_or(OFF)
    }
}
