//! The whole story of an order.

use super::{PaidOut, QuestionLine, Reader, RecordRow, TenderRow};
use cvco_domain::{DiscrepancyId, OrderVersion};

use crate::LedgerError;
use crate::tables::facts;
use crate::tables::ids::OrderId;
use crate::tables::orders;
use crate::tables::prepared::Prepared;

/// A line of an order's story: an entry of the log, as far as it concerns the order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StoryLine {
    /// Its place in the log.
    pub seq: i64,
    /// When.
    pub at: String,
    /// What kind of entry.
    pub kind: String,
    /// Where it came in.
    pub endpoint: Option<String>,
    /// Whose words it has.
    pub psp: Option<String>,
    /// What a notification amounted to.
    pub verdict: Option<String>,
    /// The discrepancy that a person's act concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discrepancy: Option<i64>,
    /// What it says.
    pub content: serde_json::Value,
}

/// Everything about one order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OrderStory {
    /// Whose it is.
    pub shop: String,
    /// Its reference.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: String,
    /// Its records.
    pub records: Vec<RecordRow>,
    /// Their tenders.
    pub tenders: Vec<TenderRow>,
    /// The numbers of its discrepancies.
    pub discrepancies: Vec<DiscrepancyId>,
    /// What its PSPs' APIs were asked about it.
    pub questions: Vec<QuestionLine>,
    /// What issuers have paid out of it, or taken back, by the day on which they did.
    pub payouts: Vec<PaidOut>,
    /// What happened, in order.
    pub log: Vec<StoryLine>,
}

struct Found {
    order_id: OrderId,
    shop: String,
    reference: Option<String>,
    call_number: Option<String>,
    state: String,
}

/// What became of the call that told a fact; nothing of an answer.
struct Told {
    seq: i64,
    verdict: Option<String>,
    remark: Option<String>,
    origin: Option<String>,
}

impl Reader {
    /// The stories of all orders of this reference (one a shop), or of the payment of this call number.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn stories(&self, reference: &str) -> Result<Vec<OrderStory>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT order_id, shop, reference, call_number, state FROM orders
             WHERE order_id IN (SELECT order_id FROM orders WHERE reference = ?1
                                UNION SELECT order_id FROM records WHERE call_number = ?1)
             ORDER BY order_id",
        )?;
        let found = statement
            .query_map([reference], |row| {
                Ok(Found {
                    order_id: row.get("order_id")?,
                    shop: row.get("shop")?,
                    reference: row.get("reference")?,
                    call_number: row.get("call_number")?,
                    state: row.get("state")?,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        found.into_iter().map(|order| self.story(order)).collect()
    }

    fn story(&self, order: Found) -> Result<OrderStory, LedgerError> {
        let Found { order_id, shop, reference, call_number, state } = order;
        Ok(OrderStory {
            records: self.records_of(&shop, reference.as_deref(), call_number.as_deref())?,
            tenders: self.tenders_of(order_id)?,
            discrepancies: self.discrepancies_of(order_id)?,
            questions: self.questions_of(order_id)?,
            payouts: self.payouts_of(order_id)?,
            log: self.log_of(order_id)?,
            shop,
            reference,
            state,
        })
    }

    fn discrepancies_of(&self, order_id: OrderId) -> Result<Vec<DiscrepancyId>, LedgerError> {
        let mut statement =
            self.conn.prepare_cached("SELECT id FROM discrepancies WHERE order_id = ?1 ORDER BY id")?;
        let ids = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }

    fn log_of(&self, order_id: OrderId) -> Result<Vec<StoryLine>, LedgerError> {
        let mut lines = self.reports_of(order_id)?;
        lines.extend(self.registrations_of(order_id)?);
        lines.extend(self.acts_of(order_id)?);
        lines.sort_by_key(|line| line.seq);
        Ok(lines)
    }

    /// What each notification and answer told of an order.
    fn reports_of(&self, order_id: OrderId) -> Result<Vec<StoryLine>, LedgerError> {
        let key = orders::key(&self.conn, order_id)?;
        let mut seqs = self.conn.prepare_cached(
            "SELECT f.seq, n.verdict, n.remark, n.origin FROM facts f LEFT JOIN notifications n USING (seq)
             WHERE f.order_id = ?1 ORDER BY f.seq, f.position",
        )?;
        let told: Vec<Told> = seqs
            .query_map([order_id], |row| {
                Ok(Told { seq: row.get(0)?, verdict: row.get(1)?, remark: row.get(2)?, origin: row.get(3)? })
            })?
            .collect::<Result<_, _>>()?;
        let mut lines: Vec<StoryLine> = Vec::new();
        for (told, fact) in told.into_iter().zip(facts::of_order(&Prepared::new(&self.conn), order_id, &key)?)
        {
            let Told { seq, verdict, remark, origin } = told;
            let event = serde_json::to_value(&fact.event)?;
            if let Some(line) = lines.last_mut().filter(|line| line.seq == seq) {
                if let Some(events) = line.content.get_mut("events").and_then(|events| events.as_array_mut())
                {
                    events.push(event);
                }
                continue;
            }
            lines.push(StoryLine {
                seq,
                at: fact.received_at.to_string(),
                kind: fact.source.as_str().to_owned(),
                endpoint: Some(fact.endpoint.to_string()),
                psp: Some(fact.psp.to_string()),
                verdict,
                discrepancy: None,
                content: serde_json::json!({ "events": [event], "remark": remark, "origin": origin }),
            });
        }
        Ok(lines)
    }

    fn registrations_of(&self, order_id: OrderId) -> Result<Vec<StoryLine>, LedgerError> {
        let mut versions = self.conn.prepare_cached(
            "SELECT seq, registered_at, total_cents, currency, due, instalments FROM order_versions
             WHERE order_id = ?1",
        )?;
        let lines = versions.query_map([order_id], |row| {
            let OrderVersion { total, currency, due, instalments, registered_at } = orders::version(row)?;
            Ok(StoryLine {
                seq: row.get("seq")?,
                at: registered_at.to_string(),
                kind: "order".to_owned(),
                endpoint: None,
                psp: None,
                verdict: None,
                discrepancy: None,
                content: serde_json::json!({
                    "total_cents": total, "currency": currency, "due": due, "instalments": instalments,
                }),
            })
        })?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    fn acts_of(&self, order_id: OrderId) -> Result<Vec<StoryLine>, LedgerError> {
        let mut acts = self.conn.prepare_cached(
            "SELECT a.seq, a.at, a.discrepancy_id, a.act, a.by, a.note, a.until
             FROM acts a JOIN discrepancies d ON d.id = a.discrepancy_id WHERE d.order_id = ?1",
        )?;
        let lines = acts.query_map([order_id], |row| {
            let (act, by): (String, String) = (row.get(3)?, row.get(4)?);
            let (note, until): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
            Ok(StoryLine {
                seq: row.get(0)?,
                at: row.get(1)?,
                kind: "act".to_owned(),
                endpoint: None,
                psp: None,
                verdict: None,
                discrepancy: row.get(2)?,
                content: serde_json::json!({ "act": act, "by": by, "note": note, "until": until }),
            })
        })?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}
