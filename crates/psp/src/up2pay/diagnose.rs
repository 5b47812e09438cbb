//! Why a signature does or does not fit. Most failures that an administrator sees are not forgeries: a proxy, a
//! framework or a plugin has decoded the call and encoded it again, or the template does not say what the shop sends.

use cvco_domain::Bilingual;
use cvco_domain::crypto::RsaPublicKey;

use super::Settings;
use super::near_miss::{NearMiss, near_misses, repairs};
use super::template::Template;
use super::verify::{
    Candidate, Failure, Genuine, MAX_PAIRS, SplitCall, decode_signature, verify, verify_bytes,
};
use crate::Diagnosis;
use crate::phrase::Phrase;
use crate::wire::PairList;

/// Longer quotations are cut off.
const MAX_QUOTE: usize = 400;

/// Explains the signature of a query string, a `POST` body, or an address with a query.
#[must_use]
pub fn diagnose_query(template: &Template, keys: &[RsaPublicKey], raw: &[u8]) -> Diagnosis {
    let mut details = Vec::new();
    let payload = query_of(raw);
    if payload.len() < raw.len() {
        details.push(Bilingual::new(
            "ceci est une adresse\u{a0}: seul ce qui suit son premier `?` est vérifié",
            "this is an address: only what comes after its first `?` is checked",
        ));
    }
    let name = template.signature_name();
    if let Ok(call) = SplitCall::parse(payload, name) {
        details.extend(unsigned_tail(&call));
    }
    match verify(template, keys, payload) {
        Ok(genuine) => confirmed(&genuine, details),
        Err(failure) => {
            let summary = repaired(template, keys, payload, &mut details)
                .unwrap_or_else(|| refused(failure, template, keys, payload, &mut details));
            Diagnosis::not_genuine(summary, details)
        }
    }
}

fn confirmed(genuine: &Genuine<'_>, mut details: Vec<Bilingual>) -> Diagnosis {
    details.push(signed(&genuine.bytes));
    details.push(described(("clé", "key"), genuine.key));
    let (cut, layer) = (Bilingual::from(genuine.cut.phrase()), Bilingual::from(genuine.layer.phrase()));
    let summary = (
        format!("authentique\u{a0}: la signature couvre {}, {}", cut.french, layer.french),
        format!("genuine: the signature covers {}, {}", cut.english, layer.english),
    );
    Diagnosis::genuine(summary, details)
}

/// Checks whether the call is sound as a whole, except for the key or the way in which it was copied.
fn repaired(
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<Bilingual>,
) -> Option<Bilingual> {
    let platform = Settings::platform_key();
    let configured = keys.iter().any(|key| key.fingerprint() == platform.fingerprint());
    if !configured && let Ok(genuine) = verify(template, &[platform], payload) {
        details.push(signed(&genuine.bytes));
        details.extend(keys.iter().map(|key| described(("pas cette clé", "not this key"), key)));
        return Some(Bilingual::new(
            "pas authentique avec les clés données, mais avec celle de la plateforme\u{a0}: cet appel vient bien d’Up2pay, retirez donc \
             les autres clés",
            "not genuine under the given keys, but under the platform's own: Up2pay made this call, so leave \
             the other keys away",
        ));
    }
    let (genuine, how) = repairs(payload)
        .into_iter()
        .find_map(|NearMiss { bytes, how }| Some((verify(template, keys, &bytes).ok()?.bytes, how)))?;
    details.push(signed(&genuine));
    Some(close(how))
}

fn refused(
    failure: Failure,
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<Bilingual>,
) -> Bilingual {
    let name = template.signature_name();
    match failure {
        Failure::TooManyPairs => not(
            "plus de variables que n’en a aucun appel",
            "more variables than any call has",
        ),
        Failure::Missing => missing(template, keys, payload, details),
        Failure::Repeated => not(
            &format!("la signature (variable {name}) figure plusieurs fois"),
            &format!("the signature (variable {name}) stands more than once"),
        ),
        Failure::TooLong => not(
            "la signature est plus longue que celle de n’importe quelle clé",
            "the signature is longer than any key makes",
        ),
        Failure::NotBase64 => not(
            &format!("la valeur de {name} n’est pas du base64\u{a0}; elle a été coupée ou modifiée en chemin"),
            &format!("the value of {name} is not base64; it was cut or changed on its way"),
        ),
        Failure::Length(length) => wrong_length(length, keys),
        Failure::NoMatch => unmatched(template, keys, payload, details).unwrap_or_else(|| {
            not(
                "la signature ne convient ni à ces octets ni à une altération courante\u{a0}; elle vient d’une autre clé, ou une valeur \
                 a été modifiée",
                "the signature fits neither these bytes nor a usual distortion of them; another key made it, or a value was \
                 changed",
            )
        }),
    }
}

fn not(french: &str, english: &str) -> Bilingual {
    Bilingual::new(format!("pas authentique\u{a0}: {french}"), format!("not genuine: {english}"))
}

/// The part of an address after its `?`. A bare query has no `?` before its first `=`.
fn query_of(raw: &[u8]) -> &[u8] {
    let first_name = raw.iter().position(|b| *b == b'=').and_then(|at| raw.get(..at)).unwrap_or_default();
    let query = first_name.iter().position(|b| *b == b'?').and_then(|at| raw.get(at.saturating_add(1)..));
    query.unwrap_or(raw)
}

fn unsigned_tail(call: &SplitCall<'_>) -> Option<Bilingual> {
    let after = call.after().len();
    (after > 0).then(|| {
        Bilingual::new(
            format!("variables après la signature\u{a0}: {after}\u{a0}; elles ne sont ni signées ni lues"),
            format!("variables after the signature: {after}; they are not signed and not read"),
        )
    })
}

/// No variable has the signature's name. Perhaps it came under another name.
fn missing(
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<Bilingual>,
) -> Bilingual {
    let wanted = template.signature_name();
    let list = PairList::split(payload, MAX_PAIRS);
    let pairs = list.as_ref().map(PairList::pairs).unwrap_or_default();
    let same_but_case = pairs.iter().find(|pair| pair.name.eq_ignore_ascii_case(wanted.as_bytes()));
    let like_a_signature = pairs.iter().find(|pair| looks_like_signature(pair.value));
    let Some(found) = same_but_case.or(like_a_signature) else {
        return not(
            &format!("aucune variable nommée {wanted}, et aucune qui ressemble à une signature"),
            &format!("no variable named {wanted}, and none that looks like a signature"),
        );
    };
    let name: String = String::from_utf8_lossy(found.name).chars().take(60).collect();
    match verify(&template.clone().with_signature_name(&name), keys, payload) {
        Ok(genuine) => {
            details.push(signed(&genuine.bytes));
            Bilingual::new(
                format!(
                    "pas authentique selon la configuration\u{a0}: aucune variable nommée {wanted}, mais la signature convient avec \
                     {name:?} comme nom de K"
                ),
                format!(
                    "not genuine as configured: no variable named {wanted}, but it verifies with {name:?} as the name of K"
                ),
            )
        }
        Err(_) => not(
            &format!(
                "aucune variable nommée {wanted}, mais {name:?} y ressemble\u{a0}; le nom de K dans PBX_RETOUR est-il le bon\u{a0}?"
            ),
            &format!(
                "no variable named {wanted}, but {name:?} looks like it; is the name of K in PBX_RETOUR right?"
            ),
        ),
    }
}

/// The 128 bytes of a 1024-bit signature, in base64.
fn looks_like_signature(value: &[u8]) -> bool {
    decode_signature(value).is_ok_and(|bytes| bytes.len() >= 128)
}

fn wrong_length(length: usize, keys: &[RsaPublicKey]) -> Bilingual {
    let lengths: Vec<_> = keys.iter().map(|key| key.signature_length().to_string()).collect();
    let Some(shortest) = keys.iter().map(RsaPublicKey::signature_length).min() else {
        return not("aucune clé n’est configurée", "no key is configured");
    };
    let (french, english) = if length < shortest {
        ("elle est tronquée", "it is cut short")
    } else {
        ("elle vient d’une autre clé", "another key made it")
    };
    not(
        &format!("la signature compte {length} octets au lieu de {}\u{a0}; {french}", lengths.join(" ou ")),
        &format!("the signature has {length} bytes instead of {}; {english}", lengths.join(" or ")),
    )
}

/// The signature is well formed, but covers none of the usual bytes: perhaps it covers others.
fn unmatched(
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<Bilingual>,
) -> Option<Bilingual> {
    let call = SplitCall::parse(payload, template.signature_name()).ok()?;
    let signature = decode_signature(call.signature()).ok()?;
    for Candidate { bytes, cut, layer } in call.candidates(template) {
        let (cut, layer) = (Bilingual::from(cut.phrase()), Bilingual::from(layer.phrase()));
        let tried = quote(&bytes);
        details.push(Bilingual::new(
            format!("essayé\u{a0}: {}, {}\u{a0}: {tried}", cut.french, layer.french),
            format!("tried {}, {}: {tried}", cut.english, layer.english),
        ));
    }
    details.extend(keys.iter().map(|key| described(("clé", "key"), key)));
    let keys: Vec<_> = keys.iter().collect();
    let (bytes, how) = near_misses(template, &call)
        .into_iter()
        .find_map(|NearMiss { bytes, how }| Some((verify_bytes(bytes, &keys, &signature)?.0, how)))?;
    details.push(signed(&bytes));
    Some(close(how))
}

fn close(how: Phrase) -> Bilingual {
    let Bilingual { french, english } = how.into();
    Bilingual::new(
        format!("pas authentique tel que reçu, mais presque\u{a0}: la signature convient {french}"),
        format!("not genuine as received, but close: it verifies {english}"),
    )
}

fn signed(bytes: &[u8]) -> Bilingual {
    let bytes = quote(bytes);
    Bilingual::new(format!("octets signés\u{a0}: {bytes}"), format!("signed bytes: {bytes}"))
}

/// A key by its fingerprint, after what it is here.
fn described(what: impl Into<Bilingual>, key: &RsaPublicKey) -> Bilingual {
    let Bilingual { french, english } = what.into();
    let fingerprint = key.fingerprint();
    let is_platforms = fingerprint == Settings::platform_key().fingerprint();
    let (of_french, of_english) =
        if is_platforms { (" (celle de la plateforme)", " (the platform's own)") } else { ("", "") };
    Bilingual::new(
        format!("{french}\u{a0}: SHA-256 {fingerprint}{of_french}"),
        format!("{english}: SHA-256 {fingerprint}{of_english}"),
    )
}

fn quote(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text.chars().take(MAX_QUOTE).collect();
    let more = if shown.len() < text.len() { " …" } else { "" };
    format!("{shown:?}{more}")
}
