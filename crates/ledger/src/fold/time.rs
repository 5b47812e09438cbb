//! Deadlines, each applied at the very instant at which it comes: orders whose graces end, answers that are missing too
//! long, endpoints that fall silent, snoozes that are over, urgent discrepancies that nobody has seen in time.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_domain::{Detail, DiscrepancyId, EndpointId, EndpointRef, Kind, Mode, Reminder, Timestamp, Worded};
use cvco_log::entry::{Origin, Pause};
use cvco_reconcile::silent_from;

use super::Fold;
use crate::LedgerError;
use crate::tables::discrepancies::Trouble;
use crate::tables::endpoints::CallSeen;
use crate::tables::ids::OrderId;
use crate::tables::progress::Hold;
use crate::tables::questions;
use crate::tables::{acts, anchors, discrepancies, endpoints, orders, weeks};

/// An endpoint that has no habit yet is checked this often.
const UNTIL_A_HABIT: Duration = Duration::from_hours(24);

/// After a pause, calls are heard for as long as the pause took before rules of time apply, but not longer than this: a
/// PSP that found nobody has then tried again.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// What time concerns.
enum Due {
    Order(OrderId),
    Question(questions::Due),
    Endpoint(endpoints::Due),
    /// The end of a snooze.
    Reminder(DiscrepancyId),
    /// Nobody has seen an urgent discrepancy in time.
    Escalation(DiscrepancyId),
    /// A discrepancy that time alone closes.
    Closing(DiscrepancyId),
}

impl Fold<'_> {
    /// Applies the deadlines up to an instant.
    pub(super) fn apply_deadlines(&mut self, until: Timestamp) -> Result<(), LedgerError> {
        let mut not_before = Timestamp::from_millis(0);
        if let Some(hold) = self.progress.hold {
            if until < hold.until {
                return Ok(());
            }
            // What would have come meanwhile comes now.
            self.progress.hold = None;
            not_before = hold.until;
        }
        if self.flags.no_deadline_before.get() > until {
            return Ok(());
        }
        let mut told: BTreeMap<EndpointId, Timestamp> = BTreeMap::new();
        while let Some((due_at, due)) = self.next_due(until)? {
            let at = due_at.max(not_before);
            if !matches!(due, Due::Question(_)) {
                // What comes now may end what is told: until here it must stand as if it had been told one by one.
                self.tell_of_all_overdue(&mut told)?;
            }
            match due {
                Due::Order(order_id) => self.check_order(order_id, at)?,
                Due::Question(question) => {
                    questions::mark_overdue(self.conn, &question)?;
                    self.flags.has_overdue.set(true);
                    // Counting takes as long as there are such questions: not once for each of thousands.
                    if !told.contains_key(&question.endpoint) {
                        self.tell_of_overdue(&question.endpoint, at)?;
                    }
                    told.insert(question.endpoint, at);
                }
                Due::Endpoint(endpoint) => self.check_silence(&endpoint, at)?,
                Due::Reminder(id) => acts::remind(self.conn, id, Reminder::SnoozeOver, at)?,
                Due::Escalation(id) => discrepancies::escalate(self.conn, id, at)?,
                Due::Closing(id) => discrepancies::close(self.conn, id, at)?,
            }
            self.watch_unseen(at)?;
        }
        self.tell_of_all_overdue(&mut told)?;
        let next = self.next_rule_of_time()?.unwrap_or(Timestamp::from_millis(i64::MAX));
        self.flags.no_deadline_before.set(next);
        Ok(())
    }

    fn tell_of_all_overdue(&self, told: &mut BTreeMap<EndpointId, Timestamp>) -> Result<(), LedgerError> {
        while let Some((endpoint, at)) = told.pop_first() {
            self.tell_of_overdue(&endpoint, at)?;
        }
        Ok(())
    }

    /// What comes due next, if that is at `until` or before. Of several at one instant a reminder is the last: for what
    /// closes at the same instant there is none.
    fn next_due(&self, until: Timestamp) -> Result<Option<(Timestamp, Due)>, LedgerError> {
        let order = orders::next_due(self.conn, until)?;
        let question = questions::next_due(self.conn, until)?;
        let endpoint = endpoints::next_due(self.conn, until)?;
        let closing = discrepancies::next_due(self.conn, until)?;
        let reminder = acts::next_due(self.conn, until)?;
        let escalation = discrepancies::next_escalation(self.conn, until)?;
        let all = [
            order.map(|(order_id, at)| (at, Due::Order(order_id))),
            question.map(|question| (question.at, Due::Question(question))),
            endpoint.map(|endpoint| (endpoint.at, Due::Endpoint(endpoint))),
            closing.map(|(id, at)| (at, Due::Closing(id))),
            reminder.map(|(id, at)| (at, Due::Reminder(id))),
            escalation.map(|(id, at)| (at, Due::Escalation(id))),
        ];
        Ok(all.into_iter().flatten().min_by_key(|(at, _)| *at))
    }

    fn next_rule_of_time(&self) -> Result<Option<Timestamp>, LedgerError> {
        let next = [
            orders::next_deadline(self.conn)?,
            questions::next_deadline(self.conn)?,
            endpoints::next_deadline(self.conn)?,
            discrepancies::next_deadline(self.conn)?,
            acts::next_deadline(self.conn)?,
            discrepancies::next_escalation_at(self.conn)?,
        ];
        Ok(next.into_iter().flatten().min())
    }

    /// When time alone next changes the ledger; `None` if only an entry can.
    pub(crate) fn next_deadline(&self) -> Result<Option<Timestamp>, LedgerError> {
        let rule = self.next_rule_of_time()?;
        let rule = match self.progress.hold {
            Some(hold) => rule.map(|at| at.max(hold.until)),
            None => rule,
        };
        let anchor = anchors::next_deadline(self.conn, &self.progress)?;
        let week = if self.progress.policy.weekly { weeks::next_deadline(self.conn)? } else { None };
        Ok(rule.into_iter().chain(anchor).chain(week).min())
    }

    /// A deadline may lie at this instant.
    pub(super) fn schedule(&self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.flags.no_deadline_before.set(at.min(self.flags.no_deadline_before.get()));
        }
    }

    /// The time that rules go by: after a pause it stands still until the calls that wait were heard.
    pub(super) fn time_for_rules(&self, at: Timestamp) -> Timestamp {
        match self.progress.hold {
            Some(hold) if at < hold.until => hold.since.min(at),
            Some(_) | None => at,
        }
    }

    /// Nothing could be received since an instant: deadlines that lay before it have come, the others wait until calls that
    /// were held up have had time to arrive.
    pub(super) fn pause(&mut self, pause: Pause, at: Timestamp) -> Result<(), LedgerError> {
        let since = pause.since.min(at);
        self.apply_deadlines(since)?;
        let mut hold = Hold { since, until: at.after(at.since(since).min(LONGEST_HOLD)) };
        if let Some(before) = self.progress.hold {
            // A second restart, a moment after hours of absence: those who found nobody then are still waited for.
            hold = Hold { since: before.since.min(hold.since), until: before.until.max(hold.until) };
        }
        self.progress.hold = Some(hold);
        self.schedule(Some(hold.until));
        Ok(())
    }

    /// Anchors the log as it was at the last midnight, when the first entry after it comes.
    pub(super) fn anchor(&self, at: Timestamp) -> Result<(), LedgerError> {
        if at < self.flags.next_midnight.get() {
            return Ok(());
        }
        self.flags.next_midnight.set(at.next_paris_midnight());
        anchors::create_if_due(self.conn, &self.progress, at)
    }

    /// Sums up the week that has ended, when the first entry after it comes.
    pub(super) fn sum_up_week(&self, at: Timestamp) -> Result<(), LedgerError> {
        if !self.progress.policy.weekly || at < self.flags.next_week.get() {
            return Ok(());
        }
        weeks::create_if_due(self.conn, at)?;
        self.flags.next_week.set(weeks::next_deadline(self.conn)?.unwrap_or(at));
        Ok(())
    }

    /// Urgent discrepancies that people were told of, and nobody has seen, get their deadline.
    pub(super) fn watch_unseen(&self, at: Timestamp) -> Result<(), LedgerError> {
        let Some(after) = self.progress.policy.escalate_after else { return Ok(()) };
        let deadline = at.after(after);
        if discrepancies::watch_unseen(self.conn, deadline)? {
            self.schedule(Some(deadline));
        }
        Ok(())
    }

    fn check_order(&self, order_id: OrderId, at: Timestamp) -> Result<(), LedgerError> {
        match self.reassess(order_id, at) {
            Err(error) if error.is_damage() => {
                // One damaged order must not keep all others from being paid for: `verify` names the row.
                tracing::error!(order.id = order_id.get(), %error, "an order can no longer be assessed");
                orders::stop_checking(self.conn, order_id)
            }
            Err(error @ LedgerError::RuleFailed(_)) => {
                tracing::error!(order.id = order_id.get(), %error, "an order is not assessed");
                orders::stop_checking(self.conn, order_id)?;
                let detail = Detail::Technical(error.words().into());
                discrepancies::open_of_daemon(self.conn, Kind::SetAside, &detail, at, None)
            }
            assessed => assessed,
        }
    }

    /// Tells of an endpoint's silence, if it is too long by the endpoint's own habit.
    fn check_silence(&self, due: &endpoints::Due, at: Timestamp) -> Result<(), LedgerError> {
        self.write_calls()?;
        let endpoints::Watched { shop, psp, heard } = endpoints::watched(self.conn, due)?;
        let next = match silent_from(&heard) {
            Some(from) if from <= at => {
                let endpoint =
                    EndpointRef { shop, endpoint: due.endpoint.clone(), psp, mode: Mode::Production };
                let detail = Detail::LastCall(heard.last_at);
                self.open_of_endpoint(&endpoint, &Trouble::of(Kind::EndpointSilent, &detail), at)?;
                None
            }
            Some(from) => Some(from),
            None => Some(at.after(UNTIL_A_HABIT)),
        };
        if next.is_none() {
            // Its next call is more than one to be counted: it ends the silence.
            self.flags.calls.borrow_mut().forget(&due.endpoint);
        }
        endpoints::check_at(self.conn, &due.endpoint, next)
    }

    /// A PSP called a production endpoint: that is its habit, and the end of its silence.
    pub(super) fn record_call(
        &self,
        endpoint: &EndpointRef,
        origin: Origin,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let id = &endpoint.endpoint;
        let watched = self.progress.policy.endpoints.contains_key(id) && origin == Origin::Call;
        if watched && endpoint.mode == Mode::Test {
            return self.stop_watching(id, at);
        }
        if !watched || self.flags.calls.borrow_mut().count(id, at) {
            return Ok(());
        }
        if let CallSeen::New(check_at) = endpoints::record_call(self.conn, endpoint, at)? {
            self.close_of_endpoint(id, Kind::EndpointSilent, at)?;
            self.schedule(Some(check_at));
        }
        self.flags.calls.borrow_mut().watch(id);
        Ok(())
    }

    /// Writes down the calls that were only counted so far.
    pub(super) fn write_calls(&self) -> Result<(), LedgerError> {
        self.flags.calls.borrow_mut().write(self.conn)
    }

    /// An endpoint is no longer one of real payments: its habit is over, and so is its silence.
    pub(super) fn stop_watching(&self, endpoint: &EndpointId, at: Timestamp) -> Result<(), LedgerError> {
        self.flags.calls.borrow_mut().forget(endpoint);
        if endpoints::forget(self.conn, endpoint)? {
            self.close_of_endpoint(endpoint, Kind::EndpointSilent, at)?;
        }
        Ok(())
    }

    /// Opens, updates or closes the discrepancy of an endpoint whose PSP owes answers.
    pub(super) fn tell_of_overdue(&self, endpoint: &EndpointId, at: Timestamp) -> Result<(), LedgerError> {
        match questions::overdue(self.conn, endpoint)? {
            Some(overdue) => {
                let questions::Overdue { shop, psp, detail } = overdue;
                let endpoint = EndpointRef { shop, endpoint: endpoint.clone(), psp, mode: Mode::Production };
                self.open_of_endpoint(&endpoint, &Trouble::of(Kind::Unconfirmed, &detail), at)
            }
            None => self.close_of_endpoint(endpoint, Kind::Unconfirmed, at),
        }
    }
}
