//! The file of the payload key: read, or made at the first start.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cvco_domain::crypto::SealKey;

use crate::error::LogError;
use crate::sqlite::sync_folder;

/// Reads the key; `None` if there is no file.
///
/// # Errors
/// The file cannot be read, or holds no key.
pub fn read(path: &Path) -> Result<Option<SealKey>, LogError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(SealKey::parse(&text)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LogError::KeyFile { path: path.to_owned(), source }),
    }
}

/// Makes a new key, durable under its name on return.
///
/// # Errors
/// The file cannot be written, or the system gave no random numbers.
pub fn make(path: &Path) -> Result<SealKey, LogError> {
    let failed = |source| LogError::KeyFile { path: path.to_owned(), source };
    let text = SealKey::generate()?;
    // Under another name first: a crash must not leave half a key.
    let draft = path.with_extension("new");
    // What a crash left there may be open to others.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    sync_folder(path)?;
    Ok(SealKey::parse(&text)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("payload.key");
        assert!(read(&path).expect("no file").is_none());
        // What a start left that was interrupted is in nobody's way.
        std::fs::write(folder.path().join("payload.new"), "half a key").expect("written");
        let made = make(&path).expect("made");
        assert_eq!(read(&path).expect("read").expect("a key").fingerprint(), made.fingerprint());
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join("payload.new").exists());
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("payload.key");
        for text in ["", "secret", &"0".repeat(63), &"g".repeat(64)] {
            std::fs::write(&path, text).expect("written");
            assert!(matches!(read(&path), Err(LogError::Seal(_))), "{text:?}");
        }
        assert!(matches!(read(folder.path()), Err(LogError::KeyFile { .. })), "a folder is no file");
    }
}
