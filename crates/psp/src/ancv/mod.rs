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
use super::{Adapter, Diagnosis, Message, Method, Reading, Rejection, Request, Unread};
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
}

impl Adapter for Ancv {
    fn psp(&self) -> Psp {
        Psp::Ancv
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove<'m>(&'m self, request: &Request<'m>) -> Result<Box<dyn Message + 'm>, Rejection> {
        if request.method != Method::Post {
            return Err(malformed("an automatic response is a POST"));
        }
        if request.body.len() > MAX_BODY {
            return Err(malformed("longer than any automatic response"));
        }
        let hint = Hint::parse(request.body).map_err(malformed)?;
        if hint.shop_id.is_some_and(|shop| !message::same_number(&shop, &self.settings.shop_id)) {
            return Err(malformed("transaction.merchant.shopId is another shop's"));
        }
        let question = question(&hint.id, Asking::Sparingly);
        let question = question.ok_or_else(|| malformed("transaction.id cannot be asked about"))?;
        Ok(Box::new(AutomaticResponse(question)))
    }

    fn api(&self) -> Option<&dyn Api> {
        Some(self)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        let details = match self.prove(request).map(|response| response.read()) {
            Ok(Ok(Reading::Hint { questions, .. })) => {
                questions.iter().map(|question| format!("asks about: {question}")).collect()
            }
            Ok(Ok(Reading::Facts(_) | Reading::Nothing { .. })) => Vec::new(),
            Ok(Err(unread)) => vec![unread.to_string()],
            Err(rejection) => vec![rejection.to_string()],
        };
        let summary = "ANCV's automatic responses carry no seal that could be checked: whatever they say is taken \
                       for a hint, and ANCV's API is asked";
        Diagnosis { genuine: false, summary: summary.to_owned(), details }
    }
}

/// An automatic response, of which only the transaction's number is of use.
struct AutomaticResponse(Question);

impl Message for AutomaticResponse {
    fn read(&self) -> Result<Reading, Unread> {
        let remark = "nobody sealed it: ANCV's API is asked about the transaction";
        Ok(Reading::unsigned(vec![self.0.clone()], remark.to_owned()))
    }
}

fn malformed(what: impl Into<String>) -> Rejection {
    Rejection::Malformed { psp: Psp::Ancv, what: what.into() }
}

/// The question about a transaction.
fn question(id: &str, asking: Asking) -> Option<Question> {
    Some(Question { topic: Topic::Transaction, subject: Subject::new(id).ok()?, asking })
}
