//! The proof of a webhook: `X-GCS-Signature` is the base64 of HMAC-SHA-256 over the raw body, under the key
//! that `X-GCS-KeyId` names. No time is signed, so nothing expires; a repetition states the same facts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::Psp;
use cvco_domain::crypto::{HmacSha256Key, Verified};

use super::notification;
use super::settings::{Settings, WebhookKey};
use crate::{Message, Method, Rejection, Request};

/// The header that carries the signature.
pub const SIGNATURE: &str = "x-gcs-signature";
pub(super) const KEY_ID: &str = "x-gcs-keyid";
/// Which repetition it is; 0 at first. Not signed.
pub(super) const RETRY_COUNT: &str = "retry-count";

/// A header that stands exactly once; the official libraries refuse any other, too.
pub(super) fn once<'a>(request: &Request<'a>, name: &str) -> Option<&'a [u8]> {
    let mut values = request.headers.iter().filter(|(known, _)| *known == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.trim_ascii())
}

/// Proves a webhook.
pub(super) fn prove(settings: &Settings, request: &Request<'_>) -> Result<Message, Rejection> {
    match request.method {
        Method::Post => {}
        Method::Get => return Err(Rejection::Method { psp: Psp::Worldline }),
    }
    let body = verify(request, &settings.webhook_keys)?;
    notification::check_account(&body, &settings.merchant_id)?;
    Ok(Message::Genuine(body))
}

/// Takes the body of a signed request. An administrator who chooses key ids may reuse an id for a new secret, so any
/// key with that id may have signed.
pub(super) fn verify(request: &Request<'_>, keys: &[WebhookKey]) -> Result<Verified<Vec<u8>>, Rejection> {
    let key_id = once(request, KEY_ID).ok_or(Rejection::Signature)?;
    let signature = once(request, SIGNATURE).ok_or(Rejection::Signature)?;
    let named: Vec<_> = keys.iter().filter(|key| key.id.as_bytes() == key_id).collect();
    if named.is_empty() {
        return Err(Rejection::UnknownKey);
    }
    let tag = STANDARD.decode(signature).map_err(|_| Rejection::Signature)?;
    let mut body = request.body.to_vec();
    for key in named {
        match HmacSha256Key::new(key.secret.clone()).verify(body, &tag) {
            Ok(verified) => return Ok(verified),
            Err(bad) => body = bad.0,
        }
    }
    Err(Rejection::Signature)
}

/// Signs a body as Worldline does.
#[cfg(any(test, feature = "sender"))]
pub(super) fn sign(body: String, key: &WebhookKey) -> crate::WireMessage {
    let tag = HmacSha256Key::new(key.secret.clone()).tag(body.as_bytes());
    crate::WireMessage {
        method: Method::Post,
        query: String::new(),
        body,
        headers: vec![
            (SIGNATURE, STANDARD.encode(tag).into_bytes()),
            (KEY_ID, key.id.clone().into_bytes()),
            (RETRY_COUNT, b"0".to_vec()),
        ],
    }
}
