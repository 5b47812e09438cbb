//! What the adapter of one Worldline endpoint must know.

use cvco_domain::Mode;
use secrecy::SecretString;

use crate::api::BaseUrl;

/// What the adapter of one endpoint must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Real payments or trials; each is an account of its own at Worldline.
    pub mode: Mode,
    /// The account (PSPID), as events name it.
    pub merchant_id: String,
    /// The accepted keys. One of them must have signed.
    pub webhook_keys: Vec<WebhookKey>,
    /// The access to the API; `None` if it should not be asked.
    pub api: Option<ApiSettings>,
}

/// One pair of "webhook ID" and "secret webhook key" of the Merchant Portal.
#[derive(Debug, Clone)]
pub struct WebhookKey {
    /// The webhook ID, which comes as `X-GCS-KeyId`.
    pub id: String,
    /// The secret webhook key, as text.
    pub secret: SecretString,
}

/// Credentials of the API.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Where it is.
    pub base_url: BaseUrl,
    /// The API key id.
    pub key_id: String,
    /// The secret API key, as text.
    pub secret: SecretString,
}

impl ApiSettings {
    /// Where Worldline's own API is.
    #[must_use]
    pub const fn usual_address(mode: Mode) -> &'static str {
        match mode {
            Mode::Production => "https://payment.direct.worldline-solutions.com",
            Mode::Test => "https://payment.preprod.direct.worldline-solutions.com",
        }
    }
}
