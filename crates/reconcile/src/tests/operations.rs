//! Worldline's operations: what is done to a payment later is the same tender.

use super::*;

/// A card operation of one Worldline payment.
fn operation(number: u8, state: ReportedState) -> Told {
    plain_card(9000).psp(Psp::Worldline).id(&format!("10_{number}")).state(state)
}

use ReportedState::{Authorised, Cancelled, Captured};

#[test]
fn a_capture_is_the_authorisation_that_it_captures() {
    let case = order(9000)
        .with(operation(0, Authorised).happened(1))
        .with(operation(1, Captured).happened(DAY).at(DAY));
    let tender = case.tender();
    assert_eq!(tender.id, TenderId::new("10_1").ok());
    assert_eq!(tender.state, TenderState::Captured);
    assert_eq!((tender.authorised_at, tender.captured_at), (Some(minute(1)), Some(minute(DAY))));
    assert_eq!(tender.first_seen_at, minute(1));
    case.raises(&[]);
    case.is(RecordState::Balanced);
}

#[test]
fn a_capture_may_be_for_less() {
    let part = operation(1, Captured).change(|event| event.amount = Cents::new(8000));
    let case = order(9000).with(operation(0, Authorised)).with(part);
    assert_eq!(case.record().paid(), Cents::new(8000));
    case.raises(&[Kind::AmountShort]);
}

#[test]
fn a_cancellation_is_the_authorisation_that_it_cancels() {
    let case = order(9000).with(operation(0, Authorised)).with(operation(1, Cancelled));
    assert_eq!(case.tender().state, TenderState::Cancelled);
    assert!(case.tender().authorised_at.is_some());
    case.is(RecordState::Failed);
}

#[test]
fn a_second_attempt_within_one_payment_is_not_cancelled_with_the_first() {
    let case = order(9000)
        .with(operation(0, Authorised).happened(0))
        .with(operation(1, Cancelled))
        .with(operation(2, Authorised).happened(5));
    let states: Vec<_> = case.record().tenders.iter().map(|tender| tender.state).collect();
    assert_eq!(states, [TenderState::Cancelled, TenderState::Authorised]);
    assert_eq!(case.record().tenders[1].id, TenderId::new("10_2").ok());
    case.is(RecordState::Balanced);
}

#[test]
fn two_captures_are_two_tenders() {
    let case = order(9000).with(operation(0, Captured)).with(operation(1, Captured));
    case.raises(&[Kind::DuplicateTender]);
}

#[test]
fn two_authorisations_are_two_tenders() {
    let case = order(9000).with(operation(0, Authorised)).with(operation(1, Authorised));
    case.raises(&[Kind::DuplicateTender]);
}

#[test]
fn a_refused_capture_leaves_one_authorisation_with_an_odd_status() {
    let refused = |number| operation(number, Authorised).status("93", StatusReading::Attention);
    let case = order(9000).with(operation(0, Authorised)).with(refused(1));
    assert_eq!(case.finding(Kind::UnknownStatus).detail.to_string(), "10_1/VISA: 93");
    assert_eq!(case.tender().amount, Cents::new(9000));
    case.clone().with(refused(2)).raises(&[Kind::UnknownStatus]);
    case.with(operation(2, Captured)).raises(&[]);
}

#[test]
fn other_instruments_brands_and_currencies_are_other_tenders() {
    let voucher = voucher(5000).psp(Psp::Worldline).id("10_0");
    let split = order(14_000).with(voucher).with(operation(1, Captured));
    assert_eq!(split.record().tenders.len(), 2);
    let two = order(9000).with(operation(0, Authorised).brand("130")).with(operation(1, Captured));
    assert_eq!(two.record().tenders.len(), 2);
}

#[test]
fn elsewhere_each_transaction_is_a_tender() {
    let told = |number, state| operation(number, state).sogecommerce();
    let case = order(18_000).with(told(0, Authorised)).with(told(1, Captured));
    assert_eq!(case.record().tenders.len(), 2);
}

#[test]
fn a_refund_may_name_either_operation() {
    for named in ["10_0", "10_1"] {
        let case = order(9000)
            .with(operation(0, Authorised))
            .with(operation(1, Captured))
            .with(operation(2, Captured).id("10_2/card").refund_of(named));
        case.is(RecordState::Refunded);
    }
}

#[test]
fn what_is_captured_in_parts_is_missed_after_the_grace() {
    let at = |told: Told, id: &str, minutes| told.psp(Psp::Worldline).id(id).total(10_000).at(minutes);
    let voucher = at(voucher(6000).state(Captured), "8_0", 0);
    let held = order(10_000).with(voucher).with(at(card(4000), "8_1", 0));
    let first = held.with(at(card(2500).state(Captured), "8_2", DAY));
    first.clone().seen(DAY + 19).raises(&[]);
    assert_eq!(first.clone().seen(DAY + 19).looks_again_in(), Some(minutes(1)));
    assert_eq!(figures(&first.clone().seen(DAY + 20).finding(Kind::AmountShort)), (Some(10_000), Some(8500)));
    let rest = first.with(at(card(1500).state(Captured), "8_3", DAY + 60));
    rest.seen(DAY + 60).raises(&[]);
}

/// Worldline says of each capture that it is less than the order: that makes a card no complement of vouchers.
#[test]
fn a_card_that_is_captured_in_parts_completes_no_voucher() {
    let part = |number, cents, minutes| {
        let told = card(cents).brand("VISA").psp(Psp::Worldline).id(&format!("9_{number}"));
        told.state(Captured).total(10_000).at(minutes)
    };
    let held = plain_card(10_000).psp(Psp::Worldline).id("9_0").total(10_000);
    let first = order(10_000).with(held).with(part(1, 3000, DAY));
    first.clone().seen(DAY + 19).raises(&[]);
    let first_seen = first.clone().seen(DAY + 20);
    assert_eq!(figures(&first_seen.finding(Kind::AmountShort)), (Some(10_000), Some(3000)));
    let second = first.with(part(2, 6000, 2 * DAY)).seen(2 * DAY + 20);
    assert_eq!(figures(&second.finding(Kind::AmountShort)), (Some(10_000), Some(9000)));
    let left = |case: &Case| {
        let Detail::PartCaptured { left, .. } = case.finding(Kind::AmountShort).detail else { return 0 };
        left.get()
    };
    assert_eq!((left(&first_seen), left(&second)), (7000, 1000), "what is authorised may be captured yet");
    let cancelled = second.clone().with(part(3, 1000, 3 * DAY).state(Cancelled)).seen(3 * DAY + 20);
    assert_eq!(left(&cancelled), 0, "the customer owes the rest");
    second.with(part(3, 1000, 3 * DAY)).seen(3 * DAY + 20).raises(&[]);
}

/// A webhook about the authorisation may state no more than the whole order; the capture states its own amount.
#[test]
fn a_part_is_captured_of_an_authorisation_that_states_no_amount_of_its_own() {
    let at = |told: Told, id: &str, minutes| told.psp(Psp::Worldline).id(id).total(10_000).at(minutes);
    let held = |cents| plain_card(cents).of_the_whole();
    let alone = order(10_000).with(at(held(10_000), "8_0", 0)).with(at(
        card(6000).brand("VISA").state(Captured).running(6000),
        "8_1",
        DAY,
    ));
    let beside_a_voucher = order(10_000)
        .with(at(voucher(3000).state(Captured).running(3000), "8_0", 0))
        .with(at(held(10_000), "8_1", 1))
        .with(at(card(3000).brand("VISA").state(Captured).running(6000), "8_2", DAY));
    for case in [alone, beside_a_voucher] {
        case.clone().seen(DAY + 19).raises(&[]);
        let late = case.clone().seen(DAY + 20);
        late.raises(&[Kind::AmountShort]);
        let finding = late.finding(Kind::AmountShort);
        assert_eq!(figures(&finding), (Some(10_000), Some(6000)));
        assert!(
            matches!(finding.detail, Detail::PartCaptured { left, .. } if left == Cents::new(4000)),
            "{:?}",
            finding.detail
        );
        case.with(at(card(4000).brand("VISA").state(Captured).running(10_000), "8_3", 2 * DAY))
            .seen(2 * DAY + 20)
            .raises(&[]);
    }
}

/// What was paid so far when a card was authorised came from its vouchers, and says nothing about the card.
#[test]
fn what_vouchers_paid_before_is_no_figure_of_the_card() {
    let at = |told: Told, id: &str, minutes| told.psp(Psp::Worldline).id(id).total(14_000).at(minutes);
    let vouchers = at(voucher(5000).state(Captured).so_far(), "8_0", 0);
    let held = at(plain_card(5000).so_far(), "8_1", 1);
    let captured = at(plain_card(14_000).state(Captured).of_the_whole().running(14_000), "8_2", DAY);
    let case = order(14_000).with(vouchers).with(held).with(captured).seen(2 * DAY);
    assert_eq!(case.parts(), [("8_0".to_owned(), 5000), ("8_2".to_owned(), 9000)]);
    case.raises(&[]);
}

/// Before its messages had the amount of an operation, Worldline stated the whole order and what was paid of it.
#[test]
fn a_partial_capture_may_be_told_by_what_was_paid_so_far_alone() {
    let at = |told: Told, id: &str, minutes| told.psp(Psp::Worldline).id(id).total(20_000).at(minutes);
    let case = order(20_000)
        .with(at(plain_card(20_000).of_the_whole(), "8_0", 0))
        .with(at(plain_card(12_000).state(Captured).so_far(), "8_1", DAY))
        .seen(2 * DAY);
    let finding = case.finding(Kind::AmountShort);
    assert_eq!(figures(&finding), (Some(20_000), Some(12_000)));
    assert!(
        matches!(finding.detail, Detail::PartCaptured { left, .. } if left == Cents::new(8000)),
        "{:?}",
        finding.detail
    );
}

/// A voucher, and a card that is captured in two parts: no message states an amount of its own.
#[test]
fn captures_in_parts_beside_a_voucher_may_be_told_by_what_was_paid_so_far_alone() {
    let at = |told: Told, id: &str, minutes| told.psp(Psp::Worldline).id(id).total(14_000).at(minutes);
    for held in [plain_card(14_000).of_the_whole(), plain_card(5000).so_far()] {
        let first = order(14_000)
            .with(at(voucher(5000).state(Captured).so_far(), "8_0", 0))
            .with(at(held, "8_1", 1))
            .with(at(plain_card(9000).state(Captured).so_far(), "8_2", DAY));
        let finding = first.clone().seen(2 * DAY).finding(Kind::AmountShort);
        assert_eq!(figures(&finding), (Some(14_000), Some(9000)));
        assert!(
            matches!(finding.detail, Detail::PartCaptured { left, .. } if left == Cents::new(5000)),
            "{:?}",
            finding.detail
        );
        let last = plain_card(14_000).state(Captured).of_the_whole().running(14_000);
        let all = first.with(at(last, "8_3", 2 * DAY)).seen(3 * DAY);
        let parts = [("8_0", 5000), ("8_2", 4000), ("8_3", 5000)].map(|(id, cents)| (id.to_owned(), cents));
        assert_eq!(all.parts(), parts);
        all.raises(&[]);
    }
}
