//! Time: nothing is said before a grace is over, all of it at that instant, and the instant is announced.

use super::*;

/// What a case says just before a minute, at it, and after it.
#[track_caller]
fn turns(case: &Case, at: i64, kinds: &[Kind]) {
    case.clone().seen_just_before(at).raises(&[]);
    case.clone().seen(at).raises(kinds);
    case.clone().seen(at + 1).raises(kinds);
    assert_eq!(
        case.clone().seen_just_before(at).assess().look_again_at,
        Some(minute(at)),
        "the instant is announced"
    );
}

#[test]
fn a_voucher_waits_twenty_minutes_for_its_card() {
    turns(&order(10_000).with(voucher(6000)), 20, &[Kind::ComplementMissing]);
    let refused = card(4000).state(ReportedState::Refused).at(2);
    turns(&order(10_000).with(voucher(6000)).with(refused), 20, &[Kind::VoucherOrphan]);
}

#[test]
fn a_card_waits_twenty_minutes_for_its_voucher() {
    turns(&order(10_000).with(card(4000)), 20, &[Kind::ComplementOrphan]);
}

#[test]
fn an_order_may_be_registered_up_to_twenty_minutes_late() {
    turns(&unregistered().with(voucher(6000)), 20, &[Kind::TotalUnknown]);
    turns(&unregistered().require_orders().with(voucher(6000)), 20, &[Kind::OrderUnknown]);
}

#[test]
fn the_grace_is_the_merchants() {
    let mut case = order(10_000).with(voucher(6000));
    case.policy.complement_grace = minutes(90);
    turns(&case, 90, &[Kind::ComplementMissing]);
}

#[test]
fn the_grace_counts_from_the_daemons_clock_not_from_the_psps() {
    turns(&order(10_000).with(voucher(6000).happened(-500)), 20, &[Kind::ComplementMissing]);
}

#[test]
fn the_grace_counts_from_acceptance_not_from_the_first_word() {
    let case = order(10_000)
        .with(voucher(6000).state(ReportedState::Pending))
        .with(voucher(6000).at(60))
        .with(voucher(6000).state(ReportedState::Captured).at(70));
    turns(&case, 80, &[Kind::ComplementMissing]);
}

#[test]
fn an_undecided_card_prolongs_the_wait_of_its_voucher() {
    let four_days = 4 * DAY;
    let case = order(10_000).with(voucher(6000)).with(card(4000).state(ReportedState::Pending));
    turns(&case, four_days, &[Kind::ComplementMissing]);
}

#[test]
fn after_the_last_grace_there_is_nothing_to_wait_for() {
    let settled = [
        order(10_000).with(voucher(6000)),
        order(10_000).with(voucher(6000)).with(card(4000)),
        unregistered().with(voucher(6000)),
        order(10_000).with(voucher(6000).state(ReportedState::Refused)),
        order(10_000),
    ];
    for case in settled {
        assert_eq!(case.looks_again_in(), None, "{case:#?}");
    }
}

#[test]
fn a_balanced_order_waits_for_nothing_from_the_start() {
    let case = order(10_000).with(voucher(6000)).with(card(4000)).seen(0);
    case.is(RecordState::Balanced);
    assert_eq!(case.looks_again_in(), None);
}

#[test]
fn of_several_waits_the_nearest_is_announced() {
    let case = order(11_000).with(voucher(6000).at(5)).with(card(4000).call("7002").at(3)).seen(10);
    assert_eq!(case.looks_again_in(), Some(minutes(13)));
    assert_eq!(case.seen(23).looks_again_in(), Some(minutes(2)));
}

#[test]
fn the_card_in_time_closes_the_wait_and_the_card_too_late_the_discrepancy() {
    for late in [19, 20, 500] {
        let case = order(10_000).with(voucher(6000)).with(card(4000).at(late)).seen(late);
        case.raises(&[]);
        case.is(RecordState::Balanced);
    }
}

#[test]
fn the_ends_of_time_are_survived() {
    for millis in [i64::MIN, 0, i64::MAX] {
        let mut case = order(10_000).with(voucher(6000));
        case.now = Timestamp::from_millis(millis);
        case.facts[0].received_at = Timestamp::from_millis(millis);
        case.policy.complement_grace = Duration::MAX;
        let look_again_at = case.assess().look_again_at;
        assert!(look_again_at.is_none_or(|at| at > case.now), "{look_again_at:?}");
    }
}

#[test]
fn what_is_too_little_waits_for_the_grace_after_the_last_part() {
    let case = order(10_000).with(voucher(6000)).with(card(3999).at(5));
    turns(&case, 25, &[Kind::AmountShort]);
    case.seen(6).is(RecordState::PartPaid);
}

/// Worldline's vouchers can be given back for four hours: nobody is told of them after four days.
#[test]
fn a_customer_who_leaves_the_page_is_not_waited_for_as_long_as_a_bank() {
    let pending = || card(4000).psp(Psp::Worldline).state(ReportedState::Pending);
    let left = |told: Told| told.change(|event| event.status.reading = StatusReading::Unfinished);
    let case = || order(10_000).with(voucher(6000).psp(Psp::Worldline).total(10_000));
    let at_the_page = case().with(left(pending()));
    at_the_page.clone().seen(19).raises(&[]);
    at_the_page.clone().seen(20).raises(&[Kind::ComplementMissing]);
    let at_the_bank = at_the_page.clone().with(pending().at(15));
    at_the_bank.seen(DAY).raises(&[]);
    at_the_page.with(card(4000).psp(Psp::Worldline).at(30)).seen(60).raises(&[]);
    // No money is held: an attempt that was left is nobody's concern.
    order(10_000).with(left(pending())).seen(DAY).raises(&[]);
    let at_sogecommerce = |told: Told| told.sogecommerce().listed_in(10_000);
    let reviewed = at_sogecommerce(card(4000)).state(ReportedState::Pending);
    let reviewed = order(10_000).with(at_sogecommerce(voucher(6000))).with(reviewed);
    assert!(!reviewed.clone().seen(3 * DAY - 1).kinds().contains(&Kind::ComplementMissing));
    assert!(
        reviewed.seen(3 * DAY).kinds().contains(&Kind::ComplementMissing),
        "its authorisation has lapsed"
    );
}
