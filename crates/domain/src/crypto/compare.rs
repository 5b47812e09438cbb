//! Comparison in constant time.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Worded;

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
    /// Long enough, but made of few different characters.
    #[error("a token must be made by chance: this one repeats itself; make one with `openssl rand -hex 16`")]
    Guessable,
    /// A character that would not survive in a URL as it is.
    #[error("a token is made of A-Z a-z 0-9 - _ . ~; make one with `openssl rand -hex 16`")]
    NotUrlSafe,
}

impl Worded for TokenError {
    fn in_french(&self) -> String {
        match self {
            Self::TooShort => {
                "il faut au moins 128 bits\u{a0}: 32 chiffres hexadécimaux ou plus, par exemple avec \
                 `openssl rand -hex 16`"
            }
            Self::Guessable => {
                "un jeton doit être tiré au hasard, et celui-ci se répète\u{a0}: créez-en un avec \
                 `openssl rand -hex 16`"
            }
            Self::NotUrlSafe => {
                "un jeton se compose de A-Z a-z 0-9 - _ . ~\u{a0}; créez-en un avec `openssl rand -hex 16`"
            }
        }
        .to_owned()
    }
}

impl SecretToken {
    /// Takes a token of at least 128 bits, as hexadecimal (32 digits) or denser (22 characters).
    ///
    /// # Errors
    /// Too short, no product of chance, or characters that do not belong in a URL segment.
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
        if is_guessable(text.as_bytes()) {
            return Err(TokenError::Guessable);
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// A token that no text matches in practice: what an unknown endpoint is compared with, so that it
    /// answers as late as a known one.
    #[must_use]
    pub const fn unknown() -> Self {
        Self([0; 32])
    }

    /// Its digest: by it a token can be told from another one, and not be found.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this text is the token.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(candidate).into();
        self.0.ct_eq(&digest).into()
    }
}

/// Whether a text holds little chance for its length: few different characters, or one of them again and again. Of random
/// tokens less than one in a million is refused.
fn is_guessable(text: &[u8]) -> bool {
    let mut different: BTreeMap<u8, usize> = BTreeMap::new();
    for byte in text {
        let count = different.entry(*byte).or_default();
        *count = count.saturating_add(1);
    }
    let often = different.values().any(|count| count.saturating_mul(3) > text.len());
    different.len() < 8 || often
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

    #[test]
    fn what_chance_would_not_make_is_no_token() {
        let token = |text: &str| SecretToken::new(&text.to_owned().into()).err();
        for poor in [
            "a".repeat(40),
            "secretsecretsecretsecretsecret".to_owned(),
            format!("{}1f2c3b4d", "0".repeat(32)),
            "1212121212121212121212121212121212121234".to_owned(),
        ] {
            assert_eq!(token(&poor), Some(TokenError::Guessable), "{poor}");
        }
        for chance in [
            "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b",
            "00aa17f3c5d2e49b8800aa6172f3e4d5",
            "Zx81-qLmP_0aRt7vB2nYcW",
            "demonstration-only-0123456789",
        ] {
            assert_eq!(token(chance), None, "{chance}");
        }
    }
}
