//! The order as a whole: what its payments come to together, and what each of them is held against.
//!
//! Tourism lives on deposits: an order of 500 may be paid 150 in March and 350 in June. So the payments of one order are
//! added up first; only then does anything say that one of them is too little, or too much.

mod balance;
mod expected;
mod made_up;
mod plan;

use cvco_domain::{Cents, Currency, ExpectedFrom, Instrument, Mode, Order, Policy, TenderState, Timestamp};

use super::records::complement_failed;
use super::refunds::By;
use super::tenders::{Attempt, Evidence};
use balance::{Balance, Cause, Change, Reason};

/// What the payments of an order come to together.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    /// What the shop expects, less what was let off.
    pub(super) total: Option<Cents>,
    /// What was paid by the payments that count, less what banks took back of it: that is owed again.
    pub(super) paid: Cents,
    /// What of that the merchant gave back.
    pub(super) refunded: Cents,
    /// What banks took back.
    pub(super) taken_back: Cents,
    /// What is too much of it, or missing.
    gap: Option<Cents>,
    /// What was let off by giving whole payments back: by so much [`Self::total`] is less than what was registered.
    pub(super) let_off: Cents,
    /// Until when another attempt, of which one part was paid, is given the time for its other part.
    begun_until: Option<Timestamp>,
    /// What is to be paid by when. "As soon as the customer pays" is the grace after the last payment.
    demands: Vec<(Timestamp, Cents)>,
}

/// One attempt, as a payment of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    standing: Standing,
    /// Less what a bank took back of it.
    pub(super) paid: Cents,
    /// What of that the merchant gave back.
    pub(super) refunded: Cents,
    taken_back: Cents,
    /// When its first part was accepted.
    at: Option<Timestamp>,
    /// The total of this payment as its PSP states it.
    own_total: Option<Cents>,
    parts: Parts,
    /// The other part is known to be missing, or was tried and came to nothing.
    other_part_failed: bool,
    /// What it would have come to with the parts that were tried and came to nothing.
    tried: Cents,
    /// Whether the shop asked for just this part of the order.
    pub(super) instalment: Instalment,
    /// Of one part alone: the instalment that it was to pay with the other part.
    begun: Option<Cents>,
    /// Nothing is missing of it, as far as anybody says what it should be.
    pub(super) is_complete: bool,
    /// One part alone, or the payment that made up for its other part.
    is_made_up: bool,
    /// One part alone, while the order is paid without it: what should be paid instead, and was.
    pub(super) left_over_beside: Option<Cents>,
    /// What it should come to, and who says so.
    pub(super) expected: Option<(Cents, ExpectedFrom)>,
}

/// Whether a payment counts for its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Real money, or a trial where there is nothing else.
    Counts,
    /// It would count, but was given back wholly.
    Undone,
    /// A trial beside real money, or at an endpoint for real money.
    PlayMoney,
}

/// What a payment is to the plan of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instalment {
    /// None of its instalments.
    No,
    /// It comes to one that no other payment came to.
    Paid,
    /// It comes to one that another payment came to shortly before.
    PaidAgain,
}

/// Which parts of a payment were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Vouchers and cards.
    Both,
    /// One that may lack the other: vouchers, or a card that exists only beside a voucher.
    Alone(Instrument),
    /// A card, or none.
    Others,
}

impl Payment {
    /// Real money, or a trial where there is nothing else; and it was not given back wholly.
    pub(super) const fn counts(&self) -> bool {
        matches!(self.standing, Standing::Counts)
    }

    /// Whether it is a payment of its order at all. A trial is none beside real money, or at an endpoint for real money.
    pub(super) const fn is_of_the_order(&self) -> bool {
        !matches!(self.standing, Standing::PlayMoney)
    }

    /// What of it was not given back.
    pub(super) fn kept(&self) -> Cents {
        self.paid.minus(self.refunded)
    }

    /// What was accepted, whatever became of it.
    fn accepted(&self) -> Cents {
        self.paid.plus(self.taken_back)
    }

    /// One part of a split payment that waits for the other.
    pub(super) fn is_half(&self) -> bool {
        self.alone().is_some() && !self.is_complete && self.instalment != Instalment::PaidAgain
    }

    /// Vouchers alone, of which nothing says that they were to come to more.
    fn may_be_all_of_it(&self) -> bool {
        let wanted = self.own_total.max(Some(self.tried));
        self.parts == Parts::Alone(Instrument::Voucher)
            && !self.other_part_failed
            && wanted <= Some(self.accepted())
    }

    /// What a payment of one part alone was to come to with the other part, if anything says so.
    fn wanted(&self) -> Option<Cents> {
        self.alone()?;
        self.own_total.max(Some(self.tried)).filter(|wanted| *wanted > self.accepted())
    }

    /// The instrument of a payment that is one part alone.
    pub(super) const fn alone(&self) -> Option<Instrument> {
        match self.parts {
            Parts::Alone(instrument) => Some(instrument),
            Parts::Both | Parts::Others => None,
        }
    }

    /// Whether another payment that stands paid the same shortly before or after it.
    fn is_paid_twice(&self, payments: &[Self]) -> bool {
        let is_near = |other: &Self| {
            let (earlier, later) = (self.at.min(other.at), self.at.max(other.at));
            earlier.zip(later).is_some_and(|(earlier, later)| later.since(earlier) < plan::AT_ONCE)
        };
        payments.iter().any(|other| other.counts() && other.accepted() == self.accepted() && is_near(other))
    }

    pub(super) const fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

/// Adds up the payments of an order; one [`Payment`] for each attempt, in their order.
pub(super) fn of(
    attempts: &[Attempt],
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> (Whole, Vec<Payment>) {
    let counted_mode = attempts.iter().map(Attempt::mode).min();
    let mut payments: Vec<Payment> =
        attempts.iter().map(|attempt| payment(attempt, order, counted_mode)).collect();
    let counted = || payments.iter().filter(|payment| payment.counts());
    let mut heard_at: Vec<Timestamp> = attempts
        .iter()
        .zip(&payments)
        .filter(|(_, payment)| payment.counts())
        .flat_map(|(attempt, _)| attempt.accepted().filter_map(|evidence| evidence.accepted_seen_at))
        .collect();
    heard_at.sort_unstable();
    let registered = order.current().map(|version| version.total);
    let paid: Cents = counted().map(|payment| payment.paid).sum();
    plan::complete(&mut payments, order);
    let counted = || payments.iter().filter(|payment| payment.counts());
    let balance = registered.map(|total| Balance::of(changes(attempts, &payments, order), total));
    // Where nothing is left of what was paid, the whole order is what the payments are held against.
    let let_off = balance.filter(|_| paid.is_positive()).map_or(Cents::ZERO, |balance| balance.let_off);
    let whole = Whole {
        total: registered.map(|total| total.minus(let_off)),
        gap: balance.map(|balance| balance.gap()),
        paid,
        refunded: counted().map(|payment| payment.refunded).sum(),
        taken_back: payments
            .iter()
            .filter(|payment| payment.is_of_the_order())
            .map(|payment| payment.taken_back)
            .sum(),
        let_off,
        begun_until: begun_until(attempts, &payments, policy).filter(|until| now < *until),
        demands: plan::demands(order, policy, &heard_at),
    };
    match whole.total {
        Some(total) => expected::of_order(&mut payments, &whole, total, order),
        None => expected::as_stated(&mut payments),
    }
    (whole, payments)
}

fn payment(attempt: &Attempt, order: &Order, counted_mode: Option<Mode>) -> Payment {
    let currency = attempt.currency(order);
    let accepted = || attempt.accepted().map(|evidence| &evidence.tender);
    let has = |instrument| accepted().any(|tender| tender.instrument == instrument);
    let paid: Cents = accepted().filter(|tender| tender.currency == currency).map(|t| t.amount).sum();
    let given_back: Cents = accepted().map(|tender| tender.refunded).sum();
    let taken_back: Cents = accepted().map(|tender| tender.taken_back.min(tender.amount)).sum();
    let in_any_currency: Cents = accepted().map(|tender| tender.amount).sum();
    let parts = match (has(Instrument::Voucher), has(Instrument::Card)) {
        (true, true) => Parts::Both,
        (true, false) => Parts::Alone(Instrument::Voucher),
        (false, true) if accepted().any(|tender| tender.complement) => Parts::Alone(Instrument::Card),
        (false, _) => Parts::Others,
    };
    let is_play_money = attempt.mode() == Mode::Test && attempt.endpoint_mode == Mode::Production;
    let announced = attempt.parts_announced.map(|parts| accepted().count() >= usize::from(parts));
    let is_of_the_order = Some(attempt.mode()) == counted_mode && !is_play_money;
    let standing = match (is_of_the_order, in_any_currency > given_back) {
        (true, true) => Standing::Counts,
        (true, false) => Standing::Undone,
        (false, _) => Standing::PlayMoney,
    };
    Payment {
        standing,
        paid: paid.minus(taken_back),
        refunded: given_back.minus(taken_back),
        taken_back,
        at: accepted().filter_map(|tender| tender.authorised_at).min(),
        own_total: attempt.total(),
        parts,
        other_part_failed: parts == Parts::Alone(Instrument::Card)
            || announced == Some(false)
            || complement_failed(&attempt.tenders),
        tried: paid
            .plus(attempt.tenders.iter().filter(|e| is_lost(e.tender.state)).map(|e| e.tender.amount).sum()),
        instalment: Instalment::No,
        begun: None,
        is_complete: announced == Some(true),
        is_made_up: false,
        left_over_beside: None,
        expected: None,
    }
}

/// When the last attempt that is under way should be complete.
fn begun_until(attempts: &[Attempt], payments: &[Payment], policy: &Policy) -> Option<Timestamp> {
    let is_under_way =
        |payment: &Payment| payment.counts() && payment.is_half() && !payment.other_part_failed;
    let begun = attempts.iter().zip(payments).filter(|(_, payment)| is_under_way(payment));
    let since = begun.filter_map(|(attempt, _)| attempt.accepted().filter_map(|e| e.accepted_seen_at).min());
    since.max().map(|since| since.after(policy.complement_grace))
}

/// Everything that moved money of an order.
fn changes(attempts: &[Attempt], payments: &[Payment], order: &Order) -> Vec<Change> {
    let has_plan = order.current().is_some_and(|version| !version.instalments.is_empty());
    let mut changes = Vec::new();
    for (attempt, payment) in attempts.iter().zip(payments).filter(|(_, payment)| payment.is_of_the_order()) {
        let heard_at = || attempt.accepted().filter_map(|evidence| evidence.accepted_seen_at).min();
        let Some(paid_at) = payment.at.or_else(heard_at) else { continue };
        changes.push(Change { at: paid_at, cause: Cause::Paid, amount: payment.accepted() });
        let reason = if payment.standing == Standing::Counts {
            Reason::Part
        } else if has_plan && payment.is_paid_twice(payments) {
            Reason::Duplicate
        } else if payment.is_half() {
            Reason::Attempt
        } else {
            Reason::Payment
        };
        for back in attempt.accepted().flat_map(Evidence::made) {
            let cause = match back.by {
                By::Merchant => Cause::GivenBack(reason),
                By::Bank => Cause::TakenBack,
            };
            // Nothing goes back before it was paid, whatever the clocks say.
            changes.push(Change { at: back.at.max(paid_at), cause, amount: back.amount });
        }
    }
    changes
}

/// Tried, and came to nothing.
pub(super) const fn is_lost(state: TenderState) -> bool {
    match state {
        TenderState::Refused | TenderState::Abandoned | TenderState::Cancelled | TenderState::Expired => true,
        TenderState::Pending
        | TenderState::Authorised
        | TenderState::Captured
        | TenderState::Refunded
        | TenderState::PartRefunded => false,
    }
}

impl Attempt {
    /// The currency of its amounts: the order's; else euros, unless all its parts are in another one.
    pub(super) fn currency(&self, order: &Order) -> Currency {
        let stated = || {
            let mut all = self.tenders.iter().map(|evidence| evidence.tender.currency);
            if all.clone().any(|currency| currency == Currency::EUR) { None } else { all.next() }
        };
        order.current().map(|version| version.currency).or_else(stated).unwrap_or(Currency::EUR)
    }
}

/// The places of the payments, the earliest first.
fn by_time(payments: &[Payment]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..payments.len()).collect();
    places.sort_by_key(|place| payments.get(*place).map(|payment| (payment.at, *place)));
    places
}

impl Whole {
    /// What is kept of what was paid.
    pub(super) fn kept(&self) -> Cents {
        self.paid.minus(self.refunded)
    }

    /// The payments come to the registered total, or did before a bank took back some of them.
    pub(super) fn was_settled(&self) -> bool {
        [self.paid, self.accepted()].into_iter().any(|paid| self.total == Some(paid))
    }

    /// They come to it or to more, or did.
    pub(super) fn was_reached(&self) -> bool {
        self.total.is_some_and(|total| self.accepted() >= total)
    }

    /// What was accepted, whatever banks took back of it.
    pub(super) fn accepted(&self) -> Cents {
        self.paid.plus(self.taken_back)
    }

    /// The payments come to the registered total, or to more.
    pub(super) fn is_reached(&self) -> bool {
        self.total.is_some_and(|total| self.paid >= total)
    }

    /// What is missing of a registered order (below zero), or what is too much of it: see [`balance`].
    pub(super) const fn gap(&self) -> Option<Cents> {
        self.gap
    }

    /// Whether an attempt that came to nothing is still to be told of: what another one has paid so far may be as much as is
    /// missing, and its other part is still to come.
    pub(super) fn has_begun_beside(&self, payment: &Payment) -> bool {
        payment.other_part_failed && self.begun_until.is_some()
    }

    /// Something of the registered total was paid, and not all.
    pub(super) fn is_less(&self) -> bool {
        self.total.is_some() && self.paid.is_positive() && !self.is_reached()
    }

    /// Less than the order was paid, and all that is due.
    pub(super) fn is_part_paid(&self, now: Timestamp) -> bool {
        self.is_less() && self.overdue(now).is_none()
    }

    /// What is kept comes to just the next instalments of the plan, in whatever payments.
    pub(super) fn is_as_planned(&self) -> bool {
        self.demands().any(|(_, cents)| cents == self.kept())
    }

    /// All that is due by now, if it was not paid.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<Cents> {
        let due = self.demands().filter(|(at, _)| *at <= now).map(|(_, cents)| cents).max()?;
        (due > self.paid && self.paid.is_positive()).then_some(due)
    }

    /// Since when less was paid than is due.
    pub(super) fn overdue_since(&self) -> Option<Timestamp> {
        self.deadlines().min()
    }

    /// When time alone makes more of it overdue.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let is_open = self.paid.is_positive() && !self.is_reached();
        let due = self.demands().filter(move |(_, cents)| is_open && *cents > self.paid).map(|(at, _)| at);
        due.chain(self.begun_until)
    }

    /// What is to be paid by when, without what was let off by giving it back: that was paid, and is asked for no more.
    fn demands(&self) -> impl Iterator<Item = (Timestamp, Cents)> + '_ {
        let left = |cents: Cents| cents.minus(self.let_off).max(Cents::ZERO);
        self.demands.iter().map(move |(at, cents)| (*at, left(*cents)))
    }
}
