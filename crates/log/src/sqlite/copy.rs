//! Copies of the log, made while others write to it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::SqliteLog;
use crate::error::LogError;

impl SqliteLog {
    /// Copies the log, payloads included, as it is at one moment, to a file that is not there yet. Whoever writes to it goes on
    /// meanwhile.
    ///
    /// # Errors
    /// The copy cannot be written, or the log cannot be read.
    pub fn copy_to(&self, target: &Path) -> Result<(), LogError> {
        let failed = |source| LogError::File { path: target.to_owned(), source };
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(target).map_err(failed)?;
        let mut copy = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // All pages in one step, and so of one moment.
        match Backup::new(&self.conn, &mut copy)?.step(-1)? {
            StepResult::Done => {}
            StepResult::More | StepResult::Busy | StepResult::Locked | _ => {
                return Err(LogError::NotStored("another program holds the log: try again".to_owned()));
            }
        }
        copy.close().map_err(|(_, error)| error)?;
        std::fs::File::open(target).and_then(|file| file.sync_all()).map_err(failed)
    }
}
