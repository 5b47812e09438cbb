//! The fold: how the log becomes orders, records, tenders and discrepancies.
//!
//! [`Fold::take`] is deterministic: the state it leaves depends on the entries and their times, and on nothing
//! else. The rules of time are applied at the very instants at which they come due, before the next entry is
//! taken, so that it makes no difference when the sweep ran; `rebuild` relies on this.

mod books;
mod time;

use std::cell::Cell;
use std::time::Duration;

use cvco_domain::{Day, Kind, OrderKey, Question, RecordState, Standing, Timestamp, Topic};
use cvco_reconcile::{Fact, Policy, Rules, assess};
use rusqlite::{Connection, OptionalExtension, params};

use super::concerned::{Concerned, order_of, verdict};
use super::entry::{
    Acknowledgement, Act, Confirmation, Entry, Inquiry, Notification, OrderRegistration, Refusal,
    SignatureFailures, Stated, Verdict,
};
use super::log_row::LogRow;
use super::questions::{self, Asked};
use super::{
    LedgerError, acknowledgements, attempts, closings, discrepancies, endpoints, orders, records, statements,
};

/// Calls for two accounts may come in turns: only after so long does a call that is taken end the alert about the other.
const ACCOUNT_SETTLED: Duration = Duration::from_hours(24);

/// The hash that stands before the first entry.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The ledger's state inside one transaction.
pub(super) struct Fold<'c> {
    conn: &'c Connection,
    head: Head,
    policy: Policy,
    /// The last instant at which a rule of time came due, whenever the sweep ran.
    swept_at: Timestamp,
    /// No rule of time comes due before this instant; there need not be one at it.
    quiet_until: Cell<Timestamp>,
    resumed_at: (i64, Timestamp),
    /// There are lines of statements; most ledgers have none, and asking costs each assessment.
    lines: Cell<bool>,
    /// There are some of which nobody knows what they are about.
    unknown_lines: Cell<bool>,
    /// The last day of the last period that was closed.
    closed_through: Option<Day>,
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: String,
    pub(super) at: Timestamp,
}

/// Where a fold stood before an entry.
pub(super) struct Bookmark {
    head: Head,
    policy: Policy,
    swept_at: Timestamp,
    lines: bool,
    unknown_lines: bool,
    closed_through: Option<Day>,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was written into the log.
    Written {
        /// Its place there.
        seq: i64,
        /// What a notification amounted to.
        verdict: Option<Verdict>,
        /// A duplicate to the byte: its payload is kept already.
        payload_known: bool,
    },
    /// It changes nothing, such as an order registered again as it was.
    Unchanged,
}

impl<'c> Fold<'c> {
    /// Goes on where the last transaction ended.
    pub(super) fn resume(conn: &'c Connection) -> Result<Self, LedgerError> {
        let row = conn
            .prepare_cached("SELECT head_seq, head_hash, head_at, swept_at, policy FROM progress")?
            .query_row([], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, String>(4)?,
                ))
            })
            .optional()?;
        let start = Timestamp::from_millis(0);
        let lines = Cell::new(statements::any(conn)?);
        let unknown_lines = Cell::new(lines.get() && statements::any_unknown(conn)?);
        let closed_through = closings::closed_through(conn)?;
        Ok(match row {
            None => Self {
                conn,
                head: Head { seq: 0, hash: GENESIS.to_owned(), at: start },
                policy: Policy::first(),
                swept_at: start,
                quiet_until: Cell::new(start),
                resumed_at: (0, start),
                lines,
                unknown_lines,
                closed_through,
            },
            Some((seq, hash, at, swept_at, policy)) => {
                let time = |text: &str| {
                    Timestamp::parse(text)
                        .map_err(|_| LedgerError::Corrupt { seq, what: "progress".to_owned() })
                };
                Self {
                    conn,
                    head: Head { seq, hash, at: time(&at)? },
                    policy: serde_json::from_str(&policy)?,
                    swept_at: time(&swept_at)?,
                    quiet_until: Cell::new(start),
                    resumed_at: (seq, time(&swept_at)?),
                    lines,
                    unknown_lines,
                    closed_through,
                }
            }
        })
    }

    /// Writes down how far it came; to be called once, at the end of the transaction.
    pub(super) fn finish(&self) -> Result<(), LedgerError> {
        // A transaction that changed nothing writes nothing, and so needs no sync.
        if (self.head.seq, self.swept_at) == self.resumed_at {
            return Ok(());
        }
        self.conn
            .prepare_cached(
                "INSERT INTO progress (one, head_seq, head_hash, head_at, swept_at, policy)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (one) DO UPDATE SET head_seq = ?1, head_hash = ?2, head_at = ?3, swept_at = ?4, policy = ?5",
            )?
            .execute(params![
                self.head.seq,
                self.head.hash,
                self.head.at,
                self.swept_at,
                serde_json::to_string(&self.policy)?
            ])?;
        Ok(())
    }

    /// The end of the chain.
    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    /// Where to come back to if an entry fails.
    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark {
            head: self.head.clone(),
            policy: self.policy.clone(),
            swept_at: self.swept_at,
            lines: self.lines.get(),
            unknown_lines: self.unknown_lines.get(),
            closed_through: self.closed_through,
        }
    }

    /// Forgets what was taken since the bookmark; the caller rolls the database back.
    pub(super) fn return_to(&mut self, bookmark: Bookmark) {
        let Bookmark { head, policy, swept_at, lines, unknown_lines, closed_through } = bookmark;
        self.head = head;
        self.policy = policy;
        self.swept_at = swept_at;
        self.lines.set(lines);
        self.unknown_lines.set(unknown_lines);
        self.closed_through = closed_through;
        // What came due meanwhile is undone, and due again.
        self.quiet_until.set(Timestamp::from_millis(0));
    }

    /// Takes one entry. Time never runs backwards: an entry is dated no earlier than the one before, nor than
    /// the last rule of time that was applied. A call that was timed just before a sweep and reached the writer
    /// just after it would otherwise be folded before it the next time.
    pub(super) fn take(&mut self, at: Timestamp, entry: &Entry) -> Result<Taken, LedgerError> {
        let at = at.max(self.head.at).max(self.swept_at);
        self.sweep(at)?;
        match entry {
            Entry::Notification(notification) => self.notification(at, entry, notification),
            Entry::Confirmation(confirmation) => self.confirmation(at, entry, confirmation),
            Entry::Inquiry(inquiry) => self.inquiry(at, entry, inquiry),
            Entry::Order(order) => self.order(at, entry, order),
            Entry::Policy(policy) => self.change_policy(at, entry, policy),
            Entry::Acknowledgement(ack) => self.acknowledge(at, entry, ack),
            Entry::SignatureFailures(burst) => self.signature_failures(at, entry, burst),
            Entry::Statement(imported) => self.statement(at, entry, imported),
            Entry::Close(close) => self.close(at, entry, close),
        }
    }

    /// Takes what a person does with the discrepancy that has this number now.
    pub(super) fn take_act(&mut self, at: Timestamp, ack: Acknowledgement) -> Result<Taken, LedgerError> {
        let at = at.max(self.head.at).max(self.swept_at);
        self.sweep(at)?;
        self.take(at, &Entry::Acknowledgement(acknowledgements::identified(self.conn, ack, at)?))
    }

    fn append(&mut self, at: Timestamp, entry: &Entry, verdict: Option<Verdict>) -> Result<i64, LedgerError> {
        let seq = self.head.seq.saturating_add(1);
        let row = LogRow::new(seq, at, entry, verdict)?;
        let hash = row.chain_hash(&self.head.hash);
        row.insert(self.conn, &hash)?;
        self.head = Head { seq, hash, at };
        Ok(seq)
    }

    fn notification(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        notification: &Notification,
    ) -> Result<Taken, LedgerError> {
        let statement = notification.statement();
        let asked = asked_of(&statement);
        if notification.is_hint() && !self.wants_any(asked, &notification.questions, at)? {
            // An unsigned call that only repeats what is being asked already: there is nothing to keep.
            return Ok(Taken::Unchanged);
        }
        let (concerned, payload_known) = self.learn(statement, at)?;
        let verdict = if notification.is_hint() { Verdict::Hint } else { verdict(&concerned) };
        let seq = self.append(at, entry, Some(verdict))?;
        if verdict != Verdict::Duplicate {
            for question in &notification.questions {
                let order_id = order_of(question, &concerned);
                self.raise(asked, std::slice::from_ref(question), order_id, at)?;
            }
        }
        self.write_down(seq, &concerned, at)?;
        // A call that is taken proves that the key is right; of the account, that one of two is.
        discrepancies::close_of_endpoint(self.conn, &notification.endpoint, Kind::SignatureFailures, at)?;
        discrepancies::close_old_of_endpoint(
            self.conn,
            &notification.endpoint,
            (Kind::ContractUnknown, at.before(ACCOUNT_SETTLED)),
            at,
        )?;
        self.hear(asked, notification, at)?;
        Ok(Taken::Written { seq, verdict: Some(verdict), payload_known })
    }

    /// An answer. The PSP may say again and again that it has not decided: once is enough for the log.
    fn confirmation(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        confirmation: &Confirmation,
    ) -> Result<Taken, LedgerError> {
        let statement = confirmation.statement();
        let asked = asked_of(&statement);
        let Some(known) = questions::state(self.conn, asked.endpoint, &confirmation.question)? else {
            // Nobody asked. What an order would be learned from must be in the log.
            return Ok(Taken::Unchanged);
        };
        let (concerned, payload_known) = self.learn(statement, at)?;
        let verdict = verdict(&concerned);
        let undecided = confirmation.standing == Standing::Unsettled;
        if undecided && verdict != Verdict::Genuine && known.is_unsettled() {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, Some(verdict))?;
        let of = known.order_id;
        let order_id = concerned.first().map(|order| order.id).or(of);
        let overdue_at = questions::settle(
            self.conn,
            asked.endpoint,
            (&confirmation.question, confirmation.asked_at),
            (confirmation.standing, order_id),
            (at, self.policy.rules),
        )?;
        self.note_due(overdue_at);
        self.raise(asked, &confirmation.questions, None, at)?;
        self.write_down(seq, &concerned, at)?;
        for order_id in [of, order_id].into_iter().flatten() {
            // An answer changes what is awaited even where it brings no news.
            if !concerned.iter().any(|order| order.id == order_id && !order.news.is_empty()) {
                self.reassess(order_id, at)?;
            }
        }
        self.tell_of_overdue(asked.endpoint, at)?;
        Ok(Taken::Written { seq, verdict: Some(verdict), payload_known })
    }

    fn inquiry(&mut self, at: Timestamp, entry: &Entry, inquiry: &Inquiry) -> Result<Taken, LedgerError> {
        let Inquiry { shop, endpoint, psp, questions, .. } = inquiry;
        let asked = Asked { shop, endpoint, psp: *psp };
        if !self.wants_any(asked, questions, at)? {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        self.raise(asked, questions, None, at)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// What the events of a statement add to the orders that they belong to; and whether the payload that carried
    /// them is kept already.
    fn learn(&self, statement: Stated<'_>, at: Timestamp) -> Result<(Vec<Concerned>, bool), LedgerError> {
        let mut payload_known = false;
        let mut concerned: Vec<Concerned> = Vec::new();
        for (position, event) in (0_u32..).zip(statement.events) {
            let key = statement.order_of(event);
            let fact = statement.fact(event, at);
            if let Some(order) = concerned.iter_mut().find(|order| order.key == key) {
                order.learn(position, fact);
                continue;
            }
            let (mut order, has_payload) = self.concerned(key, statement.payload_sha256)?;
            payload_known |= has_payload;
            order.learn(position, fact);
            concerned.push(order);
        }
        Ok((concerned, payload_known))
    }

    /// Writes down what was learned by the entry at `seq`, and assesses the orders afresh.
    fn write_down(&self, seq: i64, concerned: &[Concerned], at: Timestamp) -> Result<(), LedgerError> {
        for order in concerned.iter().filter(|order| !order.news.is_empty()) {
            for position in &order.news {
                orders::remember_event(self.conn, order.id, seq, *position)?;
            }
            self.assess_afresh(order.id, &order.key, &order.facts, at)?;
        }
        Ok(())
    }

    fn wants_any(
        &self,
        asked: Asked<'_>,
        questions: &[Question],
        at: Timestamp,
    ) -> Result<bool, LedgerError> {
        for question in questions {
            if questions::wanted_from(self.conn, asked, question, (at, self.policy.rules))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Raises questions; one about an order belongs to it.
    fn raise(
        &self,
        asked: Asked<'_>,
        questions: &[Question],
        order_id: Option<i64>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        for question in questions {
            let order_id = match (order_id, question.topic) {
                (None, Topic::Order) => {
                    orders::find_by_reference(self.conn, asked.shop, question.subject.as_str())?
                }
                (known, _) => known,
            };
            let when = (at, self.policy.confirmation_grace, self.policy.rules);
            let raised = questions::raise(self.conn, asked, (question, order_id), when)?;
            if raised.is_some() {
                // There is news: what made asking wait concerns the old.
                attempts::forget(self.conn, asked.endpoint, question)?;
            }
            self.note_due(raised);
        }
        Ok(())
    }

    fn order(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        order: &OrderRegistration,
    ) -> Result<Taken, LedgerError> {
        let key = OrderKey::Reference(order.shop.clone(), order.reference.clone());
        let order_id = orders::find_or_create(self.conn, &key)?;
        if orders::is_current(self.conn, order_id, order)? {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        orders::add_version(self.conn, order_id, seq, order, at)?;
        self.reassess(order_id, at)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// A new policy is applied to every order that is still open to it: whatever waits for time, and whatever
    /// has an open discrepancy. What was settled under the old policy stays settled.
    fn change_policy(&mut self, at: Timestamp, entry: &Entry, policy: &Policy) -> Result<Taken, LedgerError> {
        if *policy == self.policy && self.head.seq > 0 {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        let before = std::mem::replace(&mut self.policy, policy.clone());
        for endpoint in endpoints::known(self.conn)? {
            if !policy.endpoints.contains_key(&endpoint) {
                self.listen_no_more(&endpoint, at)?;
            }
        }
        for order_id in orders::open(self.conn)? {
            self.reassess(order_id, at)?;
        }
        if policy.has(Rules::Third) && !before.has(Rules::Third) {
            self.enter_all(at)?;
        }
        for statement_id in statements::all(self.conn)? {
            statements::settle(self.conn, statement_id, &self.policy.rates, at)?;
        }
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    fn acknowledge(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        ack: &Acknowledgement,
    ) -> Result<Taken, LedgerError> {
        let concerned = acknowledgements::find(self.conn, ack)?;
        let seq = self.append(at, entry, None)?;
        acknowledgements::keep(self.conn, (seq, at), concerned, ack)?;
        if let Act::Snoozed { until } = ack.act {
            self.note_due(Some(until));
        }
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    fn signature_failures(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        burst: &SignatureFailures,
    ) -> Result<Taken, LedgerError> {
        let seq = self.append(at, entry, None)?;
        let detail = match burst.refusal {
            Refusal::Signature => format!("{} calls refused; {}", burst.failures, burst.explanation),
            Refusal::Account => burst.explanation.clone(),
        };
        let asked = Asked { shop: &burst.shop, endpoint: &burst.endpoint, psp: burst.psp };
        discrepancies::open_of_endpoint(self.conn, asked, (burst.refusal.kind(), &detail), at)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// Reads what is known of an order; and whether the payload of this digest is kept with it already.
    fn concerned(&self, key: OrderKey, payload_sha256: &str) -> Result<(Concerned, bool), LedgerError> {
        let id = orders::find_or_create(self.conn, &key)?;
        let known = orders::facts(self.conn, id)?;
        let has_payload = known.iter().any(|(_, sha256)| sha256.as_deref() == Some(payload_sha256));
        let facts = known.into_iter().map(|(fact, _)| fact).collect();
        Ok((Concerned { id, key, facts, news: Vec::new() }, has_payload))
    }

    /// Assesses one order from what the ledger knows of it.
    fn reassess(&self, order_id: i64, at: Timestamp) -> Result<(), LedgerError> {
        let key = orders::key(self.conn, order_id)?;
        let facts: Vec<Fact> =
            orders::facts(self.conn, order_id)?.into_iter().map(|(fact, _)| fact).collect();
        self.assess_afresh(order_id, &key, &facts, at)
    }

    /// Assesses one order afresh and writes the result down.
    fn assess_afresh(
        &self,
        order_id: i64,
        key: &OrderKey,
        facts: &[Fact],
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let order = self.known_of(order_id, key)?;
        let assessment = assess(&order, facts, &self.policy, at);
        self.note_reopened(order_id, &assessment.records)?;
        records::replace(self.conn, order_id, &assessment.records)?;
        if !order.payouts.is_empty() {
            self.note_payouts((key.shop(), order_id), &assessment.records)?;
        }
        discrepancies::settle(self.conn, (order_id, key.shop()), &assessment.findings, at)?;
        self.note_due(assessment.look_again_at);
        let was_refunded = orders::is_refunded(self.conn, order_id)?;
        orders::note_state(self.conn, order_id, &assessment)?;
        if self.unknown_lines.get() {
            self.explain_lines(order_id, at)?;
        }
        if !self.policy.has(Rules::Second) {
            return Ok(());
        }
        for endpoint in questions::endpoints_overdue(self.conn, order_id)? {
            // An order that adds up needs the answer no more.
            self.tell_of_overdue(&endpoint, at)?;
        }
        let is_refunded = assessment.order_state == Some(RecordState::Refunded);
        if was_refunded != is_refunded {
            // It no longer lives, or does again: that concerns those whose references begin like its own.
            let neighbours = if is_refunded {
                orders::colliding_with(self.conn, order_id)?
            } else {
                orders::later_with_same_prefix(self.conn, order_id)?
            };
            for neighbour in neighbours {
                self.reassess(neighbour, at)?;
            }
        }
        Ok(())
    }
}

/// Whose API is asked about a statement.
fn asked_of<'a>(statement: &Stated<'a>) -> Asked<'a> {
    Asked { shop: statement.shop, endpoint: statement.endpoint, psp: statement.psp }
}
