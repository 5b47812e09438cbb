//! Worldline Direct, also sold as Crédit Agricole × Worldline (CAWL).
//!
//! A webhook tells of one *operation* of a payment: the vouchers' part, the card's part, a capture, a refund.
//! The payment has one id for all of them, which is the call number here; what is said of amounts is mostly
//! that of the whole order, with what was paid of it so far. So an event states its part's own amount only
//! where the message does ([`cvco_domain::AmountFrom`]); the payment's details, from the API, list all
//! parts.
//!
//! No message about product 5412 (CV Connect at ANCV itself) is public. It is read as those of its siblings
//! are (5403, 5402, 3112), after Worldline's own plugins.

#[cfg(any(test, feature = "sender"))]
pub mod answers;
mod authentication;
pub mod codes;
mod confirmation;
mod details;
mod diagnosis;
mod format;
mod method;
mod near_miss;
mod objects;
mod payment_id;
mod refund;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod settings;
mod signature;
mod tender;
mod webhook;

#[cfg(test)]
mod tests;

pub use diagnosis::diagnose_webhook;
pub use settings::{ApiSettings, Settings, WebhookKey};
pub use signature::SIGNATURE;

use confirmation::Confirmation;

use cvco_domain::{Mode, Psp};

use super::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request, api};

/// The header of the call that tries whether an address is ours.
const HANDSHAKE: &str = "x-gcs-webhooks-endpoint-verification";

/// The headers that carry the proof of a webhook, and that of the handshake.
pub const HEADERS: &[&str] = &[SIGNATURE, signature::KEY_ID, signature::RETRY_COUNT, HANDSHAKE];

/// The adapter of one endpoint.
#[derive(Debug)]
pub struct Worldline {
    settings: Settings,
    confirmation: Option<Confirmation>,
}

impl Worldline {
    /// An adapter with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let confirmation =
            settings.api.clone().map(|api| Confirmation::new(settings.merchant_id.clone(), api));
        Self { settings, confirmation }
    }
}

impl Adapter for Worldline {
    fn psp(&self) -> Psp {
        Psp::Worldline
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        match request.method {
            Method::Post => {}
            Method::Get => {
                let what = "a webhook is a POST".to_owned();
                return Err(Rejection::Malformed { psp: Psp::Worldline, what });
            }
        }
        let body = signature::verify(request, &self.settings.webhook_keys)?;
        webhook::check_account(&body, &self.settings.merchant_id)?;
        Ok(Message::Genuine(body))
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let Message::Genuine(body) = message else {
            return Err(NotUnderstood::of_another_psp(Psp::Worldline));
        };
        let mut reading = webhook::read(body)?;
        if let (Reading::Facts { events, questions, .. }, Some(_)) = (&mut reading, &self.confirmation) {
            *questions = confirmation::questions(events);
        }
        Ok(reading)
    }

    fn headers(&self) -> &'static [&'static str] {
        HEADERS
    }

    /// Any `GET` is the trial of the address. Worldline's sister platform wants the header's value back;
    /// Direct is content with an empty answer, as its plugin for `PrestaShop` gives.
    fn handshake(&self, request: &Request<'_>) -> Option<String> {
        match request.method {
            Method::Post => None,
            Method::Get => {
                let token = signature::once(request, HANDSHAKE);
                let token =
                    token.filter(|token| token.len() <= 256 && token.iter().all(u8::is_ascii_graphic));
                Some(token.map(|token| String::from_utf8_lossy(token).into_owned()).unwrap_or_default())
            }
        }
    }

    fn api(&self) -> Option<&dyn api::Api> {
        self.confirmation.as_ref().map(|confirmation| confirmation as &dyn api::Api)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnosis::of_endpoint(&self.settings, request)
    }
}
