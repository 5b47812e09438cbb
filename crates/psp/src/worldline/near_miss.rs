//! Finds what a wrong signature does fit, by trying the known mistakes of proxies, relays and configurations one after
//! the other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use cvco_domain::Bilingual;
use cvco_domain::crypto::hmac_sha256;
use secrecy::{ExposeSecret, SecretString};

use crate::phrase::{Phrase, listed, phrase};

/// A way in which a body may have been changed on its way, undone, and the words for it; none for the body as
/// it is.
type Body = (Phrase, fn(&[u8]) -> Vec<u8>);

const BODIES: [Body; 9] = [
    (Phrase::NONE, <[u8]>::to_vec),
    (
        phrase(
            "avec des fins de ligne LF là où ce corps a des CRLF",
            "with line ends LF where this body has CRLF",
        ),
        |body| replaced(body, b"\r\n", b"\n"),
    ),
    (
        phrase(
            "avec des fins de ligne CRLF là où ce corps a des LF",
            "with line ends CRLF where this body has LF",
        ),
        |body| replaced(&replaced(body, b"\r\n", b"\n"), b"\n", b"\r\n"),
    ),
    (phrase("avec une fin de ligne (LF) après le corps", "with a line end (LF) after the body"), |body| {
        [body, b"\n"].concat()
    }),
    (
        phrase("avec une fin de ligne (CRLF) après le corps", "with a line end (CRLF) after the body"),
        |body| [body, b"\r\n"].concat(),
    ),
    (phrase("sans la fin de ligne après le corps", "without the line end after the body"), |body| {
        body.trim_ascii_end().to_vec()
    }),
    (
        phrase(
            "sans les blancs entre ses valeurs\u{a0}: le JSON a été remis en forme",
            "without the blanks between its values: somebody formatted the JSON",
        ),
        compact,
    ),
    (
        phrase(
            "avec / là où ce corps a \\/\u{a0}: le JSON a été réécrit, comme le fait PHP",
            "with / where this body has \\/: something wrote the JSON again, as PHP does",
        ),
        |body| replaced(body, b"\\/", b"/"),
    ),
    (
        phrase(
            "sans la marque d’ordre des octets devant le corps",
            "without the byte order mark before the body",
        ),
        |body| body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).to_vec(),
    ),
];

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut rest = body;
    let mut made = Vec::with_capacity(body.len());
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            made.extend_from_slice(to);
            rest = after;
        } else {
            made.push(*first);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    made
}

/// The same JSON without blanks outside its texts.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        let kept = in_text || !byte.is_ascii_whitespace();
        (in_text, escaped) = match (*byte, in_text, escaped) {
            (b'"', _, false) => (!in_text, false),
            (b'\\', true, false) => (true, true),
            _ => (in_text, false),
        };
        kept
    };
    json.iter().copied().filter(keep).collect()
}

/// The bytes that a secret may have been taken for; its text as it is first, which is right.
fn secrets(secret: &SecretString) -> Vec<(Phrase, Vec<u8>)> {
    let text = secret.expose_secret();
    let trimmed = text.trim();
    let mut bytes = vec![(Phrase::NONE, text.as_bytes().to_vec())];
    if trimmed != text {
        bytes.push((
            phrase("sans les blancs autour du secret", "with the blanks around the secret left out"),
            trimmed.as_bytes().to_vec(),
        ));
    }
    bytes.extend(STANDARD.decode(trimmed).ok().map(|key| {
        (
            phrase(
                "avec le secret décodé de base64, ce que Worldline ne fait pas",
                "with the secret decoded from base64, which Worldline does not do",
            ),
            key,
        )
    }));
    bytes.extend(hex::decode(trimmed).ok().map(|key| {
        (
            phrase(
                "avec le secret décodé d’hexadécimal, ce que Worldline ne fait pas",
                "with the secret decoded from hexadecimal, which Worldline does not do",
            ),
            key,
        )
    }));
    bytes
}

/// The texts that a tag can have; the right one first.
fn texts(tag: [u8; 32]) -> [(Phrase, String); 5] {
    let base64 = STANDARD.encode(tag);
    [
        (Phrase::NONE, base64.clone()),
        (phrase("avec ses + lus comme des blancs", "with its + read as a blank"), base64.replace('+', " ")),
        (phrase("en hexadécimal au lieu de base64", "in hexadecimal instead of base64"), hex::encode(tag)),
        (phrase("en base64 sans =", "in base64 without ="), STANDARD_NO_PAD.encode(tag)),
        (phrase("en base64 pour URL", "in base64 for URLs"), URL_SAFE.encode(tag)),
    ]
}

/// A key, and the words for it; none for the one that the message names.
pub(super) struct Candidate<'a> {
    pub(super) words: Option<Bilingual>,
    pub(super) secret: &'a SecretString,
}

/// The change with which the signature would fit, to complete the words "it would fit". The fewest deviations win.
pub(super) fn of(signature: &[u8], body: &[u8], candidates: &[Candidate<'_>]) -> Option<Bilingual> {
    let mut fewest: Option<Vec<Bilingual>> = None;
    for (changed, undo) in BODIES {
        let body = undo(body);
        for candidate in candidates {
            for (key_words, key) in secrets(candidate.secret) {
                let texts = texts(hmac_sha256(&key, &body));
                let fits = texts.iter().find(|(_, text)| text.as_bytes() == signature);
                let Some((form, _)) = fits else { continue };
                let deviations = [key_words, changed, *form].into_iter().filter(|words| !words.is_none());
                let words: Vec<Bilingual> =
                    candidate.words.iter().cloned().chain(deviations.map(Bilingual::from)).collect();
                if fewest.as_ref().is_none_or(|best| words.len() < best.len()) {
                    fewest = Some(words);
                }
            }
        }
    }
    fewest.map(|words| listed(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_loses_its_blanks_but_not_those_in_texts() {
        let pretty = b"{\n  \"a b\": \"c \\\" d\",\r\n\t\"e\": [ 1, 2 ]\n}";
        assert_eq!(compact(pretty), b"{\"a b\":\"c \\\" d\",\"e\":[1,2]}");
        assert_eq!(compact(br#"{"a":"\\" , "b":" "}"#), br#"{"a":"\\","b":" "}"#);
    }
}
