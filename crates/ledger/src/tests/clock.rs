//! A clock that had run ahead: its dates are corrected, and graces run from the correction on.

use cvco_log::entry::ClockCorrection;

use super::*;

/// The year 2099, at the same hour.
fn ahead(minutes: i64) -> Timestamp {
    let start = Timestamp::parse("2099-03-01T10:00:00Z").expect("a time");
    Timestamp::from_millis(start.millis() + minutes * 60_000)
}

fn corrected(from: Timestamp) -> LogEntry {
    LogEntry::Clock(ClockCorrection { from })
}

/// A voucher that came while the clock showed 2099; put right at minute 10.
fn put_right() -> Book {
    let mut book = Book::new();
    book.take(0, watching());
    book.take(1, registered("A", 10_000));
    book.take_at(ahead(0), voucher("A", 6000));
    book.take(10, corrected(ahead(0)));
    book
}

#[test]
fn graces_run_again_from_the_correction_on() {
    let mut book = put_right();
    assert_eq!(book.discrepancies(), [seen("clock_stepped", 10, None)]);
    assert!(!book.is_due(minute(29)));
    book.wait_until(29);
    assert_eq!(book.discrepancies().len(), 1, "not yet");
    book.wait_until(31);
    let missing = book.discrepancies().remove(1);
    assert_eq!(missing.kind, "complement_missing");
    assert!((29..=30).contains(&missing.opened), "{missing:?}");
}

#[test]
fn the_card_part_after_the_correction_balances_the_order() {
    let mut book = put_right();
    book.take(12, card("A", 4000));
    book.wait_until(600);
    assert_eq!(book.texts("SELECT state FROM orders"), ["balanced"]);
    assert_eq!(book.discrepancies(), [seen("clock_stepped", 10, None)]);
}

#[test]
fn a_person_is_told_of_it_for_a_day() {
    let mut book = put_right();
    book.take(11, card("A", 4000));
    let detail = format!("{} {}", ahead(0), minute(10));
    assert_eq!(book.texts("SELECT detail FROM discrepancies"), [detail]);
    book.wait_until(10 + DAY - 1);
    assert_eq!(book.discrepancies()[0].closed, None);
    book.wait_until(10 + DAY + 5);
    assert_eq!(book.discrepancies()[0], seen("clock_stepped", 10, Some(10 + DAY)));
}

#[test]
fn nothing_that_rules_of_time_go_by_stays_in_the_future() {
    let mut book = put_right();
    book.take_at(minute(11), LogEntry::Time);
    let later = format!("> '{}'", minute(11 + DAY));
    for (table, column) in [
        ("facts", "received_at"),
        ("order_versions", "registered_at"),
        ("orders", "next_check_at"),
        ("records", "first_seen_at"),
        ("tenders", "first_seen_at"),
        ("endpoints", "heard_at"),
        ("endpoints", "look_at"),
        ("owed", "owed_at"),
        ("progress", "news_at"),
    ] {
        // Some wait for days, none for years.
        let years = later.replace(&minute(11 + DAY).to_string(), &minute(30 * DAY).to_string());
        assert_eq!(book.count(&format!("{table} WHERE {column} {years}")), 0, "{table}.{column}");
    }
}

#[test]
fn what_was_opened_and_closed_ahead_keeps_its_order() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take_at(ahead(0), voucher("A", 6000));
    book.take_at(ahead(30), LogEntry::Time);
    book.take_at(ahead(40), card("A", 4000));
    book.take(50, corrected(ahead(40)));
    let told = book.discrepancies().remove(0);
    assert_eq!(told.kind, "complement_missing");
    assert!(told.opened <= told.closed.expect("closed") && told.closed <= Some(50), "{told:?}");
    assert_eq!(book.texts("SELECT state FROM orders"), ["balanced"]);
}

#[test]
fn a_question_that_was_raised_ahead_is_overdue_in_time() {
    let mut book = Book::new();
    book.take_at(ahead(0), questions::hint(questions::session("a1")));
    book.take(10, corrected(ahead(0)));
    assert_eq!(
        book.texts("SELECT asked_at || ' ' || overdue_at FROM questions"),
        [format!("{} {}", minute(10), minute(25))]
    );
    book.wait_until(25);
    assert_eq!(book.kinds(), ["clock_stepped", "unconfirmed"]);
}

#[test]
fn a_psp_that_had_not_decided_ahead_has_a_day_from_the_correction_on() {
    let mut book = Book::new();
    book.take(0, questions::hint(questions::session("a1")));
    book.take_at(ahead(0), questions::undecided(questions::session("a1"), minute(0)));
    book.take(10, corrected(ahead(0)));
    book.wait_until(10 + DAY - 1);
    assert_eq!(book.kinds().len(), 2, "the clock, and the answer that was overdue ahead: {:?}", book.kinds());
    assert_eq!(book.texts("SELECT overdue_at FROM questions"), [minute(10 + DAY).to_string()]);
    book.wait_until(10 + DAY);
    assert_eq!(book.texts("SELECT overdue FROM questions"), ["1"]);
}

#[test]
fn an_attempt_that_waits_for_a_date_ahead_need_not_wait() {
    let mut book = put_right();
    book.ledger.note_attempt("a mail", ahead(5), Some("refused")).expect("noted");
    book.take(20, corrected(ahead(0)));
    assert_eq!(book.texts("SELECT attempt_at FROM attempts"), [minute(20).to_string()]);
}

#[test]
fn a_second_correction_keeps_one_discrepancy() {
    let mut book = put_right();
    book.take_at(ahead(0), LogEntry::Time);
    book.take(20, corrected(ahead(0)));
    let stepped: Vec<_> =
        book.discrepancies().into_iter().filter(|seen| seen.kind == "clock_stepped").collect();
    // The first has closed by the clock that was wrong, and its dates were corrected with all others.
    assert_eq!(stepped.last().expect("told").closed, None);
    book.wait_until(20 + DAY);
    assert!(
        book.discrepancies()
            .iter()
            .filter(|seen| seen.kind == "clock_stepped")
            .all(|seen| seen.closed.is_some())
    );
}
