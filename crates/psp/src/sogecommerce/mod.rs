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
pub mod codes;
mod diagnosis;
mod form;
mod format;
mod ipn;
mod names;
mod near_miss;
mod payment;
mod payment_seq;
mod rest;
mod rest_api;
mod rest_transaction;
#[cfg(any(test, feature = "sender"))]
pub mod sender;
mod settings;
mod submission;

#[cfg(test)]
mod tests;

pub use diagnosis::diagnose_form;
pub use form::VadsFields;
pub use settings::{API_ADDRESS, Algorithm, Settings, SiteId, UnknownAlgorithm};

use form::VadsForm;
use rest_api::RestApi;
use submission::{Format, Malformed, Submission};

use cvco_domain::crypto::HmacSha256Key;
use cvco_domain::{Mode, Psp};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request};

/// The adapter of one endpoint.
pub struct Sogecommerce {
    settings: Settings,
    key: HmacSha256Key,
    api: Option<RestApi>,
}

impl Sogecommerce {
    /// The adapter under these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let key = settings::trimmed(&settings.key);
        let api = RestApi::new(&settings);
        Self { settings, key, api }
    }

    fn prove_form(&self, submission: &Submission<'_>) -> Result<Message, Rejection> {
        let Some(signature) = submission.decoded("signature") else {
            return Err(Malformed::new("signature is missing").into());
        };
        let fields = VadsForm::new(submission, &self.key)
            .verify(&signature, self.settings.algorithm)
            .map_err(|_| Rejection::Signature)?;
        ipn::check_account(&fields, &self.settings.site_id)?;
        Ok(Message::GenuineForm(fields))
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
        match request.method {
            Method::Post => {}
            Method::Get => return Err(Malformed::new("a notification is a POST").into()),
        }
        let submission = Submission::parse(request.body)?;
        match submission.format() {
            Some(Format::FormV2) => self.prove_form(&submission),
            Some(Format::RestV4) => rest::prove(&submission, &self.settings).map(Message::Genuine),
            None => Err(Malformed::new("neither vads_ fields nor kr-answer").into()),
        }
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let mut reading = match message {
            Message::GenuineForm(fields) => ipn::read(fields)?,
            Message::Genuine(answer) => rest::read(answer)?,
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
        diagnosis::of_endpoint(&self.settings, request)
    }
}
