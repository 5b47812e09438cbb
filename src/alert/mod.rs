//! How people are told: the worker that mails what is owed, by the [`Mailer`], and the one that tells channels. What they say
//! is [`cvco_mail`]'s business; what is owed, and when it may leave, is the ledger's.

pub mod channel;
pub mod channels;
pub mod desk;
mod mail;
#[cfg(test)]
mod sample;
mod settings;
mod smtp_url;
pub mod trouble;
pub mod worker;

pub use mail::{Delivery, MailError, MailSettings, Mailer, SendError, ServerSettings};
pub use settings::{Addressees, AlertSettings, ShopAlerts};
pub use smtp_url::SmtpUrlError;

/// Whether an e-mail can be sent to, or from, what is written so.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    text.parse::<lettre::message::Mailbox>().is_ok()
}

/// Reads the address of a mail server, as the configuration would.
///
/// # Errors
/// What is wrong with it.
pub fn check_smtp(text: &str) -> Result<(), SmtpUrlError> {
    smtp_url::SmtpUrl::parse(text).map(drop)
}
