//! `name=value&name=value`, kept in order and as bytes. The usual decoders replace what is not UTF-8 and so
//! break signatures; here raw bytes stay raw until an adapter asks for them.

use std::borrow::Cow;

use cvco_domain::Worded;
use percent_encoding::percent_decode;

/// Why bytes are not a list of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    /// More pairs than any PSP sends.
    #[error("more than {0} fields")]
    TooManyPairs(usize),
}

/// One `name=value`, undecoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormPair<'a> {
    /// The whole pair, as it was received.
    pub(crate) raw: &'a [u8],
    /// What precedes the first `=`, undecoded.
    pub(crate) name: &'a [u8],
    /// What follows the first `=`, undecoded; empty if there is no `=`.
    pub(crate) value: &'a [u8],
}

impl Worded for FormError {
    fn in_french(&self) -> String {
        let Self::TooManyPairs(most) = self;
        format!("plus de {most} champs")
    }
}

/// Pairs in the order received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PairList<'a>(Vec<FormPair<'a>>);

impl<'a> PairList<'a> {
    /// Splits at `&`. An empty piece (as in `a=1&&b=2`) stays a pair with an empty name, so that joining the
    /// pairs gives the bytes back.
    ///
    /// # Errors
    /// More than `max` pairs.
    pub(crate) fn split(bytes: &'a [u8], max: usize) -> Result<Self, FormError> {
        if bytes.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let pairs: Vec<_> =
            bytes.split(|b| *b == b'&').take(max.saturating_add(1)).map(FormPair::new).collect();
        if pairs.len() > max { Err(FormError::TooManyPairs(max)) } else { Ok(Self(pairs)) }
    }

    /// The pairs.
    #[must_use]
    pub(crate) fn pairs(&self) -> &[FormPair<'a>] {
        &self.0
    }
}

impl<'a> FormPair<'a> {
    fn new(raw: &'a [u8]) -> Self {
        let split = raw.iter().position(|b| *b == b'=');
        let (name, value) = match split.and_then(|at| raw.split_at_checked(at)) {
            Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
            None => (raw, &[][..]),
        };
        Self { raw, name, value }
    }
}

/// Percent-decodes; `+` stays `+`.
#[must_use]
pub(crate) fn decode_raw(bytes: &[u8]) -> Cow<'_, [u8]> {
    percent_decode(bytes).into()
}

/// Decodes `application/x-www-form-urlencoded`: `+` is a space, then percent escapes.
#[must_use]
pub(crate) fn decode_plus(bytes: &[u8]) -> Vec<u8> {
    if !bytes.iter().any(|b| matches!(b, b'+' | b'%')) {
        return bytes.to_vec();
    }
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced).collect()
}

/// Reads bytes as UTF-8, or, where they are not, as ISO 8859-1.
#[must_use]
pub(crate) fn latin1_or_utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_stay_as_they_are() {
        let list = PairList::split(b"a=1&b&=c&d=e=f&", 9).expect("few");
        let pairs: Vec<_> = list.pairs().iter().map(|p| (p.name, p.value)).collect();
        let expected: [(&[u8], &[u8]); 5] =
            [(b"a", b"1"), (b"b", b""), (b"", b"c"), (b"d", b"e=f"), (b"", b"")];
        assert_eq!(pairs, expected);
        let joined: Vec<&[u8]> = list.pairs().iter().map(|p| p.raw).collect();
        assert_eq!(joined.join(&b'&'), b"a=1&b&=c&d=e=f&");
        assert_eq!(PairList::split(b"a&b&c", 2), Err(FormError::TooManyPairs(2)));
        assert!(PairList::split(b"", 0).is_ok_and(|list| list.pairs().is_empty()));
    }

    #[test]
    fn a_plus_is_a_space_only_in_forms() {
        assert_eq!(decode_raw(b"a+b%20c%2B").as_ref(), b"a+b c+");
        assert_eq!(decode_plus(b"a+b%20c%2B"), b"a b c+");
        assert_eq!(decode_raw(b"%zz%4").as_ref(), b"%zz%4");
    }

    #[test]
    fn what_is_not_utf8_is_latin1() {
        assert_eq!(latin1_or_utf8(b"\xe9t\xe9"), "été");
        assert_eq!(latin1_or_utf8("été".as_bytes()), "été");
    }
}
