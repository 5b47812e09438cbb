//! The outcome of a call.

use super::super::excerpt;
use super::soap::{self, SoapError};
use super::xml::{Element, XmlError};
use crate::api::{CallFailure, Exchange, NoAnswer};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The server is out of order, with `cause` in Monext's words. Another server may work.
    Down {
        cause: String,
        why: String,
    },
    /// The answer is larger than any that is taken.
    TooLarge(String),
    /// Another server would not do better.
    Trouble(String),
    Setting(String),
}

/// The answer to an operation.
pub(super) fn response(exchange: &Exchange, operation: &str) -> Result<Element, Unanswered> {
    let reply = exchange.outcome.as_ref().map_err(unreached)?;
    let status = reply.status;
    let down = || Unanswered::Down {
        cause: format!("HTTP_{status}"),
        why: format!("Monext answers with HTTP status {status}"),
    };
    match status {
        200 => soap::response(&reply.body, operation).map_err(|error| unreadable(&error)),
        // A fault of the service comes with this status as well.
        500 => match soap::response(&reply.body, operation) {
            Err(SoapError::Fault(fault)) => Err(Unanswered::Trouble(SoapError::Fault(fault).to_string())),
            Ok(_) | Err(SoapError::Xml(_) | SoapError::Missing(_)) => Err(down()),
        },
        408 | 502..=504 => Err(down()),
        401 | 403 => Err(Unanswered::Setting(format!(
            "Monext refuses the credentials (HTTP {status}): check merchant_id and access_key, and that the key is of \
             this platform, production or homologation"
        ))),
        404 | 300..=399 => Err(Unanswered::Setting(format!(
            "there is no SOAP service at this address (HTTP {status}): check base_url"
        ))),
        _ => Err(Unanswered::Trouble(format!("Monext answers with HTTP status {status}"))),
    }
}

/// Monext's PHP library treats a server that it cannot reach like one that does not answer in time.
fn unreached(failure: &CallFailure) -> Unanswered {
    let why = excerpt(&failure.to_string(), 200);
    match failure {
        CallFailure::TooLarge { .. } => Unanswered::TooLarge(why),
        CallFailure::Connect { .. } | CallFailure::Timeout { .. } | CallFailure::Cut { .. } => {
            Unanswered::Down { cause: "TIMEOUT".to_owned(), why }
        }
    }
}

fn unreadable(error: &SoapError) -> Unanswered {
    let why = format!("Monext's answer cannot be read: {error}");
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
