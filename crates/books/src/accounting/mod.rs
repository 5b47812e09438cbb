//! Accounting entries (écritures): balanced, dated, numbered. Pure: no I/O, no clock.
//!
//! | word | is |
//! |---|---|
//! | [`Entry`], [`Line`], [`Leg`] | an entry, its lines, and what each line stands for |
//! | [`Sheet`], [`Posting`] | what one order or statement brings on one day, before it has a number |
//! | [`Report`] | a list for the accountant, and its columns |
//! | [`Books`], [`Chart`], [`Role`] | the merchant's choices: accounts, journals, when to book |

mod books;
#[cfg(feature = "rusqlite")]
mod columns;
mod entry;
mod plain;
mod report;
mod sheet;

pub use books::{Account, AccountNumber, Books, Chart, Journal, JournalRole, Override, Role};
pub use cvco_domain::BookAt;
pub use entry::{Entry, Leg, Letter, Line, Source};
pub use plain::plain;
pub use report::{Cell, Column, Holds, Report};
pub use sheet::{Moved, Movement, PaidOut, Part, Posting, Sheet, Topic};
