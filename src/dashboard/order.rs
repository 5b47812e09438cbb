//! One order, as a page and as a file for the accountant's records.

use std::sync::Arc;

use std::collections::BTreeSet;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::{Asking, CallNumber, EndpointId, News, OrderKey, OrderRef, Psp, Question, ShopId, Subject};
use cvco_ledger::{DiscrepancyRow, Dossier, QuestionLine};
use cvco_log::entry::{Inquiry, Reason};
use cvco_log::{Draft, LogEntry, LogError};
use cvco_mail::Item;
use cvco_pages::csv::OrderList;
use cvco_pages::order::OrderPage;
use cvco_pages::{Role, Say, Section};

use super::files::{CSV, as_file, named, plain};
use super::form::{Fields, path_back};
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
    async fn order(self: &Arc<Self>, visit: &Visit) -> Result<OrderPage, Refusal> {
        let key = key(&visit.query)?;
        let dossier = self.read(move |reader| reader.dossier(&key)).await?.ok_or(Refusal::NotFound)?;
        let settings = Arc::clone(&self.admin.settings.borrow());
        let items = items(&dossier, &settings.desk.trial_endpoints);
        let can_ask = settings
            .endpoints
            .iter()
            .any(|endpoint| endpoint.shop == *dossier.shop() && endpoint.adapter.api().is_some());
        Ok(OrderPage { frame: self.frame(visit, Section::Orders).await?, items, can_ask, dossier })
    }
}

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let mut order = dashboard.order(&visit).await?;
    order.frame.notice = super::discrepancies::notice(visit.say, &visit.query);
    page(order.render())
}

/// Its discrepancies, as mails tell them.
pub(crate) fn items(dossier: &Dossier, trials: &BTreeSet<EndpointId>) -> Vec<Item> {
    let item = |row: &DiscrepancyRow| {
        let news = if row.closed_at.is_some() { News::Closed } else { News::Opened };
        item(trials, news, row.clone())
    };
    dossier.discrepancies.iter().map(item).collect()
}

/// The same as a file that needs nothing beside it.
pub(super) async fn file(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let OrderPage { frame, dossier, items, .. } = dashboard.order(&visit).await?;
    let name = file_name(visit.say, &dossier.key);
    let page = OrderPage::as_file(dossier, items, frame)?;
    Ok(as_file(&name, "text/html; charset=utf-8", Body::from(page)))
}

/// What the file of an order is called.
pub(crate) fn file_name(t: Say, key: &OrderKey) -> String {
    plain(&format!("{}-{}.html", t.say("commande", "order"), name(key)))
}

/// One of its lists as a file.
pub(super) async fn list(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let what = visit.query.get("what");
    let list = OrderList::ALL.into_iter().find(|list| list.as_str() == what).ok_or(Refusal::NotFound)?;
    let order = dashboard.order(&visit).await?;
    let name = format!("{}-{}", list.name(visit.say), name(&order.dossier.key));
    Ok(as_file(&named(&visit, &name), CSV, Body::from(order.csv(list))))
}

fn name(key: &OrderKey) -> &str {
    match key {
        OrderKey::Reference(_, reference) => reference.as_str(),
        OrderKey::Call(_, _, call) => call.as_str(),
    }
}

/// Has the PSPs asked once more whatever was asked about the order before.
pub(super) async fn ask(State(dashboard): Desk, visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    visit.must_be(Role::Admin)?;
    let back = path_back(fields.get("back"));
    let query = back.split_once('?').map(|(_, query)| query.as_bytes()).unwrap_or_default();
    let key = key(&Fields::read(query).ok_or(Refusal::NotFound)?)?;
    let dossier = dashboard.read(move |reader| reader.dossier(&key)).await?.ok_or(Refusal::NotFound)?;
    let settings = Arc::clone(&dashboard.admin.settings.borrow());
    let mut drafts = Vec::new();
    for endpoint in settings.endpoints.iter().filter(|endpoint| endpoint.adapter.api().is_some()) {
        let own = dossier.questions.iter().filter(|line| line.endpoint == endpoint.id.as_str());
        let questions: Vec<Question> = own.filter_map(question).collect();
        if !questions.is_empty() {
            let inquiry = Inquiry { endpoint: endpoint.reference(), reason: Reason::CatchUp, questions };
            drafts.push(Draft::new(&LogEntry::Inquiry(inquiry)).map_err(|error| not_logged(&error))?);
        }
    }
    if drafts.is_empty() {
        return Err(Refusal::Failed("nothing was ever asked about this order".to_owned()));
    }
    tracing::info!(user = visit.by(), "a person has PSPs asked about an order again");
    if let Some(last) =
        dashboard.admin.log.append_all(drafts).await.map_err(|error| not_logged(&error))?.last()
    {
        dashboard.admin.followed.folded(last.seq).await?;
    }
    Ok(super::operations::back(&fields, "ask"))
}

fn question(line: &QuestionLine) -> Option<Question> {
    Some(Question {
        topic: line.topic.parse().ok()?,
        subject: Subject::new(line.subject.as_str()).ok()?,
        asking: Asking::default(),
    })
}

fn not_logged(error: &LogError) -> Refusal {
    tracing::error!(%error, "what a person wants asked is not stored");
    Refusal::Trouble
}
