//! Accounting entries (écritures): balanced, dated, numbered. Pure: no I/O, no clock.
//!
//! | word | is |
//! |---|---|
//! | [`Entry`], [`Line`], [`Leg`] | an entry, its lines, and what each line stands for |
//! | [`Books`], [`Chart`], [`Role`] | the merchant's choices: accounts, journals, when to book |

mod books;
mod entry;
mod plain;

pub use books::{Account, AccountNumber, BookAt, Books, Chart, Journal, JournalRole, Override, Role};
pub use entry::{Entry, Leg, Letter, Line, Source};
pub use plain::plain;
