//! The PSP's API: what its answers decide, what they contradict, and what they leave alone.

use super::*;

fn refused() -> Told {
    voucher(10_000).state(ReportedState::Refused).status("00105", StatusReading::Known)
}

#[test]
fn an_answer_that_agrees_changes_nothing() {
    let notified = order(10_000).with(voucher(6000)).with(card(4000));
    let asked = notified.clone().with(voucher(6000).answered().at(1)).with(card(4000).answered().at(1));
    assert_eq!(asked.assess(), notified.assess());
    asked.raises(&[]);
}

#[test]
fn an_answer_decides_the_amount_and_explains_the_gap_that_it_makes() {
    let case = order(10_000).with(voucher(10_000)).with(voucher(9000).answered().at(1));
    let finding = case.finding(Kind::ConfirmationDiffers);
    assert_eq!(figures(&finding), (Some(10_000), Some(9000)), "notified, confirmed");
    assert_eq!(
        (finding.subject.as_str(), finding.detail.to_string().as_str()),
        ("V1/CVCONNECT", "V1/CVCONNECT")
    );
    assert_eq!(case.record().paid(), Cents::new(9000));
    let over = order(10_000).with(voucher(10_000)).with(voucher(11_000).answered().at(1));
    over.raises(&[Kind::ConfirmationDiffers]);
}

#[test]
fn an_answer_does_not_explain_a_gap_that_was_there_before() {
    order(10_000)
        .with(voucher(6000))
        .with(card(3000))
        .with(card(3500).answered().at(1))
        .raises(&[Kind::ConfirmationDiffers, Kind::AmountShort]);
}

#[test]
fn an_answer_decides_the_conflict_of_two_notifications() {
    let conflict = order(10_000).with(voucher(10_500)).with(voucher(10_000).at(1));
    conflict.raises(&[Kind::ConflictingNotification]);
    let settled = conflict.clone().with(voucher(10_500).answered().at(2));
    settled.raises(&[Kind::ConflictingNotification]);
    assert_eq!(settled.record().paid(), Cents::new(10_500));
    conflict.with(voucher(9500).answered().at(2)).raises(&[Kind::ConfirmationDiffers]);
}

#[test]
fn of_two_answers_the_later_is_believed_and_they_are_no_conflict() {
    let case = unregistered()
        .with(voucher(6000).psp(Psp::Monext).answered().total(10_000))
        .with(voucher(10_000).psp(Psp::Monext).answered().total(10_000).at(5));
    case.raises(&[]);
    case.is(RecordState::Balanced);
}

#[test]
fn of_two_answers_at_one_instant_the_smaller_stands() {
    let case = order(10_000).with(voucher(10_000).answered()).with(voucher(9000).answered());
    assert_eq!(case.record().paid(), Cents::new(9000));
}

#[test]
fn an_answer_that_is_further_on_is_no_difference() {
    let then = |state| order(10_000).with(voucher(10_000)).with(voucher(10_000).state(state).answered());
    for further in [ReportedState::Captured, ReportedState::Cancelled] {
        then(further).raises(&[]);
    }
    then(ReportedState::Expired).raises(&[Kind::CaptureOverdue]);
    let behind = voucher(10_000).state(ReportedState::Pending).answered();
    order(10_000).with(voucher(10_000)).with(behind).raises(&[]);
}

/// Monext tells by answers alone: what it accepted, the shop has confirmed.
#[test]
fn an_answer_that_fails_what_an_earlier_one_accepted_is_told() {
    let answer = |state, at| voucher(10_000).psp(Psp::Monext).state(state).answered().at(at);
    let accepted = order(10_000).with(answer(ReportedState::Captured, 0));
    let case = accepted.clone().with(answer(ReportedState::Refused, DAY));
    case.raises(&[Kind::ConfirmationDiffers]);
    accepted.clone().with(answer(ReportedState::Cancelled, DAY)).raises(&[]);
    let before =
        order(10_000).with(answer(ReportedState::Refused, 0)).with(answer(ReportedState::Captured, 5));
    before.raises(&[]);
}

#[test]
fn an_answer_that_fails_what_was_notified_as_accepted_differs() {
    let case = order(10_000).with(voucher(10_000)).with(refused().answered());
    let finding = case.finding(Kind::ConfirmationDiffers);
    assert_eq!(finding.detail.to_string(), "V1/CVCONNECT: 00000 ≠ 00105");
    assert_eq!(figures(&finding), (None, None));
}

#[test]
fn an_answer_that_accepts_what_was_notified_as_failed_differs() {
    let case = order(10_000).with(refused()).with(voucher(10_000).answered());
    assert_eq!(case.finding(Kind::ConfirmationDiffers).detail.to_string(), "V1/CVCONNECT: 00105 ≠ 00000");
    case.is(RecordState::Balanced);
}

#[test]
fn the_last_answer_counts() {
    let case = order(10_000).with(voucher(10_000)).with(refused().answered());
    case.with(voucher(10_000).answered().at(9)).raises(&[]);
}

#[test]
fn an_answer_in_another_currency_differs() {
    let case = order(10_000).with(voucher(10_000)).with(voucher(10_000).currency("USD").answered());
    let findings = case.assess().findings;
    assert_eq!(findings[0].kind, Kind::ConfirmationDiffers);
    assert_eq!(findings[0].detail.to_string(), "V1/CVCONNECT: EUR ≠ USD");
}

#[test]
fn what_no_notification_stated_as_its_own_cannot_differ() {
    let paid = || voucher(10_000).psp(Psp::Worldline).total(10_000);
    unregistered().with(paid().of_the_whole()).with(paid().answered()).raises(&[]);
    let card = || plain_card(9000).psp(Psp::Worldline).total(14_000);
    let whole = voucher(14_000).psp(Psp::Worldline).total(14_000).of_the_whole();
    let answer = voucher(5000).psp(Psp::Worldline).total(14_000).answered();
    unregistered().with(whole).with(card()).with(answer).raises(&[]);
}

#[test]
fn a_payment_that_the_api_does_not_know_differs_once() {
    let case = order(10_000).with(voucher(6000)).with(card(4000));
    let unknown = case.clone().unknown_to("camping", "7001").unknown_to("camping", "CMD1");
    let finding = unknown.finding(Kind::ConfirmationDiffers);
    assert_eq!((finding.subject.as_str(), finding.detail.to_string().as_str()), ("unknown", "7001; CMD1"));
    unknown.is(RecordState::Balanced);
    case.unknown_to("another", "7001").raises(&[]);
}

#[test]
fn only_an_accepted_notification_can_be_unknown() {
    order(10_000).with(refused()).unknown_to("camping", "7001").raises(&[]);
    order(10_000)
        .with(voucher(10_000))
        .with(voucher(10_000).answered())
        .unknown_to("camping", "another question")
        .raises(&[]);
}

#[test]
fn a_part_that_the_api_fails_is_not_claimed_and_explains_what_is_missing() {
    let notified = order(10_000).with(voucher(6000)).with(card(4000).at(1));
    notified.clone().is(RecordState::Balanced);
    let failed = notified.with(card(4000).state(ReportedState::Refused).answered().at(2));
    failed.raises(&[Kind::ConfirmationDiffers]);
    assert_eq!(failed.record().paid(), Cents::new(6000));

    // A later notification of its acceptance is news: the answer is behind it.
    let accepted_since = failed.with(card(4000).state(ReportedState::Captured).at(3));
    assert_eq!(accepted_since.record().paid(), Cents::new(10_000));
}
