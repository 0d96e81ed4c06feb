//! Who calls: the bearer of the token, admitted as a user on every request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use parlance_domain::Error;
use parlance_domain::model::User;
use parlance_domain::ports::TokenError;

use crate::RestState;
use crate::description::{Describe, Operation, TOKEN};
use crate::errors::Refusal;

/// The authenticated user, unless they ask too fast. Comes first among a handler's arguments: a stranger learns nothing
/// about the rest.
pub(crate) struct Caller(pub(crate) User);

impl FromRequestParts<Arc<RestState>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, rest: &Arc<RestState>) -> Result<Self, Refusal> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else { return Err(Error::TokenRequired.into()) };
        let token = bearer(header.to_str().map_err(|_| Error::InvalidToken)?);
        if token.is_empty() {
            return Err(Error::TokenRequired.into());
        }
        let claims = rest.verifier.verify(token).await.map_err(|error| match error {
            TokenError::Invalid(reason) => {
                tracing::debug!(reason, "token refused");
                Error::InvalidToken
            }
            TokenError::Unavailable(source) => Error::Unavailable(source.into()),
        })?;
        rest.services.limiting.request(&claims.user_id)?;
        Ok(Self(rest.services.directory.admit(&claims).await?))
    }
}

impl Describe for Caller {
    fn describe(operation: &mut Operation<'_>) {
        operation.secure(TOKEN);
        operation.refuse(&[401, 429]);
    }
}

/// The token, with or without `Bearer ` before it.
fn bearer(header: &str) -> &str {
    let header = header.trim();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ if header.eq_ignore_ascii_case("bearer") => "",
        _ => header,
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_scheme_is_optional() {
        assert_eq!(bearer("Bearer a.b.c"), "a.b.c");
        assert_eq!(bearer("bearer   a.b.c "), "a.b.c");
        assert_eq!(bearer("a.b.c"), "a.b.c");
        assert_eq!(bearer("Bearer "), "");
        assert_eq!(bearer(""), "");
        assert_eq!(bearer("Basic eDp5"), "Basic eDp5");
    }
}
