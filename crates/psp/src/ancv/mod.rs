//! ANCV's own acquisition API, for merchants connected without a PSP. Experimental: ANCV's integration kit is not
//! public, and what is known comes from a connector whose source is.
//!
//! ANCV calls back after the payment ("automatic response"), but nothing says that it seals these calls. A call is
//! therefore a hint and no more: it names a transaction, and the facts are what the API answers about it.
//!
//! | file | holds |
//! |---|---|
//! | `message.rs` | the JSON object that is both automatic response and answer |
//! | `states.rs` | what a transaction's state does to the money |
//! | `facts.rs` | from an answer to facts |
//! | `seal.rs` | the seal on every call |
//! | `status.rs` | how a transaction is asked about |
//! | `sender.rs`, `answers.rs` | what ANCV would send and answer, for trials |

#[cfg(any(test, feature = "sender"))]
mod answers;
mod facts;
mod message;
mod seal;
#[cfg(any(test, feature = "sender"))]
mod sender;
mod settings;
mod states;
mod status;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "sender"))]
pub use answers::{Transaction, asked_about, refusal};
pub use seal::security_header;
pub use settings::Settings;

use cvco_domain::{Asking, Mode, Psp, Question, Subject, Topic};

use super::api::Api;
use super::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request};
use message::Hint;

/// More than any transaction takes.
const MAX_BODY: usize = 64 * 1024;

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

    /// Reads a body. The error says what is wrong, in English, without any value from outside.
    fn hint(&self, body: &[u8]) -> Result<Reading, String> {
        if body.len() > MAX_BODY {
            return Err("longer than any automatic response".to_owned());
        }
        let hint = Hint::parse(body)?;
        if hint.shop_id.is_some_and(|shop| !message::same_number(&shop, &self.settings.shop_id)) {
            return Err("transaction.merchant.shopId is another shop's".to_owned());
        }
        let question = question(&hint.id, Asking::Sparingly).ok_or("transaction.id cannot be asked about")?;
        let remark = "nobody sealed it: ANCV's API is asked about the transaction".to_owned();
        Ok(Reading::hint(vec![question], Some(remark)))
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
        if request.method != Method::Post {
            return Err(malformed("an automatic response is a POST"));
        }
        self.hint(request.body).map_err(malformed)?;
        Ok(Message::Unsigned(request.body.to_vec()))
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        match message {
            Message::Unsigned(body) => self.hint(body).map_err(NotUnderstood::new),
            Message::Genuine(_) | Message::GenuineForm(_) => Err(NotUnderstood::of_another_psp(Psp::Ancv)),
        }
    }

    fn api(&self) -> Option<&dyn Api> {
        Some(self)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        let details = match self.prove(request).map(|message| self.read(&message)) {
            Ok(Ok(reading)) => {
                reading.questions().iter().map(|question| format!("asks about: {question}")).collect()
            }
            Ok(Err(not_understood)) => vec![not_understood.to_string()],
            Err(rejection) => vec![rejection.to_string()],
        };
        let summary = "ANCV's automatic responses carry no seal that could be checked: whatever they say is taken \
                       for a hint, and ANCV's API is asked";
        Diagnosis { genuine: false, summary: summary.to_owned(), details }
    }
}

fn malformed(what: impl Into<String>) -> Rejection {
    Rejection::Malformed { psp: Psp::Ancv, what: what.into() }
}

/// The question about a transaction.
fn question(id: &str, asking: Asking) -> Option<Question> {
    Some(Question { topic: Topic::Transaction, subject: Subject::new(id).ok()?, asking })
}
