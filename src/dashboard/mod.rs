//! The dashboard: pages for people, behind the admin address. It reads the ledger, and what a person does there goes the way of
//! the same command, in that person's name.
//!
//! | module | holds |
//! |---|---|
//! | [`visit`] | who calls: signed in, or not; in which language; what may be shown and done |
//! | [`around`] | what is done with every call: access, forms, headers |
//! | `session`, `gate`, `sign_in` | cookies, and how they are come by |
//! | `form` | what a browser sends |
//! | `files` | lists as files |
//! | one module for each page | what is read for it |

mod accounting;
mod address;
mod around;
mod discrepancies;
mod errand;
mod files;
mod form;
mod gate;
mod known;
mod operations;
mod order;
mod orders;
mod payload;
mod refusal;
mod session;
mod sign_in;
mod today;
mod visit;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cvco_domain::ShopId;
use cvco_ledger::{LedgerError, Reader};
use cvco_pages::{Frame, RenderError, Section, ShopName};
use tokio::sync::Semaphore;

use crate::admin::Admin;
use crate::relay::worker::Payloads;
use gate::Gate;
use known::Known;
pub(crate) use order::{file_name, items};
use refusal::Refusal;
use today::{Figures, Outstanding};
use visit::Visit;

/// The dashboard.
pub struct Dashboard {
    admin: Arc<Admin>,
    /// Where the secrets stand that the daemon keeps nothing but digests of.
    config: Option<PathBuf>,
    payloads: Payloads,
    gate: Gate,
    /// How many passwords may still be checked at a time.
    hashing: Arc<Semaphore>,
    figures: Figures,
    outstanding: Known<Option<ShopId>, Outstanding>,
}

/// So many passwords are checked at a time.
const HASHING: usize = 2;

/// What a handler of a page works with.
type Desk = axum::extract::State<Arc<Dashboard>>;

impl Dashboard {
    /// Beside what is for programs.
    #[must_use]
    pub fn new(admin: Arc<Admin>, config: Option<PathBuf>, payloads: Payloads) -> Arc<Self> {
        Arc::new(Self {
            admin,
            config,
            payloads,
            gate: Gate::default(),
            hashing: Arc::new(Semaphore::new(HASHING)),
            figures: Figures::default(),
            outstanding: Known::default(),
        })
    }

    /// The pages, added to what is for programs.
    pub fn routes(self: &Arc<Self>, programs: Router) -> Router {
        let pages = Router::new()
            .route("/", get(today::show))
            .route("/days.csv", get(today::days))
            .route("/endpoints.csv", get(today::endpoints))
            .route("/orders", get(orders::list))
            .route("/orders.csv", get(orders::file))
            .route("/order", get(order::show))
            .route("/order.html", get(order::file))
            .route("/order.csv", get(order::list))
            .route("/order/ask", post(order::ask))
            .route("/discrepancies", get(discrepancies::list))
            .route("/discrepancies.csv", get(discrepancies::file))
            .route(
                "/discrepancies/acknowledge",
                get(discrepancies::ask_many).post(discrepancies::act_on_many),
            )
            .route("/discrepancies/{id}", get(discrepancies::show).post(discrepancies::act))
            .route("/accounting", get(accounting::show))
            .route("/accounting.csv", get(accounting::list))
            .route("/accounting/export", get(accounting::export))
            .route("/accounting/close", get(accounting::ask_close).post(accounting::close))
            .route("/accounting/statement", get(accounting::statement))
            .route("/accounting/statement.csv", get(accounting::lines))
            .route("/accounting/statements", post(accounting::import))
            .route("/endpoints/address", post(address::show))
            .route("/operations", get(operations::show))
            .route("/operations.csv", get(operations::file))
            .route("/operations/diagnose", post(operations::diagnose))
            .route("/relays/retry", post(operations::retry))
            .route("/payload", get(payload::show))
            .route("/sign-in", get(sign_in::ask).post(sign_in::take))
            .route("/sign-out", post(sign_in::leave))
            .route("/preferences", post(sign_in::prefer))
            .route("/static/{name}", get(around::asset))
            .fallback(around::nothing)
            .method_not_allowed_fallback(around::wrong_verb)
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), around::page))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(self));
        programs.merge(pages).layer(axum::middleware::from_fn(around::headers))
    }

    /// Asks the ledger something.
    async fn read<T, F>(&self, query: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    {
        Ok(self.admin.readers.read(query).await?)
    }

    /// What is around a page.
    async fn frame(self: &Arc<Self>, visit: &Visit, section: Section) -> Result<Frame, Refusal> {
        let outstanding = self.outstanding(None).await?;
        Ok(Frame {
            open: outstanding.count(),
            worst: outstanding.worst(),
            section,
            shops: self.shops(),
            ..visit.frame()
        })
    }

    fn shops(&self) -> Vec<ShopName> {
        let settings = self.admin.settings.borrow();
        settings.shops.iter().map(|shop| ShopName { id: shop.id.clone(), name: shop.name.clone() }).collect()
    }

    fn shop_ids(&self) -> Vec<ShopId> {
        self.admin.settings.borrow().shops.iter().map(|shop| shop.id.clone()).collect()
    }
}

/// A page as an answer.
fn page(rendered: Result<String, RenderError>) -> Result<Response, Refusal> {
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], rendered?).into_response())
}
