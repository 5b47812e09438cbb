//! What the shop registered, and what it did not.

use super::*;

fn paid(case: Case) -> Case {
    case.with(voucher(6000)).with(card(4000))
}

#[test]
fn a_record_expects_what_the_shop_says_else_what_the_psp_says_else_nothing() {
    use cvco_domain::ExpectedFrom::{Order, Psp};
    let told = || voucher(6000).sogecommerce().total(10_000);
    let expected = |case: Case| case.record().expected.map(|(cents, from)| (cents.get(), from));
    assert_eq!(expected(order(9000).with(told())), Some((9000, Order)));
    assert_eq!(expected(unregistered().with(told())), Some((10_000, Psp)));
    assert_eq!(expected(unregistered().with(voucher(6000))), None);
}

#[test]
fn a_missing_order_is_said_once_and_with_its_figures() {
    let finding = paid(unregistered().require_orders()).finding(Kind::OrderUnknown);
    assert_eq!(figures(&finding), (None, Some(10_000)));
}

#[test]
fn nothing_accepted_needs_no_order() {
    unregistered().require_orders().with(voucher(6000).state(ReportedState::Refused)).raises(&[]);
}

#[test]
fn an_order_registered_after_its_payment_closes_the_question() {
    paid(unregistered().require_orders().registered(10_000, 40)).raises(&[]);
    paid(unregistered().registered(10_000, 40)).raises(&[]);
}

#[test]
fn a_total_changed_after_payment_shows_both_totals_and_explains_the_gap() {
    let higher = paid(order(10_000).registered(12_000, 30));
    let finding = higher.finding(Kind::TotalChanged);
    assert_eq!(figures(&finding), (Some(10_000), Some(12_000)));
    assert_eq!(finding.record, None);
    higher.is(RecordState::Unbalanced);
    order(10_000).with(voucher(10_000)).registered(12_000, 30).raises(&[Kind::TotalChanged]);
    order(10_000).with(voucher(10_000)).registered(8000, 30).raises(&[Kind::TotalChanged]);
    order(10_000).with(voucher(10_000)).registered(12_000, 0).raises(&[Kind::TotalChanged]);
}

#[test]
fn an_order_that_was_not_paid_is_held_against_its_new_total_alone() {
    let case = order(10_000).registered(12_000, 30).with(voucher(6000)).with(card(3000));
    assert_eq!(figures(&case.finding(Kind::AmountShort)), (Some(12_000), Some(9000)));
}

#[test]
fn a_total_put_right_to_what_was_paid_leaves_nothing_to_do() {
    let short = paid(order(12_000)).finding(Kind::AmountShort);
    assert_eq!(figures(&short), (Some(12_000), Some(10_000)));
    paid(order(12_000).registered(10_000, 30)).raises(&[]);
}

#[test]
fn a_changed_total_closes_when_the_difference_was_collected() {
    let raised = paid(order(10_000).registered(12_000, 30));
    let some = raised.clone().with(plain_card(500).id("C2").call("7002").at(40)).seen(90);
    some.raises(&[Kind::TotalChanged]);
    let all = some.with(plain_card(1500).id("C3").call("7003").at(91)).seen(120);
    all.raises(&[]);
    assert_eq!(all.assess().order_state, Some(RecordState::Balanced));
    assert!(all.assess().records.iter().all(|record| record.state == RecordState::Balanced));
}

#[test]
fn a_changed_total_closes_when_the_difference_was_given_back() {
    let lowered = paid(order(10_000).registered(8000, 30));
    let back = |cents, id: &str| plain_card(cents).id(id).refund_of("C1").at(DAY).happened(DAY);
    let some = lowered.with(back(1500, "R1")).seen(2 * DAY);
    assert_eq!(figures(&some.finding(Kind::TotalChanged)), (Some(10_000), Some(8000)));
    assert_eq!(some.assess().gap, Some(Cents::new(500)), "still to be given back");
    let all = some.with(back(500, "R2"));
    all.raises(&[]);
    assert_eq!(all.assess().gap, Some(Cents::ZERO));
}

#[test]
fn a_total_changed_back_closes_the_matter() {
    paid(order(10_000).registered(12_000, 30).registered(10_000, 40)).raises(&[]);
}

#[test]
fn a_total_first_registered_after_payment_can_change_too() {
    paid(unregistered().registered(10_000, 30)).raises(&[]);
    paid(unregistered().registered(10_000, 30).registered(12_000, 40)).raises(&[Kind::TotalChanged]);
}

#[test]
fn what_was_paid_before_the_change_and_heard_of_after_it_was_right_too() {
    let late = |told: Told| order(10_000).registered(12_000, 30).with(told.at(40));
    late(voucher(10_000).happened(29)).raises(&[Kind::TotalChanged]);
    // Paid after the change, or less than either: too little.
    late(voucher(10_000).happened(31)).seen(90).raises(&[Kind::ComplementMissing]);
    late(voucher(9000).happened(29)).seen(90).raises(&[Kind::ComplementMissing]);
    late(voucher(12_000).happened(29)).raises(&[]);
}

#[test]
fn of_another_currency_of_the_same_figure_its_own_rule_speaks() {
    paid(order(10_000).registered_in(10_000, "USD", 30)).raises(&[Kind::CurrencyUnexpected]);
    let kinds = paid(order(10_000).registered_in(12_000, "USD", 30)).kinds();
    assert!(kinds.contains(&Kind::TotalChanged), "{kinds:?}");
}

#[test]
fn before_any_payment_a_total_may_change_freely() {
    order(10_000).registered(12_000, 30).raises(&[]);
    order(10_000).registered(12_000, 30).with(voucher(12_000).at(31)).raises(&[]);
}

#[test]
fn a_shared_prefix_concerns_registered_orders_alone() {
    order(10_000).sharing_its_prefix_with("CMD10").raises(&[Kind::ReferenceCollision]);
    unregistered().sharing_its_prefix_with("CMD10").raises(&[]);
}

#[test]
fn a_shared_prefix_concerns_orders_that_were_not_given_back_alone() {
    let paid = order(10_000).sharing_its_prefix_with("CMD10").with(voucher(10_000).sogecommerce());
    paid.raises(&[Kind::ReferenceCollision]);
    let given_back = paid.with(voucher(10_000).sogecommerce().id("RV").refund().at(30));
    given_back.is(RecordState::Refunded);
    given_back.raises(&[]);
    let again = given_back.with(voucher(10_000).sogecommerce().call("another").id("V2").at(60));
    again.raises(&[Kind::ReferenceCollision]);
}
