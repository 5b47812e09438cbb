//! The catalogue's rules. Where a specific rule explains what is wrong, the general one stays silent: one cause,
//! one discrepancy.

pub(super) mod captures;
mod disputes;
mod payouts;
mod refunds;
mod together;

use std::collections::BTreeSet;

use cvco_domain::{
    CallNumber, Cents, Contract, Currency, Detail, ExpectedFrom, Finding, Instrument, Kind, Mode, Order,
    OtherClaim, PartName, PaymentName, Payout, Psp, RecordState, StatusOf, Tender, TenderId, TenderState,
    Timestamp, VoucherKind,
};

use super::Policy;
use super::records::{Draft, Missing, Wait, complement_failed};
use super::tenders::Evidence;
use super::whole::{Whole, is_lost};

/// Every rule that an order breaks, in a fixed order.
pub(super) fn findings(
    drafts: &[Draft],
    whole: &Whole,
    unallocated: &[Payout],
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let changed = together::total_changed(drafts, whole, order);
    let explained_until = changed.as_ref().and_then(|_| order.current()).map(|now| now.registered_at);
    let mut found: Vec<Finding> = drafts
        .iter()
        .flat_map(|draft| of_record(draft, whole, explained_until, order, policy, now))
        .collect();
    if changed.is_none() {
        found.extend(together::short(drafts, whole, &found, now));
        found.extend(together::over(drafts, whole, now));
    }
    let paid = Paid::of(drafts, whole);
    found.extend(drafts.iter().flat_map(|draft| after_payment(draft, &paid, order, policy, now)));
    say_once_what_lapsed(&mut found);
    found.extend(claimed_twice(drafts, &order.also_claimed));
    found.extend(payouts::unallocated(unallocated));
    found.extend(changed);
    found
}

/// `explained_until`: what was accepted before was right then; the shop changed the total since.
fn of_record(
    draft: &Draft,
    whole: &Whole,
    explained_until: Option<Timestamp>,
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let mismatch = mode_mismatch(draft);
    // A trial among real payments: nothing else about it means anything.
    if mismatch.as_ref().is_some_and(|finding| finding.kind == Kind::TestInProduction) {
        return mismatch.into_iter().collect();
    }
    let mut found: Vec<Finding> = mismatch.into_iter().collect();
    found.extend(disputes::findings(draft, order));
    let duplicates = duplicate_tenders(draft);
    let accepted_at = [draft.accepted_since(), draft.payment.at()].into_iter().flatten().min();
    let was_right = explained_until.zip(accepted_at).is_some_and(|(until, at)| at <= until);
    let is_explained = !duplicates.is_empty()
        || was_right
        || mixes_currencies(draft)
        || disputes::explain_the_gap(draft, draft.gap_of(whole));
    found.extend(duplicates);
    if !is_explained {
        found.extend(amounts(draft, order));
    }
    found.extend(nobody_knows_the_total(draft, order, policy, now));
    found.extend(currency_unexpected(draft, order));
    found.extend(draft.evidence.iter().filter_map(|evidence| authorisation_unexpected(draft, evidence)));
    found.extend(draft.evidence.iter().filter_map(|evidence| unknown_status(draft, evidence)));
    found
}

/// What an order lacks because an authorisation lapsed is said of that: the customer is asked for it once.
fn say_once_what_lapsed(found: &mut Vec<Finding>) {
    let lapsed = found.iter().filter(|finding| matches!(finding.detail, Detail::Lapsed(_)));
    let lapsed: Cents = lapsed.filter_map(|finding| finding.expected).sum();
    let is_it = |finding: &Finding| {
        let lacks = finding.expected.zip(finding.actual).map(|(expected, actual)| expected.minus(actual));
        finding.kind == Kind::AmountShort && lapsed.is_positive() && lacks == Some(lapsed)
    };
    found.retain(|finding| !is_it(finding));
}

/// What an order has been paid, and since when: by the PSP's clock, so that it makes no difference what was heard of first.
struct Paid {
    /// When the last payment was made.
    last_at: Option<Timestamp>,
    /// Whether the order lacks nothing; `None` where nobody says what it comes to.
    is_whole: Option<bool>,
}

impl Paid {
    fn of(drafts: &[Draft], whole: &Whole) -> Self {
        let counted = drafts.iter().filter(|draft| draft.payment.counts());
        let accepted =
            counted.flat_map(|draft| &draft.record.tenders).filter(|tender| tender.state.is_accepted());
        Self {
            last_at: accepted.filter_map(|tender| tender.authorised_at).max(),
            is_whole: whole.gap().map(|gap| gap >= Cents::ZERO),
        }
    }

    /// When the last payment was made of an order that lacks nothing.
    fn wholly_at(&self) -> Option<Timestamp> {
        self.last_at.filter(|_| self.is_whole == Some(true))
    }

    /// Whether what came to nothing at an instant was made up for: all of it in an order that lacks nothing; where nobody says
    /// what an order comes to, what was followed by another payment.
    fn makes_up_for(&self, lost_at: Timestamp) -> bool {
        self.is_whole.unwrap_or_else(|| self.last_at.is_some_and(|paid_at| lost_at < paid_at))
    }
}

/// What may go wrong after a payment was accepted: captures, refunds, contracts, payouts.
fn after_payment(draft: &Draft, paid: &Paid, order: &Order, policy: &Policy, now: Timestamp) -> Vec<Finding> {
    if mode_mismatch(draft).is_some_and(|finding| finding.kind == Kind::TestInProduction) {
        return Vec::new();
    }
    let mut found: Vec<_> = captures::overdue(draft, paid, order, policy, now).into_iter().collect();
    found.extend(refunds::findings(draft, paid.wholly_at(), policy, now));
    found.extend(contracts_unknown(draft, policy));
    found.extend(payouts::findings(draft, policy, now));
    found
}

/// When time alone may break one of the rules that hold after a payment was accepted.
pub(super) fn deadlines<'d>(
    draft: &'d Draft,
    order: &'d Order,
    policy: &'d Policy,
) -> impl Iterator<Item = Timestamp> + 'd {
    captures::deadlines(draft, order, policy)
        .chain(refunds::deadlines(draft, policy))
        .chain(payouts::deadlines(draft, policy))
}

impl Draft {
    fn key(&self) -> (Psp, CallNumber) {
        (self.record.psp, self.record.call_number.clone())
    }

    fn finding(&self, kind: Kind, subject: &str, detail: Detail) -> Finding {
        Finding {
            kind,
            record: Some(self.key()),
            subject: subject.to_owned(),
            expected: None,
            actual: None,
            detail,
        }
    }

    fn amount_finding(&self, kind: Kind, expected: Option<Cents>, actual: Cents) -> Finding {
        let parts = Detail::Parts(self.parts(self.evidence.iter()));
        Finding { expected, actual: Some(actual), ..self.finding(kind, "", parts) }
    }

    /// A tender as people find it in a back office, and of a payment that was joined from elsewhere also where.
    fn part(&self, evidence: &Evidence) -> PartName {
        let Tender { id, instrument, brand, .. } = &evidence.tender;
        let payment = PaymentName { psp: evidence.psp, call_number: evidence.call_number.clone() };
        let is_here = (payment.psp, &payment.call_number) == (self.record.psp, &self.record.call_number);
        PartName {
            transaction: id.clone(),
            instrument: *instrument,
            brand: brand.clone(),
            elsewhere: (!is_here).then_some(payment),
        }
    }

    fn parts<'a>(&self, tenders: impl Iterator<Item = &'a Evidence>) -> Vec<PartName> {
        tenders.map(|evidence| self.part(evidence)).collect()
    }
}

/// What is said of payments that come to too little: of some parts more may be authorised than was captured.
fn short_parts<'d>(drafts: impl Iterator<Item = &'d Draft> + Clone) -> Detail {
    let parts = drafts.clone().flat_map(|draft| draft.parts(draft.evidence.iter())).collect();
    match drafts.flat_map(|draft| &draft.evidence).map(|evidence| evidence.uncaptured).sum() {
        Cents::ZERO => Detail::Parts(parts),
        left => Detail::PartCaptured { parts, left },
    }
}

fn mode_mismatch(draft: &Draft) -> Option<Finding> {
    let kind = match (draft.endpoint_mode, draft.record.mode) {
        (Mode::Production, Mode::Test) => Kind::TestInProduction,
        (Mode::Test, Mode::Production) => Kind::ProductionInTest,
        (Mode::Production, Mode::Production) | (Mode::Test, Mode::Test) => return None,
    };
    Some(draft.finding(kind, "", Detail::Endpoint(draft.record.endpoint.clone())))
}

/// Two accepted parts of one kind that pay too much together: two vouchers of one brand, or two cards at a PSP that takes
/// one. Parts that add up are none too many; and where nobody knows the total, only two of the same amount look like one
/// too many. One that was given back wholly is mended.
fn duplicate_tenders(draft: &Draft) -> Vec<Finding> {
    let terms = draft.record.psp.terms();
    let expected = draft.record.expected.map(|(expected, _)| expected);
    let is_standing = |tender: &Tender| {
        tender.state.is_accepted() && tender.state != TenderState::Refunded && tender.amount.is_positive()
    };
    let standing = |instrument: Instrument| {
        draft.evidence.iter().filter(move |e| e.tender.instrument == instrument && is_standing(&e.tender))
    };
    let is_repeated = |instrument: Instrument| {
        let figures = |e: &Evidence| (e.tender.brand.clone(), e.tender.amount);
        standing(instrument).map(figures).collect::<BTreeSet<_>>().len() < standing(instrument).count()
    };
    let pays_too_much = |instrument: Instrument| {
        expected.map_or_else(|| is_repeated(instrument), |expected| draft.record.paid() > expected)
    };
    let vouchers: BTreeSet<_> =
        standing(Instrument::Voucher).map(|evidence| &evidence.tender.brand).collect();
    let second_voucher = standing(Instrument::Voucher).count() > vouchers.len()
        && (expected.is_some() || !terms.takes_several_vouchers);
    let second_card = !terms.takes_several_complements && standing(Instrument::Card).count() > 1;

    [(Instrument::Voucher, second_voucher), (Instrument::Card, second_card)]
        .into_iter()
        .filter(|(instrument, is_second)| *is_second && pays_too_much(*instrument))
        .map(|(instrument, _)| {
            let parts = Detail::Parts(draft.parts(standing(instrument)));
            let finding = draft.finding(Kind::DuplicateTender, instrument.as_str(), parts);
            Finding { expected, actual: Some(draft.record.paid()), ..finding }
        })
        .collect()
}

/// Whether the accepted parts come to what they should.
fn amounts(draft: &Draft, order: &Order) -> Vec<Finding> {
    let record = &draft.record;
    let expected = record.expected.map(|(expected, _)| expected);
    let paid = record.paid();
    // Given back what was too much, to the cent or more, or all of it: mended.
    let kept = paid.minus(record.refunded());
    let surplus_is_back = |expected: Cents| kept == expected || (kept <= expected && expected < paid);
    let mended = record.refunded().is_positive()
        && (record.refunded() >= paid || expected.is_some_and(surplus_is_back));
    if mended || record.state == RecordState::Failed {
        return Vec::new();
    }
    match draft.wait {
        Wait::Until(..) | Wait::Over(Missing::Outcome) => Vec::new(),
        // Of an answer that is still awaited the endpoint's own alert speaks.
        Wait::Over(Missing::Confirmation) if order.awaits_answer => Vec::new(),
        Wait::Over(Missing::Confirmation) => vec![draft.amount_finding(Kind::Unconfirmed, expected, paid)],
        Wait::Over(Missing::Complement) if complement_failed(&draft.evidence) => {
            vec![draft.amount_finding(Kind::VoucherOrphan, expected, paid)]
        }
        Wait::Over(Missing::Complement) => {
            vec![draft.amount_finding(Kind::ComplementMissing, expected, paid)]
        }
        Wait::Over(Missing::Voucher) => {
            vec![draft.amount_finding(Kind::ComplementOrphan, expected, paid)]
        }
        Wait::Nothing => [sequence_disagrees(draft), gap(draft)].into_iter().flatten().collect(),
    }
}

/// An accepted part in another currency than the record's is not counted in its amounts.
fn mixes_currencies(draft: &Draft) -> bool {
    let mut accepted = draft.record.tenders.iter().filter(|tender| tender.state.is_accepted());
    accepted.any(|tender| tender.currency != draft.record.currency)
}

/// The PSP lists parts that do not come to its own total. Parts cancelled later still count: they were part of
/// the sum when the PSP stated it.
fn sequence_disagrees(draft: &Draft) -> Option<Finding> {
    let total = draft.itemised_total?;
    let told =
        |evidence: &Evidence| evidence.tender.amount.plus(evidence.lowered_by).plus(evidence.uncaptured);
    let counted: Cents = draft.evidence.iter().filter(|e| e.was_counted).map(told).sum();
    // The list adds up with the part that was refused: that one is missing, and nothing contradicts itself.
    let came_to_nothing = |evidence: &&Evidence| !evidence.was_counted && is_lost(evidence.tender.state);
    let lost: Cents = draft.evidence.iter().filter(came_to_nothing).map(|e| e.tender.amount).sum();
    // One part alone lacks the other, and there are rules for that.
    let is_half = draft.payment.alone().is_some() && counted < total;
    let adds_up = [counted, counted.plus(lost)].contains(&total);
    (!adds_up && !is_half).then(|| draft.amount_finding(Kind::SequenceDisagrees, Some(total), counted))
}

/// A payment held against the total that its own PSP states. What the shop registered is held against all payments
/// together.
fn gap(draft: &Draft) -> Option<Finding> {
    let (expected, ExpectedFrom::Psp) = draft.record.expected? else { return None };
    if draft.payment.left_over_beside.is_some() {
        return None;
    }
    let paid = draft.record.paid();
    let found = |kind| draft.amount_finding(kind, Some(expected), paid);
    let finding = match paid.cmp(&expected) {
        std::cmp::Ordering::Less => {
            Finding { detail: short_parts(std::iter::once(draft)), ..found(Kind::AmountShort) }
        }
        std::cmp::Ordering::Greater => found(Kind::AmountOver),
        std::cmp::Ordering::Equal => return None,
    };
    (!is_told_by_sequence(draft, expected)).then_some(finding)
}

/// The message contradicts itself, and its own total is what was expected: that says it.
fn is_told_by_sequence(draft: &Draft, expected: Cents) -> bool {
    draft.itemised_total == Some(expected) && sequence_disagrees(draft).is_some()
}

fn nobody_knows_the_total(draft: &Draft, order: &Order, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let grace_is_over = draft.accepted_since()?.after(policy.complement_grace) <= now;
    if order.current().is_some() || !grace_is_over {
        return None;
    }
    let kind = if policy.require_orders {
        Kind::OrderUnknown
    } else if draft.record.expected.is_none() && !matches!(draft.wait, Wait::Over(_)) {
        Kind::TotalUnknown
    } else {
        return None;
    };
    Some(draft.amount_finding(kind, draft.record.expected.map(|(e, _)| e), draft.record.paid()))
}

/// Vouchers exist in euros only, and all parts of an order are in the order's currency.
fn currency_unexpected(draft: &Draft, order: &Order) -> Option<Finding> {
    let expected = order.current().map_or(draft.record.currency, |version| version.currency);
    let counts = |state: TenderState| state.is_accepted() || state == TenderState::Pending;
    let strange: BTreeSet<_> = draft
        .record
        .tenders
        .iter()
        .filter(|tender| counts(tender.state))
        .filter(|tender| tender.currency != Currency::EUR || tender.currency != expected)
        .map(|tender| tender.currency)
        .collect();
    (!strange.is_empty()).then(|| {
        let found = strange.into_iter().collect();
        let detail = Detail::Currencies { found, expected };
        draft.finding(Kind::CurrencyUnexpected, "", detail)
    })
}

/// Up2pay manual 3.2.4: the call for the voucher part carries no authorisation number, that for the card part
/// does. Sogecommerce's CVCo guide says the same of the voucher part. A meal voucher is a card of its issuer: nothing says
/// that it has no number.
fn authorisation_unexpected(draft: &Draft, evidence: &Evidence) -> Option<Finding> {
    let tender = &evidence.tender;
    if !tender.state.is_accepted() {
        return None;
    }
    let unexpected = match tender.instrument {
        Instrument::Voucher => {
            tender.authorisation.is_some() && VoucherKind::of(&tender.brand) == VoucherKind::Holiday
        }
        Instrument::Card => tender.authorisation.is_none() && evidence.authorisation_absent,
    };
    unexpected.then(|| {
        let (part, number) = (draft.part(evidence), tender.authorisation.clone());
        let subject = part.to_string();
        draft.finding(Kind::AuthorisationUnexpected, &subject, Detail::Authorisation { part, number })
    })
}

/// Each contract of its parts that their endpoints do not name.
fn contracts_unknown(draft: &Draft, policy: &Policy) -> Vec<Finding> {
    let contracts = draft.record.tenders.iter().filter_map(|tender| {
        tender.contract.as_ref().filter(|contract| policy.is_foreign(&tender.endpoint, contract))
    });
    let foreign: BTreeSet<_> = contracts.collect();
    let finding = |contract: &Contract| {
        draft.finding(Kind::ContractUnknown, contract.as_str(), Detail::Contract(contract.clone()))
    };
    foreign.into_iter().map(finding).collect()
}

fn unknown_status(draft: &Draft, evidence: &Evidence) -> Option<Finding> {
    let status = evidence.odd_status.as_ref()?;
    let part = draft.part(evidence);
    let subject = part.to_string();
    let detail = Detail::Status { part, of: StatusOf::Payment, statuses: vec![status.clone()] };
    Some(draft.finding(Kind::UnknownStatus, &subject, detail))
}

/// A payment that was also notified under another order's reference counts here alone, and one of the two is wrong. It is
/// said once of a payment and the other order, however many of its parts the message names.
fn claimed_twice(drafts: &[Draft], claims: &[OtherClaim]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for finding in claims.iter().filter_map(|claim| claimed_by_another(drafts, claim)) {
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
    found
}

fn claimed_by_another(drafts: &[Draft], claim: &OtherClaim) -> Option<Finding> {
    let is_meant = |draft: &&Draft| {
        draft.evidence.iter().any(|evidence| {
            let id = evidence.tender.id.as_ref().map(TenderId::as_str);
            evidence.psp == claim.psp
                && [id, Some(evidence.call_number.as_str())].contains(&Some(claim.payment.as_str()))
        })
    };
    let detail = Detail::Order(claim.order.clone());
    let draft = drafts.iter().find(is_meant)?;
    Some(draft.finding(Kind::ConflictingNotification, claim.order.as_str(), detail))
}

/// ANCV keeps 20 characters of a reference: a statement line could mean either order, unless one of them was given back
/// wholly and awaits no money.
pub(super) fn reference_collision(order: &Order, state: Option<RecordState>) -> Option<Finding> {
    let other = order.shares_prefix_with.as_ref().filter(|_| state != Some(RecordState::Refunded))?;
    order.current()?;
    Some(Finding {
        kind: Kind::ReferenceCollision,
        record: None,
        subject: String::new(),
        expected: None,
        actual: None,
        detail: Detail::Order(other.clone()),
    })
}
