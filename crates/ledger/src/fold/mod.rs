//! The fold: what each kind of entry does to the ledger.
//!
//! [`Fold::apply`] is deterministic: the state that it leaves depends on the entries and their dates, and on nothing else.
//! Deadlines that lie before an entry's date are applied first, each at the very instant at which it comes, so that it
//! makes no difference when a `time` entry came, or whether the daemon was down meanwhile.

mod affected;
mod books;
mod clock;
mod flags;
mod relays;
mod time;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cvco_domain::{
    Detail, EndpointRef, Event, Instrument, Kind, OrderKey, Policy, Question, RecordState, Refusal, Seq,
    Severity, Source, Standing, Timestamp, Topic,
};
use cvco_log::LogEntry;
use cvco_log::entry::{Act, Answer, Deed, Hint, Inquiry, Notification, OrderRegistration, Refusals, Unread};
use cvco_log::row::Logged;
use cvco_reconcile::{Fact, assess};
use rusqlite::Connection;

use crate::tables::discrepancies::Trouble;
use crate::tables::ids::OrderId;
use crate::tables::notifications::{self, Notified};
use crate::tables::orders::Entered;
use crate::tables::progress::{self, Progress};
use crate::tables::{
    acts, attempts, discrepancies, endpoints, facts, orders, questions, records, set_aside, statements,
};
use crate::{LedgerError, close, owed};
use affected::{AffectedOrder, order_of, verdict};
use flags::Flags;
use relays::{Repetition, Subject};

/// Calls for two accounts may come in turns: only a call that is taken this long after ends the alert about the other.
const ACCOUNT_SETTLED: std::time::Duration = std::time::Duration::from_hours(24);

/// Calls are no longer refused when none was reported for this long; while it goes on, that is once an hour.
const REFUSALS_OVER: std::time::Duration = std::time::Duration::from_hours(24);

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

/// What one message or answer states, with where and when it was received.
struct Report<'a> {
    endpoint: &'a EndpointRef,
    source: Source,
    events: &'a [Event],
    received_at: Timestamp,
}

impl Report<'_> {
    /// The order that one of its events belongs to.
    fn order_of(&self, event: &Event) -> OrderKey {
        match &event.order_ref {
            Some(reference) => OrderKey::Reference(self.endpoint.shop.clone(), reference.clone()),
            None => OrderKey::Call(self.endpoint.shop.clone(), self.endpoint.psp, event.call_number.clone()),
        }
    }

    fn fact(&self, event: &Event) -> Fact {
        Fact {
            event: event.clone(),
            psp: self.endpoint.psp,
            source: self.source,
            endpoint: self.endpoint.endpoint.clone(),
            endpoint_mode: self.endpoint.mode,
            received_at: self.received_at,
        }
    }
}

impl<'c> Fold<'c> {
    /// Goes on where the last transaction ended.
    pub(crate) fn resume(conn: &'c Connection) -> Result<Self, LedgerError> {
        Ok(Self { conn, progress: progress::read(conn)?, flags: Flags::read(conn)? })
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
        *self = Self { progress: bookmark, flags: Flags::read(self.conn)?, ..*self };
        Ok(())
    }

    /// Applies one entry. `chain_hash` is its link of the chain.
    pub(crate) fn apply(&mut self, logged: &Logged, chain_hash: &str) -> Result<(), LedgerError> {
        self.anchor(logged.at)?;
        if let LogEntry::Pause(pause) = logged.entry {
            self.pause(pause, logged.at)?;
        } else if let LogEntry::Clock(correction) = logged.entry {
            self.correct_clock(correction, logged.at)?;
        } else {
            self.apply_deadlines(logged.at)?;
        }
        self.apply_entry(logged, chain_hash)?;
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
            self.apply_deadlines(at)?;
        }
        set_aside::insert(self.conn, seq, at, kind, None, reason)?;
        let detail = Detail::Entry { seq, kind: Some(kind.to_owned()), reason: reason.to_owned() };
        discrepancies::open_of_daemon(self.conn, Kind::SetAside, &detail, at, None)?;
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
            LogEntry::Hint(hint) => self.hint(logged, chain_hash, hint),
            LogEntry::Answer(answer) => self.answer(seq, at, answer),
            LogEntry::Inquiry(Inquiry { endpoint, questions, .. }) => {
                self.raise(endpoint, questions, None, at)
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
            LogEntry::Replay(replay) => self.owe_relays_again(replay.which, at),
            // What these do, they did before: see `apply`.
            LogEntry::Time | LogEntry::Pause(_) | LogEntry::Clock(_) => Ok(()),
        }
    }

    fn notification(
        &self,
        logged: &Logged,
        chain_hash: &str,
        notification: &Notification,
    ) -> Result<(), LedgerError> {
        let Notification { endpoint, origin, events, questions, remark } = notification;
        let at = logged.at;
        let report = Report { endpoint, source: Source::Notification, events, received_at: at };
        let affected = self.collect_news(&report)?;
        let verdict = verdict(&affected);
        let notified = Notified {
            seq: logged.seq,
            at,
            endpoint,
            origin: *origin,
            events: events.len(),
            remark: remark.as_deref(),
            payload_sha256: logged.payload_sha256.as_deref(),
            chain_hash,
        };
        notifications::insert(self.conn, &notified, verdict)?;
        self.owe_relays(&notified, &Subject::of(&affected, events), Repetition::SaysNothingNew)?;
        if verdict != Verdict::Duplicate {
            for question in questions {
                let order_id = order_of(question, &affected);
                self.raise(endpoint, std::slice::from_ref(question), order_id, at)?;
            }
        }
        self.apply_news(logged.seq, &affected, at)?;
        // A call that is taken proves that the key is right; of the account, that one of two is.
        self.close_of_endpoint(&endpoint.endpoint, Kind::SignatureFailures, at)?;
        if self.is_troubled(&endpoint.endpoint) {
            let opened_until = at.before(ACCOUNT_SETTLED);
            discrepancies::close_old_of_endpoint(
                self.conn,
                &endpoint.endpoint,
                Kind::ContractUnknown,
                opened_until,
                at,
            )?;
        }
        self.record_call(endpoint, *origin, at)
    }

    fn hint(&self, logged: &Logged, chain_hash: &str, hint: &Hint) -> Result<(), LedgerError> {
        let Hint { endpoint, origin, questions, remark } = hint;
        let at = logged.at;
        let notified = Notified {
            seq: logged.seq,
            at,
            endpoint,
            origin: *origin,
            events: 0,
            remark: remark.as_deref(),
            payload_sha256: logged.payload_sha256.as_deref(),
            chain_hash,
        };
        notifications::insert(self.conn, &notified, Verdict::Hint)?;
        self.owe_relays(&notified, &Subject::of_questions(questions), Repetition::MaySayMore)?;
        self.raise(endpoint, questions, None, at)?;
        self.record_call(endpoint, *origin, at)
    }

    /// Genuine, and not understood: nobody knows what it states, so a person must look until a program does.
    fn unread(&self, logged: &Logged, chain_hash: &str, unread: &Unread) -> Result<(), LedgerError> {
        let Unread { endpoint, origin, what } = unread;
        let at = logged.at;
        let notified = Notified {
            seq: logged.seq,
            at,
            endpoint,
            origin: *origin,
            events: 0,
            remark: Some(what),
            payload_sha256: logged.payload_sha256.as_deref(),
            chain_hash,
        };
        notifications::insert(self.conn, &notified, Verdict::Unread)?;
        self.owe_relays(&notified, &Subject::default(), Repetition::SaysNothingNew)?;
        set_aside::insert(self.conn, logged.seq, at, "unread", Some(&endpoint.endpoint), what)?;
        let detail = Detail::Entry { seq: logged.seq, kind: None, reason: what.clone() };
        self.open_of_endpoint(endpoint, &Trouble::of(Kind::SetAside, &detail), at)?;
        self.close_of_endpoint(&endpoint.endpoint, Kind::SignatureFailures, at)?;
        self.record_call(endpoint, *origin, at)
    }

    /// An answer to a question that nobody asked says nothing: what an order is learned from must be in the log.
    fn answer(&self, seq: Seq, at: Timestamp, answer: &Answer) -> Result<(), LedgerError> {
        let endpoint = &answer.endpoint;
        let Some(known) = questions::state(self.conn, &endpoint.endpoint, &answer.question)? else {
            return Ok(());
        };
        if answer.standing != Standing::Unsettled {
            attempts::forget(self.conn, &attempts::of_question(&endpoint.endpoint, &answer.question))?;
        }
        let report =
            Report { endpoint, source: Source::Confirmation, events: &answer.events, received_at: at };
        let affected = self.collect_news(&report)?;
        let brings_news = affected.iter().any(|order| !order.news.is_empty());
        if answer.standing == Standing::Unsettled && known.is_unsettled() && !brings_news {
            // The PSP says once more that it has not decided: that gives it no more time.
            return Ok(());
        }
        let of = known.order_id;
        let order_id = affected.first().map(|order| order.id).or(of);
        let overdue_at = questions::record_answer(self.conn, answer, order_id, at)?;
        if answer.standing == Standing::GivenUp {
            self.flags.has_overdue.set(true);
        }
        self.schedule(overdue_at);
        self.raise(endpoint, &answer.questions, None, at)?;
        self.apply_news(seq, &affected, at)?;
        for order_id in [of, order_id].into_iter().flatten() {
            // An answer changes what is awaited even where it brings no news.
            if !affected.iter().any(|order| order.id == order_id && !order.news.is_empty()) {
                self.reassess(order_id, at)?;
            }
        }
        self.tell_of_overdue(&endpoint.endpoint, at)
    }

    /// What the events of a report add to the orders that they belong to.
    fn collect_news(&self, report: &Report<'_>) -> Result<Vec<AffectedOrder>, LedgerError> {
        let mut affected: Vec<AffectedOrder> = Vec::new();
        for (position, event) in (0_u32..).zip(report.events) {
            let key = report.order_of(event);
            let fact = report.fact(event);
            if let Some(order) = affected.iter_mut().find(|order| order.key == key) {
                order.add(position, fact);
                continue;
            }
            let Entered { id, is_new } = orders::find_or_create(self.conn, &key)?;
            let facts = if is_new { Vec::new() } else { facts::of_order(self.conn, id, &key)? };
            let mut order = AffectedOrder { id, key, is_new, facts, news: Vec::new() };
            order.add(position, fact);
            affected.push(order);
        }
        Ok(affected)
    }

    /// Keeps what was learned, and assesses the orders again.
    fn apply_news(&self, seq: Seq, affected: &[AffectedOrder], at: Timestamp) -> Result<(), LedgerError> {
        for order in affected.iter().filter(|order| !order.news.is_empty()) {
            for (position, fact) in order.new_facts() {
                facts::insert(self.conn, order.id, seq, position, fact)?;
            }
            let AffectedOrder { id, key, is_new, facts, .. } = order;
            self.assess_order(&KnownOrder { id: *id, key, facts, is_new: *is_new }, at)?;
        }
        Ok(())
    }

    /// Raises questions, unless they need not be asked; one about an order belongs to it.
    fn raise(
        &self,
        endpoint: &EndpointRef,
        questions: &[Question],
        order_id: Option<OrderId>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        for question in questions {
            let order_id = match (order_id, question.topic) {
                (None, Topic::Order) => {
                    orders::find_by_reference(self.conn, &endpoint.shop, question.subject.as_str())?
                }
                (known, _) => known,
            };
            let grace = self.progress.policy.confirmation_grace;
            self.flags.has_questions.set(true);
            let raised = questions::raise(self.conn, endpoint, question, order_id, at, grace)?;
            if raised.is_some() {
                // There is news: what made asking wait concerns the old.
                attempts::forget(self.conn, &attempts::of_question(&endpoint.endpoint, question))?;
            }
            self.schedule(raised);
        }
        Ok(())
    }

    fn order(&self, seq: Seq, at: Timestamp, order: &OrderRegistration) -> Result<(), LedgerError> {
        let key = OrderKey::Reference(order.shop.clone(), order.reference.clone());
        let Entered { id, is_new } = orders::find_or_create(self.conn, &key)?;
        if !is_new && orders::is_current(self.conn, id, order)? {
            return Ok(());
        }
        orders::add_version(self.conn, id, seq, order, at)?;
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

    fn refusals(&self, refusals: &Refusals, at: Timestamp) -> Result<(), LedgerError> {
        let Refusals { endpoint, refusal, calls, taken, signed, caller, explanation } = refusals;
        let over_at = Some(at.after(REFUSALS_OVER));
        let detail = match refusal {
            Refusal::Signature => Detail::Refused { calls: *calls, diagnosis: explanation.clone() },
            Refusal::Account => Detail::Technical(explanation.clone()),
            Refusal::Form
            | Refusal::Method
            | Refusal::Size
            | Refusal::Incomplete
            | Refusal::Address
            | Refusal::Http
            | Refusal::Flood => Detail::RefusedFor {
                refusal: *refusal,
                calls: *calls,
                caller: caller.clone(),
                why: explanation.clone(),
            },
        };
        let trouble = match refusal {
            // Where genuine calls came all the time, the next one proves nothing.
            Refusal::Signature => Trouble {
                closes_at: over_at.filter(|_| *taken > 0),
                ..Trouble::of(Kind::SignatureFailures, &detail)
            },
            Refusal::Account => Trouble::of(Kind::ContractUnknown, &detail),
            Refusal::Form
            | Refusal::Method
            | Refusal::Size
            | Refusal::Incomplete
            | Refusal::Address
            | Refusal::Http
            | Refusal::Flood => {
                let of = Trouble::of(Kind::CallsRefused, &detail);
                let severity = if *signed { Severity::Urgent } else { of.severity };
                Trouble { severity, subject: refusal.as_str(), closes_at: over_at, ..of }
            }
        };
        self.schedule(trouble.closes_at);
        self.open_of_endpoint(endpoint, &trouble, at)
    }

    /// Assesses one order from what the ledger knows of it.
    fn reassess(&self, order_id: OrderId, at: Timestamp) -> Result<(), LedgerError> {
        let key = orders::key(self.conn, order_id)?;
        let facts = facts::of_order(self.conn, order_id, &key)?;
        self.assess_order(&KnownOrder { id: order_id, key: &key, facts: &facts, is_new: false }, at)
    }

    /// Assesses one order and writes the result down.
    fn assess_order(&self, known: &KnownOrder<'_>, at: Timestamp) -> Result<(), LedgerError> {
        let KnownOrder { id, key, facts, is_new } = *known;
        let order = self.expected_of(id, key)?;
        let now = self.time_for_rules(at);
        // A rule that fails on one order must not keep all others from being assessed.
        let assessment = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            crate::tests::poison::fail_on(key);
            assess(&order, facts, &self.progress.policy, now)
        }))
        .map_err(|_| LedgerError::RuleFailed(name_of(key)))?;
        self.note_reopened(id, &assessment.records)?;
        records::replace(self.conn, id, &assessment.records, is_new)?;
        if !order.payouts.is_empty() {
            self.note_payouts(key.shop(), id, &assessment.records)?;
        }
        discrepancies::sync_order(self.conn, id, key.shop(), &assessment.findings, at, is_new)?;
        self.schedule(assessment.look_again_at);
        let was_refunded = !is_new && orders::is_refunded(self.conn, id)?;
        orders::note_state(self.conn, id, &assessment)?;
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
