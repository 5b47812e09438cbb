//! One order, as a page and as a file for the accountant's records.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::{CallNumber, News, OrderKey, OrderRef, Psp, ShopId};
use cvco_pages::Section;
use cvco_pages::order::OrderPage;

use super::form::Fields;
use super::orders::as_file;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::alert::desk::item;

/// The order that an address names.
fn key(query: &Fields) -> Result<OrderKey, Refusal> {
    let shop = ShopId::new(query.get("shop")).map_err(|_| Refusal::NotFound)?;
    if query.get("reference").is_empty() {
        let psp: Psp = query.get("psp").parse().map_err(|_| Refusal::NotFound)?;
        let call = CallNumber::new(query.get("payment")).map_err(|_| Refusal::NotFound)?;
        return Ok(OrderKey::Call(shop, psp, call));
    }
    let reference = OrderRef::new(query.get("reference")).map_err(|_| Refusal::NotFound)?;
    Ok(OrderKey::Reference(shop, reference))
}

impl Dashboard {
    async fn order(&self, visit: &Visit) -> Result<OrderPage, Refusal> {
        let key = key(&visit.query)?;
        let dossier = self.read(move |reader| reader.dossier(&key)).await?.ok_or(Refusal::NotFound)?;
        let settings = std::sync::Arc::clone(&self.admin.settings.borrow());
        let trials = &settings.desk.trial_endpoints;
        let items = dossier.discrepancies.iter().cloned().map(|row| {
            let news = if row.closed_at.is_some() { News::Closed } else { News::Opened };
            item(trials, news, row)
        });
        let can_ask = settings
            .endpoints
            .iter()
            .any(|endpoint| endpoint.shop == *dossier.shop() && endpoint.adapter.api().is_some());
        Ok(OrderPage {
            frame: self.frame(visit, Section::Orders).await?,
            items: items.collect(),
            can_ask,
            dossier,
        })
    }
}

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    page(dashboard.order(&visit).await?.render())
}

/// The same as a file that needs nothing beside it.
pub(super) async fn file(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let mut order = dashboard.order(&visit).await?;
    order.frame.is_file = true;
    let name = match &order.dossier.key {
        OrderKey::Reference(_, reference) => reference.to_string(),
        OrderKey::Call(_, _, call) => call.to_string(),
    };
    let name = format!("{}-{name}.html", visit.say.say("commande", "order"));
    Ok(as_file(&name, "text/html; charset=utf-8", Body::from(order.render()?)))
}
