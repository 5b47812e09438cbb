//! Reading the ledger: for the command line, the orders API and the alerts. Readers open the file for
//! themselves and never hinder the writer.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::crypto::SealKey;
use crate::domain::{
    AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, EndpointId, ExpectedFrom, Instrument,
    Kind, Mode, OrderRef, Psp, Record, RecordState, ShopId, Tender, TenderId, Timestamp,
};

use super::payload::{self, Envelope};
use super::{LedgerError, schema};

/// A connection that only reads.
pub struct Reader {
    conn: Connection,
}

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
    pub call_number: String,
    pub tender_id: Option<String>,
    pub instrument: String,
    pub brand: String,
    pub amount_cents: i64,
    pub refunded_cents: i64,
    pub state: String,
    pub authorisation: Option<String>,
    pub authorised_at: Option<String>,
}

/// A discrepancy with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscrepancyRow {
    /// Its number.
    pub id: i64,
    /// The rule.
    pub kind: Kind,
    /// Whose it is.
    pub shop: ShopId,
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
    /// The particulars.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// When, by whom and with what note it was acknowledged.
    pub acked: Option<(Timestamp, String, String)>,
    /// The record concerned, or the order's only one.
    pub record: Option<Record>,
}

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
    /// What a notification amounted to.
    pub verdict: Option<String>,
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
    /// What happened, in order.
    pub log: Vec<LogLine>,
}

impl Reader {
    /// Opens the ledger for reading.
    ///
    /// # Errors
    /// There is no ledger, or it is of another version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { conn: schema::open_for_reading(path)? })
    }

    /// Lists records, the latest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn records(&self, filter: &RecordFilter) -> Result<Vec<RecordRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT shop, psp, endpoint, mode, order_ref, call_number, currency, expected_cents, expected_from,
                    voucher_cents, card_cents, paid_cents, refunded_cents, gap_cents, state, first_seen_at,
                    authorised_at, captured_at, settled_at, open_discrepancies
             FROM acct_register
             WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR shop = ?2) AND (?3 IS NULL OR order_ref = ?3)
             ORDER BY first_seen_at DESC, call_number LIMIT ?4",
        )?;
        let state = filter.state.map(RecordState::as_str);
        let rows = statement
            .query_map(params![state, filter.shop, filter.order_ref, filter.limit], record_row)?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The stories of all orders of this reference (one a shop), or of the payment of this call number.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn stories(&self, reference: &str) -> Result<Vec<OrderStory>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT order_id, shop, reference, state FROM orders WHERE reference = ?1
             UNION SELECT o.order_id, o.shop, o.reference, o.state
             FROM orders o JOIN records r USING (order_id) WHERE r.call_number = ?1
             ORDER BY 1",
        )?;
        let found: Vec<(i64, String, Option<String>, String)> = statement
            .query_map([reference], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        found
            .into_iter()
            .map(|(order_id, shop, reference, state)| {
                Ok(OrderStory {
                    records: self.records_of(order_id)?,
                    tenders: self.tenders_of(order_id)?,
                    discrepancies: self.ids_of(order_id)?,
                    log: self.log_of(order_id)?,
                    shop,
                    reference,
                    state,
                })
            })
            .collect()
    }

    fn records_of(&self, order_id: i64) -> Result<Vec<RecordRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.shop, r.psp, r.endpoint, r.mode, o.reference, r.call_number, r.currency, r.expected_cents,
                    r.expected_from, r.voucher_cents, r.card_cents, r.paid_cents, r.refunded_cents,
                    r.paid_cents - r.expected_cents, r.state, r.first_seen_at, r.authorised_at, r.captured_at,
                    r.settled_at,
                    (SELECT COUNT(*) FROM discrepancies d
                      WHERE d.order_id = r.order_id AND d.closed_at IS NULL
                        AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number)))
             FROM records r JOIN orders o USING (order_id) WHERE r.order_id = ?1 ORDER BY r.psp, r.call_number",
        )?;
        let rows = statement.query_map([order_id], record_row)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn tenders_of(&self, order_id: i64) -> Result<Vec<TenderRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT call_number, tender_id, instrument, brand, amount_cents, refunded_cents, state,
                    authorisation, authorised_at
             FROM tenders WHERE order_id = ?1 ORDER BY psp, call_number, position",
        )?;
        let rows = statement
            .query_map([order_id], |row| {
                Ok(TenderRow {
                    call_number: row.get(0)?,
                    tender_id: row.get(1)?,
                    instrument: row.get(2)?,
                    brand: row.get(3)?,
                    amount_cents: row.get(4)?,
                    refunded_cents: row.get(5)?,
                    state: row.get(6)?,
                    authorisation: row.get(7)?,
                    authorised_at: row.get(8)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn ids_of(&self, order_id: i64) -> Result<Vec<i64>, LedgerError> {
        let mut statement =
            self.conn.prepare_cached("SELECT id FROM discrepancies WHERE order_id = ?1 ORDER BY id")?;
        let ids = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }

    fn log_of(&self, order_id: i64) -> Result<Vec<LogLine>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT l.seq, l.at, l.kind, l.endpoint, l.verdict, l.content FROM log l
             WHERE l.seq IN (SELECT seq FROM events WHERE order_id = ?1
                             UNION SELECT seq FROM order_versions WHERE order_id = ?1)
             ORDER BY l.seq",
        )?;
        let rows = statement
            .query_map([order_id], |row| {
                Ok(LogLine {
                    seq: row.get(0)?,
                    at: row.get(1)?,
                    kind: row.get(2)?,
                    endpoint: row.get(3)?,
                    verdict: row.get(4)?,
                    content: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// Lists discrepancies, the latest first: the open ones, or all.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancies(&self, open_only: bool, limit: u32) -> Result<Vec<DiscrepancyRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM discrepancies WHERE ?1 = 0 OR closed_at IS NULL ORDER BY id DESC LIMIT ?2",
        )?;
        let ids: Vec<i64> =
            statement.query_map(params![open_only, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ids.into_iter().filter_map(|id| self.discrepancy(id).transpose()).collect()
    }

    /// One discrepancy, with the record that it concerns.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancy(&self, id: i64) -> Result<Option<DiscrepancyRow>, LedgerError> {
        let corrupt = || LedgerError::CorruptRow { table: "discrepancies", id };
        let found = self
            .conn
            .prepare_cached(
                "SELECT d.kind, d.shop, d.endpoint, d.order_id, d.psp, COALESCE(d.call_number, o.call_number),
                        o.reference, d.expected_cents, d.actual_cents, d.detail, d.opened_at, d.closed_at,
                        d.acked_at, d.acked_by, d.acked_note
                 FROM discrepancies d LEFT JOIN orders o USING (order_id) WHERE d.id = ?1",
            )?
            .query_row([id], |row| {
                Ok((row.get::<_, Option<i64>>(3)?, TextRow::read(row, &[0, 1, 2, 4, 5, 6, 9, 10, 11, 12, 13, 14])?,
                    row.get::<_, Option<i64>>(7)?, row.get::<_, Option<i64>>(8)?))
            })
            .optional()?;
        let Some((order_id, text, expected, actual)) = found else { return Ok(None) };
        let time = |column| -> Result<Option<Timestamp>, LedgerError> {
            text.get(column).map(|t| Timestamp::parse(t).map_err(|_| corrupt())).transpose()
        };
        let acked = match (time(12)?, text.get(13), text.get(14)) {
            (Some(at), by, note) => {
                Some((at, by.unwrap_or_default().to_owned(), note.unwrap_or_default().to_owned()))
            }
            (None, _, _) => None,
        };
        let psp = text.get(4).map(|t| t.parse::<Psp>().map_err(|_| corrupt())).transpose()?;
        let call_number = text.get(5).map(|t| CallNumber::new(t).map_err(|_| corrupt())).transpose()?;
        let record = match order_id {
            Some(order_id) => self.record_of(order_id, psp, call_number.as_ref())?,
            None => None,
        };
        Ok(Some(DiscrepancyRow {
            id,
            kind: text.get(0).and_then(|t| t.parse().ok()).ok_or_else(corrupt)?,
            shop: text.get(1).and_then(|t| ShopId::new(t).ok()).ok_or_else(corrupt)?,
            psp,
            endpoint: text.get(2).map(|t| EndpointId::new(t).map_err(|_| corrupt())).transpose()?,
            order_ref: text.get(6).map(|t| OrderRef::new(t).map_err(|_| corrupt())).transpose()?,
            call_number,
            expected: expected.map(Cents::new),
            actual: actual.map(Cents::new),
            detail: text.get(9).unwrap_or_default().to_owned(),
            opened_at: time(10)?.ok_or_else(corrupt)?,
            closed_at: time(11)?,
            acked,
            record,
        }))
    }

    /// The record named, or the order's only one.
    fn record_of(
        &self,
        order_id: i64,
        psp: Option<Psp>,
        call: Option<&CallNumber>,
    ) -> Result<Option<Record>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT psp, call_number, endpoint, mode, currency, expected_cents, expected_from, state FROM records
             WHERE order_id = ?1 AND (?2 IS NULL OR psp = ?2) AND (?3 IS NULL OR call_number = ?3) LIMIT 2",
        )?;
        let rows: Vec<(TextRow, Option<i64>)> = statement
            .query_map(params![order_id, psp.map(Psp::as_str), call.map(CallNumber::as_str)], |row| {
                Ok((TextRow::read(row, &[0, 1, 2, 3, 4, 6, 7])?, row.get(5)?))
            })?
            .collect::<Result<_, _>>()?;
        let [(text, expected)] = rows.as_slice() else { return Ok(None) };
        let corrupt = || LedgerError::CorruptRow { table: "records", id: order_id };
        let need = |column| text.get(column).ok_or_else(corrupt);
        let call_number = CallNumber::new(need(1)?).map_err(|_| corrupt())?;
        let psp: Psp = need(0)?.parse().map_err(|_| corrupt())?;
        let from = match text.get(6) {
            Some("order") => Some(ExpectedFrom::Order),
            Some("psp") => Some(ExpectedFrom::Psp),
            Some(_) => return Err(corrupt()),
            None => None,
        };
        Ok(Some(Record {
            psp,
            endpoint: EndpointId::new(need(2)?).map_err(|_| corrupt())?,
            mode: need(3)?.parse::<Mode>().map_err(|_| corrupt())?,
            currency: Currency::parse(need(4)?).map_err(|_| corrupt())?,
            expected: expected.map(Cents::new).zip(from),
            state: need(7)?.parse().map_err(|_| corrupt())?,
            tenders: self.tenders_of_record(order_id, psp, &call_number)?,
            call_number,
        }))
    }

    fn tenders_of_record(
        &self,
        order_id: i64,
        psp: Psp,
        call: &CallNumber,
    ) -> Result<Vec<Tender>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT tender_id, instrument, brand, currency, state, authorisation, contract, endpoint,
                    first_seen_at, authorised_at, captured_at, refunded_at,
                    amount_cents, refunded_cents, complement
             FROM tenders WHERE order_id = ?1 AND psp = ?2 AND call_number = ?3 ORDER BY position",
        )?;
        let rows: Vec<(TextRow, i64, i64, bool)> = statement
            .query_map(params![order_id, psp.as_str(), call.as_str()], |row| {
                let text = TextRow::read(row, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])?;
                Ok((text, row.get(12)?, row.get(13)?, row.get(14)?))
            })?
            .collect::<Result<_, _>>()?;
        rows.iter()
            .map(|(text, amount, refunded, complement)| {
                tender(text, (*amount, *refunded), *complement)
                    .ok_or(LedgerError::CorruptRow { table: "tenders", id: order_id })
            })
            .collect()
    }

    /// The raw request behind a log entry; `None` if it was purged.
    ///
    /// # Errors
    /// Another key, or changed bytes.
    pub fn payload(&self, key: &SealKey, seq: i64) -> Result<Option<Envelope>, LedgerError> {
        payload::open(&self.conn, key, seq)
    }

    /// Whether the ledger answers a query at all: for readiness.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn ping(&self) -> Result<(), LedgerError> {
        self.conn.query_row("SELECT COUNT(*) FROM progress", [], |_| Ok(())).map_err(Into::into)
    }

    /// E-mails that wait to be sent, and the last error of one that failed, if any did.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn mails_waiting(&self) -> Result<(i64, Option<String>), LedgerError> {
        Ok(self.conn.query_row(
            "SELECT COUNT(*), MAX(last_error) FROM outbox WHERE done_at IS NULL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    }
}

/// Text columns of one row, by their position in the query.
struct TextRow(Vec<(usize, Option<String>)>);

impl TextRow {
    fn read(row: &Row<'_>, columns: &[usize]) -> rusqlite::Result<Self> {
        columns
            .iter()
            .map(|column| Ok((*column, row.get::<_, Option<String>>(*column)?)))
            .collect::<rusqlite::Result<_>>()
            .map(Self)
    }

    fn get(&self, column: usize) -> Option<&str> {
        self.0.iter().find(|(at, _)| *at == column).and_then(|(_, text)| text.as_deref())
    }
}

fn tender(text: &TextRow, (amount, refunded): (i64, i64), complement: bool) -> Option<Tender> {
    let time = |column| match text.get(column) {
        Some(text) => Timestamp::parse(text).ok().map(Some),
        None => Some(None),
    };
    Some(Tender {
        id: text.get(0).and_then(|t| TenderId::new(t).ok()),
        instrument: match text.get(1)? {
            "voucher" => Instrument::Voucher,
            "card" => Instrument::Card,
            _ => return None,
        },
        brand: Brand::new(text.get(2)?).ok()?,
        state: text.get(4)?.parse().ok()?,
        amount: Cents::new(amount),
        currency: Currency::parse(text.get(3)?).ok()?,
        refunded: Cents::new(refunded),
        authorisation: text.get(5).and_then(|t| AuthorisationNumber::new(t).ok()),
        contract: text.get(6).and_then(|t| Contract::new(t).ok()),
        endpoint: EndpointId::new(text.get(7)?).ok()?,
        complement,
        first_seen_at: time(8)??,
        authorised_at: time(9)?,
        captured_at: time(10)?,
        refunded_at: time(11)?,
    })
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        shop: row.get(0)?,
        psp: row.get(1)?,
        endpoint: row.get(2)?,
        mode: row.get(3)?,
        order_ref: row.get(4)?,
        call_number: row.get(5)?,
        currency: row.get(6)?,
        expected_cents: row.get(7)?,
        expected_from: row.get(8)?,
        voucher_cents: row.get(9)?,
        card_cents: row.get(10)?,
        paid_cents: row.get(11)?,
        refunded_cents: row.get(12)?,
        gap_cents: row.get(13)?,
        state: row.get(14)?,
        first_seen_at: row.get(15)?,
        authorised_at: row.get(16)?,
        captured_at: row.get(17)?,
        settled_at: row.get(18)?,
        open_discrepancies: row.get(19)?,
    })
}
