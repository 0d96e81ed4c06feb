//! Ways to tell people something who are not there: e-mail, push, or one of a product's own. What is due when, and for
//! whom, is the domain's part (`services::reaching`); a channel writes it down in its own form and sends it.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Address, NotificationView, Preferences, User, UserId};

/// What somebody is told at once: a notification, and what waits in the conversation that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Whom.
    pub user: User,
    /// Where the channel reaches them, what was given last first.
    pub addresses: Vec<Address>,
    /// The notification, as the user's list shows it.
    pub notification: NotificationView,
    /// How much is unread in its conversation; 1 for any other notification.
    pub unread: u64,
    /// The newest of what is unread in its conversation, oldest first; at most [`Digest::MAX_WORDS`].
    pub words: Vec<Words>,
}

impl Digest {
    /// The most messages that a digest repeats.
    pub const MAX_WORDS: usize = 10;
}

/// A message as a digest repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The name of who wrote it.
    pub from: String,
    /// Its beginning, or what was sent instead of words.
    pub text: String,
}

/// What a delivery has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Targets behind which there is nobody any more: they are forgotten.
    pub gone: Vec<String>,
}

/// Why a digest was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// It may be later: it is tried again, after a pause that grows.
    #[error("it cannot be delivered now")]
    Later(#[source] Box<dyn Error + Send + Sync>),
    /// It will not be, however often it is tried.
    #[error("it was refused")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
}

/// A way to tell people something who are not there.
#[async_trait]
pub trait NotificationChannel: Send + Sync {
    /// Its name: 1 to 32 lower-case letters, the same for good, since addresses and errands are kept under it.
    fn name(&self) -> &'static str;

    /// Whether somebody with these preferences wants to be told by it.
    fn is_wanted(&self, preferences: &Preferences) -> bool;

    /// How long what concerns one subject is gathered before it is delivered as one.
    fn gathers(&self) -> Duration;

    /// Whether it delivers to addresses that users have: nothing is delivered to who has none.
    fn needs_address(&self) -> bool {
        true
    }

    /// How many digests it delivers at a time, from 1 to 64.
    fn at_once(&self) -> usize {
        8
    }

    /// Delivers a digest. May be called again with one that was delivered, where the process died before that was noted.
    /// A call that takes longer than half a minute is given up and counts as `Later`.
    ///
    /// # Errors
    /// `Later` where trying again may help, else `Refused`.
    async fn deliver(&self, digest: &Digest) -> Result<Delivered, ChannelError>;
}

/// Links by which somebody who was mailed wants no more, without signing in.
pub trait UnsubscribeLinks: Send + Sync {
    /// Whose link has this token; `None` if nobody's has.
    fn find(&self, token: &str) -> Option<UserId>;
}
