//! The address that an endpoint's provider is told, with its secret: shown to administrators, when they ask.
//!
//! The daemon itself keeps no more of a token than its digest. So the address is read from the configuration, and it is the one
//! that the daemon goes by, or none is shown.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::EndpointId;
use cvco_pages::address::Address;
use cvco_pages::{Role, Section};

use super::form::Fields;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Desk, page};
use crate::config::RawConfig;

const NOT_IN_FORCE: Refusal = Refusal::Senseless(
    "La configuration a changé depuis que le service l’a lue : rechargez-la (systemctl reload cvco-reconciled), puis réessayez.",
    "The configuration has changed since the daemon read it: load it again (systemctl reload cvco-reconciled), then try once more.",
);

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    visit.must_be(Role::Admin)?;
    let id: EndpointId = fields.parse("endpoint")?.ok_or(Refusal::NotFound)?;
    let settings = Arc::clone(&dashboard.admin.settings.borrow());
    let endpoint =
        settings.endpoints.iter().find(|endpoint| endpoint.id == id).cloned().ok_or(Refusal::NotFound)?;
    let config = dashboard.config.clone().ok_or(Refusal::NotFound)?;
    let read = tokio::task::spawn_blocking(move || RawConfig::read(&config)?.url_of(&config, &id));
    let url = match read.await {
        Ok(Ok(Some(found))) => found.url,
        Ok(Ok(None)) => return Err(NOT_IN_FORCE),
        Ok(Err(error)) => {
            tracing::error!(%error, "the address of an endpoint could not be read");
            return Err(Refusal::Trouble);
        }
        Err(error) => {
            tracing::error!(%error, "the address of an endpoint could not be read; please report it");
            return Err(Refusal::Trouble);
        }
    };
    let token = url.rsplit('/').next().unwrap_or_default();
    if !endpoint.token.matches(token) {
        return Err(NOT_IN_FORCE);
    }
    tracing::info!(user = visit.visitor.name, endpoint.id = %endpoint.id, "the secret address of an endpoint was shown");
    let frame = dashboard.frame(&visit, Section::Today).await?;
    let base = settings.public_url.clone();
    let address = Address {
        frame,
        endpoint: endpoint.id.clone(),
        psp: endpoint.psp,
        is_whole: base.is_some(),
        url: format!("{}/n/{}/{token}", base.unwrap_or_default(), endpoint.id),
    };
    page(address.render())
}
