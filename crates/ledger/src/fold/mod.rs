//! The fold: what each kind of entry does to the ledger.
//!
//! [`Fold::apply`] is deterministic: the state that it leaves depends on the entries and their dates, and on nothing else.
//! Deadlines that lie before an entry's date are applied first, each at the very instant at which it comes, so that it
//! makes no difference when a `time` entry came, or whether the daemon was down meanwhile.

mod affected;
mod books;
mod claims;
mod clock;
mod flags;
mod messages;
mod relays;
mod time;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cvco_domain::{Detail, Instrument, Kind, Noted, OrderKey, Policy, RecordState, Seq, Timestamp};
use cvco_log::LogEntry;
use cvco_log::entry::{Act, Deed, Inquiry, OrderRegistration};
use cvco_log::row::Logged;
use cvco_reconcile::{Fact, assess};
use rusqlite::Connection;

use crate::tables::ids::OrderId;
use crate::tables::orders::Entered;
use crate::tables::prepared::Prepared;
use crate::tables::progress::{self, Progress};
use crate::tables::questions::Grounds;
use crate::tables::{
    acts, discrepancies, endpoints, facts, findings, orders, questions, records, set_aside, statements, weeks,
};
use crate::{LedgerError, close, owed};
use flags::Flags;

/// What became of a genuine notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stated something new.
    Genuine,
    /// All that it states was known.
    Duplicate,
    /// It is not about a voucher payment.
    Ignored,
    /// It proves nothing itself: the PSP's API is asked.
    Hint,
    /// It is genuine, and was not understood.
    Unread,
}

impl Verdict {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Hint => "hint",
            Self::Unread => "unread",
        }
    }
}

/// The ledger's state inside one transaction.
pub(crate) struct Fold<'c> {
    conn: &'c Connection,
    /// The same connection, for the statements that nearly every entry needs.
    db: Prepared<'c>,
    progress: Progress,
    flags: Flags,
}

/// An entry that cannot be folded.
#[derive(Clone, Copy)]
pub(crate) struct SetAside<'a> {
    pub(crate) seq: Seq,
    /// `None` if not even the date can be read.
    pub(crate) at: Option<Timestamp>,
    pub(crate) kind: &'a str,
    pub(crate) chain_hash: &'a str,
    /// Why, in English.
    pub(crate) reason: &'a str,
}

/// Whether an entry says more than that time went by, or that a mail or a relay left.
const fn is_news(entry: &LogEntry) -> bool {
    use LogEntry::{Relayed, Telling, Time, Told};
    !matches!(entry, Time | Telling(_) | Told(_) | Relayed(_))
}

/// An order, with all that is known of it.
struct KnownOrder<'a> {
    id: OrderId,
    key: &'a OrderKey,
    facts: &'a [Fact],
    /// The ledger has nothing of it yet but what is assessed now.
    is_new: bool,
}

/// What people call an order.
fn name_of(key: &OrderKey) -> String {
    match key {
        OrderKey::Reference(shop, reference) => format!("{shop} {reference}"),
        OrderKey::Call(shop, psp, call) => format!("{shop} {psp} {call}"),
    }
}

impl<'c> Fold<'c> {
    /// Goes on where the last transaction ended.
    pub(crate) fn resume(conn: &'c Connection) -> Result<Self, LedgerError> {
        let (progress, flags) = (progress::read(conn)?, Flags::read(conn)?);
        Ok(Self { conn, db: Prepared::new(conn), progress, flags })
    }

    /// Writes down how far it came; to be called once, at the end of the transaction.
    pub(crate) fn finish(&self, log_id: &str) -> Result<(), LedgerError> {
        self.write_calls()?;
        progress::write(self.conn, log_id, &self.progress)
    }

    /// How far it came.
    pub(crate) const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Where to come back to if an entry fails.
    pub(crate) fn bookmark(&self) -> Result<Progress, LedgerError> {
        self.write_calls()?;
        Ok(self.progress.clone())
    }

    /// Forgets what was applied since the bookmark; the caller rolls the database back.
    pub(crate) fn return_to(&mut self, bookmark: Progress) -> Result<(), LedgerError> {
        (self.progress, self.flags) = (bookmark, Flags::read(self.conn)?);
        Ok(())
    }

    /// Applies one entry. `chain_hash` is its link of the chain.
    pub(crate) fn apply(&mut self, logged: &Logged, chain_hash: &str) -> Result<(), LedgerError> {
        self.anchor(logged.at)?;
        self.sum_up_week(logged.at)?;
        if let LogEntry::Pause(pause) = logged.entry {
            self.pause(pause, logged.at)?;
        } else if let LogEntry::Clock(correction) = logged.entry {
            self.correct_clock(correction, logged.at)?;
        } else {
            self.apply_deadlines(logged.at)?;
        }
        self.apply_entry(logged, chain_hash)?;
        if matches!(logged.entry, LogEntry::Told(_) | LogEntry::Act(_) | LogEntry::Policy(_)) {
            self.watch_unseen(logged.at)?;
        }
        self.advance(logged.seq, logged.at, chain_hash);
        if is_news(&logged.entry) {
            self.progress.news = (logged.seq, logged.at);
        }
        Ok(())
    }

    /// Goes past an entry that cannot be folded, and tells a person. Time goes on all the same, unless it is time that
    /// fails.
    pub(crate) fn set_aside(&mut self, entry: &SetAside<'_>, with_time: bool) -> Result<(), LedgerError> {
        let SetAside { seq, at, kind, chain_hash, reason } = *entry;
        let at = at.unwrap_or(self.progress.at);
        if with_time {
            self.anchor(at)?;
            self.sum_up_week(at)?;
            self.apply_deadlines(at)?;
        }
        set_aside::insert(self.conn, seq, at, kind, None, reason)?;
        let others = set_aside::others(self.conn, seq, None)?;
        let detail =
            Detail::Entry { seq, others, kind: Some(kind.to_owned()), reason: Noted::new(reason, None) };
        let known = discrepancies::find_of_daemon(self.conn, Kind::SetAside)?;
        discrepancies::open_of_daemon(self.conn, Kind::SetAside, &detail, at, None)?;
        known.map(|id| acts::tell_more(self.conn, id, at)).transpose()?;
        self.advance(seq, at, chain_hash);
        self.progress.news = (seq, at);
        Ok(())
    }

    fn advance(&mut self, seq: Seq, at: Timestamp, chain_hash: &str) {
        self.progress.seq = seq;
        chain_hash.clone_into(&mut self.progress.chain_hash);
        self.progress.at = at;
    }

    fn apply_entry(&mut self, logged: &Logged, chain_hash: &str) -> Result<(), LedgerError> {
        let Logged { seq, at, .. } = *logged;
        match &logged.entry {
            LogEntry::Notification(notification) => self.notification(logged, chain_hash, notification),
            LogEntry::Unread(unread) => self.unread(logged, chain_hash, unread),
            LogEntry::Reread(reread) => self.reread(logged, chain_hash, reread),
            LogEntry::Hint(hint) => self.hint(logged, chain_hash, hint),
            LogEntry::Answer(answer) => self.answer(seq, at, answer),
            LogEntry::Inquiry(Inquiry { endpoint, questions, .. }) => {
                self.raise(endpoint, questions, Grounds::VOUCHED, at)
            }
            LogEntry::Order(order) => self.order(seq, at, order),
            LogEntry::Policy(policy) => self.change_policy(policy, at),
            LogEntry::Act(act) => self.act(seq, at, act),
            LogEntry::Refusals(refusals) => self.refusals(refusals, at),
            LogEntry::Statement(imported) => self.statement(seq, at, imported),
            LogEntry::Close(close) => self.close(seq, at, close),
            LogEntry::Witness(witness) => close::witness(self.conn, witness),
            LogEntry::Telling(telling) => owed::intend(self.conn, telling, at),
            LogEntry::Told(told) => owed::told(self.conn, told, at),
            LogEntry::Relayed(relayed) => self.end_relay(relayed, at),
            LogEntry::Unreached(unreached) => self.unreached(unreached, at),
            LogEntry::Replay(replay) => self.owe_relays_again(&replay.which, at),
            // What these do, they did before: see `apply`.
            LogEntry::Time | LogEntry::Pause(_) | LogEntry::Clock(_) => Ok(()),
        }
    }

    fn order(&self, seq: Seq, at: Timestamp, order: &OrderRegistration) -> Result<(), LedgerError> {
        let key = OrderKey::Reference(order.shop.clone(), order.reference.clone());
        let Entered { id, is_new } = orders::find_or_create(&self.db, &key)?;
        if !is_new && orders::is_current(self.conn, id, order)? {
            return Ok(());
        }
        orders::add_version(&self.db, id, seq, order, at)?;
        if is_new {
            return self.assess_order(&KnownOrder { id, key: &key, facts: &[], is_new }, at);
        }
        self.reassess(id, at)
    }

    /// A new policy is applied to every order that is still open to it: whatever waits for time, and whatever has an open
    /// discrepancy. What was settled under the old policy stays settled.
    fn change_policy(&mut self, policy: &Policy, at: Timestamp) -> Result<(), LedgerError> {
        if *policy == self.progress.policy {
            return Ok(());
        }
        if policy.channels != self.progress.policy.channels {
            owed::tell_audiences(self.conn, &policy.channels, at)?;
        }
        if policy.escalate_after != self.progress.policy.escalate_after {
            discrepancies::forget_escalations(self.conn)?;
        }
        if policy.weekly != self.progress.policy.weekly {
            self.flags.next_week.set(Timestamp::from_millis(0));
            weeks::begin_or_end(self.conn, policy.weekly, at)?;
        }
        self.progress.policy = policy.clone();
        for endpoint in endpoints::known(self.conn)? {
            if !policy.endpoints.contains_key(&endpoint) {
                self.stop_watching(&endpoint, at)?;
            }
        }
        let mut affected: BTreeSet<OrderId> = orders::open(self.conn)?.into_iter().collect();
        // Who owes a voucher concerns what is settled as well: statements yet to come are about it.
        for (brand, issuer) in records::vouchers(self.conn)? {
            if policy.issuer(Instrument::Voucher, &brand) != issuer {
                affected.extend(records::with_voucher(self.conn, &brand, issuer)?);
            }
        }
        for order_id in affected {
            self.reassess(order_id, at)?;
        }
        for statement_id in statements::all(self.conn)? {
            statements::refresh_findings(self.conn, statement_id, &self.progress.policy.rates, at)?;
        }
        Ok(())
    }

    fn act(&self, seq: Seq, at: Timestamp, act: &Act) -> Result<(), LedgerError> {
        let id = acts::find(self.conn, &act.of, act.discrepancy)?;
        acts::insert(self.conn, seq, at, id, act)?;
        if let Deed::Snoozed { until } = act.deed {
            self.schedule(Some(until));
        }
        Ok(())
    }

    /// Assesses one order from what the ledger knows of it.
    fn reassess(&self, order_id: OrderId, at: Timestamp) -> Result<(), LedgerError> {
        let key = orders::key(self.conn, order_id)?;
        let facts = facts::of_order(&self.db, order_id, &key)?;
        self.assess_order(&KnownOrder { id: order_id, key: &key, facts: &facts, is_new: false }, at)
    }

    /// Assesses one order and writes the result down.
    fn assess_order(&self, known: &KnownOrder<'_>, at: Timestamp) -> Result<(), LedgerError> {
        let KnownOrder { id, key, is_new, .. } = *known;
        let mut order = self.expected_of(id, key)?;
        let counted = self.facts_that_count(known, &mut order)?;
        let facts = counted.as_ref();
        let now = self.time_for_rules(at);
        // A rule that fails on one order must not keep all others from being assessed.
        let assessment = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            crate::tests::poison::fail_on(key);
            assess(&order, facts, &self.progress.policy, now)
        }))
        .map_err(|_| LedgerError::RuleFailed(name_of(key)))?;
        self.note_reopened(id, &assessment.records)?;
        records::replace(&self.db, id, &assessment.records, is_new)?;
        if !order.payouts.is_empty() {
            self.note_payouts(key.shop(), id, &assessment.records)?;
        }
        findings::sync_order(&self.db, id, key.shop(), &assessment.findings, at, is_new)?;
        self.schedule(assessment.look_again_at);
        let was_refunded = !is_new && orders::is_refunded(&self.db, id)?;
        orders::note_state(&self.db, id, &assessment)?;
        if self.flags.has_unknown_lines.get() {
            self.explain_lines(id, at)?;
        }
        if self.flags.has_overdue.get() {
            for endpoint in questions::endpoints_overdue(self.conn, id)? {
                // An order that adds up needs the answer no more.
                self.tell_of_overdue(&endpoint, at)?;
            }
        }
        let is_refunded = assessment.order_state == Some(RecordState::Refunded);
        if was_refunded != is_refunded {
            self.reassess_neighbours(id, is_refunded, at)?;
        }
        Ok(())
    }

    /// An order no longer lives, or does again: that concerns those whose references begin like its own.
    fn reassess_neighbours(
        &self,
        order_id: OrderId,
        is_refunded: bool,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let neighbours = if is_refunded {
            orders::colliding_with(self.conn, order_id)?
        } else {
            orders::later_with_same_prefix(self.conn, order_id)?
        };
        for neighbour in neighbours {
            self.reassess(neighbour, at)?;
        }
        Ok(())
    }
}
