//! Too many tenders, too many payments, and two stories about one tender.

use super::*;

#[test]
fn two_cards_are_one_too_many_where_the_psp_takes_one() {
    let cards = |psp: Psp| {
        order(10_000)
            .with(voucher(6000).psp(psp))
            .with(card(4000).psp(psp))
            .with(card(3000).id("C2").psp(psp))
    };
    cards(Psp::Up2pay).raises(&[Kind::DuplicateTender]);
    cards(Psp::Sogecommerce).raises(&[Kind::AmountOver]);
}

#[test]
fn vouchers_of_two_brands_are_not_doubled() {
    order(10_000).with(voucher(6000)).with(voucher(4000).id("V2").brand("APETIZ")).raises(&[]);
}

#[test]
fn a_doubled_tender_explains_the_gap_that_it_makes() {
    let finding = order(6000).with(voucher(6000)).with(voucher(6000).id("V2")).finding(Kind::DuplicateTender);
    assert_eq!(figures(&finding), (Some(6000), Some(12_000)));
    assert_eq!(finding.detail.to_string(), "V1/CVCONNECT; V2/CVCONNECT");
    assert_eq!(finding.subject, "voucher");
}

#[test]
fn a_doubled_tender_that_was_given_back_is_mended() {
    order(6000)
        .with(voucher(6000).sogecommerce())
        .with(voucher(6000).id("V2").sogecommerce())
        .with(voucher(6000).id("R1").sogecommerce().refund_of("V2"))
        .raises(&[]);
}

#[test]
fn the_manuals_own_two_calls_share_a_number_and_are_two_tenders() {
    // Up2pay manual 3.2.4 and 3.3.4: voucher and card with one and the same transaction number.
    let record = order(2500).with(voucher(1500).id("722487980")).with(card(1000).id("722487980")).record();
    assert_eq!(record.state, RecordState::Balanced);
    assert_eq!(record.tenders.len(), 2);
}

#[test]
fn a_payment_repeated_at_another_psp_is_a_double_payment() {
    let case =
        order(10_000).with(voucher(10_000)).with(voucher(10_000).id("S1").call("abc-1").sogecommerce());
    let finding = case.finding(Kind::DoublePayment);
    assert_eq!(finding.record, None, "it is the order's, not one record's");
    assert_eq!(figures(&finding), (Some(10_000), Some(20_000)));
    assert_eq!(finding.detail.to_string(), "up2pay 7001, sogecommerce abc-1");
    assert_eq!(case.assess().order_state, Some(RecordState::Unbalanced));
}

#[test]
fn a_double_payment_that_was_given_back_is_mended() {
    let case = order(10_000)
        .with(voucher(10_000).sogecommerce())
        .with(voucher(10_000).id("V2").call("7002").sogecommerce())
        .with(voucher(10_000).id("R1").call("7003").sogecommerce().refund_of("V2"));
    case.raises(&[]);
    assert_eq!(case.assess().order_state, Some(RecordState::Balanced));
}

#[test]
fn a_trial_is_not_a_second_payment() {
    let trial = voucher(10_000).id("V2").call("7002").proves(Mode::Test);
    order(10_000).with(voucher(10_000)).with(trial.clone().endpoint("trial", Mode::Test)).raises(&[]);
    order(10_000).with(voucher(10_000)).with(trial).raises(&[Kind::TestInProduction]);
}

#[test]
fn a_failed_first_attempt_is_no_double_payment() {
    let case = order(10_000)
        .with(voucher(6000).state(ReportedState::Refused))
        .with(voucher(6000).id("V2").call("7002").at(3))
        .with(card(4000).call("7002").at(3));
    case.raises(&[]);
    assert_eq!(case.assess().records.len(), 2);
    assert_eq!(case.assess().order_state, Some(RecordState::Balanced));
}

#[test]
fn of_two_amounts_the_earlier_by_the_psps_clock_stands() {
    let told = order(10_000).with(voucher(10_500).happened(2).at(1)).with(voucher(10_000).happened(1).at(2));
    assert_eq!(told.record().paid(), Cents::new(10_000));
    let finding = told.finding(Kind::ConflictingNotification);
    assert_eq!(figures(&finding), (Some(10_000), Some(10_500)));
    assert_eq!(finding.subject, "V1/CVCONNECT");
}

#[test]
fn of_two_amounts_without_a_clock_the_smaller_stands() {
    let told = order(10_000).with(voucher(10_500)).with(voucher(10_000).at(1));
    assert_eq!(told.record().paid(), Cents::new(10_000));
}

#[test]
fn a_transaction_both_accepted_and_refused_is_a_conflict() {
    let told = order(10_000)
        .with(voucher(10_000))
        .with(voucher(10_000).state(ReportedState::Refused).status("00105", StatusReading::Known));
    assert_eq!(told.finding(Kind::ConflictingNotification).detail.to_string(), "V1/CVCONNECT: 00000 ≠ 00105");
    told.is(RecordState::Balanced);
}

#[test]
fn attempts_that_never_became_a_transaction_do_not_contradict_each_other() {
    order(10_000)
        .with(voucher(9000).without_id().state(ReportedState::Abandoned))
        .with(voucher(8000).without_id().state(ReportedState::Refused))
        .with(voucher(10_000))
        .raises(&[]);
}

#[test]
fn the_ordinary_course_of_a_tender_is_no_conflict() {
    order(10_000)
        .with(voucher(10_000).state(ReportedState::Pending))
        .with(voucher(10_000))
        .with(voucher(10_000).state(ReportedState::Captured))
        .raises(&[]);
    order(10_000).with(voucher(10_000)).with(voucher(10_000).state(ReportedState::Cancelled)).raises(&[]);
}

#[test]
fn a_captured_card_payment_that_is_told_as_cancelled_is_a_conflict_and_stays_captured() {
    let told = |state, code: &str, at| {
        plain_card(10_000).psp(Psp::Worldline).state(state).status(code, StatusReading::Known).happened(at)
    };
    let captured = order(10_000).with(told(ReportedState::Captured, "9", 0));
    let cancelled = told(ReportedState::Cancelled, "6", 60);
    let case = captured.clone().with(cancelled.clone()).seen(DAY);
    assert_eq!(case.finding(Kind::ConflictingNotification).detail.to_string(), "C1/VISA: 9 ≠ 6");
    case.is(RecordState::Balanced);
    let answered = case.with(cancelled.answered().at(120));
    assert_eq!(answered.record().state, RecordState::Failed, "the PSP's own books decide");

    let authorised = order(10_000).with(told(ReportedState::Authorised, "5", 0));
    authorised.with(told(ReportedState::Cancelled, "6", 60)).seen(DAY).raises(&[]);
}

#[test]
fn a_double_payment_is_mended_only_by_what_is_too_much() {
    let twice = || {
        let paid = |case: Case, call: &str, ids: [&str; 2]| {
            case.with(voucher(6000).sogecommerce().id(ids[0]).call(call))
                .with(card(4000).sogecommerce().id(ids[1]).call(call))
        };
        paid(paid(order(10_000), "7001", ["V1", "C1"]), "7002", ["V2", "C2"])
    };
    let back = |told: Told, id: &str, of: &str| told.sogecommerce().id(id).refund_of(of);
    twice().raises(&[Kind::DoublePayment]);
    let some = twice().with(back(card(1000), "R1", "C2"));
    some.raises(&[Kind::DoublePayment]);
    some.with(back(card(3000), "R2", "C2")).with(back(voucher(6000), "R3", "V2")).raises(&[]);
}
