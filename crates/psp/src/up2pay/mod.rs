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
//! | `template.rs` | `PBX_RETOUR`: names and letters of the variables |
//! | `signature.rs` | which bytes are signed, and whether the signature fits |
//! | `message.rs`, `when.rs`, `codes.rs` | what a proven call says |
//! | `diagnosis.rs`, `near_miss.rs` | why a signature does or does not fit |
//! | `consultation.rs` | questions to the platform about a transaction, and what its answers say |
//! | `warning_mail.rs` | calls that failed, in the e-mails that the platform writes about them |
//! | `sender.rs`, `answers.rs`, `throwaway_key.rs` | signed calls and answers for trials |

#[cfg(any(test, feature = "sender"))]
pub mod answers;
pub mod codes;
mod consultation;
mod diagnosis;
mod message;
mod near_miss;
#[cfg(any(test, feature = "sender"))]
mod sender;
mod signature;
mod template;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "sender"))]
mod throwaway_key;
pub mod warning_mail;
mod when;

pub use consultation::{ApiKey, ApiSettings, NotHex};
pub use diagnosis::diagnose_query;
#[cfg(any(test, feature = "sender"))]
pub use sender::Call;
pub use template::{Template, TemplateError};
#[cfg(any(test, feature = "sender"))]
pub use throwaway_key::{NoKey, ThrowawayKey};

use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::{Mode, Psp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::api::Api;
use super::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};
use consultation::Consultation;
use message::{Fields, Said};
use signature::Failure;

/// The key with which the platform signs the calls of every merchant, in use since 2014 at the latest.
const PLATFORM_KEY: &[u8] = include_bytes!("platform-public-key.pem");

/// All but the unreserved characters of RFC 3986.
const RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the adapter of one endpoint must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Real payments or trials.
    pub mode: Mode,
    /// The variables that the shop asks for.
    pub template: Template,
    /// The keys of which one must have signed: [`Settings::platform_key`], unless a trial brings its own.
    pub keys: Vec<RsaPublicKey>,
    /// What it takes to ask the platform about a transaction; `None`: nothing is asked.
    pub api: Option<ApiSettings>,
    /// Whether card payments outside the voucher page are facts too: they may be the complement of a voucher that
    /// the shop takes at ANCV itself.
    pub keep_cards: bool,
}

impl Settings {
    /// The platform's own key.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the constant is a key; a test reads it"
    )]
    pub fn platform_key() -> RsaPublicKey {
        RsaPublicKey::from_pem(PLATFORM_KEY).expect("the platform's key is a key")
    }
}

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
        let Settings { template, keys, .. } = &self.settings;
        let genuine = signature::verify(template, keys, request.payload())
            .map_err(|failure| rejection(failure, template.signature_name()))?;
        Ok(Message::Genuine(genuine.bytes))
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let Message::Genuine(bytes) = message else {
            return Err(NotUnderstood::of_another_psp(Psp::Up2pay));
        };
        let fields = Fields::parse(bytes, &self.settings.template)?;
        Ok(match message::read(&fields, &self.settings)? {
            Said::Nothing(why) => Reading::nothing(why),
            Said::Part { event, remark } => {
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
                diagnosis.details.push(format!("facts about a voucher payment: {}", reading.events().len()));
                diagnosis.details.extend(reading.remark().map(str::to_owned));
            }
            Ok(Err(not_understood)) => diagnosis.details.push(not_understood.to_string()),
            Err(Rejection::Signature | Rejection::UnknownKey) => {}
            Err(refused @ (Rejection::Malformed { .. } | Rejection::Foreign { .. })) => {
                diagnosis.details.push(refused.to_string());
            }
        }
        diagnosis
    }
}

/// A signature that is there but damaged is answered like a wrong one: both are for the shop to see.
fn rejection(failure: Failure, signature_name: &str) -> Rejection {
    let malformed = |what: String| Rejection::Malformed { psp: Psp::Up2pay, what };
    match failure {
        Failure::TooManyPairs => malformed("more variables than any call has".to_owned()),
        Failure::Missing => malformed(format!("no signature (variable {signature_name})")),
        Failure::Repeated => malformed(format!("the signature (variable {signature_name}) stands twice")),
        Failure::TooLong => malformed("the signature is longer than any key makes".to_owned()),
        Failure::NotBase64 | Failure::Length(_) | Failure::NoMatch => Rejection::Signature,
    }
}
