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
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    sync_folder(path)?;
    Ok(SealKey::parse(&text)?)
}
