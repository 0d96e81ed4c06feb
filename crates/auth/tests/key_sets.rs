//! Keys from a real endpoint over HTTP: rotation, an endpoint that is down, one that misbehaves, and what is in key
//! sets that must not be used.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parlance_auth::{FetchError, Jwks, JwtVerifier, Keys};
use serde_json::{Value, json};
use support::{Pair, says, verifier};
use tokio::net::TcpListener;

/// An identity provider's endpoint.
#[derive(Clone)]
struct Endpoint {
    url: String,
    shown: Arc<parking_lot::Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let endpoint = Self { url, shown: Arc::default(), asked: Arc::default() };
        let answering = endpoint.clone();
        let answer = move || async move {
            answering.asked.fetch_add(1, Ordering::Relaxed);
            let (status, body) = answering.shown.lock().clone();
            // A redirect leads to the endpoint itself, so that following it would be noticed.
            Response::builder().status(status).header(header::LOCATION, "/keys?again").body(Body::from(body)).unwrap()
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", get(answer))).await });
        endpoint
    }

    fn shows(&self, keys: &Value) {
        *self.shown.lock() = (StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    fn answers(&self, status: u16, body: String) {
        *self.shown.lock() = (StatusCode::from_u16(status).unwrap(), body);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn jwks(&self) -> Arc<Jwks> {
        Arc::new(Jwks::at(&self.url).unwrap())
    }

    fn verifier(&self) -> JwtVerifier {
        verifier(Keys::public(None, Some(self.jwks())))
    }
}

/// Lets time pass for what counts it, and not for the network.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn every_kind_of_published_key_checks_its_tokens() {
    let endpoint = Endpoint::start().await;
    let (rsa, p256, ed25519) = (Pair::rsa(2048).0, Pair::p256(), Pair::ed25519());
    endpoint.shows(&json!([
        rsa.jwk(Some("r"), &json!({"use": "sig"})),
        p256.jwk(Some("p"), &json!({"alg": "ES256"})),
        ed25519.jwk(Some("e"), &json!({"key_ops": ["verify"]})),
    ]));
    let verifier = endpoint.verifier();
    for (pair, id, algorithm) in [
        (&rsa, "r", Algorithm::RS256),
        (&rsa, "r", Algorithm::PS256),
        (&p256, "p", Algorithm::ES256),
        (&ed25519, "e", Algorithm::EdDSA),
    ] {
        assert_eq!(says(&verifier, &pair.sign(algorithm, Some(id))).await, "a", "{algorithm:?}");
        assert_eq!(says(&verifier, &pair.sign(algorithm, None)).await, "a", "{algorithm:?}, without a kid");
    }
    assert_eq!(endpoint.asked(), 1, "the keys are kept");
}

#[tokio::test]
async fn the_algorithm_of_a_published_key_is_its_own() {
    let endpoint = Endpoint::start().await;
    let rsa = Pair::rsa(2048).0;
    endpoint.shows(&json!([rsa.jwk(Some("r"), &json!({"alg": "PS256"}))]));
    let verifier = endpoint.verifier();
    assert_eq!(says(&verifier, &rsa.sign(Algorithm::PS256, Some("r"))).await, "a");
    assert_eq!(says(&verifier, &rsa.sign(Algorithm::RS256, Some("r"))).await, "unknown key");
}

#[tokio::test]
async fn a_key_set_holds_no_secrets() {
    let endpoint = Endpoint::start().await;
    let (published, secret) = (Pair::ed25519(), "shown to everybody");
    let encoded = URL_SAFE_NO_PAD.encode(secret);
    endpoint.shows(&json!([{"kty": "oct", "k": encoded, "kid": "s"}, published.jwk(Some("e"), &json!({}))]));
    let verifier = endpoint.verifier();
    assert_eq!(says(&verifier, &published.sign(Algorithm::EdDSA, Some("e"))).await, "a");
    for secret in [secret, &encoded, &published.pem] {
        let header = Header { kid: Some("s".to_owned()), ..Header::new(Algorithm::HS256) };
        let forged = encode(&header, &json!({"sub": "a"}), &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        assert_eq!(says(&verifier, &forged).await, "wrong algorithm");
    }
    assert_eq!(endpoint.asked(), 1, "a token that no published key can have signed asks for none");
}

#[tokio::test]
async fn keys_are_changed_without_a_restart() {
    let endpoint = Endpoint::start().await;
    let (old, new) = (Pair::p256(), Pair::p256());
    let [shown_old, shown_new] =
        [(&old, "2026-10"), (&new, "2026-11")].map(|(pair, id)| pair.jwk(Some(id), &json!({})));
    let [old, new] = [(old, "2026-10"), (new, "2026-11")].map(|(pair, id)| pair.sign(Algorithm::ES256, Some(id)));
    let verifier = endpoint.verifier();
    endpoint.shows(&json!([shown_old]));
    assert_eq!(says(&verifier, &old).await, "a");
    endpoint.shows(&json!([shown_old, shown_new]));
    assert_eq!(says(&verifier, &new).await, "unknown key", "asked less than a minute ago");
    pass(MINUTE).await;
    assert_eq!(says(&verifier, &new).await, "a");
    assert_eq!(says(&verifier, &old).await, "a");
    endpoint.shows(&json!([shown_new]));
    pass(MINUTE * 10).await;
    assert_eq!(says(&verifier, &old).await, "unknown key", "withdrawn");
    assert_eq!(says(&verifier, &new).await, "a");
    assert_eq!(endpoint.asked(), 3);
}

#[tokio::test]
async fn a_token_cannot_make_the_server_ask_often() {
    let endpoint = Endpoint::start().await;
    let (pair, stranger) = (Pair::ed25519(), Pair::ed25519());
    endpoint.shows(&json!([pair.jwk(Some("e"), &json!({}))]));
    let verifier = endpoint.verifier();
    for attempt in 0..200 {
        let forged = stranger.sign(Algorithm::EdDSA, Some(&format!("made up {attempt}")));
        assert_eq!(says(&verifier, &forged).await, "unknown key");
    }
    assert_eq!(endpoint.asked(), 1);
    assert_eq!(says(&verifier, &pair.sign(Algorithm::EdDSA, Some("e"))).await, "a");
}

#[tokio::test]
async fn keys_hold_while_the_endpoint_fails_whatever_it_says() {
    let endpoint = Endpoint::start().await;
    let pair = Pair::ed25519();
    let token = pair.sign(Algorithm::EdDSA, Some("e"));
    endpoint.shows(&json!([pair.jwk(Some("e"), &json!({}))]));
    let verifier = endpoint.verifier();
    assert_eq!(says(&verifier, &token).await, "a");
    let endless = format!("{{\"keys\": [\"{}\"]}}", "x".repeat(300 * 1024));
    let failures = [
        (500, "{}".to_owned()),
        (302, String::new()),
        (200, "<html>".to_owned()),
        (200, "{\"keys\":[]}".to_owned()),
        (200, endless),
    ];
    for (asked, (status, body)) in failures.into_iter().enumerate() {
        endpoint.answers(status, body);
        pass(MINUTE * 10).await;
        assert_eq!(says(&verifier, &token).await, "a", "{status}");
        assert_eq!(endpoint.asked(), asked + 2, "{status}");
    }
}

#[tokio::test]
async fn nobody_is_refused_for_an_endpoint_that_never_answered() {
    // A port on which nobody listens.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", taken.local_addr().unwrap());
    drop(taken);
    let jwks = Arc::new(Jwks::at(&url).unwrap());
    assert!(matches!(jwks.load().await, Err(FetchError::Unreachable(_))));
    let verifier = verifier(Keys::public(None, Some(Arc::clone(&jwks))));
    assert_eq!(says(&verifier, &Pair::p256().sign(Algorithm::ES256, Some("k"))).await, "unavailable");
    assert!(!jwks.is_loaded());
}

#[tokio::test]
async fn given_and_published_keys_hold_together() {
    let endpoint = Endpoint::start().await;
    let (given, published) = (Pair::p256(), Pair::ed25519());
    endpoint.shows(&json!([published.jwk(Some("e"), &json!({}))]));
    let verifier = verifier(Keys::public(Some(given.pem.parse().unwrap()), Some(endpoint.jwks())));
    assert_eq!(says(&verifier, &given.sign(Algorithm::ES256, Some("unheard of"))).await, "a");
    assert_eq!(says(&verifier, &published.sign(Algorithm::EdDSA, Some("e"))).await, "a");
}
