//! Which notifications are owed to the shop's own handlers, and what became of them.

use cvco_domain::{CallNumber, Event, Instrument, OrderRef, Question, Timestamp};
use cvco_log::entry::{Origin, Relayed, Replayed};

use super::Fold;
use super::affected::AffectedOrder;
use crate::LedgerError;
use crate::tables::notifications::Notified;
use crate::tables::relays::{self, OwedRelay, RelayPart};

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
        for target in targets {
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
        relays::end(self.conn, relayed, at)
    }

    pub(super) fn owe_relays_again(&self, which: Replayed, at: Timestamp) -> Result<(), LedgerError> {
        relays::owe_again(self.conn, which, at)
    }
}
