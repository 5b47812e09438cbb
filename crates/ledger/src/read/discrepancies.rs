//! Discrepancies, with the records that they concern.

use rusqlite::{OptionalExtension, Row, params};

use super::Reader;
use crate::LedgerError;
use crate::tables::ids::OrderId;
use crate::tables::orders;
use cvco_domain::{
    CallNumber, Cents, Detail, DiscrepancyId, EndpointId, Kind, OrderNow, OrderRef, OrderTotal, Psp, Record,
    Reminder, Severity, ShopId, Timestamp,
};

/// Which discrepancies to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiscrepancyFilter {
    /// Only open ones.
    pub open: bool,
    /// Only those that nobody has acknowledged.
    pub unacked: bool,
    /// Only those that are snoozed, or only those that are not.
    pub snoozed: Option<bool>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those of this severity.
    pub severity: Option<Severity>,
    /// Only this shop's.
    pub shop: Option<String>,
    /// No more than so many, the latest first.
    pub limit: u32,
}

/// A discrepancy with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscrepancyRow {
    /// Its number.
    pub id: DiscrepancyId,
    /// The rule.
    pub kind: Kind,
    /// Whose it is; `None` if it concerns the daemon as a whole.
    pub shop: Option<ShopId>,
    /// How fast a person should look.
    pub severity: Severity,
    /// The PSP, where there is one.
    pub psp: Option<Psp>,
    /// The endpoint, of a discrepancy of an endpoint.
    pub endpoint: Option<EndpointId>,
    /// The order's reference.
    pub order_ref: Option<OrderRef>,
    /// The record's call number.
    pub call_number: Option<CallNumber>,
    /// What was expected, in cents.
    pub expected: Option<Cents>,
    /// What was found, in cents.
    pub actual: Option<Cents>,
    /// What was expected when it opened.
    pub opened_expected: Option<Cents>,
    /// What was found when it opened.
    pub opened_actual: Option<Cents>,
    /// The particulars.
    pub detail: Detail,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// When, by whom and with what note it was acknowledged.
    pub acked: Option<(Timestamp, String, String)>,
    /// When a person wants to be reminded of it.
    pub snoozed_until: Option<Timestamp>,
    /// Why people were last reminded of it.
    pub reminded_for: Option<Reminder>,
    /// What a person last noted on it, with whatever act.
    pub last_note: Option<String>,
    /// Why the last question to the endpoint's API failed, of an open discrepancy about missing answers.
    pub last_error: Option<String>,
    /// The record concerned, or the order's only one; where the payments of an order are judged together, or once it has
    /// closed, all of them, the earliest first.
    pub records: Vec<Record>,
    /// How its order stands now; `None` if it is about none.
    pub order: Option<OrderNow>,
}

/// Of the payments that count, as in `acct_orders`.
const ORDER_NOW: &str = "SELECT v.total_cents, v.currency, v.due, v.instalments, v.registered_at, o.gap_cents, (SELECT at FROM progress) AS at,
        CASE WHEN v.version > 1 THEN v.registered_at END AS changed_at,
        COALESCE((SELECT SUM(r.paid_cents) FROM records r WHERE r.order_id = o.order_id AND r.counts), 0) AS paid_cents,
        COALESCE((SELECT SUM(r.refunded_cents) FROM records r WHERE r.order_id = o.order_id AND r.counts), 0) AS refunded_cents,
        (SELECT COUNT(*) FROM discrepancies d WHERE d.order_id = o.order_id AND d.closed_at IS NULL
            AND d.id <> ?2 AND d.severity <> 'info') AS others_open,
        (SELECT x.reference FROM records r
           CROSS JOIN records s ON s.call_number = r.call_number AND s.psp = r.psp AND s.order_id <> r.order_id
           CROSS JOIN orders x ON x.order_id = s.order_id AND x.shop = o.shop AND x.reference IS NOT NULL
         WHERE r.order_id = o.order_id ORDER BY x.order_id LIMIT 1) AS same_call
 FROM orders o LEFT JOIN order_versions v ON v.order_id = o.order_id
  AND v.version = (SELECT MAX(version) FROM order_versions WHERE order_id = o.order_id)
 WHERE o.order_id = ?1";

impl DiscrepancyRow {
    /// The particulars in a short line, with what went wrong last.
    #[must_use]
    pub fn particulars(&self) -> String {
        match &self.last_error {
            Some(error) => format!("{} ({error})", self.detail),
            None => self.detail.to_string(),
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let acked = match row.get::<_, Option<Timestamp>>("acked_at")? {
            Some(at) => Some((at, row.get("acked_by")?, row.get("acked_note")?)),
            None => None,
        };
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            severity: row.get("severity")?,
            shop: row.get("shop")?,
            psp: row.get("psp")?,
            endpoint: row.get("endpoint")?,
            order_ref: row.get("order_ref")?,
            call_number: row.get("call_number")?,
            expected: row.get("expected_cents")?,
            actual: row.get("actual_cents")?,
            opened_expected: row.get("opened_expected_cents")?,
            opened_actual: row.get("opened_actual_cents")?,
            detail: row.get("detail_json")?,
            opened_at: row.get("opened_at")?,
            closed_at: row.get("closed_at")?,
            acked,
            snoozed_until: row.get("snoozed_until")?,
            reminded_for: row.get("reminded_for")?,
            last_note: row.get("last_note")?,
            last_error: None,
            records: Vec::new(),
            order: None,
        })
    }
}

impl Reader {
    /// How many discrepancies are open.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn open_discrepancies(&self) -> Result<i64, LedgerError> {
        let open = "SELECT COUNT(*) FROM discrepancies WHERE closed_at IS NULL";
        Ok(self.conn.prepare_cached(open)?.query_row([], |row| row.get(0))?)
    }

    /// Lists discrepancies, the latest first.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancies(&self, filter: &DiscrepancyFilter) -> Result<Vec<DiscrepancyRow>, LedgerError> {
        let ids = self.discrepancy_ids(filter)?;
        ids.into_iter().filter_map(|id| self.discrepancy(id).transpose()).collect()
    }

    /// How many of the discrepancies that a filter lets through are snoozed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn snoozed(&self, filter: &DiscrepancyFilter) -> Result<usize, LedgerError> {
        let snoozed = DiscrepancyFilter { snoozed: Some(true), limit: u32::MAX, ..filter.clone() };
        Ok(self.discrepancy_ids(&snoozed)?.len())
    }

    fn discrepancy_ids(&self, filter: &DiscrepancyFilter) -> Result<Vec<DiscrepancyId>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM discrepancies
             WHERE (?1 = 0 OR closed_at IS NULL) AND (?2 = 0 OR acked_at IS NULL)
               AND (?3 IS NULL OR (snoozed_until IS NOT NULL) = ?3)
               AND (?4 IS NULL OR kind = ?4) AND (?5 IS NULL OR severity = ?5) AND (?6 IS NULL OR shop = ?6)
             ORDER BY id DESC LIMIT ?7",
        )?;
        let chosen = params![
            filter.open,
            filter.unacked,
            filter.snoozed,
            filter.kind.map(Kind::as_str),
            filter.severity.map(Severity::as_str),
            filter.shop,
            filter.limit
        ];
        Ok(statement.query_map(chosen, |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn last_error(&self, endpoint: &EndpointId) -> Result<Option<String>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT a.last_error FROM questions q
             JOIN attempts a ON a.what = q.endpoint || ' ' || q.topic || ' ' || q.subject
             WHERE q.endpoint = ?1 AND q.state IN ('open', 'unsettled') AND a.last_error IS NOT NULL
             ORDER BY a.attempt_at DESC LIMIT 1",
        )?;
        Ok(statement.query_row([endpoint.as_str()], |row| row.get(0)).optional()?)
    }

    /// One discrepancy, with the record that it concerns.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancy(&self, id: DiscrepancyId) -> Result<Option<DiscrepancyRow>, LedgerError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT a.*, d.detail_json, d.order_id, d.opened_expected_cents, d.opened_actual_cents, d.reminded_for
                 FROM acct_discrepancies a JOIN discrepancies d USING (id) WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok((DiscrepancyRow::read(row)?, row.get::<_, Option<OrderId>>("order_id")?))
            })
            .optional()?;
        let Some((mut row, order_id)) = found else { return Ok(None) };
        if let (Kind::Unconfirmed, Some(endpoint), None) = (row.kind, &row.endpoint, row.closed_at) {
            row.last_error = self.last_error(endpoint)?;
        }
        if let Some(order_id) = order_id {
            let own = if row.kind.is_of_all_payments() {
                None
            } else {
                self.record_of(order_id, row.psp, row.call_number.as_ref())?
            };
            row.records = match own {
                // What settled it may be another payment.
                Some(own) if row.closed_at.is_some() => {
                    let mut all = self.payments_of(order_id)?;
                    let is_own =
                        |record: &Record| record.psp == own.psp && record.call_number == own.call_number;
                    if !all.iter().any(is_own) {
                        all.insert(0, own);
                    }
                    all
                }
                Some(own) => vec![own],
                None if row.kind.is_of_all_payments() => self.payments_of(order_id)?,
                None => Vec::new(),
            };
            row.order = self.order_now(order_id, id)?;
        }
        Ok(Some(row))
    }

    /// How an order stands beside one of its discrepancies.
    fn order_now(&self, order_id: OrderId, beside: DiscrepancyId) -> Result<Option<OrderNow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(ORDER_NOW)?;
        let read = |row: &Row<'_>| {
            let version = match row.get::<_, Option<Cents>>("total_cents")? {
                Some(_) => Some(orders::version(row)?),
                None => None,
            };
            let changed_at = row.get("changed_at")?;
            let total = version.as_ref().map(|version| OrderTotal {
                cents: version.total,
                currency: version.currency,
                changed_at,
            });
            Ok(OrderNow {
                total,
                paid: row.get("paid_cents")?,
                refunded: row.get("refunded_cents")?,
                gap: row.get("gap_cents")?,
                demands: version.map(|version| version.demands()).unwrap_or_default(),
                at: row.get("at")?,
                others_open: row.get("others_open")?,
                same_call: row.get("same_call")?,
            })
        };
        Ok(statement.query_row(params![order_id, beside], read).optional()?)
    }
}
