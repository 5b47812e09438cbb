//! What the adapter of one Monext endpoint must know.

use cvco_domain::{Contract, Mode};
use secrecy::SecretString;

use crate::api::BaseUrl;

/// What the adapter of one endpoint must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Real payments, or trials on the homologation platform.
    pub mode: Mode,
    /// The merchant id, digits; text all the same.
    pub merchant_id: String,
    /// The access key.
    pub access_key: SecretString,
    /// Where the SOAP services are, as in `https://services.payline.com/V4/services`.
    pub base_url: BaseUrl,
    /// Where the directory of service addresses is, for the case that `base_url` fails; `None`: there is none.
    pub directory_url: Option<BaseUrl>,
    /// The contracts that settle vouchers.
    pub voucher_contracts: Vec<Contract>,
    /// The contracts that settle cards.
    pub card_contracts: Vec<Contract>,
}

impl Settings {
    /// Where Payline's SOAP services are, and the directory of their addresses.
    #[must_use]
    pub const fn usual_addresses(mode: Mode) -> (&'static str, &'static str) {
        match mode {
            Mode::Production => (
                "https://services.payline.com/V4/services",
                "https://payment.payline.com/services/servicesendpoints/SOAP",
            ),
            Mode::Test => (
                "https://homologation.payline.com/V4/services",
                "https://homologation-payment.payline.com/services/servicesendpoints/SOAP",
            ),
        }
    }
}
