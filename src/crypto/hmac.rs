//! HMAC-SHA-256 with a shared key.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{BadSignature, Signed, Verified};

fn mac(key: &[u8]) -> Hmac<Sha256> {
    // An HMAC takes keys of any length: the library's error cannot occur.
    <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&hmac::digest::array::Array::default()))
}

/// The tag of a message under a key of any bytes: what somebody gets who decodes a key where its text is meant.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    mac(key).chain_update(message).finalize().into_bytes().into()
}

/// A shared key; its bytes are those of its text, as every PSP here has it.
#[derive(Clone, Debug)]
pub struct HmacSha256Key(SecretString);

impl HmacSha256Key {
    /// Takes the key as it is.
    #[must_use]
    pub const fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// The key's text, for schemes that also put it into the message (Sogecommerce's form signature).
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn mac(&self) -> Hmac<Sha256> {
        mac(self.expose().as_bytes())
    }

    /// The tag of a message.
    #[must_use]
    pub fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.mac().chain_update(message).finalize().into_bytes().into()
    }

    /// Checks a tag in constant time.
    ///
    /// # Errors
    /// The tag is of another length or another message, or was made with another key.
    pub fn verify<T: Signed>(&self, value: T, tag: &[u8]) -> Result<Verified<T>, BadSignature<T>> {
        let matches = self.mac().chain_update(value.signed_bytes()).verify_slice(tag).is_ok();
        if matches { Ok(Verified::proven(value)) } else { Err(BadSignature(value)) }
    }
}
