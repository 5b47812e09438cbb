//! What the mails say, in French and English. A [`Letter`] is made of domain types; [`render()`] turns it into a
//! [`RenderedMail`]. The words about each kind of discrepancy are in [`catalogue`], all others in `words`; [`anchor`]
//! is the mail that carries a link of the log's chain. No I/O, no clock, no ledger: this room may know the domain
//! alone, and who sends its mails is the daemon's business.

pub mod anchor;
pub mod catalogue;
mod letter;
mod particulars;
mod render;
pub mod trouble;
mod typography;
mod words;

#[cfg(test)]
mod samples;

pub use askama::Error as RenderError;
pub use catalogue::{Case, GapName, Language, Wording, figures, page, wording};
pub use letter::{Item, Letter};
pub use render::{RenderedMail, render};
pub use typography::one_line;
