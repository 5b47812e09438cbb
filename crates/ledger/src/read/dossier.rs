//! All that is known of one order, for the page that shows it.

use cvco_domain::{
    Cents, Currency, Day, DiscrepancyId, EndpointId, Event, Instalment, Issuer, OrderKey, OrderRef,
    OrderVersion, Psp, Record, Seq, ShopId, Source, StatementNumber, Timestamp, Way,
};
use rusqlite::params;

use super::{DiscrepancyRow, QuestionLine, Reader, RelayRow};
use crate::LedgerError;
use crate::tables::ids::OrderId;
use crate::tables::prepared::Prepared;
use crate::tables::{facts, orders};

/// So many lines of one sort are shown of an order; no honest one has as many.
const MOST: u16 = 500;

/// Everything about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// Which one.
    pub key: OrderKey,
    /// Where it stands, by its word in the ledger.
    pub state: String,
    /// What is missing (below zero) or too much of a registered one.
    pub gap: Option<Cents>,
    /// What its shop registered, the earliest first.
    pub versions: Vec<Registered>,
    /// Its payments with their parts, the earliest first; also those of which nothing was accepted.
    pub payments: Vec<Record>,
    /// Its discrepancies, the open ones first.
    pub discrepancies: Vec<DiscrepancyRow>,
    /// What PSPs told of it, in order.
    pub reports: Vec<Reported>,
    /// What people did about its discrepancies.
    pub acts: Vec<Acted>,
    /// E-mails and messages about them.
    pub mails: Vec<Mailed>,
    /// The ways of its calls to the shop's handlers.
    pub relays: Vec<RelayRow>,
    /// What its PSPs' APIs were asked.
    pub questions: Vec<QuestionLine>,
    /// Lines of statements that pay it out.
    pub payouts: Vec<PaidOut>,
    /// What was booked of it.
    pub entries: Vec<BookedLine>,
}

/// A version of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its entry in the log.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// What the customer should pay.
    pub total: Cents,
    /// In which currency.
    pub currency: Currency,
    /// By when.
    pub due: Option<Timestamp>,
    /// What of it by when, where there is a plan.
    pub instalments: Vec<Instalment>,
}

/// What a notification or an answer told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its entry in the log.
    pub seq: Seq,
    /// When it came.
    pub at: Timestamp,
    /// A notification, or the answer of an API.
    pub source: Source,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Who told it.
    pub psp: Psp,
    /// What became of the call; `None` of an answer.
    pub verdict: Option<String>,
    /// How the call came; `None` of an answer.
    pub origin: Option<String>,
    /// What is odd about it.
    pub remark: Option<String>,
    /// SHA-256 of the bytes that carry it.
    pub sha256: Option<String>,
    /// Its link of the log's chain.
    pub chain_hash: Option<String>,
    /// What it says of this order.
    pub events: Vec<Event>,
}

/// What a person did about a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// Its entry in the log.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// The discrepancy.
    pub discrepancy: DiscrepancyId,
    /// `acknowledged`, `noted`, `snoozed`, `withdrawn`.
    pub act: String,
    /// Who.
    pub by: String,
    /// With what words.
    pub note: Option<String>,
    /// Until when it was put aside.
    pub until: Option<Timestamp>,
}

/// A message about a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailed {
    /// On which way.
    pub way: Way,
    /// About which discrepancy.
    pub discrepancy: DiscrepancyId,
    /// `opened`, `reminded`, `escalated`, `closed`.
    pub news: String,
    /// Since when it is owed.
    pub owed_at: Timestamp,
    /// When it left, or was no longer worth sending.
    pub done_at: Option<Timestamp>,
    /// `sent`, `superseded`.
    pub outcome: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PaidOut {
    /// Whose statement.
    pub issuer: Issuer,
    /// Its number.
    pub statement: StatementNumber,
    /// The line.
    pub line: i64,
    /// When it was paid.
    pub paid_on: Day,
    /// What, before commission.
    pub amount: Cents,
    /// What the issuer kept.
    pub commission: Cents,
    /// By what it was found to be this order's.
    pub matched_by: Option<String>,
}

/// A line of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedLine {
    /// The entry's number.
    pub number: String,
    /// Its date.
    pub on: Day,
    /// Its journal.
    pub journal: String,
    /// What it is about.
    pub label: String,
    /// The account.
    pub account: String,
    /// Debit.
    pub debit: Cents,
    /// Credit.
    pub credit: Cents,
    /// Its letter.
    pub letter: Option<String>,
}

const VERSIONS: &str =
    "SELECT seq, registered_at, total_cents, currency, due, instalments FROM order_versions
     WHERE order_id = ?1 ORDER BY version LIMIT ?2";
const DISCREPANCIES: &str = "SELECT id FROM discrepancies WHERE order_id = ?1
     ORDER BY closed_at IS NOT NULL, CASE severity WHEN 'urgent' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id LIMIT ?2";
const CALLS: &str = "SELECT f.seq, n.verdict, n.origin, n.remark, n.payload_sha256, n.chain_hash
     FROM facts f LEFT JOIN notifications n ON n.seq = f.seq WHERE f.order_id = ?1 ORDER BY f.seq, f.position";
const ACTS: &str = "SELECT a.seq, a.at, a.discrepancy_id, a.act, a.by, a.note, a.until
     FROM discrepancies d CROSS JOIN acts a ON a.discrepancy_id = d.id WHERE d.order_id = ?1 ORDER BY a.seq LIMIT ?2";
const MAILS: &str = "SELECT o.way, o.discrepancy_id, o.news, o.owed_at, o.done_at, o.outcome, a.last_error
     FROM discrepancies d CROSS JOIN owed o ON o.discrepancy_id = d.id LEFT JOIN attempts a ON a.what = o.message_id
     WHERE d.order_id = ?1 ORDER BY o.id LIMIT ?2";
const PAYOUTS: &str =
    "SELECT s.issuer, s.number, l.position, l.paid_on, l.amount_cents, l.commission_cents, l.matched_by
     FROM statement_lines l CROSS JOIN statements s ON s.statement_id = l.statement_id
     WHERE l.order_id = ?1 ORDER BY l.paid_on, s.number, l.position LIMIT ?2";
const ENTRIES: &str =
    "SELECT EcritureNum, EcritureDate, JournalCode, EcritureLib, CompteNum, Debit, Credit, EcritureLet
     FROM entries WHERE order_id = ?1 ORDER BY line LIMIT ?2";

impl Reader {
    /// All that is known of an order; `None` if there is none of this name.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn dossier(&self, key: &OrderKey) -> Result<Option<Dossier>, LedgerError> {
        let snapshot = self.conn.unchecked_transaction()?;
        let Some(order_id) = self.named(key)? else { return Ok(None) };
        let key = orders::key(&self.conn, order_id)?;
        let (state, gap) = self
            .conn
            .prepare_cached("SELECT state, gap_cents FROM orders WHERE order_id = ?1")?
            .query_row([order_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let reports = self.reported(order_id, &key)?;
        let dossier = Dossier {
            versions: self.versions(order_id)?,
            payments: self.all_payments_of(order_id)?,
            discrepancies: self.discrepancies_about(order_id)?,
            relays: self.relays_about(&reports)?,
            reports,
            acts: self.acts_about(order_id)?,
            mails: self.mails_about(order_id)?,
            questions: self.questions_of(order_id)?,
            payouts: self.payouts_of(order_id)?,
            entries: self.entries_of(order_id)?,
            key,
            state,
            gap,
        };
        drop(snapshot);
        Ok(Some(dossier))
    }

    /// The orders that a text names: by their reference in one shop or several, or else by the number of a payment.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn orders_called(&self, text: &str) -> Result<Vec<OrderKey>, LedgerError> {
        for query in [
            "SELECT order_id FROM orders WHERE reference = ?1 ORDER BY order_id LIMIT 100",
            "SELECT DISTINCT order_id FROM records WHERE call_number = ?1 ORDER BY order_id LIMIT 100",
        ] {
            let mut ids = self.conn.prepare_cached(query)?;
            let ids: Vec<OrderId> = ids.query_map([text], |row| row.get(0))?.collect::<Result<_, _>>()?;
            if !ids.is_empty() {
                return ids.into_iter().map(|id| orders::key(&self.conn, id)).collect();
            }
        }
        Ok(Vec::new())
    }

    /// An order by its name. A payment that found its order later is a part of that.
    fn named(&self, key: &OrderKey) -> Result<Option<OrderId>, LedgerError> {
        if let Some(id) = orders::find(&Prepared::new(&self.conn), key)? {
            return Ok(Some(id));
        }
        let OrderKey::Call(shop, psp, call) = key else { return Ok(None) };
        let mut orders = self.conn.prepare_cached(
            "SELECT r.order_id FROM records r CROSS JOIN orders o ON o.order_id = r.order_id
             WHERE r.call_number = ?1 AND r.psp = ?2 AND o.shop = ?3 LIMIT 1",
        )?;
        let mut rows = orders.query(params![call.as_str(), psp.as_str(), shop.as_str()])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    fn versions(&self, order_id: OrderId) -> Result<Vec<Registered>, LedgerError> {
        let mut rows = self.conn.prepare_cached(VERSIONS)?;
        let rows = rows.query_map(params![order_id, MOST], |row| {
            let OrderVersion { total, currency, due, instalments, registered_at } = orders::version(row)?;
            Ok(Registered { seq: row.get(0)?, at: registered_at, total, currency, due, instalments })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn discrepancies_about(&self, order_id: OrderId) -> Result<Vec<DiscrepancyRow>, LedgerError> {
        let mut ids = self.conn.prepare_cached(DISCREPANCIES)?;
        let ids: Vec<DiscrepancyId> =
            ids.query_map(params![order_id, MOST], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ids.into_iter().filter_map(|id| self.discrepancy(id).transpose()).collect()
    }

    fn reported(&self, order_id: OrderId, key: &OrderKey) -> Result<Vec<Reported>, LedgerError> {
        let mut calls = self.conn.prepare_cached(CALLS)?;
        let mut calls = calls.query([order_id])?;
        let mut reports: Vec<Reported> = Vec::new();
        // Both are in the same order, one row for each event.
        for fact in facts::of_order(&Prepared::new(&self.conn), order_id, key)? {
            let Some(row) = calls.next()? else { break };
            let seq: Seq = row.get(0)?;
            if let Some(report) = reports.last_mut().filter(|report| report.seq == seq) {
                report.events.push(fact.event);
                continue;
            }
            if reports.len() >= usize::from(MOST) {
                break;
            }
            reports.push(Reported {
                seq,
                at: fact.received_at,
                source: fact.source,
                endpoint: fact.endpoint,
                psp: fact.psp,
                verdict: row.get(1)?,
                origin: row.get(2)?,
                remark: row.get(3)?,
                sha256: row.get(4)?,
                chain_hash: row.get(5)?,
                events: vec![fact.event],
            });
        }
        Ok(reports)
    }

    fn relays_about(&self, reports: &[Reported]) -> Result<Vec<RelayRow>, LedgerError> {
        let calls = reports.iter().filter(|report| report.verdict.is_some());
        calls.map(|report| self.relays_of(report.seq)).collect::<Result<Vec<_>, _>>().map(|all| all.concat())
    }

    fn acts_about(&self, order_id: OrderId) -> Result<Vec<Acted>, LedgerError> {
        let mut rows = self.conn.prepare_cached(ACTS)?;
        let rows = rows.query_map(params![order_id, MOST], acted)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What people did about one discrepancy.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn acts_on(&self, id: DiscrepancyId) -> Result<Vec<Acted>, LedgerError> {
        let mut rows = self.conn.prepare_cached(
            "SELECT seq, at, discrepancy_id, act, by, note, until FROM acts WHERE discrepancy_id = ?1
             ORDER BY seq LIMIT ?2",
        )?;
        let rows = rows.query_map(params![id, MOST], acted)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn mails_about(&self, order_id: OrderId) -> Result<Vec<Mailed>, LedgerError> {
        let mut rows = self.conn.prepare_cached(MAILS)?;
        let rows = rows.query_map(params![order_id, MOST], |row| {
            Ok(Mailed {
                way: row.get(0)?,
                discrepancy: row.get(1)?,
                news: row.get(2)?,
                owed_at: row.get(3)?,
                done_at: row.get(4)?,
                outcome: row.get(5)?,
                last_error: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn payouts_of(&self, order_id: OrderId) -> Result<Vec<PaidOut>, LedgerError> {
        let mut rows = self.conn.prepare_cached(PAYOUTS)?;
        let rows = rows.query_map(params![order_id, MOST], |row| {
            Ok(PaidOut {
                issuer: row.get(0)?,
                statement: row.get(1)?,
                line: row.get(2)?,
                paid_on: row.get(3)?,
                amount: row.get(4)?,
                commission: row.get(5)?,
                matched_by: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn entries_of(&self, order_id: OrderId) -> Result<Vec<BookedLine>, LedgerError> {
        let mut rows = self.conn.prepare_cached(ENTRIES)?;
        let rows = rows.query_map(params![order_id, MOST], |row| {
            Ok(BookedLine {
                number: row.get(0)?,
                on: row.get(1)?,
                journal: row.get(2)?,
                label: row.get(3)?,
                account: row.get(4)?,
                debit: row.get(5)?,
                credit: row.get(6)?,
                letter: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The digest of the bytes that an entry was read from, if it was read from any.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn payload_digest(&self, seq: Seq) -> Result<Option<String>, LedgerError> {
        let mut rows = self.conn.prepare_cached("SELECT payload_sha256 FROM notifications WHERE seq = ?1")?;
        let mut rows = rows.query([seq])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.flatten())
    }
}

fn acted(row: &rusqlite::Row<'_>) -> rusqlite::Result<Acted> {
    Ok(Acted {
        seq: row.get(0)?,
        at: row.get(1)?,
        discrepancy: row.get(2)?,
        act: row.get(3)?,
        by: row.get(4)?,
        note: row.get(5)?,
        until: row.get(6)?,
    })
}

impl Dossier {
    /// Its reference, if it has one.
    #[must_use]
    pub const fn reference(&self) -> Option<&OrderRef> {
        self.key.reference()
    }

    /// Whose it is.
    #[must_use]
    pub const fn shop(&self) -> &ShopId {
        self.key.shop()
    }
}

#[cfg(test)]
pub(super) mod plans {
    pub(in crate::read) const ALL: [&str; 7] = [
        super::VERSIONS,
        super::DISCREPANCIES,
        super::CALLS,
        super::ACTS,
        super::MAILS,
        super::PAYOUTS,
        super::ENTRIES,
    ];
}
