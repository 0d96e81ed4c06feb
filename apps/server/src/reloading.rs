//! Taking a changed configuration over while the server runs: keys and limits, in one step, or nothing at all. What cannot
//! be changed without a restart is named, and stays as it was. Reading the configuration again, and when, is for the
//! program around the server; so is its log's filter, which is the whole process's.

use std::sync::Arc;

use parlance_auth::RenewableKeys;
use parlance_domain::services::{Services, Uploading};
use parlance_media::Intake;
use parlance_socketio::Transport;

use crate::builder::socketio_config;
use crate::config::{Config, ConfigError, SERVER_API_KEYS, Setting};
use crate::tokens::OwnTokens;

/// Takes changed configurations over, for a server that was built and as long as it runs.
#[derive(Clone)]
pub struct Reloading {
    /// What holds where a restart is needed.
    pub(crate) started: Config,
    /// What holds where none is.
    pub(crate) holds: Config,
    /// `None` with a verifier of the program's own, which has its own keys.
    pub(crate) tokens: Option<OwnTokens>,
    /// `None` where the server API was off at start: its routes are not there.
    pub(crate) api_keys: Option<Arc<RenewableKeys>>,
    pub(crate) services: Services,
    pub(crate) transport: Transport,
    pub(crate) uploading: Uploading,
    pub(crate) intake: Arc<Intake>,
}

/// What a changed configuration led to, by the names of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// What holds from now on. The content of a file that a setting names is taken over without being in here.
    pub changed: Vec<&'static str>,
    /// What is given otherwise than at start, and holds only after a restart.
    pub needs_restart: Vec<&'static str>,
}

impl Reloading {
    /// Takes over what can be taken over of `next`. Whoever is connected stays connected, also with a token of a key that is
    /// gone; what is under way is judged by the limits of before or of now.
    ///
    /// # Errors
    /// [`ConfigError`] where keys are missing or cannot be had: everything is as it was.
    pub async fn apply(&mut self, next: Config) -> Result<Reloaded, ConfigError> {
        let renewal = match &self.tokens {
            Some(tokens) => {
                next.require_keys()?;
                Some(tokens.prepare(&next).await?)
            }
            None => None,
        };
        // From here on nothing fails.
        let live = |setting: &&Setting| setting.live && (setting.name != SERVER_API_KEYS || self.api_keys.is_some());
        let name = |setting: &Setting| setting.name;
        let reloaded = Reloaded {
            changed: self.holds.differing(&next).filter(live).map(name).collect(),
            needs_restart: self.started.differing(&next).filter(|setting| !live(setting)).map(name).collect(),
        };
        if let (Some(tokens), Some(renewal)) = (&mut self.tokens, renewal) {
            tokens.renew(renewal);
        }
        if let Some(keys) = &self.api_keys {
            keys.renew(next.api_keys.clone().unwrap_or_default());
        }
        self.services.change_limits(next.services.limits, next.rates.per_user());
        self.transport.change_bounds(&socketio_config(&next));
        self.uploading.change_at_once(next.media.max_uploads);
        self.intake.change_max_bytes(next.media.max_upload_bytes as u64);
        self.holds = next;
        Ok(reloaded)
    }
}
