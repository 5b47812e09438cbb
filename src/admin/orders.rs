//! `POST /api/v1/orders`: the shop says what it expects.

use std::fmt;
use std::time::Duration;

use axum::extract::Request;
use cvco_domain::{Cents, Currency, Day, Instalment, OrderRef, Timestamp};
use cvco_log::entry::OrderRegistration;
use cvco_log::{Draft, LogEntry};
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Admin, Answer, BODY, Caller, is_json};
use crate::config::Shop;

/// The largest body that is read.
const BODY_BYTES: usize = 2 * 1024 * 1024;

/// So many orders are one group in the log; notifications wait for it.
const MAX_ORDERS: usize = 1000;

/// Twelve digits, as PSPs write amounts.
const MOST_CENTS: i64 = 999_999_999_999;

/// An order is paid in no more parts than this.
const MAX_INSTALMENTS: usize = 36;

/// An order as the shop writes it, in JSON or in a line of CSV.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOrder {
    /// The shop's id in the configuration.
    pub shop: String,
    /// The shop's reference of the order.
    pub reference: String,
    /// What the customer should pay, in cents.
    pub total_cents: i64,
    /// `EUR` if not said.
    #[serde(default)]
    pub currency: Option<String>,
    /// When the payment is due: RFC 3339, or a day in Paris, of which it has all.
    #[serde(default)]
    pub due: Option<String>,
    /// In which parts it is to be paid.
    #[serde(default)]
    pub instalments: Option<RawPlan>,
}

/// A plan as the shop writes it: in JSON `[{"cents": 15000, "due": "2026-03-15"}, …]`; in a cell of CSV
/// `15000@2026-03-15 35000@2026-06-15`.
#[derive(Debug, Clone, Default)]
pub struct RawPlan(Vec<RawInstalment>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInstalment {
    cents: i64,
    #[serde(default)]
    due: Option<String>,
}

impl<'de> Deserialize<'de> for RawPlan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlanVisitor)
    }
}

struct PlanVisitor;

impl<'de> Visitor<'de> for PlanVisitor {
    type Value = RawPlan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of {\"cents\", \"due\"}, or in a cell: 15000@2026-03-15 35000@2026-06-15")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawPlan, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawPlan)
    }

    fn visit_str<E: serde::de::Error>(self, cell: &str) -> Result<RawPlan, E> {
        let part = |text: &str| {
            let (cents, due) = text.split_once('@').map_or((text, None), |(cents, due)| (cents, Some(due)));
            let wrong = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
            Ok(RawInstalment { cents: cents.parse().map_err(|_| wrong())?, due: due.map(str::to_owned) })
        };
        cell.split_whitespace().map(part).collect::<Result<_, E>>().map(RawPlan)
    }

    /// A cell with one amount and no date.
    fn visit_u64<E: serde::de::Error>(self, cents: u64) -> Result<RawPlan, E> {
        self.visit_str(&cents.to_string())
    }

    fn visit_none<E>(self) -> Result<RawPlan, E> {
        Ok(RawPlan::default())
    }

    fn visit_unit<E>(self) -> Result<RawPlan, E> {
        Ok(RawPlan::default())
    }
}

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The configuration has no such shop.
    #[error("shop {0:?} is not in the configuration")]
    UnknownShop(String),
    /// A negative total, or one of more than 12 digits.
    #[error("total_cents {0} is not an amount of 0 or more, of at most 12 digits")]
    Total(i64),
    /// A reference or a currency that is none.
    #[error(transparent)]
    Id(#[from] cvco_domain::IdError),
    /// A date that is none.
    #[error(
        "due: {0:?} is neither a time such as 2026-07-04T18:00:00Z nor a day such as 2026-07-04, up to 2099"
    )]
    Due(String),
    /// An instalment of nothing, or of less.
    #[error("instalments: {0} is not an amount above zero, in cents")]
    Instalment(i64),
    /// More parts than anybody agrees on.
    #[error("instalments: {0} of them; at most {MAX_INSTALMENTS} are taken")]
    Instalments(usize),
    /// The parts do not make the whole.
    #[error("instalments: together {0} cents, and total_cents is {1}")]
    Plan(i64, i64),
}

impl RawOrder {
    /// The columns of a line of CSV.
    pub const COLUMNS: [&str; 6] = ["shop", "reference", "total_cents", "currency", "due", "instalments"];
    /// Those that no list of orders is without.
    pub const REQUIRED: [&str; 3] = ["shop", "reference", "total_cents"];

    /// Checks the order.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, shops: &[Shop]) -> Result<OrderRegistration, OrderError> {
        let shop = shops
            .iter()
            .find(|shop| shop.id.as_str() == self.shop)
            .ok_or_else(|| OrderError::UnknownShop(self.shop.chars().take(64).collect()))?;
        // A shop has orders of nothing too: free ones, and such as it cancelled.
        if !(0..=MOST_CENTS).contains(&self.total_cents) {
            return Err(OrderError::Total(self.total_cents));
        }
        let currency = self.currency.as_deref().filter(|code| !code.is_empty()).unwrap_or("EUR");
        Ok(OrderRegistration {
            shop: shop.id.clone(),
            reference: OrderRef::new(self.reference.as_str())?,
            total: Cents::new(self.total_cents),
            currency: Currency::parse(currency)?,
            due: due(self.due.as_deref())?,
            instalments: self.plan()?,
        })
    }

    fn plan(&self) -> Result<Vec<Instalment>, OrderError> {
        let Some(RawPlan(parts)) = &self.instalments else { return Ok(Vec::new()) };
        if parts.len() > MAX_INSTALMENTS {
            return Err(OrderError::Instalments(parts.len()));
        }
        let part = |raw: &RawInstalment| match raw.cents {
            1..=MOST_CENTS => Ok(Instalment { cents: Cents::new(raw.cents), due: due(raw.due.as_deref())? }),
            wrong => Err(OrderError::Instalment(wrong)),
        };
        let parts = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        let sum: Cents = parts.iter().map(|part| part.cents).sum();
        if !parts.is_empty() && sum.get() != self.total_cents {
            return Err(OrderError::Plan(sum.get(), self.total_cents));
        }
        Ok(parts)
    }
}

/// An instant; or a day in Paris, until its end.
fn due(text: Option<&str>) -> Result<Option<Timestamp>, OrderError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let end_of_day = |day: Day| day.next().start().before(Duration::from_millis(1));
    Timestamp::parse(text)
        .ok()
        .or_else(|| text.parse().ok().map(end_of_day))
        .map(Some)
        .ok_or_else(|| OrderError::Due(text.chars().take(40).collect()))
}

impl Admin {
    /// Registers one order or many, all or none.
    pub(super) async fn register_orders(&self, request: Request, caller: Caller) -> Answer {
        if !is_json(request.headers()) {
            return Answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
        }
        let body = Limited::new(request.into_body(), BODY_BYTES).collect();
        let Ok(Ok(body)) = tokio::time::timeout(BODY, body).await else {
            return Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too large, or too slow; send fewer orders");
        };
        let orders = match parse(&body.to_bytes()) {
            Ok(orders) => orders,
            Err(message) => return Answer::error(StatusCode::BAD_REQUEST, message),
        };
        if orders.len() > MAX_ORDERS {
            let message = format!("at most {MAX_ORDERS} orders in one call; send them in several");
            return Answer::error(StatusCode::PAYLOAD_TOO_LARGE, message);
        }
        let settings = std::sync::Arc::clone(&self.settings.borrow());
        let mut registrations = Vec::with_capacity(orders.len());
        for (n, order) in orders.iter().enumerate() {
            match order.check(&settings.shops) {
                Ok(order) => registrations.push(order),
                Err(error) => {
                    return Answer::error(StatusCode::BAD_REQUEST, format!("order {}: {error}", n + 1));
                }
            }
        }
        // Whoever else can reach this address, such as another user of the machine, can hide no payment that is short.
        let trusted = settings.token.is_some() || matches!(caller, Caller::Account { .. });
        match self.register(registrations, trusted).await {
            Ok(Registered { registered, unchanged }) => Answer::json(
                StatusCode::OK,
                &serde_json::json!({ "registered": registered, "unchanged": unchanged }),
            ),
            Err(NotRegistered::Untrusted(reference)) => Answer::error(
                StatusCode::FORBIDDEN,
                format!(
                    "order {reference} is registered otherwise: without [listener] admin_token an order can be \
                     registered and its total raised, nothing more"
                ),
            ),
            Err(error) => {
                tracing::error!(%error, "orders not stored");
                Answer::error(StatusCode::SERVICE_UNAVAILABLE, "not stored, please send again")
            }
        }
    }

    /// Appends what is new, and waits until the ledger shows it. A shop may register the same order with each page view:
    /// what the ledger knows already is not stored again. Whoever is not `trusted` lowers no total and changes nothing else.
    async fn register(
        &self,
        orders: Vec<OrderRegistration>,
        trusted: bool,
    ) -> Result<Registered, NotRegistered> {
        let all = orders.len();
        let new = self
            .readers
            .read(move |reader| {
                let mut new = Vec::new();
                for order in orders {
                    if reader.is_current(&order)? {
                        continue;
                    }
                    if !trusted && !reader.only_raises(&order)? {
                        return Ok(Err(NotRegistered::Untrusted(order.reference)));
                    }
                    new.push(order);
                }
                Ok(Ok(new))
            })
            .await??;
        let registered = new.len();
        let drafts = new
            .into_iter()
            .map(|order| Draft::new(&LogEntry::Order(order)))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = self.log.append_all(drafts).await?.last() {
            self.followed.folded(last.seq).await?;
        }
        Ok(Registered { registered, unchanged: all.saturating_sub(registered) })
    }
}

/// What came of a call that registers orders.
struct Registered {
    registered: usize,
    unchanged: usize,
}

/// Why orders were not registered.
#[derive(Debug, thiserror::Error)]
enum NotRegistered {
    /// The caller is anybody on this machine.
    #[error("order {0} would be changed by a caller without the admin token")]
    Untrusted(OrderRef),
    #[error(transparent)]
    Ledger(#[from] cvco_ledger::LedgerError),
    #[error(transparent)]
    Log(#[from] cvco_log::LogError),
}

/// Reads one object or an array; an error names the field.
fn parse(body: &[u8]) -> Result<Vec<RawOrder>, String> {
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let named = |error: serde_path_to_error::Error<serde_json::Error>| match error.path().to_string().as_str()
    {
        "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    };
    if value.is_array() {
        serde_path_to_error::deserialize(value).map_err(named)
    } else {
        serde_path_to_error::deserialize(value).map(|order| vec![order]).map_err(named)
    }
}
