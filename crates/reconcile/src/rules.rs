//! The catalogue's rules. Where a specific rule explains what is wrong, the general one stays silent: one cause,
//! one discrepancy.

mod captures;
mod disputes;
mod payouts;
mod refunds;

use std::collections::BTreeSet;

use cvco_domain::{
    Cents, Contract, Currency, Detail, Finding, Instrument, Kind, Mode, Order, OrderVersion, PartName,
    PaymentName, Payout, Record, RecordState, StatusOf, Tender, TenderState, Timestamp,
};

use super::Policy;
use super::records::{Draft, Missing, Wait, complement_failed};
use super::tenders::Evidence;

/// Every rule that an order breaks, in a fixed order.
pub(super) fn findings(
    drafts: &[Draft],
    unallocated: &[Payout],
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let changed = total_changed(drafts, order);
    let total_then = changed.as_ref().and_then(|finding| finding.expected);
    let mut found: Vec<Finding> =
        drafts.iter().flat_map(|draft| of_record(draft, (order, total_then), policy, now)).collect();
    found.extend(drafts.iter().flat_map(|draft| after_payment(draft, drafts, order, policy, now)));
    found.extend(payouts::unallocated(unallocated));
    found.extend(double_payment(drafts));
    found.extend(changed);
    found
}

/// `total_then` is the order's total at the time of payment, where it was changed since.
fn of_record(
    draft: &Draft,
    (order, total_then): (&Order, Option<Cents>),
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    if let Some(finding) = mode_mismatch(draft) {
        // A trial among real payments: nothing else about it means anything.
        if finding.kind == Kind::TestInProduction {
            return vec![finding];
        }
        let mut found = vec![finding];
        found.extend(of_money(draft, (order, total_then), policy, now));
        return found;
    }
    of_money(draft, (order, total_then), policy, now)
}

/// What may go wrong after a payment was accepted: captures, refunds, contracts, payouts.
fn after_payment(
    draft: &Draft,
    drafts: &[Draft],
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    if mode_mismatch(draft).is_some_and(|finding| finding.kind == Kind::TestInProduction) {
        return Vec::new();
    }
    let mut found: Vec<_> = captures::overdue(draft, order, policy, now).into_iter().collect();
    found.extend(refunds::findings(draft, drafts, policy, now));
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

fn of_money(
    draft: &Draft,
    (order, total_then): (&Order, Option<Cents>),
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = disputes::findings(draft, order);
    let duplicates = duplicate_tenders(draft);
    let explained = !duplicates.is_empty()
        || fitted(draft, total_then)
        || mixes_currencies(draft)
        || disputes::explain_the_gap(draft);
    found.extend(duplicates);
    if !explained {
        found.extend(amounts(draft, order));
    }
    found.extend(nobody_knows_the_total(draft, order, policy, now));
    found.extend(currency_unexpected(draft));
    found.extend(draft.evidence.iter().filter_map(|evidence| authorisation_unexpected(draft, evidence)));
    found.extend(draft.evidence.iter().filter_map(|evidence| unknown_status(draft, evidence)));
    found
}

impl Draft {
    fn finding(&self, kind: Kind, subject: &str, detail: Detail) -> Finding {
        Finding {
            kind,
            record: Some((self.record.psp, self.record.call_number.clone())),
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

fn mode_mismatch(draft: &Draft) -> Option<Finding> {
    let kind = match (draft.endpoint_mode, draft.record.mode) {
        (Mode::Production, Mode::Test) => Kind::TestInProduction,
        (Mode::Test, Mode::Production) => Kind::ProductionInTest,
        (Mode::Production, Mode::Production) | (Mode::Test, Mode::Test) => return None,
    };
    Some(draft.finding(kind, "", Detail::Endpoint(draft.record.endpoint.clone())))
}

/// Two accepted parts where one is possible: two vouchers of one brand, or two cards at a PSP that takes one.
/// One that was given back wholly is mended.
fn duplicate_tenders(draft: &Draft) -> Vec<Finding> {
    let accepted = |instrument: Instrument| {
        let standing = |tender: &Tender| {
            tender.state.is_accepted() && tender.state != TenderState::Refunded && tender.amount.is_positive()
        };
        draft
            .evidence
            .iter()
            .filter(move |evidence| evidence.tender.instrument == instrument && standing(&evidence.tender))
    };
    let vouchers: BTreeSet<_> =
        accepted(Instrument::Voucher).map(|evidence| &evidence.tender.brand).collect();
    let second_voucher = accepted(Instrument::Voucher).count() > vouchers.len();
    let second_card =
        !draft.record.psp.terms().takes_several_complements && accepted(Instrument::Card).count() > 1;

    [(Instrument::Voucher, second_voucher), (Instrument::Card, second_card)]
        .into_iter()
        .filter(|(_, doubled)| *doubled)
        .map(|(instrument, _)| {
            let parts = Detail::Parts(draft.parts(accepted(instrument)));
            let finding = draft.finding(Kind::DuplicateTender, instrument.as_str(), parts);
            Finding {
                expected: draft.record.expected.map(|(expected, _)| expected),
                actual: Some(draft.record.paid()),
                ..finding
            }
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
        Wait::Over(Missing::Complement) if complement_failed(&record.tenders) => {
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

/// What was paid was right until the shop changed the total.
fn fitted(draft: &Draft, total_then: Option<Cents>) -> bool {
    total_then == Some(draft.record.paid())
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
    let counted: Cents = draft.evidence.iter().filter(|e| e.was_counted).map(|e| e.tender.amount).sum();
    (counted != total).then(|| draft.amount_finding(Kind::SequenceDisagrees, Some(total), counted))
}

fn gap(draft: &Draft) -> Option<Finding> {
    let (expected, _) = draft.record.expected?;
    let paid = draft.record.paid();
    let kind = match paid.cmp(&expected) {
        std::cmp::Ordering::Less => Kind::AmountShort,
        std::cmp::Ordering::Greater => Kind::AmountOver,
        std::cmp::Ordering::Equal => return None,
    };
    // The message contradicts itself, and its own total is what was expected: that says it.
    let told_by_sequence = draft.itemised_total == Some(expected) && sequence_disagrees(draft).is_some();
    (!told_by_sequence).then(|| draft.amount_finding(kind, Some(expected), paid))
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
fn currency_unexpected(draft: &Draft) -> Option<Finding> {
    let counts = |state: TenderState| state.is_accepted() || state == TenderState::Pending;
    let strange: BTreeSet<_> = draft
        .record
        .tenders
        .iter()
        .filter(|tender| counts(tender.state))
        .filter(|tender| tender.currency != Currency::EUR || tender.currency != draft.record.currency)
        .map(|tender| tender.currency)
        .collect();
    (!strange.is_empty()).then(|| {
        let found = strange.into_iter().collect();
        let detail = Detail::Currencies { found, expected: draft.record.currency };
        draft.finding(Kind::CurrencyUnexpected, "", detail)
    })
}

/// Up2pay manual 3.2.4: the call for the voucher part carries no authorisation number, that for the card part
/// does. Sogecommerce's CVCo guide says the same of the voucher part.
fn authorisation_unexpected(draft: &Draft, evidence: &Evidence) -> Option<Finding> {
    let tender = &evidence.tender;
    if !tender.state.is_accepted() {
        return None;
    }
    let unexpected = match tender.instrument {
        Instrument::Voucher => tender.authorisation.is_some(),
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

/// Two payments of one order, each complete in itself, of which more is kept than one of them. Beside real payments a
/// trial does not count.
fn double_payment(drafts: &[Draft]) -> Option<Finding> {
    let complete = |mode: Mode| {
        drafts.iter().filter(move |draft| {
            draft.record.mode == mode
                && match draft.record.state {
                    RecordState::Balanced | RecordState::Unverified => true,
                    RecordState::PartRefunded => was_complete(&draft.record),
                    RecordState::Pending
                    | RecordState::Unbalanced
                    | RecordState::Failed
                    | RecordState::Refunded => false,
                }
        })
    };
    let trials = || complete(Mode::Test).filter(|draft| draft.endpoint_mode == Mode::Test);
    let twice: Vec<&Draft> = if complete(Mode::Production).count() > 1 {
        complete(Mode::Production).collect()
    } else {
        trials().collect()
    };
    let kept: Cents = twice.iter().map(|draft| draft.record.paid().minus(draft.record.refunded())).sum();
    let once = twice.iter().map(|draft| draft.record.paid()).max()?;
    let is_mended = twice.iter().any(|draft| draft.record.refunded().is_positive()) && kept <= once;
    if twice.len() < 2 || is_mended {
        return None;
    }
    let name = |record: &Record| PaymentName { psp: record.psp, call_number: record.call_number.clone() };
    let payments = twice.iter().map(|draft| name(&draft.record)).collect();
    Some(Finding {
        kind: Kind::DoublePayment,
        record: None,
        subject: String::new(),
        expected: twice.iter().find_map(|draft| draft.record.expected).map(|(expected, _)| expected),
        actual: Some(twice.iter().map(|draft| draft.record.paid()).sum()),
        detail: Detail::Payments(payments),
    })
}

fn was_complete(record: &Record) -> bool {
    record.gap().is_none_or(|gap| gap == Cents::ZERO)
}

/// The shop registered another total after the first part had been accepted. What it registered first counts as
/// known at that time, even if the registration came after the payment.
fn total_changed(drafts: &[Draft], order: &Order) -> Option<Finding> {
    let paid_since = drafts.iter().filter_map(Draft::accepted_since).min()?;
    let current = order.current()?;
    let then = fitted_when_paid(drafts, order).or_else(|| order.version_at(paid_since))?;
    (current.total != then.total || current.currency != then.currency).then(|| Finding {
        kind: Kind::TotalChanged,
        record: None,
        subject: String::new(),
        expected: Some(then.total),
        actual: Some(current.total),
        detail: Detail::ChangedAt(current.registered_at),
    })
}

/// News of a payment may come after the change. The PSP's clock tells then, but it is not the clock of the
/// registrations: it is believed only where the payment fits the total of its time and does not fit the present one.
fn fitted_when_paid<'o>(drafts: &[Draft], order: &'o Order) -> Option<&'o OrderVersion> {
    let of_draft = |draft: &Draft| {
        let accepted = draft.record.tenders.iter().filter(|tender| tender.state.is_accepted());
        let then = order.version_at(accepted.filter_map(|tender| tender.authorised_at).min()?)?;
        (draft.record.paid() == then.total).then_some(then)
    };
    let fits_now = |draft: &Draft| order.current().is_some_and(|now| draft.record.paid() == now.total);
    if drafts.iter().any(fits_now) { None } else { drafts.iter().find_map(of_draft) }
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
