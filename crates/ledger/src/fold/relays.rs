//! Which notifications are owed to the shop's own handlers, and what became of them.

use std::time::Duration;

use cvco_domain::{
    CallNumber, Detail, EndpointId, EndpointRef, Event, Instrument, Kind, Mode, Noted, OrderRef, Question,
    RelayTarget, Reminder, Severity, ShopCalls, Timestamp,
};
use cvco_log::entry::{Origin, RelayOutcome, Relayed, Replayed, Unreached};

use super::Fold;
use super::affected::AffectedOrder;
use crate::LedgerError;
use crate::tables::acts;
use crate::tables::discrepancies::{self, Trouble};
use crate::tables::notifications::Notified;
use crate::tables::relays::{self, InVain, OwedRelay, RelayPart};

/// A call that a handler has not taken for so long is urgent: its customer asks.
const LONG: Duration = Duration::from_hours(1);

/// A handler works again when it owes us nothing that is older than this, nor anything from before a person was told.
const FRESH: Duration = Duration::from_mins(5);

/// What a second call with the very same bytes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// The PSP missed our answer, and says the same once more: the handler has it, or gets it.
    SaysNothingNew,
    /// The call only points to what there is to ask, which may have changed.
    MaySayMore,
}

/// What a notification is about, as far as its way to a handler is concerned.
#[derive(Debug, Default)]
pub(super) struct Subject {
    order_ref: Option<OrderRef>,
    call_number: Option<CallNumber>,
    part: Option<RelayPart>,
}

impl Subject {
    /// Of a notification that states something: its first event decides.
    pub(super) fn of(affected: &[AffectedOrder], events: &[Event]) -> Self {
        let Some(event) = events.first() else { return Self::default() };
        let knows_voucher = || {
            let known = affected.iter().flat_map(|order| &order.facts);
            known.map(|fact| &fact.event).any(|known| is_voucher_of(known, &event.call_number))
        };
        let part = if is_voucher_of(event, &event.call_number) {
            Some(RelayPart::Voucher)
        } else if event.complement && !knows_voucher() {
            Some(RelayPart::Complement)
        } else {
            None
        };
        let call_number = Some(event.call_number.clone());
        Self { order_ref: event.order_ref.clone(), call_number, part }
    }

    /// Of a call that only says what to ask.
    pub(super) fn of_questions(questions: &[Question]) -> Self {
        let subject = questions.first().and_then(|question| CallNumber::new(question.subject.as_str()).ok());
        Self { call_number: subject, ..Self::default() }
    }
}

fn is_voucher_of(event: &Event, call_number: &CallNumber) -> bool {
    event.instrument == Instrument::Voucher && event.call_number == *call_number
}

impl Fold<'_> {
    /// Owes a call to each handler of its endpoint, unless a handler was owed the same bytes before and they say nothing
    /// new.
    pub(super) fn owe_relays(
        &self,
        notified: &Notified<'_>,
        subject: &Subject,
        repetition: Repetition,
    ) -> Result<(), LedgerError> {
        let Some(targets) = self.progress.policy.relays.get(&notified.endpoint.endpoint) else {
            return Ok(());
        };
        // A token that the shop itself handed over is no call of a PSP.
        let (Some(payload_sha256), Origin::Call | Origin::Mail) = (notified.payload_sha256, notified.origin)
        else {
            return Ok(());
        };
        for target in targets.keys() {
            let owed = OwedRelay {
                notified,
                target,
                order_ref: subject.order_ref.as_ref(),
                call_number: subject.call_number.as_ref(),
                part: subject.part,
                payload_sha256,
            };
            if repetition == Repetition::MaySayMore || !relays::is_known(self.conn, &owed)? {
                relays::owe(self.conn, &owed)?;
            }
        }
        Ok(())
    }

    pub(super) fn end_relay(&self, relayed: &Relayed, at: Timestamp) -> Result<(), LedgerError> {
        let Relayed { target, outcome, .. } = relayed;
        let Some(endpoint) = relays::end(self.conn, relayed, at)? else { return Ok(()) };
        match outcome {
            RelayOutcome::Refused { status, why, why_fr } => {
                let french = why_fr.as_ref().map(|why| format!("{why} ({status})"));
                let why = Noted::new(&format!("{why} ({status})"), french.as_deref());
                self.tell_of_refused(&endpoint, target, why, at)?;
            }
            RelayOutcome::Parked { why } => self.tell_of_not_taken(&endpoint.endpoint, target, why, at)?,
            RelayOutcome::Delivered { .. } | RelayOutcome::Dropped { .. } => {}
        }
        if self.is_troubled(&endpoint.endpoint) {
            self.close_what_is_over(&endpoint.endpoint, target, at)?;
        }
        Ok(())
    }

    /// A handler has not taken calls for some time.
    pub(super) fn unreached(&self, unreached: &Unreached, at: Timestamp) -> Result<(), LedgerError> {
        let Unreached { endpoint, target, why } = unreached;
        self.tell_of_not_taken(endpoint, target, why, at)
    }

    fn tell_of_not_taken(
        &self,
        endpoint: &EndpointId,
        target: &RelayTarget,
        why: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let Some(calls) = relays::not_taken(self.conn, endpoint, target)? else { return Ok(()) };
        let is_long = calls.parked > 0 || at.since(calls.since) >= LONG;
        let endpoint = calls.endpoint.clone();
        let detail = Detail::NotTaken(self.shop_calls(calls, target, Noted::new(why, None)));
        let mut trouble = Trouble { subject: target.as_str(), ..Trouble::of(Kind::RelayFailing, &detail) };
        if is_long && endpoint.mode == Mode::Production {
            trouble.severity = Severity::Urgent;
        }
        self.open_of_endpoint(&endpoint, &trouble, at)
    }

    fn tell_of_refused(
        &self,
        endpoint: &EndpointRef,
        target: &RelayTarget,
        why: Noted,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let Some(calls) = relays::refused(self.conn, &endpoint.endpoint, target)? else { return Ok(()) };
        let detail = Detail::RefusedByShop(self.shop_calls(calls, target, why));
        let trouble = Trouble { subject: target.as_str(), ..Trouble::of(Kind::RelayRefused, &detail) };
        let known = self.open_about(&endpoint.endpoint, Kind::RelayRefused, target)?;
        self.open_of_endpoint(endpoint, &trouble, at)?;
        match known {
            Some(open) if open.detail.calls() < detail.calls() => acts::tell_more(self.conn, open.id, at),
            // It was sent again, and refused again.
            Some(open) if open.is_seen => acts::remind(self.conn, open.id, Reminder::FiguresChanged, at),
            Some(_) | None => Ok(()),
        }
    }

    fn shop_calls(&self, calls: InVain, target: &RelayTarget, why: Noted) -> ShopCalls {
        let InVain { endpoint, calls, parked, since, orders } = calls;
        let address = self.progress.policy.handler(&endpoint.endpoint, target).cloned();
        ShopCalls { address, calls, parked, since, orders, why }
    }

    /// Closes what was told of a handler, where it is no longer true.
    fn close_what_is_over(
        &self,
        endpoint: &EndpointId,
        target: &RelayTarget,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        if let Some(failing) = self.open_about(endpoint, Kind::RelayFailing, target)? {
            let since = failing.opened_at.max(at.before(FRESH));
            if !relays::is_waiting_since(self.conn, endpoint, target, since)? {
                discrepancies::close(self.conn, failing.id, at)?;
            }
        }
        if let Some(refused) = self.open_about(endpoint, Kind::RelayRefused, target)?
            && !relays::is_any_refused(self.conn, endpoint, target)?
        {
            discrepancies::close(self.conn, refused.id, at)?;
        }
        Ok(())
    }

    fn open_about(
        &self,
        endpoint: &EndpointId,
        kind: Kind,
        target: &RelayTarget,
    ) -> Result<Option<discrepancies::OpenOfEndpoint>, LedgerError> {
        discrepancies::find_of_endpoint(self.conn, endpoint, kind, target.as_str())
    }

    pub(super) fn owe_relays_again(&self, which: &Replayed, at: Timestamp) -> Result<(), LedgerError> {
        relays::owe_again(self.conn, which, at)
    }
}
