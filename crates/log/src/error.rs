//! Why the log could not do something.

use std::path::PathBuf;

use cvco_domain::Seq;
use rusqlite::ErrorCode;

/// Why the log could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Too much is waiting already; try again.
    #[error("the log is busy: too many entries wait to be stored")]
    Busy,
    /// The appender has stopped, after an error that it could not survive or at shutdown.
    #[error("the log's appender has stopped")]
    Stopped,
    /// The group was not committed, and none of its entries is in the log.
    #[error("not stored: {0}")]
    NotStored(String),
    /// There is no file.
    #[error("there is no log at {0}: start the daemon once, or correct [ledger] path")]
    NoLog(PathBuf),
    /// A file, but of another program.
    #[error("{0} is not a log of cvco-reconciled: correct [ledger] path")]
    NotALog(PathBuf),
    /// The file was written by another version of this program.
    #[error(
        "the log {path} has format {found}, and this program knows {known}: run the program that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A new, empty log would stand beside files that belong to an older one.
    #[error(
        "there is no log at {log}, but {beside} is there: put the log back from a backup, or move {beside} away to start with an empty log"
    )]
    LogLost {
        /// Where the log should be.
        log: PathBuf,
        /// The file that belongs to it.
        beside: PathBuf,
    },
    /// The file at the path is no longer the one that is open.
    #[error(
        "{0} was removed or replaced while the program used it: what is written now would be lost. Stop the program before \
         you move its files; then start it again"
    )]
    Replaced(PathBuf),
    /// The end of the log does not follow from what stands before it.
    #[error(
        "the log {path} is damaged ({what}): nothing more is stored in it. Run `verify` to see what is lost, and restore a \
         backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A row cannot be read.
    #[error("entry {seq} of the log is damaged ({what}): run `verify`")]
    Corrupt {
        /// Its number.
        seq: Seq,
        /// The column.
        what: String,
    },
    /// A file cannot be made, opened or looked at.
    #[error(
        "cannot open {path}: {source}; only the service's user may: put `sudo -u cvco-reconciled` in front"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The payload key cannot be read or made.
    #[error("the payload key {path} ([ledger] payload_key_file): {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The payload key is gone, while payloads are sealed with it.
    #[error("the payload key {0} is missing, and the log holds payloads sealed with it: put the file back")]
    KeyLost(PathBuf),
    /// A valid key, but not the one in use.
    #[error(
        "the payload key {0} is not the one that the log's payloads are sealed with: put the right file back"
    )]
    OtherKey(PathBuf),
    /// The PostgreSQL that holds the log cannot be reached, or does not answer.
    #[error("the log's PostgreSQL is away: {0}")]
    Away(String),
    /// PostgreSQL's log is not one that this machine can take part in.
    #[error("the log in PostgreSQL: {0}")]
    CannotJoin(String),
    /// This machine knows entries that PostgreSQL lost.
    #[error(
        "the log in PostgreSQL lacks entries that this machine knows ({0}): it lost them, perhaps in a failover. Run `log \
         status` on each machine, then `log heal` on the one that knows most"
    )]
    Disagrees(String),
    /// Entries of a leader whose lead is over.
    #[error("another machine leads now")]
    NotLeading,
    /// A newer program folds the log in another way.
    #[error(
        "a newer version of this program leads (its fold is {theirs}, this one's {own}): bring this machine up to date"
    )]
    Outdated {
        /// How this program folds.
        own: i32,
        /// How the newest one does.
        theirs: i32,
    },
    /// A payload could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] cvco_domain::crypto::SealError),
    /// An entry could not be written as JSON.
    #[error("an entry could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// SQLite's own error.
    #[error("the log: SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl LogError {
    /// Whether appending can go on after this error. A full disk may get room again, and another process may let go of
    /// its lock. After a failed write or sync nothing in memory can be trusted: the process must stop and start again.
    #[must_use]
    pub fn is_survivable(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::OutOfMemory
                        | ErrorCode::ReadOnly
                )
            ),
            Self::Damaged { .. } | Self::Replaced(_) | Self::Stopped | Self::Corrupt { .. } => false,
            Self::Busy
            | Self::NotStored(_)
            | Self::NoLog(_)
            | Self::NotALog(_)
            | Self::Format { .. }
            | Self::LogLost { .. }
            | Self::File { .. }
            | Self::KeyFile { .. }
            | Self::KeyLost(_)
            | Self::OtherKey(_)
            | Self::Away(_)
            | Self::CannotJoin(_)
            | Self::Disagrees(_)
            | Self::NotLeading
            | Self::Outdated { .. }
            | Self::Seal(_)
            | Self::Json(_) => true,
        }
    }
}
