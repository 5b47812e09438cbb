//! ANCV's own acquisition API, for merchants connected without a PSP. Experimental: ANCV's integration kit is not
//! public, and what is known comes from a connector whose source is.
//!
//! ANCV calls back after the payment ("automatic response"), but nothing says that it seals these calls. A call is
//! therefore a hint and no more: it names a transaction, and the facts are what the API answers about it.
//!
//! | file | holds |
//! |---|---|
//! | `verify.rs`, `notification.rs` | the automatic response: its form, and the hint that it gives |
//! | `message.rs` | the JSON object that is both automatic response and answer |
//! | `api.rs` | how a transaction is asked about; the seal on every call, and the facts in an answer |
//! | `codes.rs` | what a transaction's state does to the money |
//! | `sender.rs`, `answers.rs` | what ANCV would send and answer, for trials |

#[cfg(any(test, feature = "sender"))]
mod answers;
mod api;
mod codes;
mod diagnose;
mod message;
mod notification;
#[cfg(any(test, feature = "sender"))]
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod verify;

#[cfg(any(test, feature = "sender"))]
pub use answers::{Transaction, asked_about, refusal};
pub use api::security_header;
pub use settings::Settings;

use cvco_domain::{Asking, Bilingual, Mode, Psp, Question, Subject, Topic};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};

/// The adapter of one endpoint.
#[derive(Debug)]
pub struct Ancv {
    settings: Settings,
}

impl Ancv {
    /// An adapter with these settings.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Adapter for Ancv {
    fn psp(&self) -> Psp {
        Psp::Ancv
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        verify::prove(&self.settings, request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        match message {
            Message::Unsigned(body) => notification::read(&self.settings, body)
                .map_err(|what| NotUnderstood::new(Bilingual::in_english_alone(what))),
            Message::Genuine(_) | Message::GenuineForm(_) => Err(NotUnderstood::of_another_psp(Psp::Ancv)),
        }
    }

    fn api(&self) -> Option<&dyn Api> {
        Some(self)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnose::diagnose(self, request)
    }
}

/// The question about a transaction.
fn question(id: &str, asking: Asking) -> Option<Question> {
    Some(Question { topic: Topic::Transaction, subject: Subject::new(id).ok()?, asking })
}
