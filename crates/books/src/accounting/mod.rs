//! Accounting entries (écritures): balanced, dated, numbered. Pure: no I/O, no clock.
//!
//! | word | is |
//! |---|---|
//! | [`JournalEntry`], [`Line`], [`Leg`] | an entry, its lines, and what each line stands for |
//! | [`Sheet`], [`Posting`] | what one order or statement brings on one day, before it has a number |
//! | [`Report`] | a list for the accountant, and its columns |
//! | [`Books`], [`Chart`], [`Role`] | the merchant's choices: accounts, journals, when to book |

#[cfg(feature = "rusqlite")]
mod columns;
mod entry;
mod report;
mod sheet;

pub use cvco_domain::{
    Account, AccountNumber, BookAt, Booking, Books, Chart, Journal, JournalRole, Override, Role, plain,
};
pub use entry::{JournalEntry, Leg, Letter, Line, Source};
pub use report::{Cell, Column, Holds, Report};
pub use sheet::{Moved, Movement, PaidOut, Part, Posting, Sheet, Topic};
