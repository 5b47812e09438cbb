//! Monext Online (Payline).
//!
//! Its notification is a bare call with a token: no amount, no status, no signature. What counts is what Monext's SOAP
//! services answer when asked about that token, under the merchant's own credentials ([`super::api`]):
//!
//! - `getWebPaymentDetails`: a session with all its parts, voucher and cards;
//! - `getTransactionDetails`: one transaction with its history, refunds included;
//! - `transactionsSearch`: which transactions there were, for notifications that never came.

#[cfg(any(test, feature = "sender"))]
pub mod answers;
mod api;
pub mod codes;
mod diagnose;
mod notification;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod settings;
mod subject;
mod verify;

#[cfg(test)]
mod tests;

pub use diagnose::diagnose;
pub use settings::Settings;

use subject::Token;

use cvco_domain::{Asking, Bilingual, IdError, Mode, Psp, Question};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};

/// The adapter of one endpoint.
#[derive(Debug)]
pub struct Monext {
    settings: Settings,
}

impl Monext {
    /// An adapter with these settings.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Adapter for Monext {
    fn psp(&self) -> Psp {
        Psp::Monext
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        verify::prove(request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        match message {
            Message::Unsigned(payload) => notification::read(payload)
                .map_err(|what| NotUnderstood::new(Bilingual::in_english_alone(what))),
            Message::Genuine(_) | Message::GenuineForm(_) => Err(NotUnderstood::of_another_psp(Psp::Monext)),
        }
    }

    fn api(&self) -> Option<&dyn Api> {
        Some(self)
    }

    fn session(&self, token: &str) -> Result<Question, Rejection> {
        session_question(token)
            .map_err(|error| Rejection::Malformed { psp: Psp::Monext, what: error.to_string() })
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnose(request)
    }
}

/// The question about a session whose token the shop itself hands over.
///
/// # Errors
/// It is no token: 1 to 50 letters and digits.
pub fn session_question(token: &str) -> Result<Question, IdError> {
    Token::new(token)?.question(Asking::Sparingly)
}

/// The first characters of a text from outside, without any that could disturb a log.
fn excerpt(text: &str, max: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(max)
        .map(|c| if c.is_alphanumeric() || c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    if text.chars().count() > max {
        shown.push('…');
    }
    shown
}
