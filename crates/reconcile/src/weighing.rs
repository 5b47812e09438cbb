//! What all facts about one tender amount to together.

use std::cmp::Reverse;

use cvco_domain::{
    Authorisation, Booked, Cents, Instrument, Issuer, OddStatus, ReportedState, Source, StatusReading,
    Tender, TenderState, Timestamp,
};

use super::Fact;
use super::disputes::{Dispute, is_failing};
use super::tenders::{Basis, Evidence, Running};

pub(super) const fn is_accepting(state: ReportedState) -> bool {
    match state {
        ReportedState::Authorised | ReportedState::Captured => true,
        ReportedState::Pending
        | ReportedState::Abandoned
        | ReportedState::Refused
        | ReportedState::Expired
        | ReportedState::Cancelled => false,
    }
}

const fn is_withdrawing(state: ReportedState) -> bool {
    matches!(state, ReportedState::Cancelled | ReportedState::Expired)
}

/// Of several facts about one transaction the one that is believed: one that states the part's own amount, of
/// these the earliest by the PSP's own clock, then the smaller amount. A choice that never claims money which is
/// in dispute; what follows the amount makes it independent of the order of arrival.
pub(super) fn leading<'a>(facts: &[&'a Fact]) -> Option<&'a Fact> {
    facts.iter().copied().min_by_key(|fact| {
        let event = &fact.event;
        let dated = event.accepted_at.or(event.occurred_at);
        (
            (event.amount_from, dated.is_none(), dated, event.amount),
            (event.instrument, &event.brand, event.currency, &event.call_number, &fact.endpoint),
        )
    })
}

/// The last answer of the PSP's API that states the part's own amount: a later answer knows more.
pub(super) fn confirmed<'a>(facts: &[&'a Fact]) -> Option<&'a Fact> {
    let states_it = |fact: &&'a Fact| fact.source == Source::Confirmation && fact.event.amount_from.is_part();
    facts.iter().copied().filter(states_it).min_by_key(|fact| {
        let event = &fact.event;
        (
            (Reverse(fact.received_at), event.amount, event.currency),
            (event.instrument, &event.brand, &fact.endpoint),
        )
    })
}

/// The last fact by which the merchant changed the amount at the PSP. It can only be lowered there: a larger one is
/// another story.
fn revised<'a>(facts: &[&'a Fact], first: Cents) -> Option<&'a Fact> {
    let lowers = |fact: &&'a Fact| fact.event.revised && fact.event.amount <= first;
    facts.iter().copied().filter(lowers).min_by_key(|fact| {
        let event = &fact.event;
        (
            (Reverse(fact.received_at), event.amount, event.currency),
            (event.instrument, &event.brand, &fact.endpoint),
        )
    })
}

/// The furthest state. What was captured stays captured, although it is told as cancelled too.
fn furthest(facts: &[&Fact]) -> Option<ReportedState> {
    let stays_captured = is_captured_and_cancelled(facts);
    let states = facts.iter().map(|fact| fact.event.state);
    states.filter(|state| !(stays_captured && *state == ReportedState::Cancelled)).max()
}

/// Whether notifications tell a captured card payment as cancelled. Where captures are told, that says that the money was
/// taken: it can be refunded, and no longer cancelled (Worldline's own messages say so of a captured payment).
/// Vouchers are another matter: a platform gives them back when the rest is not paid.
pub(super) fn is_captured_and_cancelled(facts: &[&Fact]) -> bool {
    let is_told = |wanted: ReportedState| {
        facts.iter().any(|fact| {
            fact.event.state == wanted
                && fact.source == Source::Notification
                && fact.psp.terms().tells_of_captures
                && fact.event.instrument == Instrument::Card
        })
    };
    let is_answered =
        |fact: &&Fact| fact.source == Source::Confirmation && fact.event.state == ReportedState::Cancelled;
    is_told(ReportedState::Captured) && is_told(ReportedState::Cancelled) && !facts.iter().any(is_answered)
}

/// The failure that the PSP's API states although the transaction was notified as accepted, if nothing accepted it since
/// then: money that the PSP's own books do not have is not claimed.
pub(super) fn overruled(facts: &[&Fact]) -> Option<ReportedState> {
    let answers = facts.iter().filter(|fact| fact.source == Source::Confirmation);
    let decided = answers.filter(|fact| fact.event.state != ReportedState::Pending);
    let last = decided.max_by_key(|fact| (fact.received_at, fact.event.state))?;
    let accepted_since =
        facts.iter().any(|fact| is_accepting(fact.event.state) && fact.received_at > last.received_at);
    (is_failing(last.event.state) && !accepted_since).then_some(last.event.state)
}

/// The furthest state wins (`ReportedState` is ordered so), unless an answer of the API [`overruled`] it. Of the facts
/// that accept the tender the [`confirmed`] one decides the amount, or else the [`leading`] one; but what the merchant
/// [`revised`] since then replaces it.
pub(super) fn weigh(facts: &[&Fact]) -> Option<Evidence> {
    let furthest = overruled(facts).or_else(|| furthest(facts))?;
    let accepting: Vec<&Fact> = facts.iter().copied().filter(|fact| is_accepting(fact.event.state)).collect();
    let deciding = if accepting.is_empty() { facts } else { accepting.as_slice() };
    let confirmed = confirmed(deciding);
    let unrevised: Vec<&Fact> = deciding.iter().copied().filter(|fact| !fact.event.revised).collect();
    let first = confirmed.or_else(|| leading(&unrevised)).or_else(|| leading(deciding))?;
    let since = |fact: &&Fact| confirmed.is_none_or(|confirmed| fact.received_at > confirmed.received_at);
    let revised = revised(deciding, first.event.amount).filter(since);
    let believed = revised.unwrap_or(first);
    let authorised_at = accepted_time(&accepting);
    let event = &believed.event;
    let part_capture = confirmed.and_then(|captured| PartCapture::of(facts, captured)).unwrap_or_default();

    Some(Evidence {
        tender: Tender {
            id: event.tender_id.clone(),
            instrument: event.instrument,
            brand: event.brand.clone(),
            issuer: Issuer::of(event.instrument, &event.brand),
            state: state_of(furthest),
            amount: event.amount,
            currency: event.currency,
            refunded: Cents::ZERO,
            taken_back: Cents::ZERO,
            authorisation: deciding
                .iter()
                .filter_map(|fact| fact.event.authorisation.number())
                .min()
                .cloned(),
            contract: facts.iter().filter_map(|fact| fact.event.contract.as_ref()).min().cloned(),
            endpoint: facts.iter().map(|fact| &fact.endpoint).min()?.clone(),
            complement: facts.iter().any(|fact| fact.event.complement),
            first_seen_at: facts.iter().map(|fact| fact.received_at).min()?,
            authorised_at,
            captured_at: first_time(facts, |state| state == ReportedState::Captured),
            refunded_at: None,
            booked: Booked::default(),
        },
        psp: believed.psp,
        call_number: event.call_number.clone(),
        earlier_operations: Vec::new(),
        basis: confirmed.map_or(Basis::Told(event.amount_from), |_| Basis::Confirmed),
        running: Running::of(accepting.iter().filter_map(|fact| fact.event.running_total)),
        accepted_seen_at: accepting.iter().map(|fact| fact.received_at).min(),
        was_counted: facts
            .iter()
            .any(|fact| is_accepting(fact.event.state) || fact.event.state == ReportedState::Pending),
        only_notified: facts.iter().all(|fact| fact.source == Source::Notification),
        // Without a transaction nothing says that two facts are about the same one.
        dispute: event.tender_id.as_ref().and_then(|_| Dispute::about(facts, first.event.amount, confirmed)),
        authorisation_absent: deciding.iter().any(|fact| fact.event.authorisation == Authorisation::Absent),
        odd_status: odd_status(facts, furthest),
        lowered_by: leading(&unrevised)
            .filter(|_| event.revised)
            .map_or(part_capture.let_go, |told| told.event.amount.minus(event.amount)),
        is_unfinished: is_pending_by(facts, furthest, StatusReading::Unfinished),
        is_planned: is_pending_by(facts, furthest, StatusReading::Planned),
        lowered_seen_at: revised.map(|fact| fact.received_at).or(part_capture.seen_at),
        uncaptured: part_capture.uncaptured,
        returns: Vec::new(),
        withdrawn_at: first_time(facts, is_withdrawing)
            .map(|at| undone_at(at, authorised_at, || first_seen(facts, is_withdrawing))),
        withdrawn_seen_at: first_seen(facts, is_withdrawing),
        payouts: Vec::new(),
    })
}

/// It is undecided, and all that says so reads like this.
fn is_pending_by(facts: &[&Fact], furthest: ReportedState, reading: StatusReading) -> bool {
    let mut told = facts.iter().map(|fact| &fact.event).filter(|event| event.state == ReportedState::Pending);
    furthest == ReportedState::Pending && told.all(|event| event.status.reading == reading)
}

/// A part of an authorisation that was captured, as an answer tells it.
#[derive(Clone, Copy, Default)]
struct PartCapture {
    /// What is still authorised beside it.
    uncaptured: Cents,
    /// What was authorised before, and was let go since.
    let_go: Cents,
    /// When the daemon first heard of it.
    seen_at: Option<Timestamp>,
}

impl PartCapture {
    /// `captured`: the last answer that states an amount.
    fn of(facts: &[&Fact], captured: &Fact) -> Option<Self> {
        let answered = |state, fact: &&&Fact| {
            let event = &fact.event;
            fact.source == Source::Confirmation
                && (event.state, event.currency) == (state, captured.event.currency)
                && event.amount_from.is_part()
        };
        let authorised = || facts.iter().filter(|fact| answered(ReportedState::Authorised, fact));
        let now = authorised().filter(|fact| fact.received_at == captured.received_at);
        let now = now.map(|fact| fact.event.amount).max()?;
        let before = authorised().map(|fact| fact.event.amount).max()?;
        let amount = captured.event.amount;
        let told = facts.iter().filter(|fact| answered(ReportedState::Captured, fact));
        let seen_at = told.filter(|fact| fact.event.amount == amount).map(|fact| fact.received_at).min()?;
        (amount < before).then(|| Self {
            uncaptured: now.minus(amount),
            let_go: before.minus(now),
            seen_at: Some(seen_at),
        })
    }
}

/// The status with which a state was told that calls for a person, or that the tables do not have.
pub(super) fn odd_status(facts: &[&Fact], state: ReportedState) -> Option<OddStatus> {
    let told = facts.iter().map(|fact| &fact.event).filter(|event| event.state == state);
    let odd = told.filter(|event| event.status.reading.is_odd());
    let code = odd.map(|event| event.status.code.as_str()).min()?;
    Some(OddStatus { code: code.to_owned(), state })
}

/// When a tender was first in such a state: the PSP's time where it states one, else the time of receipt.
pub(super) fn first_time(facts: &[&Fact], wanted: impl Fn(ReportedState) -> bool) -> Option<Timestamp> {
    let told = || facts.iter().filter(|fact| wanted(fact.event.state));
    told().filter_map(|fact| fact.occurred_at()).min().or_else(|| told().map(|fact| fact.received_at).min())
}

/// When the daemon first heard of such a state.
fn first_seen(facts: &[&Fact], wanted: impl Fn(ReportedState) -> bool) -> Option<Timestamp> {
    facts.iter().filter(|fact| wanted(fact.event.state)).map(|fact| fact.received_at).min()
}

/// When a tender was accepted: the PSP's time where it states one. Otherwise it was accepted when that was heard at the
/// latest, and before it was captured. That it was captured, heard without a date, says less than a date does.
fn accepted_time(accepting: &[&Fact]) -> Option<Timestamp> {
    let stated = accepting.iter().filter_map(|fact| fact.accepted_at()).min();
    let at_the_latest = || {
        let dated = accepting.iter().filter_map(|fact| fact.occurred_at());
        let accepted = accepting.iter().filter(|fact| fact.event.state == ReportedState::Authorised);
        dated.chain(accepted.map(|fact| fact.received_at)).min()
    };
    let heard = || accepting.iter().map(|fact| fact.received_at).min();
    stated.or_else(at_the_latest).or_else(heard)
}

/// When a payment was undone that had been accepted: a date that is that of the acceptance, or lies before it, is only
/// repeated by the PSP, and the time of receipt counts.
pub(super) fn undone_at(
    told: Timestamp,
    accepted_at: Option<Timestamp>,
    seen_at: impl Fn() -> Option<Timestamp>,
) -> Timestamp {
    let is_repeated =
        accepted_at.is_some_and(|accepted| told == accepted || told.paris_day() < accepted.paris_day());
    seen_at().filter(|_| is_repeated).unwrap_or(told)
}

const fn state_of(furthest: ReportedState) -> TenderState {
    match furthest {
        ReportedState::Pending => TenderState::Pending,
        ReportedState::Abandoned => TenderState::Abandoned,
        ReportedState::Refused => TenderState::Refused,
        ReportedState::Authorised => TenderState::Authorised,
        ReportedState::Captured => TenderState::Captured,
        ReportedState::Expired => TenderState::Expired,
        ReportedState::Cancelled => TenderState::Cancelled,
    }
}
