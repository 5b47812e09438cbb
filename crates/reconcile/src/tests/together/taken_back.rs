//! What a bank took back is owed until it is paid again.

use super::*;

/// A voucher of 60 and a card of 40 euros, which the card's bank takes back after a month.
fn charged_back() -> Case {
    let at = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).total(10_000);
    order(10_000)
        .with(at(voucher(6000)))
        .with(at(card(4000)))
        .with(at(card(4000).id("B1")).charged_back().at(30 * DAY))
        .seen(31 * DAY)
}

#[test]
fn what_a_bank_took_back_is_owed_until_it_is_paid_again() {
    let case = charged_back();
    case.raises(&[Kind::Chargeback]);
    assert_eq!(stands(&case), (Some(-4000), Some(RecordState::Unbalanced)));
    assert_eq!(case.record().gap(), Some(Cents::ZERO), "the payment itself was complete");
    let some = case.clone().with(plain_card(1000).id("C2").call("7002").sogecommerce().at(32 * DAY));
    assert_eq!(stands(&some.clone().seen(40 * DAY)), (Some(-3000), Some(RecordState::Unbalanced)));
    some.seen(40 * DAY).raises(&[Kind::Chargeback]);
    let again = case.with(plain_card(4000).id("C2").call("7002").sogecommerce().at(32 * DAY)).seen(40 * DAY);
    again.raises(&[]);
    assert_eq!(stands(&again), (Some(0), Some(RecordState::Balanced)));
    let gaps: Vec<_> = again.assess().records.iter().map(Record::gap).collect();
    assert_eq!(gaps, [Some(Cents::ZERO); 2], "no payment is too much");
}

#[test]
fn a_payment_that_was_taken_back_whole_is_owed_whole() {
    let at = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).total(10_000);
    let case = order(10_000)
        .with(at(plain_card(10_000)))
        .with(at(plain_card(10_000).id("B1")).charged_back().at(30 * DAY))
        .seen(31 * DAY);
    case.raises(&[Kind::Chargeback]);
    assert_eq!(stands(&case), (Some(-10_000), Some(RecordState::Unbalanced)));
    // What the merchant gives back is no debt.
    let refunded = order(10_000)
        .with(at(plain_card(10_000)))
        .with(at(plain_card(10_000).id("R1")).refund().at(30 * DAY))
        .seen(31 * DAY);
    assert_eq!(stands(&refunded), (Some(0), Some(RecordState::Refunded)));
}

#[test]
fn a_deposit_that_was_taken_back_may_be_paid_with_the_balance() {
    let at = |told: Told, total| told.psp(Psp::Worldline).state(ReportedState::Captured).total(total);
    let deposit = order(50_000)
        .due(90 * DAY)
        .with(at(voucher(10_000), 15_000))
        .with(at(card(5000), 15_000))
        .with(at(card(5000).id("B1"), 15_000).charged_back().at(20 * DAY));
    let before = deposit.clone().seen(30 * DAY);
    assert_eq!(stands(&before), (Some(-40_000), Some(RecordState::PartPaid)));
    let balance = |vouchers: i64, cards: i64| {
        let total = vouchers + cards;
        deposit
            .clone()
            .with(at(voucher(vouchers).id("V2").call("7002").at(80 * DAY), total))
            .with(at(card(cards).id("C2").call("7002").at(80 * DAY), total))
            .seen(100 * DAY)
    };
    for (cards, stand, told) in [
        (20_000, (Some(0), Some(RecordState::Balanced)), vec![]),
        (15_000, (Some(-5000), Some(RecordState::Unbalanced)), vec![Kind::Chargeback]),
    ] {
        let case = balance(20_000, cards);
        case.raises(&told);
        assert_eq!(stands(&case), stand);
        let gaps: Vec<_> = case.assess().records.iter().map(Record::gap).collect();
        assert_eq!(gaps, [Some(Cents::ZERO); 2]);
    }
}

/// Both are facts: the customer has the money twice, and owes what the bank took.
#[test]
fn what_was_refunded_before_the_bank_took_it_is_owed_once() {
    let back = card(4000).psp(Psp::Worldline).id("R1").refund().at(10 * DAY);
    let case = charged_back().with(back);
    case.raises(&[Kind::Chargeback]);
    assert_eq!(stands(&case), (Some(-4000), Some(RecordState::Unbalanced)));
    let record = case.record();
    assert_eq!((record.refunded(), record.taken_back()), (Cents::new(8000), Cents::new(4000)));
}

/// A platform repeats that the card was captured, also of one that its bank took back: nothing says that the dispute was
/// won, so the money counts as taken until a statement brings it, or it is paid again.
#[test]
fn a_capture_that_is_told_again_ends_no_chargeback() {
    let again = card(4000).psp(Psp::Worldline).state(ReportedState::Captured).happened(60 * DAY);
    let case = charged_back().with(again).seen(61 * DAY);
    case.raises(&[Kind::Chargeback]);
    assert_eq!(stands(&case), (Some(-4000), Some(RecordState::Unbalanced)));
}

/// Of 100 euros by card, 40 are given back by the merchant and 60 taken back by the bank: those 60 are owed.
#[test]
fn of_what_went_back_wholly_the_banks_share_is_owed() {
    let at = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).total(10_000);
    let case = order(10_000)
        .with(at(plain_card(10_000)))
        .with(at(plain_card(4000).id("R1")).refund().at(DAY))
        .with(at(plain_card(6000).id("B1")).charged_back().at(2 * DAY))
        .seen(3 * DAY);
    case.raises(&[Kind::Chargeback]);
    assert_eq!(stands(&case), (Some(-6000), Some(RecordState::Unbalanced)));
}

/// 240 were paid for an order of 200; the 40 went back, and then the bank took 80.
#[test]
fn a_surplus_that_was_given_back_pays_no_chargeback() {
    let at = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).total(12_000);
    let case = order(20_000)
        .with(plain_card(12_000).sogecommerce().total(12_000).id("C1").call("1"))
        .with(at(voucher(4000).id("V2").call("2")))
        .with(at(card(8000).id("C2").call("2")))
        .with(plain_card(4000).sogecommerce().id("R1").call("1").refund_of("C1").at(DAY))
        .with(at(card(8000).id("B2").call("2")).charged_back_by("C2").at(2 * DAY))
        .seen(3 * DAY);
    assert_eq!(stands(&case).0, Some(-8000));
}

/// 150 of 200 were paid, and the bank took 60 back: what was never paid and what was taken back are told apart.
#[test]
fn what_was_never_paid_stays_as_much_when_a_bank_takes_some_back() {
    let at = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).total(15_000);
    let short = order(20_000).with(at(plain_card(15_000)));
    let before = short.clone().seen(DAY).finding(Kind::AmountShort);
    let taken = short.with(at(plain_card(6000).id("B1")).charged_back().at(DAY)).seen(DAY);
    taken.raises(&[Kind::AmountShort, Kind::Chargeback]);
    assert_eq!(figures(&taken.assess().findings[0]), figures(&before));
    assert_eq!(taken.assess().gap, Some(Cents::new(-11_000)));
}

/// The merchant gives some back and the bank takes some: who pays the bank's share again owes nothing more.
#[test]
fn who_pays_what_the_bank_took_owes_no_refund() {
    let at = |told: Told, minutes| {
        told.psp(Psp::Worldline).state(ReportedState::Captured).total(20_000).at(minutes).happened(minutes)
    };
    for refunded in [12_000, 2000] {
        let went_back = order(20_000)
            .with(at(plain_card(20_000), 0))
            .with(at(plain_card(8000).id("B1"), 10 * DAY).charged_back())
            .with(at(plain_card(refunded).id("R1"), 11 * DAY).refund());
        let owed = went_back.clone().seen(12 * DAY);
        assert_eq!(owed.assess().gap, Some(Cents::new(-8000)), "{refunded}");
        let again =
            plain_card(8000).sogecommerce().total(8000).id("C2").call("7002").at(13 * DAY).happened(13 * DAY);
        let paid = went_back.with(again).seen(20 * DAY);
        assert_eq!(paid.assess().gap, Some(Cents::ZERO), "{refunded}");
        paid.raises(&[]);
    }
}
