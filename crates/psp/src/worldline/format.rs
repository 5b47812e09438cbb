//! The formats of single values. Worldline's libraries hold every property for optional and ignore what they
//! do not know; so does this, except that an amount, an identifier or a status must not be garbled.

use std::fmt;
use std::marker::PhantomData;

use cvco_domain::{AuthorisationNumber, Cents, Currency, OrderRef, Timestamp};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::method::{Method, Product};
use super::payment_id::PaymentId;

/// A value whose text alone shows whether it is valid.
pub(super) trait Format: Sized {
    /// What the text must be, to complete the words "must be".
    const RULE: &'static str;

    /// Reads the text; `None` if it breaks the rule.
    fn read(text: &str) -> Option<Self>;
}

/// Text that is compared, or shown after its shape was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

/// A word in capitals, such as a status, or the dotted name of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word(pub(super) String);

/// `statusCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusNumber(pub(super) u16);

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

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

text_format!(Text, "at most 250 characters", |t| (t.len() <= 250).then(|| Self(t.to_owned())));
text_format!(Word, "1 to 40 letters, digits, _ and .", |t| {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    ((1..=40).contains(&t.len()) && t.bytes().all(allowed)).then(|| Self(t.to_owned()))
});
text_format!(StatusNumber, "a status code", |t| number(t).map(Self));
text_format!(PaymentId, "1 to 40 printable characters and an operation", Self::parse);
text_format!(Cents, "1 to 12 digits", |t| Self::parse(t).ok());
text_format!(Currency, "3 letters or digits", |t| Self::parse(t).ok());
text_format!(OrderRef, "more than blanks", Self::escaped);
text_format!(AuthorisationNumber, "1 to 32 printable characters", |t| Self::new(t).ok());
text_format!(Product, "a product id", |t| number(t).map(Self));
text_format!(Method, "1 to 40 letters, digits, _ and .", |t| Word::read(t).map(|word| Self::of(&word.0)));
text_format!(Timestamp, "a date, a time and an offset", moment);

/// The platform writes `2026-05-04T10:15:27.9529667+02:00`; the tests of its libraries also have
/// `2017-02-02T11:24:14.040+0100`.
fn moment(text: &str) -> Option<Timestamp> {
    let with_colon = || {
        let (head, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        Timestamp::parse(&format!("{head}:{minutes}")).ok()
    };
    Timestamp::parse(text).ok().or_else(with_colon)
}

/// A JSON text or whole number in a format. Absent, `null`, the empty text and the empty object are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

/// The same, where a value in another format is worth no more than none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loose<T>(pub(super) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

enum Scalar<T> {
    Nothing,
    Value(T),
    Other,
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<'de, T: Format> Visitor<'de> for ScalarVisitor<T> {
    type Value = Scalar<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::RULE)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(Scalar::Nothing);
        }
        Ok(T::read(text).map_or(Scalar::Other, Scalar::Value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = Scalar::Nothing;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            found = Scalar::Other;
        }
        Ok(found)
    }
}

impl<'de, T: Format> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ScalarVisitor(PhantomData))? {
            Scalar::Nothing => Ok(Self(None)),
            Scalar::Value(value) => Ok(Self(Some(value))),
            Scalar::Other => Err(D::Error::custom(T::RULE)),
        }
    }
}

impl<'de, T: Format> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ScalarVisitor(PhantomData))? {
            Scalar::Value(value) => Ok(Self(Some(value))),
            Scalar::Nothing | Scalar::Other => Ok(Self(None)),
        }
    }
}

/// For objects of which every property is optional: `null` is one with none of them.
pub(super) fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;

    #[test]
    fn dates_come_with_and_without_a_colon_and_with_any_number_of_digits() {
        let read = |text| Timestamp::read(text).map(String::from);
        for (text, utc) in [
            ("2026-05-04T10:15:27.9529667+02:00", "2026-05-04T08:15:27.952Z"),
            ("2017-02-02T11:24:14.040+0100", "2017-02-02T10:24:14.040Z"),
            ("2026-08-21T10:16:19.344422Z", "2026-08-21T10:16:19.344Z"),
            ("2026-08-21T10:16:19Z", "2026-08-21T10:16:19.000Z"),
            ("2026-08-21T10:16:19.123456789012+00:00", "2026-08-21T10:16:19.123Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(utc), "{text}");
        }
        for wrong in ["", "é", "2026-05-04", "20260504101527", "2026-05-04T10:15:27", "yesterday"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_has_many_spellings() {
        for nothing in ["null", "\"\"", "{}"] {
            assert!(
                json::<Lenient<Cents>>(nothing.as_bytes()).is_ok_and(|value| value.0.is_none()),
                "{nothing}"
            );
        }
    }

    #[test]
    fn an_amount_must_not_be_garbled_but_a_date_may() {
        for garbled in ["\"x\"", "-1", "1.5", "true", "[1]", "{\"a\":1}", "1234567890123", "1e3"] {
            assert!(json::<Lenient<Cents>>(garbled.as_bytes()).is_err(), "{garbled}");
            assert!(
                json::<Loose<Timestamp>>(garbled.as_bytes()).is_ok_and(|value| value.0.is_none()),
                "{garbled}"
            );
        }
    }
}
