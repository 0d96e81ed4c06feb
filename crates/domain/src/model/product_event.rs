//! Events of a product's own, which its backend sends to its clients. This server carries them and does not look into
//! what they say.

use crate::error::{Error, Result};

/// An event of a product's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductEvent {
    name: String,
    data: Option<String>,
}

impl ProductEvent {
    /// The longest name, in bytes.
    pub const MAX_NAME_BYTES: usize = 100;
    /// The most JSON that it carries, in bytes.
    pub const MAX_DATA_BYTES: usize = 64 * 1024;

    /// An event of this name, with this JSON or without any. That no vocabulary of the server's own has the name is for
    /// whoever knows them to see to.
    ///
    /// # Errors
    /// `Validation` of `event` unless it has 1 to 100 letters, digits and `:._-/`; of `data` above 64 KiB.
    pub fn new(name: &str, data: Option<String>) -> Result<Self> {
        let fits = (1..=Self::MAX_NAME_BYTES).contains(&name.len());
        if !fits || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-/".contains(&byte)) {
            return Err(Error::validation("event", "must have 1 to 100 letters, digits or any of :._-/"));
        }
        if data.as_ref().is_some_and(|data| data.len() > Self::MAX_DATA_BYTES) {
            return Err(Error::validation("data", "must have at most 64 KiB as JSON"));
        }
        Ok(Self { name: name.to_owned(), data })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it carries, as JSON.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_data_is_bounded() {
        for name in ["order:update", "a", "v2/Cart.changed-by_user", &"x".repeat(100)] {
            assert_eq!(ProductEvent::new(name, None).map(|event| event.name().to_owned()), Ok(name.to_owned()));
        }
        for name in ["", " ", "two words", "új", "new\nline", &"x".repeat(101)] {
            assert!(ProductEvent::new(name, None).is_err(), "{name:?}");
        }
        assert!(ProductEvent::new("a", Some("1".repeat(ProductEvent::MAX_DATA_BYTES))).is_ok());
        assert!(ProductEvent::new("a", Some("1".repeat(ProductEvent::MAX_DATA_BYTES + 1))).is_err());
    }
}
