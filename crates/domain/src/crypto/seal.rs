//! The seal on raw payloads, which may hold personal data: AES-256-GCM under a key that only the service's
//! user can read.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::{StampKey, sha256};

/// A sealing key of 256 bits.
pub struct SealKey {
    key: LessSafeKey,
    fingerprint: String,
    stamps: StampKey,
}

/// Why a seal could not be set or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not 64 hexadecimal digits.
    #[error("a payload key is 64 hexadecimal digits (256 bits)")]
    KeyFormat,
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
    /// Another key, another row, or changed bytes.
    #[error("the seal does not open: other key, other row or changed bytes")]
    Broken,
}

impl SealKey {
    /// Makes a new key's text.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn generate() -> Result<String, SealError> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| SealError::Random)?;
        Ok(hex::encode(key))
    }

    /// Reads a key's text.
    ///
    /// # Errors
    /// Not 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = hex::decode(text.trim()).map_err(|_| SealError::KeyFormat)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::KeyFormat)?;
        // Of 256 random bits nobody finds the key by its digest.
        let fingerprint = sha256(&[b"cvco-reconciled payload key\0", &bytes]).to_string();
        let stamps = StampKey::derived(&bytes, "cvco-reconciled stamps");
        Ok(Self { key: LessSafeKey::new(key), fingerprint, stamps })
    }

    /// Tells this key from others, and does not give it away.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What stamps things that the daemon hands out: the same on every machine that has this key.
    #[must_use]
    pub const fn stamps(&self) -> &StampKey {
        &self.stamps
    }

    /// Seals bytes for one place (`context`), from which they cannot be moved to another.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(plain);
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .map_err(|_| SealError::Broken)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Opens a seal.
    ///
    /// # Errors
    /// Another key, another context, or changed bytes.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let mut bytes = rest.to_vec();
        let plain =
            self.key.open_in_place(nonce, Aad::from(context), &mut bytes).map_err(|_| SealError::Broken)?;
        Ok(plain.to_vec())
    }
}

/// 128 random bits in hexadecimal: a name that nothing else has.
///
/// # Errors
/// The system gave no random numbers.
pub fn random_id() -> Result<String, SealError> {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).map_err(|_| SealError::Random)?;
    Ok(hex::encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_with_its_key_in_its_place() {
        let key = SealKey::parse(&SealKey::generate().expect("random")).expect("key");
        let other = SealKey::parse(&SealKey::generate().expect("random")).expect("key");
        let sealed = key.seal(b"7", b"Mt=1500").expect("sealed");
        assert_eq!(key.open(b"7", &sealed).as_deref(), Ok(&b"Mt=1500"[..]));
        assert_eq!(key.open(b"8", &sealed), Err(SealError::Broken));
        assert_eq!(other.open(b"7", &sealed), Err(SealError::Broken));
        assert_eq!(key.open(b"7", &[]), Err(SealError::Broken));
        assert!(SealKey::parse("abc").is_err());
    }
}
