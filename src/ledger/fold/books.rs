//! What the books need of the fold: statements and the orders that they are about, and the close of a period.

use std::collections::BTreeMap;

use cvco_books::accounting::Books;
use cvco_domain::{Day, Order, OrderKey, Period, Record, ShopId, Timestamp};
use cvco_reconcile::{Fact, assess};
use rusqlite::Connection;

use super::{Fold, Taken};
use crate::ledger::entry::{Close, Entry, ImportedStatement};
use crate::ledger::{LedgerError, closings, orders, records, statements};

impl Fold<'_> {
    /// A statement; lines that are known already are left out, and one that brings no other changes nothing.
    pub(super) fn statement(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        imported: &ImportedStatement,
    ) -> Result<Taken, LedgerError> {
        let statement = &imported.statement;
        let (known, fresh) = statements::news(self.conn, statement)?;
        if fresh.is_empty() {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        self.lines.set(true);
        let statement_id = statements::keep(self.conn, seq, imported, (known, &fresh), &self.policy.rates)?;
        self.attach(statement_id, at)?;
        self.note_reopened_statement(statement_id, statement.paid_on)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// An order as its shop registered it, with the lines of statements that are about it.
    pub(super) fn known_of(&self, order_id: i64, key: &OrderKey) -> Result<Order, LedgerError> {
        let mut order = orders::registered(self.conn, order_id, key)?;
        if self.lines.get() {
            order.payouts = statements::of_order(self.conn, order_id)?;
        }
        Ok(order)
    }

    /// Finds the orders that a statement's lines are about, and assesses those anew.
    fn attach(&self, statement_id: i64, at: Timestamp) -> Result<(), LedgerError> {
        for order_id in statements::attach(self.conn, statement_id)? {
            self.reassess(order_id, at)?;
        }
        self.unknown_lines.set(statements::any_unknown(self.conn)?);
        statements::settle(self.conn, statement_id, &self.policy.rates, at)
    }

    /// An order may explain lines that nobody knew.
    pub(super) fn explain_lines(&self, order_id: i64, at: Timestamp) -> Result<(), LedgerError> {
        for statement_id in statements::explained_by(self.conn, order_id)? {
            self.attach(statement_id, at)?;
            if let Some(paid_on) = statements::paid_on(self.conn, statement_id)? {
                self.note_reopened_statement(statement_id, paid_on)?;
            }
        }
        Ok(())
    }

    /// Notes which part of an order each line of a statement pays out.
    pub(super) fn note_payouts(
        &self,
        (shop, order_id): (&ShopId, i64),
        records: &[Record],
    ) -> Result<(), LedgerError> {
        statements::forget_tenders(self.conn, order_id)?;
        for record in records {
            for (position, tender) in (0_u32..).zip(&record.tenders) {
                for line in &tender.booked.payouts {
                    let place = (record.psp.as_str(), record.call_number.as_str(), position);
                    statements::note_tender(self.conn, (shop, order_id), line, place)?;
                }
            }
        }
        Ok(())
    }

    /// What was booked in a closed period may be other now, or something belongs there that was not booked: the next
    /// close looks at it.
    pub(super) fn note_reopened(&self, order_id: i64, records: &[Record]) -> Result<(), LedgerError> {
        let Some(closed_through) = self.closed_through else { return Ok(()) };
        let days = records.iter().flat_map(|record| &record.tenders).flat_map(|tender| {
            tender.booked.returned.iter().map(|returned| returned.on).chain(tender.booked.received_on)
        });
        if days.min().is_some_and(|day| day <= closed_through) || closings::has_entries(self.conn, order_id)?
        {
            closings::reopen_order(self.conn, order_id)?;
        }
        Ok(())
    }

    fn note_reopened_statement(&self, statement_id: i64, paid_on: Day) -> Result<(), LedgerError> {
        if self.closed_through.is_some_and(|closed_through| paid_on <= closed_through) {
            closings::reopen_statement(self.conn, statement_id)?;
        }
        Ok(())
    }

    /// Enters every tender into the books, without judging what was settled under earlier rules.
    pub(super) fn enter_all(&self, at: Timestamp) -> Result<(), LedgerError> {
        for order_id in orders::all(self.conn)? {
            let key: OrderKey = orders::key(self.conn, order_id)?;
            let facts: Vec<Fact> =
                orders::facts(self.conn, order_id)?.into_iter().map(|(fact, _)| fact).collect();
            let order = self.known_of(order_id, &key)?;
            records::replace(self.conn, order_id, &assess(&order, &facts, &self.policy, at).records)?;
        }
        Ok(())
    }

    /// Closes a period again: books what belongs to it, then writes the close down.
    pub(super) fn close(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        close: &Close,
    ) -> Result<Taken, LedgerError> {
        closings::book(self.conn, close.period, &close.books, at.paris_day())?;
        self.write_close(at, entry, close)
    }

    /// Closes a period. `export` renders what was booked, and gives the digest of each export.
    pub(in crate::ledger) fn take_close<E: From<LedgerError>>(
        &mut self,
        at: Timestamp,
        (period, books): (Period, Books),
        export: impl FnOnce(&Connection) -> Result<BTreeMap<String, String>, E>,
    ) -> Result<(), E> {
        let at = at.max(self.head.at).max(self.swept_at);
        self.sweep(at)?;
        closings::book(self.conn, period, &books, at.paris_day())?;
        let close = Close { period, books, exports: export(self.conn)? };
        self.write_close(at, &Entry::Close(close.clone()), &close)?;
        Ok(())
    }

    fn write_close(&mut self, at: Timestamp, entry: &Entry, close: &Close) -> Result<Taken, LedgerError> {
        let before = self.head.clone();
        let seq = self.append(at, entry, None)?;
        closings::keep(self.conn, (seq, at), &before, close)?;
        self.closed_through = Some(close.period.last());
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }
}
