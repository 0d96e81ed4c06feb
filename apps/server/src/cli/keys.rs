//! `parlance keys vapid`: a new key by which push services know a server, as lines of its environment.

use parlance_notify::VapidKey;

use super::failure::Failure;
use super::say;

pub(super) fn vapid() -> Result<(), Failure> {
    let Some(key) = VapidKey::generate() else {
        return Err(Failure::Usage("the system has no randomness for a key".to_owned()));
    };
    say(&format!(
        "VAPID_PRIVATE_KEY={}\n# the public key, which browsers are given: {}\n",
        key.private_key(),
        key.public_key()
    ))
}
