//! The e-mail addresses of users, as their tokens or the product's backend name them. They are for mail alone: nobody
//! is shown them, and without a channel that mails, those of tokens are not kept.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{Address, EmailAddress, UserId};
use crate::ports::{Addresses, Clock, NewAddress};

/// The name of the channel that they belong to.
pub const EMAIL: &str = "email";

/// Who said the address: it is kept with it.
const BY_BACKEND: &str = "backend";
const BY_TOKEN: &str = "token";

/// Everybody's e-mail addresses. Cheap to clone.
#[derive(Clone)]
pub(super) struct Emails {
    addresses: Option<Arc<dyn Addresses>>,
    clock: Arc<dyn Clock>,
    from_tokens: bool,
}

impl Emails {
    /// Addresses in a storage that may have none; those of tokens too, if somebody mails.
    pub(super) fn new(addresses: Option<Arc<dyn Addresses>>, clock: Arc<dyn Clock>, from_tokens: bool) -> Self {
        Self { addresses, clock, from_tokens }
    }

    /// A token claims an address. What the backend has said stays: it knows better than a token that was made before.
    pub(super) async fn claimed(&self, user: &UserId, email: Option<&EmailAddress>) -> Result<()> {
        let (Some(addresses), Some(email), true) = (&self.addresses, email, self.from_tokens) else { return Ok(()) };
        let known = addresses.list_addresses(user, EMAIL).await?;
        if known.iter().any(|known| known.extra == BY_BACKEND || known.target == email.as_str()) {
            return Ok(());
        }
        self.put(addresses, user, email, BY_TOKEN).await
    }

    /// The product's backend says where somebody is mailed from now on; `None` to what their token says next.
    ///
    /// # Errors
    /// `Validation` of `email` where the storage keeps none.
    pub(super) async fn set(&self, user: &UserId, email: Option<&EmailAddress>) -> Result<()> {
        match (&self.addresses, email) {
            (Some(addresses), Some(email)) => self.put(addresses, user, email, BY_BACKEND).await,
            (Some(addresses), None) => {
                for known in addresses.list_addresses(user, EMAIL).await? {
                    addresses.remove_address(user, EMAIL, &known.target).await?;
                }
                Ok(())
            }
            (None, Some(_)) => {
                Err(Error::validation("email", "cannot be kept: the storage of this server has no place for it"))
            }
            (None, None) => Ok(()),
        }
    }

    async fn put(&self, addresses: &Arc<dyn Addresses>, user: &UserId, email: &EmailAddress, by: &str) -> Result<()> {
        let new = NewAddress {
            user_id: user.clone(),
            channel: EMAIL.to_owned(),
            address: Address { target: email.as_str().to_owned(), extra: by.to_owned() },
            at_most: 1,
            alone: false,
            at: self.clock.now(),
        };
        Ok(addresses.put_address(new).await?)
    }
}
