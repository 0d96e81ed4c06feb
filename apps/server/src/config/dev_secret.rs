//! The secret that `--dev` makes: random, readable by its owner alone, and kept in the data folder so that tokens
//! outlive a restart.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::system::random_bytes;

/// Where it is kept.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-secret")
}

/// The kept secret, else a new one. Two processes that start at once agree on one.
pub(super) fn keep(data_dir: &Path) -> io::Result<String> {
    let path = file(data_dir);
    if let Some(kept) = read(&path)? {
        return Ok(kept);
    }
    fs::create_dir_all(data_dir)?;
    let fresh = format!("{:032x}{:032x}", u128::from_be_bytes(random_bytes()), u128::from_be_bytes(random_bytes()));
    // Written whole under a name of its own, then linked: a reader never sees half of it, and the first one wins.
    let draft = data_dir.join(format!("dev-secret.{}", std::process::id()));
    write_private(&draft, &fresh)?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(&path)?.ok_or_else(|| io::Error::other("the secret that was just kept is gone")),
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(io::Error::other(format!("{} is empty; remove it", path.display()))),
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_data_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = keep(&data).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(keep(&data).unwrap(), first);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn folders_have_different_secrets() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_ne!(keep(one.path()).unwrap(), keep(two.path()).unwrap());
    }

    #[test]
    fn an_empty_file_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file(folder.path()), "\n").unwrap();
        assert!(keep(folder.path()).unwrap_err().to_string().contains("is empty"));
    }
}
