//! The raw bytes that an entry was read from: sealed where they arrive, purged after the retention time.

use cvco_domain::crypto::{SealKey, sha256};

use crate::error::LogError;

/// A request as it came, byte for byte, with what helps to tell its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `GET` or `POST`; `ANSWER` for what a PSP's API answered.
    pub method: String,
    /// What follows the first `?`.
    pub query: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
    /// The address that sent it, as far as the proxies in front are trusted.
    pub peer: String,
    /// The `User-Agent` header, shortened; empty if there was none.
    pub user_agent: String,
    /// The headers that the adapter read, one a line; empty if it read none.
    pub headers: Vec<u8>,
}

/// Sealed bytes, bound to the digest that stands in the entry's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPayload {
    /// SHA-256 of the bytes that carry the message, in hexadecimal.
    pub sha256: String,
    /// AES-256-GCM under the payload key, bound to `sha256`.
    pub sealed: Vec<u8>,
}

impl Envelope {
    /// Seals the envelope. `carrier` is the part of the request that carries the message: its digest goes into the row.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn seal(&self, key: &SealKey, carrier: &[u8]) -> Result<SealedPayload, LogError> {
        let sha256 = sha256(&[carrier]).to_string();
        let sealed = key.seal(sha256.as_bytes(), &self.to_bytes())?;
        Ok(SealedPayload { sha256, sealed })
    }

    /// Opens what was sealed under the digest of a row.
    ///
    /// # Errors
    /// Another key, another digest, changed bytes, or bytes that are no envelope.
    pub fn open(key: &SealKey, sha256: &str, sealed: &[u8]) -> Result<Self, LogError> {
        let plain = key.open(sha256.as_bytes(), sealed)?;
        Self::from_bytes(&plain).ok_or(LogError::Seal(cvco_domain::crypto::SealError::Broken))
    }

    /// Whether one of its parts has this digest.
    #[must_use]
    pub fn carries(&self, digest: &str) -> bool {
        // Which of the two parts carries a notification is the adapters' business.
        [&self.query, &self.body].iter().any(|part| sha256(&[part]).to_string() == digest)
    }

    /// Each part after its length in four bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let parts = [
            self.method.as_bytes(),
            &self.query,
            &self.body,
            self.peer.as_bytes(),
            self.user_agent.as_bytes(),
            &self.headers,
        ];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(4)).sum());
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut part = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, rest) = rest.split_at_checked(length)?;
            bytes = rest;
            Some(part.to_vec())
        };
        let envelope = Self {
            method: String::from_utf8(part()?).ok()?,
            query: part()?,
            body: part()?,
            peer: String::from_utf8(part()?).ok()?,
            user_agent: String::from_utf8(part()?).ok()?,
            headers: part()?,
        };
        bytes.is_empty().then_some(envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SealKey {
        SealKey::parse(&SealKey::generate().expect("random")).expect("a key")
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_under_its_own_digest_alone(query: Vec<u8>, body: Vec<u8>, headers: Vec<u8>, peer: String) {
            let envelope = Envelope {
                method: "POST".to_owned(), query, body: body.clone(), peer, user_agent: "PSP/1".to_owned(), headers,
            };
            let key = key();
            let payload = envelope.seal(&key, &body).expect("sealed");
            prop_assert!(envelope.carries(&payload.sha256));
            let opened = Envelope::open(&key, &payload.sha256, &payload.sealed).expect("opened");
            prop_assert_eq!(opened, envelope);
            let other = sha256(&[b"other"]).to_string();
            prop_assert!(Envelope::open(&key, &other, &payload.sealed).is_err());
        }
    }
}
