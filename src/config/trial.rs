//! What `simulate` needs of the configuration: the secrets that a sender would have.

use std::path::Path;

use cvco_domain::{EndpointId, Mode, Psp, ShopId};
use cvco_psp::{sogecommerce, up2pay, worldline};
use secrecy::SecretString;

use super::check::Check;
use super::endpoint::RawEndpoint;
use super::{ConfigError, RawConfig};

/// An endpoint as its PSP knows it.
pub struct TrialEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub shop: ShopId,
    /// Real payments or trials.
    pub mode: Mode,
    /// The secret segment of its URL.
    pub token: SecretString,
    /// What the PSP signs with and by.
    pub signing: Signing,
}

/// How a PSP signs for an endpoint.
pub enum Signing {
    /// The variables that the shop asks for; the private key is not in the configuration.
    Up2pay(up2pay::Template),
    /// Shop, key and algorithm.
    Sogecommerce(sogecommerce::SiteId, SecretString, sogecommerce::Algorithm),
    /// Account and key.
    Worldline(String, worldline::WebhookKey),
}

impl RawConfig {
    /// The endpoints, with their secrets, and the admin token as the shop would send it.
    ///
    /// # Errors
    /// A value is wrong: `check` tells everything.
    pub fn trial(&self, path: &Path) -> Result<(Vec<TrialEndpoint>, Option<SecretString>), ConfigError> {
        self.resolve(path)?;
        let mut check = Check::new(path);
        let endpoints = self.endpoints().filter_map(|(shop, raw)| trial(shop, raw, &mut check)).collect();
        Ok((endpoints, check.secret("listener.admin_token", self.listener.admin_token_source())))
    }
}

/// `None` for nothing that [`RawConfig::resolve`] has accepted.
fn trial(shop: &str, raw: &RawEndpoint, check: &mut Check<'_>) -> Option<TrialEndpoint> {
    let signing = match raw.psp.parse().ok()? {
        Psp::Up2pay => Signing::Up2pay(raw.template().ok()?),
        Psp::Sogecommerce => Signing::Sogecommerce(
            sogecommerce::SiteId::new(raw.site_id.as_deref()?).ok()?,
            check.secret("key", raw.key_sources("").first()?.1)?,
            raw.algorithm().ok()?,
        ),
        Psp::Worldline => {
            let (merchant_id, key) = raw.first_webhook_key(check)?;
            Signing::Worldline(merchant_id, key)
        }
        // Nothing is signed: what happened, only their APIs say.
        Psp::Monext | Psp::Ancv => return None,
    };
    Some(TrialEndpoint {
        id: EndpointId::new(raw.id.as_str()).ok()?,
        shop: ShopId::new(shop).ok()?,
        mode: raw.mode.parse().ok()?,
        token: check.secret("token", raw.token_source())?,
        signing,
    })
}
