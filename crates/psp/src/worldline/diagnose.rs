//! Why a signature verifies or does not. Values from the message are not repeated, except the id of the key,
//! which is no secret.

use cvco_domain::Bilingual;
use secrecy::SecretString;

use super::near_miss::{self, Candidate};
use super::notification;
use super::settings::{Settings, WebhookKey};
use super::verify::{self, KEY_ID, RETRY_COUNT, SIGNATURE};
use crate::phrase::{Phrase, characters, phrase, refused, stored_unread, taken, would_fit};
use crate::{Diagnosis, Method, Rejection, Request};

/// No known mistake explains the signature.
const NOTHING_FITS: Phrase = phrase(
    "pas authentique\u{a0}; rien ne convient\u{a0}: sans doute un autre secret (test et production sont des comptes distincts, et créer \
     une nouvelle clé révoque aussitôt l’ancienne), ou un corps modifié en chemin",
    "not genuine; nothing fits: probably another secret (test and production are accounts of their own, and generating a \
     new key revokes the old one at once), or a body that was changed on its way",
);

/// The id that stands for "the one key there is", where no configuration names any.
const ANY_KEY: &str = "the key given";

/// Explains a body without an endpoint's configuration.
#[must_use]
pub fn diagnose_webhook(secret: &SecretString, signature: &[u8], body: &[u8]) -> Diagnosis {
    let key = WebhookKey { id: ANY_KEY.to_owned(), secret: secret.clone() };
    let headers = [(SIGNATURE, signature.to_vec()), (KEY_ID, ANY_KEY.as_bytes().to_vec())];
    let request = Request { method: Method::Post, query: b"", body, headers: &headers };
    explain(&request, &[key], None)
}

/// Explains a request to a configured endpoint.
pub(super) fn of_endpoint(settings: &Settings, request: &Request<'_>) -> Diagnosis {
    explain(request, &settings.webhook_keys, Some(&settings.merchant_id))
}

fn explain(request: &Request<'_>, keys: &[WebhookKey], merchant: Option<&str>) -> Diagnosis {
    if request.method == Method::Get {
        return Diagnosis::not_genuine(
            (
                "un webhook est un POST\u{a0}; un GET n’est que l’essai de l’adresse, et n’est pas signé",
                "a webhook is a POST; a GET is no more than the trial of the address, and is not signed",
            ),
            Vec::new(),
        );
    }
    let bytes = request.body.len();
    let mut details = vec![Bilingual::new(
        format!("corps\u{a0}: {bytes} octets, qui comptent tous"),
        format!("body: {bytes} bytes, of which each counts"),
    )];
    let headers = (one(request, SIGNATURE, "X-GCS-Signature"), one(request, KEY_ID, "X-GCS-KeyId"));
    let (signature, key_id) = match headers {
        (Ok(signature), Ok(key_id)) => (signature, key_id),
        (Err(why), _) | (_, Err(why)) => return Diagnosis::not_genuine(why, details),
    };
    details.push(shape("X-GCS-Signature", signature));
    let header = |name: &str, value: &[u8]| {
        let value = shown(value);
        Bilingual::new(format!("{name}\u{a0}: {}", value.french), format!("{name}: {}", value.english))
    };
    if key_id != ANY_KEY.as_bytes() {
        details.push(header("X-GCS-KeyId", key_id));
    }
    if let Some(count) = verify::once(request, RETRY_COUNT) {
        details.push(header("retry-count", count));
    }
    match verify::verify(request, keys) {
        Ok(body) => {
            let account = merchant.map_or(Ok(()), |merchant| notification::check_account(&body, merchant));
            details.push(match account.map(|()| notification::read(&body)) {
                Ok(Ok(reading)) => taken(&reading),
                Ok(Err(not_understood)) => stored_unread(&not_understood.what),
                Err(rejection) => refused(&rejection),
            });
            let summary = (
                "authentique\u{a0}: HMAC-SHA-256 sur le corps tel quel, avec la clé qu’il nomme",
                "genuine: HMAC-SHA-256 over the body as it is, under the key that it names",
            );
            Diagnosis::genuine(summary, details)
        }
        Err(rejection) => {
            let candidates: Vec<_> = keys.iter().map(|key| candidate(key, key_id)).collect();
            let near_miss = near_miss::of(signature, request.body, &candidates);
            Diagnosis::not_genuine(verdict(&rejection, near_miss, key_id, keys), details)
        }
    }
}

fn candidate<'a>(key: &'a WebhookKey, named: &[u8]) -> Candidate<'a> {
    let words = (key.id.as_bytes() != named).then(|| {
        Bilingual::new(
            format!("avec la clé {:?} de webhook_keys", key.id),
            format!("under the key {:?} of webhook_keys", key.id),
        )
    });
    Candidate { words, secret: &key.secret }
}

fn verdict(
    rejection: &Rejection,
    near_miss: Option<Bilingual>,
    key_id: &[u8],
    keys: &[WebhookKey],
) -> Bilingual {
    let known: Vec<_> = keys.iter().map(|key| format!("{:?}", key.id)).collect();
    match (rejection, near_miss) {
        (Rejection::UnknownKey, near_miss) => {
            let (known, key) = (known.join(", "), shown(key_id));
            let (french, english) = near_miss.map_or_else(Default::default, |words| {
                (
                    format!("\u{a0}; la signature conviendrait {}", words.french),
                    format!("; the signature would fit {}", words.english),
                )
            });
            Bilingual::new(
                format!(
                    "pas authentique\u{a0}: il nomme la clé {}, et webhook_keys ne contient que {known}{french}",
                    key.french
                ),
                format!(
                    "not genuine: it names the key {}, and webhook_keys has only {known}{english}",
                    key.english
                ),
            )
        }
        (_, Some(circumstances)) => would_fit(&circumstances),
        (_, None) => NOTHING_FITS.into(),
    }
}

/// A header that stands once, or what is wrong with it.
fn one<'a>(request: &Request<'a>, name: &str, title: &str) -> Result<&'a [u8], Bilingual> {
    let missing = || {
        Bilingual::new(
            format!(
                "pas authentique\u{a0}: l’en-tête {title} manque\u{a0}; Worldline l’envoie\u{a0}: un proxy l’a peut-être retiré, ou l’appel \
                 vient de quelqu’un d’autre"
            ),
            format!(
                "not genuine: the header {title} is missing; Worldline sends it, a proxy may have dropped it, or the \
                 call is somebody else's"
            ),
        )
    };
    match request.header(name).count() {
        0 | 1 => verify::once(request, name).ok_or_else(missing),
        times => Err(Bilingual::new(
            format!(
                "pas authentique\u{a0}: l’en-tête {title} figure {times} fois\u{a0}; Worldline l’envoie une seule fois"
            ),
            format!("not genuine: the header {title} stands {times} times; Worldline sends it once"),
        )),
    }
}

/// What came from outside, as far as it is harmless to show.
fn shown(text: &[u8]) -> Bilingual {
    match std::str::from_utf8(text) {
        Ok(text) if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) => {
            Bilingual::same(format!("{text:?}"))
        }
        Ok(_) | Err(_) => Bilingual::new("de forme non affichable", "of no printable form"),
    }
}

fn shape(header: &str, signature: &[u8]) -> Bilingual {
    let hexadecimal = signature.iter().all(u8::is_ascii_hexdigit);
    let guess = match (signature.len(), hexadecimal) {
        (44, _) => phrase("comme un HMAC-SHA-256 en base64", "as base64 of HMAC-SHA-256 has"),
        (64, true) => phrase(
            "hexadécimaux, ce que Worldline n’écrit pas",
            "hexadecimal, as Worldline does not write it",
        ),
        _ => phrase("comme aucune signature de Worldline", "as no signature of Worldline has"),
    };
    characters(header, signature.len(), guess)
}
