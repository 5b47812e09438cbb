//! RSA PKCS#1 v1.5 with SHA-1: the signature of Up2pay (Paybox) calls, and nothing else.

use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::{BadSignature, Signed, Verified, sha256};

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
    /// A public key, but not RSA.
    #[error("not an RSA public key")]
    NotRsa,
    /// Smaller than 1024 or larger than 8192 bits.
    #[error("an RSA key of 1024 to 8192 bits is needed")]
    Size,
}

impl RsaPublicKey {
    /// Reads a PEM `PUBLIC KEY` (X.509 `SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// Not PEM, not RSA, or of a size that cannot be checked.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyError::NoPem)?;
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

/// `OBJECT IDENTIFIER 1.2.840.113549.1.1.1 (rsaEncryption), NULL`: the content of the algorithm identifier.
const RSA_ENCRYPTION: [u8; 13] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Takes the `RSAPublicKey` out of a `SubjectPublicKeyInfo`: ring wants the former, and would report the
/// latter as a bad signature.
fn rsa_public_key_of_spki(spki: &[u8]) -> Option<&[u8]> {
    let (outer, rest) = der(spki, SEQUENCE)?;
    let (algorithm, outer) = der(outer, SEQUENCE)?;
    let (bits, tail) = der(outer, BIT_STRING)?;
    let (unused_bits, key) = bits.split_first()?;
    let sound = rest.is_empty() && tail.is_empty() && algorithm == RSA_ENCRYPTION && *unused_bits == 0;
    sound.then_some(key)
}

fn modulus_length(public_key: &[u8]) -> Option<usize> {
    let (content, rest) = der(public_key, SEQUENCE)?;
    let (modulus, content) = der(content, INTEGER)?;
    let (_exponent, content) = der(content, INTEGER)?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    (rest.is_empty() && content.is_empty()).then(|| modulus.len().saturating_sub(leading))
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Splits one DER element off: its content, and what follows.
fn der(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}
