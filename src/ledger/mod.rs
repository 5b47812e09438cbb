//! The ledger: the only module with SQL, behind a handful of operations.
//!
//! One thread owns the one connection that writes ([`writer`]). It takes whatever waits, up to a few hundred
//! jobs, as one transaction, and answers each job after the commit: an acknowledged notification is on the
//! disk. Everything else is a fold over the log ([`fold`]); readers open the file for themselves ([`read`]).

mod acknowledgements;
mod anchors;
mod attempts;
mod books;
mod closings;
mod concerned;
mod discrepancies;
mod endpoints;
mod entry;
mod fold;
mod jobs;
mod key_file;
mod log_row;
mod orders;
mod outbox;
mod payload;
mod proof;
mod questions;
mod read;
mod records;
mod rejections;
mod schema;
mod statements;
mod writer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use cvco_domain::{Day, Timestamp};

pub use anchors::{Anchor, AnchorError, DueAnchor};
pub use books::Imported;
pub use entry::{
    About, Acknowledgement, Act, Close, Confirmation, Entry, Identity, ImportedStatement, Inquiry,
    Notification, OrderRegistration, Origin, Reason, Refusal, SignatureFailures, Verdict,
};
pub use fold::Taken;
pub use outbox::Claim;
pub use payload::Envelope;
pub use proof::{Flaw, Phase, Progress, Proof, Rebuilt, Yardstick, rebuild, verify};
pub use read::{
    DiscrepancyFilter, DiscrepancyRow, EntryRange, Extract, LogLine, OrderStory, PendingQuestion,
    QuestionLine, Reader, RecordFilter, RecordRow, ReportRange, StrandedQuestion, Takings, TenderRow,
    UnheardOrder,
};
pub use rejections::Rejected;
pub use schema::VERSION as SCHEMA_VERSION;
pub use writer::{Arrival, Ledger, Store, Swept, Writer};

/// Why the ledger could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Too much is waiting already; try again.
    #[error("the ledger is busy: too many notifications wait to be stored")]
    Busy,
    /// The writer has stopped, after an error that it could not survive or at shutdown.
    #[error("the ledger's writer has stopped")]
    Stopped,
    /// The transaction was not committed; the reason is in the log.
    #[error("not stored: {0}")]
    NotStored(String),
    /// There is no file.
    #[error("there is no ledger at {0}: start the daemon once, or correct [ledger] path")]
    NoLedger(PathBuf),
    /// A file, but of another program.
    #[error("{0} is not a ledger of cvco-reconciled: correct [ledger] path")]
    NotALedger(PathBuf),
    /// The file cannot be made or opened.
    #[error(
        "cannot open the ledger {path}: {source}; only the service's user may write there: put \
         `sudo -u cvco-reconciled` in front"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file was written by another version of this program.
    #[error(
        "the ledger {path} has schema version {found}, this program knows {known}: {remedy}",
        remedy = remedy_for_version(*found, *known)
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A row of the log cannot be read.
    #[error("entry {seq} of the log is damaged ({what}): run `verify`")]
    Corrupt {
        /// Its place.
        seq: i64,
        /// The column.
        what: String,
    },
    /// A row of another table cannot be read.
    #[error("row {id} of {table} is damaged: run `rebuild`")]
    CorruptRow {
        /// The table.
        table: &'static str,
        /// The row.
        id: i64,
    },
    /// No discrepancy of this number.
    #[error("there is no discrepancy {0}")]
    NoDiscrepancy(i64),
    /// A closed discrepancy cannot be put aside.
    #[error("discrepancy {0} has closed: there is nothing to be reminded of")]
    HasClosed(i64),
    /// A snooze would be over at once.
    #[error("a snooze until {until} would be over at once: the ledger's time is {at}")]
    NotAhead {
        /// When it would end.
        until: Timestamp,
        /// The ledger's time, ahead of the clock's if that was put back.
        at: Timestamp,
    },
    /// A statement of this number says otherwise.
    #[error(
        "statement {number} is known with the day {known}, and is given with {given}: correct the file or its number"
    )]
    StatementDiffers {
        /// Its number.
        number: String,
        /// When it paid, as known.
        known: Day,
        /// When it pays, as given.
        given: Day,
    },
    /// A period that cannot be closed, or not yet.
    #[error("{0}")]
    CannotClose(String),
    /// Another daemon writes to it.
    #[error("another cvco-reconciled serves the ledger {0}: stop it, or give this one a ledger of its own")]
    InUse(PathBuf),
    /// The payload key cannot be read or made.
    #[error("the payload key {path} ([ledger] payload_key_file): {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The payload key is gone, while payloads are sealed with it.
    #[error(
        "the payload key {0} is missing, and the ledger holds payloads sealed with it: put the file back"
    )]
    KeyLost(PathBuf),
    /// A payload could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] cvco_domain::crypto::SealError),
    /// The content of a row is not what it should be.
    #[error("content of the ledger: {0}")]
    Json(#[from] serde_json::Error),
    /// SQLite's own error.
    #[error("SQLite: {0}{remedy}", remedy = remedy(.0))]
    Sqlite(#[from] rusqlite::Error),
}

fn remedy_for_version(found: i64, known: i64) -> &'static str {
    if found > known {
        "run the newer program"
    } else {
        "start the daemon of this program once, it brings the ledger up to date"
    }
}

/// What to do about an error of SQLite, if a person can do something. A reader needs the shared memory of the
/// write-ahead log, which only the ledger's owner can make while no daemon runs.
fn remedy(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ReadOnly) => {
            "; while the daemon is stopped, only the service's user can read: put `sudo -u cvco-reconciled` in \
             front"
        }
        Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied) => {
            "; the service's user and the group cvco-ledger may read it: see who owns it"
        }
        _ => "",
    }
}

impl LedgerError {
    /// Whether a row cannot be read for what stands in it, as opposed to a database that does not answer.
    fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::CorruptRow { .. } | Self::Json(_) => true,
            Self::Sqlite(error) => {
                use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
                matches!(error, FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..))
            }
            Self::Busy
            | Self::Stopped
            | Self::NotStored(_)
            | Self::NoLedger(_)
            | Self::NotALedger(_)
            | Self::InUse(_)
            | Self::File { .. }
            | Self::KeyFile { .. }
            | Self::KeyLost(_)
            | Self::SchemaVersion { .. }
            | Self::NoDiscrepancy(_)
            | Self::HasClosed(_)
            | Self::NotAhead { .. }
            | Self::StatementDiffers { .. }
            | Self::CannotClose(_)
            | Self::Seal(_) => false,
        }
    }
}
