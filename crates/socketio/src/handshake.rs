//! Reading a handshake: which dialect the socket speaks, and which token it shows (contract: "Which dialect a socket
//! speaks", "Handshake and session"). Whether the token is good is decided in `gate`, with the domain.

use axum::extract::{ConnectInfo, Query};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use parlance_dialects::{AnyDialect, Dialects, UnknownDialect};
use parlance_domain::Error;
use serde_json::{Map, Value};

use crate::net::Peer;

/// Why a socket is not let in; the text is the client's `error.message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    UnknownDialect(UnknownDialect),
    #[error("Authentication error: Token required")]
    TokenRequired,
    #[error("Authentication error: Invalid token")]
    InvalidToken,
    #[error("Authentication error: User not found")]
    UserNotFound,
    #[error("Too many requests")]
    TooManyRequests,
    #[error("Too many connections")]
    TooManyConnections,
    #[error("Service temporarily unavailable")]
    Unavailable,
    #[error("Internal error")]
    Internal,
}

impl Refusal {
    /// Whether it is the client's own doing, and counts as a failed handshake.
    pub(crate) fn is_a_failure(&self) -> bool {
        match self {
            Self::UnknownDialect(_) | Self::TokenRequired | Self::InvalidToken | Self::UserNotFound => true,
            Self::TooManyRequests | Self::TooManyConnections | Self::Unavailable | Self::Internal => false,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidToken => Self::InvalidToken,
            Error::UnknownBearer => Self::UserNotFound,
            Error::Unavailable(_) => Self::Unavailable,
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a handshake failed");
                Self::Internal
            }
        }
    }
}

/// What a client says when it connects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) dialect: AnyDialect,
    /// Without a leading `Bearer `.
    pub(crate) token: String,
}

/// The longest part of an unknown dialect's name that is repeated to the client.
const MAX_NAME_CHARS: usize = 64;

impl Handshake {
    /// Reads the handshake from the `auth` payload and the first HTTP request. `dialects` are the server's, and `fallback`
    /// is the one of them that is spoken where nobody says.
    pub(crate) fn read(
        auth: Option<&str>,
        first: &Parts,
        dialects: &Dialects,
        fallback: AnyDialect,
    ) -> Result<Self, Refusal> {
        // Clients without a token of their own send no auth, or something that is not an object.
        let auth: Map<String, Value> = auth.and_then(|auth| serde_json::from_str(auth).ok()).unwrap_or_default();
        let dialect = chosen(auth.get("dialect"), first, dialects)?.unwrap_or(fallback);
        let token = match auth.get("token") {
            Some(Value::String(token)) if !bare(token).is_empty() => bare(token).to_owned(),
            Some(Value::String(_) | Value::Null) | None => header_token(first)?,
            Some(_) => return Err(Refusal::InvalidToken),
        };
        Ok(Self { dialect, token })
    }
}

/// What the client says, else what its listener does.
fn chosen(said: Option<&Value>, first: &Parts, dialects: &Dialects) -> Result<Option<AnyDialect>, Refusal> {
    let named = match said {
        Some(Value::Null) | None => query(first, "dialect"),
        Some(Value::String(name)) => Some(name.clone()),
        Some(other) => Some(other.to_string()),
    };
    if let Some(name) = named {
        let name: String = name.chars().take(MAX_NAME_CHARS).collect();
        return dialects.find(&name).map(Some).map_err(Refusal::UnknownDialect);
    }
    Ok(first.extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(peer)| peer.dialect))
}

fn query(first: &Parts, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&first.uri).ok()?;
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn header_token(first: &Parts) -> Result<String, Refusal> {
    let header = first.headers.get(AUTHORIZATION).ok_or(Refusal::TokenRequired)?;
    match header.to_str().map(bare) {
        Ok("") => Err(Refusal::TokenRequired),
        Ok(token) => Ok(token.to_owned()),
        Err(_) => Err(Refusal::InvalidToken),
    }
}

/// The token itself, without a leading `Bearer `.
pub(crate) fn bare(token: &str) -> &str {
    let token = token.trim();
    match token.split_at_checked(6) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") && (rest.is_empty() || rest.starts_with(' ')) => {
            rest.trim_start()
        }
        _ => token,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use parlance_dialects::Dialect;

    use super::*;

    fn request(uri: &str, authorization: Option<&str>) -> Parts {
        let mut request = Request::get(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn read(auth: Option<&str>, uri: &str, authorization: Option<&str>) -> Result<(AnyDialect, String), Refusal> {
        let first = request(uri, authorization);
        let handshake = Handshake::read(auth, &first, &Dialects::default(), Dialect::Talentbridge.into())?;
        Ok((handshake.dialect, handshake.token))
    }

    #[test]
    fn auth_wins_over_the_query_and_the_query_over_the_default() {
        let uri = "/socket.io/?EIO=4&dialect=ulearn";
        let token = "t".to_owned();
        assert_eq!(
            read(Some(r#"{"token":"t","dialect":"nextchat"}"#), uri, None),
            Ok((Dialect::Nextchat.into(), token.clone()))
        );
        assert_eq!(read(Some(r#"{"token":"t"}"#), uri, None), Ok((Dialect::Ulearn.into(), token.clone())));
        assert_eq!(read(Some(r#"{"token":"t"}"#), "/socket.io/", None), Ok((Dialect::Talentbridge.into(), token)));
    }

    #[test]
    fn an_unknown_dialect_is_named() {
        let refused = read(Some(r#"{"token":"t","dialect":"klingon"}"#), "/", None).unwrap_err();
        assert_eq!(refused.to_string(), "Unknown dialect: klingon");
        let refused = read(Some(r#"{"token":"t"}"#), "/?dialect=a%20b", None).unwrap_err();
        assert_eq!(refused.to_string(), "Unknown dialect: a b");
        let refused = read(Some(r#"{"token":"t","dialect":7}"#), "/", None).unwrap_err();
        assert_eq!(refused.to_string(), "Unknown dialect: 7");
    }

    #[test]
    fn bearer_is_optional_in_both_places() {
        for auth in [r#"{"token":"abc"}"#, r#"{"token":"Bearer abc"}"#, r#"{"token":" bearer  abc "}"#] {
            assert_eq!(read(Some(auth), "/", None).unwrap().1, "abc");
        }
        for header in ["abc", "Bearer abc"] {
            assert_eq!(read(None, "/", Some(header)).unwrap().1, "abc");
        }
        assert_eq!(read(Some(r#"{"token":"mine"}"#), "/", Some("Bearer other")).unwrap().1, "mine");
    }

    #[test]
    fn no_token_is_told_from_a_bad_one() {
        for auth in [
            None,
            Some("{}"),
            Some(r#"{"token":null}"#),
            Some(r#"{"token":""}"#),
            Some(r#"{"token":"Bearer "}"#),
            Some("[1]"),
        ] {
            assert_eq!(read(auth, "/", None), Err(Refusal::TokenRequired), "{auth:?}");
        }
        assert_eq!(read(Some(r#"{"token":17}"#), "/", None), Err(Refusal::InvalidToken));
        assert_eq!(read(None, "/", Some("Bearer")), Err(Refusal::TokenRequired));
    }
}
