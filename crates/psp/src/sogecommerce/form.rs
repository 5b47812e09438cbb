//! The form notification (V2): its signature, and its fields by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::{BadSignature, HmacSha256Key, Signed, Verified, verify_sha1_form};

use super::format::Format;
use super::settings::Algorithm;
use super::submission::{Malformed, Submission};
use crate::wire::decode_plus;

/// The `vads_` fields by name, decoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VadsFields(BTreeMap<Vec<u8>, Vec<u8>>);

/// The fields of a form that is yet to be proven. The key is part of the signed text, so it belongs to the value.
pub(super) struct VadsForm<'k> {
    fields: VadsFields,
    key: &'k HmacSha256Key,
}

impl Signed for VadsForm<'_> {
    /// The values in the order of the names' bytes, then the key, all joined with `+`.
    fn signed_bytes(&self) -> Cow<'_, [u8]> {
        let values = self.fields.0.values().map(Vec::as_slice);
        Cow::Owned(values.chain([self.key.expose().as_bytes()]).collect::<Vec<_>>().join(&b'+'))
    }
}

impl<'k> VadsForm<'k> {
    pub(super) fn new(submission: &Submission<'_>, key: &'k HmacSha256Key) -> Self {
        let fields = submission.vads().map(|(name, raw)| (name.to_owned(), decode_plus(raw))).collect();
        Self { fields: VadsFields(fields), key }
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
    /// Names and values, in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// A field that may be missing or empty.
    pub(super) fn optional<T: Format>(&self, name: &str) -> Result<Option<T>, Malformed> {
        let Some(bytes) = self.bytes(name) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed(format!("{name} is not UTF-8")))?;
        T::read(text).map(Some).ok_or_else(|| Malformed(format!("{name} must be {}", T::RULE)))
    }

    /// A field that every notification has.
    pub(super) fn required<T: Format>(&self, name: &str) -> Result<T, Malformed> {
        self.optional(name)?.ok_or_else(|| Malformed(format!("{name} is missing")))
    }

    /// A field's bytes, unless it is missing or empty.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name.as_bytes()).map(Vec::as_slice).filter(|bytes| !bytes.is_empty())
    }
}

/// The signature that the platform puts on these fields.
#[cfg(any(test, feature = "sender"))]
pub(super) fn sign(fields: &[(String, String)], key: &HmacSha256Key, algorithm: Algorithm) -> String {
    let fields = fields.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()));
    let form = VadsForm { fields: VadsFields(fields.collect()), key };
    match algorithm {
        Algorithm::HmacSha256 => STANDARD.encode(key.tag(&form.signed_bytes())),
        Algorithm::Sha1 => cvco_domain::crypto::sha1_hex(&form.signed_bytes()),
    }
}
