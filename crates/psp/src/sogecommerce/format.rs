//! The formats of single values, the same for the form and for JSON. Strict, because the form's signature
//! does not cover the names of the fields: see [`super::names`].

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use cvco_domain::{
    AuthorisationNumber, Brand, Cents, Contract, Currency, Mode, OrderRef, TenderId, Timestamp,
};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::codes::{Source, TransStatus};
use super::settings::SiteId;

/// A value whose text alone shows whether it is valid.
pub(super) trait Format: Sized {
    /// What the text must be, to complete the words "must be".
    const RULE: &'static str;

    /// Reads the text; `None` if it breaks the rule.
    fn read(text: &str) -> Option<Self>;
}

fn made_of(text: &str, lengths: std::ops::RangeInclusive<usize>, allowed: fn(u8) -> bool) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(allowed)
}

macro_rules! text_format {
    ($type:ty, $rule:literal, $read:expr) => {
        impl Format for $type {
            const RULE: &'static str = $rule;
            fn read(text: &str) -> Option<Self> {
                let read: fn(&str) -> Option<Self> = $read;
                read(text)
            }
        }
    };
}

/// `vads_hash`: names one call of the notification URL. Only notifications carry it, so its presence tells
/// them from the copy that the buyer's browser brings. Its value is of no use beyond that.
pub(super) struct CallHash;

/// `vads_version`.
pub(super) struct Version2;

/// `vads_trans_id` in lower case: the platform does not tell cases apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransId(pub(super) String);

/// `vads_trans_date`: the day of the payment form, `YYYYMMDD` in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormDay(pub(super) String);

/// `vads_currency`: numeric, unlike the REST notification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumericCurrency(pub(super) Currency);

/// Which attempt of a payment: 0 for a cascade as a whole, else 1, 2, 3 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SequenceNumber(pub(super) u16);

/// `vads_auth_result`: opaque, except for `CVCo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthResult(pub(super) String);

/// `vads_operation_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperationType {
    /// The buyer pays.
    Debit,
    /// The merchant refunds.
    Credit,
    /// An instrument is checked; no money moves.
    Verification,
}

/// An instant that may be missing or oddly written without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Option<Timestamp>);

/// No authorisation lasts longer: what is to be captured later is authorised the day before, and not when it is registered.
const AUTHORISED_FOR: Duration = Duration::from_hours(7 * 24);

/// Whether a transaction whose capture is planned for then was authorised later than it was registered.
pub(super) fn is_authorised_later(
    registered_at: Option<Timestamp>,
    capture_planned_at: Option<Timestamp>,
) -> bool {
    registered_at.zip(capture_planned_at).is_some_and(|(from, to)| to.since(from) > AUTHORISED_FOR)
}

/// Free text that is only passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

// 64 hexadecimal digits today; a sample of 2012 shows 44 characters of base64.
text_format!(CallHash, "1 to 128 hexadecimal or base64 characters", |t| {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    made_of(t, 1..=128, allowed).then_some(Self)
});
text_format!(Source, "1 to 30 of A-Z and _", |t| {
    made_of(t, 1..=30, |b| b.is_ascii_uppercase() || b == b'_').then(|| Self::of(t))
});
text_format!(Mode, "TEST or PRODUCTION", |t| match t {
    "TEST" => Some(Self::Test),
    "PRODUCTION" => Some(Self::Production),
    _ => None,
});
text_format!(SiteId, "8 digits", |t| Self::new(t).ok());
text_format!(TransId, "6 letters or digits", |t| {
    made_of(t, 6..=6, |b| b.is_ascii_alphanumeric()).then(|| Self(t.to_ascii_lowercase()))
});
text_format!(FormDay, "a date and time, YYYYMMDDHHMMSS", |t| { Timestamp::parse_n14(t).ok().map(Self::of) });
text_format!(Cents, "1 to 12 digits", |t| Self::parse(t).ok());
text_format!(NumericCurrency, "3 digits", |t| {
    made_of(t, 3..=3, |b| b.is_ascii_digit()).then(|| Currency::parse(t).ok().map(Self))?
});
text_format!(Currency, "3 letters or digits", |t| Self::parse(t).ok());
text_format!(TransStatus, "1 to 40 of A-Z and _", |t| {
    made_of(t, 1..=40, |b| b.is_ascii_uppercase() || b == b'_').then(|| Self::of(t))
});
text_format!(Version2, "V2", |t| (t == "V2").then_some(Self));
text_format!(OperationType, "DEBIT, CREDIT or VERIFICATION", |t| match t {
    "DEBIT" => Some(Self::Debit),
    "CREDIT" => Some(Self::Credit),
    "VERIFICATION" => Some(Self::Verification),
    _ => None,
});
// Real brands hold hyphens and more than capitals: `E-CARTEBLEUE`.
text_format!(Brand, "1 to 64 of A-Z a-z 0-9 _ and -", |t| {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    made_of(t, 1..=64, allowed).then(|| Self::new(t).ok())?
});
// Always 32 digits in real messages; 25 in one shortened sample.
text_format!(TenderId, "20 to 40 hexadecimal digits", |t| {
    made_of(t, 20..=40, |b| b.is_ascii_hexdigit()).then(|| Self::new(t.to_ascii_lowercase()).ok())?
});
text_format!(SequenceNumber, "1 to 3 digits", |t| {
    made_of(t, 1..=3, |b| b.is_ascii_digit()).then(|| t.parse().ok().map(Self))?
});
text_format!(AuthorisationNumber, "1 to 32 letters or digits", |t| {
    made_of(t, 1..=32, |b| b.is_ascii_alphanumeric() || b == b'-').then(|| Self::new(t).ok())?
});
text_format!(AuthResult, "1 to 11 letters, digits, _ or -", |t| {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    made_of(t, 1..=11, allowed).then(|| Self(t.to_owned()))
});
text_format!(Contract, "1 to 250 printable characters", |t| Self::new(t).ok());
text_format!(OrderRef, "more than blanks", Self::escaped);
text_format!(Moment, "any text", |t| {
    Some(Self(Timestamp::parse_n14(t).or_else(|_| Timestamp::parse(t)).ok()))
});
text_format!(Text, "at most 100 characters", |t| (t.len() <= 100).then(|| Self(t.to_owned())));

impl OperationType {
    /// Whether a value, under whatever name, is an operation type.
    pub(super) fn is_one(value: &[u8]) -> bool {
        std::str::from_utf8(value).is_ok_and(|text| Self::read(text).is_some())
    }
}

impl FormDay {
    pub(super) fn of(at: Timestamp) -> Self {
        Self(at.to_string().chars().filter(char::is_ascii_digit).take(8).collect())
    }
}

/// A JSON string or whole number in a format.
pub(super) struct Strict<T>(pub(super) T);

/// The same, or nothing: absent, `null` and the empty string are one.
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

struct Scalar<T>(PhantomData<T>);

impl<T: Format> Visitor<'_> for Scalar<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::RULE)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(Lenient(None));
        }
        T::read(text).map(|value| Lenient(Some(value))).ok_or_else(|| E::custom(T::RULE))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Lenient(None))
    }
}

impl<'de, T: Format> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar(PhantomData))
    }
}

impl<'de, T: Format> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Lenient(value) = Lenient::deserialize(deserializer)?;
        value.map(Self).ok_or_else(|| D::Error::custom(T::RULE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;

    #[test]
    fn json_amounts_are_text_or_whole_numbers() {
        let amount = |text: &str| json::<Strict<Cents>>(text.as_bytes()).ok().map(|strict| strict.0);
        assert_eq!(amount("\"6000\""), Some(Cents::new(6000)));
        assert_eq!(amount("6000"), Some(Cents::new(6000)));
        for wrong in ["-1", "60.0", "6e3", "\"\"", "null", "\"60,00\"", "1234567890123", "[6000]", "6000 1"] {
            assert_eq!(amount(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_has_three_spellings() {
        for nothing in ["null", "\"\""] {
            assert!(json::<Lenient<Cents>>(nothing.as_bytes()).is_ok_and(|value| value.0.is_none()));
        }
        assert!(json::<Lenient<Cents>>(b"\"x\"").is_err());
    }

    #[test]
    fn a_transaction_number_has_one_case() {
        assert_eq!(TransId::read("xrT15p"), Some(TransId("xrt15p".to_owned())));
        for wrong in ["", "xrT15", "xrT15pp", "xrT15+", "xrT15é"] {
            assert_eq!(TransId::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn real_brands_fit() {
        for brand in ["CVCO", "MULTI", "CB", "E-CARTEBLEUE", "VISA_ELECTRON"] {
            assert!(Brand::read(brand).is_some(), "{brand}");
        }
        assert!(Brand::read("CB+00").is_none());
    }
}
