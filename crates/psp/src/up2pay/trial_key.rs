//! The RSA key that signs as Up2pay does, for trials, demonstrations and tests. ring does not sign with SHA-1, so the
//! arithmetic is here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::crypto::der::{self, BIT_STRING, INTEGER, RSA_ENCRYPTION, SEQUENCE};
use cvco_domain::text_file::utf8;
use num_bigint::BigUint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject;

/// A private key for calls that Up2pay never made.
///
/// **For trials only.** Its arithmetic does not run in constant time: whoever can time its signatures can find the key.
/// Its 1024 bits and its SHA-1 are Up2pay's, and no longer safe either.
#[derive(Clone)]
pub struct TrialKey {
    n: BigUint,
    e: BigUint,
    d: BigUint,
}

/// Why a file is not such a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// No `BEGIN RSA PRIVATE KEY` block.
    #[error("no PEM block `-----BEGIN RSA PRIVATE KEY-----`; `openssl genrsa -traditional 1024` makes one")]
    NoPem,
    /// The numbers are not those of an RSA key of 1024 to 8192 bits.
    #[error("not an RSA key of 1024 to 8192 bits")]
    NotRsa,
}

/// The start of a `DigestInfo` with a SHA-1 digest (RFC 8017, 9.2, note 1).
const SHA1_DIGEST_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

impl TrialKey {
    /// The private key of demonstrations and tests. It is published with the program, so anyone can sign with it.
    pub const PUBLISHED_PEM: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/trial-private-key.pem"));

    /// The key of [`Self::PUBLISHED_PEM`].
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the constant is a key; a test reads it"
    )]
    pub fn published() -> Self {
        Self::from_private_pem(Self::PUBLISHED_PEM.as_bytes()).expect("the published key is a key")
    }

    /// Reads a PEM `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    /// The text is not PEM, or not such a key.
    pub fn from_private_pem(pem: &[u8]) -> Result<Self, NoKey> {
        let der = PrivatePkcs1KeyDer::from_pem_slice(&utf8(pem)).map_err(|_| NoKey::NoPem)?;
        let key = Self::from_der(der.secret_pkcs1_der()).ok_or(NoKey::NotRsa)?;
        let public = RsaPublicKey::from_pem(key.public_pem().as_bytes()).map_err(|_| NoKey::NotRsa)?;
        // The exponents belong together if what one signs, the other verifies.
        let signature = key.sign_sha1(b"trial");
        public.verify(b"trial".to_vec(), &signature).map(|_| key).map_err(|_| NoKey::NotRsa)
    }

    /// A PKCS#1 `RSAPrivateKey` begins with the version, n, e and d.
    fn from_der(der: &[u8]) -> Option<Self> {
        let (content, _) = der::split(der, SEQUENCE)?;
        let (_version, content) = der::split(content, INTEGER)?;
        let (n, content) = der::split(content, INTEGER)?;
        let (e, content) = der::split(content, INTEGER)?;
        let (d, _) = der::split(content, INTEGER)?;
        let [n, e, d] = [n, e, d].map(BigUint::from_bytes_be);
        Some(Self { n, e, d })
    }

    /// The public key as PEM `PUBLIC KEY` (X.509 `SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public_pem(&self) -> String {
        let public_key = der::element(SEQUENCE, &[&self.n, &self.e].map(integer).concat());
        let algorithm = der::element(SEQUENCE, &RSA_ENCRYPTION);
        let bits = der::element(BIT_STRING, &[&[0], public_key.as_slice()].concat());
        pem("PUBLIC KEY", &der::element(SEQUENCE, &[algorithm, bits].concat()))
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-1.
    #[must_use]
    pub fn sign_sha1(&self, bytes: &[u8]) -> Vec<u8> {
        let length = usize::try_from(self.n.bits().div_ceil(8)).unwrap_or(usize::MAX);
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
        let info = [&SHA1_DIGEST_INFO, digest.as_ref()].concat();
        let padding = vec![0xff; length.saturating_sub(info.len()).saturating_sub(3)];
        let block = [&[0, 1], padding.as_slice(), &[0], &info].concat();
        let signature = BigUint::from_bytes_be(&block).modpow(&self.d, &self.n).to_bytes_be();
        let leading = vec![0; length.saturating_sub(signature.len())];
        [leading, signature].concat()
    }
}

impl fmt::Debug for TrialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrialKey(…)")
    }
}

/// A DER `INTEGER`: a leading zero keeps it positive.
fn integer(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let sign: &[u8] = if bytes.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    der::element(INTEGER, &[sign, &bytes].concat())
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut body = String::new();
    for (at, character) in STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            body.push('\n');
        }
        body.push(character);
    }
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC_PEM: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/trial-public-key.pem"));

    /// `printf 'Mt=1500' | openssl dgst -sha1 -sign trial-private-key.pem | base64`
    const SIGNED: &str = "PmJMQm8N5DeMBfTjB9WzNIwh87xbonCBxdNua2uMuBCudHpe+mXCDDAuLxvjJW/Z64i4SdC/DwILV8tJlYT6\
                          wkBtcSM6jy7jd4D33ydp6Rv3RAT6S7d56/r2M9wVpTKCxU2dYBB8uHS4t397NpbBxSEMQvFIQhzg0y6bSNp5\
                          YkM=";

    #[test]
    fn it_signs_as_openssl_does() {
        let key = TrialKey::published();
        assert_eq!(key.public_pem(), PUBLIC_PEM);
        let public = RsaPublicKey::from_pem(PUBLIC_PEM.as_bytes()).expect("a public key");
        assert_eq!(public.fingerprint(), crate::up2pay::Settings::published_trial_key().fingerprint());
        assert_eq!(STANDARD.encode(key.sign_sha1(b"Mt=1500")), SIGNED);
    }

    #[test]
    fn a_signature_fits_the_public_key_and_nothing_else() {
        let key = TrialKey::published();
        let public = RsaPublicKey::from_pem(key.public_pem().as_bytes()).expect("a public key");
        let signature = key.sign_sha1(b"Mt=1500");
        assert!(public.verify(b"Mt=1500".to_vec(), &signature).is_ok());
        assert!(public.verify(b"Mt=1501".to_vec(), &signature).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refusal = |pem: &str| TrialKey::from_private_pem(pem.as_bytes()).err();
        let of = |numbers: [&BigUint; 4]| {
            pem("RSA PRIVATE KEY", &der::element(SEQUENCE, &numbers.map(integer).concat()))
        };
        let TrialKey { n, e, d } = TrialKey::published();
        let zero = BigUint::ZERO;
        assert_eq!(refusal(""), Some(NoKey::NoPem));
        assert_eq!(refusal(PUBLIC_PEM), Some(NoKey::NoPem));
        assert_eq!(refusal(&of([&zero, &n, &e, &d])), None, "the other numbers are not needed");
        assert_eq!(refusal(&pem("RSA PRIVATE KEY", &[SEQUENCE, 0])), Some(NoKey::NotRsa));
        assert_eq!(refusal(&of([&zero, &zero, &e, &d])), Some(NoKey::NotRsa));
        assert_eq!(refusal(&of([&zero, &BigUint::from(35_u32), &e, &d])), Some(NoKey::NotRsa));
        assert_eq!(refusal(&of([&zero, &n, &e, &(&d + 2_u32)])), Some(NoKey::NotRsa));
    }
}
