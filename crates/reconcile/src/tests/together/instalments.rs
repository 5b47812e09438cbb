//! A plan of several payments: what is due when, and which payment is which instalment.

use super::*;

#[test]
fn each_instalment_has_its_date() {
    let plan = || order(50_000).planned(&[(15_000, DAY), (20_000, JUNE), (15_000, END_OF_JUNE)]);
    plan().seen(END_OF_JUNE + 1).raises(&[]);
    let first = split(plan(), Psp::Up2pay, "7001", (6000, 9000), MARCH);
    first.clone().seen_just_before(JUNE).raises(&[]);
    // The payment lacks nothing; a list that is narrowed to what is paid in part has it all the same.
    assert_eq!(states(&first.clone().seen(60)), ["part_paid"]);
    assert_eq!(held_against(&first.clone().seen(60)), [(15_000, 0)]);
    assert_eq!(order_state(&first.clone().seen(60)), "part_paid");
    let missed = first.clone().seen(JUNE);
    assert_eq!(states(&missed), ["part_paid"], "whether the rest is due or not");
    assert_eq!(order_state(&missed), "unbalanced");
    assert_eq!(figures(&missed.finding(Kind::AmountShort)), (Some(35_000), Some(15_000)));
    let missed = first.clone().seen(END_OF_JUNE);
    assert_eq!(figures(&missed.finding(Kind::AmountShort)), (Some(50_000), Some(15_000)));
    let second = split(first, Psp::Up2pay, "7002", (5000, 15_000), JUNE - DAY).seen(JUNE + DAY);
    second.raises(&[]);
    assert_eq!(held_against(&second), [(15_000, 0), (20_000, 0)]);
    let whole = split(second, Psp::Up2pay, "7003", (5000, 10_000), JUNE + DAY).seen(END_OF_JUNE);
    assert_eq!(states(&whole), ["balanced"; 3]);
}

#[test]
fn a_payment_towards_a_plan_is_held_against_the_instalment_that_it_begins() {
    let plan = || order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]);
    let pay = |case, call: &str, cents: i64, at| split(case, Psp::Up2pay, call, (5000, cents - 5000), at);
    let short = pay(plan(), "7001", 14_000, 0);
    assert_eq!(held_against(&short.clone().seen(60)), [(15_000, -1000)]);
    let finding = short.clone().seen(2 * DAY).finding(Kind::AmountShort);
    assert_eq!(figures(&finding), (Some(15_000), Some(14_000)), "as the discrepancy has it");
    let again = pay(short.clone(), "7002", 6000, 60).seen(90);
    assert_eq!(held_against(&again), [(14_000, 0), (6000, 0)], "and something on account of the next");
    let completed = short.clone().with(plain_card(1000).call("7002").at(60)).seen(90);
    assert_eq!(held_against(&completed), [(14_000, 0), (1000, 0)]);
    // What a customer pays who was asked for the difference, in whichever way, wants no other part.
    let alone = [voucher(1000), card(1000).id("C9")];
    for difference in alone {
        let topped_up = short.clone().with(difference.call("7002").at(60)).seen(2 * DAY);
        topped_up.raises(&[]);
        assert_eq!(held_against(&topped_up), [(14_000, 0), (1000, 0)]);
    }
    let more = pay(completed, "7003", 20_000, JUNE - DAY).seen(JUNE - DAY + 60);
    assert_eq!(held_against(&more), [(14_000, 0), (1000, 0), (35_000, -15_000)]);
    assert_eq!(held_against(&pay(plan(), "7001", 20_000, 0).seen(60)), [(20_000, 0)]);
}

#[test]
fn equal_instalments_are_no_double_payment() {
    let plan = || order(30_000).planned(&[(15_000, DAY), (15_000, JUNE)]);
    let pay = |case, call: &str, at| split(case, Psp::Up2pay, call, (6000, 9000), at);
    pay(pay(plan(), "7001", MARCH), "7002", JUNE - 60).seen(JUNE).raises(&[]);
    pay(pay(order(30_000), "7001", MARCH), "7002", 10).raises(&[]);
}

#[test]
fn an_instalment_that_is_paid_once_more_is_paid_twice_until_it_serves() {
    let plan = order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]);
    let once = split(plan, Psp::Up2pay, "7001", (10_000, 5000), 0);
    once.clone().seen(60).raises(&[]);
    let twice = split(once, Psp::Sogecommerce, "s-2", (9000, 6000), 1).seen(60);
    assert_eq!(figures(&twice.finding(Kind::DoublePayment)), (Some(15_000), Some(30_000)));
    split(twice, Psp::Up2pay, "7003", (10_000, 10_000), JUNE - DAY).seen(JUNE).raises(&[]);
    let equal = order(30_000).planned(&[(10_000, DAY), (10_000, 2 * DAY), (10_000, JUNE)]);
    let ahead = split(equal, Psp::Up2pay, "7001", (6000, 4000), 0);
    split(ahead, Psp::Up2pay, "7002", (6000, 4000), 1).seen(60).raises(&[]);
    let later = order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]);
    let later = split(later, Psp::Up2pay, "7001", (10_000, 5000), 0);
    split(later, Psp::Up2pay, "7002", (10_000, 5000), DAY).seen(DAY + 60).raises(&[]);
    let thirds = order(10_000).planned(&[(3333, DAY), (3333, 30 * DAY), (3334, JUNE)]);
    let thirds = split(thirds, Psp::Up2pay, "7001", (2000, 1333), 0);
    let thirds = split(thirds, Psp::Up2pay, "7002", (2000, 1333), 1);
    split(thirds, Psp::Up2pay, "7003", (2000, 1333), 2).seen(60).raises(&[]);
    let odd = order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]);
    let odd = split(odd, Psp::Up2pay, "7001", (10_000, 5000), 0);
    split(odd, Psp::Up2pay, "7002", (10_000, 2000), 1).seen(60).raises(&[]);
}

/// The second voucher may be the first part of the balance: its complement is waited for.
#[test]
fn an_instalment_that_is_paid_once_more_in_vouchers_alone_is_paid_twice_after_the_grace() {
    let plan = || order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]);
    let paid = |case: Case, call: &str, at| case.with(voucher(15_000).call(call).id(call).at(at));
    let twice = paid(paid(plan(), "7001", 0), "7002", 3);
    twice.clone().seen(22).raises(&[]);
    let finding = twice.clone().seen(23).finding(Kind::DoublePayment);
    assert_eq!(figures(&finding), (Some(15_000), Some(30_000)));
    let completed = twice.clone().with(card(20_000).call("7002").id("C2").at(9));
    completed.seen(60).raises(&[]);
    let refused = twice.with(card(20_000).call("7002").id("C2").at(9).state(ReportedState::Refused));
    refused.seen(60).raises(&[Kind::VoucherOrphan]);
    let over = paid(paid(split(plan(), Psp::Up2pay, "7003", (20_000, 15_000), 1), "7001", 0), "7002", 3);
    let finding = over.seen(60).finding(Kind::DoublePayment);
    assert_eq!(figures(&finding), (Some(50_000), Some(65_000)));
}

/// An instalment of 100 that is paid in two parts, each told as a payment of its own.
#[test]
fn two_payments_may_pay_one_instalment_together() {
    let plan = || order(20_000).planned(&[(10_000, DAY), (10_000, JUNE)]);
    let vouchers = |case: Case, cents, call: &str, at| {
        case.with(voucher(cents).call(call).id(&format!("V-{call}")).at(at).happened(at))
    };
    let two = vouchers(vouchers(plan(), 6000, "1", 0), 4000, "2", 60);
    let three = vouchers(vouchers(vouchers(plan(), 3000, "1", 0), 3000, "2", 30), 4000, "3", 60);
    let card = plain_card(4000).sogecommerce().total(4000).id("C").call("2").at(60).happened(60);
    let with_a_card = vouchers(plan(), 6000, "1", 0).with(card);
    for case in [two, three, with_a_card] {
        let paid = case.seen(2 * DAY);
        paid.raises(&[]);
        assert_eq!(order_state(&paid), "part_paid");
        assert!(held_against(&paid).iter().all(|(_, gap)| *gap == 0), "{:?}", held_against(&paid));
    }
    let half = vouchers(plan(), 6000, "1", 0).seen(2 * DAY);
    half.raises(&[Kind::ComplementMissing]);
    assert_eq!(held_against(&half), [(10_000, -4000)]);
}

/// Of three instalments of 100 the second is paid twice, and once given back: the third is still to come.
#[test]
fn an_instalment_that_was_paid_twice_and_given_back_once_pays_no_other() {
    let card = |call: &str, at| {
        let told = plain_card(10_000).sogecommerce().total(10_000);
        told.id(&format!("C{call}")).call(call).at(at).happened(at)
    };
    let plan = order(30_000).planned(&[(10_000, DAY), (10_000, 30 * DAY), (10_000, JUNE)]);
    let twice = plan.with(card("1", 0)).with(card("2", 20 * DAY)).with(card("3", 20 * DAY + 5));
    let back = twice.with(card("3", 21 * DAY).id("R3").refund_of("C3"));
    assert_eq!(back.clone().seen(22 * DAY).assess().gap, Some(Cents::new(-10_000)));
    assert_eq!(figures(&back.seen(JUNE + DAY).finding(Kind::AmountShort)), (Some(30_000), Some(20_000)));
}

#[test]
fn an_instalment_that_was_given_back_wholly_is_not_asked_for_again() {
    let third = |case: Case, call: &str, at| {
        case.with(plain_card(30_000).sogecommerce().call(call).id(call).happened(at).listed_in(30_000))
    };
    let plan = [(30_000, 10 * DAY), (30_000, 40 * DAY), (30_000, 70 * DAY)];
    let paid = third(third(order(90_000).planned(&plan), "1", 0), "2", 30 * DAY);
    for cents in [30_000, 29_999] {
        let back = plain_card(cents).sogecommerce().call("1").id("R").refund_of("1").happened(42 * DAY);
        let case = paid.clone().with(back);
        case.clone().seen(60 * DAY).raises(&[]);
        let late = case.clone().seen(70 * DAY).finding(Kind::AmountShort);
        let missing = late.expected.expect("known").minus(late.actual.expect("known"));
        assert_eq!(missing, Cents::new(30_000), "the last one");
        third(case, "3", 65 * DAY).seen(70 * DAY).raises(&[]);
    }
}
