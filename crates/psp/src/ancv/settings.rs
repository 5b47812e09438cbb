//! What the adapter of one ANCV endpoint must know.

use cvco_domain::Mode;
use secrecy::SecretString;

use crate::api::BaseUrl;

/// What the adapter of one endpoint must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Real payments or trials.
    pub mode: Mode,
    /// The shop's number at ANCV.
    pub shop_id: String,
    /// The service provider's number at ANCV.
    pub service_provider_id: String,
    /// Where the API is, as in `https://host/acquisition/api/public/v1`.
    pub base_url: BaseUrl,
    /// The version of the seal's key, as in `ver001`.
    pub key_version: String,
    /// The seal's key, as text.
    pub key: SecretString,
}
