//! The register: records and their tenders.

use rusqlite::{Row, ToSql, params};

use super::Reader;
use crate::LedgerError;
use crate::tables::ids::OrderId;
use cvco_domain::{Booked, CallNumber, ExpectedFrom, Psp, Record, RecordState, Tender};

/// Which records to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only those in this state.
    pub state: Option<RecordState>,
    /// Only this shop's.
    pub shop: Option<String>,
    /// Only those of this order.
    pub order_ref: Option<String>,
    /// No more than so many, the latest first.
    pub limit: u32,
}

/// A row of `acct_register`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the columns of acct_register, by their names")]
pub struct RecordRow {
    pub shop: String,
    pub psp: String,
    pub endpoint: String,
    pub mode: String,
    pub order_ref: Option<String>,
    pub call_number: String,
    pub currency: String,
    pub expected_cents: Option<i64>,
    pub expected_from: Option<String>,
    pub voucher_cents: i64,
    pub card_cents: i64,
    pub paid_cents: i64,
    pub refunded_cents: i64,
    pub taken_back_cents: i64,
    pub gap_cents: Option<i64>,
    pub state: String,
    pub first_seen_at: String,
    pub authorised_at: Option<String>,
    pub captured_at: Option<String>,
    pub settled_at: Option<String>,
    pub open_discrepancies: i64,
}

/// A row of `acct_tenders`, without its record's key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the columns of acct_tenders, by their names")]
pub struct TenderRow {
    pub psp: String,
    pub call_number: String,
    pub tender_id: Option<String>,
    pub instrument: String,
    pub brand: String,
    pub issuer: String,
    pub currency: String,
    pub amount_cents: i64,
    pub refunded_cents: i64,
    pub taken_back_cents: i64,
    pub state: String,
    pub authorisation: Option<String>,
    pub authorised_at: Option<String>,
}

impl TenderRow {
    /// All that went back was taken by banks: that is no refund.
    #[must_use]
    pub const fn is_charged_back(&self) -> bool {
        self.taken_back_cents > 0 && self.taken_back_cents >= self.refunded_cents
    }
}

impl RecordRow {
    /// All that went back was taken by banks: that is no refund.
    #[must_use]
    pub const fn is_charged_back(&self) -> bool {
        self.taken_back_cents > 0 && self.taken_back_cents >= self.refunded_cents
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            shop: row.get("shop")?,
            psp: row.get("psp")?,
            endpoint: row.get("endpoint")?,
            mode: row.get("mode")?,
            order_ref: row.get("order_ref")?,
            call_number: row.get("call_number")?,
            currency: row.get("currency")?,
            expected_cents: row.get("expected_cents")?,
            expected_from: row.get("expected_from")?,
            voucher_cents: row.get("voucher_cents")?,
            card_cents: row.get("card_cents")?,
            paid_cents: row.get("paid_cents")?,
            refunded_cents: row.get("refunded_cents")?,
            taken_back_cents: row.get("taken_back_cents")?,
            gap_cents: row.get("gap_cents")?,
            state: row.get("state")?,
            first_seen_at: row.get("first_seen_at")?,
            authorised_at: row.get("authorised_at")?,
            captured_at: row.get("captured_at")?,
            settled_at: row.get("settled_at")?,
            open_discrepancies: row.get("open_discrepancies")?,
        })
    }
}

impl Reader {
    /// Lists records, the latest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn records(&self, filter: &RecordFilter) -> Result<Vec<RecordRow>, LedgerError> {
        let state = filter.state.map(RecordState::as_str);
        // Only the conditions that are asked for: with `? IS NULL OR …` SQLite could use no index.
        let wanted: [(&str, &dyn ToSql, bool); 3] = [
            ("state = ?", &state, state.is_some()),
            ("shop = ?", &filter.shop, filter.shop.is_some()),
            ("order_ref = ?", &filter.order_ref, filter.order_ref.is_some()),
        ];
        let (mut conditions, mut values) = (vec!["TRUE"], Vec::<&dyn ToSql>::new());
        for (condition, value, asked) in wanted {
            if asked {
                conditions.push(condition);
                values.push(value);
            }
        }
        values.push(&filter.limit);
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT * FROM acct_register WHERE {} ORDER BY first_seen_at DESC, call_number LIMIT ?",
            conditions.join(" AND ")
        ))?;
        let rows = statement.query_map(values.as_slice(), RecordRow::read)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The records of one order, in a fixed order: those of a reference, or of a payment without one.
    pub(super) fn records_of(
        &self,
        shop: &str,
        reference: Option<&str>,
        call_number: Option<&str>,
    ) -> Result<Vec<RecordRow>, LedgerError> {
        let condition = match reference {
            Some(_) => "order_ref = ?2",
            None => "order_ref IS NULL AND call_number = ?2",
        };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT * FROM acct_register WHERE shop = ?1 AND {condition} ORDER BY psp, call_number"
        ))?;
        let rows = statement
            .query_map(params![shop, reference.or(call_number)], RecordRow::read)?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    pub(super) fn tenders_of(&self, order_id: OrderId) -> Result<Vec<TenderRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT * FROM tenders WHERE order_id = ?1 ORDER BY psp, call_number, position",
        )?;
        let rows = statement
            .query_map([order_id], |row| {
                Ok(TenderRow {
                    psp: row.get("psp")?,
                    call_number: row.get("call_number")?,
                    tender_id: row.get("tender_id")?,
                    instrument: row.get("instrument")?,
                    brand: row.get("brand")?,
                    issuer: row.get("issuer")?,
                    currency: row.get("currency")?,
                    amount_cents: row.get("amount_cents")?,
                    refunded_cents: row.get("refunded_cents")?,
                    taken_back_cents: row.get("taken_back_cents")?,
                    state: row.get("state")?,
                    authorisation: row.get("authorisation")?,
                    authorised_at: row.get("authorised_at")?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The record named, or the order's only one, as the domain has it.
    pub(super) fn record_of(
        &self,
        order_id: OrderId,
        psp: Option<Psp>,
        call: Option<&CallNumber>,
    ) -> Result<Option<Record>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT * FROM records
             WHERE order_id = ?1 AND (?2 IS NULL OR psp = ?2) AND (?3 IS NULL OR call_number = ?3) LIMIT 2",
        )?;
        let mut records = statement
            .query_map(params![order_id, psp.map(Psp::as_str), call.map(CallNumber::as_str)], head)?
            .collect::<Result<Vec<_>, _>>()?;
        let (Some(mut record), true) = (records.pop(), records.is_empty()) else { return Ok(None) };
        record.tenders = self.tenders_of_record(order_id, &record)?;
        Ok(Some(record))
    }

    /// The payments of an order, the earliest first: its records of which something was accepted, or else all.
    pub(super) fn payments_of(&self, order_id: OrderId) -> Result<Vec<Record>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT * FROM records WHERE order_id = ?1
               AND (paid_cents > 0 OR NOT EXISTS (SELECT 1 FROM records WHERE order_id = ?1 AND paid_cents > 0))
             ORDER BY COALESCE(authorised_at, first_seen_at), psp, call_number",
        )?;
        let mut records = statement.query_map([order_id], head)?.collect::<Result<Vec<_>, _>>()?;
        for record in &mut records {
            record.tenders = self.tenders_of_record(order_id, record)?;
        }
        Ok(records)
    }

    /// Every payment of an order, the earliest first.
    pub(super) fn all_payments_of(&self, order_id: OrderId) -> Result<Vec<Record>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT * FROM records WHERE order_id = ?1 ORDER BY COALESCE(authorised_at, first_seen_at), psp, call_number",
        )?;
        let mut records = statement.query_map([order_id], head)?.collect::<Result<Vec<_>, _>>()?;
        for record in &mut records {
            record.tenders = self.tenders_of_record(order_id, record)?;
        }
        Ok(records)
    }

    fn tenders_of_record(&self, order_id: OrderId, record: &Record) -> Result<Vec<Tender>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT * FROM tenders WHERE order_id = ?1 AND psp = ?2 AND call_number = ?3 ORDER BY position",
        )?;
        let tenders = statement
            .query_map(params![order_id, record.psp.as_str(), record.call_number.as_str()], |row| {
                Ok(Tender {
                    id: row.get("tender_id")?,
                    instrument: row.get("instrument")?,
                    brand: row.get("brand")?,
                    issuer: row.get("issuer")?,
                    state: row.get("state")?,
                    amount: row.get("amount_cents")?,
                    currency: row.get("currency")?,
                    refunded: row.get("refunded_cents")?,
                    taken_back: row.get("taken_back_cents")?,
                    authorisation: row.get("authorisation")?,
                    contract: row.get("contract")?,
                    endpoint: row.get("endpoint")?,
                    complement: row.get("complement")?,
                    first_seen_at: row.get("first_seen_at")?,
                    authorised_at: row.get("authorised_at")?,
                    captured_at: row.get("captured_at")?,
                    refunded_at: row.get("refunded_at")?,
                    booked: Booked {
                        received_on: row.get("received_on")?,
                        settled: row.get("settled_cents")?,
                        settled_on: row.get("settled_on")?,
                        ..Booked::default()
                    },
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(tenders)
    }
}

/// A record, without its tenders.
fn head(row: &Row<'_>) -> rusqlite::Result<Record> {
    let expected = row.get::<_, Option<_>>("expected_cents")?;
    Ok(Record {
        psp: row.get("psp")?,
        call_number: row.get("call_number")?,
        endpoint: row.get("endpoint")?,
        mode: row.get("mode")?,
        currency: row.get("currency")?,
        expected: expected.zip(row.get::<_, Option<ExpectedFrom>>("expected_from")?),
        state: row.get("state")?,
        tenders: Vec::new(),
        refunding: row.get("refunding_cents")?,
        counts: row.get("counts")?,
    })
}
