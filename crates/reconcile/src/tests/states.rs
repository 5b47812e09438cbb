//! The states of tenders, records and orders.

use super::*;

#[test]
fn each_reported_state_makes_its_tender_state() {
    for (reported, state) in [
        (ReportedState::Pending, TenderState::Pending),
        (ReportedState::Abandoned, TenderState::Abandoned),
        (ReportedState::Refused, TenderState::Refused),
        (ReportedState::Authorised, TenderState::Authorised),
        (ReportedState::Captured, TenderState::Captured),
        (ReportedState::Expired, TenderState::Expired),
        (ReportedState::Cancelled, TenderState::Cancelled),
    ] {
        assert_eq!(order(6000).with(voucher(6000).state(reported)).tender().state, state);
    }
    let back = |cents| order(6000).with(voucher(6000)).with(voucher(cents).id("R").refund()).tender().state;
    assert_eq!(back(5999), TenderState::PartRefunded);
    assert_eq!(back(6000), TenderState::Refunded);
}

#[test]
fn the_furthest_state_wins_in_whatever_order_it_is_told() {
    let course = [
        ReportedState::Pending,
        ReportedState::Refused,
        ReportedState::Authorised,
        ReportedState::Captured,
        ReportedState::Expired,
        ReportedState::Cancelled,
    ];
    for (place, last) in course.iter().enumerate() {
        let told = |state: &ReportedState| voucher(6000).state(*state);
        let forwards = course[..=place].iter().map(told).fold(order(6000), Case::with);
        let backwards = course[..=place].iter().rev().map(told).fold(order(6000), Case::with);
        assert_eq!(forwards.tender().state, order(6000).with(told(last)).tender().state);
        assert_eq!(forwards.assess(), backwards.assess());
    }
}

#[test]
fn a_late_failure_takes_no_paid_tender_back() {
    // Two browser tabs: one pays, the other one times out later.
    let case = order(6000).with(voucher(6000)).with(voucher(6000).state(ReportedState::Abandoned).at(15));
    assert_eq!(case.tender().state, TenderState::Authorised);
    case.is(RecordState::Balanced);
}

#[test]
fn each_record_state_has_its_case() {
    let half = || order(10_000).with(voucher(6000));
    for (case, state) in [
        (half().seen(0), RecordState::Pending),
        (order(10_000).with(voucher(10_000).state(ReportedState::Pending)), RecordState::Pending),
        (half().with(card(4000)), RecordState::Balanced),
        (half(), RecordState::Unbalanced),
        (half().with(card(4001)), RecordState::Unbalanced),
        (unregistered().with(voucher(6000)).with(card(4000)), RecordState::Unverified),
        (order(10_000).with(voucher(6000).state(ReportedState::Refused)), RecordState::Failed),
        (order(10_000).with(voucher(6000).state(ReportedState::Cancelled)), RecordState::Failed),
        (half().with(voucher(6000).id("R").refund()), RecordState::Refunded),
        (half().with(voucher(5999).id("R").refund()), RecordState::PartRefunded),
    ] {
        case.is(state);
    }
}

#[test]
fn a_total_that_the_psp_states_is_enough_to_balance() {
    let told = |total| {
        unregistered()
            .with(voucher(6000).sogecommerce().total(total))
            .with(card(4000).sogecommerce().total(total))
    };
    told(10_000).is(RecordState::Balanced);
    told(10_001).is(RecordState::Unbalanced);
}

#[test]
fn half_a_payment_of_unknown_total_is_pending_then_unverified() {
    unregistered().with(voucher(6000)).seen(19).is(RecordState::Pending);
    unregistered().with(voucher(6000)).seen(20).is(RecordState::Unverified);
}

#[test]
fn an_undecided_tender_stays_pending_however_old() {
    let case = order(10_000).with(voucher(10_000).state(ReportedState::Pending)).seen(30 * DAY);
    case.is(RecordState::Pending);
    case.raises(&[Kind::CaptureOverdue]);
}

#[test]
fn an_order_without_payment_has_no_state() {
    let unpaid = Assessment { gap: Some(Cents::new(-10_000)), ..Assessment::default() };
    assert_eq!(order(10_000).assess(), unpaid);
    assert_eq!(unregistered().assess(), Assessment::default());
}

#[test]
fn of_several_records_the_order_takes_the_state_that_a_person_should_see_first() {
    let failed = || voucher(6000).state(ReportedState::Refused);
    let state = |case: Case| case.assess().order_state.expect("a state");
    let other = |told: Told| told.call("7002").id("X");
    assert_eq!(state(order(6000).with(failed())), RecordState::Failed);
    assert_eq!(state(order(6000).with(failed()).with(other(voucher(6000)))), RecordState::Balanced);
    assert_eq!(state(order(6000).with(failed()).with(other(voucher(5000))).seen(0)), RecordState::Pending);
    assert_eq!(state(order(6000).with(voucher(6000)).with(other(voucher(7000)))), RecordState::Unbalanced);
}

#[test]
fn a_record_is_known_by_the_endpoint_of_its_voucher() {
    let case = order(10_000)
        .with(card(4000).endpoint("a-complements", Mode::Production))
        .with(voucher(6000).endpoint("b-vouchers", Mode::Production));
    let record = case.record();
    assert_eq!(record.endpoint.as_str(), "b-vouchers");
    let endpoints: Vec<_> = record.tenders.iter().map(|tender| tender.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["b-vouchers", "a-complements"], "two endpoints of a shop feed one record");
}

#[test]
fn a_record_is_authorised_with_its_last_part_and_captured_once_all_are() {
    let case = order(10_000).with(voucher(6000).happened(1)).with(card(4000).happened(2));
    assert_eq!(case.record().authorised_at(), Some(minute(2)));
    let case = case.with(card(4000).state(ReportedState::Captured).happened(DAY));
    assert_eq!(case.record().captured_at(), None);
    let case = case.with(voucher(6000).state(ReportedState::Captured).happened(2 * DAY));
    assert_eq!(case.record().captured_at(), Some(minute(2 * DAY)));
}
