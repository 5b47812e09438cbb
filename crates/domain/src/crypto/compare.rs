//! Comparison in constant time.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The secret segment of a notification URL, or the token of the admin listener. Compared by digest, so that
/// neither its text nor its length shows in the time that a comparison takes.
#[derive(Clone)]
pub struct SecretToken([u8; 32]);

/// Why a text cannot serve as a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Shorter than 128 bits need.
    #[error(
        "a token needs at least 128 bits: 32 or more hexadecimal digits, for instance from `openssl rand -hex 16`"
    )]
    TooShort,
    /// A character that would not survive in a URL as it is.
    #[error("a token is made of A-Z a-z 0-9 - _ . ~; make one with `openssl rand -hex 16`")]
    NotUrlSafe,
}

impl SecretToken {
    /// Takes a token of at least 128 bits, as hexadecimal (32 digits) or denser (22 characters).
    ///
    /// # Errors
    /// Too short, or characters that do not belong in a URL segment.
    pub fn new(token: &SecretString) -> Result<Self, TokenError> {
        let text = token.expose_secret();
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        if !text.bytes().all(url_safe) {
            return Err(TokenError::NotUrlSafe);
        }
        let hexadecimal = text.bytes().all(|b| b.is_ascii_hexdigit());
        if text.len() < if hexadecimal { 32 } else { 22 } {
            return Err(TokenError::TooShort);
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// A token that no text matches in practice: what an unknown endpoint is compared with, so that it
    /// answers as late as a known one.
    #[must_use]
    pub const fn unknown() -> Self {
        Self([0; 32])
    }

    /// Whether this text is the token.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(candidate).into();
        self.0.ct_eq(&digest).into()
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_url_safe() {
        let token = |text: &str| SecretToken::new(&text.to_owned().into());
        assert!(token("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b").is_ok_and(|t| {
            t.matches("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b") && !t.matches("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7c")
        }));
        assert_eq!(token("6f1c0a5be9d24c7f").err(), Some(TokenError::TooShort));
        assert_eq!(token("6f1c0a5be9d24c7f/8a3b2c1d0e9f8a7b").err(), Some(TokenError::NotUrlSafe));
        assert!(!SecretToken::unknown().matches(""));
    }
}
