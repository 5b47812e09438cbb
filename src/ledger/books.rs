//! What those who keep the books do with the ledger: import statements, close a month, take extracts.

use std::collections::BTreeMap;

use cvco_books::accounting::Books;
use cvco_domain::{Period, StatementNumber, Timestamp};
use rusqlite::TransactionBehavior;

use super::entry::{Entry, ImportedStatement};
use super::fold::Fold;
use super::read::Extract;
use super::writer::Store;
use super::{LedgerError, statements};

/// What came of a statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Its number.
    pub number: StatementNumber,
    /// Lines in the file.
    pub lines: usize,
    /// Of these, lines that the ledger did not have.
    pub new: usize,
    /// Lines of the statement of which nobody knows what they are about.
    pub unknown: i64,
}

impl Store {
    /// What accountants take away, as it is now.
    #[must_use]
    pub const fn extract(&self) -> Extract<'_> {
        Extract { conn: &self.conn }
    }

    /// Imports the statements of a file in one transaction, all or none: what came of each; nothing, if the very same file
    /// was imported before.
    ///
    /// # Errors
    /// A statement contradicts one that is known, or whatever else prevented the commit.
    pub fn import_statements(
        &mut self,
        at: Timestamp,
        statements: Vec<ImportedStatement>,
    ) -> Result<Vec<Imported>, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fold = Fold::resume(&tx)?;
        let mut all = Vec::new();
        let mut known = false;
        for imported in &statements {
            known |= statements::is_known(&tx, &imported.file_sha256)?;
        }
        if known {
            return Ok(all);
        }
        for imported in statements {
            let (shop, issuer, number) = (
                imported.statement.shop.clone(),
                imported.statement.issuer,
                imported.statement.number.clone(),
            );
            let lines = imported.statement.lines.len();
            let before = statements::count(&tx, (&shop, issuer, &number))?;
            fold.take(at, &Entry::Statement(imported))?;
            let after = statements::count(&tx, (&shop, issuer, &number))?;
            let new = usize::try_from(after.lines.saturating_sub(before.lines)).unwrap_or(0);
            all.push(Imported { number, lines, new, unknown: after.unknown });
        }
        fold.finish()?;
        tx.commit()?;
        Ok(all)
    }

    /// Closes a period in one transaction: numbers, entries, letters, manifest. `export` renders what was booked, and
    /// gives the digest of each export.
    ///
    /// # Errors
    /// The period cannot be closed, an export cannot be made, or whatever else prevented the commit; then nothing was
    /// booked.
    pub fn close<E: From<LedgerError>>(
        &mut self,
        at: Timestamp,
        (period, books): (Period, Books),
        export: impl FnOnce(Extract<'_>) -> Result<BTreeMap<String, String>, E>,
    ) -> Result<(), E> {
        let sql = |error: rusqlite::Error| E::from(LedgerError::from(error));
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        let mut fold = Fold::resume(&tx)?;
        fold.take_close(at, (period, books), |conn| export(Extract { conn }))?;
        fold.finish()?;
        tx.commit().map_err(sql)
    }
}
