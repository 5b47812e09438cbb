//! One payment told as several: sessions and transactions, two payment ids, two PSPs.

use super::*;

fn monext(told: Told) -> Told {
    told.psp(Psp::Monext).answered().call("token")
}

fn ancv(cents: i64) -> Told {
    voucher(cents).psp(Psp::Ancv).answered().call("fiawa31zot").id("fiawa31zot").brand("CVCO")
}

/// A Worldline payment of its own.
fn worldline(told: Told, call: &str) -> Told {
    told.psp(Psp::Worldline).call(call)
}

fn keys(case: &Case) -> Vec<(Psp, String)> {
    let records = case.assess().records;
    records.iter().map(|record| (record.psp, record.call_number.to_string())).collect()
}

#[test]
fn a_transaction_asked_about_by_itself_stays_in_its_session() {
    let session = || monext(voucher(6000).total(10_000));
    let alone = || monext(voucher(6000).state(ReportedState::Captured)).call("V1").at(30);
    for case in [unregistered().with(session()).with(alone()), unregistered().with(alone()).with(session())] {
        let record = case.clone().with(monext(card(4000))).record();
        assert_eq!(record.call_number.as_str(), "token");
        assert_eq!(record.state, RecordState::Balanced);
        assert_eq!(record.tenders[0].state, TenderState::Captured);
    }
    assert_eq!(keys(&unregistered().with(alone())), [(Psp::Monext, "V1".to_owned())]);
}

#[test]
fn at_up2pay_two_calls_with_one_number_stay_two_payments() {
    let case = order(10_000).with(voucher(10_000)).with(voucher(10_000).call("7002"));
    assert_eq!(case.assess().records.len(), 2);
}

#[test]
fn a_monext_session_with_two_complements_adds_up() {
    let listed = |told: Told| monext(told.listed_in(10_000));
    let case =
        unregistered().with(listed(voucher(6000))).with(listed(card(1500))).with(listed(card(2500).id("C2")));
    case.is(RecordState::Balanced);
    case.raises(&[]);
}

#[test]
fn two_worldline_payments_make_one_record_under_the_vouchers_number() {
    let case = order(14_000)
        .with(worldline(voucher(5000).total(14_000), "10"))
        .with(worldline(plain_card(9000).total(14_000), "11"));
    assert_eq!(keys(&case), [(Psp::Worldline, "10".to_owned())]);
    case.is(RecordState::Balanced);
    case.raises(&[]);
    let unregistered = Case { order: Order::default(), ..case };
    unregistered.is(RecordState::Balanced);
    assert_eq!(unregistered.record().expected.map(|(cents, _)| cents.get()), Some(14_000));
}

#[test]
fn two_payments_each_whole_in_itself_make_one_record_of_unknown_total() {
    let case = unregistered()
        .with(worldline(voucher(5000).total(5000), "10"))
        .with(worldline(plain_card(9000).total(9000), "11"));
    assert_eq!(case.record().expected, None);
    case.raises(&[Kind::TotalUnknown]);
    case.registered(14_000, -60).is(RecordState::Balanced);
}

#[test]
fn one_amount_paid_twice_is_a_double_payment() {
    let case = unregistered()
        .with(worldline(voucher(9000).total(9000), "10"))
        .with(worldline(plain_card(9000).total(9000), "11"));
    case.raises(&[Kind::DoublePayment]);
    let ancv = unregistered()
        .with(ancv(9000).total(9000))
        .with(plain_card(9000).sogecommerce().call("s-1").total(9000));
    ancv.raises(&[Kind::DoublePayment]);
}

#[test]
fn a_card_at_any_psp_completes_a_voucher_taken_at_ancv() {
    for (psp, call) in [(Psp::Up2pay, "7001"), (Psp::Sogecommerce, "s-1"), (Psp::Worldline, "10")] {
        let paid_by_card = plain_card(9000).psp(psp).call(call).endpoint("cards", Mode::Production);
        let case = order(14_000).with(ancv(5000)).with(paid_by_card);
        let record = case.record();
        assert_eq!((record.psp, record.call_number.as_str()), (Psp::Ancv, "fiawa31zot"), "{psp}");
        assert_eq!(record.state, RecordState::Balanced, "{psp}");
        let card = &record.tenders[1];
        assert_eq!((card.endpoint.as_str(), card.complement), ("cards", true), "{psp}");
        assert_eq!(record.endpoint.as_str(), "camping");
        case.raises(&[]);
    }
}

#[test]
fn a_card_that_pays_the_whole_order_completes_nothing() {
    let case = order(14_000).with(ancv(14_000)).with(plain_card(14_000));
    case.raises(&[Kind::DoublePayment]);
    let case = order(14_000).with(ancv(5000)).with(plain_card(14_000));
    assert_eq!(case.assess().records.len(), 2);
    case.raises(&[Kind::AmountOver]);
}

#[test]
fn elsewhere_nothing_joins_two_call_numbers() {
    let case =
        order(10_000).with(worldline(voucher(6000), "10")).with(plain_card(4000).sogecommerce().call("s-1"));
    assert_eq!(case.assess().records.len(), 2);
}

#[test]
fn a_voucher_without_any_total_takes_what_comes() {
    let case = unregistered().with(ancv(5000)).with(plain_card(9000));
    assert_eq!(case.record().paid(), Cents::new(14_000));
    case.raises(&[Kind::TotalUnknown]);
    let stated = unregistered().with(ancv(5000)).with(plain_card(9000).sogecommerce().total(9000));
    assert_eq!(stated.record().expected, None, "9000 is the card's own total");
}

#[test]
fn a_failed_card_payment_leaves_the_voucher_an_orphan() {
    for state in [ReportedState::Refused, ReportedState::Abandoned] {
        let case = order(14_000).with(ancv(5000)).with(plain_card(9000).state(state));
        case.raises(&[Kind::VoucherOrphan]);
        assert_eq!(case.record().tenders.len(), 2);
        let named = case.finding(Kind::VoucherOrphan).detail.to_string();
        assert_eq!(named, "fiawa31zot/CVCO; C1/VISA (up2pay 7001)", "where to find each part");
    }
}

#[test]
fn a_card_payment_without_a_voucher_stays_as_it_is() {
    let case = order(14_000).with(plain_card(9000)).with(ancv(5000).state(ReportedState::Refused));
    assert_eq!(case.assess().records.len(), 2);
    assert!(case.assess().records.iter().all(|record| !record.tenders[0].complement));
}

#[test]
fn several_card_payments_complete_a_voucher() {
    let case = order(14_000)
        .with(ancv(5000))
        .with(plain_card(4000))
        .with(plain_card(5000).sogecommerce().call("s-1").id("C2"));
    case.is(RecordState::Balanced);
    case.raises(&[]);
}

#[test]
fn of_several_vouchers_a_card_completes_the_one_that_lacks_its_amount() {
    let early = || ancv(4000).at(0);
    let fitting = || ancv(5000).id("second").call("second").at(5);
    let homes = |case: Case| {
        let records = case.assess().records;
        let home = records.into_iter().find(|record| record.tenders.len() == 2).expect("one is completed");
        home.call_number.to_string()
    };
    let card = |cents| plain_card(cents).at(6);
    assert_eq!(homes(order(14_000).with(early()).with(fitting()).with(card(9000))), "second");
    assert_eq!(homes(order(14_000).with(early()).with(fitting()).with(card(8000))), "fiawa31zot");
}

#[test]
fn trials_never_complete_real_payments() {
    let trial = plain_card(9000).endpoint("trial", Mode::Test);
    let case = order(14_000).with(ancv(5000)).with(trial);
    assert_eq!(case.assess().records.len(), 2);
    let proven = plain_card(9000).proves(Mode::Test);
    assert_eq!(order(14_000).with(ancv(5000)).with(proven).assess().records.len(), 2);
}

#[test]
fn a_refund_finds_its_card_in_the_vouchers_record() {
    let case = order(14_000)
        .with(ancv(5000))
        .with(plain_card(9000).sogecommerce().call("s-1"))
        .with(plain_card(9000).sogecommerce().call("s-2").id("R1").refund());
    case.is(RecordState::PartRefunded);
    assert_eq!(case.record().tenders[1].refunded, Cents::new(9000));
    let unmatched = case.with(plain_card(7777).sogecommerce().call("s-1").id("R2").refund());
    assert_eq!(unmatched.record().refunded(), Cents::new(16_777), "it stands with the card that moved");
}

#[test]
fn a_complement_within_its_grace_is_waited_for_and_then_missed() {
    let case = order(14_000).with(ancv(5000));
    case.clone().seen(19).is(RecordState::Pending);
    case.clone().seen(20).raises(&[Kind::ComplementMissing]);
    case.with(plain_card(9000).at(25)).seen(25).raises(&[]);
}

/// Up2pay: the shop has the rest of a voucher paid by an ordinary card, under a call number of its own.
mod beside_a_voucher_of_up2pay {
    use super::*;

    fn rest(cents: i64) -> Told {
        plain_card(cents).call("7002").at(2)
    }

    #[test]
    fn an_ordinary_card_pays_the_rest_of_a_voucher() {
        for case in [order(10_000), unregistered()] {
            let case = case.with(voucher(6000)).with(rest(4000));
            assert_eq!(case.parts(), [("V1".to_owned(), 6000), ("C1".to_owned(), 4000)]);
        }
        order(10_000).with(voucher(6000)).with(rest(4000)).raises(&[]);
        order(10_000).with(rest(4000).at(0)).with(voucher(6000).at(2)).is(RecordState::Balanced);
    }

    #[test]
    fn a_card_that_pays_the_whole_order_beside_a_voucher_is_a_payment_of_its_own() {
        let case = order(10_000).with(voucher(6000)).with(rest(10_000));
        assert_eq!(case.assess().records.len(), 2);
    }

    #[test]
    fn the_complement_of_another_call_is_not_taken_for_it() {
        let case = order(10_000).with(voucher(6000)).with(card(4000).call("7002"));
        assert_eq!(case.assess().records.len(), 2);
    }

    #[test]
    fn a_card_sale_alone_is_another_product() {
        assert_eq!(unregistered().with(rest(4000)).assess(), Assessment::default());
        order(4000).with(rest(4000)).is(RecordState::Balanced);
        let refused = voucher(4000).state(ReportedState::Refused);
        assert_eq!(unregistered().with(refused).with(rest(4000)).assess().records.len(), 2);
        unregistered().with(rest(4000).psp(Psp::Sogecommerce)).is(RecordState::Unverified);
    }
}
