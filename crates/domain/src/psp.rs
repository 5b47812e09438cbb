//! The payment providers, and the two worlds in which each of them lives.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Worded;

/// A text that is none of the words of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {expected}{}", besides.map_or("", |(_, english)| english))]
pub struct UnknownWord {
    text: String,
    expected: Cow<'static, str>,
    /// What may stand there beside these words, in French and in English.
    besides: Option<(&'static str, &'static str)>,
}

impl UnknownWord {
    /// The error about `text`, where only the words in `expected` are known. A long text is cut short.
    #[must_use]
    pub fn new(text: &str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.chars().take(40).collect(), expected: expected.into(), besides: None }
    }

    /// The same where other words than these may stand too, as the two texts say in French and in English.
    #[must_use]
    pub fn or(self, french: &'static str, english: &'static str) -> Self {
        Self { besides: Some((french, english)), ..self }
    }
}

impl Worded for UnknownWord {
    fn in_french(&self) -> String {
        let Self { text, expected, besides } = self;
        let besides = besides.map_or("", |(french, _)| french);
        format!("«\u{a0}{text}\u{a0}» n’est pas admis\u{a0}; valeurs possibles\u{a0}: {expected}{besides}")
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
        self.terms().name
    }

    /// The name that people know.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.terms().title
    }

    /// How it behaves.
    #[must_use]
    pub const fn terms(self) -> &'static PspTerms {
        match self {
            Self::Up2pay => &UP2PAY,
            Self::Sogecommerce => &SOGECOMMERCE,
            Self::Worldline => &WORLDLINE,
            Self::Monext => &MONEXT,
            Self::Ancv => &ANCV,
        }
    }
}

/// How a PSP behaves, as far as that is not its adapter's own matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own, and a row reads like a table's"
)]
pub struct PspTerms {
    /// The name in configuration, ledger and exports.
    pub name: &'static str,
    /// The name that people know.
    pub title: &'static str,
    /// Whether a transaction number alone names a tender.
    pub transaction_names_tender: bool,
    /// Whether one payment attempt can hold several accepted vouchers of one brand.
    pub takes_several_vouchers: bool,
    /// Whether one payment attempt can hold several accepted card complements.
    pub takes_several_complements: bool,
    /// Whether a later operation on a transaction, such as a capture or a cancellation, has a transaction of its own.
    pub numbers_operations: bool,
    /// Whether a card part that completes a voucher says so of itself, under the voucher's own call number. Only another
    /// card payment is joined by its order reference then.
    pub names_complements: bool,
    /// Whether its URL also hears of card sales that have nothing to do with vouchers. They are left alone, unless they
    /// belong to an order that the shop registered, or of which a voucher was heard.
    pub hears_of_card_sales: bool,
    /// The PSPs where a card payment under a call number of its own can be the complement of a voucher taken here. The
    /// order reference then joins the two.
    pub completed_by: &'static [Psp],
    /// Whether its messages prove where they come from. If they do not, anyone who knows an endpoint's URL can make
    /// them up.
    pub proves_its_messages: bool,
    /// Whether it notifies captures. If it does not, only an answer of its API says that a capture is missing.
    pub tells_of_captures: bool,
    /// How long an authorisation holds, where that is known.
    pub authorises_for: Option<Duration>,
    /// How long its API may say that it does not know what the PSP has notified. Books lag behind notifications. A key
    /// of the other platform or account finds nothing at all, but the endpoint's alert about missing answers covers that.
    pub may_not_know_for: Duration,
    /// How long to wait before asking its API about what it has just notified. Messages about one payment come in
    /// bursts. If the message itself says nothing, there is nothing to wait for.
    pub settles_in: Duration,
}

const UP2PAY: PspTerms = PspTerms {
    name: "up2pay",
    title: "Up2pay e-Transactions",
    // The manual's own two example calls (3.2.4 and 3.3.4), voucher and card of one order, carry the same number.
    transaction_names_tender: false,
    // Manual on CV-CONNECT, the customer types in "un ou plusieurs Chèque-vacance".
    takes_several_vouchers: true,
    // Manual 3.2.3: one transaction per instrument.
    takes_several_complements: false,
    numbers_operations: false,
    names_complements: true,
    hears_of_card_sales: true,
    completed_by: &[Psp::Up2pay],
    proves_its_messages: true,
    // It is not known to call when an authorised part is remitted.
    tells_of_captures: false,
    authorises_for: None,
    // The signature only says "from the platform". A payment that the merchant's own access does not find there was
    // perhaps never this merchant's, and cannot wait.
    may_not_know_for: Duration::from_mins(5),
    settles_in: Duration::from_secs(2),
};

const SOGECOMMERCE: PspTerms = PspTerms {
    name: "sogecommerce",
    title: "Sogecommerce",
    transaction_names_tender: true,
    takes_several_vouchers: false,
    // Lyra's cascade can hold several.
    takes_several_complements: true,
    numbers_operations: false,
    names_complements: true,
    hears_of_card_sales: false,
    completed_by: &[],
    proves_its_messages: true,
    // It is not known to call when an authorised part is remitted.
    tells_of_captures: false,
    // `CVCo` guide 1.5: three days.
    authorises_for: Some(Duration::from_hours(3 * 24)),
    may_not_know_for: Duration::from_hours(24),
    settles_in: Duration::from_secs(2),
};

const WORLDLINE: PspTerms = PspTerms {
    name: "worldline",
    title: "Worldline Direct",
    transaction_names_tender: true,
    takes_several_vouchers: false,
    takes_several_complements: false,
    // `{payment}_{operation}`, where operation 1 may be the capture of operation 0.
    numbers_operations: true,
    names_complements: false,
    hears_of_card_sales: false,
    completed_by: &[Psp::Worldline],
    proves_its_messages: true,
    tells_of_captures: true,
    authorises_for: None,
    may_not_know_for: Duration::from_hours(24),
    settles_in: Duration::from_secs(2),
};

const MONEXT: PspTerms = PspTerms {
    name: "monext",
    title: "Monext Online",
    transaction_names_tender: true,
    takes_several_vouchers: false,
    // The list of additional payments can hold several.
    takes_several_complements: true,
    numbers_operations: false,
    names_complements: false,
    hears_of_card_sales: false,
    completed_by: &[Psp::Monext],
    proves_its_messages: false,
    tells_of_captures: false,
    authorises_for: None,
    may_not_know_for: Duration::from_hours(24),
    settles_in: Duration::ZERO,
};

const ANCV: PspTerms = PspTerms {
    name: "ancv",
    title: "ANCV",
    transaction_names_tender: true,
    takes_several_vouchers: false,
    // Beside a voucher taken at ANCV itself the shop may charge as many cards as it likes.
    takes_several_complements: true,
    numbers_operations: false,
    names_complements: false,
    hears_of_card_sales: false,
    completed_by: &[Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline, Psp::Monext],
    proves_its_messages: false,
    tells_of_captures: false,
    authorises_for: None,
    may_not_know_for: Duration::from_hours(24),
    settles_in: Duration::ZERO,
};

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

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::StrDeserializer;

    use super::*;

    #[test]
    fn every_psp_is_found_by_the_name_in_its_row() {
        for psp in Psp::ALL {
            assert_eq!(psp.as_str().parse(), Ok(psp));
            let stored: StrDeserializer<'_, serde::de::value::Error> = psp.as_str().into_deserializer();
            assert_eq!(Psp::deserialize(stored), Ok(psp));
        }
        assert!("Up2pay".parse::<Psp>().is_err());
    }

    #[test]
    fn no_card_payment_at_ancv_completes_a_voucher() {
        for psp in Psp::ALL {
            assert!(!psp.terms().completed_by.contains(&Psp::Ancv), "{psp}");
        }
    }
}
