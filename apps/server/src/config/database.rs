//! Which storage `DATABASE_URL` names. Opening it is `storage`'s part.

use std::path::Path;

/// A storage that this server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In memory: gone when the process ends.
    Memory,
    /// A SQLite file.
    Sqlite {
        /// The whole URL.
        url: String,
        /// The folder to make before, when the place was not chosen by anybody.
        make_folder: bool,
    },
}

impl Database {
    /// The database that is used when none is named.
    pub(super) fn in_folder(data_dir: &Path) -> Self {
        Self::Sqlite { url: format!("sqlite://{}", data_dir.join("parlance.db").display()), make_folder: true }
    }

    /// The storage of a URL. Problems name its scheme only: the rest may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", _)) => Ok(Self::Sqlite { url: url.to_owned(), make_folder: false }),
            Some((scheme @ ("postgres" | "postgresql" | "mongodb" | "mongodb+srv"), _)) => {
                Err(format!("{scheme} is not supported by this version; use sqlite://FILE or memory:"))
            }
            Some((scheme, _)) => Err(format!("no storage for scheme {scheme:?}; use sqlite://FILE or memory:")),
            None => Err("is no URL; use sqlite://FILE or memory:".to_owned()),
        }
    }

    /// The URL.
    pub fn url(&self) -> &str {
        match self {
            Self::Memory => "memory:",
            Self::Sqlite { url, .. } => url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_storage() {
        assert_eq!(Database::parse("memory:"), Ok(Database::Memory));
        assert_eq!(Database::parse("sqlite://./chat.db").unwrap().url(), "sqlite://./chat.db");
        assert_eq!(Database::in_folder(Path::new("./data")).url(), "sqlite://./data/parlance.db");
    }

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for url in ["postgres://me:hush@db/chat", "mongodb://me:hush@db", "odd://me:hush@db", "hush"] {
            let problem = Database::parse(url).unwrap_err();
            assert!(problem.contains("sqlite://") && !problem.contains("hush"), "{problem}");
        }
    }
}
