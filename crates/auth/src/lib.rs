//! Who a bearer token speaks for: the `TokenVerifier` port on JSON Web Tokens signed with a shared secret
//! (HS256, HS384, HS512). Admitting the bearer as a user is the domain's job; reading the token from a
//! handshake or a header is the transports'.
//!
//! - [`Secret`]: the shared secret, which never shows itself.
//! - [`JwtVerifier`]: signature, issuer, audience, time.
//! - [`mint`]: tokens for development and load tests.

mod claims;
mod mint;
mod secret;
mod verifier;

pub use mint::{MintError, TokenRequest, mint};
pub use secret::{EmptySecret, Secret};
pub use verifier::{JwtVerifier, VerifierSettings};
