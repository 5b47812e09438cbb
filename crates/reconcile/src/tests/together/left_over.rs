//! What an attempt that came to nothing leaves of an order that is paid otherwise.

use super::*;

/// Attempt A takes a voucher of 20 and its complement is given up; attempt B pays the whole order of 50.
fn given_up_then_paid(case: Case, psp: Psp, states_total: bool) -> Case {
    let told = |told: Told| {
        let told = told.psp(psp);
        if states_total { told.total(5000) } else { told }
    };
    case.with(told(voucher(2000)))
        .with(told(card(3000).id("C0").state(ReportedState::Abandoned).at(1)))
        .with(told(voucher(2000).id("V2").call("7002").at(5)))
        .with(told(card(3000).id("C2").call("7002").at(5)))
}

#[test]
fn a_voucher_left_over_from_an_abandoned_attempt_is_named() {
    for (psp, states_total) in [(Psp::Up2pay, false), (Psp::Sogecommerce, true), (Psp::Worldline, true)] {
        for case in [order(5000), unregistered()] {
            let case = given_up_then_paid(case, psp, states_total);
            let money: Vec<Finding> =
                case.assess().findings.into_iter().filter(|f| f.kind != Kind::TotalUnknown).collect();
            let [finding] = money.as_slice() else { panic!("{psp}: {money:#?}") };
            assert_eq!(finding.kind, Kind::AmountOver, "{psp}");
            assert_eq!(figures(finding), (Some(5000), Some(7000)), "{psp}");
            assert!(is_left_over(finding), "what can be done is another matter than a surplus");
            let call = finding.record.as_ref().map(|(_, call)| call.as_str());
            assert_eq!(call, Some("7001"), "the payment that is one too many");
            assert_eq!(order_state(&case), "unbalanced");
        }
    }
}

#[test]
fn a_voucher_left_over_and_then_a_card_that_pays_all() {
    for psp in [Psp::Sogecommerce, Psp::Worldline, Psp::Monext] {
        let told = |told: Told| told.psp(psp).total(10_000);
        let case = order(10_000)
            .with(told(voucher(6000)))
            .with(told(card(4000).id("C0").state(ReportedState::Refused)))
            .with(told(plain_card(10_000).id("C2").call("7002").at(5)));
        let finding = case.finding(Kind::AmountOver);
        assert_eq!(figures(&finding), (Some(10_000), Some(16_000)), "{psp}");
        assert_eq!((is_left_over(&finding), held_against(&case)), (true, vec![(0, 6000), (10_000, 0)]));
        let back = case.with(told(voucher(6000).id("R").refund_of("V1").at(30).happened(30))).seen(DAY);
        assert!(!back.kinds().contains(&Kind::AmountOver), "given back");
        assert_eq!(order_state(&back), "balanced");
    }
}

/// The message lists the refused card too: with it the list adds up, and contradicts nothing.
#[test]
fn what_is_left_over_of_a_list_with_a_refused_part_is_no_contradiction() {
    for psp in [Psp::Sogecommerce, Psp::Monext] {
        for state in [ReportedState::Refused, ReportedState::Abandoned] {
            let listed = |told: Told| told.psp(psp).listed_in(10_000);
            let half =
                |case: Case| case.with(listed(voucher(6000))).with(listed(card(4000).id("C0").state(state)));
            half(order(10_000)).seen(60).raises(&[Kind::VoucherOrphan]);
            for case in [order(10_000), unregistered()] {
                let again = listed(plain_card(10_000).id("C2").call("7002").at(5));
                let finding = half(case).with(again).seen(60).finding(Kind::AmountOver);
                assert!(is_left_over(&finding), "{psp}");
                assert_eq!(figures(&finding), (Some(10_000), Some(16_000)), "{psp}");
            }
            let untried = order(10_000).with(listed(voucher(6000)));
            let again = listed(plain_card(10_000).id("C2").call("7002").at(5));
            untried.with(again).seen(60).raises(&[Kind::AmountOver]);
            let rest = plain_card(4000).sogecommerce().id("S2").call("s-2").listed_in(4000).at(50);
            let paid = half(order(10_000)).with(rest).seen(80);
            paid.raises(&[]);
            assert_eq!(order_state(&paid), "balanced", "{psp}");
        }
    }
}

#[test]
fn an_attempt_that_was_made_again_leaves_its_voucher_over_although_the_rest_is_due_later() {
    for psp in [Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline] {
        for due_later in [order(50_000).due(JUNE), order(50_000).planned(&[(15_000, DAY), (35_000, JUNE)])] {
            let told = |told: Told| {
                let told = told.psp(psp).state(ReportedState::Captured);
                if psp == Psp::Up2pay { told } else { told.listed_in(15_000) }
            };
            let refused = told(card(5000)).state(ReportedState::Refused).at(1);
            let half = due_later.with(told(voucher(10_000))).with(refused);
            half.clone().seen(60).raises(&[Kind::VoucherOrphan]);
            let again = split(half, psp, "7002", (10_000, 5000), 65).seen(80);
            let finding = again.finding(Kind::AmountOver);
            assert_eq!((is_left_over(&finding), figures(&finding)), (true, (Some(15_000), Some(25_000))));
            assert_eq!(order_state(&again), "part_paid", "{psp}");
            assert_eq!(held_against(&again).first(), Some(&(15_000, -5000)), "{psp}");
            let overdue = again.clone().seen(JUNE + 60).assess().findings;
            let of_order: Vec<_> = overdue.iter().filter(|f| f.record.is_none()).map(figures).collect();
            assert_eq!(of_order, [(Some(50_000), Some(25_000))], "{overdue:#?}");
            let kept = split(again.clone(), psp, "7003", (20_000, 5000), JUNE - DAY).seen(JUNE);
            kept.raises(&[]);
            let all = split(again, psp, "7003", (20_000, 15_000), JUNE - DAY).seen(JUNE - DAY + 60);
            assert!(is_left_over(&all.finding(Kind::AmountOver)), "or is too much in the end");
        }
    }
}

#[test]
fn a_voucher_left_over_is_named_even_if_it_equals_an_instalment() {
    let plan = order(10_000).planned(&[(2000, DAY), (8000, JUNE)]);
    let refused = plan.with(voucher(2000)).with(card(8000).state(ReportedState::Refused).at(1));
    let finding = split(refused, Psp::Up2pay, "7002", (2000, 8000), 5).seen(60).finding(Kind::AmountOver);
    assert_eq!((is_left_over(&finding), figures(&finding)), (true, (Some(10_000), Some(12_000))));
}

#[test]
fn an_orphan_becomes_a_left_over_when_the_order_is_paid_otherwise() {
    let orphan = order(5000).with(voucher(2000)).with(card(3000).state(ReportedState::Refused).at(1));
    orphan.clone().seen(20).raises(&[Kind::VoucherOrphan]);
    // The balance alone mends it …
    let rest = orphan.clone().with(plain_card(3000).id("C2").call("7002").at(40)).seen(40);
    rest.raises(&[]);
    assert_eq!(states(&rest), ["balanced"], "an ordinary card that pays the rest joins it");
    // … and all of it leaves the voucher over.
    let all = split(orphan, Psp::Up2pay, "7002", (2000, 3000), 40).seen(41);
    assert!(is_left_over(&all.finding(Kind::AmountOver)));
}

#[test]
fn a_voucher_that_may_still_be_completed_is_not_left_over_yet() {
    let case = split(order(5000), Psp::Up2pay, "7002", (2000, 3000), 0).with(voucher(2000).at(3));
    case.clone().seen(22).raises(&[]);
    assert_eq!(case.clone().seen(22).looks_again_in(), Some(minutes(1)));
    assert!(is_left_over(&case.seen(23).finding(Kind::AmountOver)));
}

#[test]
fn a_card_left_over_is_a_surplus() {
    let case = order(5000).with(voucher(2000).state(ReportedState::Refused)).with(card(3000).at(1));
    let case = split(case, Psp::Up2pay, "7002", (2000, 3000), 5).seen(60);
    let finding = case.finding(Kind::AmountOver);
    assert_eq!((figures(&finding), is_left_over(&finding)), ((Some(5000), Some(8000)), false));
    assert_eq!(finding.record.map(|(_, call)| call.to_string()), Some("7001".to_owned()));
}

/// A deposit of 150, then the balance of 350. A voucher of 50 came first, and the deposit was paid otherwise.
#[test]
fn a_voucher_of_a_deposit_that_was_paid_otherwise_is_left_over() {
    let planned = || order(50_000).planned(&[(15_000, 60), (35_000, 200 * DAY)]).seen(DAY);
    let lost = || card(10_000).id("C0").state(ReportedState::Refused);
    let by_card = |psp| plain_card(15_000).id("C2").call("7002").psp(psp).at(5);
    let cases = [
        // Worldline states what the attempt was to come to.
        planned()
            .with(voucher(5000).psp(Psp::Worldline).total(15_000))
            .with(by_card(Psp::Worldline).total(15_000)),
        planned().with(voucher(5000).psp(Psp::Worldline).total(15_000)).with(by_card(Psp::Up2pay)),
        planned()
            .with(voucher(5000).psp(Psp::Sogecommerce).total(15_000))
            .with(lost().psp(Psp::Sogecommerce).total(15_000))
            .with(by_card(Psp::Sogecommerce).total(15_000)),
        // At Up2pay the part that was refused says it.
        planned().with(voucher(5000)).with(lost()).with(by_card(Psp::Up2pay)),
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let findings = case.assess().findings;
        let [finding] = findings.as_slice() else { panic!("{number}: {findings:#?}") };
        assert!(is_left_over(finding), "{number}: {finding:?}");
        assert_eq!(finding.record.as_ref().map(|(_, call)| call.as_str()), Some("7001"), "{number}");
    }
}

#[test]
fn half_a_deposit_is_held_against_the_deposit() {
    let planned = || order(60_000).planned(&[(15_000, 60), (45_000, 200 * DAY)]);
    let half = planned().with(voucher(10_000)).seen(60);
    assert_eq!(figures(&half.finding(Kind::ComplementMissing)), (Some(15_000), Some(10_000)));
    let refused =
        planned().with(voucher(5000)).with(card(40_000).id("C0").state(ReportedState::Refused)).seen(60);
    let figures_of = figures(&refused.finding(Kind::VoucherOrphan));
    assert_eq!(
        figures_of,
        (Some(45_000), Some(5000)),
        "the card that was tried says that it was the balance"
    );
}

#[test]
fn a_card_of_long_before_is_no_complement() {
    let weeks = 60 * DAY;
    for psp in [Psp::Up2pay, Psp::Worldline, Psp::Monext] {
        let captured = |told: Told| told.psp(psp).state(ReportedState::Captured);
        let deposit = || captured(plain_card(15_000).id("C0").call("7000")).happened(0);
        let late = |told: Told| told.psp(psp).at(weeks).happened(weeks);
        let lost = card(35_000).id("C1").state(ReportedState::Refused);
        for case in
            [order(60_000).planned(&[(15_000, 60), (45_000, 300 * DAY)]), order(60_000).due(300 * DAY)]
        {
            let half =
                case.with(deposit()).with(late(voucher(10_000))).with(late(lost.clone())).seen(weeks + 60);
            let finding = half.finding(Kind::VoucherOrphan);
            assert_eq!(figures(&finding), (Some(45_000), Some(10_000)), "{psp}");
            assert_eq!(half.assess().records.len(), 2, "{psp}");
        }
    }
}

/// The second attempt begins with as much as the first one lacks; its own card part is still to come.
#[test]
fn nothing_is_over_while_another_attempt_has_only_begun() {
    let orphan = order(10_000)
        .with(voucher(5000).call("1"))
        .with(card(5000).call("1").state(ReportedState::Refused))
        .seen(25);
    orphan.raises(&[Kind::VoucherOrphan]);
    let again = orphan.with(voucher(5000).call("2").id("V2").at(60).happened(60));
    again.clone().seen(61).raises(&[Kind::VoucherOrphan]);
    let whole = again.clone().with(card(5000).call("2").id("C2").at(62).happened(62)).seen(63);
    whole.raises(&[Kind::AmountOver]);
    // If nothing more comes, the two vouchers are what the order costs.
    again.clone().seen_just_before(80).raises(&[Kind::VoucherOrphan]);
    again.seen(80).raises(&[]);
}
