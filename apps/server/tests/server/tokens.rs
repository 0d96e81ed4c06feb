//! `parlance token` and the server's verifier agree on what a token is.

use std::sync::Arc;
use std::time::Duration;

use parlance_auth::{JwtVerifier, Keys, Secret, VerifierSettings};
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};
use parlance_server::system::SystemClock;

use crate::process::Parlance;

const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "a secret of this test, long enough");

async fn verify(secret: &str, settings: &VerifierSettings, token: &str) -> Result<Claims, TokenError> {
    let secret = Secret::new(secret).unwrap();
    JwtVerifier::new(Keys::secrets([&secret]), settings.clone(), Arc::new(SystemClock)).verify(token.trim_end()).await
}

#[tokio::test]
async fn a_token_says_who_it_is_for() {
    let args = [
        "token",
        "--user",
        "alice",
        "--name",
        "Alice Ärger",
        "--picture",
        "https://a.example/a.png",
        "--expires",
        "30m",
    ];
    let token = Parlance::new().answered(&args, &[SECRET]);
    let claims = verify(SECRET.1, &VerifierSettings::default(), &token).await.unwrap();
    assert_eq!(claims.user_id.as_str(), "alice");
    assert_eq!(claims.profile.name.as_deref(), Some("Alice Ärger"));
    assert_eq!(claims.profile.picture.as_deref(), Some("https://a.example/a.png"));
    let left = claims.expires_at.unwrap().since(SystemClock.now());
    assert!(left > Duration::ZERO && left <= Duration::from_mins(30), "{left:?}");
}

#[tokio::test]
async fn a_token_is_for_the_configured_issuer_and_audience() {
    let env = [SECRET, ("AUTH_ISSUER", "https://login.example"), ("AUTH_AUDIENCE", "chat")];
    let settings = VerifierSettings {
        issuers: vec!["https://login.example".to_owned()],
        audiences: vec!["chat".to_owned()],
        ..VerifierSettings::default()
    };
    let parlance = Parlance::new();
    let token = parlance.answered(&["token", "--user", "alice"], &env);
    assert!(verify(SECRET.1, &settings, &token).await.is_ok());
    let token = parlance.answered(&["token", "--user", "alice"], &[SECRET]);
    assert!(verify(SECRET.1, &settings, &token).await.is_err());
}

#[tokio::test]
async fn the_secret_of_dev_outlives_the_process_and_is_of_one_folder() {
    let (here, there) = (Parlance::new(), Parlance::new());
    let args = ["token", "--dev", "--user", "alice"];
    let first = here.answered(&args, &[]);
    let kept = std::fs::read_to_string(here.folder().join("data/dev-secret")).unwrap();
    assert!(verify(&kept, &VerifierSettings::default(), &first).await.is_ok());
    let again = here.answered(&args, &[]);
    assert!(verify(&kept, &VerifierSettings::default(), &again).await.is_ok());
    let other = there.answered(&args, &[]);
    assert!(verify(&kept, &VerifierSettings::default(), &other).await.is_err());
}

#[test]
fn a_user_that_cannot_be_is_refused() {
    let parlance = Parlance::new();
    let line = parlance.refused(&["token", "--user", ""], &[SECRET]);
    assert_eq!(line, "--user \"\" must be 1 to 128 bytes without control characters");
    let line = parlance.refused(&["token"], &[SECRET]);
    assert!(line.contains("--user"), "{line}");
}
