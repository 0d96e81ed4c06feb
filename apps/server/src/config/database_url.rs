//! The address of a database server, which may hold a password. Whatever shows it (`Display`, `Debug`, `check-config`)
//! leaves the password out; only the adapter that connects is handed the whole.

use std::fmt;

/// What stands in a password's place.
const HIDDEN: &str = "***";

/// Parameters of a URL whose values are secrets, by a part of their names: `password`, `tlsCertificateKeyFilePassword`,
/// `authMechanismProperties` (session tokens).
const SECRET_PARAMETERS: [&str; 4] = ["pass", "secret", "token", "properties"];

/// The URL of a database server.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes a URL whose parts can be told apart. A password with a character that has a meaning in URLs is refused here:
    /// a driver would take a part of it for the host, and repeat it in its complaint.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let unclear = "one of : / ? # [ ] @ % in a user or password must be percent-encoded (`@` is %40)";
        let (_, rest) = url.split_once("://").ok_or("is not of the form SCHEME://[USER:PASSWORD@]HOST[:PORT]/NAME")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (credentials, _) = authority.rsplit_once('@').unwrap_or_default();
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        // An `@` further behind: the authority ended inside a password.
        let clear = !behind.contains('@') && is_encoded(user) && is_encoded(password);
        if clear { Ok(Self(url.to_owned())) } else { Err(unclear.to_owned()) }
    }

    /// All of it, for the adapter.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether something is left out when it is shown.
    pub(super) fn has_secrets(&self) -> bool {
        self.to_string() != self.0
    }

    /// A text that others wrote, without the secrets of this URL.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = self.parts().filter_map(|(part, secret)| secret.then_some(part)).filter(|part| !part.is_empty());
        secrets.fold(text.to_owned(), |text, secret| {
            let text = text.replace(secret, HIDDEN);
            match decoded(secret) {
                Some(decoded) => text.replace(&decoded, HIDDEN),
                None => text,
            }
        })
    }

    /// The URL in pieces, and which of them are secrets.
    fn parts(&self) -> impl Iterator<Item = (&str, bool)> {
        let (before, query) = self.0.split_at(self.0.find('?').unwrap_or(self.0.len()));
        let start = before.find("://").map_or(0, |at| at + 3);
        let end = before[start..].find('/').map_or(before.len(), |length| start + length);
        let secret = before[start..end].rfind('@').and_then(|at| {
            let colon = before[start..start + at].find(':')?;
            Some((start + colon + 1, start + at))
        });
        let (from, to) = secret.unwrap_or((before.len(), before.len()));
        let address = [(&before[..from], false), (&before[from..to], true), (&before[to..], false)];
        address.into_iter().chain(query.split_inclusive(['?', '&']).flat_map(|pair| {
            let (name, value) = pair.split_at(pair.find('=').map_or(pair.len(), |at| at + 1));
            let (value, separator) = value.split_at(value.trim_end_matches(['?', '&']).len());
            let lower = name.to_ascii_lowercase();
            let secret = SECRET_PARAMETERS.iter().any(|part| lower.contains(part));
            [(name, false), (value, secret), (separator, false)]
        }))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|(part, secret)| f.write_str(if secret && !part.is_empty() { HIDDEN } else { part }))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Whether nothing in a user or password has a meaning in URLs.
fn is_encoded(text: &str) -> bool {
    !text.contains([':', '/', '?', '#', '[', ']', '@']) && decoded(text).is_some()
}

/// A percent-encoded text as it was before; `None` if a `%` stands for nothing.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("postgres://db/chat", "postgres://db/chat"),
            ("postgres://me@db:5432/chat?sslmode=require", "postgres://me@db:5432/chat?sslmode=require"),
            ("postgres://me:hush@db:5432/chat", "postgres://me:***@db:5432/chat"),
            ("postgres://me:@db/chat", "postgres://me:@db/chat"),
            (
                "postgres://db/chat?user=me&password=hush&sslmode=require",
                "postgres://db/chat?user=me&password=***&sslmode=require",
            ),
            (
                "mongodb://me:hu%40sh@a:27017,b:27017/chat?replicaSet=rs0",
                "mongodb://me:***@a:27017,b:27017/chat?replicaSet=rs0",
            ),
            (
                "mongodb+srv://me:hush@cluster.example/?tlsCertificateKeyFilePassword=hush",
                "mongodb+srv://me:***@cluster.example/?tlsCertificateKeyFilePassword=***",
            ),
            ("mongodb://me:hush@db?authSource=admin", "mongodb://me:***@db?authSource=admin"),
        ] {
            let url = DatabaseUrl::new(url).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
            assert_eq!(url.has_secrets(), shown.contains(HIDDEN), "{shown}");
        }
    }

    #[test]
    fn a_password_that_takes_the_url_apart_is_refused_without_a_trace() {
        for url in [
            "postgres://me:hush/hush@db/chat",
            "postgres://me:hush?hush@db/chat",
            "postgres://me:hush#hush@db/chat",
            "postgres://me:hush@hush@db/chat",
            "mongodb://me:hush:hush@db/chat",
            "mongodb://me:hush%hush@db/chat",
            "postgres:me:hush@db",
        ] {
            let problem = DatabaseUrl::new(url).unwrap_err();
            assert!(!problem.contains("hush"), "{url}: {problem}");
        }
        for url in ["postgres://db/chat?options=a%40b", "postgres://[::1]:5432/chat", "postgres:///chat?host=/run/db"] {
            assert!(DatabaseUrl::new(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_others_say_is_repeated_without_them() {
        let url = DatabaseUrl::new("postgres://me:hu%40sh@db/chat?sslpassword=quiet").unwrap();
        assert_eq!(url.redact("no hu@sh, no hu%40sh, no quiet at db"), "no ***, no ***, no *** at db");
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(password in "[a-zA-Z0-9%:/?#@&=\\[\\] -]{0,12}ZZ[a-zA-Z0-9%:/?#@&=\\[\\] -]{0,12}") {
            for url in [format!("postgres://me:{password}@db/chat"), format!("mongodb://me:{password}@a:1,b:2/?replicaSet=rs0")] {
                match DatabaseUrl::new(&url) {
                    Ok(url) => prop_assert!(!url.to_string().contains("ZZ"), "{url}"),
                    Err(problem) => prop_assert!(!problem.contains("ZZ"), "{problem}"),
                }
            }
        }
    }
}
