//! Calls that their receiver can prove to be ours: the three headers of Standard Webhooks 1.0 (standardwebhooks.com).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::hmac_sha256;
use cvco_domain::{Timestamp, Worded};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// "The secret SHOULD be between 24 bytes and 64 bytes."
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A text that is no secret of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a secret of Standard Webhooks; make one with: echo \"whsec_$(openssl rand -base64 32)\" (24 to 64 bytes)"
)]
pub struct SecretError;

impl Worded for SecretError {
    fn in_french(&self) -> String {
        "ce n’est pas un secret Standard Webhooks\u{a0}; créez-en un avec\u{a0}: echo \"whsec_$(openssl rand -base64 32)\" (24 à 64 \
         octets)"
            .to_owned()
    }
}

/// Signs calls with one secret, or with several while one is replaced.
#[derive(Debug, Clone)]
pub struct Signer(Vec<SecretSlice<u8>>);

impl Signer {
    /// Takes secrets as people write them: `whsec_` and base64.
    ///
    /// # Errors
    /// One of them is none.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s SecretString>) -> Result<Self, SecretError> {
        let read = |secret: &SecretString| {
            let encoded = secret.expose_secret().strip_prefix(PREFIX).ok_or(SecretError)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| SecretError)?;
            if SECRET_BYTES.contains(&bytes.len()) { Ok(bytes.into()) } else { Err(SecretError) }
        };
        secrets.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The headers of a call. `id` stays the same over all attempts at one call.
    #[must_use]
    pub fn headers(&self, id: &str, at: Timestamp, body: &[u8]) -> [(String, Vec<u8>); 3] {
        let seconds = (at.millis() / 1000).to_string();
        let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", body].concat();
        let signature = |key: &SecretSlice<u8>| {
            format!("v1,{}", STANDARD.encode(hmac_sha256(key.expose_secret(), &signed)))
        };
        let signatures: Vec<String> = self.0.iter().map(signature).collect();
        [
            ("webhook-id".to_owned(), id.as_bytes().to_vec()),
            ("webhook-timestamp".to_owned(), seconds.into_bytes()),
            ("webhook-signature".to_owned(), signatures.join(" ").into_bytes()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    /// The example of the specification's own libraries.
    #[test]
    fn a_call_is_signed_as_the_specification_has_it() {
        let signer = Signer::of([&secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]).expect("a secret");
        let at = Timestamp::from_millis(1_614_265_330_000);
        let headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        let values = headers.map(|(_, value)| String::from_utf8(value).expect("text"));
        assert_eq!(
            values,
            ["msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="]
        );
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let (old, new) = (
            secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        );
        let signer = Signer::of([&new, &old]).expect("secrets");
        let [.., (_, signatures)] = signer.headers("1", Timestamp::from_millis(0), b"");
        assert_eq!(String::from_utf8(signatures).expect("text").matches("v1,").count(), 2);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_shown() {
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            let error = Signer::of([&secret(wrong)]).expect_err(wrong);
            assert!(wrong.len() < 10 || !error.to_string().contains(wrong));
        }
        assert!(
            !format!("{:?}", Signer::of([&secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]))
                .contains("AAAA")
        );
    }
}
