//! HMAC with a shared key.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Sha256, Sha512};

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

/// A shared key of bytes, by which we sign what we send (Up2pay's questions).
#[derive(Clone, Debug)]
pub struct HmacSha512Key(SecretSlice<u8>);

impl HmacSha512Key {
    /// Reads a key from hexadecimal digits; `None` if they are none, or fewer than 32.
    #[must_use]
    pub fn from_hex(digits: &SecretString) -> Option<Self> {
        let bytes = hex::decode(digits.expose_secret().trim()).ok()?;
        (bytes.len() >= 16).then(|| Self(bytes.into()))
    }

    /// The tag of a message.
    #[must_use]
    pub fn tag(&self, message: &[u8]) -> [u8; 64] {
        // An HMAC takes keys of any length: the library's error cannot occur.
        let mac = <Hmac<Sha512> as KeyInit>::new_from_slice(self.0.expose_secret())
            .unwrap_or_else(|_| <Hmac<Sha512> as KeyInit>::new(&hmac::digest::array::Array::default()));
        mac.chain_update(message).finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 6: a key longer than a block.
    #[test]
    fn the_published_tag_of_sha512() {
        let key = HmacSha512Key::from_hex(&"aa".repeat(131).into()).expect("a key");
        let tag = key.tag(b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
                        6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598";
        assert_eq!(hex::encode(tag), expected);
        for wrong in ["", "0123", "0123456789abcdefghij0123456789abcdefghij"] {
            assert!(HmacSha512Key::from_hex(&wrong.to_owned().into()).is_none(), "{wrong}");
        }
    }
}
