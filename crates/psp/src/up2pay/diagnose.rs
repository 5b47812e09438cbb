//! Why a signature does or does not fit. Most failures that an administrator sees are not forgeries: a proxy, a
//! framework or a plugin has decoded the call and encoded it again, or the template does not say what the shop sends.

use cvco_domain::crypto::RsaPublicKey;

use super::Settings;
use super::near_miss::{NearMiss, near_misses, repairs};
use super::template::Template;
use super::verify::{
    Candidate, Failure, Genuine, MAX_PAIRS, SplitCall, decode_signature, verify, verify_bytes,
};
use crate::Diagnosis;
use crate::wire::PairList;

/// Longer quotations are cut off.
const MAX_QUOTE: usize = 400;

/// Explains the signature of a query string, a `POST` body, or an address with a query.
#[must_use]
pub fn diagnose_query(template: &Template, keys: &[RsaPublicKey], raw: &[u8]) -> Diagnosis {
    let mut details = Vec::new();
    let payload = query_of(raw);
    if payload.len() < raw.len() {
        details.push("this is an address: only what comes after its first `?` is checked".to_owned());
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
            Diagnosis { genuine: false, summary, details }
        }
    }
}

fn confirmed(genuine: &Genuine<'_>, mut details: Vec<String>) -> Diagnosis {
    details.push(signed(&genuine.bytes));
    details.push(format!("key: {}", describe(genuine.key)));
    let summary = format!("genuine: the signature covers {}, {}", genuine.cut, genuine.layer);
    Diagnosis { genuine: true, summary, details }
}

/// Checks whether the call is sound as a whole, except for the key or the way in which it was copied.
fn repaired(
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<String>,
) -> Option<String> {
    let platform = Settings::platform_key();
    let configured = keys.iter().any(|key| key.fingerprint() == platform.fingerprint());
    if !configured && let Ok(genuine) = verify(template, &[platform], payload) {
        details.push(signed(&genuine.bytes));
        details.extend(keys.iter().map(|key| format!("not this key: {}", describe(key))));
        return Some(
            "not genuine under the given keys, but under the platform's own: Up2pay made this call, so leave \
             the other keys away"
                .to_owned(),
        );
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
    details: &mut Vec<String>,
) -> String {
    let name = template.signature_name();
    match failure {
        Failure::TooManyPairs => "not genuine: more variables than any call has".to_owned(),
        Failure::Missing => missing(template, keys, payload, details),
        Failure::Repeated => format!("not genuine: the signature (variable {name}) stands more than once"),
        Failure::TooLong => "not genuine: the signature is longer than any key makes".to_owned(),
        Failure::NotBase64 => {
            format!("not genuine: the value of {name} is not base64; it was cut or changed on its way")
        }
        Failure::Length(length) => wrong_length(length, keys),
        Failure::NoMatch => unmatched(template, keys, payload, details).unwrap_or_else(|| {
            "not genuine: the signature fits neither these bytes nor a usual distortion of them; another \
                 key made it, or a value was changed"
                .to_owned()
        }),
    }
}

/// The part of an address after its `?`. A bare query has no `?` before its first `=`.
fn query_of(raw: &[u8]) -> &[u8] {
    let first_name = raw.iter().position(|b| *b == b'=').and_then(|at| raw.get(..at)).unwrap_or_default();
    let query = first_name.iter().position(|b| *b == b'?').and_then(|at| raw.get(at.saturating_add(1)..));
    query.unwrap_or(raw)
}

fn unsigned_tail(call: &SplitCall<'_>) -> Option<String> {
    let after = call.after().len();
    (after > 0).then(|| format!("variables after the signature: {after}; they are not signed and not read"))
}

/// No variable has the signature's name. Perhaps it came under another name.
fn missing(template: &Template, keys: &[RsaPublicKey], payload: &[u8], details: &mut Vec<String>) -> String {
    let wanted = template.signature_name();
    let list = PairList::split(payload, MAX_PAIRS);
    let pairs = list.as_ref().map(PairList::pairs).unwrap_or_default();
    let same_but_case = pairs.iter().find(|pair| pair.name.eq_ignore_ascii_case(wanted.as_bytes()));
    let like_a_signature = pairs.iter().find(|pair| looks_like_signature(pair.value));
    let Some(found) = same_but_case.or(like_a_signature) else {
        return format!("not genuine: no variable named {wanted}, and none that looks like a signature");
    };
    let name: String = String::from_utf8_lossy(found.name).chars().take(60).collect();
    match verify(&template.clone().with_signature_name(&name), keys, payload) {
        Ok(genuine) => {
            details.push(signed(&genuine.bytes));
            format!(
                "not genuine as configured: no variable named {wanted}, but it verifies with {name:?} as the name of K"
            )
        }
        Err(_) => format!(
            "not genuine: no variable named {wanted}, but {name:?} looks like it; is the name of K in PBX_RETOUR right?"
        ),
    }
}

/// The 128 bytes of a 1024-bit signature, in base64.
fn looks_like_signature(value: &[u8]) -> bool {
    decode_signature(value).is_ok_and(|bytes| bytes.len() >= 128)
}

fn wrong_length(length: usize, keys: &[RsaPublicKey]) -> String {
    let lengths: Vec<_> = keys.iter().map(|key| key.signature_length().to_string()).collect();
    match keys.iter().map(RsaPublicKey::signature_length).min() {
        None => "not genuine: no key is configured".to_owned(),
        Some(shortest) if length < shortest => {
            format!(
                "not genuine: the signature has {length} bytes instead of {}; it is cut short",
                lengths.join(" or ")
            )
        }
        Some(_) => format!(
            "not genuine: the signature has {length} bytes instead of {}; another key made it",
            lengths.join(" or ")
        ),
    }
}

/// The signature is well formed, but covers none of the usual bytes: perhaps it covers others.
fn unmatched(
    template: &Template,
    keys: &[RsaPublicKey],
    payload: &[u8],
    details: &mut Vec<String>,
) -> Option<String> {
    let call = SplitCall::parse(payload, template.signature_name()).ok()?;
    let signature = decode_signature(call.signature()).ok()?;
    for Candidate { bytes, cut, layer } in call.candidates(template) {
        details.push(format!("tried {cut}, {layer}: {}", quote(&bytes)));
    }
    details.extend(keys.iter().map(|key| format!("key: {}", describe(key))));
    let keys: Vec<_> = keys.iter().collect();
    let (bytes, how) = near_misses(template, &call)
        .into_iter()
        .find_map(|NearMiss { bytes, how }| Some((verify_bytes(bytes, &keys, &signature)?.0, how)))?;
    details.push(signed(&bytes));
    Some(close(how))
}

fn close(how: &str) -> String {
    format!("not genuine as received, but close: it verifies {how}")
}

fn signed(bytes: &[u8]) -> String {
    format!("signed bytes: {}", quote(bytes))
}

fn describe(key: &RsaPublicKey) -> String {
    let platform = Settings::platform_key();
    let whose = if key.fingerprint() == platform.fingerprint() { " (the platform's own)" } else { "" };
    format!("SHA-256 {}{whose}", key.fingerprint())
}

fn quote(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text.chars().take(MAX_QUOTE).collect();
    let more = if shown.len() < text.len() { " …" } else { "" };
    format!("{shown:?}{more}")
}
