//! What the mails say, in French and English. A [`Letter`] is made of domain types; [`render()`] turns it into a
//! [`RenderedMail`]. The words about each kind of discrepancy are in [`catalogue`], all others in `words`; [`anchor`]
//! is the mail that carries a link of the log's chain, [`week`] the one
//! that sums up a week, and [`short()`] says the same as a mail on a channel. No I/O, no clock, no ledger: this room may know the domain
//! alone, and who sends its mails is the daemon's business.

pub mod anchor;
pub mod catalogue;
mod closing;
mod giving_back;
mod letter;
pub mod lists;
mod particulars;
mod render;
mod short;
pub mod trial_mail;
pub mod trouble;
mod typography;
pub mod week;
mod words;

#[cfg(test)]
mod samples;

pub use askama::Error as RenderError;
pub use catalogue::{Case, GapName, Language, Wording, figures, figures_of, page, wording};
pub use letter::{Item, Letter};
pub use render::{RenderedMail, render};
pub use short::{ShortMessage, short};
pub use typography::one_line;
