//! Why a signature verifies or does not. The first question of every support call is answered here in one
//! sentence. Values from the message are not repeated, except what everyone may know of it.

use cvco_domain::{Bilingual, Mode};
use secrecy::SecretString;

use super::near_miss;
use super::settings::{Algorithm, Settings, trimmed};
use super::submission::{Format, Malformed, Submission};
use super::verify::VadsForm;
use super::{notification, rest_notification, verify};
use crate::phrase::{Phrase, characters, phrase, refused, stored_unread, taken, would_fit};
use crate::{Diagnosis, Method, Reading, Rejection, Request};

/// Explains a body without an endpoint's configuration. For a REST notification the key is the REST
/// password, or, where the message says `kr-hash-key=sha256_hmac`, the HMAC key of the browser's copy.
#[must_use]
pub fn diagnose_form(key: &SecretString, algorithm: Algorithm, body: &[u8]) -> Diagnosis {
    explain(body, |submission, format| match format {
        Format::FormV2 => of_form(submission, std::slice::from_ref(key), algorithm, None),
        Format::RestV4 => of_rest(submission, &[(Phrase::NONE, key)], None),
    })
}

/// Explains a request to a configured endpoint.
pub(super) fn of_endpoint(settings: &Settings, request: &Request<'_>) -> Diagnosis {
    if request.method == Method::Get {
        return Diagnosis::not_genuine(
            (
                "une notification est un POST\u{a0}; ceci est un GET",
                "a notification is a POST; this is a GET",
            ),
            Vec::new(),
        );
    }
    explain(request.body, |submission, format| match format {
        Format::FormV2 => of_form(submission, &settings.keys, settings.algorithm, Some(settings)),
        Format::RestV4 => {
            if settings.rest_passwords.is_empty() {
                let summary = (
                    "une notification REST, mais le point d’entrée n’a pas de mot de passe REST",
                    "a REST notification, but the endpoint has no REST password",
                );
                return Diagnosis::not_genuine(summary, Vec::new());
            }
            let passwords = settings.rest_passwords.iter().map(|password| (Phrase::NONE, password));
            let other = phrase(
                "avec la clé de formulaire au lieu du mot de passe REST",
                "with the form key instead of the REST password",
            );
            let form_keys = settings.keys.iter().map(|key| (other, key));
            of_rest(submission, &passwords.chain(form_keys).collect::<Vec<_>>(), Some(settings))
        }
    })
}

fn explain(body: &[u8], by_format: impl FnOnce(&Submission<'_>, Format) -> Diagnosis) -> Diagnosis {
    match Submission::parse(body) {
        Err(Malformed(what)) => Diagnosis::not_genuine(what, Vec::new()),
        Ok(submission) => {
            if let Some(format) = submission.format() {
                return by_format(&submission, format);
            }
            let summary = (
                "ni champs vads_ ni kr-answer\u{a0}: ce n’est pas une notification de Sogecommerce",
                "neither vads_ fields nor kr-answer: not a Sogecommerce notification",
            );
            Diagnosis::not_genuine(summary, Vec::new())
        }
    }
}

/// No known mistake explains the signature.
const NOTHING_FITS: Phrase = phrase(
    "pas authentique\u{a0}; rien ne convient\u{a0}: sans doute une autre clé (TEST et PRODUCTION ont chacun la leur, et l’API REST en a \
     d’autres), ou des valeurs modifiées en chemin",
    "not genuine; nothing fits: probably another key (TEST and PRODUCTION have one each, and the REST \
     API has others), or the values were changed on their way",
);

fn of_form(
    submission: &Submission<'_>,
    secrets: &[SecretString],
    algorithm: Algorithm,
    settings: Option<&Settings>,
) -> Diagnosis {
    let empty = submission.vads().filter(|(_, raw)| raw.is_empty()).count();
    let all = submission.vads().count();
    let mut details = vec![
        Bilingual::new(
            format!("notification par formulaire (V2)\u{a0}: {all} champs vads_, dont {empty} vides"),
            format!("form notification (V2): {all} fields vads_, {empty} of them empty"),
        ),
        Bilingual::new(format!("algorithme\u{a0}: {algorithm}"), format!("algorithm: {algorithm}")),
    ];
    details.extend(world(submission, settings.map(|settings| settings.mode)));
    let Some(signature) = submission.decoded("signature") else {
        return Diagnosis::not_genuine(
            ("le champ signature manque", "the field signature is missing"),
            details,
        );
    };
    details.push(shape("signature", &signature));
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
    let summary = (
        format!("authentique\u{a0}: {algorithm} sur les valeurs dans l’ordre de leurs noms, puis la clé"),
        format!("genuine: {algorithm} over the values in the order of their names, and the key"),
    );
    Diagnosis::genuine(summary, details)
}

fn of_rest(
    submission: &Submission<'_>,
    secrets: &[(Phrase, &SecretString)],
    settings: Option<&Settings>,
) -> Diagnosis {
    let mut details = vec![Bilingual::new("notification REST (V4)", "REST notification (V4)")];
    let (Some(hash), Some(raw_answer)) = (submission.decoded("kr-hash"), submission.raw("kr-answer")) else {
        return Diagnosis::not_genuine(("le champ kr-hash manque", "the field kr-hash is missing"), details);
    };
    details.push(shape("kr-hash", &hash));
    let from_browser = submission.decoded("kr-hash-key").is_some_and(|key| key == b"sha256_hmac");
    if from_browser {
        details.push(Bilingual::new(
            "kr-hash-key est sha256_hmac\u{a0}: la copie qu’apporte le navigateur de l’acheteur, signée avec la clé HMAC et non avec \
             le mot de passe\u{a0}; un point d’entrée la refuse",
            "kr-hash-key is sha256_hmac: the copy that the buyer's browser brings, signed with the HMAC key, not \
             with the password; an endpoint refuses it",
        ));
    }
    let answer = submission.decoded("kr-answer").unwrap_or_default();
    let mut right = secrets.iter().filter(|(words, _)| words.is_none());
    let proven = right.find_map(|(_, secret)| verify::verify_answer(answer.clone(), &hash, &trimmed(secret)));
    let Some(proven) = proven else {
        return missed(near_miss::of_rest(raw_answer, &hash, secrets), details);
    };
    if !from_browser {
        let account = settings.map_or(Ok(()), |settings| rest_notification::check_account(&proven, settings));
        details.push(fate(account.map(|()| rest_notification::read(&proven))));
    }
    let summary = if from_browser {
        (
            "authentique\u{a0}: HMAC-SHA-256 sur kr-answer, de la copie du navigateur",
            "genuine: HMAC-SHA-256 over kr-answer, of the browser's copy",
        )
    } else {
        (
            "authentique\u{a0}: HMAC-SHA-256 sur kr-answer, avec le mot de passe",
            "genuine: HMAC-SHA-256 over kr-answer, under the password",
        )
    };
    Diagnosis::genuine(summary, details)
}

fn missed(near_miss: Option<Bilingual>, details: Vec<Bilingual>) -> Diagnosis {
    match near_miss {
        Some(circumstances) => Diagnosis::not_genuine(would_fit(&circumstances), details),
        None => Diagnosis::not_genuine(NOTHING_FITS, details),
    }
}

/// How the adapter reads a genuine message.
fn fate(reading: Result<Result<Reading, Malformed>, Rejection>) -> Bilingual {
    match reading {
        Ok(Ok(reading)) => taken(&reading),
        Ok(Err(Malformed(what))) => stored_unread(&what),
        Err(rejection) => refused(&rejection),
    }
}

/// The most frequent mistake at the moment of going live.
fn world(submission: &Submission<'_>, endpoint: Option<Mode>) -> Option<Bilingual> {
    let (word, mode) = match submission.decoded("vads_ctx_mode")?.as_slice() {
        b"TEST" => ("TEST", Mode::Test),
        b"PRODUCTION" => ("PRODUCTION", Mode::Production),
        _ => {
            return Some(Bilingual::new(
                "vads_ctx_mode n’est ni TEST ni PRODUCTION",
                "vads_ctx_mode is neither TEST nor PRODUCTION",
            ));
        }
    };
    let (of_french, of_english) = match endpoint.filter(|endpoint| *endpoint != mode) {
        Some(endpoint) => (
            format!(", mais le point d’entrée est en mode {endpoint}"),
            format!(", but the endpoint is of mode {endpoint}"),
        ),
        None => <(String, String)>::default(),
    };
    Some(Bilingual::new(
        format!("vads_ctx_mode\u{a0}: {word}, donc signé avec cette clé{of_french}"),
        format!("vads_ctx_mode: {word}, so signed with that key{of_english}"),
    ))
}

fn shape(field: &str, signature: &[u8]) -> Bilingual {
    let hexadecimal = signature.iter().all(u8::is_ascii_hexdigit);
    let guess = match (signature.len(), hexadecimal) {
        (44, _) => phrase("comme un HMAC-SHA-256 en base64", "as base64 of HMAC-SHA-256 has"),
        (40, true) => phrase("hexadécimaux, comme un SHA-1", "hexadecimal, as SHA-1 has"),
        (64, true) => phrase("hexadécimaux, comme un HMAC-SHA-256", "hexadecimal, as HMAC-SHA-256 has"),
        _ => phrase("comme aucune signature connue", "as no known signature has"),
    };
    characters(field, signature.len(), guess)
}
