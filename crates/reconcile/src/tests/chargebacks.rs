//! What banks take back, however Worldline names it.

use super::*;

fn captured(told: Told, id: &str) -> Told {
    told.psp(Psp::Worldline).id(id).state(ReportedState::Captured)
}

/// A voucher of 40 and a card, captured in two parts of 60 and 40.
fn paid() -> Case {
    order(14_000)
        .with(captured(voucher(4000), "8_0").happened(0))
        .with(captured(card(6000), "8_1").happened(0))
        .with(captured(card(4000), "8_2").happened(0))
        .seen(40 * DAY)
}

/// Told by an operation, which need not be the one that it takes back.
fn taken(cents: i64, by: &str, day: i64) -> Told {
    let told = captured(card(cents), &format!("{by}/chargeback"));
    told.charged_back_by(by).happened(day * DAY)
}

/// As a whole, without an amount.
fn all_taken(day: i64) -> Told {
    captured(card(0), "8/chargeback").charged_back().happened(day * DAY)
}

fn taken_back(case: &Case) -> Vec<i64> {
    case.record().tenders.iter().map(|tender| tender.taken_back.get()).collect()
}

#[test]
fn a_chargeback_takes_back_the_capture_whose_name_it_bears() {
    assert_eq!(taken_back(&paid().with(taken(4000, "8_2", 20))), [0, 0, 4000]);
    assert_eq!(taken_back(&paid().with(taken(4000, "8_1", 20))), [0, 4000, 0], "in part");
}

#[test]
fn each_chargeback_of_a_payment_counts() {
    let both = paid().with(taken(6000, "8_1", 20)).with(taken(4000, "8_2", 27));
    assert_eq!(taken_back(&both), [0, 6000, 4000]);
    assert_eq!(both.assess().gap, Some(Cents::new(-10_000)));
    let by_their_own = paid().with(taken(4000, "8_3", 20)).with(taken(5000, "8_4", 27));
    assert_eq!(taken_back(&by_their_own).iter().sum::<i64>(), 9000);
    let alike = paid().with(taken(3000, "8_3", 20)).with(taken(3000, "8_4", 27));
    assert_eq!(taken_back(&alike).iter().sum::<i64>(), 6000);
}

#[test]
fn one_chargeback_of_all_captures_takes_back_all_of_them() {
    for told in [taken(10_000, "8_3", 20), all_taken(20)] {
        let case = paid().with(told);
        assert_eq!(taken_back(&case), [0, 6000, 4000]);
        let paid_again = case.with(plain_card(6000).id("C9").call("7009").happened(25 * DAY));
        assert_eq!(paid_again.assess().gap, Some(Cents::new(-4000)), "some of it is still owed");
    }
}

#[test]
fn one_chargeback_that_is_told_by_several_names_counts_once() {
    let by_api = |cents, by: &str, day| taken(cents, by, day).answered();
    let announced = taken(4000, "8_2", 18).state(ReportedState::Pending);
    let cases = [
        paid().with(taken(4000, "8_2", 20)).with(by_api(4000, "8_3", 20)),
        paid().with(taken(4000, "8_2", 20)).with(all_taken(21)),
        paid().with(all_taken(21).answered()).with(taken(4000, "8_2", 20)),
        paid().with(announced.clone()).with(taken(4000, "8_3", 20)),
        paid().with(taken(4000, "8_2", 20)).with(taken(4000, "8_2", 20).at(21 * DAY)),
    ];
    for case in cases {
        assert_eq!(taken_back(&case).iter().sum::<i64>(), 4000, "{case:#?}");
        assert_eq!(figures(&case.finding(Kind::Chargeback)).1, Some(4000));
    }
    let only_announced = paid().with(announced);
    assert_eq!(taken_back(&only_announced), [0, 0, 0]);
    only_announced.raises(&[Kind::Chargeback]);
}

#[test]
fn no_bank_takes_back_more_than_was_paid_by_card() {
    let too_much = paid().with(taken(6000, "8_3", 20)).with(taken(9000, "8_4", 27));
    assert_eq!(taken_back(&too_much), [0, 6000, 4000]);
}
