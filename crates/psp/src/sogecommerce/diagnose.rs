//! Why a signature verifies or does not. The first question of every support call is answered here in one
//! sentence. Values from the message are not repeated, except what everyone may know of it.

use cvco_domain::Mode;
use secrecy::SecretString;

use super::near_miss;
use super::settings::{Algorithm, Settings, trimmed};
use super::submission::{Format, Malformed, Submission};
use super::verify::VadsForm;
use super::{notification, rest_notification, verify};
use crate::{Diagnosis, Method, Reading, Rejection, Request};

/// Explains a body without an endpoint's configuration. For a REST notification the key is the REST
/// password, or, where the message says `kr-hash-key=sha256_hmac`, the HMAC key of the browser's copy.
#[must_use]
pub fn diagnose_form(key: &SecretString, algorithm: Algorithm, body: &[u8]) -> Diagnosis {
    explain(body, |submission, format| match format {
        Format::FormV2 => of_form(submission, std::slice::from_ref(key), algorithm, None),
        Format::RestV4 => of_rest(submission, &[("", key)], None),
    })
}

/// Explains a request to a configured endpoint.
pub(super) fn of_endpoint(settings: &Settings, request: &Request<'_>) -> Diagnosis {
    if request.method == Method::Get {
        return not_genuine("a notification is a POST; this is a GET", Vec::new());
    }
    explain(request.body, |submission, format| match format {
        Format::FormV2 => of_form(submission, &settings.keys, settings.algorithm, Some(settings)),
        Format::RestV4 => {
            if settings.rest_passwords.is_empty() {
                return not_genuine("a REST notification, but the endpoint has no REST password", Vec::new());
            }
            let passwords = settings.rest_passwords.iter().map(|password| ("", password));
            let form_keys =
                settings.keys.iter().map(|key| ("with the form key instead of the REST password", key));
            of_rest(submission, &passwords.chain(form_keys).collect::<Vec<_>>(), Some(settings))
        }
    })
}

fn explain(body: &[u8], by_format: impl FnOnce(&Submission<'_>, Format) -> Diagnosis) -> Diagnosis {
    match Submission::parse(body) {
        Err(Malformed(what)) => not_genuine(&what, Vec::new()),
        Ok(submission) => match submission.format() {
            Some(format) => by_format(&submission, format),
            None => {
                not_genuine("neither vads_ fields nor kr-answer: not a Sogecommerce notification", Vec::new())
            }
        },
    }
}

fn not_genuine(summary: &str, details: Vec<String>) -> Diagnosis {
    Diagnosis { genuine: false, summary: summary.to_owned(), details }
}

/// No known mistake explains the signature.
const NOTHING_FITS: &str = "nothing fits: probably another key (TEST and PRODUCTION have one each, and the REST \
                            API has others), or the values were changed on their way";

fn of_form(
    submission: &Submission<'_>,
    secrets: &[SecretString],
    algorithm: Algorithm,
    settings: Option<&Settings>,
) -> Diagnosis {
    let empty = submission.vads().filter(|(_, raw)| raw.is_empty()).count();
    let mut details = vec![
        format!("form notification (V2): {} fields vads_, {empty} of them empty", submission.vads().count()),
        format!("algorithm: {algorithm}"),
    ];
    details.extend(world(submission, settings.map(|settings| settings.mode)));
    let Some(signature) = submission.decoded("signature") else {
        return not_genuine("the field signature is missing", details);
    };
    details.push(format!("signature: {}", shape(&signature)));
    let keys: Vec<_> = secrets.iter().map(trimmed).collect();
    let proven =
        keys.iter().find_map(|key| VadsForm::new(submission, key).verify(&signature, algorithm).ok());
    let Some(form) = proven else {
        let mut near =
            secrets.iter().map(|secret| near_miss::of_form(submission, &signature, secret, algorithm));
        return missed(near.find_map(|circumstances| circumstances), details);
    };
    let account = settings.map_or(Ok(()), |settings| notification::check_account(&form, &settings.site_id));
    details.push(fate(account.map(|()| notification::read(&form))));
    let summary = format!("genuine: {algorithm} over the values in the order of their names, and the key");
    Diagnosis { genuine: true, summary, details }
}

fn of_rest(
    submission: &Submission<'_>,
    secrets: &[(&'static str, &SecretString)],
    settings: Option<&Settings>,
) -> Diagnosis {
    let mut details = vec!["REST notification (V4)".to_owned()];
    let (Some(hash), Some(raw_answer)) = (submission.decoded("kr-hash"), submission.raw("kr-answer")) else {
        return not_genuine("the field kr-hash is missing", details);
    };
    details.push(format!("kr-hash: {}", shape(&hash)));
    let from_browser = submission.decoded("kr-hash-key").is_some_and(|key| key == b"sha256_hmac");
    if from_browser {
        details.push(
            "kr-hash-key is sha256_hmac: the copy that the buyer's browser brings, signed with the HMAC key, not \
             with the password; an endpoint refuses it"
                .to_owned(),
        );
    }
    let answer = submission.decoded("kr-answer").unwrap_or_default();
    let mut right = secrets.iter().filter(|(words, _)| words.is_empty());
    let proven = right.find_map(|(_, secret)| verify::verify_answer(answer.clone(), &hash, &trimmed(secret)));
    let Some(proven) = proven else {
        return missed(near_miss::of_rest(raw_answer, &hash, secrets), details);
    };
    if !from_browser {
        let account = settings.map_or(Ok(()), |settings| rest_notification::check_account(&proven, settings));
        details.push(fate(account.map(|()| rest_notification::read(&proven))));
    }
    let whose = if from_browser { "of the browser's copy" } else { "under the password" };
    let summary = format!("genuine: HMAC-SHA-256 over kr-answer, {whose}");
    Diagnosis { genuine: true, summary, details }
}

fn missed(near_miss: Option<String>, details: Vec<String>) -> Diagnosis {
    match near_miss {
        Some(circumstances) => {
            not_genuine(&format!("not genuine, but it would fit {circumstances}"), details)
        }
        None => not_genuine(&format!("not genuine; {NOTHING_FITS}"), details),
    }
}

/// How the adapter reads a genuine message.
fn fate(reading: Result<Result<Reading, Malformed>, Rejection>) -> String {
    match reading {
        Ok(Ok(reading)) => format!("an endpoint takes it: {} event(s)", reading.events().len()),
        Ok(Err(Malformed(what))) => format!("an endpoint stores it unread: {what}"),
        Err(rejection) => format!("an endpoint refuses it all the same: {rejection}"),
    }
}

/// The most frequent mistake at the moment of going live.
fn world(submission: &Submission<'_>, endpoint: Option<Mode>) -> Option<String> {
    let (word, mode) = match submission.decoded("vads_ctx_mode")?.as_slice() {
        b"TEST" => ("TEST", Mode::Test),
        b"PRODUCTION" => ("PRODUCTION", Mode::Production),
        _ => return Some("vads_ctx_mode is neither TEST nor PRODUCTION".to_owned()),
    };
    let mismatch = endpoint.filter(|endpoint| *endpoint != mode);
    let mismatch = mismatch.map(|endpoint| format!(", but the endpoint is of mode {endpoint}"));
    Some(format!("vads_ctx_mode: {word}, so signed with that key{}", mismatch.unwrap_or_default()))
}

fn shape(signature: &[u8]) -> String {
    let hexadecimal = signature.iter().all(u8::is_ascii_hexdigit);
    let guess = match (signature.len(), hexadecimal) {
        (44, _) => "as base64 of HMAC-SHA-256 has",
        (40, true) => "hexadecimal, as SHA-1 has",
        (64, true) => "hexadecimal, as HMAC-SHA-256 has",
        _ => "as no known signature has",
    };
    format!("{} characters, {guess}", signature.len())
}
