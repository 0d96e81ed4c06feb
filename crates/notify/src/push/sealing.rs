//! Encrypts a message for one browser (RFC 8291 on RFC 8188, `aes128gcm`): one record, with a key pair and a salt of its
//! own for each message, so that a push service that carries it learns how long it is and no more.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// An uncompressed point of P-256.
const POINT_BYTES: usize = 65;
const AUTH_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
/// The size of a record; a message is less than one.
const RECORD_BYTES: u32 = 4_096;
/// What marks the last record.
const LAST: u8 = 2;

/// The longest message: push services take 4,096 bytes, of which the head and the tag are not the message's.
pub(super) const MAX_MESSAGE_BYTES: usize = 3_993;

/// A message was not encrypted: no randomness, or a key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be encrypted")]
pub(super) struct NotSealed;

impl From<Unspecified> for NotSealed {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// For whom messages are encrypted.
pub(super) struct Recipient {
    public_key: [u8; POINT_BYTES],
    auth: [u8; AUTH_BYTES],
}

impl Recipient {
    /// Whoever has the private key of this public one; `None` if these are no keys.
    pub(super) fn new(public_key: &[u8], auth: &[u8]) -> Option<Self> {
        // Says whether it is a point of the curve.
        p256::PublicKey::from_sec1_bytes(public_key).ok()?;
        Some(Self { public_key: public_key.try_into().ok()?, auth: auth.try_into().ok()? })
    }

    /// The message as a push service carries it.
    pub(super) fn seal(&self, message: &[u8]) -> Result<Vec<u8>, NotSealed> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(NotSealed);
        }
        let random = SystemRandom::new();
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt)?;
        let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
        let our_public = ours.compute_public_key()?;
        let theirs = UnparsedPublicKey::new(&ECDH_P256, self.public_key);
        agree_ephemeral(ours, &theirs, |shared| self.seal_with(shared, our_public.as_ref(), salt, message))?
    }

    fn seal_with(
        &self,
        shared: &[u8],
        our_public: &[u8],
        salt: [u8; SALT_BYTES],
        message: &[u8],
    ) -> Result<Vec<u8>, NotSealed> {
        let (key, nonce) = derived(&self.auth, shared, &self.public_key, our_public, &salt)?;
        let mut record = [message, &[LAST]].concat();
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
        let mut sealed = Vec::with_capacity(SALT_BYTES + 5 + our_public.len() + record.len());
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&RECORD_BYTES.to_be_bytes());
        sealed.push(u8::try_from(our_public.len()).map_err(|_| NotSealed)?);
        sealed.extend_from_slice(our_public);
        sealed.append(&mut record);
        Ok(sealed)
    }
}

/// So many bytes of a key.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Key and nonce of a message, of what both ends know (RFC 8291, 3.4).
fn derived(
    auth: &[u8],
    shared: &[u8],
    their_public: &[u8],
    our_public: &[u8],
    salt: &[u8],
) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let mut secret = [0; 32];
    let info: [&[u8]; 3] = [b"WebPush: info\0", their_public, our_public];
    Salt::new(HKDF_SHA256, auth).extract(shared).expand(&info, Bytes(secret.len()))?.fill(&mut secret)?;
    let keys = Salt::new(HKDF_SHA256, salt).extract(&secret);
    let (mut key, mut nonce) = ([0; 16], [0; NONCE_LEN]);
    keys.expand(&[b"Content-Encoding: aes128gcm\0"], Bytes(key.len()))?.fill(&mut key)?;
    keys.expand(&[b"Content-Encoding: nonce\0"], Bytes(nonce.len()))?.fill(&mut nonce)?;
    Ok((LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?), Nonce::assume_unique_for_key(nonce)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, Appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let their_public = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        let our_public = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
        let recipient = Recipient::new(&bytes(their_public), &bytes("BTBZMqHH6r4Tts7J_aSIgg")).unwrap();
        let sealed = recipient.seal_with(
            &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            &bytes(our_public),
            bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
            b"When I grow up, I want to be a watermelon",
        );
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(sealed, Ok(bytes(expected)));
    }

    #[test]
    fn a_browser_opens_what_was_sealed_for_it() {
        let random = SystemRandom::new();
        let browser = EphemeralPrivateKey::generate(&ECDH_P256, &random).unwrap();
        let public = browser.compute_public_key().unwrap();
        let recipient = Recipient::new(public.as_ref(), &[3; 16]).unwrap();
        let message = vec![b'x'; MAX_MESSAGE_BYTES];
        let sealed = recipient.seal(&message).unwrap();
        assert_eq!(sealed.len(), 4_096);
        assert_ne!(recipient.seal(&message).unwrap()[..16], sealed[..16], "no salt comes twice");
        let ours = UnparsedPublicKey::new(&ECDH_P256, sealed[21..86].to_vec());
        let opened = agree_ephemeral(browser, &ours, |shared| {
            let (key, nonce) = derived(&[3; 16], shared, public.as_ref(), &sealed[21..86], &sealed[..16]).unwrap();
            let mut record = sealed[86..].to_vec();
            key.open_in_place(nonce, Aad::empty(), &mut record).unwrap().to_vec()
        });
        assert_eq!(opened.unwrap(), [&message[..], &[LAST]].concat());
        assert_eq!(recipient.seal(&[0; MAX_MESSAGE_BYTES + 1]), Err(NotSealed));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let public = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap().compute_public_key();
        let public = public.unwrap().as_ref().to_vec();
        let mut off_the_curve = public.clone();
        off_the_curve[64] ^= 1;
        assert!(Recipient::new(&public, &[0; 16]).is_some());
        for (key, auth) in [
            (&public[..64], &[0; 16][..]),
            (&off_the_curve[..], &[0; 16]),
            (&public[..], &[0; 15]),
            (&[], &[]),
            (&[4; 65], &[0; 16]),
        ] {
            assert!(Recipient::new(key, auth).is_none(), "{key:?} {auth:?}");
        }
    }
}
