//! Why a signature verifies or does not. Values from the message are not repeated, except the id of the key,
//! which is no secret.

use secrecy::SecretString;

use super::near_miss::{self, Candidate};
use super::notification;
use super::settings::{Settings, WebhookKey};
use super::verify::{self, KEY_ID, RETRY_COUNT, SIGNATURE};
use crate::{Diagnosis, Method, Rejection, Request};

/// No known mistake explains the signature.
const NOTHING_FITS: &str = "nothing fits: probably another secret (test and production are accounts of their own, \
                            and generating a new key revokes the old one at once), or a body that was changed \
                            on its way";

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
        return not_genuine(
            "a webhook is a POST; a GET is no more than the trial of the address, and is not signed"
                .to_owned(),
            Vec::new(),
        );
    }
    let mut details = vec![format!("body: {} bytes, of which each counts", request.body.len())];
    let headers = (one(request, SIGNATURE, "X-GCS-Signature"), one(request, KEY_ID, "X-GCS-KeyId"));
    let (signature, key_id) = match headers {
        (Ok(signature), Ok(key_id)) => (signature, key_id),
        (Err(why), _) | (_, Err(why)) => return not_genuine(why, details),
    };
    details.push(format!("X-GCS-Signature: {}", shape(signature)));
    if key_id != ANY_KEY.as_bytes() {
        details.push(format!("X-GCS-KeyId: {}", shown(key_id)));
    }
    if let Some(count) = verify::once(request, RETRY_COUNT) {
        details.push(format!("retry-count: {}", shown(count)));
    }
    match verify::verify(request, keys) {
        Ok(body) => {
            let account = merchant.map_or(Ok(()), |merchant| notification::check_account(&body, merchant));
            details.push(match account.map(|()| notification::read(&body)) {
                Ok(Ok(reading)) => format!("an endpoint takes it: {} event(s)", reading.events().len()),
                Ok(Err(not_understood)) => format!("an endpoint stores it unread: {not_understood}"),
                Err(rejection) => format!("an endpoint refuses it all the same: {rejection}"),
            });
            let summary =
                "genuine: HMAC-SHA-256 over the body as it is, under the key that it names".to_owned();
            Diagnosis { genuine: true, summary, details }
        }
        Err(rejection) => {
            let candidates: Vec<_> = keys.iter().map(|key| candidate(key, key_id)).collect();
            let near_miss = near_miss::of(signature, request.body, &candidates);
            not_genuine(verdict(&rejection, near_miss, key_id, keys), details)
        }
    }
}

fn candidate<'a>(key: &'a WebhookKey, named: &[u8]) -> Candidate<'a> {
    let words = if key.id.as_bytes() == named {
        String::new()
    } else {
        format!("under the key {:?} of webhook_keys", key.id)
    };
    Candidate { words, secret: &key.secret }
}

fn verdict(rejection: &Rejection, near_miss: Option<String>, key_id: &[u8], keys: &[WebhookKey]) -> String {
    let known: Vec<_> = keys.iter().map(|key| format!("{:?}", key.id)).collect();
    match (rejection, near_miss) {
        (Rejection::UnknownKey, near_miss) => {
            let near_miss = near_miss.map(|words| format!("; the signature would fit {words}"));
            format!(
                "not genuine: it names the key {}, and webhook_keys has only {}{}",
                shown(key_id),
                known.join(", "),
                near_miss.unwrap_or_default()
            )
        }
        (_, Some(circumstances)) => format!("not genuine, but it would fit {circumstances}"),
        (_, None) => format!("not genuine; {NOTHING_FITS}"),
    }
}

/// A header that stands once, or what is wrong with it.
fn one<'a>(request: &Request<'a>, name: &str, title: &str) -> Result<&'a [u8], String> {
    match request.header(name).count() {
        0 => Err(format!(
            "not genuine: the header {title} is missing; Worldline sends it, a proxy may have dropped it, or the \
             call is somebody else's"
        )),
        1 => verify::once(request, name).ok_or_else(|| format!("not genuine: the header {title} is missing")),
        times => {
            Err(format!("not genuine: the header {title} stands {times} times; Worldline sends it once"))
        }
    }
}

fn not_genuine(summary: String, details: Vec<String>) -> Diagnosis {
    Diagnosis { genuine: false, summary, details }
}

/// What came from outside, as far as it is harmless to show.
fn shown(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) => {
            format!("{text:?}")
        }
        Ok(_) | Err(_) => "of no printable form".to_owned(),
    }
}

fn shape(signature: &[u8]) -> String {
    let hexadecimal = signature.iter().all(u8::is_ascii_hexdigit);
    let guess = match (signature.len(), hexadecimal) {
        (44, _) => "as base64 of HMAC-SHA-256 has",
        (64, true) => "hexadecimal, as Worldline does not write it",
        _ => "as no signature of Worldline has",
    };
    format!("{} characters, {guess}", signature.len())
}
