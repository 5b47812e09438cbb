//! What became of a transaction.

use super::answers::Deed;
use super::*;

use Instrument::{Card, Voucher};
use ReportedState::{Authorised, Cancelled, Captured};
use cvco_domain::{Operation, StatusReading};

fn refund_of(id: &str) -> Operation {
    Operation::Credit { of: Some(TenderId::new(id).expect("an id")) }
}

fn deed(id: &str, kind: &'static str, cents: i64, of: &str) -> Deed {
    let (id, of, amount) = (id.to_owned(), of.to_owned(), Cents::new(cents));
    Deed { id, kind, amount, succeeded: true, of, at: at("2026-04-01T10:00:00Z") }
}

fn of_card(history: Vec<Deed>) -> Payment {
    Payment { legs: vec![split().legs[1].clone()], history, ..split() }
}

/// What the session of the split payment stated.
fn known() -> Vec<Event> {
    answered(session(&split().as_session(Prefixes::Both))).events
}

fn told(id: &str, known: &[Event], payment: &Payment) -> Answer {
    answered(transaction(id, known, &payment.as_transaction(Prefixes::ObjectsOnly)))
}

#[test]
fn a_refund_is_seen_in_the_history() {
    let answer = answered(transaction(CARD, &known(), body(fixture!("e3-refunded"))));
    assert_eq!(answer.standing, Standing::Settled);
    assert_eq!(tenders(&answer), [(CARD, Card, 4000, Captured), ("14341170746002", Card, 1500, Captured)]);
    let [card, refund] = answer.events.as_slice() else { panic!("two events") };
    assert_eq!((&card.operation, &refund.operation), (&Operation::Debit, &refund_of(CARD)));
    assert_eq!(refund.occurred_at, Timestamp::parse("2023-12-08T17:07:46+01:00").ok());
    assert_eq!((refund.status.code.as_str(), refund.order_total), ("REFUND/OK", None));
    // The session is known: everything stays under its token.
    assert!(answer.events.iter().all(|event| event.call_number.as_str() == TOKEN));
    assert!(
        answer.events.iter().all(|event| event.order_ref.as_ref().is_some_and(|r| r.as_str() == "CMD-1001"))
    );
    // One part of the order: its amount is not compared alone with the whole.
    assert_eq!((card.order_total, card.itemised), (Some(Cents::new(10_000)), false));
}

#[test]
fn without_a_token_the_transaction_is_the_call_number() {
    let answer = answered(transaction(CARD, &[], body(fixture!("e3-refunded"))));
    assert!(answer.events.iter().all(|event| event.call_number.as_str() == CARD));

    let both = told(VOUCHER, &[], &split());
    assert_eq!(tenders(&both), [(VOUCHER, Voucher, 6000, Captured), (CARD, Card, 4000, Captured)]);
    assert!(both.events.iter().all(|event| event.call_number.as_str() == VOUCHER && event.itemised));
    // A part that is known already keeps both together under its call number.
    let card_first = told(CARD, &[], &of_card(vec![])).events;
    let voucher_second = told(VOUCHER, &card_first, &split());
    assert!(voucher_second.events.iter().all(|event| event.call_number.as_str() == CARD));
}

#[test]
fn a_transaction_says_the_same_as_its_session() {
    let of_session = known();
    let of_transaction = told(VOUCHER, &of_session, &split()).events;
    assert_eq!(of_transaction, of_session);
}

#[test]
fn a_reset_takes_all_back_or_part() {
    let whole = told(CARD, &[], &of_card(vec![deed("R1", "RESET", 4000, CARD)]));
    assert_eq!(tenders(&whole), [(CARD, Card, 4000, Captured), (CARD, Card, 4000, Cancelled)]);
    let part = told(CARD, &[], &of_card(vec![deed("R1", "RESET", 1000, CARD)]));
    assert_eq!(tenders(&part)[1], ("R1", Card, 1000, Captured));
    assert_eq!(part.events[1].operation, refund_of(CARD));
}

#[test]
fn a_capture_in_the_history_captures() {
    let mut payment = of_card(vec![deed("C1", "CAPTURE", 4000, CARD)]);
    payment.legs[0].action = "100";
    let answer = told(CARD, &[], &payment);
    assert_eq!(tenders(&answer), [(CARD, Card, 4000, Authorised), (CARD, Card, 4000, Captured)]);
}

#[test]
fn captures_of_a_part_are_added_up_and_the_rest_stays_authorised_until_it_is_let_go() {
    let told = |history| {
        let mut payment = of_card(history);
        payment.legs[0].action = "100";
        let answer = told(CARD, &[], &payment);
        let amounts = tenders(&answer).into_iter().map(|(id, _, cents, state)| (id.to_owned(), cents, state));
        amounts.collect::<Vec<_>>()
    };
    let capture = |id, cents| deed(id, "CAPTURE", cents, CARD);
    let card = |cents, state| (CARD.to_owned(), cents, state);
    assert_eq!(told(vec![capture("C1", 2500)]), [card(4000, Authorised), card(2500, Captured)]);
    let twice = vec![capture("C1", 2500), capture("C2", 1000)];
    assert_eq!(told(twice.clone()), [card(4000, Authorised), card(3500, Captured)]);
    let mut let_go = twice.clone();
    let_go.push(deed("R1", "RESET", 500, CARD));
    assert_eq!(
        told(let_go),
        [card(3500, Authorised), card(3500, Captured)],
        "nobody gets back what was never taken"
    );
    let mut all_captured = twice;
    all_captured.extend([capture("C3", 500), deed("R1", "RESET", 500, CARD)]);
    let back = ("R1".to_owned(), 500, Captured);
    assert_eq!(told(all_captured), [card(4000, Authorised), card(4000, Captured), back]);
}

#[test]
fn history_that_says_nothing_about_money_is_passed_over() {
    let mut failed = deed("R1", "REFUND", 4000, CARD);
    failed.succeeded = false;
    let answer = told(
        CARD,
        &[],
        &of_card(vec![failed, deed(CARD, "AUTHOR+CAP", 4000, ""), deed("S", "MICROVALID", 1, CARD)]),
    );
    assert_eq!(tenders(&answer), [(CARD, Card, 4000, Captured)]);
    assert_eq!(answer.questions, []);
    // What belongs to another transaction is asked for there.
    let other = told(CARD, &[], &of_card(vec![deed("R1", "REFUND", 4000, VOUCHER)]));
    let expected = Question { asking: Asking::Once, ..question(Topic::Transaction, VOUCHER) };
    assert_eq!((other.events.len(), other.questions), (1, vec![expected]));
}

#[test]
fn a_refund_can_be_asked_for_by_its_own_transaction() {
    let refund = |history| {
        let mut leg = leg("R1", "CB", "CB_TEST", 1500);
        leg.action = "421";
        Payment { legs: vec![leg], history, ..split() }
    };
    let by_own_line = refund(vec![deed("R1", "REFUND", 1500, CARD)]);
    let by_the_only_payment = refund(vec![deed(CARD, "AUTHOR+CAP", 4000, "")]);
    for payment in [by_own_line, by_the_only_payment] {
        let answer = told("R1", &known(), &payment);
        assert_eq!(tenders(&answer), [("R1", Card, 1500, Captured)]);
        assert_eq!(answer.events[0].operation, refund_of(CARD));
        assert_eq!(answer.events[0].call_number.as_str(), TOKEN);
        let origin = Question { asking: Asking::Once, ..question(Topic::Transaction, CARD) };
        assert_eq!(answer.questions, [origin]);
    }
    let alone = told("R1", &[], &refund(vec![]));
    assert_eq!(alone.events[0].operation, Operation::Credit { of: None });
    assert_eq!(alone.events[0].call_number.as_str(), "R1");
}

#[test]
fn a_refund_without_an_amount_is_asked_again() {
    let damaged = body(fixture!("e3-refunded")).replace("<obj:amount>1500</obj:amount>", "<obj:amount/>");
    assert!(matches!(transaction(CARD, &[], &damaged), Step::Failed(NoAnswer::Trouble(_))));
}

#[test]
fn a_capture_or_reset_is_told_by_what_it_changes() {
    let mut leg = leg("C1", "CB", "CB_TEST", 4000);
    leg.action = "201";
    let payment = Payment { legs: vec![leg], history: vec![deed("C1", "CAPTURE", 4000, CARD)], ..split() };
    let answer = told("C1", &[], &payment);
    assert_eq!((answer.events.len(), answer.questions), (0, vec![question(Topic::Transaction, CARD)]));
}

#[test]
fn an_answer_about_something_else_is_not_believed() {
    assert!(matches!(
        transaction("OTHER", &[], &split().as_transaction(Prefixes::Both)),
        Step::Failed(NoAnswer::Trouble(_))
    ));
    // Nor is one to another call.
    assert!(matches!(
        transaction(VOUCHER, &[], &split().as_session(Prefixes::Both)),
        Step::Failed(NoAnswer::Trouble(_))
    ));
}

#[test]
fn a_refused_part_is_refused_and_the_others_are_asked_for() {
    let answer = told(CARD, &[], &Payment { result: ("01100", "REFUSED"), ..split() });
    assert_eq!(tenders(&answer), [(CARD, Card, 4000, ReportedState::Refused)]);
    assert_eq!(
        answer.questions,
        [Question { asking: Asking::Once, ..question(Topic::Transaction, VOUCHER) }]
    );
}

#[test]
fn what_the_ledger_knows_of_a_part_helps_where_the_answer_does_not_tell() {
    let mut bare = of_card(vec![]);
    bare.legs[0] = leg(VOUCHER, "", "", 6000);
    let before = told(VOUCHER, &known(), &bare);
    assert_eq!((before.events[0].instrument, before.events[0].brand.as_str()), (Voucher, "ANCV_CONNECT"));
    assert_eq!(before.events[0].status.reading, StatusReading::Known);
}

#[test]
fn a_transaction_that_monext_does_not_know() {
    for code in ["02301", "02302"] {
        let bare = answers::transaction_result((code, "ERROR"), Prefixes::Both);
        assert_eq!(answered(transaction(CARD, &[], &bare)).standing, Standing::Unknown);
    }
}

#[test]
fn a_payment_is_confirmed_again_by_what_is_known_of_it() {
    let adapter = monext();
    let by_transaction = told(VOUCHER, &[], &split()).events;
    assert_eq!(adapter.again(&by_transaction[1]), Some(question(Topic::Transaction, CARD)));
    let refund = told(CARD, &[], &of_card(vec![deed("R1", "REFUND", 1, CARD)])).events.remove(1);
    assert_eq!(adapter.again(&refund), Some(question(Topic::Transaction, CARD)));
}
