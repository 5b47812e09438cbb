//! A key by which the daemon knows again what it handed out itself, such as a cookie.

use subtle::ConstantTimeEq;

use super::hmac_sha256;

/// The key, derived from another one for one purpose.
#[derive(Clone)]
pub struct StampKey([u8; 32]);

impl StampKey {
    pub(super) fn derived(secret: &[u8], purpose: &str) -> Self {
        Self(hmac_sha256(secret, purpose.as_bytes()))
    }

    /// The stamp on parts that belong together: none of their bytes can move from one to another.
    #[must_use]
    pub fn stamp(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut message = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
        for part in parts {
            message.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            message.extend_from_slice(part);
        }
        hmac_sha256(&self.0, &message)
    }

    /// Whether a stamp is that of these parts; in constant time.
    #[must_use]
    pub fn knows(&self, parts: &[&[u8]], stamp: &[u8]) -> bool {
        self.stamp(parts).as_slice().ct_eq(stamp).into()
    }
}

impl std::fmt::Debug for StampKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StampKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_of_its_parts_and_its_purpose() {
        let key = StampKey::derived(b"secret", "cookies");
        let stamp = key.stamp(&[b"marie", b"2026"]);
        assert!(key.knows(&[b"marie", b"2026"], &stamp));
        for (parts, stamp) in [
            (&[b"marie2".as_slice(), b"026"], stamp.as_slice()),
            (&[b"marie", b"2027"], &stamp),
            (&[b"marie", b"2026"], &stamp[..31]),
        ] {
            assert!(!key.knows(parts, stamp));
        }
        assert!(!StampKey::derived(b"secret", "forms").knows(&[b"marie", b"2026"], &stamp));
    }
}
