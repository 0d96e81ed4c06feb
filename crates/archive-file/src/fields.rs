//! Values that stand in a line as text. A text that is no such value is refused where it stands, so that the error
//! can name its field.

use std::fmt::Display;
use std::str::FromStr;

use parlance_domain::Result;
use parlance_domain::model::{ClientMessageId, Emoji, NotificationKind, Timestamp, Title};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value as its text: ids and hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A text that the domain has rules for, which it checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruled<T>(pub(crate) T);

/// What [`Ruled`] needs to know of a text.
pub(crate) trait Rule: Sized {
    fn check(text: &str) -> Result<Self>;
    fn text(&self) -> &str;
}

macro_rules! rule {
    ($($name:ident),*) => {
        $(impl Rule for $name {
            fn check(text: &str) -> Result<Self> {
                Self::new(text)
            }

            fn text(&self) -> &str {
                self.as_str()
            }
        })*
    };
}

rule!(ClientMessageId, Emoji, NotificationKind, Title);

impl<T: Rule> Serialize for Ruled<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text())
    }
}

impl<'de, T: Rule> Deserialize<'de> for Ruled<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::check(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A moment as its milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Millis(i64);

impl From<Timestamp> for Millis {
    fn from(moment: Timestamp) -> Self {
        Self(moment.millis())
    }
}

impl From<Millis> for Timestamp {
    fn from(millis: Millis) -> Self {
        Self::from_millis(millis.0)
    }
}
