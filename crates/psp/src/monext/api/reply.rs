//! The outcome of a call.

use super::super::excerpt;
use cvco_domain::{Bilingual, Worded};

use super::soap::{self, SoapError};
use super::xml::{Element, XmlError};
use crate::api::{CallFailure, Exchange, NoAnswer};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The server is out of order, with `cause` in Monext's words. Another server may work.
    Down {
        cause: String,
        why: Bilingual,
    },
    /// The answer is larger than any that is taken.
    TooLarge(Bilingual),
    /// Another server would not do better.
    Trouble(Bilingual),
    Setting(Bilingual),
}

/// The answer to an operation.
pub(super) fn response(exchange: &Exchange, operation: &str) -> Result<Element, Unanswered> {
    let reply = exchange.outcome.as_ref().map_err(unreached)?;
    let status = reply.status;
    let down = || Unanswered::Down { cause: format!("HTTP_{status}"), why: by_status(status) };
    match status {
        200 => soap::response(&reply.body, operation).map_err(|error| unreadable(&error)),
        // A fault of the service comes with this status as well.
        500 => match soap::response(&reply.body, operation) {
            Err(SoapError::Fault(fault)) => {
                Err(Unanswered::Trouble(Bilingual::in_english_alone(SoapError::Fault(fault))))
            }
            Ok(_) | Err(SoapError::Xml(_) | SoapError::Missing(_)) => Err(down()),
        },
        408 | 502..=504 => Err(down()),
        401 | 403 => Err(Unanswered::Setting(Bilingual::new(
            format!(
                "Monext refuse les identifiants (HTTP {status})\u{a0}: vérifiez merchant_id et access_key, et que la clé est bien celle \
                 de cette plateforme, production ou homologation"
            ),
            format!(
                "Monext refuses the credentials (HTTP {status}): check merchant_id and access_key, and that the key is of \
                 this platform, production or homologation"
            ),
        ))),
        404 | 300..=399 => Err(Unanswered::Setting(Bilingual::new(
            format!("il n’y a pas de service SOAP à cette adresse (HTTP {status})\u{a0}: vérifiez base_url"),
            format!("there is no SOAP service at this address (HTTP {status}): check base_url"),
        ))),
        _ => Err(Unanswered::Trouble(by_status(status))),
    }
}

fn by_status(status: u16) -> Bilingual {
    Bilingual::new(
        format!("Monext répond par le statut HTTP {status}"),
        format!("Monext answers with HTTP status {status}"),
    )
}

/// Monext's PHP library treats a server that it cannot reach like one that does not answer in time.
fn unreached(failure: &CallFailure) -> Unanswered {
    let words = failure.words();
    let why = Bilingual::new(excerpt(&words.french, 250), excerpt(&words.english, 200));
    match failure {
        CallFailure::TooLarge { .. } => Unanswered::TooLarge(why),
        CallFailure::Connect { .. } | CallFailure::Timeout { .. } | CallFailure::Cut { .. } => {
            Unanswered::Down { cause: "TIMEOUT".to_owned(), why }
        }
    }
}

fn unreadable(error: &SoapError) -> Unanswered {
    let why = Bilingual::new(
        format!("la réponse de Monext est illisible (en anglais\u{a0}: {error})"),
        format!("Monext's answer cannot be read: {error}"),
    );
    match error {
        SoapError::Xml(XmlError::TooMuch("elements")) => Unanswered::TooLarge(why),
        SoapError::Xml(_) | SoapError::Missing(_) | SoapError::Fault(_) => Unanswered::Trouble(why),
    }
}

impl From<Unanswered> for NoAnswer {
    fn from(miss: Unanswered) -> Self {
        match miss {
            Unanswered::Down { why, .. } | Unanswered::TooLarge(why) | Unanswered::Trouble(why) => {
                Self::Trouble(why)
            }
            Unanswered::Setting(why) => Self::Setting(why),
        }
    }
}
