//! Sogecommerce (Société Générale), on Lyra's platform.
//!
//! One notification describes the whole order: either one transaction, or a cascade of a voucher and its
//! card complement with all attempts. Two formats carry the same facts:
//!
//! - the form (V2): fields `vads_…`, whose values are signed together with the shop's key;
//! - REST (V4): a signed JSON text, taken only where a REST password is configured.
//!
//! Replays differ from the first call in their signature and their fields, so nothing here depends on the
//! bytes of a message: events carry the platform's own identifiers.
//!
//! The REST API tells of an order in the same words as the REST notification, so its answers are read by the
//! same code.

#[cfg(any(test, feature = "sender"))]
pub mod answers;
mod api;
pub mod codes;
mod diagnose;
mod format;
mod names;
mod near_miss;
mod notification;
mod payment;
mod payment_seq;
mod rest_notification;
mod rest_transaction;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod settings;
mod submission;
mod verify;

#[cfg(test)]
mod tests;

pub use diagnose::diagnose_form;
pub use settings::{API_ADDRESS, Algorithm, Settings, SiteId, UnknownAlgorithm};
pub use verify::VadsFields;

use api::RestApi;

use cvco_domain::crypto::HmacSha256Key;
use cvco_domain::{Mode, Psp};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};

/// The adapter of one endpoint.
pub struct Sogecommerce {
    settings: Settings,
    keys: Vec<HmacSha256Key>,
    api: Option<RestApi>,
}

impl Sogecommerce {
    /// The adapter under these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let keys = settings.keys.iter().map(settings::trimmed).collect();
        let api = RestApi::new(&settings);
        Self { settings, keys, api }
    }
}

impl Adapter for Sogecommerce {
    fn psp(&self) -> Psp {
        Psp::Sogecommerce
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        verify::prove(&self.settings, &self.keys, request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let mut reading = match message {
            Message::GenuineForm(fields) => notification::read(fields)?,
            Message::Genuine(answer) => rest_notification::read(answer)?,
            Message::Unsigned(_) => return Err(NotUnderstood::of_another_psp(Psp::Sogecommerce)),
        };
        if let (Reading::Facts { events, questions, .. }, Some(api)) = (&mut reading, &self.api) {
            *questions = api.questions_about(events);
        }
        Ok(reading)
    }

    fn api(&self) -> Option<&dyn Api> {
        self.api.as_ref().map(|api| api as &dyn Api)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnose::of_endpoint(&self.settings, request)
    }
}
