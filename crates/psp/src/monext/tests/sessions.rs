//! What a session came to.

use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Currency, Operation, OrderRef, StatusReading,
};
use proptest::prelude::*;

use super::*;

use Instrument::{Card, Voucher};
use ReportedState::{Authorised, Captured};
use StatusReading::{Attention, Known};

const ALL_PREFIXES: [Prefixes; 3] = [Prefixes::Both, Prefixes::ObjectsOnly, Prefixes::MessagesOnly];

fn paid(payment: &Payment) -> Answer {
    answered(session(&payment.as_session(Prefixes::Both)))
}

#[test]
fn a_card_payment_of_part_of_an_order() {
    let answer = answered(session(body(fixture!("d1-card"))));
    assert_eq!(answer.standing, Standing::Settled);
    let [event] = answer.events.as_slice() else { panic!("one event: {answer:?}") };
    assert_eq!(tender(event), ("PV4280223147576302", Card, 90_000, Captured));
    assert_eq!(event.brand.as_str(), "CB");
    assert_eq!(event.contract.as_ref().map(Contract::as_str), Some("CB_MULTI_4"));
    assert_eq!(event.order_ref.as_ref().map(OrderRef::as_str), Some("cb_a_plusieurs_20230228153137"));
    assert_eq!((event.order_total, event.itemised), (Some(Cents::new(190_000)), true));
    assert_eq!(event.occurred_at, Timestamp::parse("2023-03-01T00:12:51+01:00").ok());
    assert_eq!((event.currency, &event.authorisation), (Currency::EUR, &Authorisation::NotStated));
    assert_eq!(event.call_number.as_str(), TOKEN);
    assert!(!event.complement);
}

#[test]
fn a_voucher_with_its_card_complement() {
    let answer = answered(session(body(fixture!("d2-split"))));
    assert_eq!(answer.standing, Standing::Settled);
    assert_eq!(tenders(&answer), [(VOUCHER, Voucher, 6000, Captured), (CARD, Card, 4000, Captured)]);
    let [voucher, card] = answer.events.as_slice() else { panic!("two events") };
    assert_eq!((voucher.brand.as_str(), card.brand.as_str()), ("ANCV_CONNECT", "CB"));
    assert_eq!((voucher.complement, card.complement), (false, true));
    assert_eq!(card.authorisation.number().map(AuthorisationNumber::as_str), Some("A55A"));
    for event in &answer.events {
        assert_eq!((event.call_number.as_str(), event.order_total), (TOKEN, Some(Cents::new(10_000))));
        assert_eq!(event.order_ref.as_ref().map(OrderRef::as_str), Some("CMD-1001"));
        assert_eq!((event.amount_from, event.itemised), (AmountFrom::Part, true));
        assert_eq!((event.status.code.as_str(), event.status.reading), ("00000", Known));
    }
    assert_eq!(answer.questions, [], "nothing was known before");
}

#[test]
fn the_prefixes_of_the_answer_do_not_matter() {
    let payment = split();
    for prefixes in ALL_PREFIXES {
        let answer = answered(session(&payment.as_session(prefixes)));
        assert_eq!(answer, paid(&payment), "{prefixes:?}");
        let cancelled = answered(session(&answers::session_result(("02319", "CANCELLED"), prefixes)));
        assert_eq!((cancelled.standing, cancelled.events), (Standing::Settled, vec![]));
    }
}

#[test]
fn the_place_of_a_part_decides_nothing() {
    let mut reversed = split();
    reversed.legs.reverse();
    let mut tenders_of_both =
        tenders(&paid(&reversed)).iter().map(|t| (t.0.to_owned(), t.1, t.2)).collect::<Vec<_>>();
    tenders_of_both.reverse();
    let expected: Vec<_> = tenders(&paid(&split())).iter().map(|t| (t.0.to_owned(), t.1, t.2)).collect();
    assert_eq!(tenders_of_both, expected);
    let flags: Vec<_> = paid(&reversed).events.iter().map(|event| event.complement).collect();
    assert_eq!(flags, [true, false]);
}

#[test]
fn a_complement_that_stands_in_both_places_is_one_transaction() {
    let mut twice = split();
    twice.legs = vec![split().legs[1].clone(), split().legs[1].clone(), split().legs[0].clone()];
    assert_eq!(tenders(&paid(&twice)), [(CARD, Card, 4000, Captured), (VOUCHER, Voucher, 6000, Captured)]);

    twice.legs[1].amount = Cents::new(1);
    assert!(matches!(session(&twice.as_session(Prefixes::Both)), Step::Failed(NoAnswer::Trouble(_))));
}

#[test]
fn several_complements_and_none() {
    let mut three = split();
    three.legs[1].amount = Cents::new(1000);
    three.legs.push(leg("24342100000003", "VISA", "OTHER", 3000));
    let answer = paid(&three);
    assert_eq!(tenders(&answer)[2], ("24342100000003", Card, 3000, Captured));
    assert!(answer.events[1].complement && answer.events[2].complement);

    let mut alone = split();
    alone.legs.truncate(1);
    assert_eq!(tenders(&paid(&alone)), [(VOUCHER, Voucher, 6000, Captured)]);

    let with = |complements: usize| {
        let cards = (0..complements).map(|n| leg(&format!("T{n}"), "CB", "CB_TEST", 1));
        let payment = Payment { legs: alone.legs.iter().cloned().chain(cards).collect(), ..split() };
        session(&payment.as_session(Prefixes::Both))
    };
    assert_eq!(answered(with(100)).events.len(), 101);
    assert!(matches!(with(101), Step::Failed(NoAnswer::Trouble(_))), "more than the WSDL allows");
}

#[test]
fn the_contract_tells_what_a_part_is_before_any_name() {
    let part = |method: &str, contract: &str| {
        let mut payment = split();
        payment.legs = vec![leg("1", method, contract, 10_000)];
        let event = paid(&payment).events.remove(0);
        (event.instrument, event.brand.as_str().to_owned(), event.status.reading)
    };
    assert_eq!(part("CB", "ANCV_TEST"), (Voucher, "CB".to_owned(), Known));
    assert_eq!(part("ANCV_CONNECT", "CB_TEST"), (Card, "ANCV_CONNECT".to_owned(), Known));
    assert_eq!(part("", "ANCV_TEST"), (Voucher, "ANCV_TEST".to_owned(), Known));
    assert_eq!(part("ANCV_CONNECT", "OTHER"), (Voucher, "ANCV_CONNECT".to_owned(), Known));
    assert_eq!(part("ancv_connect", ""), (Voucher, "ancv_connect".to_owned(), Known));
    assert_eq!(part("VISA", "OTHER"), (Card, "VISA".to_owned(), Known));
    // Nothing tells: its money counts, and a person is told.
    assert_eq!(part("SOMETHING", "OTHER"), (Card, "SOMETHING".to_owned(), Attention));
    assert_eq!(part("", ""), (Card, "UNKNOWN".to_owned(), Attention));
}

#[test]
fn an_action_that_only_authorises_is_not_captured() {
    let mut payment = split();
    payment.legs[1].action = "100";
    let states: Vec<_> = paid(&payment).events.iter().map(|event| event.state).collect();
    assert_eq!(states, [Captured, Authorised]);
}

#[test]
fn a_main_amount_that_may_include_the_complement_is_not_taken_for_its_own() {
    let mut payment = split();
    payment.legs[0].amount = Cents::new(10_000);
    let answer = paid(&payment);
    assert_eq!(answer.events[0].amount_from, AmountFrom::OrderTotal);
    assert_eq!(answer.events[1].amount_from, AmountFrom::Part);

    payment.legs[1].amount = Cents::ZERO;
    assert_eq!(paid(&payment).events[0].amount_from, AmountFrom::Part, "the sum is the order's");
}

#[test]
fn an_amount_that_cannot_be_read_books_nothing_of_the_session() {
    let split = body(fixture!("d2-split"));
    for (from, to) in [
        ("<obj:amount>4000</obj:amount>", "<obj:amount>40.00</obj:amount>"),
        ("<obj:amount>4000</obj:amount>", "<obj:amount/>"),
        ("<obj:amount>4000</obj:amount>", ""),
        ("<obj:amount>6000</obj:amount>", "<obj:amount>-6000</obj:amount>"),
        ("<obj:amount>6000</obj:amount>", "<obj:amount>1234567890123</obj:amount>"),
    ] {
        let damaged = split.replacen(from, to, 1);
        assert_ne!(damaged, split);
        assert!(matches!(session(&damaged), Step::Failed(NoAnswer::Trouble(_))), "{to}");
    }
}

#[test]
fn a_part_without_a_transaction_is_none_and_a_total_may_be_missing() {
    let mut payment = split();
    payment.legs.push(leg("", "CB", "CB_TEST", 1));
    assert_eq!(paid(&payment).events.len(), 2);
    payment.order = None;
    let answer = paid(&payment);
    assert!(answer.remark.is_some());
    assert!(answer.events.iter().all(|event| event.order_total.is_none() && !event.itemised));
}

#[test]
fn a_payment_without_any_transaction_is_no_payment() {
    let approved = |code| session(&answers::session_result((code, "ACCEPTED"), Prefixes::Both));
    assert!(matches!(approved("00000"), Step::Failed(NoAnswer::Trouble(_))));
    let wallet = answered(approved("02500"));
    assert_eq!((wallet.standing, wallet.events), (Standing::Settled, vec![]));
}

#[test]
fn money_at_risk_is_recorded_and_shown_to_a_person() {
    for code in ["04001", "04003"] {
        let answer = paid(&Payment { result: (code, "PENDING_RISK"), ..split() });
        assert_eq!(tenders(&answer), tenders(&paid(&split())));
        assert!(answer.events.iter().all(|event| event.status.reading == Attention));
        assert!(answer.remark.is_some());
    }
}

#[test]
fn a_code_outside_the_tables_follows_its_word() {
    let answer = paid(&Payment { result: ("02400", "ACCEPTED"), ..split() });
    assert!(answer.events.iter().all(|event| event.status.reading == StatusReading::Unknown));
    assert_eq!(tenders(&answer), tenders(&paid(&split())));
    let nonsense = Payment { result: ("55555", "PERHAPS"), ..split() };
    assert!(matches!(session(&nonsense.as_session(Prefixes::Both)), Step::Failed(NoAnswer::Trouble(_))));
}

#[test]
fn code_and_word_that_disagree_book_nothing_and_are_asked_again() {
    let answer = paid(&Payment { result: ("00000", "REFUSED"), ..split() });
    assert_eq!(answer.standing, Standing::Unsettled);
    for event in &answer.events {
        assert_eq!((event.state, event.status.reading), (ReportedState::Pending, Attention));
        assert_eq!(event.status.code, "00000/REFUSED");
    }
    assert_eq!(answer.events.len(), 2);
}

#[test]
fn what_is_not_paid_leaves_no_money() {
    let cancelled = answered(session(body(fixture!("d3-cancelled"))));
    assert_eq!((cancelled.standing, cancelled.events), (Standing::Settled, vec![]));
    assert_eq!(cancelled.remark.as_deref(), Some("Monext answers 02319: cancelled by the buyer"));
    let waiting = answered(session(body(fixture!("d6-in-progress"))));
    assert_eq!((waiting.standing, waiting.events), (Standing::Unsettled, vec![]));

    let mut alone = split();
    alone.legs.truncate(1);
    for (result, state) in [
        (("02020", "REFUSED"), ReportedState::Refused),
        (("01182", "ERROR"), ReportedState::Refused),
        (("02319", "CANCELLED"), ReportedState::Abandoned),
        (("02004", "CANCELLED"), ReportedState::Cancelled),
    ] {
        let answer = paid(&Payment { result, ..alone.clone() });
        assert_eq!(tenders(&answer), [(VOUCHER, Voucher, 6000, state)], "{result:?}");
        assert_eq!(answer.standing, Standing::Settled);
    }
}

#[test]
fn a_failed_session_of_several_parts_is_asked_part_by_part() {
    let answer = paid(&Payment { result: ("01100", "REFUSED"), ..split() });
    assert_eq!(answer.events, []);
    assert_eq!(answer.questions, [question(Topic::Transaction, VOUCHER), question(Topic::Transaction, CARD)]);
}

#[test]
fn how_an_answer_stands() {
    let standing = |code, word| match session(&answers::session_result((code, word), Prefixes::Both)) {
        Step::Answered(answer) => Ok((answer.standing, answer.events.len())),
        Step::Failed(NoAnswer::Trouble(_)) => Err("trouble"),
        Step::Failed(NoAnswer::Setting(_)) => Err("setting"),
        Step::Call(_) => Err("call"),
    };
    for code in ["02000", "02005", "02006", "02015", "02016", "02017", "02306", "02533"] {
        assert_eq!(standing(code, "INPROGRESS"), Ok((Standing::Unsettled, 0)), "{code}");
    }
    for code in ["02304", "02319", "02324", "02534", "02001", "01913", "02008", "02313"] {
        assert_eq!(standing(code, "ERROR"), Ok((Standing::Settled, 0)), "{code}");
    }
    for code in ["02317", "02318", "02305"] {
        assert_eq!(standing(code, "ERROR"), Ok((Standing::Unknown, 0)), "{code}");
    }
    for code in ["02101", "02106", "04901", "01196", "01199"] {
        assert_eq!(standing(code, "ERROR"), Err("trouble"), "{code}");
    }
    for code in ["09101", "09102", "09104", "09201", "04902"] {
        assert_eq!(standing(code, "ERROR"), Err("setting"), "{code}");
    }
}

#[test]
fn a_payment_that_is_asked_about_again_is_asked_about_in_full() {
    let known = paid(&split()).events;
    let adapter = monext();
    let again = adapter.again(&known[1]).expect("a question");
    assert_eq!(again, question(Topic::Session, TOKEN));
    let answer = answered(step(&adapter, &again, &known, &[ok(&split().as_session(Prefixes::Both))]));
    assert_eq!(answer.events, known);
    assert_eq!(answer.questions, [question(Topic::Transaction, VOUCHER), question(Topic::Transaction, CARD)]);
    assert_eq!(known[0].operation, Operation::Debit);
}

proptest! {
    #[test]
    fn the_money_of_an_answer_is_the_money_of_its_parts(
        amounts in proptest::collection::vec(0_i64..1_000_000_000_000, 1..20),
        total in 0_i64..1_000_000_000_000,
    ) {
        let legs: Vec<_> = amounts
            .iter()
            .enumerate()
            .map(|(n, cents)| leg(&format!("T{n}"), if n % 2 == 0 { "CB" } else { "ANCV_CONNECT" }, "", *cents))
            .collect();
        let order = Some(("R".to_owned(), Cents::new(total)));
        let answer = paid(&Payment { order, legs, ..split() });
        let booked: Vec<_> = answer.events.iter().map(|event| event.amount.get()).collect();
        prop_assert_eq!(booked, amounts);
    }
}
