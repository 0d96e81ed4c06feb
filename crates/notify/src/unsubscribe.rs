//! The links by which somebody who was mailed wants no more (RFC 8058: one click, without signing in). A link says whose
//! it is and is signed, with a key that is for this alone; it holds for good, as mails are kept for good.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use parlance_domain::model::UserId;
use parlance_domain::ports::UnsubscribeLinks;
use sha2::Sha256;

/// The keys of links: the first signs, all of them are taken.
#[derive(Clone)]
pub struct UnsubscribeKeys {
    present: [u8; 32],
    previous: Vec<[u8; 32]>,
}

impl UnsubscribeKeys {
    /// The present key, and those before it whose links are still about.
    pub fn new(present: [u8; 32], previous: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self { present, previous: previous.into_iter().collect() }
    }

    /// The token of somebody's links.
    pub(crate) fn token(&self, user: &UserId) -> String {
        let mac = signed(&self.present, user).map(|mac| mac.finalize().into_bytes());
        let signature = mac.map(|mac| BASE64_URL_SAFE_NO_PAD.encode(mac)).unwrap_or_default();
        format!("{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(user.as_str()))
    }
}

impl UnsubscribeLinks for UnsubscribeKeys {
    fn find(&self, token: &str) -> Option<UserId> {
        let (user, signature) = token.split_once('.')?;
        let user = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
        let user: UserId = user.parse().ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut keys = std::iter::once(&self.present).chain(&self.previous);
        // In constant time for each key.
        let ours = |key| signed(key, &user).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        keys.any(ours).then_some(user)
    }
}

/// HMAC takes keys of every length, so there is always one.
fn signed(key: &[u8; 32], user: &UserId) -> Option<Hmac<Sha256>> {
    Some(Hmac::new_from_slice(key).ok()?.chain_update(user.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_its_users_and_nobody_elses() {
        let keys = UnsubscribeKeys::new([1; 32], []);
        let (ann, odd): (UserId, UserId) = ("ann".parse().unwrap(), "ä.b/c&d=".parse().unwrap());
        for user in [&ann, &odd] {
            let token = keys.token(user);
            assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{token}");
            assert_eq!(keys.find(&token).as_ref(), Some(user));
        }
        let signature = keys.token(&ann).split_once('.').map(|(_, signature)| signature.to_owned()).unwrap();
        let bob = BASE64_URL_SAFE_NO_PAD.encode("bob");
        for forged in [format!("{bob}.{signature}"), format!("{bob}."), bob.clone(), String::new(), ".".to_owned()] {
            assert_eq!(keys.find(&forged), None, "{forged}");
        }
        assert_eq!(UnsubscribeKeys::new([2; 32], []).find(&keys.token(&ann)), None, "signed with another key");
    }

    #[test]
    fn links_outlive_the_key_that_signed_them() {
        let ann: UserId = "ann".parse().unwrap();
        let token = UnsubscribeKeys::new([1; 32], []).token(&ann);
        assert_eq!(UnsubscribeKeys::new([2; 32], [[1; 32]]).find(&token), Some(ann));
    }
}
