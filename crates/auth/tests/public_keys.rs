//! Tokens that are signed with a private key: each family with a real pair, and the attacks on the choice of the
//! algorithm.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parlance_auth::{InvalidPublicKey, JwtVerifier, Keys, PublicKeys};
use serde_json::json;
use support::{Pair, pkcs1_pem, says, verifier};

fn of(pems: &[&str]) -> JwtVerifier {
    verifier(Keys::public(Some(pems.concat().parse().unwrap()), None))
}

#[tokio::test]
async fn an_rsa_key_checks_both_of_its_schemes_in_every_length() {
    let (pair, public) = Pair::rsa(2048);
    for pem in [&pair.pem, &pkcs1_pem(&public)] {
        let verifier = of(&[pem]);
        for algorithm in
            [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512]
        {
            assert_eq!(says(&verifier, &pair.sign(algorithm, None)).await, "a", "{algorithm:?}");
        }
        let (other, _) = Pair::rsa(2048);
        for algorithm in [Algorithm::RS256, Algorithm::PS256] {
            assert_eq!(says(&verifier, &other.sign(algorithm, None)).await, "wrong signature", "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn elliptic_curves_check_their_own_algorithm() {
    for (pair, other, algorithm) in
        [(Pair::p256(), Pair::p256(), Algorithm::ES256), (Pair::ed25519(), Pair::ed25519(), Algorithm::EdDSA)]
    {
        let verifier = of(&[&pair.pem]);
        assert_eq!(says(&verifier, &pair.sign(algorithm, Some("whatever"))).await, "a", "{algorithm:?}");
        assert_eq!(says(&verifier, &other.sign(algorithm, None)).await, "wrong signature", "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_public_key_is_nobodys_secret() {
    let (rsa, public) = Pair::rsa(2048);
    for (pair, more) in [(rsa, vec![pkcs1_pem(&public)]), (Pair::p256(), vec![]), (Pair::ed25519(), vec![])] {
        let verifier = of(&[&pair.pem]);
        let texts = more.iter().chain([&pair.pem]);
        for secret in texts.flat_map(|pem| [pem.clone(), pem.trim().to_owned(), pem.replace('\n', "")]) {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let key = EncodingKey::from_secret(secret.as_bytes());
                let forged = encode(&Header::new(algorithm), &json!({"sub": "a"}), &key).unwrap();
                assert_eq!(says(&verifier, &forged).await, "wrong algorithm", "{algorithm:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_cannot_choose_how_it_is_checked() {
    let (rsa, p256, ed25519) = (Pair::rsa(2048).0, Pair::p256(), Pair::ed25519());
    let every = [&rsa.pem, &p256.pem, &ed25519.pem];
    let all = of(&every.map(String::as_str));
    for (pair, own) in [(&rsa, Algorithm::RS256), (&p256, Algorithm::ES256), (&ed25519, Algorithm::EdDSA)] {
        let token = pair.sign(own, None);
        assert_eq!(says(&all, &token).await, "a", "the control: one of several keys fits");
        let verifiers = every.map(|pem| of(&[pem]));
        for verifier in verifiers.iter().zip(every).filter_map(|(verifier, pem)| (*pem != pair.pem).then_some(verifier))
        {
            assert_eq!(says(verifier, &token).await, "wrong algorithm", "{own:?} where another kind of key is");
        }
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (_, payload) = head.split_once('.').unwrap();
        for name in ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "none", "NONE", "None", "", "ES512", "RS1"] {
            let header = URL_SAFE_NO_PAD.encode(json!({ "alg": name }).to_string());
            for forged in [format!("{header}.{payload}.{signature}"), format!("{header}.{payload}.")] {
                for verifier in verifiers.iter().chain([&all]) {
                    assert_ne!(says(verifier, &forged).await, "a", "{own:?} as {name:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_comes_with_the_token_is_not_trusted() {
    let (ours, theirs) = (Pair::ed25519(), Pair::ed25519());
    let mut header = Header::new(Algorithm::EdDSA);
    header.jwk = serde_json::from_value(theirs.jwk(None, &json!({}))).unwrap();
    header.jku = Some("https://thief.example/keys".to_owned());
    header.x5u = Some("https://thief.example/chain".to_owned());
    let forged = encode(&header, &json!({"sub": "a"}), &theirs.signing).unwrap();
    assert_eq!(says(&of(&[&ours.pem]), &forged).await, "wrong signature");
}

#[tokio::test]
async fn several_keys_hold_at_once_while_they_are_changed() {
    let (old, new, third) = (Pair::p256(), Pair::p256(), Pair::p256());
    let verifier = of(&["made on Monday\n", &old.pem, "\n# and\n", &new.pem]);
    for (pair, outcome) in [(old, "a"), (new, "a"), (third, "wrong signature")] {
        assert_eq!(says(&verifier, &pair.sign(Algorithm::ES256, None)).await, outcome);
    }
}

#[tokio::test]
async fn a_key_may_be_written_on_one_line() {
    let pair = Pair::ed25519();
    let verifier = of(&[&pair.pem.replace('\n', "\\n")]);
    assert_eq!(says(&verifier, &pair.sign(Algorithm::EdDSA, None)).await, "a");
}

#[test]
fn what_is_no_public_key_is_refused_when_it_is_read() {
    let read = |text: &str| text.parse::<PublicKeys>().unwrap_err();
    let (short, p256) = (Pair::rsa(1024).0, Pair::p256());
    for text in ["", "secret", "-----BEGIN", "-----BEGIN ", "-----BEGIN -----"] {
        assert_eq!(read(text), InvalidPublicKey::NotPem, "{text:?}");
    }
    for pair in [&short, &p256, &Pair::ed25519()] {
        assert_eq!(read(&pair.private_pem), InvalidPublicKey::Private);
        assert_eq!(read(&format!("{}{}", p256.pem, pair.private_pem)), InvalidPublicKey::Private);
    }
    assert_eq!(read(&p256.pem.replace("PUBLIC KEY", "CERTIFICATE")), InvalidPublicKey::Other("certificate".to_owned()));
    assert!(read(&short.pem).to_string().contains("less than 2048"), "{}", read(&short.pem));
    assert!(read(&p256.pem.replace('M', "A")).to_string().contains("not supported"));
}
