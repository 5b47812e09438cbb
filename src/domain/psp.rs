//! The payment providers, and the two worlds in which each of them lives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is none of the words of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {expected}")]
pub struct UnknownWord {
    pub(crate) text: String,
    pub(crate) expected: &'static str,
}

/// A payment service provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Psp {
    /// Up2pay e-Transactions (Crédit Agricole; Paybox / Verifone platform).
    Up2pay,
    /// Sogecommerce (Société Générale; Lyra / PayZen platform).
    Sogecommerce,
}

impl Psp {
    /// Every PSP.
    pub const ALL: [Self; 2] = [Self::Up2pay, Self::Sogecommerce];

    /// The name in configuration, ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up2pay => "up2pay",
            Self::Sogecommerce => "sogecommerce",
        }
    }

    /// The name that people know.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Up2pay => "Up2pay e-Transactions",
            Self::Sogecommerce => "Sogecommerce",
        }
    }

    /// Whether a transaction number alone names a tender. At Up2pay it does not: the manual's own two example
    /// calls (3.2.4 and 3.3.4), voucher and card of one order, carry one and the same number.
    #[must_use]
    pub const fn transaction_names_tender(self) -> bool {
        match self {
            Self::Up2pay => false,
            Self::Sogecommerce => true,
        }
    }

    /// Whether one payment attempt can hold several accepted card complements. Up2pay's payment page takes
    /// one (Up2pay manual 3.2.3: one transaction per instrument); Lyra's cascade can take several.
    #[must_use]
    pub const fn takes_several_complements(self) -> bool {
        match self {
            Self::Up2pay => false,
            Self::Sogecommerce => true,
        }
    }
}

impl fmt::Display for Psp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Psp {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|psp| psp.as_str() == text).ok_or_else(|| UnknownWord {
            text: text.chars().take(40).collect(),
            expected: "up2pay, sogecommerce",
        })
    }
}

/// Whether money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real money.
    Production,
    /// The PSP's trial platform.
    Test,
}

impl Mode {
    /// The name in configuration, ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "production" => Ok(Self::Production),
            "test" => Ok(Self::Test),
            other => {
                Err(UnknownWord { text: other.chars().take(40).collect(), expected: "production, test" })
            }
        }
    }
}
