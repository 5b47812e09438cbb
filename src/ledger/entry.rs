//! What the log is made of.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::crypto::sha256;
use crate::domain::{
    Cents, Currency, EndpointId, Event, Mode, OrderKey, OrderRef, Psp, ShopId, Source, Timestamp,
};
use crate::reconcile::{Fact, Policy};

use super::LedgerError;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A genuine notification.
    Notification(Notification),
    /// A shop registered an order, or changed its total.
    Order(OrderRegistration),
    /// The merchant's settings changed.
    Policy(Policy),
    /// A person has seen a discrepancy.
    Acknowledgement(Acknowledgement),
    /// Calls with a wrong signature came in a burst.
    SignatureFailures(SignatureFailures),
}

/// A genuine notification, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Whose it is.
    pub shop: ShopId,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Who sent it.
    pub psp: Psp,
    /// The world in which the endpoint is meant to live.
    pub mode: Mode,
    /// What it states.
    pub events: Vec<Event>,
    /// What is odd about it.
    pub remark: Option<String>,
    /// SHA-256 of the bytes that carried it, in hexadecimal.
    pub payload_sha256: String,
}

impl Notification {
    /// The order that one of its events belongs to.
    pub(super) fn order_of(&self, event: &Event) -> OrderKey {
        match &event.order_ref {
            Some(reference) => OrderKey::Reference(self.shop.clone(), reference.clone()),
            None => OrderKey::Call(self.shop.clone(), self.psp, event.call_number.clone()),
        }
    }

    /// One of its events, with where and when it came in.
    pub(super) fn fact(&self, event: &Event, received_at: Timestamp) -> Fact {
        Fact {
            event: event.clone(),
            psp: self.psp,
            source: Source::Notification,
            endpoint: self.endpoint.clone(),
            endpoint_mode: self.mode,
            received_at,
        }
    }
}

/// An order as its shop registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRegistration {
    /// The shop.
    pub shop: ShopId,
    /// Its reference of the order.
    pub reference: OrderRef,
    /// What the customer should pay, in cents.
    pub total: Cents,
    /// The currency of `total`.
    pub currency: Currency,
    /// When the payment is due.
    pub due: Option<Timestamp>,
}

/// A person's note on a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The discrepancy.
    pub discrepancy: i64,
    /// What the person found or did.
    pub note: String,
    /// Who (the name of the system account).
    pub by: String,
}

/// A burst of wrong signatures on one endpoint: probably a wrong key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFailures {
    /// Whose endpoint it is.
    pub shop: ShopId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whose format it reads.
    pub psp: Psp,
    /// How many calls were refused in the burst.
    pub failures: u32,
    /// What would have matched, as far as the adapter can tell; in English.
    pub explanation: String,
}

/// What became of a genuine notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stated something new.
    Genuine,
    /// All that it states was known.
    Duplicate,
    /// It is not about a voucher payment.
    Ignored,
}

impl Verdict {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// A row of the log, as it is stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogRow {
    pub(super) seq: i64,
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) shop: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) psp: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) events: Option<i64>,
    pub(super) content: String,
    pub(super) payload_sha256: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct NotificationContent {
    mode: Mode,
    events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct OrderContent {
    reference: OrderRef,
    total_cents: Cents,
    currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct FailuresContent {
    failures: u32,
    explanation: String,
}

impl LogRow {
    /// Lays an entry out as a row. The verdict is a notification's alone.
    pub(super) fn new(
        seq: i64,
        at: Timestamp,
        entry: &Entry,
        verdict: Option<Verdict>,
    ) -> Result<Self, LedgerError> {
        let mut row = Self {
            seq,
            at: at.to_string(),
            kind: String::new(),
            shop: None,
            endpoint: None,
            psp: None,
            verdict: verdict.map(|verdict| verdict.as_str().to_owned()),
            events: None,
            content: String::new(),
            payload_sha256: None,
        };
        let (kind, content) = match entry {
            Entry::Notification(n) => {
                row.shop = Some(n.shop.to_string());
                row.endpoint = Some(n.endpoint.to_string());
                row.psp = Some(n.psp.to_string());
                row.events = i64::try_from(n.events.len()).ok();
                row.payload_sha256 = Some(n.payload_sha256.clone());
                let content =
                    NotificationContent { mode: n.mode, events: n.events.clone(), remark: n.remark.clone() };
                ("notification", serde_json::to_string(&content)?)
            }
            Entry::Order(order) => {
                row.shop = Some(order.shop.to_string());
                let content = OrderContent {
                    reference: order.reference.clone(),
                    total_cents: order.total,
                    currency: order.currency,
                    due: order.due,
                };
                ("order", serde_json::to_string(&content)?)
            }
            Entry::Policy(policy) => ("policy", serde_json::to_string(policy)?),
            Entry::Acknowledgement(ack) => ("acknowledgement", serde_json::to_string(ack)?),
            Entry::SignatureFailures(burst) => {
                row.shop = Some(burst.shop.to_string());
                row.endpoint = Some(burst.endpoint.to_string());
                row.psp = Some(burst.psp.to_string());
                let content =
                    FailuresContent { failures: burst.failures, explanation: burst.explanation.clone() };
                ("signature_failures", serde_json::to_string(&content)?)
            }
        };
        kind.clone_into(&mut row.kind);
        row.content = content;
        Ok(row)
    }

    /// Reads the entry back.
    pub(super) fn entry(&self) -> Result<Entry, LedgerError> {
        let corrupt = |what: &str| LedgerError::Corrupt { seq: self.seq, what: what.to_owned() };
        let text = |column: &Option<String>, name: &str| column.clone().ok_or_else(|| corrupt(name));
        let psp = || text(&self.psp, "psp")?.parse::<Psp>().map_err(|_| corrupt("psp"));
        let shop = || ShopId::new(text(&self.shop, "shop")?).map_err(|_| corrupt("shop"));
        let endpoint = || EndpointId::new(text(&self.endpoint, "endpoint")?).map_err(|_| corrupt("endpoint"));
        Ok(match self.kind.as_str() {
            "notification" => {
                let content: NotificationContent = serde_json::from_str(&self.content)?;
                Entry::Notification(Notification {
                    shop: shop()?,
                    endpoint: endpoint()?,
                    psp: psp()?,
                    mode: content.mode,
                    events: content.events,
                    remark: content.remark,
                    payload_sha256: text(&self.payload_sha256, "payload_sha256")?,
                })
            }
            "order" => {
                let content: OrderContent = serde_json::from_str(&self.content)?;
                Entry::Order(OrderRegistration {
                    shop: shop()?,
                    reference: content.reference,
                    total: content.total_cents,
                    currency: content.currency,
                    due: content.due,
                })
            }
            "policy" => Entry::Policy(serde_json::from_str(&self.content)?),
            "acknowledgement" => Entry::Acknowledgement(serde_json::from_str(&self.content)?),
            "signature_failures" => {
                let content: FailuresContent = serde_json::from_str(&self.content)?;
                Entry::SignatureFailures(SignatureFailures {
                    shop: shop()?,
                    endpoint: endpoint()?,
                    psp: psp()?,
                    failures: content.failures,
                    explanation: content.explanation,
                })
            }
            _ => return Err(corrupt("kind")),
        })
    }

    /// When it was taken.
    pub(super) fn taken_at(&self) -> Result<Timestamp, LedgerError> {
        Timestamp::parse(&self.at).map_err(|_| LedgerError::Corrupt { seq: self.seq, what: "at".to_owned() })
    }

    /// The link of the chain: over the link before and every column, each with its length, so that no
    /// character can move from one column to its neighbour.
    pub(super) fn chain_hash(&self, before: &str) -> String {
        let (seq, events) = (self.seq.to_string(), self.events.map(|events| events.to_string()));
        let columns: [Option<&str>; 11] = [
            Some(before),
            Some(&seq),
            Some(&self.at),
            Some(&self.kind),
            self.shop.as_deref(),
            self.endpoint.as_deref(),
            self.psp.as_deref(),
            self.verdict.as_deref(),
            events.as_deref(),
            Some(&self.content),
            self.payload_sha256.as_deref(),
        ];
        let mut message = Vec::with_capacity(self.content.len().saturating_add(512));
        for column in columns {
            match column {
                Some(text) => {
                    message.extend_from_slice(text.len().to_string().as_bytes());
                    message.push(b':');
                    message.extend_from_slice(text.as_bytes());
                }
                None => message.push(b'-'),
            }
        }
        sha256(&[&message]).to_string()
    }

    pub(super) fn insert(&self, conn: &Connection, chain_hash: &str) -> Result<(), LedgerError> {
        conn.prepare_cached(
            "INSERT INTO log (seq, at, kind, shop, endpoint, psp, verdict, events, content, payload_sha256, chain_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            self.seq,
            self.at,
            self.kind,
            self.shop,
            self.endpoint,
            self.psp,
            self.verdict,
            self.events,
            self.content,
            self.payload_sha256,
            chain_hash
        ])?;
        Ok(())
    }

    /// The columns that [`LogRow::from_row`] reads, in its order; `chain_hash` follows them.
    pub(super) const COLUMNS: &'static str =
        "seq, at, kind, shop, endpoint, psp, verdict, events, content, payload_sha256, chain_hash";

    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<(Self, String)> {
        let log = Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            shop: row.get(3)?,
            endpoint: row.get(4)?,
            psp: row.get(5)?,
            verdict: row.get(6)?,
            events: row.get(7)?,
            content: row.get(8)?,
            payload_sha256: row.get(9)?,
        };
        Ok((log, row.get(10)?))
    }
}
