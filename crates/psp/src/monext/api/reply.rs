//! What became of a call.

use super::super::excerpt;
use super::soap::{self, SoapError};
use super::xml::{Element, XmlError};
use crate::api::{CallFailure, Exchange, NoAnswer};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// The server is out of order, `cause` in Monext's words for it: another may be well.
    Down {
        cause: String,
        why: String,
    },
    /// The answer is larger than any that is taken.
    TooLarge(String),
    /// Nothing that another server would do better.
    Trouble(String),
    Setting(String),
}

/// The answer to an operation.
pub(super) fn response(exchange: &Exchange, operation: &str) -> Result<Element, Miss> {
    let reply = exchange.outcome.as_ref().map_err(unreached)?;
    let status = reply.status;
    let down = || Miss::Down {
        cause: format!("HTTP_{status}"),
        why: format!("Monext answers with HTTP status {status}"),
    };
    match status {
        200 => soap::response(&reply.body, operation).map_err(|error| unreadable(&error)),
        // A fault of the service comes with this status as well.
        500 => match soap::response(&reply.body, operation) {
            Err(SoapError::Fault(fault)) => Err(Miss::Trouble(SoapError::Fault(fault).to_string())),
            Ok(_) | Err(SoapError::Xml(_) | SoapError::Missing(_)) => Err(down()),
        },
        408 | 502..=504 => Err(down()),
        401 | 403 => Err(Miss::Setting(format!(
            "Monext refuses the credentials (HTTP {status}): check merchant_id and access_key, and that the key is of \
             this platform, production or homologation"
        ))),
        404 | 300..=399 => Err(Miss::Setting(format!(
            "there is no SOAP service at this address (HTTP {status}): check base_url"
        ))),
        _ => Err(Miss::Trouble(format!("Monext answers with HTTP status {status}"))),
    }
}

/// Monext's PHP library takes a server that it cannot reach for one that does not answer in time.
fn unreached(failure: &CallFailure) -> Miss {
    let why = excerpt(&failure.to_string(), 200);
    match failure {
        CallFailure::TooLarge { .. } => Miss::TooLarge(why),
        CallFailure::Connect { .. } | CallFailure::Timeout { .. } | CallFailure::Cut { .. } => {
            Miss::Down { cause: "TIMEOUT".to_owned(), why }
        }
    }
}

fn unreadable(error: &SoapError) -> Miss {
    let why = format!("Monext's answer cannot be read: {error}");
    match error {
        SoapError::Xml(XmlError::TooMuch("elements")) => Miss::TooLarge(why),
        SoapError::Xml(_) | SoapError::Missing(_) | SoapError::Fault(_) => Miss::Trouble(why),
    }
}

impl From<Miss> for NoAnswer {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Down { why, .. } | Miss::TooLarge(why) | Miss::Trouble(why) => Self::Trouble(why),
            Miss::Setting(why) => Self::Setting(why),
        }
    }
}
