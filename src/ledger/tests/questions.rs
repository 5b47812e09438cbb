//! Questions to the PSPs' APIs: raised by the log, answered into it, and told of when an answer is missing.

use cvco_domain::{Asking, Question, Standing, Subject, Topic};

use super::*;
use crate::ledger::{Confirmation, Inquiry, Reader, Reason};

pub(super) fn session(token: &str) -> Question {
    Question {
        topic: Topic::Session,
        subject: Subject::new(token).expect("a subject"),
        asking: Asking::Sparingly,
    }
}

fn transaction(id: &str, asking: Asking) -> Question {
    Question { topic: Topic::Transaction, subject: Subject::new(id).expect("a subject"), asking }
}

/// An unsigned call that only says what to ask.
pub(super) fn hint(question: Question) -> Entry {
    Entry::Notification(Notification {
        psp: Psp::Monext,
        questions: vec![question],
        ..notification(Vec::new())
    })
}

fn answer(question: Question, asked_at: Timestamp, standing: Standing, events: Vec<Event>) -> Entry {
    let Notification { shop, endpoint, mode, events, payload_sha256, .. } = notification(events);
    Entry::Confirmation(Confirmation {
        shop,
        endpoint,
        psp: Psp::Monext,
        mode,
        question,
        asked_at,
        standing,
        events,
        questions: Vec::new(),
        remark: None,
        payload_sha256,
    })
}

fn inquiry(questions: Vec<Question>) -> Entry {
    let Notification { shop, endpoint, .. } = notification(Vec::new());
    Entry::Inquiry(Inquiry { shop, endpoint, psp: Psp::Monext, reason: Reason::CatchUp, questions })
}

fn open_kinds(ledger: &Book) -> Vec<String> {
    ledger.texts("SELECT kind || ' ' || detail FROM discrepancies WHERE closed_at IS NULL ORDER BY id")
}

#[test]
fn a_hint_is_stored_once_and_asked_about() {
    let mut ledger = Book::new();
    let taken = ledger.take(0, hint(session("a1")));
    assert!(matches!(taken, Taken::Written { verdict: Some(Verdict::Hint), .. }), "{taken:?}");
    assert_eq!(ledger.take(1, hint(session("a1"))), Taken::Unchanged, "nothing new to keep");
    assert_eq!(
        ledger.texts("SELECT topic || ' ' || subject || ' ' || state FROM questions"),
        ["session a1 open"]
    );
}

#[test]
fn an_answer_brings_its_facts_and_settles_the_question() {
    let mut ledger = Book::new();
    ledger.take(0, registered("CMD-1", 4000));
    ledger.take(0, hint(session("a1")));
    let events = voucher("CMD-1", 4000).events;
    ledger.take(1, answer(session("a1"), minute(0), Standing::Settled, events));
    assert_eq!(ledger.texts("SELECT state || ' ' || order_id FROM questions"), ["settled 1"]);
    assert_eq!(
        ledger.texts("SELECT psp || ' ' || voucher_cents || state FROM records"),
        ["monext 4000balanced"]
    );
    assert_eq!(ledger.take(2, hint(session("a1"))), Taken::Unchanged, "answered a minute ago");
    assert!(matches!(ledger.take(12, hint(session("a1"))), Taken::Written { .. }), "asked afresh");
}

#[test]
fn a_second_hint_about_what_was_not_paid_yet_is_asked_about_later() {
    let mut ledger = Book::new();
    ledger.take(0, hint(session("a1")));
    // The first card was refused; the customer takes another one.
    ledger.take(1, answer(session("a1"), minute(0), Standing::Settled, Vec::new()));
    assert!(matches!(ledger.take(2, hint(session("a1"))), Taken::Written { .. }));
    assert_eq!(ledger.take(3, hint(session("a1"))), Taken::Unchanged, "it will be asked about");
    let asked = "SELECT state || ' ' || asked_at FROM questions";
    assert_eq!(ledger.texts(asked), [format!("open {}", minute(11))]);
    // Who is not known is not asked about again so soon.
    ledger.take(12, answer(session("a1"), minute(11), Standing::Unknown, Vec::new()));
    assert_eq!(ledger.take(13, hint(session("a1"))), Taken::Unchanged);
}

#[test]
fn a_second_hint_about_a_paid_transaction_is_asked_about_later() {
    let mut ledger = Book::new();
    let question = || transaction("t1", Asking::Sparingly);
    ledger.take(0, Entry::Policy(Policy::default()));
    ledger.take(0, registered("CMD-1", 4000));
    ledger.take(0, hint(question()));
    ledger.take(1, answer(question(), minute(0), Standing::Settled, voucher("CMD-1", 4000).events));
    assert_eq!(ledger.texts("SELECT state FROM records"), ["balanced"]);
    // Perhaps a refund.
    assert!(matches!(ledger.take(2, hint(question())), Taken::Written { .. }));
    assert_eq!(ledger.take(3, hint(question())), Taken::Unchanged, "it will be asked about");
    assert_eq!(
        ledger.texts("SELECT state || ' ' || asked_at FROM questions"),
        [format!("open {}", minute(11))]
    );
}

#[test]
fn an_answer_that_is_awaited_too_long_is_told_once_for_the_endpoint_and_closes_by_itself() {
    let mut ledger = Book::new();
    for token in ["a1", "a2", "a3"] {
        ledger.take(0, hint(session(token)));
    }
    ledger.sweep(minute(14));
    assert_eq!(open_kinds(&ledger), [""; 0]);
    ledger.sweep(minute(15));
    assert_eq!(open_kinds(&ledger), ["unconfirmed 3: session a1"]);
    for (n, token) in ["a1", "a2", "a3"].into_iter().enumerate() {
        assert_eq!(ledger.texts("SELECT id || kind FROM discrepancies"), ["1unconfirmed"]);
        let minutes = 60 + i64::try_from(n).expect("small");
        ledger.take(minutes, answer(session(token), minute(0), Standing::Settled, Vec::new()));
    }
    assert_eq!(open_kinds(&ledger), [""; 0]);
    assert_eq!(ledger.texts("SELECT closed_at FROM discrepancies"), [minute(62).to_string()]);
}

/// Counting what is overdue takes as long as there is of it: once for each would stop the only writer for a long time,
/// just when an API is down.
#[test]
fn many_answers_that_become_overdue_together_are_counted_together() {
    let mut ledger = Book::new();
    ledger.take(0, inquiry((0..100).map(|n| session(&format!("a{n:02}"))).collect()));
    ledger
        .conn
        .execute_batch(
            "CREATE TEMP TABLE written (detail);
             CREATE TEMP TRIGGER inserted AFTER INSERT ON discrepancies BEGIN INSERT INTO written VALUES (NEW.detail); END;
             CREATE TEMP TRIGGER updated AFTER UPDATE ON discrepancies BEGIN INSERT INTO written VALUES (NEW.detail); END;",
        )
        .expect("watched");
    ledger.sweep(minute(15));
    assert_eq!(open_kinds(&ledger), ["unconfirmed 100: session a00"]);
    assert_eq!(
        ledger.texts("SELECT COUNT(*) || '' FROM written"),
        ["2"],
        "told at once, and at the end how many"
    );
}

#[test]
fn a_psp_that_has_not_decided_is_not_overdue_for_a_day() {
    let mut ledger = Book::new();
    ledger.take(0, hint(session("a1")));
    let undecided = || answer(session("a1"), minute(0), Standing::Unsettled, Vec::new());
    assert!(matches!(ledger.take(1, undecided()), Taken::Written { .. }));
    assert_eq!(ledger.take(2, undecided()), Taken::Unchanged, "said already");
    ledger.sweep(minute(24 * 60));
    assert_eq!(open_kinds(&ledger), [""; 0]);
    ledger.sweep(minute(24 * 60 + 1));
    assert_eq!(open_kinds(&ledger), ["unconfirmed 1: session a1"]);
}

#[test]
fn an_answer_that_is_given_up_stays_with_a_person() {
    let mut ledger = Book::new();
    ledger.take(0, hint(session("a1")));
    ledger.take(5000, answer(session("a1"), minute(0), Standing::GivenUp, Vec::new()));
    let unanswered = |since| {
        let reader = Reader::open(&ledger.path()).expect("a reader");
        reader.unanswered_questions((&endpoint("camping-up2pay"), Psp::Monext), since).expect("read").len()
    };
    assert_eq!((unanswered(minute(0)), unanswered(minute(1))), (1, 0), "`catch-up` finds it");
    assert_eq!(open_kinds(&ledger), ["unconfirmed 1: session a1"]);
    // Asked again by hand, and answered.
    ledger.take(6000, inquiry(vec![session("a1")]));
    ledger.take(6001, answer(session("a1"), minute(6000), Standing::Settled, Vec::new()));
    assert_eq!(open_kinds(&ledger), [""; 0]);
}

#[test]
fn an_answer_to_a_question_that_was_raised_again_meanwhile_is_not_the_last_word() {
    let mut ledger = Book::new();
    let question = || transaction("t1", Asking::Afresh);
    ledger.take(0, inquiry(vec![question()]));
    ledger.take(2, inquiry(vec![question()]));
    ledger.take(3, answer(question(), minute(0), Standing::Settled, Vec::new()));
    assert_eq!(ledger.texts("SELECT state FROM questions"), ["open"]);
    ledger.take(4, answer(question(), minute(2), Standing::Settled, Vec::new()));
    assert_eq!(ledger.texts("SELECT state FROM questions"), ["settled"]);
}

#[test]
fn an_answer_that_is_too_old_leaves_a_question_as_overdue_as_it_is() {
    let mut ledger = Book::new();
    let question = || transaction("t1", Asking::Afresh);
    ledger.take(0, inquiry(vec![question()]));
    ledger.take(20, inquiry(vec![question()]));
    assert_eq!(open_kinds(&ledger), ["unconfirmed 1: transaction t1"]);
    for (n, standing) in [(21, Standing::Settled), (22, Standing::GivenUp)] {
        ledger.take(n, answer(question(), minute(0), standing, Vec::new()));
        assert_eq!(ledger.texts("SELECT state || overdue FROM questions"), ["open1"], "{standing:?}");
        assert_eq!(open_kinds(&ledger), ["unconfirmed 1: transaction t1"], "{standing:?}");
    }
    ledger.take(23, answer(question(), minute(20), Standing::Settled, Vec::new()));
    assert_eq!(open_kinds(&ledger), [""; 0]);
}

#[test]
fn news_about_what_the_psp_has_not_decided_is_asked_about_at_once() {
    let mut ledger = Book::new();
    let question = || transaction("t1", Asking::Afresh);
    ledger.take(0, inquiry(vec![question()]));
    let noted = |conn: &Connection| {
        super::super::attempts::again_at(conn, (&endpoint("camping-up2pay"), &question()), minute(60), None)
    };
    ledger.within(|conn, _| noted(conn)).expect("noted");
    ledger.take(1, inquiry(vec![question()]));
    assert_eq!(ledger.count("attempts"), 0, "not in an hour");
}

#[test]
fn an_answer_that_nobody_sought_leaves_no_trace() {
    let mut ledger = Book::new();
    let events = card("CMD-1", 4000).events;
    let taken = ledger.take(0, answer(session("a1"), minute(0), Standing::Settled, events));
    assert_eq!((taken, ledger.count("orders")), (Taken::Unchanged, 0));
}

#[test]
fn the_last_answer_is_believed_even_if_it_was_given_before() {
    let mut ledger = Book::new();
    let question = || transaction("t1", Asking::Afresh);
    for (n, cents) in [(0, 6000), (2, 5000), (4, 6000), (6, 6000)] {
        ledger.take(n, inquiry(vec![question()]));
        let events = voucher("CMD-1", cents).events;
        ledger.take(n + 1, answer(question(), minute(n), Standing::Settled, events));
        assert_eq!(ledger.texts("SELECT voucher_cents FROM records"), [cents.to_string()]);
    }
    assert_eq!(ledger.count("events"), 3, "one that only repeats the last says nothing");
}

#[test]
fn each_question_belongs_to_the_order_that_it_is_about() {
    let mut ledger = Book::new();
    let events: Vec<_> = ["A", "B"].iter().flat_map(|order| voucher(order, 6000).events).collect();
    let about = |id: &str| transaction(id, Asking::Afresh);
    let questions = vec![about("B-CVCONNECT"), about("A-CVCONNECT")];
    ledger.take(0, Notification { questions, ..notification(events) });
    let of = "SELECT subject || ' ' || reference FROM questions JOIN orders USING (order_id) ORDER BY 1";
    assert_eq!(ledger.texts(of), ["A-CVCONNECT A", "B-CVCONNECT B"]);
}

#[test]
fn what_the_ledger_knows_is_not_asked_once_more() {
    let mut ledger = Book::new();
    ledger.take(0, hint(session("a1")));
    let events = card("CMD-1", 4000).events;
    let id = events[0].tender_id.clone().expect("a transaction").to_string();
    ledger.take(1, answer(session("a1"), minute(0), Standing::Settled, events));
    assert_eq!(ledger.take(2, inquiry(vec![transaction(&id, Asking::Once)])), Taken::Unchanged);
    assert!(matches!(ledger.take(2, inquiry(vec![transaction("t9", Asking::Once)])), Taken::Written { .. }));
}

#[test]
fn what_waits_is_handed_out_when_its_time_has_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let mut conn = opened(&path).expect("a ledger");
    let entries = [(minute(0), hint(session("a1"))), (minute(1), hint(session("a2")))];
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).expect("a transaction");
    let mut fold = Fold::resume(&tx).expect("a fold");
    for (at, entry) in &entries {
        fold.take(*at, entry).expect("taken");
    }
    fold.finish().expect("finished");
    let key = (&endpoint("camping-up2pay"), &session("a1"));
    super::super::attempts::again_at(&tx, key, minute(10), Some("HTTP 503")).expect("noted");
    tx.commit().expect("committed");

    let reader = Reader::open(&path).expect("a reader");
    let due = |at| -> Vec<String> {
        let due = reader.questions_due((&endpoint("camping-up2pay"), Psp::Monext), at, 10).expect("read");
        due.iter().map(|due| due.question.subject.to_string()).collect()
    };
    assert_eq!(due(minute(0)), [""; 0], "a1 failed, a2 is not raised yet");
    assert_eq!(due(minute(5)), ["a2"]);
    assert_eq!(due(minute(10)), ["a2", "a1"], "what was never asked comes first");
    let of_another = reader.questions_due((&endpoint("camping-up2pay"), Psp::Worldline), minute(10), 10);
    assert_eq!(of_another.expect("read"), [], "the endpoint is of another PSP now");
    let stranded =
        |psp| reader.questions_of_others(&[(endpoint("camping-up2pay"), psp)]).expect("read").len();
    assert_eq!((stranded(Psp::Monext), stranded(Psp::Worldline)), (0, 2));
}

#[test]
fn a_damaged_order_keeps_no_other_from_being_asked_about() {
    let mut ledger = Book::new();
    for order in ["A", "B"] {
        let questions = vec![transaction(order, Asking::Afresh)];
        ledger.take(0, Notification { questions, ..voucher(order, 6000) });
    }
    ledger.damage("UPDATE log SET content = '{' WHERE seq = 1");
    let reader = Reader::open(&ledger.path()).expect("a reader");
    let due = reader.questions_due((&endpoint("camping-up2pay"), Psp::Up2pay), minute(1), 10).expect("read");
    let known: Vec<_> = due.iter().map(|due| (due.question.subject.as_str(), due.known.len())).collect();
    assert_eq!(known, [("A", 0), ("B", 1)]);
}

#[test]
fn a_psp_that_never_decides_about_an_order_that_adds_up_is_nobodys_concern() {
    let undecided = |paid: bool| {
        let mut ledger = Book::new();
        ledger.take(0, Entry::Policy(Policy::default()));
        ledger.take(0, registered("A", 10_000));
        let mut notified = voucher("A", 6000);
        let question = transaction("A-CVCONNECT", Asking::Afresh);
        notified.questions = vec![question.clone()];
        ledger.take(1, notified.clone());
        if paid {
            ledger.take(2, card("A", 4000));
        }
        let entry = answer(question, minute(3), Standing::Unsettled, Vec::new());
        let Entry::Confirmation(confirmation) = entry else { panic!("an answer") };
        let confirmation = Confirmation { psp: Psp::Up2pay, ..confirmation };
        ledger.take(3, Entry::Confirmation(confirmation.clone()));
        ledger.sweep(minute(2 * 24 * 60));
        let after_a_day = open_kinds(&ledger);
        let given_up = Confirmation { standing: Standing::GivenUp, ..confirmation };
        ledger.take(3 * 24 * 60, Entry::Confirmation(given_up));
        (after_a_day, open_kinds(&ledger))
    };
    assert_eq!(undecided(true), (Vec::new(), Vec::new()));
    let (after_a_day, in_the_end) = undecided(false);
    assert!(after_a_day.iter().any(|kind| kind.starts_with("unconfirmed")), "{after_a_day:?}");
    assert!(in_the_end.iter().any(|kind| kind.starts_with("unconfirmed")), "{in_the_end:?}");
}
