//! The settings of one endpoint.

use std::fmt;
use std::str::FromStr;

use cvco_domain::crypto::HmacSha256Key;
use cvco_domain::{IdError, IdRule, Mode, Worded};
use secrecy::{ExposeSecret, SecretString};

use crate::api::BaseUrl;

/// Where the REST API of this bank is.
pub const API_ADDRESS: &str = "https://api-sogecommerce.societegenerale.eu/api-payment/V4";

/// The settings of one endpoint.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The mode that the endpoint is configured for.
    pub mode: Mode,
    /// The shop at Sogecommerce.
    pub site_id: SiteId,
    /// The shop's form keys of that world, at least one; while a key is changed there are two. Blanks around a key are
    /// ignored: they come with copy and paste.
    pub keys: Vec<SecretString>,
    /// The signature algorithm that the shop's back office is set to.
    pub algorithm: Algorithm,
    /// The passwords of the REST API in that world; without one no REST notification is taken. The API is asked with the
    /// first.
    pub rest_passwords: Vec<SecretString>,
    /// The address of the REST API, if it should be asked. It needs a password.
    pub api: Option<BaseUrl>,
}

/// `vads_site_id`, also `shopId`: a shop at Sogecommerce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteId(String);

impl SiteId {
    /// Makes one from a valid text.
    ///
    /// # Errors
    /// Anything but 8 digits.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(IdError::new("site id", IdRule::Digits(8)))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the form is signed: a setting of the shop (Paramétrage > Boutique).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-256, in base64.
    HmacSha256,
    /// SHA-1, in hexadecimal; deprecated by the platform. Taken only where it is configured.
    Sha1,
}

impl Algorithm {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha-256",
            Self::Sha1 => "sha-1",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an algorithm is hmac-sha-256 or sha-1")]
pub struct UnknownAlgorithm;

impl Worded for UnknownAlgorithm {
    fn in_french(&self) -> String {
        "un algorithme est hmac-sha-256 ou sha-1".to_owned()
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        [Self::HmacSha256, Self::Sha1]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(UnknownAlgorithm)
    }
}

/// A key or password as the platform means it: without blanks around it.
pub(super) fn trimmed(secret: &SecretString) -> HmacSha256Key {
    HmacSha256Key::new(secret.expose_secret().trim().to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_eight_digits() {
        assert!(SiteId::new("12345678").is_ok());
        for wrong in ["", "1234567", "123456789", "1234567x"] {
            assert!(SiteId::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_algorithm_is_found_by_its_name() {
        for algorithm in [Algorithm::HmacSha256, Algorithm::Sha1] {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        assert_eq!("SHA-1".parse::<Algorithm>(), Err(UnknownAlgorithm));
    }
}
