//! Money that goes back: whole, in parts, and without a link to what it refunds.

use super::*;

/// A Sogecommerce payment, voucher `V1` and card `C1`.
fn paid() -> Case {
    order(10_000).with(voucher(6000).sogecommerce()).with(card(4000).sogecommerce())
}

fn voucher_back(cents: i64) -> Told {
    voucher(cents).sogecommerce().id("RV").refund()
}

fn card_back(cents: i64) -> Told {
    card(cents).sogecommerce().id("RC").refund()
}

fn refunded(case: &Case) -> Vec<(String, i64, TenderState)> {
    let tenders = case.assess().records.into_iter().flat_map(|record| record.tenders);
    tenders.map(|t| (t.id.map(String::from).unwrap_or_default(), t.refunded.get(), t.state)).collect()
}

fn id(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_refund_of_both_parts_refunds_the_record() {
    let case = paid().with(voucher_back(6000)).with(card_back(4000));
    case.is(RecordState::Refunded);
    case.raises(&[]);
    assert_eq!(case.record().paid(), Cents::new(10_000), "paid is before refunds");
    assert_eq!(case.record().refunded(), Cents::new(10_000));
}

#[test]
fn a_refund_of_one_part_is_a_partial_refund() {
    let case = paid().with(card_back(4000));
    case.is(RecordState::PartRefunded);
    let (kept, back) = ((id("V1"), 0, TenderState::Authorised), (id("C1"), 4000, TenderState::Refunded));
    assert_eq!(refunded(&case), [kept, back]);
}

#[test]
fn part_of_a_card_can_go_back_several_times() {
    let first = paid().with(card_back(1500));
    assert_eq!(refunded(&first)[1], (id("C1"), 1500, TenderState::PartRefunded));
    let second = first.with(card_back(2500).id("RC2").at(5));
    assert_eq!(refunded(&second)[1], (id("C1"), 4000, TenderState::Refunded));
    second.is(RecordState::PartRefunded);
}

#[test]
fn a_refund_counts_once_however_often_and_in_whatever_state_it_is_told() {
    let case = paid()
        .with(card_back(1500))
        .with(card_back(1500).at(3))
        .with(card_back(1500).state(ReportedState::Captured).at(DAY));
    assert_eq!(case.record().refunded(), Cents::new(1500));
}

#[test]
fn a_refund_told_with_two_amounts_counts_once_and_a_person_is_told() {
    let case = paid().with(card_back(1500).happened(5)).with(card_back(1600).happened(6));
    assert_eq!(case.record().refunded(), Cents::new(1500));
    let finding = case.finding(Kind::ConflictingNotification);
    assert_eq!(figures(&finding), (Some(1500), Some(1600)));
    assert_eq!(finding.subject, "refund RC of C1/LIMOCB");
    let three = case.with(card_back(3000).happened(7));
    assert_eq!(figures(&three.finding(Kind::ConflictingNotification)), (Some(1500), Some(3000)));
    // Its own running total says what several turns under one number come to.
    let turns = paid().with(card_back(1500).running(1500)).with(card_back(1000).running(2500));
    assert_eq!(turns.record().refunded(), Cents::new(2500));
    turns.raises(&[]);
    // Refunds of which nothing says that they are one are two.
    let two = paid().with(card_back(1500).without_id()).with(card_back(1600).without_id());
    assert_eq!(two.record().refunded(), Cents::new(3100));
    two.raises(&[]);
}

#[test]
fn of_a_refunds_amounts_the_last_answer_of_the_api_is_taken() {
    let case = paid().with(card_back(1500)).with(card_back(2500).answered().at(5));
    assert_eq!(case.record().refunded(), Cents::new(2500));
    assert_eq!(figures(&case.finding(Kind::ConfirmationDiffers)), (Some(1500), Some(2500)));
    let later = paid().with(card_back(1500).answered()).with(card_back(2500).answered().at(5));
    assert_eq!(later.record().refunded(), Cents::new(2500), "a later answer knows more");
    let finding = later.finding(Kind::ConflictingNotification);
    assert_eq!(figures(&finding), (Some(2500), Some(1500)), "but no refund grows");
    let settled = paid().with(card_back(1500)).with(card_back(1600)).with(card_back(1600).answered().at(5));
    settled.raises(&[]);
}

#[test]
fn a_refused_refund_is_told_by_the_status_that_refused_it() {
    let told = |code: &str, state| card_back(1500).status(code, StatusReading::Known).state(state);
    let case = paid()
        .with(told("AUTHORISED", ReportedState::Authorised).happened(5))
        .with(told("REFUSED", ReportedState::Refused).happened(6));
    let Detail::Status { statuses, .. } = case.finding(Kind::UnknownStatus).detail else {
        panic!("statuses")
    };
    assert_eq!(statuses.iter().map(|odd| odd.code.as_str()).collect::<Vec<_>>(), ["REFUSED"]);
}

#[test]
fn only_accepted_refunds_count() {
    for state in [
        ReportedState::Pending,
        ReportedState::Refused,
        ReportedState::Abandoned,
        ReportedState::Expired,
        ReportedState::Cancelled,
    ] {
        let case = paid().with(card_back(4000).state(state));
        assert_eq!(case.record().refunded(), Cents::ZERO, "{state:?}");
        case.is(RecordState::Balanced);
    }
}

/// The PSP says that it was made, and the bank refuses it later (Worldline: 8, then 83).
#[test]
fn a_refund_that_is_refused_after_it_was_made_gives_nothing_back() {
    let refused = |at: i64| {
        let told = card_back(4000).state(ReportedState::Refused).status("83", StatusReading::Attention);
        told.happened(at)
    };
    let made = paid().with(card_back(4000).happened(10)).with(voucher_back(6000).happened(9));
    made.clone().seen(2 * DAY).raises(&[]);
    for case in
        [made.clone().with(refused(DAY)), paid().with(refused(DAY)).with(card_back(4000).happened(10))]
    {
        let card = refunded(&case).remove(1);
        assert_eq!(card, (id("C1"), 0, TenderState::Authorised));
        let statuses = case.seen(2 * DAY).assess().findings.into_iter().map(|finding| finding.kind);
        assert!(statuses.into_iter().any(|kind| kind == Kind::UnknownStatus), "it is told");
    }
    let before = made.clone().with(refused(5));
    assert_eq!(refunded(&before)[1], (id("C1"), 4000, TenderState::Refunded), "it was tried again");
    let of_another = made.clone().with(card_back(1000).state(ReportedState::Refused).happened(DAY));
    assert_eq!(refunded(&of_another)[1], (id("C1"), 4000, TenderState::Refunded));
    let asked = card_back(4000).state(ReportedState::Refused).answered().at(DAY);
    assert_eq!(refunded(&made.with(asked))[1], (id("C1"), 0, TenderState::Authorised), "its API knows");
}

#[test]
fn a_cancelled_refund_gives_nothing_back() {
    let case = paid().with(card_back(4000)).with(card_back(4000).state(ReportedState::Cancelled).at(5));
    assert_eq!(case.record().refunded(), Cents::ZERO);
}

#[test]
fn another_psps_cancellation_cancels_nothing_here() {
    let elsewhere = card(4000).id("RC").refund().state(ReportedState::Cancelled);
    let case = paid().with(card_back(4000)).with(elsewhere);
    assert_eq!(case.record().refunded(), Cents::new(4000));
}

#[test]
fn a_refund_under_another_call_number_finds_its_tender() {
    let case = paid().with(voucher_back(6000).call("8001").at(DAY));
    assert_eq!(refunded(&case)[0], (id("V1"), 6000, TenderState::Refunded));
    assert_eq!(case.assess().records.len(), 1, "the refund makes no record of its own");
}

#[test]
fn a_named_refund_goes_where_it_is_named_even_if_another_fits_better() {
    let case = order(8000)
        .with(plain_card(4000).sogecommerce())
        .with(plain_card(4000).id("C2").call("7002").sogecommerce())
        .with(card_back(1000).brand("VISA").refund_of("C2"));
    assert_eq!(refunded(&case)[1], (id("C2"), 1000, TenderState::PartRefunded));
}

#[test]
fn a_named_refund_has_the_first_choice_whenever_it_came() {
    let case = order(8000)
        .with(plain_card(4000).sogecommerce())
        .with(plain_card(4000).id("C2").sogecommerce())
        .with(card_back(4000).brand("VISA").id("R1").at(5))
        .with(card_back(4000).brand("VISA").id("R2").refund_of("C2").at(6));
    let whole = |tender: &str| (id(tender), 4000, TenderState::Refunded);
    assert_eq!(refunded(&case), [whole("C1"), whole("C2")]);
}

#[test]
fn an_unnamed_refund_prefers_the_exact_amount_then_its_own_call_then_its_brand() {
    let cards = order(9000)
        .with(plain_card(4000).sogecommerce())
        .with(plain_card(5000).id("C2").call("7002").sogecommerce());
    let exact = cards.clone().with(card_back(5000).brand("VISA"));
    assert_eq!(refunded(&exact)[1].1, 5000);
    let same_call = cards.clone().with(card_back(3000).brand("MASTERCARD").call("7002"));
    assert_eq!(refunded(&same_call)[1].1, 3000);
    let same_call = cards.with(card_back(3000).brand("VISA"));
    assert_eq!(refunded(&same_call)[0].1, 3000);
}

#[test]
fn a_voucher_refund_never_lands_on_a_card() {
    let case = paid().with(voucher_back(4000));
    assert_eq!(refunded(&case)[0], (id("V1"), 4000, TenderState::PartRefunded));
}

#[test]
fn a_refund_without_a_debit_is_kept_in_sight() {
    let case = unregistered().with(card_back(4000));
    // Nothing is known to have been paid, so it is more than was.
    case.raises(&[Kind::RefundNotAllowed]);
    case.is(RecordState::Refunded);
    let tender = case.tender();
    assert_eq!((tender.amount, tender.refunded), (Cents::ZERO, Cents::new(4000)));
}

#[test]
fn refunds_that_exceed_a_part_stay_with_it_and_the_surplus_is_told() {
    let paid = || order(4000).with(plain_card(4000).sogecommerce());
    let back = |id: &str, cents| plain_card(cents).sogecommerce().id(id).call("8001").refund();
    let case = paid().with(back("R1", 1000).at(5)).with(back("R2", 1500).at(6)).with(back("R3", 2000).at(7));
    assert_eq!(refunded(&case), [(id("C1"), 4500, TenderState::Refunded)]);
    assert_eq!(figures(&case.finding(Kind::RefundNotAllowed)), (Some(4000), Some(4500)));
    let worldline = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured);
    let back = |id: &str, cents| worldline(plain_card(cents)).id(id).refund();
    let case = order(14_000)
        .with(worldline(plain_card(14_000)))
        .with(back("R1", 3000))
        .with(back("R2", 4000))
        .with(back("R3", 8000));
    assert_eq!(refunded(&case), [(id("C1"), 15_000, TenderState::Refunded)]);
    assert_eq!(figures(&case.finding(Kind::RefundNotAllowed)), (Some(14_000), Some(15_000)));
}

#[test]
fn one_refund_of_more_than_any_part_goes_to_the_largest() {
    let paid = paid().with(card(1000).sogecommerce().id("C2"));
    let too_much = paid.with(card_back(4001).call("8001"));
    assert_eq!(refunded(&too_much)[1], (id("C1"), 4001, TenderState::Refunded));
}

#[test]
fn a_refund_of_unknown_amount_gives_nothing_back() {
    let unknown = |told: Told| told.id("R").refund().change(|event| event.amount_from = AmountFrom::Before);
    let card = order(4000).with(plain_card(4000)).with(unknown(plain_card(0)).answered());
    assert_eq!(refunded(&card), [(id("C1"), 0, TenderState::Authorised)]);
    card.raises(&[]);
    let voucher = order(6000).with(voucher(6000)).with(unknown(voucher(0)).answered());
    assert_eq!(
        figures(&voucher.finding(Kind::RefundNotAllowed)),
        (None, None),
        "vouchers are never refunded"
    );
}

#[test]
fn an_unmatched_refund_of_a_voucher_stands_with_the_vouchers() {
    let case = order(4000).with(plain_card(4000).sogecommerce()).with(voucher_back(500));
    let instruments: Vec<_> = case.record().tenders.iter().map(|tender| tender.instrument).collect();
    assert_eq!(instruments, [Instrument::Voucher, Instrument::Card]);
}

#[test]
fn a_refund_told_before_its_debit_comes_to_the_same() {
    let before =
        order(4000).with(card_back(4000)).with(plain_card(4000).sogecommerce().brand("LIMOCB").at(5));
    assert_eq!(refunded(&before), [(id("C1"), 4000, TenderState::Refunded)]);
}

#[test]
fn giving_back_what_was_too_much_mends_an_overpayment() {
    let over = || order(9000).with(voucher(6000).sogecommerce()).with(card(4000).sogecommerce());
    over().raises(&[Kind::AmountOver]);
    over().with(card_back(1000)).raises(&[]);
    over().with(card_back(999)).raises(&[Kind::AmountOver]);
    over().with(card_back(1500)).raises(&[]);
    over().with(card_back(4000)).with(voucher_back(6000)).raises(&[]);
}

#[test]
fn giving_back_the_voucher_mends_an_orphan() {
    let orphan = || order(10_000).with(voucher(6000).sogecommerce());
    orphan().raises(&[Kind::ComplementMissing]);
    orphan().with(voucher_back(6000)).raises(&[]);
}

#[test]
fn the_time_of_the_last_refund_is_the_psps() {
    let case = paid().with(card_back(1000).happened(30)).with(card_back(1000).id("RC2").happened(10).at(40));
    assert_eq!(case.record().tenders[1].refunded_at, Some(minute(30)));
}

#[test]
fn a_refund_is_dated_by_the_psp_even_if_an_answer_without_a_date_was_received_before_that() {
    let undated = card_back(1000).answered().at(20);
    let case = paid().with(card_back(1000).happened(30).at(40)).with(undated);
    assert_eq!(case.record().tenders[1].refunded_at, Some(minute(30)));
}

#[test]
fn an_unnamed_refund_goes_to_the_payment_that_is_wrong() {
    // Whichever of the two calls comes first.
    for (orphan, good) in [("7001", "7002"), ("7002", "7001")] {
        let case = order(10_000)
            .with(card(4000).sogecommerce().id("C1").call(orphan))
            .with(voucher(6000).sogecommerce().id("V2").call(good))
            .with(card(4000).sogecommerce().id("C2").call(good))
            .with(card_back(4000).call("9001"))
            .seen(DAY);
        case.raises(&[]);
        assert!(refunded(&case).contains(&(id("C1"), 4000, TenderState::Refunded)), "{orphan}");
    }
}

#[test]
fn the_largest_refund_chooses_first() {
    for (first, second) in [(3000, 4000), (4000, 3000)] {
        let case = order(10_000)
            .with(voucher(3000).sogecommerce())
            .with(card(first).sogecommerce().id("C1"))
            .with(card(second).sogecommerce().id("C2"))
            .with(card_back(1000).happened(1))
            .with(card_back(4000).id("RC2").happened(2));
        assert_eq!(case.record().refunded(), Cents::new(5000));
        case.raises(&[Kind::RefundPartial]);
    }
}

/// At Worldline a refund names its payment, and not which capture it gives back.
#[test]
fn a_refund_of_several_captures_is_of_each_of_them() {
    let captured = |told: Told, id: &str| told.psp(Psp::Worldline).id(id).state(ReportedState::Captured);
    let paid = || {
        order(14_000)
            .with(captured(voucher(4000), "8_0"))
            .with(captured(card(6000), "8_1"))
            .with(captured(card(4000), "8_2"))
    };
    let back = |cents, id: &str| captured(card(cents), id).refund().happened(2 * DAY);
    let of_cards = |case: &Case| {
        let all = refunded(case).into_iter().filter(|(id, ..)| id != "8_0");
        all.map(|(id, cents, _)| (id, cents)).collect::<Vec<_>>()
    };
    let all = [(id("8_1"), 6000), (id("8_2"), 4000)];
    for refunds in [vec![10_000], vec![5000, 5000], vec![7000, 3000], vec![1000, 9000]] {
        let with = |case: Case, (n, cents): (usize, &i64)| case.with(back(*cents, &format!("8_{}", n + 3)));
        let case = refunds.iter().enumerate().fold(paid(), with).seen(3 * DAY);
        assert_eq!(of_cards(&case), all, "{refunds:?}");
        case.raises(&[]);
    }
    let one = paid().with(back(4000, "8_3")).seen(3 * DAY);
    assert_eq!(of_cards(&one), [(id("8_1"), 0), (id("8_2"), 4000)], "the one that it fits");
    let too_much = paid().with(back(16_000, "8_3")).seen(3 * DAY);
    assert_eq!(figures(&too_much.finding(Kind::RefundNotAllowed)).1.map(|back| back >= 4000), Some(true));
}

#[test]
fn a_refund_is_of_what_was_paid_before_it() {
    let first = paid().with(card_back(4000).happened(5 * DAY)).with(voucher_back(6000).happened(5 * DAY));
    let again = |told: Told, id: &str| told.sogecommerce().call("7002").id(id).happened(17 * DAY);
    let paid_again = first.with(again(voucher(6000), "V2")).with(again(card(4000), "C2"));
    let states: Vec<_> = refunded(&paid_again).into_iter().map(|(id, cents, _)| (id, cents)).collect();
    assert_eq!(states, [(id("V1"), 6000), (id("C1"), 4000), (id("V2"), 0), (id("C2"), 0)]);
}
