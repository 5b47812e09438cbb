//! The payment providers, and the two worlds in which each of them lives.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A text that is none of the words of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {expected}")]
pub struct UnknownWord {
    text: String,
    expected: &'static str,
}

impl UnknownWord {
    /// The error about `text`, where only the words in `expected` are known. A long text is cut short.
    #[must_use]
    pub fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(40).collect(), expected }
    }
}

/// A payment service provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Psp {
    /// Up2pay e-Transactions (Crédit Agricole; Paybox / Verifone platform).
    Up2pay,
    /// Sogecommerce (Société Générale; Lyra / PayZen platform).
    Sogecommerce,
    /// Worldline Direct ("onlinepayments"), also as Crédit Agricole × Worldline.
    Worldline,
    /// Monext Online (Payline).
    Monext,
    /// ANCV's own acquisition API, for merchants connected without a PSP. Experimental.
    Ancv,
}

impl Psp {
    /// Every PSP.
    pub const ALL: [Self; 5] = [Self::Up2pay, Self::Sogecommerce, Self::Worldline, Self::Monext, Self::Ancv];

    /// The name in configuration, ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up2pay => "up2pay",
            Self::Sogecommerce => "sogecommerce",
            Self::Worldline => "worldline",
            Self::Monext => "monext",
            Self::Ancv => "ancv",
        }
    }

    /// The name that people know.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Up2pay => "Up2pay e-Transactions",
            Self::Sogecommerce => "Sogecommerce",
            Self::Worldline => "Worldline Direct",
            Self::Monext => "Monext Online",
            Self::Ancv => "ANCV",
        }
    }

    /// Whether a transaction number alone names a tender. At Up2pay it does not: the manual's own two example
    /// calls (3.2.4 and 3.3.4), voucher and card of one order, carry one and the same number.
    #[must_use]
    pub const fn transaction_names_tender(self) -> bool {
        match self {
            Self::Up2pay => false,
            Self::Sogecommerce | Self::Worldline | Self::Monext | Self::Ancv => true,
        }
    }

    /// Whether one payment attempt can hold several accepted card complements. Up2pay's payment page takes
    /// one (Up2pay manual 3.2.3: one transaction per instrument), and so does Worldline's; Lyra's cascade and Monext's list of additional
    /// payments can hold several. Beside a voucher taken at ANCV itself the shop may charge as many as it likes.
    #[must_use]
    pub const fn takes_several_complements(self) -> bool {
        match self {
            Self::Up2pay | Self::Worldline => false,
            Self::Sogecommerce | Self::Monext | Self::Ancv => true,
        }
    }

    /// Whether what is done to a transaction later, a capture or a cancellation, is told under a transaction of
    /// its own (Worldline: `{payment}_{operation}`, where operation 1 may be the capture of operation 0).
    #[must_use]
    pub const fn numbers_operations(self) -> bool {
        match self {
            Self::Worldline => true,
            Self::Up2pay | Self::Sogecommerce | Self::Monext | Self::Ancv => false,
        }
    }

    /// Whether a card payment at `card`, told under a call number of its own, can be the complement of a voucher
    /// taken here: then the order reference joins the two.
    #[must_use]
    pub const fn is_completed_by(self, card: Self) -> bool {
        match self {
            Self::Worldline => matches!(card, Self::Worldline),
            Self::Monext => matches!(card, Self::Monext),
            Self::Ancv => !matches!(card, Self::Ancv),
            Self::Up2pay | Self::Sogecommerce => false,
        }
    }

    /// Whether its messages prove where they come from. Where they do not, whoever knows an endpoint's URL can make
    /// them up.
    #[must_use]
    pub const fn proves_its_messages(self) -> bool {
        match self {
            Self::Up2pay | Self::Sogecommerce | Self::Worldline => true,
            Self::Monext | Self::Ancv => false,
        }
    }

    /// Whether it notifies a capture. Where it does not, only an answer of its API says that one is missing: neither
    /// Sogecommerce nor Up2pay is known to call when an authorised part is remitted.
    #[must_use]
    pub const fn tells_of_captures(self) -> bool {
        match self {
            Self::Worldline => true,
            Self::Up2pay | Self::Sogecommerce | Self::Monext | Self::Ancv => false,
        }
    }

    /// For how long an authorisation holds, where that is known (Sogecommerce's `CVCo` guide 1.5: three days).
    #[must_use]
    pub const fn authorises_for(self) -> Option<Duration> {
        match self {
            Self::Sogecommerce => Some(Duration::from_hours(3 * 24)),
            Self::Up2pay | Self::Worldline | Self::Monext | Self::Ancv => None,
        }
    }

    /// For how long its API may say that it does not know what it has notified itself. Books lag behind
    /// notifications, and a key of the other platform or account finds nothing at all: that is for the endpoint's
    /// alert about missing answers. Up2pay's signature only says "from the platform": a payment that the merchant's
    /// own access does not find there was perhaps never this merchant's, and cannot wait.
    #[must_use]
    pub const fn may_not_know_for(self) -> Duration {
        match self {
            Self::Up2pay => Duration::from_mins(5),
            Self::Sogecommerce | Self::Worldline | Self::Monext | Self::Ancv => Duration::from_hours(24),
        }
    }

    /// How long to wait before asking its API about something that it has just told: its messages about one
    /// payment come in bursts. Where the message itself says nothing, there is nothing to wait for.
    #[must_use]
    pub const fn settles_in(self) -> Duration {
        match self {
            Self::Monext | Self::Ancv => Duration::ZERO,
            Self::Up2pay | Self::Sogecommerce | Self::Worldline => Duration::from_secs(2),
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
        Self::ALL
            .into_iter()
            .find(|psp| psp.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "up2pay, sogecommerce, worldline, monext, ancv"))
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
            other => Err(UnknownWord::new(other, "production, test")),
        }
    }
}
