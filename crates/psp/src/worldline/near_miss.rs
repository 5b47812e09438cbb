//! Finds what a wrong signature does fit, by trying the known mistakes of proxies, relays and configurations one after
//! the other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use cvco_domain::crypto::hmac_sha256;
use secrecy::{ExposeSecret, SecretString};

/// A way in which a body may have been changed on its way, undone, and the words for it; none for the body as
/// it is.
type Body = (&'static str, fn(&[u8]) -> Vec<u8>);

const BODIES: [Body; 9] = [
    ("", <[u8]>::to_vec),
    ("with line ends LF where this body has CRLF", |body| replaced(body, b"\r\n", b"\n")),
    ("with line ends CRLF where this body has LF", |body| {
        replaced(&replaced(body, b"\r\n", b"\n"), b"\n", b"\r\n")
    }),
    ("with a line end (LF) after the body", |body| [body, b"\n"].concat()),
    ("with a line end (CRLF) after the body", |body| [body, b"\r\n"].concat()),
    ("without the line end after the body", |body| body.trim_ascii_end().to_vec()),
    ("without the blanks between its values: somebody formatted the JSON", compact),
    ("with / where this body has \\/: something wrote the JSON again, as PHP does", |body| {
        replaced(body, b"\\/", b"/")
    }),
    ("without the byte order mark before the body", |body| {
        body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).to_vec()
    }),
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
fn secrets(secret: &SecretString) -> Vec<(&'static str, Vec<u8>)> {
    let text = secret.expose_secret();
    let trimmed = text.trim();
    let mut bytes = vec![("", text.as_bytes().to_vec())];
    if trimmed != text {
        bytes.push(("with the blanks around the secret left out", trimmed.as_bytes().to_vec()));
    }
    bytes.extend(
        STANDARD
            .decode(trimmed)
            .ok()
            .map(|key| ("with the secret decoded from base64, which Worldline does not do", key)),
    );
    bytes.extend(
        hex::decode(trimmed)
            .ok()
            .map(|key| ("with the secret decoded from hexadecimal, which Worldline does not do", key)),
    );
    bytes
}

/// The texts that a tag can have; the right one first.
fn texts(tag: [u8; 32]) -> [(&'static str, String); 5] {
    let base64 = STANDARD.encode(tag);
    [
        ("", base64.clone()),
        ("with its + read as a blank", base64.replace('+', " ")),
        ("in hexadecimal instead of base64", hex::encode(tag)),
        ("in base64 without =", STANDARD_NO_PAD.encode(tag)),
        ("in base64 for URLs", URL_SAFE.encode(tag)),
    ]
}

/// A key, and the words for it; none for the one that the message names.
pub(super) struct Candidate<'a> {
    pub(super) words: String,
    pub(super) secret: &'a SecretString,
}

/// The change with which the signature would fit, to complete the words "it would fit". The fewest deviations win.
pub(super) fn of(signature: &[u8], body: &[u8], candidates: &[Candidate<'_>]) -> Option<String> {
    let mut fewest: Option<Vec<String>> = None;
    for (changed, undo) in BODIES {
        let body = undo(body);
        for candidate in candidates {
            for (key_words, key) in secrets(candidate.secret) {
                let texts = texts(hmac_sha256(&key, &body));
                let fits = texts.iter().find(|(_, text)| text.as_bytes() == signature);
                let Some((form, _)) = fits else { continue };
                let words: Vec<_> = [candidate.words.as_str(), key_words, changed, form]
                    .into_iter()
                    .filter(|words| !words.is_empty())
                    .map(str::to_owned)
                    .collect();
                if fewest.as_ref().is_none_or(|best| words.len() < best.len()) {
                    fewest = Some(words);
                }
            }
        }
    }
    fewest.map(|words| words.join(", and "))
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
