//! Worldline Direct, also sold as Crédit Agricole × Worldline (CAWL).
//!
//! A webhook tells of one *operation* of a payment: the vouchers' part, the card's part, a capture, a refund. The
//! payment has one id for all of them, which is the call number here. Most amounts are those of the whole order, and of
//! what was paid of it so far. So an event states its part's own amount only if the message does
//! ([`cvco_domain::AmountFrom`]); the payment's details, from the API, list all parts.
//!
//! No message about product 5412 (CV Connect at ANCV itself) is public. It is read as those of its siblings
//! are (5403, 5402, 3112), after Worldline's own plugins.

#[cfg(any(test, feature = "sender"))]
pub mod answers;
mod api;
pub mod codes;
mod diagnose;
mod format;
mod method;
mod near_miss;
mod notification;
mod objects;
mod payment_id;
mod refund;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod settings;
mod tender;
mod verify;

#[cfg(test)]
mod tests;

pub use diagnose::diagnose_webhook;
pub use settings::{ApiSettings, Settings, WebhookKey};
pub use verify::SIGNATURE;

use api::Confirmation;

use cvco_domain::{Mode, Psp};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request};

/// The header of the call that tries whether an address is ours.
const HANDSHAKE: &str = "x-gcs-webhooks-endpoint-verification";

/// The headers that carry the proof of a webhook, and that of the handshake.
pub const HEADERS: &[&str] = &[SIGNATURE, verify::KEY_ID, verify::RETRY_COUNT, HANDSHAKE];

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
        verify::prove(&self.settings, request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let Message::Genuine(body) = message else {
            return Err(NotUnderstood::of_another_psp(Psp::Worldline));
        };
        let mut reading = notification::read(body)?;
        if let (Reading::Facts { events, questions, .. }, Some(_)) = (&mut reading, &self.confirmation) {
            *questions = api::questions(events);
        }
        Ok(reading)
    }

    fn headers(&self) -> &'static [&'static str] {
        HEADERS
    }

    /// A bare `GET` is the trial of the address. Worldline's sister platform wants the header's value back;
    /// Direct is content with an empty answer, as its plugin for `PrestaShop` gives. A `GET` with a signature or a body was
    /// a webhook, of which a redirect made a `GET`: answered like a trial, it would be lost.
    fn handshake(&self, request: &Request<'_>) -> Option<String> {
        let was_webhook = !request.body.is_empty()
            || [SIGNATURE, verify::KEY_ID].iter().any(|name| request.header(name).next().is_some());
        if request.method == Method::Post || was_webhook {
            return None;
        }
        let token = verify::once(request, HANDSHAKE);
        let token = token.filter(|token| token.len() <= 256 && token.iter().all(u8::is_ascii_graphic));
        Some(token.map(|token| String::from_utf8_lossy(token).into_owned()).unwrap_or_default())
    }

    fn api(&self) -> Option<&dyn Api> {
        self.confirmation.as_ref().map(|confirmation| confirmation as &dyn Api)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnose::of_endpoint(&self.settings, request)
    }
}
