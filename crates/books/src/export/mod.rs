//! Files for accountants. Pure: entries and rows in, bytes out; the same in, the same out.
//!
//! Entries go through [`Checker`] before a byte of them is written: what a file holds is balanced, numbered without a
//! gap, and readable by every tool that reads such files.

mod amounts;
mod beancount;
mod check;
mod entries;
mod fec;
mod journal;
mod table;
mod workbook;

#[cfg(test)]
mod samples;

use std::io;

use crate::accounting::JournalEntry;

pub use amounts::french;
pub use beancount::Beancount;
pub use check::{Balance, Checker, Flaw, Summary};
pub use entries::EntriesCsv;
pub use fec::{Fec, file_name as fec_file_name, notice as fec_notice};
pub use journal::JournalFile;
pub use table::{Headings, TableCsv, TableFile};
pub use workbook::TableWorkbook;

/// A file of entries, written one entry after the other.
pub trait EntryFile {
    /// Writes an entry.
    ///
    /// # Errors
    /// The system's own.
    fn entry(&mut self, entry: &JournalEntry) -> io::Result<()>;

    /// Writes what comes after the last entry.
    ///
    /// # Errors
    /// The system's own.
    fn end(&mut self) -> io::Result<()>;
}
