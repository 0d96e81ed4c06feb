//! The channel `webhook`: what waits for people who are away, posted to the product's backend, which hands it on in ways
//! of its own (push of native apps, SMS, a letter in its own layout). Signed and answered as events are.

use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::Preferences;
use parlance_domain::ports::{ChannelError, Delivered, Digest, NotificationChannel};

use super::sender::HttpSender;
use crate::config::Preference;

/// How many people it tells of at a time: as many as there are events under way.
const AT_ONCE: usize = 16;

/// The channel.
pub(crate) struct WaitingSender {
    pub(super) sender: HttpSender,
    pub(super) preference: Preference,
    pub(super) gathers: Duration,
}

#[async_trait]
impl NotificationChannel for WaitingSender {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn is_wanted(&self, preferences: &Preferences) -> bool {
        match self.preference {
            Preference::Push => preferences.push,
            Preference::Email => preferences.email,
        }
    }

    fn gathers(&self) -> Duration {
        self.gathers
    }

    /// The backend knows how its people are reached.
    fn needs_address(&self) -> bool {
        false
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn deliver(&self, digest: &Digest) -> Result<Delivered, ChannelError> {
        let (id, body) = parlance_dialects::notification_webhook(digest, self.sender.now());
        match self.sender.post(&id, body.get()).await {
            Ok(()) => Ok(Delivered::default()),
            Err(failure) if failure.is_final => Err(ChannelError::Refused(Box::new(failure))),
            Err(failure) => Err(ChannelError::Later(Box::new(failure))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::SystemClock;

    #[test]
    fn people_are_told_of_where_they_allow_the_way_that_it_stands_for() {
        let wanted = |preference, email, push| {
            let keys = "sixteen-visible-1".parse().expect("a good secret");
            let sender = HttpSender::new("http://127.0.0.1:9/", keys, Arc::new(SystemClock)).expect("a client");
            let channel = WaitingSender { sender, preference, gathers: Duration::from_secs(1) };
            channel.is_wanted(&Preferences { email, push, ..Preferences::default() })
        };
        assert!(wanted(Preference::Push, false, true) && !wanted(Preference::Push, true, false));
        assert!(wanted(Preference::Email, true, false) && !wanted(Preference::Email, false, true));
    }
}
