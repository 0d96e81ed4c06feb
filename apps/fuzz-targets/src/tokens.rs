//! A token: the text itself, and any claims under a good signature.

use std::sync::{Arc, LazyLock};

use jsonwebtoken::{EncodingKey, Header, encode};
use parlance_auth::{JwtVerifier, Keys, Secret, VerifierSettings};
use parlance_domain::model::{Timestamp, User, UserId};
use parlance_domain::ports::{Clock, TokenVerifier};
use serde_json::{Map, Value};

use crate::world::run;

const SECRET: &str = "a secret that only the fuzzer knows";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

static VERIFIER: LazyLock<Option<JwtVerifier>> = LazyLock::new(|| {
    let secret = Secret::new(SECRET).ok()?;
    Some(JwtVerifier::new(Keys::secrets([&secret]), VerifierSettings::default(), Arc::new(Noon)))
});

/// Bytes as a token, and as the claims of one that is signed. Who gets in has an id and a name that hold the rules.
///
/// # Panics
/// Where that does not hold.
pub fn token(data: &[u8]) {
    let (Ok(text), Some(verifier)) = (std::str::from_utf8(data), VERIFIER.as_ref()) else { return };
    assert!(run(verifier.verify(text)).is_err() || text.contains('.'), "nothing but a token is one");
    let Ok(claims) = serde_json::from_str::<Map<String, Value>>(text) else { return };
    let Ok(signed) = encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())) else { return };
    if let Ok(claims) = run(verifier.verify(&signed)) {
        assert!((1..=UserId::MAX_BYTES).contains(&claims.user_id.as_str().len()), "an id has its length");
        let name = claims.profile.name.unwrap_or_default();
        assert!(name.chars().count() <= User::MAX_NAME_CHARS && !name.chars().any(char::is_control), "so has a name");
    }
}
