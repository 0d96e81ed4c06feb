//! The server with public keys instead of a secret: from a file, and from an identity provider's endpoint.

use std::sync::Arc;

use axum::Router;
use axum::routing;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::{Parlance, Running};
use crate::serving::get;

const MEMORY: (&str, &str) = ("DATABASE_URL", "memory:");

/// A key pair: what signs, and the public key's text.
fn pair() -> (EncodingKey, String) {
    let private = p256::SecretKey::random(&mut p256::elliptic_curve::rand_core::OsRng);
    let signing = EncodingKey::from_ec_der(private.to_pkcs8_der().unwrap().as_bytes());
    (signing, private.public_key().to_public_key_pem(LineEnding::LF).unwrap())
}

fn token(key: &EncodingKey, id: &str) -> String {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::ES256) };
    encode(&header, &json!({"sub": "alice", "iss": "login"}), key).unwrap()
}

/// The whole answer to a bearer of this token.
fn answer(running: &Running, path: &str, token: &str) -> String {
    get(&running.address(0), path, &format!("Authorization: Bearer {token}\r\n"))
}

fn status(running: &Running, path: &str, token: &str) -> u16 {
    answer(running, path, token)[9..12].parse().unwrap()
}

const ME: &str = "/api/v1/users/me";

#[test]
fn tokens_are_checked_with_a_public_key_from_a_file() {
    let parlance = Parlance::new();
    let (key, pem) = pair();
    parlance.file("public.pem", &pem);
    let args = ["serve", "--listen", "127.0.0.1:0", "--auth-public-key-file", "public.pem", "--auth-issuer", "login"];
    let running = parlance.start(&args, &[MEMORY], 1);
    assert_eq!(status(&running, ME, &token(&key, "any")), 200);
    assert_eq!(status(&running, ME, &token(&pair().0, "any")), 401);
    let hmac =
        encode(&Header::default(), &json!({"sub": "alice", "iss": "login"}), &EncodingKey::from_secret(pem.as_bytes()));
    assert_eq!(status(&running, ME, &hmac.unwrap()), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_checked_with_published_keys_once_there_are_any() {
    let (key, pem) = pair();
    let shown: Arc<parking_lot::Mutex<Value>> = Arc::new(parking_lot::Mutex::new(json!({})));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let showing = Arc::clone(&shown);
    let show = move || async move { showing.lock().to_string() };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", routing::get(show))).await });

    let parlance = Parlance::new();
    let env = [MEMORY, ("AUTH_JWKS_URL", url.as_str())];
    let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], &env, 1);
    let unready = answer(&running, "/readyz", "");
    assert!(unready.starts_with("HTTP/1.1 503") && unready.contains("token keys"), "{unready}");
    assert_eq!(status(&running, ME, &token(&key, "k")), 503);
    let mut jwk = Jwk::from_decoding_key(&DecodingKey::from_ec_pem(pem.as_bytes()).unwrap(), None).unwrap();
    jwk.common.key_id = Some("k".to_owned());
    *shown.lock() = json!({ "keys": [jwk] });
    assert_eq!(status(&running, "/readyz", ""), 200, "asking fetches them");
    assert_eq!(status(&running, ME, &token(&key, "k")), 200);
    assert_eq!(status(&running, ME, &token(&key, "another")), 401);
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let parlance = Parlance::new();
    let pem = pair().1;
    parlance.file("public.pem", &pem);
    let (secret, previous) = (("ACCESS_TOKEN_SECRET", "hush"), ("ACCESS_TOKEN_SECRET_PREVIOUS", "hush"));
    let (key, file) = (("AUTH_PUBLIC_KEY", pem.as_str()), ("AUTH_PUBLIC_KEY_FILE", "public.pem"));
    let jwks = ("AUTH_JWKS_URL", "https://login.example/keys");
    for (env, line) in [
        (vec![secret, key], "AUTH_PUBLIC_KEY (environment): cannot be used beside ACCESS_TOKEN_SECRET"),
        (vec![secret, file], "AUTH_PUBLIC_KEY_FILE (environment): cannot be used beside ACCESS_TOKEN_SECRET"),
        (vec![secret, jwks], "AUTH_JWKS_URL (environment): cannot be used beside ACCESS_TOKEN_SECRET"),
        (vec![previous, jwks], "AUTH_JWKS_URL (environment): cannot be used beside ACCESS_TOKEN_SECRET_PREVIOUS"),
        (vec![key, file], "AUTH_PUBLIC_KEY_FILE (environment): cannot be used beside AUTH_PUBLIC_KEY"),
        (vec![previous], "ACCESS_TOKEN_SECRET is not set: ACCESS_TOKEN_SECRET_PREVIOUS goes with it"),
    ] {
        assert_eq!(parlance.refused(&["check-config"], &env), line);
    }
    let dev = parlance.refused(&["check-config", "--dev"], &[key]);
    assert!(dev.starts_with("AUTH_PUBLIC_KEY (environment): cannot be used beside --dev"), "{dev}");
    let unreadable = parlance.refused(&["check-config"], &[("AUTH_PUBLIC_KEY_FILE", "none.pem")]);
    assert!(unreadable.starts_with("AUTH_PUBLIC_KEY_FILE (environment): none.pem cannot be read: "), "{unreadable}");
    for env in [vec![key], vec![file], vec![jwks], vec![key, jwks], vec![secret, previous]] {
        parlance.answered(&["check-config"], &env);
    }
    let line = parlance.refused(&["token", "--user", "alice"], &[key]);
    assert_eq!(line, "the server's tokens are signed elsewhere: only public keys are configured");
}

#[test]
fn a_token_of_the_secret_before_is_still_good() {
    let parlance = Parlance::new();
    let (old, new) = ("the old secret, thirty-two bytes or more", "the new secret, thirty-two bytes or more");
    let token = parlance.answered(&["token", "--user", "alice"], &[("ACCESS_TOKEN_SECRET", old)]);
    let rotated = [MEMORY, ("ACCESS_TOKEN_SECRET", new), ("ACCESS_TOKEN_SECRET_PREVIOUS", old)];
    for (env, expected) in [(&rotated[..], 200), (&rotated[..2], 401)] {
        let running = parlance.start(&["serve", "--listen", "127.0.0.1:0"], env, 1);
        assert_eq!(status(&running, ME, token.trim_end()), expected);
    }
}
