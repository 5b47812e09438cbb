//! Reading the ledger: for the command line, the orders API and the alerts. Readers open the file for
//! themselves and never hinder the writer.

mod discrepancies;
mod entries;
mod questions;
mod records;
mod reports;
mod story;
mod takings;

use std::path::Path;

use rusqlite::Connection;

pub use discrepancies::{DiscrepancyFilter, DiscrepancyRow};
pub use entries::EntryRange;
pub use questions::{PendingQuestion, QuestionLine, StrandedQuestion, UnheardOrder};
pub use records::{RecordFilter, RecordRow, TenderRow};
pub use reports::ReportRange;
pub use story::{LogLine, OrderStory};
pub use takings::Takings;

use super::{LedgerError, schema};

/// What accountants take away, as one connection sees the ledger.
#[derive(Clone, Copy)]
pub struct Extract<'c> {
    pub(in crate::ledger) conn: &'c Connection,
}

/// A connection that only reads.
pub struct Reader {
    conn: Connection,
}

impl Reader {
    /// Opens the ledger for reading.
    ///
    /// # Errors
    /// There is no ledger, or it is of another version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { conn: schema::open_for_reading(path)? })
    }

    /// What accountants take away, all of one moment: the daemon goes on writing meanwhile.
    ///
    /// # Errors
    /// SQLite's own, or that of `take`.
    pub fn extract<T, E: From<LedgerError>>(
        &self,
        take: impl FnOnce(Extract<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let snapshot = self.conn.unchecked_transaction().map_err(LedgerError::from)?;
        take(Extract { conn: &snapshot })
    }

    /// Whether the ledger answers a query at all: for readiness.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn ping(&self) -> Result<(), LedgerError> {
        self.conn.query_row("SELECT COUNT(*) FROM progress", [], |_| Ok(())).map_err(Into::into)
    }

    /// E-mails that wait to be sent, and the last error of one that failed, if any did.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn mails_waiting(&self) -> Result<(i64, Option<String>), LedgerError> {
        Ok(self.conn.query_row(
            "SELECT COUNT(*), MAX(last_error) FROM outbox WHERE done_at IS NULL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    }
}
