//! Public keys as text (`AUTH_PUBLIC_KEY`, `AUTH_PUBLIC_KEY_FILE`): one PEM block a key, so that an old and a new one
//! hold at the same time while the keys are changed. What cannot be used is refused when it is read.

use std::str::FromStr;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;

use crate::key::{Key, Unusable};

/// Why a text holds no usable public keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// There is no PEM block in it.
    #[error("holds no PEM block (-----BEGIN PUBLIC KEY-----)")]
    NotPem,
    /// A private key: it must stay with whoever signs.
    #[error("holds a private key; give the public one (openssl pkey -pubout)")]
    Private,
    /// Another block, such as a certificate.
    #[error("holds a {0}; give the public key (of a certificate: openssl x509 -pubkey -noout)")]
    Other(String),
    /// A key of a kind or size that is not supported.
    #[error("holds a key that {0}")]
    Unusable(String),
}

/// Public keys that tokens may be signed with.
#[derive(Debug, Clone)]
pub struct PublicKeys(pub(crate) Vec<Key>);

/// Reads the PEM blocks of a text. Line ends may be written as `\n`, as environments without line ends need it.
impl FromStr for PublicKeys {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        const BEGIN: &str = "-----BEGIN ";
        let text = text.replace("\\n", "\n");
        let keys: Vec<Key> = text.split(BEGIN).skip(1).map(|rest| key(rest, BEGIN)).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(InvalidPublicKey::NotPem) } else { Ok(Self(keys)) }
    }
}

fn key(rest: &str, begin: &str) -> Result<Key, InvalidPublicKey> {
    let label = rest.split_once("-----").map_or("", |(label, _)| label);
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
        "" => return Err(InvalidPublicKey::NotPem),
        _ if label.ends_with("PRIVATE KEY") => return Err(InvalidPublicKey::Private),
        _ => return Err(InvalidPublicKey::Other(label.chars().take(40).collect::<String>().to_lowercase())),
    }
    let block = format!("{begin}{rest}");
    let families = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let read = families.iter().find_map(|read| read(block.as_bytes()).ok());
    let unusable = |why: Unusable| InvalidPublicKey::Unusable(why.to_string());
    let read = read.ok_or_else(|| unusable(Unusable::Kind))?;
    let jwk = Jwk::from_decoding_key(&read, None).map_err(|_| unusable(Unusable::Kind))?;
    Key::published(&jwk).map_err(unusable)
}
