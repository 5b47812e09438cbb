//! The file of the payload key: read, or made at the first start.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cvco_domain::crypto::SealKey;

use super::LedgerError;

/// Reads the key; makes it if there is none and `may_make` says that nothing was sealed yet.
pub(super) fn read_or_make(path: &Path, may_make: bool) -> Result<SealKey, LedgerError> {
    let failed = |source| LedgerError::KeyFile { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(SealKey::parse(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if !may_make {
        return Err(LedgerError::KeyLost(path.to_owned()));
    }
    let text = SealKey::generate()?;
    // Under another name first: a crash must not leave half a key behind.
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
    Ok(SealKey::parse(&text)?)
}

/// Locks the key for as long as the file stays open; `None` if somebody else has it. Only daemons lock it.
pub(super) fn lock(path: &Path) -> Result<Option<File>, LedgerError> {
    let failed = |source| LedgerError::KeyFile { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
