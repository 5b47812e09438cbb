//! The order judged whole: deposits and balances, what is left over, what is too much.

mod in_pieces;
mod instalments;
mod left_over;
mod taken_back;

use super::*;

const MARCH: i64 = 0;
const JUNE: i64 = 90 * DAY;
const END_OF_JUNE: i64 = 120 * DAY;

/// A payment of its own, voucher and card, told at once.
fn split(case: Case, psp: Psp, call: &str, parts: (i64, i64), at: i64) -> Case {
    let told = |told: Told, part: &str| {
        told.psp(psp).call(call).id(&format!("{part}-{call}")).at(at).state(ReportedState::Captured)
    };
    case.with(told(voucher(parts.0), "V")).with(told(card(parts.1), "C"))
}

/// The same, where the PSP states the payment's own total.
fn stated(case: Case, psp: Psp, call: &str, parts: (i64, i64), at: i64) -> Case {
    let total = parts.0 + parts.1;
    let told = |told: Told, part: &str| {
        let told = told.psp(psp).call(call).id(&format!("{part}-{call}")).at(at);
        told.state(ReportedState::Captured).listed_in(total)
    };
    case.with(told(voucher(parts.0), "V")).with(told(card(parts.1), "C"))
}

fn order_state(case: &Case) -> &'static str {
    case.assess().order_state.map_or("unpaid", RecordState::as_str)
}

fn states(case: &Case) -> Vec<&'static str> {
    case.assess().records.iter().map(|record| record.state.as_str()).collect()
}

fn stands(case: &Case) -> (Option<i64>, Option<RecordState>) {
    let assessment = case.assess();
    (assessment.gap.map(Cents::get), assessment.order_state)
}

fn is_left_over(finding: &Finding) -> bool {
    matches!(finding.detail, Detail::LeftOver(_))
}

/// What each record is held against, and its gap.
fn held_against(case: &Case) -> Vec<(i64, i64)> {
    let of = |record: &Record| {
        let (expected, _) = record.expected.expect("known");
        (expected.get(), record.gap().expect("known").get())
    };
    case.assess().records.iter().map(of).collect()
}

#[test]
fn an_order_of_nothing_lacks_nothing() {
    let free = Case { now: minute(2 * DAY), ..unregistered().registered(0, MARCH).due(DAY) };
    assert!(free.assess().findings.is_empty());
    let dear_again = Case { now: minute(3 * DAY), ..free.registered(5000, 2 * DAY) };
    assert!(dear_again.assess().findings.is_empty(), "nobody paid it before its total changed");
}

#[test]
fn a_deposit_and_its_balance_make_an_order_wherever_they_were_paid() {
    for (first, second) in [
        (Psp::Up2pay, Psp::Up2pay),
        (Psp::Sogecommerce, Psp::Sogecommerce),
        (Psp::Worldline, Psp::Worldline),
        (Psp::Up2pay, Psp::Sogecommerce),
        (Psp::Monext, Psp::Worldline),
    ] {
        for pay in [split, stated] {
            let deposit = pay(order(50_000).due(END_OF_JUNE), first, "7001", (6000, 9000), MARCH);
            let waits = deposit.clone().seen(JUNE);
            waits.raises(&[]);
            assert_eq!(order_state(&waits), "part_paid", "{first} {second}");
            assert_eq!(waits.assess().gap, Some(Cents::new(-35_000)));

            let paid = pay(deposit, second, "7002", (20_000, 15_000), JUNE).seen(JUNE);
            paid.raises(&[]);
            assert_eq!(order_state(&paid), "balanced");
            assert_eq!(states(&paid), ["balanced", "balanced"]);
            assert!(held_against(&paid).iter().all(|(_, gap)| *gap == 0), "no part of them is short");
            assert_eq!(paid.assess().gap, Some(Cents::ZERO));
            assert_eq!(paid.looks_again_in(), None);
        }
    }
}

/// Between the two messages of the balance the deposit's card is not taken for its complement.
#[test]
fn a_deposit_by_card_does_not_complete_the_voucher_of_the_balance() {
    for psp in [Psp::Worldline, Psp::Monext] {
        let captured =
            |told: Told, call: &str, at| told.psp(psp).call(call).at(at).state(ReportedState::Captured);
        let deposit = captured(plain_card(25_000).total(25_000), "7001", MARCH);
        let voucher = captured(voucher(6000).total(25_000), "7002", JUNE);
        let balance = captured(plain_card(19_000).id("C2").total(25_000), "7002", JUNE);
        let half = order(50_000).due(END_OF_JUNE).with(deposit).with(voucher);
        half.clone().seen(JUNE).raises(&[]);
        let paid = half.with(balance).seen(JUNE + 60);
        paid.raises(&[]);
        assert_eq!(states(&paid), ["balanced", "balanced"], "{psp}");
    }
}

#[test]
fn a_balance_that_never_comes_is_one_discrepancy_when_it_is_due() {
    let deposit = split(order(50_000).due(JUNE), Psp::Up2pay, "7001", (6000, 9000), MARCH);
    deposit.clone().seen_just_before(JUNE).raises(&[]);
    assert_eq!(deposit.clone().seen_just_before(JUNE).assess().look_again_at, Some(minute(JUNE)));
    let late = deposit.seen(JUNE);
    let finding = late.finding(Kind::AmountShort);
    assert_eq!(figures(&finding), (Some(50_000), Some(15_000)));
    assert_eq!(finding.record, None, "it is the order's");
    assert_eq!(order_state(&late), "unbalanced");
    // What comes late but not whole leaves the same discrepancy, with what is missing now.
    let some = split(late, Psp::Up2pay, "7002", (10_000, 20_000), JUNE + 5);
    for at in [JUNE + 6, JUNE + 60] {
        let finding = some.clone().seen(at).finding(Kind::AmountShort);
        assert_eq!(figures(&finding), (Some(50_000), Some(45_000)), "it does not come and go");
    }
    split(some, Psp::Up2pay, "7003", (2000, 3000), JUNE + 90).raises(&[]);
}

#[test]
fn without_a_date_the_balance_is_awaited_for_the_grace() {
    let deposit = split(order(50_000), Psp::Up2pay, "7001", (6000, 9000), 0);
    deposit.clone().seen(19).raises(&[]);
    assert_eq!(figures(&deposit.seen(20).finding(Kind::AmountShort)), (Some(50_000), Some(15_000)));
}

#[test]
fn nothing_is_missing_of_an_order_of_which_all_was_given_back() {
    for case in [order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)]), order(50_000).due(JUNE)] {
        let deposit = split(case, Psp::Up2pay, "7001", (6000, 9000), 0);
        let back = deposit
            .with(voucher(6000).call("7001").id("RV").refund().at(60))
            .with(card(9000).call("7001").id("RC").refund().at(60))
            .seen(2 * JUNE);
        assert_eq!(held_against(&back), [(15_000, 0)]);
        assert_eq!(back.assess().gap, Some(Cents::ZERO));
        assert_eq!(order_state(&back), "refunded");
        assert!(!back.kinds().contains(&Kind::AmountShort));
    }
}

#[test]
fn a_voucher_alone_is_a_deposit_only_where_somebody_says_so() {
    let alone = |case: Case| case.with(voucher(15_000)).seen(60);
    // Up2pay states no total: half a payment, whatever is due later.
    let half = alone(order(50_000).due(JUNE));
    assert_eq!(figures(&half.finding(Kind::ComplementMissing)), (Some(50_000), Some(15_000)));
    // The plan says that it is one.
    alone(order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)])).raises(&[]);
    alone(order(50_000).planned(&[(14_000, DAY), (36_000, JUNE)])).raises(&[Kind::ComplementMissing]);
    // So does the PSP.
    let own = |cents| order(50_000).due(JUNE).with(voucher(15_000).sogecommerce().listed_in(cents));
    own(15_000).raises(&[]);
    assert_eq!(figures(&own(20_000).finding(Kind::ComplementMissing)), (Some(20_000), Some(15_000)));
    // The rest of the order says in the end that nothing was missing.
    let paid = split(half, Psp::Up2pay, "7002", (5000, 30_000), JUNE).seen(JUNE);
    paid.raises(&[]);
    assert_eq!(states(&paid), ["balanced", "balanced"]);
}

#[test]
fn a_deposit_paid_twice_is_a_double_payment_once_it_is_too_much() {
    let pay = |case, call: &str, parts, at| stated(case, Psp::Sogecommerce, call, parts, at);
    let twice = pay(order(50_000).due(JUNE), "7001", (6000, 9000), MARCH);
    let twice = pay(twice, "7002", (6000, 9000), 10);
    twice.clone().seen(DAY).raises(&[]);
    let over = pay(twice, "7003", (20_000, 15_000), JUNE);
    let finding = over.clone().seen(JUNE).finding(Kind::DoublePayment);
    assert_eq!(figures(&finding), (Some(50_000), Some(65_000)));
    assert_eq!(order_state(&over.seen(JUNE)), "unbalanced");
}

#[test]
fn unregistered_payments_of_different_amounts_are_no_double_payment() {
    let up2pay = split(unregistered(), Psp::Up2pay, "7001", (6000, 9000), MARCH);
    split(up2pay, Psp::Up2pay, "7002", (20_000, 15_000), JUNE)
        .seen(JUNE + 60)
        .raises(&[Kind::TotalUnknown, Kind::TotalUnknown]);
    let stated_ones = stated(unregistered(), Psp::Sogecommerce, "7001", (6000, 9000), MARCH);
    let both = stated(stated_ones, Psp::Sogecommerce, "7002", (20_000, 15_000), JUNE).seen(JUNE + 60);
    both.raises(&[]);
    assert_eq!(order_state(&both), "balanced");
}

#[test]
fn unregistered_payments_of_one_amount_are_paid_twice() {
    let once = stated(unregistered(), Psp::Sogecommerce, "7001", (6000, 9000), 0);
    let finding = stated(once, Psp::Sogecommerce, "7002", (6000, 9000), 10).finding(Kind::DoublePayment);
    assert_eq!(figures(&finding), (Some(15_000), Some(30_000)));
}

#[test]
fn an_order_paid_twice_stays_so_until_all_of_one_payment_is_back() {
    let twice = split(order(10_000), Psp::Sogecommerce, "s-1", (6000, 4000), 0);
    let twice = split(twice, Psp::Sogecommerce, "s-2", (6000, 4000), 5);
    assert_eq!(figures(&twice.clone().seen(6).finding(Kind::DoublePayment)), (Some(10_000), Some(20_000)));
    let cancelled = |told: Told, id: &str, at| {
        told.sogecommerce().call("s-2").id(id).state(ReportedState::Cancelled).at(at)
    };
    let some = twice.with(cancelled(voucher(6000), "V-s-2", 60));
    for at in [61, 79, 81, DAY] {
        assert_eq!(
            figures(&some.clone().seen(at).finding(Kind::DoublePayment)),
            (Some(10_000), Some(14_000)),
            "{at}"
        );
    }
    some.with(cancelled(card(4000), "C-s-2", 62)).seen(62).raises(&[]);
}

#[test]
fn a_refused_voucher_lacks_nothing_once_a_card_paid_the_order() {
    for psp in [Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline, Psp::Monext] {
        let refused = voucher(6000).state(ReportedState::Refused).psp(psp);
        for paid in [card(10_000), plain_card(10_000)] {
            let same_attempt = order(10_000).with(refused.clone()).with(paid.clone().psp(psp).at(2));
            same_attempt.raises(&[]);
            assert_eq!(order_state(&same_attempt), "balanced", "{psp}");
            let another = order(10_000).with(refused.clone()).with(paid.psp(psp).call("7002").at(2));
            another.raises(&[]);
            assert_eq!(order_state(&another), "balanced", "{psp}");
        }
        let listed = unregistered()
            .with(voucher(6000).state(ReportedState::Refused).psp(psp).listed_in(10_000))
            .with(card(10_000).psp(psp).listed_in(10_000));
        listed.raises(&[]);
    }
}

#[test]
fn parts_that_add_up_are_none_too_many() {
    // Up2pay: "Saisie d'un ou plusieurs Chèque-vacances", under one call number.
    let two =
        |first, second| order(10_000).with(voucher(first)).with(voucher(second).id("V2")).with(card(4000));
    two(2000, 4000).raises(&[]);
    two(3000, 3000).raises(&[]);
    two(3000, 4000).raises(&[Kind::DuplicateTender]);
    let cards =
        |first, second| order(10_000).with(voucher(6000)).with(card(first)).with(card(second).id("C2"));
    cards(1500, 2500).raises(&[]);
    cards(2000, 2000).raises(&[]);
    cards(4000, 4000).raises(&[Kind::DuplicateTender]);
    let unknown = unregistered().with(voucher(3000)).with(voucher(3000).id("V2")).with(card(4000));
    unknown.raises(&[Kind::TotalUnknown]);
    let again = unregistered().with(voucher(3000)).with(card(4000)).with(card(4000).id("C2"));
    assert!(again.kinds().contains(&Kind::DuplicateTender), "no total says that they add up");
}

#[test]
fn a_surplus_names_the_payment_that_is_to_be_given_back() {
    let case = split(order(10_000), Psp::Up2pay, "7001", (6000, 4000), 0);
    let case = case.with(plain_card(1500).sogecommerce().id("S1").call("s-1").at(10));
    let finding = case.finding(Kind::AmountOver);
    assert_eq!(figures(&finding), (Some(10_000), Some(11_500)));
    assert_eq!(finding.record.map(|(psp, _)| psp), Some(Psp::Sogecommerce));
    let back = plain_card(500).sogecommerce().id("R1").call("s-1").refund_of("S1").at(20);
    let some = case.with(back).seen(DAY);
    let finding = some.assess().findings.into_iter().find(|f| f.kind == Kind::AmountOver);
    assert_eq!(
        finding.map(|finding| figures(&finding)),
        Some((Some(10_000), Some(11_000))),
        "what is left to do"
    );
}

#[test]
fn what_was_given_back_wholly_neither_pays_nor_owes() {
    let case = split(order(10_000), Psp::Worldline, "10", (6000, 4000), 0);
    let back = |told: Told, of: &str| {
        told.psp(Psp::Worldline).id(&format!("R{of}")).refund_of(of).at(60).happened(60)
    };
    let cancelled = case.with(back(card(4000), "C-10")).with(back(voucher(6000), "V-10")).seen(DAY);
    cancelled.raises(&[]);
    assert_eq!(order_state(&cancelled), "refunded");
    let again = split(cancelled, Psp::Worldline, "11", (6000, 3000), 2 * DAY).seen(3 * DAY);
    assert_eq!(figures(&again.finding(Kind::AmountShort)), (Some(10_000), Some(9000)));
    let whole = split(again, Psp::Worldline, "12", (600, 400), 3 * DAY).seen(4 * DAY);
    whole.raises(&[]);
    assert_eq!(order_state(&whole), "balanced");
}

#[test]
fn nothing_is_ever_missing_by_zero() {
    let of = [
        Kind::AmountShort,
        Kind::AmountOver,
        Kind::ComplementMissing,
        Kind::ComplementOrphan,
        Kind::VoucherOrphan,
        Kind::DoublePayment,
        Kind::DuplicateTender,
    ];
    let amounts = [None, Some(2000), Some(3000), Some(5000)];
    for (total, first, second, failed) in amounts
        .into_iter()
        .flat_map(|total| amounts.map(|first| (total, first)))
        .flat_map(|(total, first)| amounts.map(|second| (total, first, second)))
        .flat_map(|(total, first, second)| [false, true].map(|failed| (total, first, second, failed)))
    {
        let mut case = total.map_or_else(unregistered, order);
        if let Some(cents) = first {
            case = case.with(voucher(cents)).with(card(3000).state(if failed {
                ReportedState::Refused
            } else {
                ReportedState::Authorised
            }));
        }
        if let Some(cents) = second {
            case = case.with(card(cents).id("C2").call("7002").at(5));
        }
        for finding in case.assess().findings.iter().filter(|finding| of.contains(&finding.kind)) {
            let (expected, actual) = figures(finding);
            assert!(expected != actual, "{finding:?} of {case:#?}");
        }
    }
}

#[test]
fn a_trial_at_an_endpoint_for_real_money_pays_nothing() {
    let trial = order(10_000).with(plain_card(10_000).sogecommerce().proves(Mode::Test));
    trial.raises(&[Kind::TestInProduction]);
    assert_eq!(stands(&trial), (Some(-10_000), None));
    assert!(!trial.record().counts);
    // Beside real money it changes nothing either.
    let both = trial.with(plain_card(10_000).id("C2").call("7002").sogecommerce().proves(Mode::Production));
    assert_eq!(stands(&both), (Some(0), Some(RecordState::Balanced)));
    // Where only trials are expected they are the payments.
    let meant = plain_card(10_000).sogecommerce().proves(Mode::Test).endpoint("trials", Mode::Test);
    assert_eq!(stands(&order(10_000).with(meant)), (Some(0), Some(RecordState::Balanced)));
}

/// The PSP's own times decide, and not what was heard of first.
#[test]
fn it_makes_no_difference_which_of_two_payments_was_heard_of_last() {
    let dated = |told: Told, happened, heard| told.happened(happened).at(heard);
    let worldline = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured);
    let charged_back = |first_heard, second_heard, taken_heard| {
        order(10_500)
            .with(dated(worldline(voucher(9352)), 0, first_heard))
            .with(dated(worldline(card(648)), 0, first_heard))
            .with(dated(worldline(voucher(9352).id("V2").call("7002")), 5, second_heard))
            .with(dated(worldline(card(648).id("B1")).charged_back(), 300, taken_heard))
            .seen(DAY)
            .kinds()
    };
    for (first, second, taken) in [(0, 5, 300), (0, 400, 300), (400, 5, 300), (0, 5, 600), (0, 500, 400)] {
        assert_eq!(charged_back(first, second, taken), charged_back(0, 5, 300), "{first} {second} {taken}");
    }
    assert!(charged_back(0, 400, 300).contains(&Kind::Chargeback), "nobody paid it again");
    let twice = |heard: [i64; 3]| {
        let soge = |told: Told, id: &str, call: &str| told.sogecommerce().id(id).call(call);
        let cancelled = soge(voucher(2000), "V1", "s-1").state(ReportedState::Cancelled);
        order(5000)
            .with(dated(soge(voucher(2000), "V1", "s-1"), 20, heard[0]))
            .with(dated(soge(card(3000), "C1", "s-1"), 20, heard[0]))
            .with(dated(soge(voucher(2000), "V2", "s-2"), 1, heard[1]))
            .with(dated(soge(card(3000), "C2", "s-2"), 1, heard[1]))
            .with(dated(cancelled, 220, heard[2]))
            .seen(DAY)
            .kinds()
    };
    for heard in [[20, 1, 220], [20, 300, 220], [220, 1, 230], [1, 400, 300]] {
        assert_eq!(twice(heard), [Kind::DoublePayment], "{heard:?}");
    }
}

/// An order of 200, paid 120 in vouchers and 80 by a card elsewhere. That the merchant gives the card back is no debt, whether
/// all of it went back or all but a cent.
#[test]
fn what_is_given_back_of_an_order_that_was_paid_is_no_debt() {
    let paid = order(20_000)
        .with(voucher(12_000))
        .with(plain_card(8000).sogecommerce().total(8000).id("C2").call("7002").at(5));
    let back = |cents: i64, at: i64| {
        plain_card(cents).sogecommerce().id("R2").call("7002").refund_of("C2").at(at).happened(at)
    };
    for cents in [8000, 7999] {
        let case = paid.clone().with(back(cents, DAY)).seen(2 * DAY);
        assert_eq!(case.assess().gap, Some(Cents::ZERO), "{cents}");
        case.raises(&[]);
        assert_eq!(order_state(&case), "part_refunded");
    }
    // Who pays some of it again wants that much.
    let again = |cents| {
        plain_card(cents).sogecommerce().total(cents).id("C3").call("7003").at(3 * DAY).happened(3 * DAY)
    };
    for cents in [1, 5000, 8000] {
        let some = paid.clone().with(back(8000, DAY)).with(again(cents)).seen(5 * DAY);
        some.raises(&[]);
        assert_eq!(some.assess().gap, Some(Cents::ZERO), "{cents}");
    }
    // Given back before the order was paid whole, a payment was an attempt.
    let attempt = order(20_000).with(voucher(12_000));
    let attempt = attempt.with(voucher(12_000).id("RV").refund().at(60).happened(60));
    let second = attempt.with(voucher(12_000).id("V3").call("7003").at(90).happened(90)).seen(DAY);
    second.raises(&[Kind::ComplementMissing, Kind::RefundNotAllowed]);
    assert_eq!(second.assess().gap, Some(Cents::new(-8000)));
}

/// Of a part-paid order, too: of 300 euros 100 and 100 were paid, and one payment went back.
#[test]
fn what_is_given_back_of_an_order_that_is_paid_in_part_is_no_debt() {
    let card = |cents: i64, call: &str, at| {
        let told = plain_card(cents).sogecommerce().total(cents);
        told.id(&format!("C{call}")).call(call).at(at).happened(at)
    };
    let paid = || order(30_000).due(JUNE).with(card(10_000, "1", 0)).with(card(10_000, "2", 5));
    for cents in [10_000, 9999] {
        let back = card(cents, "2", DAY).id("R2").refund_of("C2");
        let case = paid().with(back);
        assert_eq!(case.clone().seen(2 * DAY).assess().gap, Some(Cents::new(-10_000)), "{cents}");
        let due = case.seen(JUNE + DAY).finding(Kind::AmountShort);
        assert_eq!(due.expected.zip(due.actual).map(|(due, paid)| due.minus(paid)), Some(Cents::new(10_000)));
    }
}

/// A deposit, an attempt whose vouchers went back because the card failed, and the balance.
#[test]
fn an_attempt_that_went_back_leaves_the_order_as_dear_as_it_was() {
    let deposit = split(order(30_000).due(JUNE), Psp::Up2pay, "1", (6000, 4000), 0);
    let attempt = deposit
        .with(voucher(5000).call("2").id("V2").at(DAY).happened(DAY))
        .with(card(15_000).call("2").id("C2").state(ReportedState::Refused).at(DAY).happened(DAY))
        .with(voucher(5000).call("2").id("R2").refund_of("V2").at(DAY + 60).happened(DAY + 60));
    assert_eq!(attempt.clone().seen(2 * DAY).assess().gap, Some(Cents::new(-20_000)));
    let most = plain_card(15_000).sogecommerce().total(15_000).call("3").at(3 * DAY).happened(3 * DAY);
    assert_eq!(attempt.with(most).seen(JUNE + DAY).assess().gap, Some(Cents::new(-5000)));
}

#[test]
fn a_surplus_that_went_back_of_either_payment_leaves_no_gap() {
    let paid = |cents, call: &str, at| {
        plain_card(cents).sogecommerce().call(call).id(call).happened(at).listed_in(cents)
    };
    let over = order(30_000).with(paid(30_000, "1", 0)).with(paid(12_000, "2", 30)).seen(DAY);
    over.raises(&[Kind::AmountOver]);
    let back = |of: &str| {
        over.clone().with(plain_card(12_000).sogecommerce().call(of).id("R").refund_of(of).happened(DAY))
    };
    for case in [back("1"), back("2")] {
        case.raises(&[]);
        assert_eq!(case.assess().gap, Some(Cents::ZERO));
        assert!(!states(&case).contains(&"unbalanced"), "{:?}", states(&case));
        let records = case.assess().records;
        let left: i64 = records.iter().map(|r| r.gap().expect("known").minus(r.refunded()).get()).sum();
        assert!(left <= 0, "each gap that is left went back: {:?}", held_against(&case));
    }
}

#[test]
fn a_voucher_of_a_given_up_attempt_that_went_back_lacks_nothing() {
    let listed = |told: Told| told.sogecommerce().listed_in(30_000);
    let orphan =
        order(30_000).with(listed(voucher(12_000))).with(listed(card(18_000)).state(ReportedState::Refused));
    let again = orphan.with(listed(plain_card(30_000)).call("2").id("C2").happened(60)).seen(DAY);
    let back = voucher(12_000).sogecommerce().id("R").refund_of("V1").happened(DAY);
    let case = again.with(back);
    case.raises(&[]);
    assert_eq!(held_against(&case), [(30_000, 0), (12_000, 0)]);
}
