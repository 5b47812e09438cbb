//! Passwords of people, kept as Argon2id hashes.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

use crate::Worded;

/// The hash of a password, in PHC form (`$argon2id$v=19$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The text is no hash of Argon2.
    #[error("not an Argon2 hash; make one with `cvco-reconciled user-hash`")]
    Form,
    /// Too short to be of use.
    #[error("a password needs at least 12 characters")]
    TooShort,
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
}

impl Worded for PasswordError {
    fn in_french(&self) -> String {
        match self {
            Self::Form => {
                "ce n’est pas une empreinte Argon2\u{a0}; créez-en une avec `cvco-reconciled user-hash`"
            }
            Self::TooShort => "un mot de passe compte au moins 12 caractères",
            Self::Random => "le système n’a pas fourni de nombres aléatoires",
        }
        .to_owned()
    }
}

/// Fewer characters are guessed too fast.
const FEWEST: usize = 12;

/// Longer ones are refused unread: hashing them would only cost time.
const MOST_BYTES: usize = 1024;

/// Whoever writes the file decides; a hash that takes longer than this to check would only keep people waiting.
const MOST_MEMORY_KIB: u32 = 256 * 1024;

impl HashedPassword {
    /// Reads a hash.
    ///
    /// # Errors
    /// No hash of Argon2.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let hash = PasswordHash::new(text.trim()).map_err(|_| PasswordError::Form)?;
        let params = argon2::Params::try_from(&hash).map_err(|_| PasswordError::Form)?;
        let is_argon2 = hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some();
        if !is_argon2 || params.m_cost() > MOST_MEMORY_KIB {
            return Err(PasswordError::Form);
        }
        Ok(Self(text.trim().to_owned()))
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// It is too short, or the system gave no random numbers.
    pub fn of(password: &SecretString) -> Result<Self, PasswordError> {
        if password.expose_secret().chars().count() < FEWEST {
            return Err(PasswordError::TooShort);
        }
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| PasswordError::Random)?;
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
            .map_err(|_| PasswordError::Form)?;
        Ok(Self(hash.to_string()))
    }

    /// A hash that no known password gives. An unknown name is checked against it, so that its answer takes as long.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(
            "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                .to_owned(),
        )
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password. It takes some 20 ms and 19 MiB on purpose.
    #[must_use]
    pub fn matches(&self, password: &SecretString) -> bool {
        let password = password.expose_secret().as_bytes();
        password.len() <= MOST_BYTES
            && PasswordHash::new(&self.0)
                .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
    }
}

/// It is no secret in itself, but nobody's business either.
impl std::fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashedPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[test]
    fn a_password_matches_its_own_hash_alone() {
        let hash = HashedPassword::of(&secret("correct horse battery")).expect("a hash");
        let read = HashedPassword::parse(&format!(" {}\n", hash.as_str())).expect("its text");
        assert!(read.matches(&secret("correct horse battery")));
        assert!(!read.matches(&secret("correct horse batterY")) && !read.matches(&secret("")));
        assert_eq!(HashedPassword::of(&secret("short")).err(), Some(PasswordError::TooShort));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for wrong in
            ["", "secret", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"]
        {
            assert_eq!(HashedPassword::parse(wrong).err(), Some(PasswordError::Form), "{wrong}");
        }
    }

    #[test]
    fn nobody_has_a_password() {
        let nobody = HashedPassword::of_nobody();
        assert!(HashedPassword::parse(nobody.as_str()).is_ok(), "so it takes as long as any");
        assert!(!nobody.matches(&secret("")) && !nobody.matches(&secret("nobody")));
    }
}
