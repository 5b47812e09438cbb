//! Captures that do not come: told by the PSP, or asked of it.

use super::*;

const FOUR_DAYS: i64 = 4 * DAY;

fn authorised(psp: Psp) -> Case {
    order(6000).with(voucher(6000).psp(psp).happened(0))
}

#[test]
fn where_the_psp_tells_of_captures_its_silence_is_enough() {
    let case = authorised(Psp::Worldline);
    case.clone().seen_just_before(FOUR_DAYS).raises(&[]);
    assert_eq!(case.clone().seen_just_before(FOUR_DAYS).assess().look_again_at, Some(minute(FOUR_DAYS)));
    let finding = case.seen(FOUR_DAYS).finding(Kind::CaptureOverdue);
    assert_eq!(figures(&finding), (Some(6000), Some(0)));
}

#[test]
fn where_it_does_not_only_an_answer_that_is_late_enough_says_so() {
    for (psp, due) in [(Psp::Up2pay, FOUR_DAYS), (Psp::Monext, FOUR_DAYS), (Psp::Sogecommerce, 3 * DAY)] {
        let case = authorised(psp).seen(30 * DAY);
        case.raises(&[]);
        case.clone().answered_at("camping", due - 1).raises(&[]);
        case.clone().answered_at("another", due).raises(&[]);
        case.clone().answered_at("camping", due).raises(&[Kind::CaptureOverdue]);
        // Each part is asked about by itself: the answers about the others are given their time.
        let answered = case.clone().answered_at("camping", due);
        answered.clone().seen_just_before(due + 15).raises(&[]);
        assert_eq!(answered.clone().seen(due).assess().look_again_at, Some(minute(due + 15)));
        answered.seen(due + 15).raises(&[Kind::CaptureOverdue]);
        let captured = voucher(6000).psp(psp).state(ReportedState::Captured).answered().at(due);
        case.with(captured).answered_at("camping", due).raises(&[]);
    }
}

#[test]
fn the_authorisation_lapses_by_the_psps_clock_but_late_news_is_given_a_grace() {
    // Told five days after it was authorised, as after an outage: its capture may stand next in the queue.
    let told_late = order(6000).with(voucher(6000).psp(Psp::Worldline).happened(-5 * DAY));
    told_late.clone().seen_just_before(20).raises(&[]);
    told_late.clone().seen(20).raises(&[Kind::CaptureOverdue]);
    let captured = voucher(6000).psp(Psp::Worldline).state(ReportedState::Captured).at(1);
    told_late.with(captured).seen(20).raises(&[]);
}

#[test]
fn the_grace_is_the_merchants() {
    let mut case = authorised(Psp::Worldline);
    case.policy.capture_grace = minutes(90);
    case.clone().seen_just_before(90).raises(&[]);
    case.seen(90).raises(&[Kind::CaptureOverdue]);
}

#[test]
fn all_parts_that_wait_are_one_discrepancy() {
    let case = order(10_000)
        .with(voucher(6000).psp(Psp::Worldline))
        .with(plain_card(4000).psp(Psp::Worldline))
        .seen(FOUR_DAYS);
    let finding = case.finding(Kind::CaptureOverdue);
    assert_eq!(figures(&finding), (Some(10_000), Some(0)));
    assert_eq!(finding.detail.to_string(), "V1/CVCONNECT; C1/VISA");
}

#[test]
fn a_part_that_stays_undecided_is_overdue_too() {
    let case = order(10_000).with(voucher(10_000).state(ReportedState::Pending));
    case.clone().seen_just_before(FOUR_DAYS).raises(&[]);
    let late = case.seen(FOUR_DAYS);
    late.raises(&[Kind::CaptureOverdue]);
    late.is(RecordState::Pending);
    late.with(voucher(10_000).state(ReportedState::Refused).at(FOUR_DAYS)).raises(&[]);
}

#[test]
fn what_is_cancelled_or_given_back_need_not_be_captured() {
    let worldline = |told: Told| told.psp(Psp::Worldline).at(60);
    let case = || authorised(Psp::Worldline).seen(FOUR_DAYS);
    case().with(worldline(voucher(6000).state(ReportedState::Cancelled))).raises(&[]);
    case().with(worldline(voucher(6000).id("R").refund().happened(60))).raises(&[]);
}

/// What Monext answers of a voucher of 60 euros beside a card of which so much is authorised, and so much captured.
fn answered(case: Case, (authorised, captured): (i64, i64), at: i64) -> Case {
    let part = |told: Told, state| told.psp(Psp::Monext).listed_in(10_000).state(state).answered().at(at);
    let case = case
        .with(part(voucher(6000), ReportedState::Captured))
        .with(part(plain_card(authorised), ReportedState::Authorised));
    if captured == 0 { case } else { case.with(part(plain_card(captured), ReportedState::Captured)) }
}

#[test]
fn an_answer_may_say_that_a_part_of_an_authorisation_was_captured() {
    for case in [order(10_000), unregistered()] {
        let part = answered(answered(case, (4000, 0), 0), (4000, 2500), DAY);
        assert_eq!(part.record().paid(), Cents::new(8500));
        part.clone().seen(DAY + 19).raises(&[]);
        let finding = part.clone().seen(DAY + 60).finding(Kind::AmountShort);
        assert!(
            matches!(finding.detail, Detail::PartCaptured { left, .. } if left == Cents::new(1500)),
            "{:?}",
            finding.detail
        );
        part.clone().seen(DAY + 60).raises(&[Kind::AmountShort]);
        let all = answered(part, (4000, 4000), 2 * DAY);
        assert_eq!(all.record().paid(), Cents::new(10_000));
        all.seen(2 * DAY + 60).raises(&[]);
    }
}

/// The merchant took less on purpose: without an order nothing is missing.
#[test]
fn what_an_answer_says_was_let_go_is_a_change_and_no_contradiction() {
    let let_go = |case| answered(answered(case, (4000, 0), 0), (2500, 2500), DAY).seen(2 * DAY);
    let_go(unregistered()).raises(&[]);
    let registered = let_go(order(10_000));
    registered.raises(&[Kind::AmountShort]);
    assert_eq!(figures(&registered.finding(Kind::AmountShort)), (Some(10_000), Some(8500)));
}

#[test]
fn an_authorisation_that_lapses_is_told_until_it_is_paid_in_another_way() {
    let lapsed = |case: Case| {
        let told = |state, at| voucher(6000).sogecommerce().total(6000).state(state).at(at);
        case.with(told(ReportedState::Authorised, 0)).with(told(ReportedState::Expired, 7 * DAY))
    };
    for case in [lapsed(order(6000)), lapsed(unregistered())] {
        let finding = case.finding(Kind::CaptureOverdue);
        assert_eq!(figures(&finding), (Some(6000), Some(0)));
        assert!(matches!(&finding.detail, Detail::Lapsed(parts) if parts.len() == 1), "{:?}", finding.detail);
        let again = voucher(6000).sogecommerce().total(6000).id("V2").call("7002");
        case.with(again.clone().at(8 * DAY).happened(8 * DAY)).raises(&[]);
    }
    let before = voucher(6000).sogecommerce().total(6000).id("V2").call("7002").happened(-5);
    lapsed(unregistered()).with(before).raises(&[Kind::CaptureOverdue]);
    // Of two payments one lapsed: that is what the order lacks, and it is asked for once.
    let other = plain_card(4000).sogecommerce().total(4000).call("7003");
    let one_of_two = lapsed(order(10_000).with(other)).seen(8 * DAY);
    one_of_two.raises(&[Kind::CaptureOverdue]);
    let expected =
        one_of_two.assess().records.into_iter().map(|record| record.expected.map(|(cents, _)| cents.get()));
    assert_eq!(expected.collect::<Vec<_>>(), [Some(6000), Some(4000)], "each is held against its own total");
    // What was never accepted, or was taken back by the merchant, promised nothing.
    let never = voucher(6000).sogecommerce().state(ReportedState::Expired);
    order(6000).with(never).raises(&[]);
    let cancelled = voucher(6000).sogecommerce().state(ReportedState::Cancelled).at(DAY);
    order(6000).with(voucher(6000).sogecommerce()).with(cancelled).seen(7 * DAY).raises(&[]);
}

/// A card that Sogecommerce is to authorise on a later day is waited for, and is accepted on that day.
#[test]
fn a_decision_that_is_planned_for_a_later_day_is_not_overdue_before() {
    let planned = plain_card(7000).sogecommerce().total(7000).state(ReportedState::Pending);
    let planned = planned.status("WAITING_AUTHORISATION", StatusReading::Planned);
    let case = order(7000).with(planned);
    case.clone().seen_just_before(60 * DAY).raises(&[]);
    case.clone().seen(20 * DAY).is(RecordState::Pending);
    case.clone().seen(60 * DAY).raises(&[Kind::CaptureOverdue]);
    let authorised = case.with(plain_card(7000).sogecommerce().total(7000).at(20 * DAY)).seen(21 * DAY);
    authorised.raises(&[]);
    assert_eq!(authorised.tender().authorised_at, Some(minute(20 * DAY)));
}
