//! What the books need of the fold: statements and the orders that they are about, and the close of a period.

use std::collections::BTreeMap;

use cvco_domain::{Day, LineId, Order, OrderKey, PaidShare, Record, Seq, ShopId, Timestamp};
use cvco_log::entry::{Close, ImportedStatement};

use super::Fold;
use crate::tables::ids::{OrderId, StatementId};
use crate::tables::statements::{self, News, PaidPart};
use crate::tables::{orders, questions, set_aside};
use crate::{LedgerError, close};

impl Fold<'_> {
    /// A statement; what is known of it already is left out.
    pub(super) fn statement(
        &self,
        seq: Seq,
        at: Timestamp,
        imported: &ImportedStatement,
    ) -> Result<(), LedgerError> {
        let statement = &imported.statement;
        let fresh = match statements::news(self.conn, statement)? {
            News::Contradiction { known } => {
                let reason = statements::contradiction(statement, known);
                return set_aside::refuse(self.conn, seq, &reason);
            }
            News::Fresh(fresh) if fresh.is_nothing() => return Ok(()),
            News::Fresh(fresh) => fresh,
        };
        self.flags.has_lines.set(true);
        let rates = &self.progress.policy.rates;
        let statement_id = statements::insert(self.conn, seq, imported, &fresh, rates)?;
        for order_id in statements::orders_of_corrected(self.conn, statement_id, &fresh.corrected)? {
            self.reassess(order_id, at)?;
        }
        self.match_lines(statement_id, at)?;
        self.note_reopened_statement(statement_id, statement.paid_on)
    }

    /// An order as its shop registered it, with what PSPs answered about it and the lines of statements that are about it.
    pub(super) fn expected_of(&self, order_id: OrderId, key: &OrderKey) -> Result<Order, LedgerError> {
        let mut order = orders::registered(&self.db, order_id, key)?;
        if self.flags.has_questions.get() {
            let answers = questions::of_order(self.conn, order_id)?;
            order.awaits_answer = answers.awaited;
            order.unknown_to = answers.unknown_to;
            order.settled = answers.settled;
        }
        if self.flags.has_lines.get() {
            order.payouts = statements::of_order(self.conn, order_id)?;
        }
        Ok(order)
    }

    /// Finds the orders that a statement's lines are about, and assesses those again.
    fn match_lines(&self, statement_id: StatementId, at: Timestamp) -> Result<(), LedgerError> {
        for order_id in statements::match_lines(self.conn, statement_id)? {
            self.reassess(order_id, at)?;
        }
        self.flags.has_unknown_lines.set(statements::any_unknown(self.conn)?);
        statements::refresh_findings(self.conn, statement_id, &self.progress.policy.rates, at)
    }

    /// An order may explain lines that belonged to no payment.
    pub(super) fn explain_lines(&self, order_id: OrderId, at: Timestamp) -> Result<(), LedgerError> {
        for statement_id in statements::explained_by(self.conn, order_id)? {
            self.match_lines(statement_id, at)?;
            if let Some(paid_on) = statements::paid_on(self.conn, statement_id)? {
                self.note_reopened_statement(statement_id, paid_on)?;
            }
        }
        Ok(())
    }

    /// Notes which parts of an order each line of a statement pays out.
    pub(super) fn note_payouts(
        &self,
        shop: &ShopId,
        order_id: OrderId,
        records: &[Record],
    ) -> Result<(), LedgerError> {
        statements::forget_parts(self.conn, order_id)?;
        let mut paid: BTreeMap<&LineId, Vec<PaidPart<'_>>> = BTreeMap::new();
        for record in records {
            for (position, tender) in (0_u32..).zip(&record.tenders) {
                for PaidShare { line, amount } in &tender.booked.payouts {
                    paid.entry(line).or_default().push(PaidPart {
                        psp: record.psp,
                        call_number: &record.call_number,
                        position,
                        amount: *amount,
                    });
                }
            }
        }
        paid.iter()
            .try_for_each(|(line, parts)| statements::note_parts(self.conn, shop, order_id, line, parts))
    }

    /// What was booked in a closed period may be other now, or something belongs there that was not booked: the next
    /// close looks at it.
    pub(super) fn note_reopened(&self, order_id: OrderId, records: &[Record]) -> Result<(), LedgerError> {
        let Some(closed_through) = self.flags.closed_through.get() else { return Ok(()) };
        let days = records.iter().flat_map(|record| &record.tenders).flat_map(|tender| {
            tender.booked.returned.iter().map(|returned| returned.on).chain(tender.booked.received_on)
        });
        if days.min().is_some_and(|day| day <= closed_through) || close::has_entries(self.conn, order_id)? {
            close::reopen_order(self.conn, order_id)?;
        }
        Ok(())
    }

    fn note_reopened_statement(&self, statement_id: StatementId, paid_on: Day) -> Result<(), LedgerError> {
        if self.flags.closed_through.get().is_some_and(|closed_through| paid_on <= closed_through) {
            close::reopen_statement(self.conn, statement_id)?;
        }
        Ok(())
    }

    /// Closes a period: numbers, entries, letters, manifest. Where the rules do not allow it, nothing changes.
    pub(super) fn close(&self, seq: Seq, at: Timestamp, closing: &Close) -> Result<(), LedgerError> {
        let today = at.paris_day();
        if let Some(obstacle) = close::obstacle(self.conn, closing.period, today)? {
            return set_aside::refuse(self.conn, seq, &obstacle.to_string());
        }
        close::book(self.conn, closing.period, &closing.books, today)?;
        close::insert(self.conn, &self.progress, at, closing)?;
        self.flags.closed_through.set(Some(closing.period.last()));
        Ok(())
    }
}
