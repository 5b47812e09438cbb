//! Entries as rows of the log: laid out, hashed into the chain, read back.

use cvco_domain::crypto::sha256;
use cvco_domain::{
    Cents, Currency, EndpointId, Event, Mode, OrderRef, Psp, Question, ShopId, Standing, Timestamp,
};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::entry::{
    Confirmation, Entry, ImportedStatement, Inquiry, Notification, OrderRegistration, Origin, Reason,
    Refusal, SignatureFailures, Verdict,
};

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
    #[serde(default, skip_serializing_if = "is_call")]
    origin: Origin,
    events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    questions: Vec<Question>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
fn is_call(origin: &Origin) -> bool {
    *origin == Origin::Call
}

#[derive(Serialize, Deserialize)]
struct ConfirmationContent {
    mode: Mode,
    question: Question,
    asked_at: Timestamp,
    standing: Standing,
    events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    questions: Vec<Question>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct InquiryContent {
    reason: Reason,
    questions: Vec<Question>,
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
    #[serde(default, skip_serializing_if = "Refusal::is_of_signature")]
    refusal: Refusal,
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
                row.names(&n.shop, &n.endpoint, n.psp);
                row.events = i64::try_from(n.events.len()).ok();
                row.payload_sha256 = Some(n.payload_sha256.clone());
                let content = NotificationContent {
                    mode: n.mode,
                    origin: n.origin,
                    events: n.events.clone(),
                    questions: n.questions.clone(),
                    remark: n.remark.clone(),
                };
                ("notification", serde_json::to_string(&content)?)
            }
            Entry::Confirmation(c) => {
                row.names(&c.shop, &c.endpoint, c.psp);
                row.events = i64::try_from(c.events.len()).ok();
                row.payload_sha256 = Some(c.payload_sha256.clone());
                let content = ConfirmationContent {
                    mode: c.mode,
                    question: c.question.clone(),
                    asked_at: c.asked_at,
                    standing: c.standing,
                    events: c.events.clone(),
                    questions: c.questions.clone(),
                    remark: c.remark.clone(),
                };
                ("confirmation", serde_json::to_string(&content)?)
            }
            Entry::Inquiry(inquiry) => {
                row.names(&inquiry.shop, &inquiry.endpoint, inquiry.psp);
                let content = InquiryContent { reason: inquiry.reason, questions: inquiry.questions.clone() };
                ("inquiry", serde_json::to_string(&content)?)
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
                row.names(&burst.shop, &burst.endpoint, burst.psp);
                let content = FailuresContent {
                    refusal: burst.refusal,
                    failures: burst.failures,
                    explanation: burst.explanation.clone(),
                };
                ("signature_failures", serde_json::to_string(&content)?)
            }
            Entry::Statement(imported) => {
                row.shop = Some(imported.statement.shop.to_string());
                row.payload_sha256 = Some(imported.file_sha256.clone());
                ("statement", serde_json::to_string(&imported.statement)?)
            }
            Entry::Close(close) => ("close", serde_json::to_string(close)?),
        };
        kind.clone_into(&mut row.kind);
        row.content = content;
        Ok(row)
    }

    fn names(&mut self, shop: &ShopId, endpoint: &EndpointId, psp: Psp) {
        self.shop = Some(shop.to_string());
        self.endpoint = Some(endpoint.to_string());
        self.psp = Some(psp.to_string());
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
                    origin: content.origin,
                    events: content.events,
                    questions: content.questions,
                    remark: content.remark,
                    payload_sha256: text(&self.payload_sha256, "payload_sha256")?,
                })
            }
            "confirmation" => {
                let content: ConfirmationContent = serde_json::from_str(&self.content)?;
                Entry::Confirmation(Confirmation {
                    shop: shop()?,
                    endpoint: endpoint()?,
                    psp: psp()?,
                    mode: content.mode,
                    question: content.question,
                    asked_at: content.asked_at,
                    standing: content.standing,
                    events: content.events,
                    questions: content.questions,
                    remark: content.remark,
                    payload_sha256: text(&self.payload_sha256, "payload_sha256")?,
                })
            }
            "inquiry" => {
                let content: InquiryContent = serde_json::from_str(&self.content)?;
                Entry::Inquiry(Inquiry {
                    shop: shop()?,
                    endpoint: endpoint()?,
                    psp: psp()?,
                    reason: content.reason,
                    questions: content.questions,
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
                    refusal: content.refusal,
                    failures: content.failures,
                    explanation: content.explanation,
                })
            }
            "statement" => Entry::Statement(ImportedStatement {
                statement: serde_json::from_str(&self.content)?,
                file_sha256: text(&self.payload_sha256, "payload_sha256")?,
            }),
            "close" => Entry::Close(serde_json::from_str(&self.content)?),
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
