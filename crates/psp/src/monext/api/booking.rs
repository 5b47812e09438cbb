//! From the parts of an answer to events.

use cvco_domain::{
    AmountFrom, Authorisation, CallNumber, Cents, Currency, Event, Instrument, Operation, ReportedState,
    StatusCode, StatusReading, TenderId, Timestamp,
};

use super::super::settings::Settings;
use super::capture::Capture;
use super::details::{Details, HistoryEntry, Leg, Unreadable};
use super::share::{self, Share};

/// An answer, with what is needed to turn it into events.
pub(super) struct Booking<'a> {
    pub(super) details: &'a Details,
    /// What the ledger knows about the order.
    pub(super) known: &'a [Event],
    settings: &'a Settings,
    call_number: CallNumber,
}

/// One movement of money, before it becomes an event.
struct Movement<'a> {
    id: &'a TenderId,
    operation: Operation,
    amount: Cents,
    currency: Currency,
    state: ReportedState,
    status: StatusCode,
    at: Option<Timestamp>,
}

impl<'a> Booking<'a> {
    /// `call_number` is taken unless the ledger has one of the transactions under another.
    pub(super) fn new(
        details: &'a Details,
        known: &'a [Event],
        settings: &'a Settings,
        call_number: CallNumber,
    ) -> Self {
        let named = |event: &&Event| {
            let refers_to = |id: &TenderId| {
                event.tender_id.as_ref() == Some(id)
                    || event.operation == (Operation::Credit { of: Some(id.clone()) })
            };
            details.legs.iter().any(|leg| refers_to(&leg.id))
        };
        let call_number = known.iter().find(named).map_or(call_number, |event| event.call_number.clone());
        Self { details, known, settings, call_number }
    }

    /// Every part as paid. `itemised`: the answer lists all parts of the order.
    pub(super) fn paid(&self, itemised: bool) -> Result<Vec<Event>, Unreadable> {
        let ambiguous = self.main_may_include_the_others()?;
        let mut events = Vec::with_capacity(self.details.legs.len());
        for leg in &self.details.legs {
            let (amount, currency) = self.money(leg)?;
            let mut event = self.payment(leg, amount, currency, state_of(leg))?;
            event.itemised = itemised && self.details.order.total.is_some();
            if ambiguous && leg.is_main {
                event.amount_from = AmountFrom::OrderTotal;
            }
            events.push(event);
        }
        Ok(events)
    }

    /// The parts whose amount and currency are known, in a state that does not count as money; if `only` is given, just
    /// that part.
    pub(super) fn unpaid(
        &self,
        state: ReportedState,
        only: Option<&TenderId>,
    ) -> Result<Vec<Event>, Unreadable> {
        self.details
            .legs
            .iter()
            .filter(|leg| only.is_none_or(|id| *id == leg.id))
            .filter_map(|leg| self.money(leg).ok().map(|(amount, currency)| (leg, amount, currency)))
            .map(|(leg, amount, currency)| self.payment(leg, amount, currency, state))
            .collect()
    }

    /// What was done to a part, according to its history. What was let go is taken off what was `paid`.
    pub(super) fn done_to(
        &self,
        leg: &Leg,
        paid: &mut Event,
        lines: &[&HistoryEntry],
    ) -> Result<Vec<Event>, Unreadable> {
        let capture = Capture::of(paid.amount, lines);
        let mut events = Vec::new();
        if let Some(capture) = &capture {
            paid.amount = capture.amount.plus(capture.rest);
            let movement = Movement {
                id: &leg.id,
                operation: Operation::Debit,
                amount: capture.amount,
                currency: paid.currency,
                state: ReportedState::Captured,
                status: status_of("CAPTURE"),
                at: capture.at,
            };
            events.push(self.event(leg, movement)?);
        }
        for line in lines.iter().filter(|line| !capture.as_ref().is_some_and(|capture| capture.tells(line))) {
            events.extend(self.movement(leg, line)?.map(|movement| self.event(leg, movement)).transpose()?);
        }
        Ok(events)
    }

    /// A part that was reset whole is cancelled; one that was reset in part gave that much back, like a refund.
    fn movement<'l>(&self, leg: &'l Leg, line: &'l HistoryEntry) -> Result<Option<Movement<'l>>, Unreadable> {
        let (whole, currency) = self.money(leg)?;
        match (line.kind.as_str(), line.amount) {
            ("REFUND" | "CREDIT", Some(amount)) => Ok(Some(back(leg, line, amount, currency))),
            ("REFUND" | "CREDIT", None) => {
                Err(Unreadable(format!("it states no amount of refund {}", line.id)))
            }
            ("RESET", Some(amount)) if amount < whole => Ok(Some(back(leg, line, amount, currency))),
            ("RESET", _) => Ok(Some(Movement {
                id: &leg.id,
                operation: Operation::Debit,
                amount: whole,
                currency,
                state: ReportedState::Cancelled,
                status: status_of("RESET"),
                at: line.at,
            })),
            _ => Ok(None),
        }
    }

    /// A refund that was asked for by its own transaction.
    pub(super) fn refund(&self, leg: &Leg, of: Option<&TenderId>) -> Result<Event, Unreadable> {
        let (amount, currency) = self.money(leg)?;
        let mut event = self.event(
            leg,
            Movement {
                id: &leg.id,
                operation: Operation::Credit { of: of.cloned() },
                amount,
                currency,
                state: ReportedState::Captured,
                status: self.status(StatusReading::Known),
                at: leg.at,
            },
        )?;
        let origin = self.known.iter().find(|event| of.is_some() && event.tender_id.as_ref() == of);
        let calls = || self.known.iter().map(|event| &event.call_number);
        let only_call = calls().next().filter(|first| calls().all(|call| call == *first));
        if let Some(call) = origin.map(|event| &event.call_number).or(only_call) {
            event.call_number = call.clone();
        }
        if let Some(origin) = origin {
            (event.instrument, event.brand) = (origin.instrument, origin.brand.clone());
        }
        Ok(event)
    }

    /// The main part's amount is the order's, and there are others beside it: it may already contain them.
    fn main_may_include_the_others(&self) -> Result<bool, Unreadable> {
        let Some(total) = self.details.order.total else { return Ok(false) };
        let mut sum = Cents::ZERO;
        let mut main_is_all = false;
        for leg in &self.details.legs {
            let (amount, _) = self.money(leg)?;
            sum = sum.plus(amount);
            main_is_all |= leg.is_main && amount == total;
        }
        Ok(main_is_all && self.details.legs.len() > 1 && sum != total)
    }

    /// Amount and currency of a part; without a currency of its own it has the order's.
    fn money(&self, leg: &Leg) -> Result<(Cents, Currency), Unreadable> {
        let amount =
            leg.amount.ok_or_else(|| Unreadable(format!("transaction {} has no readable amount", leg.id)))?;
        let currency = leg
            .currency
            .or(self.details.order.currency)
            .ok_or_else(|| Unreadable(format!("transaction {} has no readable currency", leg.id)))?;
        Ok((amount, currency))
    }

    fn payment(
        &self,
        leg: &Leg,
        amount: Cents,
        currency: Currency,
        state: ReportedState,
    ) -> Result<Event, Unreadable> {
        let status = self.status(share::of(leg, self.known, self.settings)?.reading);
        let id = &leg.id;
        // The part keeps the date of its authorisation, also when it was cancelled since.
        let at = leg.at.filter(|_| state != ReportedState::Cancelled);
        let movement = Movement { id, operation: Operation::Debit, amount, currency, state, status, at };
        self.event(leg, movement)
    }

    fn event(&self, leg: &Leg, movement: Movement<'_>) -> Result<Event, Unreadable> {
        let Share { instrument, brand, .. } = share::of(leg, self.known, self.settings)?;
        let debit = movement.operation == Operation::Debit;
        Ok(Event {
            order_ref: self.details.order.reference.clone(),
            call_number: self.call_number_of(movement.id),
            tender_id: Some(movement.id.clone()),
            instrument,
            brand,
            operation: movement.operation,
            amount: movement.amount,
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: movement.currency,
            state: movement.state,
            status: movement.status,
            // Monext says of no part that it must or must not have a number, and its own sample of a captured card
            // payment has none: only a card's number is worth keeping.
            authorisation: leg
                .authorisation
                .clone()
                .filter(|_| debit && instrument == Instrument::Card)
                .map_or(Authorisation::NotStated, Authorisation::Number),
            contract: leg.contract.clone(),
            mode: None,
            complement: instrument == Instrument::Card && self.has_voucher_beside(leg)?,
            order_total: self.details.order.total.filter(|_| debit),
            itemised: false,
            parts_announced: None,
            occurred_at: movement.at,
            accepted_at: None,
            revised: false,
        })
    }

    fn call_number_of(&self, id: &TenderId) -> CallNumber {
        let known = self.known.iter().find(|event| event.tender_id.as_ref() == Some(id));
        known.map_or_else(|| self.call_number.clone(), |event| event.call_number.clone())
    }

    fn has_voucher_beside(&self, leg: &Leg) -> Result<bool, Unreadable> {
        for other in self.details.legs.iter().filter(|other| other.id != leg.id) {
            if share::of(other, self.known, self.settings)?.instrument == Instrument::Voucher {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn status(&self, of_share: StatusReading) -> StatusCode {
        let verdict = &self.details.verdict;
        let reading = if verdict.reading == StatusReading::Known { of_share } else { verdict.reading };
        StatusCode { code: verdict.code.clone(), reading }
    }
}

fn back<'a>(leg: &Leg, line: &'a HistoryEntry, amount: Cents, currency: Currency) -> Movement<'a> {
    Movement {
        id: &line.id,
        operation: Operation::Credit { of: Some(leg.id.clone()) },
        amount,
        currency: line.currency.unwrap_or(currency),
        state: ReportedState::Captured,
        status: status_of(&line.kind),
        at: line.at,
    }
}

/// The status of what a line of the history says was done.
fn status_of(kind: &str) -> StatusCode {
    StatusCode { code: format!("{kind}/OK"), reading: StatusReading::Known }
}

/// Actions 100 and 120 only authorise; 101, which CVCo demands, 121 and the rest capture as well.
fn state_of(leg: &Leg) -> ReportedState {
    match leg.action.as_deref() {
        Some("100" | "120") => ReportedState::Authorised,
        _ => ReportedState::Captured,
    }
}
