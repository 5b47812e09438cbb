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
pub use settings::{API_ADDRESS, Algorithm, Settings, SiteId, UnknownAlgorithm};

use form::VadsForm;
use rest_api::RestApi;
use submission::{Format, Malformed, Submission};

use cvco_domain::crypto::{HmacSha256Key, Verified};
use cvco_domain::{Mode, Psp};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Facts, Message, Method, Reading, Rejection, Request, Unread};

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

    fn prove_form(&self, submission: &Submission<'_>) -> Result<Verified<VadsForm<'_>>, Rejection> {
        let Some(signature) = submission.decoded("signature") else {
            return Err(Malformed::new("signature is missing").into());
        };
        VadsForm::new(submission, &self.key)
            .verify(&signature, self.settings.algorithm)
            .map_err(|_| Rejection::Signature)
    }
}

impl Adapter for Sogecommerce {
    fn psp(&self) -> Psp {
        Psp::Sogecommerce
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove<'m>(&'m self, request: &Request<'m>) -> Result<Box<dyn Message + 'm>, Rejection> {
        match request.method {
            Method::Post => {}
            Method::Get => return Err(Malformed::new("a notification is a POST").into()),
        }
        let submission = Submission::parse(request.body)?;
        Ok(match submission.format() {
            Some(Format::FormV2) => {
                Box::new(GenuineForm { adapter: self, form: self.prove_form(&submission)? })
            }
            Some(Format::RestV4) => {
                Box::new(GenuineAnswer { adapter: self, answer: rest::prove(&submission, &self.settings)? })
            }
            None => return Err(Malformed::new("neither vads_ fields nor kr-answer").into()),
        })
    }

    fn api(&self) -> Option<&dyn Api> {
        self.api.as_ref().map(|api| api as &dyn Api)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        diagnosis::of_endpoint(&self.settings, request)
    }
}

/// A form (V2) that the platform signed.
struct GenuineForm<'a> {
    adapter: &'a Sogecommerce,
    form: Verified<VadsForm<'a>>,
}

impl Message for GenuineForm<'_> {
    fn read(&self) -> Result<Reading, Unread> {
        let facts = ipn::read(&self.form, Some(&self.adapter.settings.site_id))?;
        Ok(Reading::proven(&self.form, self.adapter.with_questions(facts)))
    }
}

/// A REST notification (V4) that the platform signed.
struct GenuineAnswer<'a> {
    adapter: &'a Sogecommerce,
    answer: Verified<Vec<u8>>,
}

impl Message for GenuineAnswer<'_> {
    fn read(&self) -> Result<Reading, Unread> {
        let Settings { site_id, mode, .. } = &self.adapter.settings;
        let facts = rest::read(&self.answer, Some((site_id, *mode)))?;
        Ok(Reading::proven(&self.answer, self.adapter.with_questions(facts)))
    }
}

impl Sogecommerce {
    fn with_questions(&self, facts: Facts) -> Facts {
        match &self.api {
            Some(api) => Facts { questions: api.questions_about(&facts.events), ..facts },
            None => facts,
        }
    }
}
