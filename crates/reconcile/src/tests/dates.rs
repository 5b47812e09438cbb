//! Accepted, captured, given back, cancelled: each on its own day, and none on a day that was only wished for.

use super::*;

fn days(days: i64) -> i64 {
    days * DAY
}

fn received(case: &Case) -> (Option<String>, Vec<(String, i64)>) {
    let booked = case.tender().booked;
    let returned = booked.returned.iter().map(|back| (back.on.to_string(), back.amount.get()));
    (booked.received_on.map(|day| day.to_string()), returned.collect())
}

fn accepted_on(told: Told, minutes: i64) -> Told {
    told.change(|event| event.accepted_at = Some(minute(minutes)))
}

#[test]
fn a_date_that_lies_ahead_is_a_plan() {
    let planned = voucher(6000).happened(days(3)).at(1);
    let case = order(6000).with(planned);
    assert_eq!(case.tender().authorised_at, Some(minute(1)), "the time of receipt");
    let fast_clock = order(6000).with(voucher(6000).happened(120).at(0));
    assert_eq!(fast_clock.tender().authorised_at, Some(minute(120)), "our own clock may be behind");
    let tomorrow = order(6000).with(voucher(6000).happened(days(1)).at(0));
    assert_eq!(tomorrow.tender().authorised_at, Some(minute(0)), "the time of receipt");
}

#[test]
fn an_acceptance_that_only_the_capture_tells_counts_on_its_own_day() {
    let captured = voucher(6000).sogecommerce().state(ReportedState::Captured).happened(days(2));
    let case = order(6000).with(accepted_on(captured, 0));
    let tender = case.tender();
    assert_eq!((tender.authorised_at, tender.captured_at), (Some(minute(0)), Some(minute(days(2)))));
    assert_eq!(received(&case), (Some("2026-03-01".to_owned()), vec![]));
}

#[test]
fn an_acceptance_without_a_date_was_heard_before_its_capture() {
    let captured = voucher(6000).sogecommerce().state(ReportedState::Captured).happened(days(2));
    let case = order(6000).with(voucher(6000).sogecommerce().at(3)).with(captured);
    assert_eq!(case.tender().authorised_at, Some(minute(3)));
}

#[test]
fn a_date_says_more_than_an_undated_answer_that_was_heard_before_it() {
    let captured = || voucher(6000).psp(Psp::Worldline).state(ReportedState::Captured);
    // Our clock is behind the PSP's.
    let case = order(6000).with(captured().answered().at(1)).with(captured().happened(90).at(2));
    assert_eq!(case.tender().authorised_at, Some(minute(90)));
}

#[test]
fn a_cancellation_counts_on_the_day_it_is_made_whatever_date_is_repeated() {
    let cancelled = |minutes| voucher(6000).state(ReportedState::Cancelled).happened(minutes).at(days(2));
    for repeated in [0, -days(1)] {
        let case = order(6000).with(voucher(6000).happened(0)).with(cancelled(repeated));
        let expected = (Some("2026-03-01".to_owned()), vec![("2026-03-03".to_owned(), 6000)]);
        assert_eq!(received(&case), expected, "{repeated}");
    }
    let dated = order(6000).with(voucher(6000).happened(0)).with(cancelled(days(1)));
    assert_eq!(received(&dated).1, [("2026-03-02".to_owned(), 6000)]);
}

#[test]
fn a_refund_counts_on_the_day_it_is_made_whatever_date_is_repeated() {
    let back = plain_card(1000).sogecommerce().id("R").refund().happened(0).at(days(5));
    let case = order(4000).with(plain_card(4000).sogecommerce().happened(0)).with(back);
    assert_eq!(received(&case).1, [("2026-03-06".to_owned(), 1000)]);
}

#[test]
fn both_parts_cancelled_within_the_grace_are_one_act() {
    let cancelled = |told: Told, minutes| {
        told.sogecommerce().listed_in(10_000).state(ReportedState::Cancelled).at(minutes)
    };
    let paid = || {
        order(10_000)
            .with(voucher(6000).sogecommerce().listed_in(10_000))
            .with(card(4000).sogecommerce().listed_in(10_000))
    };
    for (first, second) in [(card(4000), voucher(6000)), (voucher(6000), card(4000))] {
        let half = paid().with(cancelled(first, days(1)));
        half.clone().seen_just_before(days(1) + 20).raises(&[]);
        half.clone().seen(days(1)).is(RecordState::Pending);
        assert_eq!(half.clone().seen(days(1)).looks_again_in(), Some(minutes(20)));
        assert_eq!(
            half.clone().seen(days(1) + 20).kinds().len(),
            1,
            "after the grace the other half is missed"
        );
        let whole = half.with(cancelled(second, days(1) + 5)).seen(days(2));
        whole.raises(&[]);
        whole.is(RecordState::Failed);
    }
}

#[test]
fn an_amount_that_the_merchant_lowers_is_a_change_and_no_contradiction() {
    let first = || voucher(6000).sogecommerce().listed_in(10_000);
    let paid = || unregistered().with(first()).with(card(4000).sogecommerce().listed_in(10_000));
    let lowered = voucher(5000).sogecommerce().revised().at(5);
    let case = paid().with(lowered.clone());
    case.raises(&[]);
    assert_eq!(case.record().paid(), Cents::new(9000));
    assert_eq!(
        case.record().expected.map(|(cents, _)| cents),
        Some(Cents::new(9000)),
        "the PSP's total less the change"
    );
    // The last change counts, and an answer that knows of it agrees.
    let again = paid().with(lowered.clone()).with(voucher(4500).sogecommerce().revised().at(6));
    again.raises(&[]);
    assert_eq!(again.record().paid(), Cents::new(8500));
    paid().with(voucher(5000).sogecommerce().revised().answered().at(7)).raises(&[]);
    paid().with(voucher(6000).sogecommerce().answered().at(2)).with(lowered.clone()).raises(&[]);
    // Where the shop registered the order, its total is not paid any more.
    let registered =
        order(10_000).with(first()).with(card(4000).sogecommerce().listed_in(10_000)).with(lowered);
    registered.raises(&[Kind::AmountShort]);
    // It cannot be raised: that is another story.
    paid().with(voucher(7000).sogecommerce().revised().at(5)).raises(&[Kind::ConflictingNotification]);
}

#[test]
fn a_chargeback_is_given_back_on_its_day_and_is_no_breach_of_the_merchants() {
    let worldline = |told: Told| told.psp(Psp::Worldline);
    let paid = || {
        let captured = |told: Told| worldline(told).state(ReportedState::Captured).happened(0);
        order(10_000).with(captured(voucher(6000))).with(captured(plain_card(4000)))
    };
    let taken = |cents| worldline(plain_card(cents)).id("7001/chargeback").charged_back().happened(days(30));
    let case = paid().with(taken(4000).state(ReportedState::Captured)).seen(days(31));
    let finding = case.finding(Kind::Chargeback);
    assert_eq!(figures(&finding), (None, Some(4000)));
    let tenders = case.record().tenders;
    assert_eq!(tenders.len(), 2, "it is no second card");
    let returned = &tenders[1].booked.returned;
    assert_eq!(
        returned.iter().map(|back| (back.on.to_string(), back.amount.get())).collect::<Vec<_>>(),
        [("2026-03-31".to_owned(), 4000)]
    );
    // Without an amount the bank takes all that is left of the card.
    let unstated = |told: Told| told.change(|event| event.amount_from = AmountFrom::Before);
    let whole = paid().with(unstated(taken(0)).state(ReportedState::Captured)).seen(days(31));
    assert_eq!(figures(&whole.finding(Kind::Chargeback)), (None, Some(4000)));
    // One that is announced is urgent, and no money yet.
    let announced = paid().with(taken(4000).state(ReportedState::Pending)).seen(days(31));
    assert_eq!(figures(&announced.finding(Kind::Chargeback)), (None, Some(4000)));
    assert_eq!(announced.record().refunded(), Cents::ZERO);
}
