//! The verifier against good tokens, a table of bad ones, and anything at all.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parlance_auth::{JwtVerifier, Keys, Secret, TokenRequest, VerifierSettings, mint};
use parlance_domain::model::{ClaimedProfile, Timestamp};
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "a secret of the tests";
const NOW: i64 = 1_800_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW * 1000)
    }
}

fn secret() -> Secret {
    Secret::new(SECRET).expect("not empty")
}

fn verifier(settings: &VerifierSettings) -> JwtVerifier {
    JwtVerifier::new(Keys::secrets([&secret()]), settings.clone(), Arc::new(Fixed))
}

fn verify(verifier: &JwtVerifier, token: &str) -> Result<Claims, TokenError> {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(verifier.verify(token))
}

fn plain(token: &str) -> Result<Claims, TokenError> {
    verify(&verifier(&VerifierSettings::default()), token)
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("a token")
}

fn token(claims: &Value) -> String {
    signed(Algorithm::HS256, SECRET, claims)
}

#[test]
fn a_minted_token_is_accepted_and_says_what_was_asked() {
    let request = TokenRequest {
        profile: ClaimedProfile { name: Some("Alice".into()), picture: Some("https://x/a.png".into()) },
        expires_in: Some(Duration::from_hours(1)),
        issuer: Some("shop".into()),
        audience: Some("chat".into()),
        ..TokenRequest::new("alice".parse().expect("a valid id"))
    };
    let minted = mint(&secret(), &request, Fixed.now()).expect("a token");
    let strict = VerifierSettings {
        issuers: vec!["shop".into()],
        audiences: vec!["other".into(), "chat".into()],
        ..VerifierSettings::default()
    };
    let claims = verify(&verifier(&strict), &minted).expect("accepted");
    assert_eq!(claims.user_id, request.user_id);
    assert_eq!(claims.profile, request.profile);
    assert_eq!(claims.expires_at, Some(Timestamp::from_millis((NOW + 3600) * 1000)));

    let lasting = mint(&secret(), &TokenRequest::new("bob".parse().expect("a valid id")), Fixed.now());
    assert_eq!(plain(&lasting.expect("a token")).expect("accepted").expires_at, None);
}

#[test]
fn all_three_hmac_algorithms_are_accepted() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        assert!(plain(&signed(algorithm, SECRET, &json!({"sub": "a"}))).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn a_number_is_an_id_in_its_decimal_text() {
    for name in ["sub", "_id", "id", "userId"] {
        let claims = plain(&token(&json!({ name: 17 }))).expect("accepted");
        assert_eq!(claims.user_id.as_str(), "17");
    }
}

#[test]
fn bad_tokens_are_refused_each_for_its_reason() {
    let good = token(&json!({"sub": "a"}));
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let payload = head.split_once('.').expect("two parts").1;
    let mut critical = Header::new(Algorithm::HS256);
    critical.crit = Some(vec!["exp".into()]);
    let critical = encode(&critical, &json!({"sub": "a"}), &EncodingKey::from_secret(SECRET.as_bytes()));
    let table = [
        (String::new(), "malformed"),
        ("abc".into(), "malformed"),
        ("a.b.c".into(), "malformed"),
        (format!("{good}.x"), "malformed"),
        (format!("Bearer {good}"), "malformed"),
        // {"alg":"none"}, unsigned and with a signature.
        (format!("eyJhbGciOiJub25lIn0.{payload}."), "malformed"),
        (format!("eyJhbGciOiJub25lIn0.{payload}.{signature}"), "malformed"),
        // {"alg":"RS256"} with an HMAC signature.
        (format!("eyJhbGciOiJSUzI1NiJ9.{payload}.{signature}"), "wrong algorithm"),
        (format!("{head}."), "wrong signature"),
        (signed(Algorithm::HS256, "another secret", &json!({"sub": "a"})), "wrong signature"),
        (token(&json!("text")), "malformed"),
        (token(&json!({"sub": "a", "exp": NOW - 1})), "expired"),
        (token(&json!({"sub": "a", "exp": NOW})), "expired"),
        (token(&json!({"sub": "a", "exp": "tomorrow"})), "a time claim is not a time"),
        (token(&json!({"sub": "a", "exp": -5})), "a time claim is not a time"),
        (token(&json!({"sub": "a", "nbf": NOW + 1})), "not yet valid"),
        (token(&json!({"sub": "a", "nbf": []})), "a time claim is not a time"),
        (token(&json!({"name": "nobody"})), "no user id"),
        (token(&json!({"_id": {}})), "the user id is neither text nor a whole number"),
        (token(&json!({"sub": ""})), "the user id is empty, too long or has control characters"),
        (token(&json!({"sub": "a", "pad": "x".repeat(8192)})), "too long"),
        (critical.expect("a token"), "a critical header extension is not understood"),
    ];
    for (token, reason) in table {
        match plain(&token) {
            Err(TokenError::Invalid(said)) => assert_eq!(said, reason, "{token}"),
            other => panic!("{token}: {other:?}"),
        }
    }
}

#[test]
fn issuer_and_audience_are_looked_at_only_where_they_are_set() {
    let strict = verifier(&VerifierSettings {
        issuers: vec!["shop".into()],
        audiences: vec!["chat".into()],
        ..VerifierSettings::default()
    });
    let says = |claims: Value| match verify(&strict, &token(&claims)) {
        Ok(_) => "accepted".to_owned(),
        Err(TokenError::Invalid(reason)) => reason,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(says(json!({"sub": "a", "iss": "shop", "aud": ["web", "chat"]})), "accepted");
    assert_eq!(says(json!({"sub": "a", "iss": "shop", "aud": "web"})), "wrong audience");
    assert_eq!(says(json!({"sub": "a", "iss": "thief", "aud": "chat"})), "wrong issuer");
    assert_eq!(says(json!({"sub": "a", "iss": "shop"})), "no audience");
    assert_eq!(says(json!({"sub": "a", "iss": "shop", "aud": [7]})), "wrong audience");
    assert_eq!(says(json!({"sub": "a", "iss": "shop", "aud": {}})), "no audience");
    assert_eq!(says(json!({"sub": "a", "aud": "chat"})), "no issuer");
    for none in [json!(5), json!(null), json!(["shop"])] {
        assert_eq!(says(json!({"sub": "a", "iss": none, "aud": "chat"})), "no issuer", "{none}");
    }
    assert!(plain(&token(&json!({"sub": "a", "iss": "anybody", "aud": "anything"}))).is_ok());
}

#[test]
fn required_claims_are_there_whatever_they_say() {
    let strict = verifier(&VerifierSettings {
        required_claims: vec!["exp".into(), "tenant".into()],
        ..VerifierSettings::default()
    });
    assert!(verify(&strict, &token(&json!({"sub": "a", "exp": NOW + 9, "tenant": false}))).is_ok());
    for claims in [
        json!({"sub": "a", "tenant": "t"}),
        json!({"sub": "a", "exp": NOW + 9}),
        json!({"sub": "a", "exp": NOW + 9, "tenant": null}),
    ] {
        let refused = verify(&strict, &token(&claims)).unwrap_err();
        assert_eq!(refused.to_string(), "invalid token: a required claim is missing", "{claims}");
    }
}

#[test]
fn with_two_secrets_tokens_of_both_are_accepted_and_of_no_third() {
    let (new, old) = (Secret::new("the new one").expect("not empty"), secret());
    let verifier = JwtVerifier::new(Keys::secrets([&new, &old]), VerifierSettings::default(), Arc::new(Fixed));
    for (secret, accepted) in [("the new one", true), (SECRET, true), ("a third", false)] {
        let token = signed(Algorithm::HS256, secret, &json!({"sub": "a"}));
        assert_eq!(verify(&verifier, &token).is_ok(), accepted, "{secret}");
    }
}

#[test]
fn leeway_widens_both_ends_and_the_life_of_the_token() {
    let lenient = verifier(&VerifierSettings { leeway: Duration::from_secs(30), ..VerifierSettings::default() });
    let claims = verify(&lenient, &token(&json!({"sub": "a", "exp": NOW - 29}))).expect("accepted");
    assert_eq!(claims.expires_at, Some(Timestamp::from_millis((NOW + 1) * 1000)));
    assert!(verify(&lenient, &token(&json!({"sub": "a", "exp": NOW - 30}))).is_err());
    assert!(verify(&lenient, &token(&json!({"sub": "a", "nbf": NOW + 30}))).is_ok());
    assert!(verify(&lenient, &token(&json!({"sub": "a", "nbf": NOW + 31}))).is_err());
}

#[test]
fn a_verifier_does_not_show_its_secret() {
    let shown = format!("{:?}", verifier(&VerifierSettings::default()));
    assert!(!shown.contains(SECRET) && !shown.contains("key"), "{shown}");
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any::<String>(), 0..3).prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn no_text_is_a_token(text: String) {
        prop_assert!(plain(&text).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), byte in 0x21u8..0x7f) {
        let mut bytes = token(&json!({"sub": "a", "name": "Alice"})).into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(plain(&String::from_utf8(bytes).expect("ASCII")).is_err());
    }

    #[test]
    fn whatever_is_signed_yields_a_sound_bearer_or_none(
        claims in prop::collection::hash_map("sub|_id|id|userId|name|fullName|picture|profileImage|exp|nbf", any_json(), 0..8),
    ) {
        if let Ok(claims) = plain(&token(&json!(claims))) {
            prop_assert!(!claims.user_id.as_str().is_empty());
            prop_assert!(claims.profile.name.is_none_or(|name| (1..=200).contains(&name.chars().count())));
            prop_assert!(claims.profile.picture.is_none_or(|link| (1..=2048).contains(&link.len())));
            prop_assert!(claims.expires_at.is_none_or(|at| at > Fixed.now()));
        }
    }
}
