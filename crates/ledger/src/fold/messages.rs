//! What PSPs say: notifications, hints, what nobody understood, answers, and calls that were refused.

use std::time::Duration;

use cvco_domain::{
    Detail, EndpointRef, Event, Kind, Noted, OrderKey, Question, Refusal, Seq, Severity, Source, Standing,
    Timestamp, Topic,
};
use cvco_log::entry::{Answer, Hint, Notification, Origin, Refusals, Reread, Unread};
use cvco_log::row::Logged;
use cvco_reconcile::Fact;

use super::affected::{AffectedOrder, order_of, verdict};
use super::relays::{Repetition, Subject};
use super::{Fold, KnownOrder, Verdict};
use crate::LedgerError;
use crate::tables::discrepancies::Trouble;
use crate::tables::notifications::{self, Notified};
use crate::tables::orders::Entered;
use crate::tables::questions::Grounds;
use crate::tables::{acts, attempts, discrepancies, facts, orders, questions, set_aside};

/// Calls for two accounts may come in turns: only a call that is taken this long after ends the alert about the other.
const ACCOUNT_SETTLED: Duration = Duration::from_hours(24);

/// Calls are no longer refused when none was reported for this long; while it goes on, that is once an hour.
const REFUSALS_OVER: Duration = Duration::from_hours(24);

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
        // A date beyond what books can have is a fault of whoever wrote it: what happened counts when it was heard of.
        let likely = |at: Option<Timestamp>| at.filter(|at| at.is_likely());
        Fact {
            event: Event {
                occurred_at: likely(event.occurred_at),
                accepted_at: likely(event.accepted_at),
                ..event.clone()
            },
            psp: self.endpoint.psp,
            source: self.source,
            endpoint: self.endpoint.endpoint.clone(),
            endpoint_mode: self.endpoint.mode,
            received_at: self.received_at,
        }
    }
}

impl Fold<'_> {
    pub(super) fn notification(
        &self,
        logged: &Logged,
        chain_hash: &str,
        notification: &Notification,
    ) -> Result<(), LedgerError> {
        let endpoint = &notification.endpoint;
        let at = logged.at;
        let affected = self.take_in(logged, chain_hash, notification, at)?;
        let notified = Notified::of(logged, chain_hash, endpoint, notification.origin);
        let subject = Subject::of(&affected, &notification.events);
        self.owe_relays(&notified, &subject, Repetition::SaysNothingNew)?;
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
        self.record_call(endpoint, notification.origin, at)
    }

    /// What a notification states: it is listed, its orders are assessed, and what it makes worth asking is asked.
    fn take_in(
        &self,
        logged: &Logged,
        chain_hash: &str,
        notification: &Notification,
        received_at: Timestamp,
    ) -> Result<Vec<AffectedOrder>, LedgerError> {
        let Notification { endpoint, origin, events, questions, remark } = notification;
        let affected =
            self.collect_news(&Report { endpoint, source: Source::Notification, events, received_at })?;
        let verdict = verdict(&affected);
        let notified = Notified {
            events: events.len(),
            remark: remark.as_deref(),
            ..Notified::of(logged, chain_hash, endpoint, *origin)
        };
        notifications::insert(&self.db, &notified, verdict)?;
        for question in questions.iter().filter(|_| verdict != Verdict::Duplicate) {
            let grounds = Grounds { order_id: order_of(question, &affected), vouched: true };
            self.raise(endpoint, std::slice::from_ref(question), grounds, logged.at)?;
        }
        self.apply_news(logged.seq, &affected, logged.at)?;
        Ok(affected)
    }

    pub(super) fn hint(&self, logged: &Logged, chain_hash: &str, hint: &Hint) -> Result<(), LedgerError> {
        let Hint { endpoint, origin, questions, remark } = hint;
        let at = logged.at;
        let notified =
            Notified { remark: remark.as_deref(), ..Notified::of(logged, chain_hash, endpoint, *origin) };
        notifications::insert(&self.db, &notified, Verdict::Hint)?;
        self.owe_relays(&notified, &Subject::of_questions(questions), Repetition::MaySayMore)?;
        // What the shop or the administrator hands over is known to more than the caller.
        let grounds = Grounds { order_id: None, vouched: *origin != Origin::Call };
        self.raise(endpoint, questions, grounds, at)?;
        self.record_call(endpoint, *origin, at)
    }

    /// Genuine, and not understood: nobody knows what it states, so a person must look until a program does.
    pub(super) fn unread(
        &self,
        logged: &Logged,
        chain_hash: &str,
        unread: &Unread,
    ) -> Result<(), LedgerError> {
        let Unread { endpoint, origin, what, what_fr } = unread;
        let at = logged.at;
        let notified = Notified { remark: Some(what), ..Notified::of(logged, chain_hash, endpoint, *origin) };
        notifications::insert(&self.db, &notified, Verdict::Unread)?;
        self.owe_relays(&notified, &Subject::default(), Repetition::SaysNothingNew)?;
        set_aside::insert(self.conn, logged.seq, at, "unread", Some(&endpoint.endpoint), what)?;
        let others = set_aside::others(self.conn, logged.seq, Some(&endpoint.endpoint))?;
        let detail = Detail::Entry {
            seq: logged.seq,
            others,
            kind: None,
            reason: Noted::new(what, what_fr.as_deref()),
        };
        let known = discrepancies::find_of_endpoint(self.conn, &endpoint.endpoint, Kind::SetAside, "")?;
        self.open_of_endpoint(endpoint, &Trouble::of(Kind::SetAside, &detail), at)?;
        known.map(|known| acts::tell_more(self.conn, known.id, at)).transpose()?;
        self.close_of_endpoint(&endpoint.endpoint, Kind::SignatureFailures, at)?;
        self.record_call(endpoint, *origin, at)
    }

    /// What was unread is read: it counts as heard when it came, and nobody need look at it any more.
    pub(super) fn reread(
        &self,
        logged: &Logged,
        chain_hash: &str,
        reread: &Reread,
    ) -> Result<(), LedgerError> {
        let Reread { of, notification } = reread;
        let endpoint = &notification.endpoint;
        let Some(received_at) = set_aside::resolve(self.conn, *of, &endpoint.endpoint)? else {
            return set_aside::refuse(
                self.conn,
                logged.seq,
                "there is no unread notification of this number",
            );
        };
        self.take_in(logged, chain_hash, notification, received_at)?;
        if set_aside::is_any_of(self.conn, &endpoint.endpoint)? {
            return Ok(());
        }
        self.close_of_endpoint(&endpoint.endpoint, Kind::SetAside, logged.at)
    }

    /// An answer to a question that nobody asked says nothing: what an order is learned from must be in the log.
    pub(super) fn answer(&self, seq: Seq, at: Timestamp, answer: &Answer) -> Result<(), LedgerError> {
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
        self.raise(endpoint, &answer.questions, Grounds::VOUCHED, at)?;
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
            let Entered { id, is_new } = orders::find_or_create(&self.db, &key)?;
            let facts = if is_new { Vec::new() } else { facts::of_order(&self.db, id, &key)? };
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
                facts::insert(&self.db, order.id, seq, position, fact)?;
            }
            let others = self.claim_payments(order)?;
            let AffectedOrder { id, key, is_new, facts, .. } = order;
            self.assess_order(&KnownOrder { id: *id, key, facts, is_new: *is_new }, at)?;
            for other in others {
                self.reassess(other, at)?;
            }
        }
        Ok(())
    }

    /// Raises questions, unless they need not be asked; one about an order belongs to it.
    pub(super) fn raise(
        &self,
        endpoint: &EndpointRef,
        questions: &[Question],
        grounds: Grounds,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        for question in questions {
            let order_id = match (grounds.order_id, question.topic) {
                (None, Topic::Order) => {
                    orders::find_by_reference(&self.db, &endpoint.shop, question.subject.as_str())?
                }
                (known, _) => known,
            };
            let grace = self.progress.policy.confirmation_grace;
            self.flags.has_questions.set(true);
            // An order waits for what it is about.
            let grounds = Grounds { order_id, vouched: grounds.vouched || order_id.is_some() };
            let raised = questions::raise(self.conn, endpoint, question, grounds, at, grace)?;
            if raised.is_some() {
                // There is news: what made asking wait concerns the old.
                attempts::forget(self.conn, &attempts::of_question(&endpoint.endpoint, question))?;
            }
            self.schedule(raised);
        }
        Ok(())
    }

    pub(super) fn refusals(&self, refusals: &Refusals, at: Timestamp) -> Result<(), LedgerError> {
        let Refusals { endpoint, refusal, calls, taken, signed, caller, explanation, explanation_fr } =
            refusals;
        let explanation = Noted::new(explanation, explanation_fr.as_deref());
        let over_at = Some(at.after(REFUSALS_OVER));
        let detail = match refusal {
            Refusal::Signature => Detail::Refused { calls: *calls, diagnosis: explanation },
            Refusal::Account => Detail::Technical(explanation),
            Refusal::Form
            | Refusal::Method
            | Refusal::Size
            | Refusal::Incomplete
            | Refusal::Address
            | Refusal::Http
            | Refusal::Flood
            | Refusal::Loop => Detail::RefusedFor {
                refusal: *refusal,
                calls: *calls,
                signed: *signed,
                caller: caller.clone(),
                why: explanation,
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
            | Refusal::Flood
            | Refusal::Loop => {
                let of = Trouble::of(Kind::CallsRefused, &detail);
                let severity = if *signed { Severity::Urgent } else { of.severity };
                Trouble { severity, subject: refusal.as_str(), closes_at: over_at, ..of }
            }
        };
        self.schedule(trouble.closes_at);
        let (kind, subject) = (trouble.kind, trouble.subject);
        let known = discrepancies::find_of_endpoint(self.conn, &endpoint.endpoint, kind, subject)?;
        self.open_of_endpoint(endpoint, &trouble, at)?;
        match known {
            // Each genuine one may be a payment.
            Some(open) if *signed && open.detail.calls() < Some(*calls) => {
                acts::tell_more(self.conn, open.id, at)
            }
            Some(_) | None => Ok(()),
        }
    }
}
