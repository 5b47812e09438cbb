//! Which part a line of a statement pays out, and what it must come to.

use super::*;

fn paid() -> Case {
    order(10_000).with(voucher(6000)).with(card(4000)).due_on_statements()
}

const DAYS: i64 = 24 * 60;

#[test]
fn a_part_is_settled_when_what_is_kept_of_it_is_paid_out() {
    let case = paid().paid_out(Issuer::Ancv, 6000);
    let settled: Vec<i64> = case.record().tenders.iter().map(|tender| tender.booked.settled.get()).collect();
    assert_eq!(settled, [6000, 0]);
    assert_eq!(case.record().settled_on(), None, "the card is awaited");
    let day = case.paid_out(Issuer::Bank, 4000).record().settled_on().expect("all is there");
    assert_eq!(day, minute(4 * DAYS).paris_day());
}

#[test]
fn nothing_is_paid_out_for_what_was_cancelled() {
    let cancelled = voucher(6000).state(ReportedState::Cancelled).at(2 * DAYS).happened(2 * DAYS);
    let case = paid().with(cancelled).paid_out(Issuer::Ancv, 6000);
    let finding = case.clone().finding(Kind::SettlementMismatch);
    assert_eq!(figures(&finding), (Some(0), Some(6000)));
    let taken_back = case.paid_out(Issuer::Ancv, -6000);
    assert!(!taken_back.kinds().contains(&Kind::SettlementMismatch));
}

#[test]
fn a_payout_is_missed_when_its_time_is_over() {
    // Both parts were received on the first day; ten days are allowed.
    let first = minute(0).paris_day().start().after(Duration::from_hours(240));
    let due = first.since(minute(0)).as_secs() / 60;
    let due = i64::try_from(due).expect("minutes");
    paid().seen_just_before(due).raises(&[]);
    paid().seen(due).raises(&[Kind::SettlementMissing, Kind::SettlementMissing]);
    assert_eq!(paid().seen(60).assess().look_again_at, Some(first));
}

#[test]
fn a_payment_of_before_statements_were_kept_is_not_missed() {
    let mut case = paid().seen(30 * DAYS);
    for terms in case.policy.payouts.values_mut().flat_map(|terms| terms.values_mut()) {
        terms.since = minute(2 * DAYS).paris_day();
    }
    case.raises(&[]);
}

#[test]
fn one_line_may_pay_out_two_parts() {
    let two = order(10_000)
        .with(voucher(4000).id("V1").sogecommerce().listed_in(10_000))
        .with(card(3000).id("C1").sogecommerce().listed_in(10_000))
        .with(card(3000).id("C2").sogecommerce().listed_in(10_000));
    two.clone().paid_out(Issuer::Bank, 6000).raises(&[]);
    two.clone().paid_out(Issuer::Bank, 3000).paid_out(Issuer::Bank, 3000).raises(&[]);
    two.paid_out(Issuer::Bank, 6001).raises(&[Kind::SettlementMismatch]);
}

/// What was settled of each part, payment by payment.
fn settled(case: &Case) -> Vec<Vec<i64>> {
    let of_record = |record: &Record| record.tenders.iter().map(|t| t.booked.settled.get()).collect();
    case.assess().records.iter().map(of_record).collect()
}

#[test]
fn a_line_about_all_vouchers_of_a_payment_is_shared_out_over_them() {
    let vouchers = || {
        order(10_000)
            .with(voucher(3000).id("V1"))
            .with(voucher(3000).id("V2"))
            .with(card(4000))
            .due_on_statements()
            .paid_out(Issuer::Bank, 4000)
    };
    let paid = vouchers().paid_out(Issuer::Ancv, 6000).seen(30 * DAYS);
    paid.raises(&[]);
    assert_eq!(settled(&paid), [[3000, 3000, 4000]]);
    // What was given back of both is taken back of both.
    let one_by_one = vouchers().paid_out(Issuer::Ancv, 3000).paid_out(Issuer::Ancv, 3000).seen(30 * DAYS);
    one_by_one.raises(&[]);
    assert_eq!(settled(&one_by_one), [[3000, 3000, 4000]]);
    let wrong = vouchers().paid_out(Issuer::Ancv, 5999).seen(30 * DAYS);
    wrong.raises(&[Kind::SettlementMismatch]);
}

/// Of three vouchers of 20 euros ANCV pays out two in one line, and the third in another.
#[test]
fn a_line_about_some_vouchers_of_a_payment_is_shared_out_over_as_many() {
    let vouchers =
        ["V1", "V2", "V3"].into_iter().fold(order(6000), |case, id| case.with(voucher(2000).id(id)));
    let case = vouchers.due_on_statements().paid_out(Issuer::Ancv, 4000);
    assert_eq!(settled(&case), [[2000, 2000, 0]]);
    let all = case.paid_out(Issuer::Ancv, 2000).seen(30 * DAYS);
    assert_eq!(settled(&all), [[2000, 2000, 2000]]);
    assert!(
        all.kinds().iter().all(|kind| *kind != Kind::SettlementMismatch && *kind != Kind::SettlementMissing)
    );
}

#[test]
fn a_line_about_all_vouchers_of_an_order_is_shared_out_over_its_payments() {
    let at = |told: Told, total| told.sogecommerce().listed_in(total);
    let vouchers = || {
        order(50_000)
            .with(at(voucher(10_000), 15_000))
            .with(at(card(5000), 15_000))
            .with(at(voucher(20_000).id("V2").call("7002"), 35_000))
            .with(at(card(15_000).id("C2").call("7002"), 35_000))
            .due_on_statements()
            .paid_out(Issuer::Bank, 20_000)
    };
    let paid = vouchers().paid_out(Issuer::Ancv, 30_000).seen(30 * DAYS);
    paid.raises(&[]);
    assert_eq!(settled(&paid), [[10_000, 5000], [20_000, 15_000]]);
    // A line of one part is that part's.
    let one = vouchers().paid_out(Issuer::Ancv, 20_000).seen(5 * DAYS);
    assert_eq!(settled(&one), [[0, 5000], [20_000, 15_000]]);
}

#[test]
fn what_is_taken_back_of_all_parts_by_one_line_is_shared_out_too() {
    let back = |id: &str, of: &str| card(3000).id(id).sogecommerce().refund_of(of).happened(2 * DAYS);
    let case = order(10_000)
        .with(voucher(4000).sogecommerce().listed_in(10_000))
        .with(card(3000).id("C1").sogecommerce().listed_in(10_000))
        .with(card(3000).id("C2").sogecommerce().listed_in(10_000))
        .with(back("R1", "C1"))
        .with(back("R2", "C2"))
        .paid_out(Issuer::Bank, 6000)
        .paid_out(Issuer::Bank, -6000);
    assert_eq!(settled(&case), [[0, 0, 0]]);
}

#[test]
fn the_commission_of_a_line_about_several_parts_is_judged_once() {
    let mut case = order(10_000).with(voucher(5000).id("V1")).with(voucher(5000).id("V2"));
    case = case.paid_out_less(Issuer::Ancv, 10_000, Some(900));
    case.raises(&[Kind::CommissionMismatch]);
}

#[test]
fn who_takes_back_what_was_paid_out_may_keep_the_commission_of_it() {
    let refunded =
        paid().with(voucher(6000).id("R1").refund_of("V1").happened(2 * DAYS)).paid_out(Issuer::Ancv, 6000);
    for (commission, raises) in [(0, false), (-150, false), (-100, true)] {
        let case = refunded.clone().paid_out_less(Issuer::Ancv, -6000, Some(commission));
        assert_eq!(case.kinds().contains(&Kind::CommissionMismatch), raises, "{commission}");
    }
}

#[test]
fn what_was_paid_out_before_a_refund_is_right_and_so_is_what_is_taken_back_for_it() {
    let refunded = || paid().with(card(4000).id("R1").refund_of("C1").happened(2 * DAYS)).seen(11 * DAYS);
    refunded().paid_out(Issuer::Ancv, 6000).raises(&[]);
    refunded().paid_out(Issuer::Ancv, 6000).paid_out(Issuer::Bank, 4000).raises(&[]);
    refunded()
        .paid_out(Issuer::Ancv, 6000)
        .paid_out(Issuer::Bank, 4000)
        .paid_out(Issuer::Bank, -4000)
        .raises(&[]);
}

#[test]
fn what_was_given_back_is_to_be_taken_back_in_time_too() {
    // Ten days are allowed, from the day of the refund.
    let refunded = |on, amount: i64| card(amount).id(&format!("R{on}")).refund_of("C1").happened(on * DAYS);
    let paid = || paid().paid_out(Issuer::Ancv, 6000).paid_out(Issuer::Bank, 4000);
    let whole = || paid().with(refunded(2, 4000));
    whole().seen(11 * DAYS).raises(&[]);
    let finding = whole().seen(13 * DAYS).finding(Kind::SettlementMismatch);
    assert_eq!(figures(&finding), (Some(0), Some(4000)));
    whole().paid_out(Issuer::Bank, -4000).seen(30 * DAYS).raises(&[]);

    // Of two refunds one is taken back, the other one is awaited.
    let parts = || paid().with(refunded(2, 1000)).with(refunded(5, 500)).paid_out(Issuer::Bank, -1000);
    parts().seen(14 * DAYS).raises(&[]);
    let finding = parts().seen(16 * DAYS).finding(Kind::SettlementMismatch);
    assert_eq!(figures(&finding), (Some(2500), Some(3000)));
    parts().paid_out(Issuer::Bank, -500).seen(30 * DAYS).raises(&[]);
}

#[test]
fn each_refund_has_its_own_time_to_be_taken_back() {
    let refunded = |on, amount: i64| card(amount).id(&format!("R{on}")).refund_of("C1").happened(on * DAYS);
    let paid = || paid().paid_out(Issuer::Ancv, 6000).paid_out(Issuer::Bank, 4000);
    // A second one, on which nobody is late yet, does not excuse the first.
    let both = paid().with(refunded(2, 2000)).with(refunded(12, 1000)).seen(14 * DAYS);
    assert_eq!(figures(&both.finding(Kind::SettlementMismatch)), (Some(1000), Some(4000)));
    // The bank may take it back bit by bit.
    let bits = || paid().with(refunded(2, 4000)).paid_out(Issuer::Bank, -1500);
    bits().seen(11 * DAYS).raises(&[]);
    assert_eq!(figures(&bits().seen(13 * DAYS).finding(Kind::SettlementMismatch)), (Some(0), Some(2500)));
}

#[test]
fn what_is_taken_back_twice_is_a_mismatch_at_once() {
    let once =
        || paid().with(card(4000).id("R1").refund_of("C1").happened(2 * DAYS)).paid_out(Issuer::Ancv, 6000);
    let twice =
        || once().paid_out(Issuer::Bank, 4000).paid_out(Issuer::Bank, -4000).paid_out(Issuer::Bank, -4000);
    for at in [5 * DAYS, 60 * DAYS] {
        let finding = twice().seen(at).finding(Kind::SettlementMismatch);
        assert_eq!(figures(&finding), (Some(0), Some(-4000)));
    }
}

#[test]
fn a_part_that_is_paid_out_twice_is_a_mismatch() {
    let finding =
        paid().paid_out(Issuer::Ancv, 6000).paid_out(Issuer::Ancv, 6000).finding(Kind::SettlementMismatch);
    assert_eq!(figures(&finding), (Some(6000), Some(12_000)));
}

#[test]
fn a_line_goes_to_the_payment_that_stands_rather_than_to_one_that_was_cancelled_or_given_back() {
    let twice = order(6000)
        .with(voucher(6000).id("V0").call("7000").happened(0))
        .with(voucher(6000).id("V0").call("7000").state(ReportedState::Cancelled).happened(3 * DAYS))
        .with(voucher(6000).id("V1").call("7001"));
    let given_back = order(6000)
        .with(plain_card(6000).id("C0").call("7000"))
        .with(plain_card(6000).id("C1").call("7001"))
        .with(plain_card(6000).id("R0").call("7000").refund_of("C0"));
    for (case, issuer) in [(twice, Issuer::Ancv), (given_back, Issuer::Bank)] {
        for cents in [6000, 5999] {
            let records = case.clone().paid_out(issuer, cents).assess().records;
            let tenders = records.iter().flat_map(|record| &record.tenders);
            let settled: Vec<i64> = tenders.map(|tender| tender.booked.settled.get()).collect();
            assert_eq!(settled, [0, cents]);
        }
    }
}

/// The bank pays out what it received, and takes back afterwards what was given back before.
#[test]
fn a_line_goes_to_the_payment_of_its_amount_although_that_was_given_back_in_parts() {
    let back = |cents, id: &str| plain_card(cents).id(id).call("7000").refund_of("C0").happened(DAYS);
    let lines = [36_892, 5000, -10_000, -26_892];
    let case = order(41_892)
        .with(plain_card(36_892).id("C0").call("7000"))
        .with(plain_card(5000).id("C1").call("7001"))
        .with(back(10_000, "R0"))
        .with(back(26_892, "R1"))
        .due_on_statements();
    let paid_out = lines.into_iter().fold(case, |case, cents| case.paid_out(Issuer::Bank, cents));
    let records = paid_out.assess().records;
    let of = |place: usize| -> Vec<i64> {
        records[place].tenders[0].booked.payouts.iter().map(|paid| paid.amount.get()).collect()
    };
    assert_eq!((of(0), of(1)), (vec![36_892, -10_000, -26_892], vec![5000]));
    paid_out.seen(30 * DAYS).raises(&[]);
}

#[test]
fn a_line_that_pays_out_what_was_never_received_is_a_mismatch() {
    let refused = order(6000).with(voucher(6000).state(ReportedState::Refused)).paid_out(Issuer::Ancv, 6000);
    let finding = refused.finding(Kind::SettlementMismatch);
    assert_eq!(
        (figures(&finding), finding.detail.to_string().as_str()),
        ((Some(0), Some(6000)), "ancv R1 #1")
    );
}

#[test]
fn what_was_given_back_beyond_what_was_paid_is_not_awaited() {
    let too_much = paid()
        .with(card(4000).id("R1").refund_of("C1").happened(2 * DAYS))
        .with(card(100).id("R2").refund_of("C1").happened(3 * DAYS))
        .paid_out(Issuer::Ancv, 6000)
        .seen(30 * DAYS);
    assert!(!too_much.kinds().contains(&Kind::SettlementMissing), "{:?}", too_much.kinds());
}

#[test]
fn what_is_received_counts_on_its_day_in_paris() {
    use cvco_domain::BookAt;
    let received = |case: &Case| {
        let booked = &case.tender().booked;
        (booked.received_on.map(|day| day.to_string()), booked.returned.len())
    };
    let worldline = |state| order(6000).with(voucher(6000).psp(Psp::Worldline).state(state).happened(0));
    let first = Some(minute(0).paris_day().to_string());
    assert_eq!(received(&worldline(ReportedState::Captured)), (first.clone(), 0));
    // Its captures are notified: until then nothing was received, unless acceptance counts.
    assert_eq!(received(&worldline(ReportedState::Authorised)), (None, 0));
    let mut accepted = worldline(ReportedState::Authorised);
    accepted.policy.book_at = BookAt::Acceptance;
    assert_eq!(received(&accepted), (first.clone(), 0));
    // Cancelled the same day it never was; days later it is given back.
    let cancelled = |minutes| {
        order(6000)
            .with(voucher(6000).happened(0))
            .with(voucher(6000).state(ReportedState::Cancelled).happened(minutes))
    };
    assert_eq!(received(&cancelled(5)), (None, 0));
    assert_eq!(received(&cancelled(3 * DAYS)), (first, 1));
    // Neither trials nor other currencies are for the books.
    assert_eq!(received(&order(6000).with(voucher(6000).proves(Mode::Test))), (None, 0));
    assert_eq!(received(&order(6000).with(voucher(6000).currency("USD"))), (None, 0));
}

#[test]
fn a_line_never_pays_out_what_was_taken_after_it() {
    let later = |told: Told| told.sogecommerce().call("s-2").happened(90 * DAYS).at(90 * DAYS);
    let deposit = || {
        order(50_000)
            .due(200 * DAYS)
            .with(voucher(10_000))
            .with(card(5000))
            .due_on_statements()
            .paid_out(Issuer::Ancv, 10_000)
            .paid_out(Issuer::Bank, 5000)
    };
    let and_balance = |case: Case| {
        case.with(later(voucher(20_000).id("V2"))).with(later(card(15_000).id("C2"))).seen(91 * DAYS)
    };
    // Paid out twice by mistake: the second line is no part of the balance.
    let twice = and_balance(deposit().paid_out(Issuer::Bank, 5000));
    assert_eq!(settled(&twice), [[10_000, 10_000], [0, 0]]);
    // Taken back and paid out again.
    let again = and_balance(deposit().paid_out(Issuer::Bank, -5000).paid_out(Issuer::Bank, 5000));
    assert_eq!(settled(&again), [[10_000, 5000], [0, 0]]);
    // Of two payments of one amount it is the earlier, whatever became of that.
    let charged_back = order(10_000)
        .with(voucher(6000))
        .with(card(4000))
        .due_on_statements()
        .paid_out(Issuer::Bank, 4000)
        .with(card(4000).id("B1").charged_back().at(30 * DAYS))
        .with(later(voucher(6000).id("V2")))
        .with(later(card(4000).id("C2")))
        .seen(91 * DAYS);
    assert_eq!(settled(&charged_back), [[0, 4000], [0, 0]]);
}

#[test]
fn what_is_taken_back_of_a_refund_does_not_put_off_the_day_of_the_payout() {
    let case = order(10_000)
        .with(voucher(6000))
        .with(card(4000))
        .with(card(700).id("R1").refund().happened(20 * DAYS))
        .paid_out(Issuer::Bank, 4000)
        .paid_out(Issuer::Bank, -700)
        .on_day(30);
    let card = case.record().tenders.remove(1).booked;
    assert_eq!((card.settled.get(), card.settled_on), (3300, Some(minute(4 * DAYS).paris_day())));
}

#[test]
fn a_dispute_whose_money_comes_again_was_won() {
    let taken = || {
        order(10_000)
            .with(voucher(6000))
            .with(card(4000))
            .with(card(4000).id("B1").charged_back().happened(20 * DAYS))
            .due_on_statements()
            .paid_out(Issuer::Ancv, 6000)
            .paid_out(Issuer::Bank, 4000)
            .paid_out(Issuer::Bank, -4000)
            .on_day(22)
            .seen(90 * DAYS)
    };
    let lost = taken();
    lost.raises(&[Kind::Chargeback]);
    assert_eq!((lost.assess().gap, lost.record().taken_back()), (Some(Cents::new(-4000)), Cents::new(4000)));
    let won = taken().paid_out(Issuer::Bank, 4000).on_day(60);
    won.raises(&[]);
    won.is(RecordState::Balanced);
    assert_eq!((won.assess().gap, won.record().taken_back()), (Some(Cents::ZERO), Cents::ZERO));
    assert!(won.record().tenders[1].booked.returned.is_empty());
    // Paid out twice before that, it is no dispute that was won.
    let twice = taken().paid_out(Issuer::Bank, 4000).on_day(10);
    twice.raises(&[Kind::Chargeback, Kind::SettlementMismatch]);
    // What the merchant gave back of it stays given back.
    let refunded = order(10_000)
        .with(voucher(6000))
        .with(card(4000))
        .with(card(1000).id("R1").refund().happened(10 * DAYS))
        .with(card(3000).id("B1").charged_back().happened(20 * DAYS))
        .due_on_statements()
        .paid_out(Issuer::Ancv, 6000)
        .paid_out(Issuer::Bank, 4000)
        .paid_out(Issuer::Bank, -1000)
        .on_day(12)
        .paid_out(Issuer::Bank, -3000)
        .on_day(22)
        .paid_out(Issuer::Bank, 3000)
        .on_day(60)
        .seen(90 * DAYS);
    refunded.raises(&[]);
    let card = refunded.record().tenders.remove(1);
    assert_eq!((card.state, card.refunded.get()), (TenderState::PartRefunded, 1000));
}
