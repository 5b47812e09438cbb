//! Which bytes of a call are signed, and whether the signature fits them.
//!
//! Up2pay signs the string as it built it, so raw bytes are taken first and nothing is ever re-encoded: each way
//! of decoding and encoding again fails on some genuine call. Three things blur where the string begins. The
//! shop's own parameters may stand in front, unsigned (IPN address in `PBX_REPONDRE_A`) or signed (address set
//! in the back office); variables outside the template may stand in the middle, signed (`Abo=0` in the manual's
//! own examples); and a `POST` body may be percent-encoded once more than it should be. Every possibility is a
//! [`Candidate`]; fields are read from the one that verifies and from nothing else.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::Psp;
use cvco_domain::crypto::{BadSignature, RsaPublicKey, Verified};

use super::settings::Settings;
use super::template::Template;
use crate::phrase::{Phrase, phrase};
use crate::wire::{FormPair, PairList, decode_raw};
use crate::{Message, Rejection, Request};

/// More pairs than any call has: bounds the work that one request can cause.
pub(super) const MAX_PAIRS: usize = 100;

/// Longer than the signature of an 8192-bit key, percent-encoded twice.
const MAX_SIGNATURE_VALUE: usize = 8192;

/// A call's pairs, split at its signature.
#[derive(Debug, Clone)]
pub(super) struct SplitCall<'a> {
    pairs: PairList<'a>,
    at: usize,
}

/// Bytes that may be what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) bytes: Vec<u8>,
    pub(super) cut: Cut,
    pub(super) layer: Layer,
}

/// Which of the variables before the signature are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The template's variables only.
    Templated,
    /// From the template's first variable on.
    FromFirstVariable,
    /// Everything.
    Everything,
}

/// How often the bytes were percent-decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// Not at all.
    AsReceived,
    /// Once, all of them.
    DecodedOnce,
    /// Only those that stand for bytes outside ASCII: what reads HTTP may encode these, which Up2pay sends as they are.
    RawBytes,
}

/// Bytes that Up2pay signed.
#[derive(Debug, Clone)]
pub(super) struct Genuine<'k> {
    pub(super) bytes: Verified<Vec<u8>>,
    pub(super) cut: Cut,
    pub(super) layer: Layer,
    pub(super) key: &'k RsaPublicKey,
}

/// Why no signature was checked, or none fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    TooManyPairs,
    Missing,
    Repeated,
    TooLong,
    NotBase64,
    /// The signature has this many bytes, and no key has that length.
    Length(usize),
    NoMatch,
}

/// Proves a call.
pub(super) fn prove(settings: &Settings, request: &Request<'_>) -> Result<Message, Rejection> {
    let Settings { template, keys, .. } = settings;
    let genuine = verify(template, keys, request.payload())
        .map_err(|failure| rejection(failure, template.signature_name()))?;
    Ok(Message::Genuine(genuine.bytes))
}

/// A damaged signature is answered like a wrong one, because both concern the shop.
fn rejection(failure: Failure, signature_name: &str) -> Rejection {
    let malformed = |what: String| Rejection::Malformed { psp: Psp::Up2pay, what };
    match failure {
        Failure::TooManyPairs => malformed("more variables than any call has".to_owned()),
        Failure::Missing => malformed(format!("no signature (variable {signature_name})")),
        Failure::Repeated => malformed(format!("the signature (variable {signature_name}) stands twice")),
        Failure::TooLong => malformed("the signature is longer than any key makes".to_owned()),
        Failure::NotBase64 | Failure::Length(_) | Failure::NoMatch => Rejection::Signature,
    }
}

/// Finds the bytes that are signed.
pub(super) fn verify<'k>(
    template: &Template,
    keys: &'k [RsaPublicKey],
    payload: &[u8],
) -> Result<Genuine<'k>, Failure> {
    let call = SplitCall::parse(payload, template.signature_name())?;
    let signature = decode_signature(call.signature())?;
    let fitting: Vec<_> = keys.iter().filter(|key| key.signature_length() == signature.len()).collect();
    if fitting.is_empty() {
        return Err(Failure::Length(signature.len()));
    }
    for Candidate { bytes, cut, layer } in call.candidates(template) {
        if let Some((bytes, key)) = verify_bytes(bytes, &fitting, &signature) {
            return Ok(Genuine { bytes, cut, layer, key });
        }
    }
    Err(Failure::NoMatch)
}

/// Checks one candidate under each key.
pub(super) fn verify_bytes<'k>(
    mut bytes: Vec<u8>,
    keys: &[&'k RsaPublicKey],
    signature: &[u8],
) -> Option<(Verified<Vec<u8>>, &'k RsaPublicKey)> {
    for key in keys {
        match key.verify(bytes, signature) {
            Ok(proven) => return Some((proven, key)),
            Err(BadSignature(back)) => bytes = back,
        }
    }
    None
}

/// Undoes the changes that a signature suffers in transit: one or two layers of percent-encoding (genuine `POST`s have
/// two), and a `+` that became a space.
pub(super) fn decode_signature(value: &[u8]) -> Result<Vec<u8>, Failure> {
    if value.len() > MAX_SIGNATURE_VALUE {
        return Err(Failure::TooLong);
    }
    let once = decode_raw(value);
    let text = if once.contains(&b'%') { Cow::Owned(decode_raw(&once).into_owned()) } else { once };
    let base64: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b' ' { b'+' } else { *byte })
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(base64).map_err(|_| Failure::NotBase64)
}

impl<'a> SplitCall<'a> {
    /// Splits a call at the one pair that has the signature's name.
    pub(super) fn parse(payload: &'a [u8], signature_name: &str) -> Result<Self, Failure> {
        let pairs = PairList::split(payload, MAX_PAIRS).map_err(|_| Failure::TooManyPairs)?;
        let named =
            |(at, pair): (usize, &FormPair<'_>)| (pair.name == signature_name.as_bytes()).then_some(at);
        let mut found = pairs.pairs().iter().enumerate().filter_map(named);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(Self { pairs, at }),
            (Some(_), Some(_)) => Err(Failure::Repeated),
            (None, _) => Err(Failure::Missing),
        }
    }

    /// The signature's value, undecoded.
    pub(super) fn signature(&self) -> &'a [u8] {
        self.pairs.pairs().get(self.at).map_or(&[], |pair| pair.value)
    }

    /// What can be signed.
    pub(super) fn before(&self) -> &[FormPair<'a>] {
        self.pairs.pairs().get(..self.at).unwrap_or_default()
    }

    /// What cannot be signed.
    pub(super) fn after(&self) -> &[FormPair<'a>] {
        self.pairs.pairs().get(self.at.saturating_add(1)..).unwrap_or_default()
    }

    /// All byte strings that may have been signed, the most likely first, without duplicates.
    pub(super) fn candidates(&self, template: &Template) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        add_cuts(&mut candidates, template, self.before(), Layer::AsReceived);
        let received = join(self.before());
        if let Cow::Owned(decoded) = decode_raw(&received)
            && let Ok(pairs) = PairList::split(&decoded, MAX_PAIRS)
            && !pairs.pairs().iter().any(|pair| pair.name == template.signature_name().as_bytes())
        {
            add_cuts(&mut candidates, template, pairs.pairs(), Layer::DecodedOnce);
        }
        let raw = with_raw_bytes(&received);
        if raw != received
            && let Ok(pairs) = PairList::split(&raw, MAX_PAIRS)
        {
            add_cuts(&mut candidates, template, pairs.pairs(), Layer::RawBytes);
        }
        candidates
    }
}

/// Decodes the escapes of bytes outside ASCII, and leaves all others.
fn with_raw_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.first_chunk::<2>().filter(|_| *first == b'%');
        let byte = escaped.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        if let Some(byte) = byte.filter(|byte| !byte.is_ascii()) {
            raw.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            raw.push(*first);
            rest = after;
        }
    }
    raw
}

fn add_cuts(candidates: &mut Vec<Candidate>, template: &Template, pairs: &[FormPair<'_>], layer: Layer) {
    let known = |pair: &&FormPair<'_>| template.knows(pair.name);
    let first = pairs.iter().position(|pair| known(&pair)).unwrap_or(pairs.len());
    for (cut, bytes) in [
        (Cut::Templated, join(pairs.iter().filter(known))),
        (Cut::FromFirstVariable, join(pairs.get(first..).unwrap_or_default())),
        (Cut::Everything, join(pairs)),
    ] {
        if !bytes.is_empty() && !candidates.iter().any(|other| other.bytes == bytes) {
            candidates.push(Candidate { bytes, cut, layer });
        }
    }
}

/// The pairs as they were received, joined by `&`.
pub(super) fn join<'p, 'a: 'p>(pairs: impl IntoIterator<Item = &'p FormPair<'a>>) -> Vec<u8> {
    let raw: Vec<&[u8]> = pairs.into_iter().map(|pair| pair.raw).collect();
    raw.join(&b'&')
}

impl Cut {
    /// What the signature covers.
    pub(super) const fn phrase(self) -> Phrase {
        match self {
            Self::Templated => phrase(
                "les variables du modèle placées avant la signature",
                "the template's variables before the signature",
            ),
            Self::FromFirstVariable => phrase(
                "tout ce qui va de la première variable du modèle à la signature, avec des variables hors du modèle",
                "everything from the template's first variable to the signature, with variables outside the template",
            ),
            Self::Everything => phrase(
                "tout ce qui précède la signature, les paramètres de la boutique aussi",
                "everything before the signature, the shop's own parameters too",
            ),
        }
    }
}

impl Layer {
    /// In which form it covers that.
    pub(super) const fn phrase(self) -> Phrase {
        match self {
            Self::AsReceived => phrase("tel que reçu", "as received"),
            Self::DecodedOnce => phrase("décodé une fois (%XX)", "percent-decoded once"),
            Self::RawBytes => phrase(
                "avec les octets hors ASCII que représentent les séquences %XX",
                "with the bytes outside ASCII that the escapes stand for",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(payload: &str) -> Vec<(String, Cut, Layer)> {
        let template = Template::default();
        let call = SplitCall::parse(payload.as_bytes(), template.signature_name()).expect("one signature");
        let text = |c: Candidate| (String::from_utf8(c.bytes).expect("ASCII"), c.cut, c.layer);
        call.candidates(&template).into_iter().map(text).collect()
    }

    #[test]
    fn a_plain_call_has_one_candidate() {
        assert_eq!(
            candidates("Mt=1&Ref=a&Signature=x&loop=1"),
            [("Mt=1&Ref=a".into(), Cut::Templated, Layer::AsReceived)]
        );
    }

    #[test]
    fn each_doubt_adds_a_candidate() {
        let expected = [
            ("Mt=1&Ref=a%20b", Cut::Templated, Layer::AsReceived),
            ("Mt=1&Abo=0&Ref=a%20b", Cut::FromFirstVariable, Layer::AsReceived),
            ("shop=1&Mt=1&Abo=0&Ref=a%20b", Cut::Everything, Layer::AsReceived),
            ("Mt=1&Ref=a b", Cut::Templated, Layer::DecodedOnce),
            ("Mt=1&Abo=0&Ref=a b", Cut::FromFirstVariable, Layer::DecodedOnce),
            ("shop=1&Mt=1&Abo=0&Ref=a b", Cut::Everything, Layer::DecodedOnce),
        ];
        let expected = expected.map(|(bytes, cut, layer)| (bytes.to_owned(), cut, layer));
        assert_eq!(candidates("shop=1&Mt=1&Abo=0&Ref=a%20b&Signature=x"), expected);
    }

    #[test]
    fn a_signature_inside_a_value_ends_nothing() {
        let layers: Vec<_> =
            candidates("Mt=1&Ref=a%26Signature=y&Signature=x").into_iter().map(|c| c.2).collect();
        assert_eq!(layers, [Layer::AsReceived]);
    }

    #[test]
    fn nothing_before_the_signature_is_no_candidate() {
        assert_eq!(candidates("Signature=x&Mt=1"), []);
    }

    #[test]
    fn one_signature_is_wanted() {
        let failure = |payload: &str| SplitCall::parse(payload.as_bytes(), "Signature").err();
        assert_eq!(failure(""), Some(Failure::Missing));
        assert_eq!(failure("Mt=1&signature=x"), Some(Failure::Missing));
        assert_eq!(failure("Signature=x&Mt=1&Signature=x"), Some(Failure::Repeated));
        assert_eq!(failure(&"a=1&".repeat(100)), Some(Failure::TooManyPairs));
    }

    #[test]
    fn a_signature_survives_its_way() {
        // The bytes fb f0 3e ff, which need `+`, `/` and `=`.
        let bytes = Ok(vec![0xfb, 0xf0, 0x3e, 0xff]);
        for value in [
            "+/A+/w==",
            "%2B%2FA%2B%2Fw%3D%3D",
            "%2b%2fA+/w%3d=",
            "%252B%252FA%252B%252Fw%253D%253D",
            " /A%20/w==\r\n",
        ] {
            assert_eq!(decode_signature(value.as_bytes()), bytes, "{value}");
        }
    }

    #[test]
    fn base64_is_read_strictly() {
        for value in ["+/A+/w", "+/A+/x==", "+/A+/w=", "-_A-_w==", "+/A+/w==!", "%252525", "é"] {
            assert_eq!(decode_signature(value.as_bytes()), Err(Failure::NotBase64), "{value}");
        }
        assert_eq!(decode_signature(&[b'A'; MAX_SIGNATURE_VALUE + 4]), Err(Failure::TooLong));
    }
}
