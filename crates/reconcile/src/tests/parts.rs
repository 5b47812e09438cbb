//! Worldline's figures: the parts are read out of what was paid so far, and doubt waits for an answer.

use super::*;

/// Every figure below is one of an order of 140 euros.
const TOTAL: i64 = 14_000;

fn worldline(told: Told) -> Told {
    told.psp(Psp::Worldline).total(TOTAL)
}

/// The voucher operation: 50 euros paid so far.
fn voucher_so_far() -> Told {
    worldline(voucher(5000).so_far())
}

/// The voucher operation, which says no more than that the whole order is paid.
fn voucher_of_the_whole() -> Told {
    worldline(voucher(TOTAL).of_the_whole().running(TOTAL))
}

/// The card operation with its own amount.
fn card_part() -> Told {
    worldline(plain_card(9000).running(TOTAL).at(1))
}

/// The card operation without its own amount.
fn card_so_far() -> Told {
    worldline(plain_card(TOTAL).so_far().at(1))
}

fn both(vouchers: i64, cards: i64) -> [(String, i64); 2] {
    [("V1".to_owned(), vouchers), ("C1".to_owned(), cards)]
}

#[track_caller]
fn adds_up(case: &Case) {
    assert_eq!(case.parts(), both(5000, 9000));
    case.raises(&[]);
    case.is(RecordState::Balanced);
    let days = Duration::from_hours(3 * 24);
    assert!(case.looks_again_in().is_none_or(|wait| wait > days), "nothing but its captures is awaited");
}

/// Pending for a quarter of an hour after the card was told, then unconfirmed.
#[track_caller]
fn waits_for_an_answer(case: &Case) {
    let waiting = case.clone().seen_just_before(16);
    waiting.raises(&[]);
    waiting.is(RecordState::Pending);
    assert_eq!(waiting.assess().look_again_at, Some(minute(16)));
    let over = case.clone().seen(16);
    over.raises(&[Kind::Unconfirmed]);
    over.is(RecordState::Unbalanced);
}

#[test]
fn a_voucher_that_paid_all_is_a_whole_payment() {
    let case = unregistered().with(voucher_of_the_whole());
    assert_eq!(case.record().paid(), Cents::new(TOTAL));
    case.raises(&[]);
    case.is(RecordState::Balanced);
}

#[test]
fn a_voucher_that_paid_some_awaits_its_complement() {
    let case = unregistered().with(voucher_so_far());
    case.clone().seen(0).is(RecordState::Pending);
    let finding = case.finding(Kind::ComplementMissing);
    assert_eq!(figures(&finding), (Some(TOTAL), Some(5000)));
}

#[test]
fn a_voucher_so_far_and_a_card_with_its_own_amount_add_up_in_both_orders() {
    adds_up(&unregistered().with(voucher_so_far()).with(card_part()));
    adds_up(&unregistered().with(card_part()).with(voucher_so_far()));
}

#[test]
fn a_voucher_told_again_when_all_is_paid_keeps_its_share() {
    adds_up(&unregistered().with(voucher_so_far()).with(card_part()).with(voucher_of_the_whole().at(2)));
}

#[test]
fn a_card_without_its_own_amount_is_what_was_added_to_the_voucher() {
    adds_up(&unregistered().with(voucher_so_far()).with(card_so_far()));
    let of_the_whole = worldline(plain_card(TOTAL).of_the_whole().running(TOTAL).at(1));
    adds_up(&unregistered().with(voucher_so_far()).with(of_the_whole));
    adds_up(&unregistered().with(worldline(voucher(5000))).with(card_so_far()));
}

#[test]
fn a_card_that_is_authorised_only_is_not_in_what_was_paid_so_far() {
    for card in [plain_card(9000), plain_card(9000).running(5000)] {
        adds_up(&unregistered().with(voucher_so_far()).with(worldline(card.at(1))));
    }
}

#[test]
fn a_card_before_its_voucher_is_read_the_same_way() {
    let card = worldline(plain_card(9000).so_far());
    adds_up(&unregistered().with(card).with(worldline(voucher(TOTAL).so_far())));
}

#[test]
fn a_voucher_of_the_whole_beside_a_card_is_in_doubt() {
    let case = unregistered().with(voucher_of_the_whole()).with(card_part());
    assert_eq!(case.parts(), both(5000, 9000), "the best estimate");
    waits_for_an_answer(&case);
    let finding = case.finding(Kind::Unconfirmed);
    assert_eq!(figures(&finding), (Some(TOTAL), Some(TOTAL)));
    assert_eq!(finding.detail.to_string(), "V1/CVCONNECT; C1/VISA");
}

#[test]
fn an_answer_ends_the_doubt() {
    let case = unregistered().with(voucher_of_the_whole()).with(card_part());
    adds_up(&case.clone().with(worldline(voucher(5000).answered().at(3))));
    let less = case.with(worldline(voucher(4000).answered().at(3)));
    assert_eq!(less.parts(), both(4000, 9000));
    less.raises(&[Kind::AmountShort]);
}

#[test]
fn while_an_answer_is_awaited_the_endpoints_alert_speaks() {
    let case = unregistered().with(voucher_of_the_whole()).with(card_part()).awaiting_an_answer();
    case.raises(&[]);
    case.is(RecordState::Unbalanced);
}

#[test]
fn the_grace_of_an_answer_is_the_merchants() {
    let mut case = unregistered().with(voucher_of_the_whole()).with(card_part());
    case.policy.confirmation_grace = minutes(90);
    case.clone().seen(90).is(RecordState::Pending);
    case.seen(91).raises(&[Kind::Unconfirmed]);
}

#[test]
fn two_parts_that_were_told_after_all_was_paid_are_in_doubt() {
    let case = unregistered().with(voucher_of_the_whole()).with(card_so_far());
    waits_for_an_answer(&case);
    assert_eq!(case.record().paid(), Cents::new(TOTAL), "never more than the total");
    adds_up(&case.with(worldline(voucher(5000).answered())));
}

#[test]
fn a_figure_that_contradicts_the_rest_is_in_doubt() {
    let odd = worldline(voucher(4500).so_far());
    let case = unregistered().with(odd).with(card_part());
    waits_for_an_answer(&case);
    assert_eq!(case.parts(), both(5000, 9000), "what was paid in all, less the card");
}

#[test]
fn a_rest_of_nothing_is_in_doubt() {
    let all_by_card = worldline(plain_card(TOTAL).running(TOTAL).at(1));
    waits_for_an_answer(&unregistered().with(voucher_of_the_whole()).with(all_by_card));
}

#[test]
fn a_voucher_operation_that_carries_the_total_is_the_rest_beside_a_card() {
    let carries = || worldline(voucher(TOTAL));
    adds_up(&unregistered().with(carries()).with(card_part()));
    // Without what was paid so far it could be a second payment.
    waits_for_an_answer(&unregistered().with(carries()).with(worldline(plain_card(9000).at(1))));
    let answer = worldline(voucher(5000).answered().at(3));
    adds_up(&unregistered().with(carries()).with(card_part()).with(answer));
    let doubled = worldline(voucher(TOTAL).answered().at(3));
    unregistered().with(carries()).with(card_part()).with(doubled).raises(&[Kind::AmountOver]);
}

#[test]
fn a_failed_card_leaves_the_voucher_its_share() {
    let failed = worldline(plain_card(9000).state(ReportedState::Refused));
    let case = unregistered().with(voucher_so_far()).with(failed);
    assert_eq!(case.record().paid(), Cents::new(5000));
    case.raises(&[Kind::VoucherOrphan]);
}

#[test]
fn a_cancelled_card_does_not_count_in_what_was_paid() {
    let cancelled = worldline(plain_card(9000).state(ReportedState::Cancelled).at(2));
    let case = unregistered().with(voucher_so_far()).with(card_part()).with(cancelled);
    assert_eq!(case.record().paid(), Cents::new(5000));
}

#[test]
fn parts_in_two_currencies_are_not_subtracted_from_each_other() {
    let case = unregistered().with(voucher_so_far()).with(card_part().currency("USD"));
    case.raises(&[Kind::CurrencyUnexpected]);
}

#[test]
fn a_refund_told_in_turns_is_the_sum_of_its_turns() {
    let back = |cents, so_far| worldline(plain_card(cents).id("R/card").refund().running(so_far));
    let paid = unregistered().with(voucher_so_far()).with(card_part());
    let refunded = |case: &Case| case.record().refunded().get();
    assert_eq!(refunded(&paid.clone().with(back(3000, 3000))), 3000);
    assert_eq!(refunded(&paid.clone().with(back(3000, 3000)).with(back(2000, 5000))), 5000);
    assert_eq!(refunded(&paid.clone().with(back(2000, 5000)).with(back(3000, 3000))), 5000);
    assert_eq!(refunded(&paid.with(back(2000, 5000)).with(back(4000, 9000))), 6000, "the first was missed");
}

/// What was paid so far need not hold what is only authorised: no document says so of Worldline.
#[test]
fn a_card_that_is_authorised_beside_captured_vouchers_is_the_rest_of_the_order() {
    let at = |told: Told, id: &str| told.psp(Psp::Worldline).id(id).total(10_000);
    let vouchers = [voucher(6000).running(6000), voucher(6000).so_far()];
    let cards = [card(4000).brand("VISA").running(6000), card(6000).brand("VISA").so_far()];
    for vouchers in &vouchers {
        for held in &cards {
            let captured = at(vouchers.clone().state(ReportedState::Captured), "8_0");
            let case = order(10_000).with(captured).with(at(held.clone(), "8_1"));
            assert_eq!(case.parts(), [("8_0".to_owned(), 6000), ("8_1".to_owned(), 4000)]);
            case.raises(&[]);
        }
    }
}
