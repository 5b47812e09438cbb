//! Questions to the PSPs' APIs: raised by the log, answered into it, and told of when an answer is missing.

use cvco_domain::{Asking, Question, Standing, Subject, Topic};
use cvco_log::entry::{Answer, Hint, Inquiry, Reason};

use super::*;

pub(super) fn monext() -> EndpointRef {
    EndpointRef { psp: Psp::Monext, ..up2pay() }
}

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
pub(super) fn hint(question: Question) -> LogEntry {
    LogEntry::Hint(Hint { endpoint: monext(), origin: Origin::Call, questions: vec![question], remark: None })
}

fn answer(question: Question, asked_at: Timestamp, standing: Standing, events: Vec<Event>) -> LogEntry {
    LogEntry::Answer(Answer {
        endpoint: monext(),
        question,
        asked_at,
        standing,
        events,
        questions: Vec::new(),
        remark: None,
    })
}

pub(super) fn settled(question: Question, asked_at: Timestamp, events: Vec<Event>) -> LogEntry {
    answer(question, asked_at, Standing::Settled, events)
}

pub(super) fn undecided(question: Question, asked_at: Timestamp) -> LogEntry {
    answer(question, asked_at, Standing::Unsettled, Vec::new())
}

pub(super) fn inquiry(questions: Vec<Question>) -> LogEntry {
    LogEntry::Inquiry(Inquiry { endpoint: monext(), reason: Reason::CatchUp, questions })
}

fn open_kinds(book: &Book) -> Vec<String> {
    book.texts("SELECT kind || ' ' || detail FROM discrepancies WHERE closed_at IS NULL ORDER BY id")
}

const ASKED: &str = "SELECT state || ' ' || asked_at FROM questions";

/// Whoever knows the address can make up sessions without end. What the shop hands over does not wait for them, even where
/// the call about it came first.
#[test]
fn what_the_shop_knows_of_is_asked_before_what_anybody_can_make_up() {
    let mut book = Book::new();
    for n in 0..20 {
        book.take(0, hint(session(&format!("made-up-{n:02}"))));
    }
    book.take(1, hint(session("of-a-customer")));
    let due = |book: &Book| {
        let due = book.reader().questions_due((&monext().endpoint, Psp::Monext), minute(9), 3).expect("read");
        due.into_iter().map(|due| due.question.subject.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(due(&book), ["made-up-00", "made-up-01", "made-up-02"]);
    for token in ["of-a-customer", "handed-over-only"] {
        let questions = vec![session(token)];
        let handed = Hint { endpoint: monext(), origin: Origin::Shop, questions, remark: None };
        book.take(3, LogEntry::Hint(handed));
    }
    assert_eq!(due(&book), ["of-a-customer", "handed-over-only", "made-up-00"]);
}

#[test]
fn a_hint_is_listed_and_asked_about_once_while_it_waits() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    book.take(1, hint(session("a1")));
    assert_eq!(book.texts("SELECT verdict FROM notifications"), ["hint", "hint"]);
    assert_eq!(book.texts("SELECT topic || ' ' || subject FROM questions"), ["session a1"]);
    assert_eq!(book.texts(ASKED), [format!("open {}", minute(0))]);
}

#[test]
fn an_answer_brings_its_facts_and_settles_the_question() {
    let mut book = Book::new();
    book.take(0, registered("CMD-1", 4000));
    book.take(0, hint(session("a1")));
    book.take(1, settled(session("a1"), minute(0), voucher("CMD-1", 4000).events));
    assert_eq!(book.texts("SELECT state || ' ' || order_id FROM questions"), ["settled 1"]);
    assert_eq!(
        book.texts("SELECT psp || ' ' || voucher_cents || state FROM records"),
        ["monext 4000balanced"]
    );
    book.take(2, hint(session("a1")));
    assert_eq!(book.texts("SELECT state FROM questions"), ["settled"], "answered a minute ago");
    book.take(12, hint(session("a1")));
    assert_eq!(book.texts(ASKED), [format!("open {}", minute(12))], "asked once more");
}

#[test]
fn a_second_hint_about_what_was_not_paid_yet_is_asked_about_later() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    // The first card was refused; the customer takes another one.
    book.take(1, settled(session("a1"), minute(0), Vec::new()));
    for minutes in [2, 3] {
        book.take(minutes, hint(session("a1")));
        assert_eq!(book.texts(ASKED), [format!("open {}", minute(11))], "ten minutes after the answer");
    }
    // Who is not known is not asked about again so soon.
    book.take(12, answer(session("a1"), minute(11), Standing::Unknown, Vec::new()));
    book.take(13, hint(session("a1")));
    assert_eq!(book.texts("SELECT state FROM questions"), ["unknown"]);
}

#[test]
fn a_second_hint_about_a_paid_transaction_is_asked_about_later() {
    let mut book = Book::new();
    let question = || transaction("t1", Asking::Sparingly);
    book.take(0, registered("CMD-1", 4000));
    book.take(0, hint(question()));
    book.take(1, settled(question(), minute(0), voucher("CMD-1", 4000).events));
    assert_eq!(book.texts("SELECT state FROM records"), ["balanced"]);
    // Perhaps a refund.
    book.take(2, hint(question()));
    assert_eq!(book.texts(ASKED), [format!("open {}", minute(11))]);
}

#[test]
fn an_answer_that_is_awaited_too_long_is_told_once_for_the_endpoint_and_closes_by_itself() {
    let mut book = Book::new();
    for token in ["a1", "a2", "a3"] {
        book.take(0, hint(session(token)));
    }
    book.wait_until(14);
    assert_eq!(open_kinds(&book), [""; 0]);
    book.wait_until(15);
    assert_eq!(open_kinds(&book), ["unconfirmed 3: session a1"]);
    for (minutes, token) in [(60, "a1"), (61, "a2"), (62, "a3")] {
        assert_eq!(book.discrepancies(), [seen("unconfirmed", 15, None)]);
        book.take(minutes, settled(session(token), minute(0), Vec::new()));
    }
    assert_eq!(book.discrepancies(), [seen("unconfirmed", 15, Some(62))]);
}

/// Counting what is overdue takes as long as there is of it: once for each would hold the fold up, just when an API is
/// down.
#[test]
fn many_answers_that_become_overdue_together_are_counted_together() {
    let mut book = Book::new();
    book.take(0, inquiry((0..100).map(|n| session(&format!("a{n:02}"))).collect()));
    book.ledger
        .connection()
        .execute_batch(
            "CREATE TEMP TABLE written (detail);
             CREATE TEMP TRIGGER inserted AFTER INSERT ON discrepancies BEGIN INSERT INTO written VALUES (NEW.detail); END;
             CREATE TEMP TRIGGER updated AFTER UPDATE ON discrepancies BEGIN INSERT INTO written VALUES (NEW.detail); END;",
        )
        .expect("watched");
    book.wait_until(15);
    assert_eq!(open_kinds(&book), ["unconfirmed 100: session a00"]);
    assert_eq!(book.count("written"), 2, "told at once, and at the end how many");
}

#[test]
fn a_psp_that_has_not_decided_is_not_overdue_for_a_day_from_its_first_word_on() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    book.take(1, undecided(session("a1"), minute(0)));
    book.take(2, undecided(session("a1"), minute(0)));
    book.wait_until(DAY);
    assert_eq!(open_kinds(&book), [""; 0]);
    book.wait_until(DAY + 1);
    assert_eq!(open_kinds(&book), ["unconfirmed 1: session a1"]);
}

#[test]
fn an_answer_that_is_given_up_stays_with_a_person() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    book.take(5000, answer(session("a1"), minute(0), Standing::GivenUp, Vec::new()));
    assert_eq!(open_kinds(&book), ["unconfirmed 1: session a1"]);
    // Asked again by hand, and answered.
    book.take(6000, inquiry(vec![session("a1")]));
    book.take(6001, settled(session("a1"), minute(6000), Vec::new()));
    assert_eq!(open_kinds(&book), [""; 0]);
}

#[test]
fn an_answer_to_a_question_that_was_raised_again_meanwhile_is_not_the_last_word() {
    let mut book = Book::new();
    let question = || transaction("t1", Asking::Again);
    book.take(0, inquiry(vec![question()]));
    book.take(2, inquiry(vec![question()]));
    book.take(3, settled(question(), minute(0), Vec::new()));
    assert_eq!(book.texts("SELECT state FROM questions"), ["open"]);
    book.take(4, settled(question(), minute(2), Vec::new()));
    assert_eq!(book.texts("SELECT state FROM questions"), ["settled"]);
}

#[test]
fn an_answer_that_is_too_old_leaves_a_question_as_overdue_as_it_is() {
    let mut book = Book::new();
    let question = || transaction("t1", Asking::Again);
    book.take(0, inquiry(vec![question()]));
    book.take(20, inquiry(vec![question()]));
    assert_eq!(open_kinds(&book), ["unconfirmed 1: transaction t1"]);
    for (minutes, standing) in [(21, Standing::Settled), (22, Standing::GivenUp)] {
        book.take(minutes, answer(question(), minute(0), standing, Vec::new()));
        assert_eq!(book.texts("SELECT state || overdue FROM questions"), ["open1"], "{standing:?}");
        assert_eq!(open_kinds(&book), ["unconfirmed 1: transaction t1"], "{standing:?}");
    }
    book.take(23, settled(question(), minute(20), Vec::new()));
    assert_eq!(open_kinds(&book), [""; 0]);
}

#[test]
fn news_about_what_the_psp_has_not_decided_is_asked_about_at_once() {
    let mut book = Book::new();
    let question = || transaction("t1", Asking::Again);
    book.take(0, inquiry(vec![question()]));
    let key = crate::question_key(&endpoint("camping-up2pay"), &question());
    book.ledger.note_attempt(&key, minute(60), None).expect("noted");
    book.take(1, inquiry(vec![question()]));
    assert_eq!(book.count("attempts"), 0, "not in an hour");
}

#[test]
fn an_answer_that_nobody_sought_leaves_no_trace() {
    let mut book = Book::new();
    book.take(0, settled(session("a1"), minute(0), card("CMD-1", 4000).events));
    assert_eq!((book.count("orders"), book.count("questions")), (0, 0));
}

#[test]
fn the_last_answer_is_believed_even_if_it_was_given_before() {
    let mut book = Book::new();
    let question = || transaction("t1", Asking::Again);
    for (minutes, cents) in [(0, 6000), (2, 5000), (4, 6000), (6, 6000)] {
        book.take(minutes, inquiry(vec![question()]));
        book.take(minutes + 1, settled(question(), minute(minutes), voucher("CMD-1", cents).events));
        assert_eq!(book.texts("SELECT voucher_cents FROM records"), [cents.to_string()]);
    }
    assert_eq!(book.count("facts"), 3, "one that only repeats the last says nothing");
}

#[test]
fn each_question_belongs_to_the_order_that_it_is_about() {
    let mut book = Book::new();
    let events: Vec<_> = ["A", "B"].iter().flat_map(|order| voucher(order, 6000).events).collect();
    let about = |id: &str| transaction(id, Asking::Again);
    let questions = vec![about("B-CVCONNECT"), about("A-CVCONNECT")];
    book.take(0, Notification { questions, ..notification(events) });
    let of = "SELECT subject || ' ' || reference FROM questions JOIN orders USING (order_id) ORDER BY 1";
    assert_eq!(book.texts(of), ["A-CVCONNECT A", "B-CVCONNECT B"]);
}

#[test]
fn a_duplicate_raises_no_question() {
    let mut book = Book::new();
    let told = || Notification { questions: vec![transaction("t1", Asking::Again)], ..voucher("A", 6000) };
    book.take(0, told());
    book.take(5, told());
    assert_eq!(book.texts(ASKED), [format!("open {}", minute(0))]);
}

#[test]
fn what_the_ledger_knows_is_not_asked_once_more() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    let events = card("CMD-1", 4000).events;
    let known = events[0].tender_id.clone().expect("a transaction").to_string();
    book.take(1, settled(session("a1"), minute(0), events));
    book.take(2, inquiry(vec![transaction(&known, Asking::Once), transaction("t9", Asking::Once)]));
    let asked = "SELECT subject FROM questions WHERE topic = 'transaction'";
    assert_eq!(book.texts(asked), ["t9"]);
}

#[test]
fn what_waits_is_handed_out_when_its_time_has_come() {
    let mut book = Book::new();
    book.take(0, hint(session("a1")));
    book.take(1, hint(session("a2")));
    let key = crate::question_key(&endpoint("camping-up2pay"), &session("a1"));
    book.ledger.note_attempt(&key, minute(10), Some("HTTP 503")).expect("noted");
    assert_eq!(book.reader().attempts(&key).expect("read"), 1);
    let asked = "SELECT subject || ' ' || COALESCE(attempts, 0) || ' ' || COALESCE(last_error, '-') FROM acct_confirmations ORDER BY 1";
    assert_eq!(book.texts(asked), ["a1 1 HTTP 503", "a2 0 -"]);
    assert_eq!(book.reader().questions_pending().expect("read"), [(endpoint("camping-up2pay"), 2)]);
}

#[test]
fn a_psp_that_never_decides_about_an_order_that_adds_up_is_nobodys_concern() {
    let undecided_about = |paid: bool| {
        let mut book = Book::new();
        book.take(0, registered("A", 10_000));
        let question = transaction("A-CVCONNECT", Asking::Again);
        book.take(1, Notification { questions: vec![question.clone()], ..voucher("A", 6000) });
        if paid {
            book.take(2, card("A", 4000));
        }
        let answered = |standing| {
            LogEntry::Answer(Answer {
                endpoint: up2pay(),
                question: question.clone(),
                asked_at: minute(3),
                standing,
                events: Vec::new(),
                questions: Vec::new(),
                remark: None,
            })
        };
        book.take(3, answered(Standing::Unsettled));
        book.wait_until(2 * DAY);
        let after_a_day = open_kinds(&book);
        book.take(3 * DAY, answered(Standing::GivenUp));
        (after_a_day, open_kinds(&book))
    };
    let tells = |kinds: &[String]| kinds.iter().any(|kind| kind.starts_with("unconfirmed"));
    let (after_a_day, in_the_end) = undecided_about(true);
    assert!(!tells(&after_a_day) && !tells(&in_the_end), "{after_a_day:?} {in_the_end:?}");
    let (after_a_day, in_the_end) = undecided_about(false);
    assert!(tells(&after_a_day) && tells(&in_the_end), "{after_a_day:?} {in_the_end:?}");
}
