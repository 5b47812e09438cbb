//! What the adapter of one Up2pay endpoint must know.

use cvco_domain::crypto::{HmacSha512Key, RsaPublicKey};
use cvco_domain::{Mode, Worded};
use secrecy::SecretString;

use super::template::Template;
use crate::api::BaseUrl;

/// The key with which the platform signs the calls of every merchant, in use since 2014 at the latest.
const PLATFORM_KEY: &[u8] = include_bytes!("platform-public-key.pem");

/// See [`Settings::published_trial_key`].
const TRIAL_KEY: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/trial-public-key.pem"));

/// What the adapter of one endpoint must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Real payments or trials.
    pub mode: Mode,
    /// The variables that the shop asks for.
    pub template: Template,
    /// The keys of which one must have signed: [`Settings::platform_key`], unless a trial brings its own.
    pub keys: Vec<RsaPublicKey>,
    /// What it takes to ask the platform about a transaction; `None`: nothing is asked.
    pub api: Option<ApiSettings>,
}

impl Settings {
    /// The platform's own key.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the constant is a key; a test reads it"
    )]
    pub fn platform_key() -> RsaPublicKey {
        RsaPublicKey::from_pem(PLATFORM_KEY).expect("the platform's key is a key")
    }

    /// The public half of the key that is published for trials. Anybody can sign with it, so no endpoint with real payments
    /// may take it.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the constant is a key; a test reads it"
    )]
    pub fn published_trial_key() -> RsaPublicKey {
        RsaPublicKey::from_pem(TRIAL_KEY).expect("the published key is a key")
    }
}

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
pub struct ApiKey(pub(super) HmacSha512Key);

/// A key that is not hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key must be hexadecimal digits, as the back office shows it: 128 of them")]
pub struct NotHex;

impl Worded for NotHex {
    fn in_french(&self) -> String {
        "la clé se compose de 128 chiffres hexadécimaux, comme l’affiche le back-office".to_owned()
    }
}

impl ApiKey {
    /// Reads the key as the back office shows it.
    ///
    /// # Errors
    /// It is not hexadecimal.
    pub fn from_hex(secret: &SecretString) -> Result<Self, NotHex> {
        HmacSha512Key::from_hex(secret).map(Self).ok_or(NotHex)
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey")
    }
}
