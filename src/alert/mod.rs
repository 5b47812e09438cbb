//! E-mails about discrepancies: what they say and how they leave.
//!
//! A [`Letter`] is made of domain types; [`render`] turns it into a [`RenderedMail`] without I/O and without
//! a clock; a [`Mailer`] hands that to the merchant's SMTP server. The words about each kind of discrepancy are
//! in [`catalogue`], all others in `words`.

pub mod anchor;
pub mod catalogue;
mod letter;
mod mail;
mod render;
mod smtp_url;
mod typography;
mod words;
pub mod worker;

#[cfg(test)]
mod samples;

pub use catalogue::{Language, Wording, figures, page, wording};
pub use letter::{Item, Letter};
pub use mail::{MailError, MailSettings, Mailer, SendError};
pub use render::{RenderedMail, render};
pub use smtp_url::SmtpUrlError;
