//! How mails leave: the worker that takes what is owed from the ledger, and the [`Mailer`] that hands it to the merchant's
//! SMTP server. What they say is [`cvco_mail`]'s business.

mod mail;
mod smtp_url;
pub mod trouble;
pub mod worker;

pub use mail::{MailError, MailSettings, Mailer, SendError};
pub use smtp_url::SmtpUrlError;
