//! Who a bearer token speaks for: the `TokenVerifier` port on JSON Web Tokens. Tokens are signed with a shared secret
//! (HS256, HS384, HS512) or with a private key whose public half is known here (RS256, PS256 and their longer
//! siblings, ES256, ES384, `EdDSA`). Admitting the bearer as a user is the domain's job; reading the token from a
//! handshake or a header is the transports'.
//!
//! - [`Secret`]: a shared secret, which never shows itself.
//! - [`PublicKeys`]: public keys as text; [`Jwks`]: those that an identity provider publishes.
//! - [`Keys`]: all that tokens may be signed with.
//! - [`JwtVerifier`]: signature, issuer, audience, time.
//! - [`HashedKeys`]: keys of the server API, which programs of a product's backend show instead of a token; [`RenewableKeys`]
//!   lets them change.
//! - [`mint`]: tokens for development and load tests.

mod api_keys;
mod claims;
mod jwks;
mod key;
mod keys;
mod mint;
mod pem;
mod secret;
mod verifier;

pub use api_keys::{HashedKeys, InvalidApiKeys, RenewableKeys};
pub use jwks::{FetchError, InvalidUrl, Jwks};
pub use keys::Keys;
pub use mint::{MintError, TokenRequest, mint};
pub use pem::{InvalidPublicKey, PublicKeys};
pub use secret::{EmptySecret, Secret};
pub use verifier::{JwtVerifier, VerifierSettings};
