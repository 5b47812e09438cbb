//! The whole story of an order.

use super::{QuestionLine, Reader, RecordRow, TenderRow};
use crate::ledger::LedgerError;

/// A line of an order's story.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LogLine {
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
    pub discrepancies: Vec<i64>,
    /// What its PSPs' APIs were asked about it.
    pub questions: Vec<QuestionLine>,
    /// What happened, in order.
    pub log: Vec<LogLine>,
}

struct Found {
    order_id: i64,
    shop: String,
    reference: Option<String>,
    call_number: Option<String>,
    state: String,
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
            log: self.log_of(order_id)?,
            shop,
            reference,
            state,
        })
    }

    fn discrepancies_of(&self, order_id: i64) -> Result<Vec<i64>, LedgerError> {
        let mut statement =
            self.conn.prepare_cached("SELECT id FROM discrepancies WHERE order_id = ?1 ORDER BY id")?;
        let ids = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }

    fn log_of(&self, order_id: i64) -> Result<Vec<LogLine>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT seq, at, kind, endpoint, psp, verdict, content, discrepancy_id FROM log LEFT JOIN acts USING (seq)
             WHERE seq IN (SELECT seq FROM events WHERE order_id = ?1
                           UNION SELECT seq FROM order_versions WHERE order_id = ?1
                           UNION SELECT seq FROM acts JOIN discrepancies d ON d.id = discrepancy_id
                                 WHERE d.order_id = ?1)
             ORDER BY seq",
        )?;
        let rows = statement
            .query_map([order_id], |row| {
                Ok(LogLine {
                    seq: row.get("seq")?,
                    at: row.get("at")?,
                    kind: row.get("kind")?,
                    endpoint: row.get("endpoint")?,
                    psp: row.get("psp")?,
                    verdict: row.get("verdict")?,
                    discrepancy: row.get("discrepancy_id")?,
                    content: serde_json::from_str(&row.get::<_, String>("content")?).unwrap_or_default(),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }
}
