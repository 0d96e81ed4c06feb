//! The users of a run: names that no other run has, and their tokens.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use parlance_auth::{Secret, TokenRequest, mint};
use parlance_domain::model::{ClaimedProfile, Timestamp, UserId};

use crate::failure::Failure;

/// How long a token lasts: longer than any run.
const TOKENS_LAST: Duration = Duration::from_hours(24);

/// A user and what proves it.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The user's id.
    pub(crate) id: Arc<str>,
    /// A token of theirs.
    pub(crate) token: Arc<str>,
}

/// Makes users.
#[derive(Debug)]
pub(crate) struct People {
    secret: Secret,
    run: u64,
    made: usize,
    now: Timestamp,
}

impl People {
    /// Nobody yet; `secret` is the server's.
    ///
    /// # Errors
    /// When the secret is empty.
    #[expect(clippy::disallowed_methods, reason = "a run is named after the time, and tokens carry it")]
    pub(crate) fn new(secret: &str) -> Result<Self, Failure> {
        let secret = Secret::new(secret).map_err(Failure::plain)?;
        let millis = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let now = Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
        Ok(Self { secret, run: millis, made: 0, now })
    }

    /// One more user.
    pub(crate) fn make(&mut self) -> Result<Person, Failure> {
        self.made += 1;
        let id = format!("bench-{:x}-{}", self.run, self.made);
        let user_id: UserId = id.parse().map_err(Failure::plain)?;
        let profile = ClaimedProfile { name: Some(format!("Bench {}", self.made)), picture: None };
        let request = TokenRequest { profile, expires_in: Some(TOKENS_LAST), ..TokenRequest::new(user_id) };
        let token = mint(&self.secret, &request, self.now).map_err(Failure::plain)?;
        Ok(Person { id: id.into(), token: token.into() })
    }

    /// `count` more users.
    pub(crate) fn make_many(&mut self, count: usize) -> Result<Vec<Person>, Failure> {
        (0..count).map(|_| self.make()).collect()
    }
}
