//! RSA PKCS#1 v1.5 with SHA-1: the signature of Up2pay (Paybox) calls, and nothing else.

use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::der::{self, BIT_STRING, INTEGER, RSA_ENCRYPTION, SEQUENCE};
use super::{BadSignature, Signed, Verified, sha256};
use crate::Worded;
use crate::text_file::utf8;

/// A public key, parsed and known to be RSA.
#[derive(Clone)]
pub struct RsaPublicKey {
    /// PKCS#1 `RSAPublicKey`, as ring wants it.
    key: UnparsedPublicKey<Vec<u8>>,
    modulus_bytes: usize,
    fingerprint: String,
}

/// Why a file is not a usable public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No `BEGIN PUBLIC KEY` block.
    #[error("no PEM block `-----BEGIN PUBLIC KEY-----`")]
    NoPem,
    /// An RSA public key as PKCS#1 has it.
    #[error(
        "a key in the form PKCS#1 (`BEGIN RSA PUBLIC KEY`); make the usual form of it: \
         openssl rsa -RSAPublicKey_in -in FILE -pubout"
    )]
    Pkcs1,
    /// A private key: it does not belong here, and nobody but its owner should have it.
    #[error("a private key; the public half of it is wanted: openssl pkey -in FILE -pubout")]
    Private,
    /// A certificate, which holds a key.
    #[error("a certificate; take the key out of it: openssl x509 -in FILE -pubkey -noout")]
    Certificate,
    /// Binary.
    #[error("a key in binary form (DER); make a PEM of it: openssl pkey -pubin -inform DER -in FILE")]
    Der,
    /// A public key, but not RSA.
    #[error("not an RSA public key")]
    NotRsa,
    /// Smaller than 1024 or larger than 8192 bits.
    #[error("an RSA key of 1024 to 8192 bits is needed")]
    Size,
}

impl Worded for KeyError {
    fn in_french(&self) -> String {
        match self {
            Self::NoPem => "aucun bloc PEM `-----BEGIN PUBLIC KEY-----`",
            Self::Pkcs1 => {
                "une clé au format PKCS#1 (`BEGIN RSA PUBLIC KEY`)\u{a0}; convertissez-la dans le format usuel\u{a0}: \
                 openssl rsa -RSAPublicKey_in -in FICHIER -pubout"
            }
            Self::Private => {
                "une clé privée\u{a0}; il faut sa moitié publique\u{a0}: openssl pkey -in FICHIER -pubout"
            }
            Self::Certificate => {
                "un certificat\u{a0}; extrayez-en la clé\u{a0}: openssl x509 -in FICHIER -pubkey -noout"
            }
            Self::Der => {
                "une clé au format binaire (DER)\u{a0}; convertissez-la en PEM\u{a0}: openssl pkey -pubin -inform DER -in FICHIER"
            }
            Self::NotRsa => "ce n’est pas une clé publique RSA",
            Self::Size => "il faut une clé RSA de 1024 à 8192 bits",
        }
        .to_owned()
    }
}

impl KeyError {
    /// What a file is that holds no PEM of a public key.
    fn of_no_pem(file: &[u8]) -> Self {
        let has = |label: &[u8]| file.windows(label.len()).any(|window| window == label);
        if has(b"BEGIN RSA PUBLIC KEY") {
            Self::Pkcs1
        } else if has(b"PRIVATE KEY-----") {
            Self::Private
        } else if has(b"BEGIN CERTIFICATE") {
            Self::Certificate
        } else if matches!(file, [SEQUENCE, 0x81 | 0x82, ..]) {
            Self::Der
        } else {
            Self::NoPem
        }
    }
}

impl RsaPublicKey {
    /// Reads a PEM `PUBLIC KEY` (X.509 `SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// Not PEM, not RSA, or of a size that cannot be checked.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let pem = utf8(pem);
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(&pem).map_err(|_| KeyError::of_no_pem(&pem))?;
        let public_key = rsa_public_key_of_spki(&spki).ok_or(KeyError::NotRsa)?;
        let modulus_bytes = modulus_length(public_key).ok_or(KeyError::NotRsa)?;
        if !(128..=1024).contains(&modulus_bytes) {
            return Err(KeyError::Size);
        }
        Ok(Self {
            key: UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, public_key.to_vec()),
            modulus_bytes,
            fingerprint: sha256(&[spki.as_ref()]).to_string(),
        })
    }

    /// The length of a signature under this key, in bytes.
    #[must_use]
    pub const fn signature_length(&self) -> usize {
        self.modulus_bytes
    }

    /// SHA-256 of the key's DER form, in hexadecimal: to tell keys apart in messages.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// It is of another length or of other bytes, or was made with another key.
    pub fn verify<T: Signed>(&self, value: T, signature: &[u8]) -> Result<Verified<T>, BadSignature<T>> {
        let matches = signature.len() == self.modulus_bytes
            && self.key.verify(&value.signed_bytes(), signature).is_ok();
        if matches { Ok(Verified::proven(value)) } else { Err(BadSignature(value)) }
    }
}

impl std::fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaPublicKey({}…)", self.fingerprint.get(..16).unwrap_or_default())
    }
}

/// Takes the `RSAPublicKey` out of a `SubjectPublicKeyInfo`: ring wants the former, and would report the
/// latter as a bad signature.
fn rsa_public_key_of_spki(spki: &[u8]) -> Option<&[u8]> {
    let (outer, rest) = der::split(spki, SEQUENCE)?;
    let (algorithm, outer) = der::split(outer, SEQUENCE)?;
    let (bits, tail) = der::split(outer, BIT_STRING)?;
    let (unused_bits, key) = bits.split_first()?;
    let sound = rest.is_empty() && tail.is_empty() && algorithm == RSA_ENCRYPTION && *unused_bits == 0;
    sound.then_some(key)
}

fn modulus_length(public_key: &[u8]) -> Option<usize> {
    let (content, rest) = der::split(public_key, SEQUENCE)?;
    let (modulus, content) = der::split(content, INTEGER)?;
    let (_exponent, content) = der::split(content, INTEGER)?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    (rest.is_empty() && content.is_empty()).then(|| modulus.len().saturating_sub(leading))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const PLATFORM_KEY: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../psp/src/up2pay/platform-public-key.pem"));
    const OTHER_KEY: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/up2pay/synthetic-public-key.pem"
    ));

    /// A genuine call, published in the tests of the `offsite_payments` project.
    const CALL: &[u8] = b"amount=500&reference=order.test%20123&autorization=XXXXXX&error=00000";
    const SIGNATURE: &str = "I7BPIUeM1Rl+7QW1Ew6gYfux4oyQGhA6ra6wKyusxrwQpXocYzu9z9/bgomm/pFYLGfIQs1GrRVN0tDo\
                             ERzPgKnU0m2yYAyqQNfuRXkOioDC7NtgYKLsPcf4eyzHWOIxe1Wx8L5lOiyBBINvubmWjCt9mjFCtPrS\
                             XxR48TWrKmM=";

    fn key(pem: &[u8]) -> RsaPublicKey {
        RsaPublicKey::from_pem(pem).expect("a key")
    }

    fn signature() -> Vec<u8> {
        STANDARD.decode(SIGNATURE).expect("base64")
    }

    #[test]
    fn a_genuine_call_verifies_and_is_handed_back() {
        let proven = key(PLATFORM_KEY).verify(CALL.to_vec(), &signature());
        assert_eq!(proven.expect("genuine").into_inner(), CALL);
    }

    #[test]
    fn one_changed_bit_of_the_signature_is_enough() {
        let key = key(PLATFORM_KEY);
        for at in 0..signature().len() * 8 {
            let mut changed = signature();
            changed[at / 8] ^= 1 << (at % 8);
            assert_eq!(key.verify(CALL.to_vec(), &changed), Err(BadSignature(CALL.to_vec())), "bit {at}");
        }
    }

    #[test]
    fn other_bytes_other_keys_and_other_lengths_do_not_verify() {
        let signature = signature();
        let platform = key(PLATFORM_KEY);
        assert!(platform.verify([CALL, b"\n"].concat(), &signature).is_err());
        assert!(platform.verify(CALL.to_vec(), &signature[..127]).is_err());
        assert!(platform.verify(CALL.to_vec(), &[&[0], signature.as_slice()].concat()).is_err());
        assert!(platform.verify(CALL.to_vec(), &[]).is_err());
        assert!(key(OTHER_KEY).verify(CALL.to_vec(), &signature).is_err());
    }

    #[test]
    fn a_key_is_known_by_the_digest_of_its_der_form() {
        let platform = key(PLATFORM_KEY);
        // openssl pkey -pubin -in platform-public-key.pem -outform DER | sha256sum
        let expected = "e3e24366a97653cb40f9ed2ee2b91fe6d8c28ee81d062ca1508c9e32abe141bb";
        assert_eq!(platform.fingerprint(), expected);
        assert_eq!(platform.signature_length(), 128);
        assert_eq!(format!("{platform:?}"), "RsaPublicKey(e3e24366a97653cb…)");
    }

    #[test]
    fn what_is_no_usable_key_is_refused_with_its_reason() {
        let elliptic = b"-----BEGIN PUBLIC KEY-----\n\
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWQfx2ZeCqlG2EA7DupkQle7mCji7\n\
            CJ62ulHlpyzQ7LREhUgSYcVChD1s8Ip/k07gl7JqKfjyg1nNlrpQjW+R2Q==\n\
            -----END PUBLIC KEY-----\n";
        let small = b"-----BEGIN PUBLIC KEY-----\n\
            MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANYMDQ9NdhtytQv7bItmfNAXDlOu7u91\n\
            CKs1QhzrIooWofF3gewsMK/TqRSx7VcWAK5Oiu84IAD2WfKgvMBRDU0CAwEAAQ==\n\
            -----END PUBLIC KEY-----\n";
        let refusal = |pem: &[u8]| RsaPublicKey::from_pem(pem).err();
        assert_eq!(refusal(b""), Some(KeyError::NoPem));
        assert_eq!(refusal(b"MIGfMA0GCSqGSIb3DQEBAQUAA4GN"), Some(KeyError::NoPem));
        assert_eq!(refusal(elliptic), Some(KeyError::NotRsa));
        assert_eq!(refusal(small), Some(KeyError::Size));
    }

    #[test]
    fn bytes_beside_the_key_are_refused() {
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(PLATFORM_KEY).expect("PEM");
        assert!(rsa_public_key_of_spki(&spki).is_some());
        assert_eq!(rsa_public_key_of_spki(&[spki.as_ref(), &[0]].concat()), None);
        assert_eq!(rsa_public_key_of_spki(&spki[..spki.len() - 1]), None);
    }

    #[test]
    fn a_key_that_windows_programs_saved_is_read() {
        let text = String::from_utf8(PLATFORM_KEY.to_vec()).expect("ASCII");
        let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for pem in [format!("\u{feff}{text}").into_bytes(), utf16] {
            assert_eq!(key(&pem).fingerprint(), key(PLATFORM_KEY).fingerprint());
        }
    }

    #[test]
    fn another_file_is_called_what_it_is() {
        let says = |file: &[u8]| RsaPublicKey::from_pem(file).expect_err("no public key");
        assert_eq!(
            says(b"-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----"),
            KeyError::Pkcs1
        );
        assert_eq!(says(b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"), KeyError::Private);
        assert_eq!(
            says(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"),
            KeyError::Certificate
        );
        assert_eq!(says(b"\x30\x81\x9f\x30"), KeyError::Der);
        assert_eq!(says(b"nothing of the kind"), KeyError::NoPem);
    }
}
