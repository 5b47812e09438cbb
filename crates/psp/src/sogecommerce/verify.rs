//! What is signed, and whether the signature fits: the values of the form (V2), or the text `kr-answer` (REST, V4).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::{BadSignature, HmacSha256Key, Signed, Verified, verify_sha1_form};

use secrecy::SecretString;

use super::format;
use super::settings::{Algorithm, Settings, trimmed};
use super::submission::{Format, Malformed, Submission};
use super::{notification, rest_notification};
use crate::wire::decode_plus;
use crate::{Message, Method, Rejection, Request};

/// Proves a notification in either format. `keys` are the form keys.
pub(super) fn prove(
    settings: &Settings,
    keys: &[HmacSha256Key],
    request: &Request<'_>,
) -> Result<Message, Rejection> {
    match request.method {
        Method::Post => {}
        Method::Get => {
            return Err(Malformed::new("une notification est un POST", "a notification is a POST").into());
        }
    }
    let submission = Submission::parse(request.body)?;
    match submission.format() {
        Some(Format::FormV2) => prove_form(&submission, settings, keys).map(Message::GenuineForm),
        Some(Format::RestV4) => prove_rest(&submission, settings).map(Message::Genuine),
        None => {
            Err(Malformed::new("ni champs vads_ ni kr-answer", "neither vads_ fields nor kr-answer").into())
        }
    }
}

fn prove_form(
    submission: &Submission<'_>,
    settings: &Settings,
    keys: &[HmacSha256Key],
) -> Result<Verified<VadsFields>, Rejection> {
    let Some(signature) = submission.decoded("signature") else {
        return Err(Malformed::missing("signature").into());
    };
    let proven = keys
        .iter()
        .find_map(|key| VadsForm::new(submission, key).verify(&signature, settings.algorithm).ok());
    let fields = proven.ok_or(Rejection::Signature)?;
    notification::check_account(&fields, &settings.site_id)?;
    Ok(fields)
}

/// Proves a REST notification. `kr-src`, `kr-answer-type` and the names of the fields are outside the signed text and are
/// not believed.
fn prove_rest(submission: &Submission<'_>, settings: &Settings) -> Result<Verified<Vec<u8>>, Rejection> {
    if settings.rest_passwords.is_empty() {
        return Err(Malformed::new(
            "une notification REST, mais le point d’entrée n’a pas de mot de passe REST",
            "a REST notification, but the endpoint has no REST password",
        )
        .into());
    }
    let answer = verify_rest(submission, &settings.rest_passwords)?;
    rest_notification::check_account(&answer, settings)?;
    Ok(answer)
}

/// Takes the signed text of a notification. The copy that the buyer's browser brings says
/// `kr-hash-key=sha256_hmac` and is signed with another key: it is no notification.
fn verify_rest(
    submission: &Submission<'_>,
    passwords: &[SecretString],
) -> Result<Verified<Vec<u8>>, Rejection> {
    let hash = field(submission, "kr-hash")?;
    if field(submission, "kr-hash-algorithm")? != b"sha256_hmac" {
        return Err(Malformed::new(
            "kr-hash-algorithm doit être sha256_hmac",
            "kr-hash-algorithm must be sha256_hmac",
        )
        .into());
    }
    if field(submission, "kr-hash-key")? != b"password" {
        return Err(Malformed::new(
            "kr-hash-key doit être password\u{a0}: seuls les appels de la plateforme comptent",
            "kr-hash-key must be password: only the platform's own calls count",
        )
        .into());
    }
    let answer = field(submission, "kr-answer")?;
    let proven =
        passwords.iter().find_map(|password| verify_answer(answer.clone(), &hash, &trimmed(password)));
    proven.ok_or(Rejection::Signature)
}

/// The platform signs some texts as if their `\/` were `/`; all official libraries allow for it.
pub(super) fn verify_answer(answer: Vec<u8>, hash: &[u8], key: &HmacSha256Key) -> Option<Verified<Vec<u8>>> {
    let tag = hex::decode(hash).ok()?;
    key.verify(answer, &tag).or_else(|bad| key.verify(unescape_slashes(&bad.0), &tag)).ok()
}

/// `\/` becomes `/`.
pub(super) fn unescape_slashes(json: &[u8]) -> Vec<u8> {
    let mut bytes = json.iter().copied().peekable();
    let mut plain = Vec::with_capacity(json.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' || bytes.peek() != Some(&b'/') {
            plain.push(byte);
        }
    }
    plain
}

fn field(submission: &Submission<'_>, name: &str) -> Result<Vec<u8>, Malformed> {
    submission.decoded(name).ok_or_else(|| Malformed::missing(name))
}

/// The `vads_` fields in the order of their names' bytes, decoded once; no name stands twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VadsFields(Vec<VadsField>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct VadsField {
    name: Vec<u8>,
    value: Vec<u8>,
}

/// The fields of a form that is yet to be proven. The key is part of the signed text, so it belongs to the value.
pub(super) struct VadsForm<'k> {
    fields: VadsFields,
    key: &'k HmacSha256Key,
}

impl Signed for VadsForm<'_> {
    /// The values in the order of the names' bytes, then the key, all joined with `+`.
    fn signed_bytes(&self) -> Cow<'_, [u8]> {
        let values = self.fields.values();
        Cow::Owned(values.chain([self.key.expose().as_bytes()]).collect::<Vec<_>>().join(&b'+'))
    }
}

impl<'k> VadsForm<'k> {
    pub(super) fn new(submission: &Submission<'_>, key: &'k HmacSha256Key) -> Self {
        let field =
            |(name, raw): (&[u8], &[u8])| VadsField { name: name.to_owned(), value: decode_plus(raw) };
        Self { fields: VadsFields(submission.vads().map(field).collect()), key }
    }

    /// Checks the signature under the one algorithm that is configured, never another.
    pub(super) fn verify(
        self,
        signature: &[u8],
        algorithm: Algorithm,
    ) -> Result<Verified<VadsFields>, BadSignature<Self>> {
        let proven = match algorithm {
            Algorithm::HmacSha256 => {
                // Text that is not base64 becomes the empty tag, which fits nothing.
                let tag = STANDARD.decode(signature).unwrap_or_default();
                let key = self.key;
                key.verify(self, &tag)
            }
            Algorithm::Sha1 => verify_sha1_form(self, signature),
        };
        proven.map(|form| form.map(|form| form.fields))
    }
}

impl VadsFields {
    /// The values in the order of their names, as the signature covers them.
    pub(crate) fn signed_values(&self) -> Vec<u8> {
        self.values().collect::<Vec<_>>().join(&b'+')
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|field| field.value.as_slice())
    }

    /// Names and values, in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0.iter().map(|field| (field.name.as_slice(), field.value.as_slice()))
    }

    /// A field that may be missing or empty.
    pub(super) fn optional<T: format::Format>(&self, name: &str) -> Result<Option<T>, Malformed> {
        let Some(bytes) = self.bytes(name) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Malformed::new(format!("{name} n’est pas en UTF-8"), format!("{name} is not UTF-8"))
        })?;
        T::read(text).map(Some).ok_or_else(|| {
            Malformed::new(format!("{name} n’a pas la forme attendue"), format!("{name} must be {}", T::RULE))
        })
    }

    /// A field that every notification has.
    pub(super) fn required<T: format::Format>(&self, name: &str) -> Result<T, Malformed> {
        self.optional(name)?.ok_or_else(|| Malformed::missing(name))
    }

    /// A field's bytes, unless it is missing or empty.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let at = self.0.binary_search_by(|field| field.name.as_slice().cmp(name.as_bytes())).ok()?;
        self.0.get(at).map(|field| field.value.as_slice()).filter(|bytes| !bytes.is_empty())
    }
}

/// The signature that the platform puts on these fields.
#[cfg(any(test, feature = "sender"))]
pub(super) fn sign(fields: &[(String, String)], key: &HmacSha256Key, algorithm: Algorithm) -> String {
    let fields = fields.iter().map(|(name, value)| VadsField {
        name: name.clone().into_bytes(),
        value: value.clone().into_bytes(),
    });
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable();
    let form = VadsForm { fields: VadsFields(fields), key };
    match algorithm {
        Algorithm::HmacSha256 => STANDARD.encode(key.tag(&form.signed_bytes())),
        Algorithm::Sha1 => cvco_domain::crypto::sha1_hex(&form.signed_bytes()),
    }
}
