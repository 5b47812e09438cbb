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
mod booking;
mod calls;
pub mod codes;
mod details;
mod failover;
mod outcome;
mod ping;
mod reply;
mod search;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod session;
mod settings;
mod share;
mod soap;
mod subject;
mod transaction;
mod when;
mod xml;

#[cfg(test)]
mod tests;

pub use settings::Settings;

use ping::Ping;
use subject::Token;

use cvco_domain::{Asking, IdError, Mode, Psp, Question};

use super::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request, api::Api};

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
        let payload = request.payload();
        match hint(payload) {
            Ok(_) => Ok(Message::Unsigned(payload.to_vec())),
            Err(what) => Err(Rejection::Malformed { psp: Psp::Monext, what }),
        }
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        match message {
            Message::Unsigned(payload) => hint(payload).map_err(NotUnderstood::new),
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

/// Reads a payload.
fn hint(payload: &[u8]) -> Result<Reading, String> {
    Ping::parse(payload)?.hint()
}

/// The question about a session whose token the shop itself hands over.
///
/// # Errors
/// It is no token: 1 to 50 letters and digits.
pub fn session_question(token: &str) -> Result<Question, IdError> {
    Token::new(token)?.question(Asking::Sparingly)
}

/// Says what a notification asks for. None is ever genuine: there is nothing in it that could prove it.
#[must_use]
pub fn diagnose(request: &Request<'_>) -> Diagnosis {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let (read, summary) = match Ping::parse(request.payload()) {
        Ok(ping) => {
            let asks = match &ping {
                Ping::Session(token) => format!("well-formed: asks to look at session {}", token.as_str()),
                Ping::Transaction(id) => format!("well-formed: asks to look at transaction {}", id.as_str()),
                Ping::Other(kind) => format!("notificationType {kind}: not about a voucher payment"),
            };
            (
                asks,
                "a notification of Monext carries no signature and proves nothing; the answer of its API does",
            )
        }
        Err(what) => (what, "not a notification of Monext (and those carry no signature in any case)"),
    };
    Diagnosis {
        genuine: false,
        summary: summary.to_owned(),
        details: vec![format!("{method}, {} bytes", request.payload().len()), read],
    }
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
