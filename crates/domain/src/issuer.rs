//! Who owes a payment's money, and pays it out by statements.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Brand, Instrument, UnknownWord};

/// Who pays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Issuer {
    /// ANCV reimburses its vouchers.
    Ancv,
    /// The bank pays out cards.
    Bank,
    /// Issuers of meal vouchers and gift cards reimburse theirs: by the name that the merchant gives.
    Other(IssuerName),
}

/// The longest name of an issuer.
const LONGEST: usize = 20;

/// The name of an issuer: 2 to 20 of `a`-`z`, `0`-`9` and `-`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerName([u8; LONGEST]);

impl IssuerName {
    fn new(text: &str) -> Option<Self> {
        let is_word = (2..=LONGEST).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        is_word.then_some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        self.0.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a voucher is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoucherKind {
    /// Chèque-Vacances.
    Holiday,
    /// Titre-restaurant.
    Meal,
    /// Carte cadeau.
    Gift,
}

/// A brand of vouchers that ANCV does not owe.
struct Foreign {
    brand: &'static str,
    kind: VoucherKind,
    /// Its issuer's name, and those that it had or has beside.
    issuer: &'static [&'static str],
}

const fn meal(brand: &'static str, issuer: &'static [&'static str]) -> Foreign {
    Foreign { brand, kind: VoucherKind::Meal, issuer }
}

/// By the names that PSPs give them: Up2pay (manual on CONECS, 4.2), Sogecommerce (`vads_payment_cards`), Worldline
/// (product 5402 is several meal vouchers; 3112 is Illicado).
const FOREIGN: [Foreign; 10] = [
    meal("APETIZ", &["apetiz", "bimpli", "swile"]),
    meal("SODEXO", &["sodexo", "pluxee"]),
    meal("UPCHEQUDEJ", &["up", "upchequdej", "updejeuner"]),
    meal("CHQ_DEJ", &["up", "upchequdej", "updejeuner"]),
    meal("EDENRED", &["edenred"]),
    meal("EDENRED_TR", &["edenred"]),
    meal("CONECS", &["conecs"]),
    meal("SWILE", &["swile"]),
    meal("5402", &["meal"]),
    Foreign { brand: "3112", kind: VoucherKind::Gift, issuer: &["illicado"] },
];

impl VoucherKind {
    /// The kind of a voucher's brand: whatever is not known to be another's is ANCV's.
    #[must_use]
    pub fn of(brand: &Brand) -> Self {
        FOREIGN.iter().find(|row| row.brand == brand.as_str()).map_or(Self::Holiday, |row| row.kind)
    }
}

impl Issuer {
    /// Those that need no name.
    pub const USUAL: [Self; 2] = [Self::Ancv, Self::Bank];

    /// The name in configuration and ledger.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ancv => "ancv",
            Self::Bank => "bank",
            Self::Other(name) => name.as_str(),
        }
    }

    /// Who owes a part of this brand, where the merchant says nothing else.
    #[must_use]
    pub fn of(instrument: Instrument, brand: &Brand) -> Self {
        match instrument {
            Instrument::Card => Self::Bank,
            Instrument::Voucher => FOREIGN
                .iter()
                .find(|row| row.brand == brand.as_str())
                .and_then(|row| IssuerName::new(row.issuer.first()?))
                .map_or(Self::Ancv, Self::Other),
        }
    }

    /// The brands of vouchers that bear its name.
    #[must_use]
    pub fn brands(&self) -> Vec<Brand> {
        Self::foreign(|row| row.issuer.contains(&self.as_str()))
    }

    /// Every brand of vouchers that is known not to be ANCV's.
    #[must_use]
    pub fn foreign_brands() -> Vec<Brand> {
        Self::foreign(|_| true)
    }

    fn foreign(which: impl Fn(&Foreign) -> bool) -> Vec<Brand> {
        FOREIGN.iter().filter(|row| which(row)).filter_map(|row| Brand::new(row.brand).ok()).collect()
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Issuer {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "ancv" => Ok(Self::Ancv),
            "bank" => Ok(Self::Bank),
            name => IssuerName::new(name).map(Self::Other).ok_or_else(|| {
                UnknownWord::new(text, "ancv, bank").or(
                    ", ou un nom de votre choix\u{a0}: 2 à 20 caractères parmi a-z 0-9 -",
                    ", or a name of your own: 2 to 20 of a-z 0-9 -",
                )
            }),
        }
    }
}

impl TryFrom<String> for Issuer {
    type Error = UnknownWord;
    fn try_from(text: String) -> Result<Self, UnknownWord> {
        text.parse()
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(text: &str) -> Brand {
        Brand::new(text).expect("a brand")
    }

    #[test]
    fn a_voucher_is_owed_by_its_own_issuer() {
        for (name, issuer, kind) in [
            ("CVCO", "ancv", VoucherKind::Holiday),
            ("CVCONNECT", "ancv", VoucherKind::Holiday),
            ("E_CV", "ancv", VoucherKind::Holiday),
            ("APETIZ", "apetiz", VoucherKind::Meal),
            ("SODEXO", "sodexo", VoucherKind::Meal),
            ("UPCHEQUDEJ", "up", VoucherKind::Meal),
            ("3112", "illicado", VoucherKind::Gift),
        ] {
            let found = Issuer::of(Instrument::Voucher, &brand(name));
            assert_eq!((found.as_str(), VoucherKind::of(&brand(name))), (issuer, kind), "{name}");
        }
        assert_eq!(Issuer::of(Instrument::Card, &brand("APETIZ")), Issuer::Bank);
        assert_eq!("pluxee".parse::<Issuer>().map(|issuer| issuer.brands()), Ok(vec![brand("SODEXO")]));
    }

    #[test]
    fn the_name_of_an_issuer_is_a_word() {
        for wrong in ["", "a", "Edenred", "ed en", "é", "a-name-that-is-far-too-long"] {
            assert!(wrong.parse::<Issuer>().is_err(), "{wrong}");
        }
        let issuer: Issuer = "edenred".parse().expect("a name");
        assert_eq!(
            (issuer.to_string(), format!("{issuer:?}")),
            ("edenred".to_owned(), "Other(edenred)".to_owned())
        );
        assert_eq!(Issuer::try_from(String::from(issuer)), Ok(issuer));
    }
}
