//! The fields of one POST, whichever of the platform's two formats they are in.

use cvco_domain::{Bilingual, Psp, Worded};

use crate::wire::{PairList, decode_plus};
use crate::{NotUnderstood, Rejection};

/// What is wrong with a message, without any value from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) Bilingual);

impl Malformed {
    pub(super) fn new(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self(Bilingual::new(french, english))
    }

    /// The same, of something inside this field.
    pub(super) fn inside(field: &str, what: &Bilingual) -> Self {
        Self::new(format!("{field}\u{a0}: {}", what.french), format!("{field}: {}", what.english))
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(format!("{field} manque"), format!("{field} is missing"))
    }
}

impl From<Malformed> for Rejection {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed { psp: Psp::Sogecommerce, what: malformed.0.english }
    }
}

impl From<Malformed> for NotUnderstood {
    fn from(malformed: Malformed) -> Self {
        Self { what: malformed.0 }
    }
}

/// Decoded names with raw values, in the order of the names' bytes. That is the order of the form signature,
/// and a name with a space or a dot keeps it here, where PHP receivers make it `_`.
#[derive(Debug, Clone)]
pub(super) struct Submission<'a>(Vec<Field<'a>>);

/// A decoded name with its value as it stands.
#[derive(Debug, Clone)]
struct Field<'a> {
    name: Vec<u8>,
    raw: &'a [u8],
}

/// The platform's two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `vads_` fields with a signature over their values.
    FormV2,
    /// `kr-` fields around a signed JSON text.
    RestV4,
}

impl<'a> Submission<'a> {
    /// A basket of hundreds of lines comes back with seven fields for each.
    const MAX_FIELDS: usize = 8192;

    /// Splits a body. It is not defined which of two fields with one name was signed, so neither is accepted.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let list = PairList::split(body, Self::MAX_FIELDS).map_err(|error| Malformed(error.words()))?;
        let pairs = list.pairs().iter().filter(|pair| !pair.raw.is_empty());
        let mut fields: Vec<_> =
            pairs.map(|pair| Field { name: decode_plus(pair.name), raw: pair.value }).collect();
        fields.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        if fields.array_windows().any(|[one, next]| one.name == next.name) {
            return Err(Malformed::new("deux champs portent le même nom", "two fields have the same name"));
        }
        Ok(Self(fields))
    }

    pub(super) fn format(&self) -> Option<Format> {
        if self.raw("kr-answer").is_some() {
            Some(Format::RestV4)
        } else {
            self.vads().next().map(|_| Format::FormV2)
        }
    }

    /// A value as it stands.
    pub(super) fn raw(&self, name: &str) -> Option<&'a [u8]> {
        let at = self.0.binary_search_by(|field| field.name.as_slice().cmp(name.as_bytes())).ok()?;
        self.0.get(at).map(|field| field.raw)
    }

    /// A value, decoded once.
    pub(super) fn decoded(&self, name: &str) -> Option<Vec<u8>> {
        self.raw(name).map(decode_plus)
    }

    /// The signed fields: every one whose name begins with `vads_`, empty ones included.
    pub(super) fn vads(&self) -> impl Iterator<Item = (&[u8], &'a [u8])> {
        let fields = self.0.iter().map(|field| (field.name.as_slice(), field.raw));
        fields.filter(|(name, _)| name.starts_with(b"vads_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_however_it_is_written() {
        let twice = Submission::parse(b"vads_amount=1&vads%5Famount=2");
        assert_eq!(
            twice.err(),
            Some(Malformed::new("deux champs portent le même nom", "two fields have the same name"))
        );
        assert!(Submission::parse(b"&&vads_amount=1&&").is_ok(), "empty pieces are no fields");
        assert!(Submission::parse("a&".repeat(8193).as_bytes()).is_err());
    }

    #[test]
    fn the_format_shows_in_the_names() {
        let format = |body| Submission::parse(body).ok().and_then(|submission| submission.format());
        assert_eq!(format(b"signature=x&vads_hash="), Some(Format::FormV2));
        assert_eq!(format(b"kr-hash=x&kr-answer={}"), Some(Format::RestV4));
        assert_eq!(format(b"VADS_amount=1&signature=x"), None);
        assert_eq!(format(b""), None);
    }
}
