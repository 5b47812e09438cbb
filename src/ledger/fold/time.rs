//! The rules that only time can break, each applied at the very instant at which it comes due: orders whose graces end,
//! answers that are missing too long, endpoints that fall silent, snoozes that are over.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_domain::{EndpointId, Kind, Mode, Timestamp};
use cvco_reconcile::{Rules, silent_from};

use super::Fold;
use crate::ledger::endpoints::Hearing;
use crate::ledger::entry::{Notification, Origin};
use crate::ledger::questions::{self, Asked};
use crate::ledger::{LedgerError, acknowledgements, discrepancies, endpoints, orders};

/// An endpoint that has no habit yet is looked at so often.
const UNTIL_A_HABIT: Duration = Duration::from_hours(24);

/// What time concerns.
enum Due {
    Order(i64),
    Question(questions::Due),
    Endpoint(endpoints::Due),
    /// The end of a snooze.
    Reminder(i64),
}

impl Fold<'_> {
    /// Applies the rules of time up to an instant; says whether any came due.
    pub(in crate::ledger) fn sweep(&mut self, now: Timestamp) -> Result<bool, LedgerError> {
        let now = now.max(self.head.at);
        let mut came_due = false;
        if self.quiet_until.get() > now {
            return Ok(came_due);
        }
        let mut told: BTreeMap<EndpointId, Timestamp> = BTreeMap::new();
        while let Some((at, due)) = self.next_due(now)? {
            match due {
                Due::Order(order_id) => self.look_again(order_id, at)?,
                Due::Question(question) => {
                    questions::is_overdue_now(self.conn, &question)?;
                    // Counting takes as long as there are such questions: not once for each of thousands.
                    if !told.contains_key(&question.endpoint) {
                        self.tell_of_overdue(&question.endpoint, at)?;
                    }
                    told.insert(question.endpoint, at);
                }
                Due::Endpoint(endpoint) => self.listen_for(&endpoint)?,
                Due::Reminder(id) => acknowledgements::remind(self.conn, id, at)?,
            }
            self.swept_at = self.swept_at.max(at);
            came_due = true;
        }
        for (endpoint, at) in &told {
            self.tell_of_overdue(endpoint, *at)?;
        }
        self.quiet_until.set(self.next_look()?.unwrap_or(Timestamp::from_millis(i64::MAX)));
        Ok(came_due)
    }

    /// What comes due next, if that is at `until` or before. Of several at one instant a reminder is the last: for what
    /// closes at the same instant there is none.
    fn next_due(&self, until: Timestamp) -> Result<Option<(Timestamp, Due)>, LedgerError> {
        let order = orders::next_to_look_at(self.conn, until)?;
        let question = questions::next_to_look_at(self.conn, until)?;
        let endpoint = endpoints::next_to_look_at(self.conn, until)?;
        let reminder = acknowledgements::next_to_remind_of(self.conn, until)?;
        let all = [
            order.map(|(order_id, at)| (at, Due::Order(order_id))),
            question.map(|question| (question.at, Due::Question(question))),
            endpoint.map(|endpoint| (endpoint.at, Due::Endpoint(endpoint))),
            reminder.map(|(id, at)| (at, Due::Reminder(id))),
        ];
        Ok(all.into_iter().flatten().min_by_key(|(at, _)| *at))
    }

    /// When the next rule of time comes due.
    pub(in crate::ledger) fn next_look(&self) -> Result<Option<Timestamp>, LedgerError> {
        let next = [
            orders::next_look(self.conn)?,
            questions::next_look(self.conn)?,
            endpoints::next_look(self.conn)?,
            acknowledgements::next_look(self.conn)?,
        ];
        Ok(next.into_iter().flatten().min())
    }

    /// A rule of time may come due at this instant.
    pub(super) fn note_due(&self, at: Option<Timestamp>) {
        let soonest = at.map_or(self.quiet_until.get(), |at| at.min(self.quiet_until.get()));
        self.quiet_until.set(soonest);
    }

    fn look_again(&self, order_id: i64, due: Timestamp) -> Result<(), LedgerError> {
        match self.reassess(order_id, due) {
            Err(error) if error.is_damage() => {
                // One damaged order must not keep all others from being paid for: `verify` names the row.
                tracing::error!(order.id = order_id, %error, "an order can no longer be assessed");
                orders::look_no_more(self.conn, order_id)
            }
            assessed => assessed,
        }
    }

    /// Tells of an endpoint's silence, if it is too long by its own habit.
    fn listen_for(&self, due: &endpoints::Due) -> Result<(), LedgerError> {
        let endpoints::Watched { shop, psp, heard } = endpoints::watched(self.conn, due)?;
        let next = match silent_from(&heard) {
            Some(from) if from <= due.at => {
                let asked = Asked { shop: &shop, endpoint: &due.endpoint, psp };
                let detail = heard.last_at.to_string();
                discrepancies::open_of_endpoint(self.conn, asked, (Kind::EndpointSilent, &detail), due.at)?;
                None
            }
            Some(from) => Some(from),
            None => Some(due.at.after(UNTIL_A_HABIT)),
        };
        endpoints::look_again(self.conn, &due.endpoint, next)
    }

    /// A PSP called a production endpoint: that is its habit, and the end of its silence.
    pub(super) fn hear(
        &self,
        asked: Asked<'_>,
        notification: &Notification,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let watched = self.policy.has(Rules::Second)
            && self.policy.endpoints.contains_key(asked.endpoint)
            && notification.origin == Origin::Call;
        if watched && notification.mode == Mode::Test {
            return self.listen_no_more(asked.endpoint, at);
        }
        if watched && let Hearing::Anew(look_at) = endpoints::hear(self.conn, asked, at)? {
            discrepancies::close_of_endpoint(self.conn, asked.endpoint, Kind::EndpointSilent, at)?;
            self.note_due(Some(look_at));
        }
        Ok(())
    }

    /// An endpoint is no longer one of real payments: its habit is over, and so is its silence.
    pub(super) fn listen_no_more(&self, endpoint: &EndpointId, at: Timestamp) -> Result<(), LedgerError> {
        if endpoints::forget(self.conn, endpoint)? {
            discrepancies::close_of_endpoint(self.conn, endpoint, Kind::EndpointSilent, at)?;
        }
        Ok(())
    }

    /// Opens, updates or closes the discrepancy of an endpoint whose PSP owes answers.
    pub(super) fn tell_of_overdue(&self, endpoint: &EndpointId, at: Timestamp) -> Result<(), LedgerError> {
        match questions::overdue(self.conn, endpoint, self.policy.rules)? {
            Some(overdue) => {
                let asked = Asked { shop: &overdue.shop, endpoint, psp: overdue.psp };
                discrepancies::open_of_endpoint(self.conn, asked, (Kind::Unconfirmed, &overdue.detail), at)
            }
            None => discrepancies::close_of_endpoint(self.conn, endpoint, Kind::Unconfirmed, at),
        }
    }
}
