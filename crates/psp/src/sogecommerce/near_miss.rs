//! Finds what a wrong signature does fit, by trying the known mistakes of senders, proxies and configurations one after
//! the other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use cvco_domain::Bilingual;
use cvco_domain::crypto::{HmacSha256Key, sha1_hex};
use secrecy::{ExposeSecret, SecretString};

use super::settings::{Algorithm, trimmed};
use super::submission::Submission;
use super::verify::unescape_slashes;
use crate::phrase::{Phrase, listed, phrase};
use crate::wire::{decode_plus, decode_raw, latin1_or_utf8};

/// A way to get at the signed values, and the words for it; none for the right one.
type Reading = (Phrase, fn(&Submission<'_>) -> Vec<Vec<u8>>);

const READINGS: [Reading; 10] = [
    (Phrase::NONE, |s| s.vads().map(|(_, raw)| decode_plus(raw)).collect()),
    (phrase("sans les champs vides", "with empty fields left out"), |s| {
        s.vads().map(|(_, raw)| decode_plus(raw)).filter(|value| !value.is_empty()).collect()
    }),
    (phrase("sans vads_hash", "with vads_hash left out"), |s| {
        s.vads().filter(|(name, _)| *name != b"vads_hash").map(|(_, raw)| decode_plus(raw)).collect()
    }),
    (
        phrase(
            "avec les noms triés sans tenir compte de la casse",
            "with names sorted without regard to case",
        ),
        |s| sorted_by(s, <[u8]>::to_ascii_lowercase),
    ),
    (
        phrase(
            "avec les espaces et les points des noms remplacés par _ avant le tri, comme le fait PHP",
            "with spaces and dots in names made _, as PHP does, before sorting",
        ),
        |s| {
            sorted_by(s, |name| {
                name.iter().map(|b| if matches!(b, b' ' | b'.') { b'_' } else { *b }).collect()
            })
        },
    ),
    (phrase("avec les valeurs décodées deux fois", "with values decoded twice"), |s| {
        s.vads().map(|(_, raw)| decode_plus(&decode_plus(raw))).collect()
    }),
    (phrase("avec les valeurs non décodées", "with values not decoded"), |s| {
        s.vads().map(|(_, raw)| raw.to_vec()).collect()
    }),
    (
        phrase("avec les + des valeurs non lus comme des espaces", "with + in values not read as a space"),
        |s| s.vads().map(|(_, raw)| decode_raw(raw).into_owned()).collect(),
    ),
    (
        phrase(
            "avec les valeurs en ISO 8859-1 au lieu d’UTF-8",
            "with values in ISO 8859-1 instead of UTF-8",
        ),
        |s| s.vads().map(|(_, raw)| to_latin1(decode_plus(raw))).collect(),
    ),
    (
        phrase(
            "avec les valeurs en UTF-8 au lieu d’ISO 8859-1",
            "with values in UTF-8 instead of ISO 8859-1",
        ),
        |s| s.vads().map(|(_, raw)| latin1_or_utf8(&decode_plus(raw)).into_owned().into_bytes()).collect(),
    ),
];

fn sorted_by(submission: &Submission<'_>, order: fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut fields: Vec<_> = submission.vads().map(|(name, raw)| (order(name), decode_plus(raw))).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.into_iter().map(|(_, value)| value).collect()
}

fn to_latin1(value: Vec<u8>) -> Vec<u8> {
    let latin1 = std::str::from_utf8(&value)
        .ok()
        .and_then(|text| text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect());
    latin1.unwrap_or(value)
}

/// The keys to try: as the platform means it, and as it was written.
fn keys(secret: &SecretString) -> Vec<(Phrase, HmacSha256Key)> {
    let mut keys = vec![(Phrase::NONE, trimmed(secret))];
    if secret.expose_secret().trim() != secret.expose_secret() {
        keys.push((
            phrase("avec les blancs autour de la clé", "with the blanks around the key"),
            HmacSha256Key::new(secret.clone()),
        ));
    }
    keys
}

/// The fit with the fewest deviations so far. A word that is empty is no deviation.
#[derive(Default)]
struct Fewest(Option<Vec<Phrase>>);

impl Fewest {
    fn consider(&mut self, words: &[Phrase]) {
        let words: Vec<_> = words.iter().copied().filter(|words| !words.is_none()).collect();
        if self.0.as_ref().is_none_or(|best| words.len() < best.len()) {
            self.0 = Some(words);
        }
    }

    fn sentence(self) -> Option<Bilingual> {
        self.0.map(|words| listed(&words.into_iter().map(Bilingual::from).collect::<Vec<_>>()))
    }
}

/// The change with which the signature of a form would fit, to complete the words "it would fit". The fewest deviations
/// win.
pub(super) fn of_form(
    submission: &Submission<'_>,
    signature: &[u8],
    secret: &SecretString,
    configured: Algorithm,
) -> Option<Bilingual> {
    let mut fewest = Fewest::default();
    for (reading, values) in READINGS {
        let joined = values(submission).join(&b'+');
        for (key_words, key) in keys(secret) {
            let with_key = [joined.as_slice(), key.expose().as_bytes()].join(&b'+');
            let digests = [
                (Algorithm::HmacSha256, Phrase::NONE, hmac_texts(&key, &with_key)),
                (
                    Algorithm::HmacSha256,
                    phrase("sans la clé à la fin du texte", "without the key at the end of the text"),
                    hmac_texts(&key, &joined),
                ),
                (Algorithm::Sha1, Phrase::NONE, sha1_texts(&with_key)),
            ];
            for (algorithm, key_place, texts) in digests {
                let Some((form, _)) = texts.iter().find(|(_, text)| text.as_bytes() == signature) else {
                    continue;
                };
                let words = [reading, key_words, key_place, other_algorithm(algorithm, configured), *form];
                fewest.consider(&words);
            }
        }
    }
    fewest.sentence()
}

const fn other_algorithm(found: Algorithm, configured: Algorithm) -> Phrase {
    match (found, configured) {
        (Algorithm::HmacSha256, Algorithm::Sha1) => phrase(
            "avec HMAC-SHA-256 (algorithm = \"hmac-sha-256\")",
            "under HMAC-SHA-256 (algorithm = \"hmac-sha-256\")",
        ),
        (Algorithm::Sha1, Algorithm::HmacSha256) => {
            phrase("avec SHA-1 (algorithm = \"sha-1\")", "under SHA-1 (algorithm = \"sha-1\")")
        }
        (Algorithm::HmacSha256, Algorithm::HmacSha256) | (Algorithm::Sha1, Algorithm::Sha1) => Phrase::NONE,
    }
}

/// The texts that a tag can have; the right one first.
fn hmac_texts(key: &HmacSha256Key, message: &[u8]) -> Vec<(Phrase, String)> {
    let tag = key.tag(message);
    let base64 = STANDARD.encode(tag);
    vec![
        (Phrase::NONE, base64.clone()),
        (phrase("avec ses + envoyés sous la forme %2B", "with its + sent as %2B"), base64.replace('+', " ")),
        (phrase("en hexadécimal au lieu de base64", "in hexadecimal instead of base64"), hex::encode(tag)),
        (phrase("en base64 sans =", "in base64 without ="), STANDARD_NO_PAD.encode(tag)),
        (phrase("en base64 pour URL", "in base64 for URLs"), URL_SAFE.encode(tag)),
    ]
}

fn sha1_texts(message: &[u8]) -> Vec<(Phrase, String)> {
    let digest = sha1_hex(message);
    let upper = digest.to_uppercase();
    let base64 = STANDARD.encode(hex::decode(&digest).unwrap_or_default());
    vec![
        (Phrase::NONE, digest),
        (phrase("en majuscules", "in upper case"), upper),
        (phrase("en base64 au lieu d’hexadécimal", "in base64 instead of hexadecimal"), base64),
    ]
}

/// A way to get at the signed JSON text, and the words for it; none for the right ones.
type Answer = (Phrase, fn(&[u8]) -> Vec<u8>);

const ANSWERS: [Answer; 8] = [
    (Phrase::NONE, decode_plus),
    (Phrase::NONE, |raw| unescape_slashes(&decode_plus(raw))),
    (
        phrase(
            "avec les + de kr-answer non lus comme des espaces",
            "with + in kr-answer not read as a space",
        ),
        |raw| decode_raw(raw).into_owned(),
    ),
    (phrase("avec kr-answer non décodé", "with kr-answer not decoded"), <[u8]>::to_vec),
    (phrase("avec kr-answer décodé deux fois", "with kr-answer decoded twice"), |raw| {
        decode_plus(&decode_plus(raw))
    }),
    (
        phrase("sans les barres obliques inverses de kr-answer", "with backslashes stripped from kr-answer"),
        |raw| decode_plus(raw).into_iter().filter(|b| *b != b'\\').collect(),
    ),
    (phrase("sans les blancs autour de kr-answer", "with blanks trimmed from kr-answer"), |raw| {
        decode_plus(raw).trim_ascii().to_vec()
    }),
    (
        phrase(
            "avec kr-answer en ISO 8859-1 au lieu d’UTF-8",
            "with kr-answer in ISO 8859-1 instead of UTF-8",
        ),
        |raw| to_latin1(decode_plus(raw)),
    ),
];

/// The same for a REST notification, over several secrets with their names.
pub(super) fn of_rest(
    raw_answer: &[u8],
    hash: &[u8],
    secrets: &[(Phrase, &SecretString)],
) -> Option<Bilingual> {
    let mut fewest = Fewest::default();
    for (secret_words, secret) in secrets {
        for (key_words, key) in keys(secret) {
            for (reading, answer) in ANSWERS {
                let tag = key.tag(&answer(raw_answer));
                let texts = [
                    (Phrase::NONE, hex::encode(tag)),
                    (phrase("en majuscules", "in upper case"), hex::encode_upper(tag)),
                    (
                        phrase("en base64 au lieu d’hexadécimal", "in base64 instead of hexadecimal"),
                        STANDARD.encode(tag),
                    ),
                ];
                let Some((form, _)) = texts.iter().find(|(_, text)| text.as_bytes() == hash) else {
                    continue;
                };
                let words = [*secret_words, key_words, reading, *form];
                fewest.consider(&words);
            }
        }
    }
    fewest.sentence()
}
