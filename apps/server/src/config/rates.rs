//! How fast clients may go: the `RATE_` settings, which `RATE_LIMITS=off` lifts all at once.

use parlance_domain::rules::{Rate, Rates};

use super::layers::Layers;
use super::value::{choice, rate};
use super::{ConfigError, Setting, bounded, needed, setting};

/// Limits of rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSettings {
    /// Whether they hold at all.
    pub hold: bool,
    /// What each person may do how fast.
    pub rates: Rates,
    /// Failed handshakes of one network in a minute.
    pub failed_handshakes: u32,
}

impl RateSettings {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let a_minute =
            |setting: &Setting| bounded(layers, setting).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        Ok(Self {
            hold: needed(layers, &setting::RATE_LIMITS, choice([("on", true), ("off", false)]))?,
            rates: Rates {
                events: needed(layers, &setting::RATE_EVENTS, rate)?,
                sends: needed(layers, &setting::RATE_SENDS, rate)?,
                typing: needed(layers, &setting::RATE_TYPING, rate)?,
                requests: needed(layers, &setting::RATE_REST, rate)?,
                uploads: Rate::per_minute(a_minute(&setting::RATE_UPLOADS)?),
            },
            failed_handshakes: a_minute(&setting::RATE_FAILED_HANDSHAKES)?,
        })
    }

    /// What holds for people.
    pub fn per_user(&self) -> Option<Rates> {
        self.hold.then_some(self.rates)
    }

    /// What holds for failed handshakes.
    pub fn failed_handshakes(&self) -> Option<u32> {
        self.hold.then_some(self.failed_handshakes)
    }
}
