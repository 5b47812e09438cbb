//! Refunds, held against what each PSP lets a merchant give back.

use super::*;

const HOURS: i64 = 60;

fn at_psp(psp: Psp) -> impl Fn(Told) -> Told {
    move |told| told.psp(psp)
}

/// A voucher of 60 and a card of 40 euros, captured on a Sunday at eleven in Paris.
fn paid(psp: Psp) -> Case {
    let at = at_psp(psp);
    let captured = |told: Told| told.state(ReportedState::Captured).happened(0);
    order(10_000).with(at(captured(voucher(6000)))).with(at(captured(card(4000)))).seen(10 * DAY)
}

fn voucher_back(psp: Psp, cents: i64, minutes: i64) -> Told {
    at_psp(psp)(voucher(cents).id("RV").refund().at(minutes).happened(minutes))
}

fn card_back(psp: Psp, cents: i64, minutes: i64) -> Told {
    at_psp(psp)(card(cents).id("RC").refund().at(minutes).happened(minutes))
}

#[test]
fn up2pay_and_monext_give_no_voucher_back() {
    for psp in [Psp::Up2pay, Psp::Monext] {
        for cents in [1000, 6000] {
            let finding = paid(psp).with(voucher_back(psp, cents, 2 * DAY)).finding(Kind::RefundNotAllowed);
            assert_eq!(figures(&finding), (Some(0), Some(cents)));
            assert_eq!(finding.detail.to_string(), "V1/CVCONNECT");
        }
        paid(psp).with(card_back(psp, 4000, 2 * DAY)).raises(&[]);
        paid(psp).with(card_back(psp, 500, 2 * DAY)).raises(&[]);
    }
}

#[test]
fn up2pay_gives_a_card_back_from_the_next_day_in_paris_on() {
    // 22:59 and 23:00 UTC are the two sides of midnight in winter.
    let (last_minute, midnight) = (13 * HOURS - 1, 13 * HOURS);
    let back = |minutes| paid(Psp::Up2pay).with(card_back(Psp::Up2pay, 4000, minutes));
    let finding = back(last_minute).finding(Kind::RefundNotAllowed);
    assert_eq!(figures(&finding), (Some(0), Some(4000)));
    back(midnight).raises(&[]);
    paid(Psp::Monext).with(card_back(Psp::Monext, 4000, 5)).raises(&[]);
}

#[test]
fn sogecommerce_gives_a_voucher_back_whole_and_a_card_in_any_share() {
    let psp = Psp::Sogecommerce;
    let part = paid(psp).with(voucher_back(psp, 2500, DAY));
    assert_eq!(figures(&part.finding(Kind::RefundNotAllowed)), (Some(6000), Some(2500)));
    paid(psp).with(card_back(psp, 2500, DAY)).raises(&[]);
    paid(psp).with(voucher_back(psp, 6000, DAY)).with(card_back(psp, 4000, DAY)).raises(&[]);
    let rest = voucher_back(psp, 3500, DAY + 1).id("RV2");
    part.with(rest).with(card_back(psp, 4000, DAY)).raises(&[]);
}

#[test]
fn nobody_gives_back_more_than_was_paid() {
    for psp in [Psp::Worldline, Psp::Monext] {
        let named = card_back(psp, 4500, 2 * DAY).refund_of("C1");
        let finding = paid(psp).with(named).finding(Kind::RefundNotAllowed);
        assert_eq!(figures(&finding), (Some(4000), Some(4500)));
        let twice =
            paid(psp).with(card_back(psp, 4000, 2 * DAY)).with(card_back(psp, 100, 2 * DAY).id("RC2"));
        assert!(twice.kinds().contains(&Kind::RefundNotAllowed), "{psp}");
    }
}

/// Worldline gives the card's share back first, and vouchers for what exceeds it: one message may tell both as the card's.
#[test]
fn what_worldline_gives_back_beyond_the_card_goes_to_the_vouchers_while_it_may() {
    let psp = Psp::Worldline;
    let back = |case: &Case| {
        let record = case.record();
        record.tenders.iter().map(|tender| tender.refunded.get()).collect::<Vec<_>>()
    };
    let whole = paid(psp).with(card_back(psp, 10_000, HOURS));
    whole.raises(&[]);
    assert_eq!(back(&whole), [6000, 4000]);
    let in_two = paid(psp).with(card_back(psp, 4500, HOURS)).with(card_back(psp, 1000, 2 * HOURS).id("RC2"));
    in_two.raises(&[]);
    assert_eq!(back(&in_two), [1500, 4000]);
    // Of more than was paid the surplus stays with the card, and is exact.
    let too_much = paid(psp).with(card_back(psp, 10_500, HOURS));
    assert_eq!(figures(&too_much.finding(Kind::RefundNotAllowed)), (Some(4000), Some(4500)));
    // When vouchers cannot be given back any more, it is the card's.
    let late = paid(psp).with(card_back(psp, 4500, 5 * HOURS));
    assert_eq!(figures(&late.finding(Kind::RefundNotAllowed)), (Some(4000), Some(4500)));
    // Elsewhere each part is refunded by itself.
    let elsewhere = paid(Psp::Monext).with(card_back(Psp::Monext, 4500, HOURS));
    assert_eq!(back(&elsewhere), [0, 4500]);
}

#[test]
fn what_the_bank_takes_back_later_moves_no_refund_of_the_card_to_the_vouchers() {
    let psp = Psp::Worldline;
    let taken = card_back(psp, 4000, 30 * DAY).id("RC9").charged_back().state(ReportedState::Captured);
    let case = paid(psp).with(card_back(psp, 1000, 30)).with(taken);
    let tenders = case.record().tenders;
    assert_eq!(tenders.iter().map(|tender| tender.refunded.get()).collect::<Vec<_>>(), [0, 5000]);
    assert_eq!(tenders[1].taken_back, Cents::new(4000));
}

#[test]
fn what_is_given_back_for_a_payment_that_nobody_knows_is_more_than_was_paid() {
    for psp in [Psp::Sogecommerce, Psp::Worldline, Psp::Monext] {
        let case = unregistered().with(card_back(psp, 4000, 0));
        // Its payment may only be late.
        case.clone().seen_just_before(20).raises(&[]);
        assert_eq!(case.clone().seen_just_before(20).assess().look_again_at, Some(minute(20)));
        assert_eq!(figures(&case.seen(DAY).finding(Kind::RefundNotAllowed)), (Some(0), Some(4000)), "{psp}");
    }
}

#[test]
fn a_refund_that_was_refused_is_told_at_every_psp_until_it_is_made() {
    use StatusReading::{Attention, Known};
    for (psp, code, reading) in [
        (Psp::Sogecommerce, "REFUSED/05", Known),
        (Psp::Worldline, "83", Attention),
        (Psp::Monext, "01100", Known),
    ] {
        let refused = card_back(psp, 4000, 2 * DAY).state(ReportedState::Refused).status(code, reading);
        let case = paid(psp).with(refused);
        let finding = case.finding(Kind::UnknownStatus);
        assert_eq!(finding.detail.to_string(), format!("C1/LIMOCB: {code}"));
        assert!(matches!(finding.detail, Detail::Status { of: StatusOf::Refund, .. }), "{psp}");
        assert_eq!(case.record().paid().minus(case.record().refunded()), Cents::new(10_000), "{psp}");
        // Some of it is not all of it.
        let again = |cents| case.clone().with(card_back(psp, cents, 3 * DAY).id("RC2")).kinds();
        assert!(again(1000).contains(&Kind::UnknownStatus), "{psp}");
        assert!(!again(4000).contains(&Kind::UnknownStatus), "{psp}");
    }
}

#[test]
fn a_refund_of_unknown_amount_is_of_what_was_asked_for() {
    let psp = Psp::Worldline;
    let untold = |state| {
        let told = card_back(psp, 0, 60).state(state).status("8", StatusReading::Attention);
        told.change(|event| event.amount_from = AmountFrom::Before)
    };
    let asked = paid(psp).with(card_back(psp, 3000, 30).state(ReportedState::Pending));
    assert_eq!(asked.clone().with(untold(ReportedState::Captured)).record().refunded(), Cents::new(3000));
    let refused = asked.with(untold(ReportedState::Refused)).record();
    assert_eq!((refused.refunded(), refused.refunding), (Cents::ZERO, Cents::ZERO));
    // Nobody says how much: nothing is booked, and a person looks.
    let case = paid(psp).with(untold(ReportedState::Captured));
    assert_eq!(case.record().refunded(), Cents::ZERO);
    case.raises(&[Kind::UnknownStatus]);
}

#[test]
fn worldline_gives_vouchers_back_for_four_hours_by_its_own_clock() {
    let psp = Psp::Worldline;
    let back = |minutes: i64| {
        paid(psp).with(card_back(psp, 4000, 5)).with(voucher_back(psp, 1000, minutes).at(9 * DAY))
    };
    back(4 * HOURS).raises(&[]);
    let finding = back(4 * HOURS + 1).finding(Kind::RefundLate);
    assert_eq!(figures(&finding), (Some(0), Some(1000)));
    let (paid_at, back_at) = (minute(0), minute(4 * HOURS + 1));
    assert_eq!(finding.detail.to_string(), format!("V1/CVCONNECT: {paid_at} → {back_at}"));
    // The card has no such limit.
    paid(psp).with(card_back(psp, 4000, 9 * DAY)).raises(&[]);
}

#[test]
fn a_refund_that_only_an_answer_tells_is_late_when_the_dated_message_had_time_to_come() {
    let psp = Psp::Worldline;
    let told_at = 6 * HOURS;
    let answer = at_psp(psp)(voucher(1000).id("RV").refund().at(told_at).answered());
    let answered = paid(psp).with(card_back(psp, 4000, 5)).with(answer);
    answered.clone().seen_just_before(told_at + 20).raises(&[]);
    answered.clone().seen(told_at + 20).raises(&[Kind::RefundLate]);
    // That it was asked for, and when, says nothing of when it was made.
    let asked = voucher(1000).id("RV").refund().state(ReportedState::Pending).happened(HOURS).at(told_at - 1);
    let asked_before = answered.clone().with(at_psp(psp)(asked));
    asked_before.clone().seen_just_before(told_at + 20).raises(&[]);
    asked_before.clone().seen(told_at + 20).raises(&[Kind::RefundLate]);
    assert_eq!(asked_before.seen(told_at + 19).looks_again_in(), Some(minutes(1)));
    // The daemon had been away: the message says that it was in time.
    let dated = at_psp(psp)(voucher(1000).id("RV").refund().happened(HOURS).at(told_at + 2));
    answered.with(dated).seen(told_at + 20).raises(&[]);
}

#[test]
fn worldline_gives_the_card_back_before_any_voucher() {
    let psp = Psp::Worldline;
    let first = paid(psp).with(voucher_back(psp, 1000, 30));
    assert_eq!(figures(&first.finding(Kind::RefundOrder)), (Some(4000), Some(0)));
    let some = first.clone().with(card_back(psp, 3999, 29));
    assert_eq!(figures(&some.finding(Kind::RefundOrder)), (Some(4000), Some(3999)));
    // The parts of one refund carry times of their own, and come in any order.
    for minutes in [20, 30, 50] {
        first.clone().with(card_back(psp, 4000, minutes)).raises(&[]);
    }
    // An hour later is another refund; once the card has all that it is to get, nothing is left to do.
    first.clone().with(card_back(psp, 1000, 90)).raises(&[Kind::RefundOrder]);
    first.with(card_back(psp, 4000, 90)).raises(&[]);
    let alone = order(6000).with(at_psp(psp)(voucher(6000).state(ReportedState::Captured).happened(0)));
    alone.with(voucher_back(psp, 1000, 30)).raises(&[]);
}

#[test]
fn the_card_is_given_a_grace_before_the_order_is_called_wrong() {
    let case = paid(Psp::Worldline).with(voucher_back(Psp::Worldline, 1000, 30));
    let waiting = case.clone().seen_just_before(50);
    waiting.raises(&[]);
    assert_eq!(waiting.assess().look_again_at, Some(minute(50)));
    case.seen(50).raises(&[Kind::RefundOrder]);
}

#[test]
fn a_refund_that_is_asked_for_and_not_made_is_incomplete() {
    let psp = Psp::Worldline;
    let asked = paid(psp).with(card_back(psp, 3000, 30).state(ReportedState::Pending));
    asked.clone().seen_just_before(50).raises(&[]);
    let finding = asked.clone().seen(50).finding(Kind::RefundPartial);
    assert_eq!(figures(&finding), (Some(3000), Some(0)));
    assert_eq!(asked.record().refunding, Cents::new(3000), "still owed to the customer");
    assert_eq!(asked.record().refunded(), Cents::ZERO);
    let made = asked.clone().with(card_back(psp, 3000, 60).state(ReportedState::Captured));
    made.raises(&[]);
    assert_eq!((made.record().refunding, made.record().refunded()), (Cents::ZERO, Cents::new(3000)));
    let refused = asked.with(card_back(psp, 3000, 60).state(ReportedState::Refused));
    refused.raises(&[Kind::UnknownStatus]);
    assert_eq!(refused.record().refunding, Cents::ZERO);
}

#[test]
fn one_part_of_two_refunds_that_were_asked_for() {
    let psp = Psp::Worldline;
    let case = paid(psp)
        .with(card_back(psp, 4000, 30))
        .with(voucher_back(psp, 1000, 30).state(ReportedState::Pending));
    assert_eq!(figures(&case.finding(Kind::RefundPartial)), (Some(5000), Some(4000)));
}

#[test]
fn what_remains_to_be_given_back_is_what_was_not() {
    let psp = Psp::Sogecommerce;
    let case = paid(psp).with(card_back(psp, 4500, 30)).seen(60);
    let finding = case.assess().findings.into_iter().find(|finding| finding.kind == Kind::RefundPartial);
    let remains =
        finding.map(|finding| finding.expected.zip(finding.actual).map(|(all, back)| all.minus(back)));
    assert_eq!(
        remains.flatten(),
        Some(Cents::new(6000)),
        "five too much of the card is nothing of the voucher"
    );
}

#[test]
fn sogecommerce_refunds_part_by_part_so_one_alone_looks_unfinished() {
    let psp = Psp::Sogecommerce;
    for one in [voucher_back(psp, 6000, 30), card_back(psp, 4000, 30)] {
        let cents = one.0.event.amount.get();
        let case = paid(psp).with(one);
        case.clone().seen_just_before(50).raises(&[]);
        assert_eq!(case.clone().seen_just_before(50).assess().look_again_at, Some(minute(50)));
        assert_eq!(figures(&case.seen(50).finding(Kind::RefundPartial)), (Some(10_000), Some(cents)));
    }
    paid(psp).with(voucher_back(psp, 6000, 30)).with(card_back(psp, 4000, 45)).raises(&[]);
    // Elsewhere the card alone can go back.
    paid(Psp::Monext).with(card_back(Psp::Monext, 4000, 30)).raises(&[]);
}

#[test]
fn giving_back_to_the_cent_what_was_too_much_is_a_whole_refund() {
    let psp = Psp::Sogecommerce;
    let case = paid(psp).registered(6000, 20).with(card_back(psp, 4000, 30));
    case.raises(&[]);
}

#[test]
fn an_odd_status_of_a_refund_is_shown() {
    let psp = Psp::Sogecommerce;
    let retry = card_back(psp, 1000, 30).state(ReportedState::Pending);
    let retry = retry.status("REFUND_TO_RETRY", StatusReading::Attention);
    let case = paid(psp).with(retry).seen(40);
    assert_eq!(case.finding(Kind::UnknownStatus).detail.to_string(), "C1/LIMOCB: REFUND_TO_RETRY");
    case.with(card_back(psp, 1000, 45)).seen(DAY).raises(&[]);
}

#[test]
fn a_refund_that_was_taken_back_breaks_no_rule() {
    let psp = Psp::Up2pay;
    let case = paid(psp).with(voucher_back(psp, 6000, 2 * DAY));
    case.raises(&[Kind::RefundNotAllowed]);
    case.with(voucher_back(psp, 6000, 2 * DAY).state(ReportedState::Cancelled)).raises(&[]);
}

#[test]
fn a_refund_of_a_trial_among_real_payments_says_nothing_else() {
    let trial = |told: Told| told.proves(Mode::Test);
    order(10_000)
        .with(trial(voucher(6000)))
        .with(trial(voucher(6000).id("RV").refund().at(DAY)))
        .raises(&[Kind::TestInProduction]);
}
