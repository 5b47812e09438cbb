//! Why a call that knew an endpoint's secret address is refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Psp, Worded};

/// Why calls are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Wrong signatures: probably a wrong key.
    Signature,
    /// Genuine, but for another account of the PSP than the endpoint's.
    Account,
    /// Not in the PSP's format.
    Form,
    /// By another method than the PSP's, as a redirect makes it.
    Method,
    /// Larger than what is taken.
    Size,
    /// The body was cut, or did not come in time.
    Incomplete,
    /// From an address outside `allow_from`.
    Address,
    /// HTTP that cannot be read.
    Http,
    /// More unsigned calls than an endpoint stores.
    Flood,
    /// The daemon's own relay sent it: a handler's address leads back here.
    Loop,
}

impl Refusal {
    /// The name in the log and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Account => "account",
            Self::Form => "form",
            Self::Method => "method",
            Self::Size => "size",
            Self::Incomplete => "incomplete",
            Self::Address => "address",
            Self::Http => "http",
            Self::Flood => "flood",
            Self::Loop => "loop",
        }
    }
}

/// Why one call was refused; there is no value from outside in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Grounds {
    /// Its signature does not verify.
    Signature,
    /// It names a signing key that the endpoint does not have.
    UnknownKey,
    /// The PSP signed it for another account than the endpoint's.
    Account {
        /// Whose account.
        psp: Psp,
        /// The field that names it.
        field: String,
    },
    /// It is not in the PSP's format.
    Form {
        /// Whose format.
        psp: Psp,
        /// The field or part that is wrong, and how; in English.
        what: String,
    },
    /// It came by GET, where the PSP sends by POST.
    Redirected {
        /// Whose method.
        psp: Psp,
    },
    /// It came neither by GET nor by POST.
    Verb,
    /// Its body is larger than what is taken.
    Size,
    /// Its body was cut, or did not come in time.
    Incomplete,
    /// It came from an address outside `allow_from`.
    Address {
        /// The PSP had signed it all the same.
        signed: bool,
    },
    /// It could not be read as HTTP.
    Http,
    /// More unsigned or unreadable calls came than an endpoint stores.
    Flood,
    /// The daemon's own relay sent it.
    Loop,
}

impl Grounds {
    /// What it is counted as.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        match self {
            Self::Signature | Self::UnknownKey => Refusal::Signature,
            Self::Account { .. } => Refusal::Account,
            Self::Form { .. } => Refusal::Form,
            Self::Redirected { .. } | Self::Verb => Refusal::Method,
            Self::Size => Refusal::Size,
            Self::Incomplete => Refusal::Incomplete,
            Self::Address { .. } => Refusal::Address,
            Self::Http => Refusal::Http,
            Self::Flood => Refusal::Flood,
            Self::Loop => Refusal::Loop,
        }
    }

    /// Whether the PSP had signed it.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        matches!(self, Self::Account { .. } | Self::Address { signed: true })
    }
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("the signature does not verify"),
            Self::UnknownKey => f.write_str("it names a signing key that the endpoint does not have"),
            Self::Account { psp, field } => {
                write!(f, "signed for another account of {psp}: {field} is not the one configured")
            }
            Self::Form { psp, what } => write!(f, "not a notification of {psp}: {what}"),
            Self::Redirected { psp } => write!(
                f,
                "not a notification of {psp}, which are sent by POST: a redirect made a GET of it, or it is a visit"
            ),
            Self::Verb => f.write_str("neither GET nor POST"),
            Self::Size => f.write_str("the body is larger than what is taken (512 KiB)"),
            Self::Incomplete => f.write_str("the body was cut, or did not come in time"),
            Self::Address { signed: true } => f.write_str("genuine, but its address is outside allow_from"),
            Self::Address { signed: false } => f.write_str("its address is outside allow_from"),
            Self::Http => f.write_str(
                "HTTP that cannot be read, or in two ways, or with more in its head than is taken (16 KiB)",
            ),
            Self::Flood => f.write_str("more unsigned or unreadable calls than an endpoint stores"),
            Self::Loop => f.write_str("it carries Cvco-Relay: the url of a relay leads back to this address"),
        }
    }
}

impl Worded for Grounds {
    fn in_french(&self) -> String {
        match self {
            Self::Signature => "la signature ne convient pas".to_owned(),
            Self::UnknownKey => "il nomme une clé de signature que le point d’entrée n’a pas".to_owned(),
            Self::Account { psp, field } => format!(
                "signé pour un autre compte {}\u{a0}: {field} n’est pas celui de la configuration",
                psp.title()
            ),
            Self::Form { psp, what } => {
                format!("ce n’est pas une notification de {} (en anglais\u{a0}: {what})", psp.title())
            }
            Self::Redirected { psp } => format!(
                "pas une notification de {}, qui les envoie par POST\u{a0}: une redirection en a fait un GET, ou c’est une visite",
                psp.title()
            ),
            Self::Verb => "ni GET ni POST".to_owned(),
            Self::Size => "le corps dépasse ce qui est accepté (512 Kio)".to_owned(),
            Self::Incomplete => "le corps a été coupé, ou n’est pas arrivé à temps".to_owned(),
            Self::Address { signed: true } => {
                "authentique, mais venu d’une adresse hors de allow_from".to_owned()
            }
            Self::Address { signed: false } => "venu d’une adresse hors de allow_from".to_owned(),
            Self::Http => {
                "HTTP illisible, ou lisible de deux façons, ou avec un en-tête de plus de 16 Kio".to_owned()
            }
            Self::Flood => {
                "plus d’appels non signés ou illisibles qu’un point d’entrée n’en garde".to_owned()
            }
            Self::Loop => "il porte Cvco-Relay\u{a0}: l’adresse d’une transmission ramène ici".to_owned(),
        }
    }
}
