//! What it takes to ask the platform about a transaction (`TYPE=00017`, PPPS).

use secrecy::{ExposeSecret, SecretString};

use crate::domain::Mode;
use crate::psp::api::BaseUrl;

/// What it takes to ask the platform.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Where questions go.
    pub base_url: BaseUrl,
    /// Where they go if that server is out of order.
    pub backup_url: Option<BaseUrl>,
    /// The contract (`SITE`).
    pub site: String,
    /// Its rank (`RANG`).
    pub rang: String,
    /// Signs the questions.
    pub key: ApiKey,
}

impl ApiSettings {
    /// The platform's server, and its backup.
    #[must_use]
    pub const fn usual_addresses(mode: Mode) -> (&'static str, Option<&'static str>) {
        match mode {
            Mode::Production => {
                ("https://ppps.e-transactions.fr/PPPS.php", Some("https://ppps1.e-transactions.fr/PPPS.php"))
            }
            Mode::Test => ("https://preprod-ppps.e-transactions.fr/PPPS.php", None),
        }
    }
}

/// The HMAC key of the back office.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// A key that is not hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key must be hexadecimal digits, as the back office shows it: 128 of them")]
pub struct NotHex;

impl ApiKey {
    /// Reads the key as the back office shows it.
    ///
    /// # Errors
    /// It is not hexadecimal.
    pub fn from_hex(secret: &SecretString) -> Result<Self, NotHex> {
        let bytes = hex::decode(secret.expose_secret().trim()).map_err(|_| NotHex)?;
        if bytes.len() < 16 {
            return Err(NotHex);
        }
        Ok(Self(secret.clone()))
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey")
    }
}
