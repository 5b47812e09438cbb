//! Up2pay e-Transactions (Crédit Agricole), on the platform known as Paybox.
//!
//! A voucher payment makes one call per part: the CV-Connect part (`CVCONNECT`) and, if the voucher does not
//! reach, the card complement (`LIMOCB`), under one reference and one call number, each with its own amount and
//! transaction, in any order. A call is signed with the platform's RSA key, the same for all merchants and for
//! trials and real payments: a genuine signature says "from the platform", neither "for this shop" nor "real
//! money". The secret path of the endpoint and the authorisation number say the rest.
//!
//! | file | holds |
//! |---|---|
//! | `settings.rs`, `template.rs` | what an endpoint must know; `PBX_RETOUR`: names and letters of the variables |
//! | `verify.rs` | which bytes are signed, and whether the signature fits |
//! | `notification.rs`, `when.rs`, `codes.rs` | what a proven call says |
//! | `diagnose.rs`, `near_miss.rs` | why a signature does or does not fit |
//! | `api.rs` | questions to the platform about a transaction, and what its answers say |
//! | `warning_mail.rs` | calls that failed, in the e-mails that the platform writes about them |
//! | `sender.rs`, `answers.rs`, `trial_key.rs` | signed calls and answers for trials |

#[cfg(any(test, feature = "sender"))]
pub mod answers;
mod api;
pub mod codes;
mod diagnose;
mod near_miss;
mod notification;
#[cfg(any(test, feature = "sender"))]
mod sender;
mod settings;
mod template;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "sender"))]
mod trial_key;
mod verify;
pub mod warning_mail;
mod when;

pub use diagnose::diagnose_query;
#[cfg(any(test, feature = "sender"))]
pub use sender::Call;
pub use settings::{ApiKey, ApiSettings, NotHex, Settings};
pub use template::{Template, TemplateError};
#[cfg(any(test, feature = "sender"))]
pub use trial_key::{NoKey, TrialKey};

use cvco_domain::{Bilingual, Mode, Psp, Worded};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use api::Consultation;
use notification::{Content, Fields};

use crate::api::Api;
use crate::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};

/// All but the unreserved characters of RFC 3986.
const RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The adapter of one endpoint.
#[derive(Debug, Clone)]
pub struct Up2pay {
    settings: Settings,
    consultation: Option<Consultation>,
}

impl Up2pay {
    /// An adapter with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let consultation = settings.api.clone().map(|api| Consultation::new(api, settings.mode));
        Self { settings, consultation }
    }
}

impl Adapter for Up2pay {
    fn psp(&self) -> Psp {
        Psp::Up2pay
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        verify::prove(&self.settings, request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let Message::Genuine(bytes) = message else {
            return Err(NotUnderstood::of_another_psp(Psp::Up2pay));
        };
        let fields = Fields::parse(bytes, &self.settings.template)?;
        Ok(match notification::read(&fields, &self.settings)? {
            Content::Nothing(why) => Reading::nothing(why),
            Content::Tender { event, remark } => {
                let question = self.consultation.as_ref().and_then(|consultation| consultation.again(&event));
                Reading::facts(bytes, vec![*event], question.into_iter().collect(), remark)
            }
        })
    }

    fn api(&self) -> Option<&dyn Api> {
        self.consultation.as_ref().map(|consultation| consultation as &dyn Api)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        let Settings { template, keys, .. } = &self.settings;
        let mut diagnosis = diagnose_query(template, keys, request.payload());
        match self.prove(request).map(|message| self.read(&message)) {
            Ok(Ok(reading)) => {
                let facts = reading.events().len();
                diagnosis.details.push(Bilingual::new(
                    format!("faits concernant un paiement par chèque-vacances\u{a0}: {facts}"),
                    format!("facts about a voucher payment: {facts}"),
                ));
                diagnosis.details.extend(reading.remark().map(Bilingual::in_english_alone));
            }
            Ok(Err(not_understood)) => diagnosis.details.push(not_understood.words()),
            Err(Rejection::Signature | Rejection::UnknownKey) => {}
            Err(
                refused
                @ (Rejection::Malformed { .. } | Rejection::Method { .. } | Rejection::Foreign { .. }),
            ) => {
                diagnosis.details.push(refused.words());
            }
        }
        diagnosis
    }
}
