//! Keys of the server API: the `ApiKeys` port over the text of `SERVER_API_KEYS`. Only hashes of the keys stay in memory.

use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parlance_domain::ports::{ApiCaller, ApiKeys, Scope};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The shortest key, in bytes: what is shorter can be guessed.
const MIN_KEY_BYTES: usize = 16;
/// The longest key that is looked at, in bytes.
const MAX_KEY_BYTES: usize = 512;
/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// Why a text has no keys in it. Nothing of a key is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} {problem}")]
pub struct InvalidApiKeys {
    entry: usize,
    problem: String,
}

/// Keys, hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HashedKeys(Vec<HashedKey>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HashedKey {
    caller: ApiCaller,
    hash: [u8; 32],
}

impl ApiKeys for HashedKeys {
    fn find(&self, key: &str) -> Option<ApiCaller> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        let hash = hash(key);
        // All of them are compared, and all of each.
        let mut found = None;
        for known in &self.0 {
            if bool::from(known.hash.ct_eq(&hash)) {
                found = Some(&known.caller);
            }
        }
        found.cloned()
    }
}

/// Keys that may change while programs call: each call is held against those that there are when it comes.
#[derive(Debug)]
pub struct RenewableKeys(ArcSwap<HashedKeys>);

impl RenewableKeys {
    /// These keys, to begin with.
    pub fn new(keys: HashedKeys) -> Self {
        Self(ArcSwap::from_pointee(keys))
    }

    /// Lets these be all keys.
    pub fn renew(&self, keys: HashedKeys) {
        self.0.store(Arc::new(keys));
    }
}

impl ApiKeys for RenewableKeys {
    fn find(&self, key: &str) -> Option<ApiCaller> {
        self.0.load().find(key)
    }
}

/// `NAME=KEY` or `NAME:SCOPE+SCOPE=KEY`, separated by commas. Without scopes a key is for everything.
impl FromStr for HashedKeys {
    type Err = InvalidApiKeys;

    fn from_str(text: &str) -> Result<Self, InvalidApiKeys> {
        let mut keys: Vec<HashedKey> = Vec::new();
        for (at, entry) in text.split(',').map(str::trim).enumerate() {
            let refused = |problem: String| InvalidApiKeys { entry: at + 1, problem };
            let (label, key) =
                entry.split_once('=').ok_or_else(|| refused("is not NAME=KEY or NAME:SCOPE+SCOPE=KEY".to_owned()))?;
            let (name, scopes) = match label.split_once(':') {
                Some((name, scopes)) => {
                    (name, scopes.split('+').map(scope).collect::<Result<_, _>>().map_err(refused)?)
                }
                None => (label, Scope::ALL.to_vec()),
            };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(plain) {
                return Err(refused("needs a name of 1 to 32 letters, digits, - or _".to_owned()));
            }
            if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic())
            {
                return Err(refused("needs a key of 16 to 512 visible ASCII characters".to_owned()));
            }
            let key = HashedKey { caller: ApiCaller { name: name.to_owned(), scopes }, hash: hash(key) };
            if keys.iter().any(|known| known.caller.name == key.caller.name || known.hash == key.hash) {
                return Err(refused("has the name or the key of an earlier one".to_owned()));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or_else(|| {
        let known = Scope::ALL.map(Scope::name).join(", ");
        format!("has the unknown scope {name:?} (there are {known})")
    })
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "shop=0123456789abcdef, ops:presence+sessions=fedcba9876543210";

    #[test]
    fn a_key_is_found_with_its_name_and_scopes() {
        let keys: HashedKeys = KEYS.parse().expect("these are keys");
        let shop = ApiCaller { name: "shop".to_owned(), scopes: Scope::ALL.to_vec() };
        let ops = ApiCaller { name: "ops".to_owned(), scopes: vec![Scope::Presence, Scope::Sessions] };
        assert_eq!(keys.find("0123456789abcdef"), Some(shop));
        assert_eq!(keys.find("fedcba9876543210"), Some(ops));
        for wrong in ["", "0123456789abcde", "0123456789abcdef ", "shop", &"x".repeat(10_000)] {
            assert_eq!(keys.find(wrong), None);
        }
        assert!(!format!("{keys:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn renewed_keys_hold_and_those_before_do_not() {
        let keys = RenewableKeys::new(KEYS.parse().expect("these are keys"));
        keys.renew("shop=another-key-0123456789".parse().expect("this is a key"));
        assert!(keys.find("0123456789abcdef").is_none() && keys.find("another-key-0123456789").is_some());
        keys.renew(HashedKeys::default());
        assert!(keys.find("another-key-0123456789").is_none());
    }

    #[test]
    fn a_bad_entry_is_named_and_its_key_is_not() {
        for (text, problem) in [
            ("", "entry 1 is not NAME=KEY"),
            ("0123456789abcdef", "entry 1 is not NAME=KEY"),
            ("shop=0123456789abcdef,ops=short-secret", "entry 2 needs a key of 16"),
            ("shop=0123456789 abcdef", "entry 1 needs a key of 16"),
            ("=0123456789abcdef", "entry 1 needs a name"),
            ("ops:everything=0123456789abcdef", "entry 1 has the unknown scope \"everything\""),
            ("a=0123456789abcdef,a=1123456789abcdef", "entry 2 has the name or the key of an earlier one"),
            ("a=0123456789abcdef,b=0123456789abcdef", "entry 2 has the name or the key of an earlier one"),
        ] {
            let error = text.parse::<HashedKeys>().expect_err(text).to_string();
            assert!(error.starts_with(problem), "{error}");
            assert!(!error.contains("0123456789") && !error.contains("short-secret"), "{error}");
        }
    }
}
