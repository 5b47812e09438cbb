//! What was to be one payment and was made in several, at one PSP or two.

use super::*;

const DUE: i64 = 10 * DAY;
const PLAN: [(i64, i64); 3] = [(10_000, DUE), (20_000, 40 * DAY), (30_000, 100 * DAY)];

/// Vouchers of Up2pay, of which nothing says what they were to come to.
fn alone(case: Case, call: &str, cents: i64, at: i64) -> Case {
    case.with(voucher(cents).call(call).id(&format!("V{call}")).happened(at))
}

/// A card of Sogecommerce, by itself.
fn elsewhere(case: Case, call: &str, cents: i64, at: i64) -> Case {
    case.with(
        plain_card(cents).sogecommerce().call(call).id(&format!("C{call}")).happened(at).listed_in(cents),
    )
}

fn planned() -> Case {
    order(60_000).planned(&PLAN)
}

#[test]
fn who_pays_an_instalment_in_two_payments_may_pay_the_next_ones_ahead() {
    let two_vouchers = alone(alone(planned(), "1", 6000, 0), "2", 4000, 5);
    let voucher_and_card = elsewhere(alone(planned(), "1", 6000, 0), "2", 4000, 5);
    for deposit in [two_vouchers, voucher_and_card] {
        deposit.clone().seen(DAY).raises(&[]);
        let ahead = elsewhere(deposit, "3", 15_000, 5 * DAY);
        ahead.clone().seen(5 * DAY).raises(&[]);
        ahead.clone().seen(DUE).raises(&[]);
        let second = elsewhere(ahead, "4", 5000, 12 * DAY);
        second.clone().seen(50 * DAY).raises(&[]);
        assert_eq!(order_state(&second.seen(50 * DAY)), "part_paid");
    }
}

#[test]
fn two_instalments_may_be_paid_together_by_vouchers_and_a_card() {
    let both = elsewhere(alone(planned(), "1", 18_000, 0), "2", 12_000, 5);
    both.clone().seen(DAY).raises(&[]);
    both.seen(50 * DAY).raises(&[]);
}

#[test]
fn the_first_half_of_a_later_instalment_says_nothing_of_an_earlier_one() {
    let deposit = elsewhere(alone(planned(), "1", 6000, 0), "2", 4000, 5);
    let stated = voucher(12_000).sogecommerce().call("3").id("V3").happened(30 * DAY).total(12_000);
    let half = deposit.with(stated);
    half.clone().seen(30 * DAY).raises(&[]);
    elsewhere(half, "4", 8000, 30 * DAY + 5).seen(50 * DAY).raises(&[]);
}

/// The alert asks the customer to pay the rest otherwise, and that is done.
#[test]
fn a_part_whose_other_part_came_to_nothing_is_made_up_for_by_a_payment_of_that() {
    let deposit_due = |case: Case| case.planned(&[(10_000, DUE), (50_000, 100 * DAY)]);
    let orders = [deposit_due(order(60_000)), order(60_000).due(100 * DAY)];
    let attempts = [
        [voucher(6000), card(4000)],
        [voucher(6000).sogecommerce().listed_in(10_000), card(4000).sogecommerce().listed_in(10_000)],
        [voucher(6000).psp(Psp::Worldline).total(10_000), card(4000).psp(Psp::Worldline).total(10_000)],
    ];
    for order in &orders {
        for [vouchers, refused] in &attempts {
            let refused = refused.clone().state(ReportedState::Refused);
            let orphan =
                order.clone().with(vouchers.clone().state(ReportedState::Captured)).with(refused).seen(DAY);
            orphan.raises(&[Kind::VoucherOrphan]);
            let paid = plain_card(4000).psp(Psp::Monext).call("9").id("C9").happened(DAY).total(4000);
            let paid = orphan.with(paid);
            paid.raises(&[]);
            assert_eq!(order_state(&paid), "part_paid");
            assert_eq!(states(&paid), ["part_paid", "part_paid"]);
            paid.seen(50 * DAY).raises(&[]);
        }
    }
}

#[test]
fn without_a_registered_order_a_part_is_made_up_for_elsewhere_too() {
    let listed = |told: Told| told.sogecommerce().listed_in(10_000);
    let refused = listed(card(4000)).state(ReportedState::Refused);
    let orphan = unregistered().with(listed(voucher(6000))).with(refused).seen(DAY);
    orphan.raises(&[Kind::VoucherOrphan]);
    let paid = plain_card(4000).psp(Psp::Worldline).call("9").id("C9").happened(DAY).total(4000);
    let paid = orphan.with(paid);
    paid.raises(&[]);
    assert_eq!(states(&paid), ["balanced", "balanced"]);
}

/// What was too much is kept for the next instalment, as the customer and the merchant may decide.
#[test]
fn what_was_too_much_is_none_once_all_of_it_comes_to_instalments() {
    let twice = elsewhere(elsewhere(planned(), "1", 10_000, 0), "2", 10_000, 5);
    twice.clone().seen(DAY).raises(&[Kind::DoublePayment]);
    elsewhere(twice, "3", 10_000, 30 * DAY).seen(50 * DAY).raises(&[]);

    let listed = |told: Told| told.sogecommerce().listed_in(10_000);
    let orphan = planned().with(listed(voucher(6000))).with(listed(card(4000)).state(ReportedState::Refused));
    let again = elsewhere(orphan, "2", 10_000, 60);
    again.clone().seen(DAY).raises(&[Kind::AmountOver]);
    elsewhere(again, "3", 14_000, 30 * DAY).seen(50 * DAY).raises(&[]);
}
