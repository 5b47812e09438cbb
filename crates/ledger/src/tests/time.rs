//! Time: a deadline is applied at the very instant at which it comes, whoever announces it, and however late.

use super::*;

fn missing(opened: i64, closed: Option<i64>) -> Seen {
    seen("complement_missing", opened, closed)
}

fn a_moment_before(minutes: i64) -> Timestamp {
    Timestamp::from_millis(minute(minutes).millis() - 1)
}

/// A voucher of minute 2, whose card part may come until minute 22.
fn half_paid() -> Book {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    book
}

#[test]
fn a_discrepancy_opens_at_the_due_instant_however_late_that_is_announced() {
    for late in [22, 23, 5000] {
        let mut book = half_paid();
        assert_eq!(book.ledger.position().next_deadline, Some(minute(22)));
        book.take_at(a_moment_before(22), LogEntry::Time);
        assert_eq!(book.discrepancies(), [], "not yet");
        book.wait_until(late);
        assert_eq!(book.discrepancies(), [missing(22, None)]);
        assert_eq!(book.texts("SELECT owed_at FROM owed"), [minute(22).to_string()]);
        assert!(!book.is_due(minute(late)), "nothing is due twice");
    }
}

#[test]
fn an_unannounced_deadline_is_applied_before_the_next_entry() {
    let mut book = half_paid();
    book.take(60, card("A", 4000));
    assert_eq!(book.discrepancies(), [missing(22, Some(60))]);
}

#[test]
fn the_last_part_in_time_leaves_no_trace() {
    let mut book = half_paid();
    book.take_at(a_moment_before(22), card("A", 4000));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn an_entry_that_is_dated_at_the_deadline_comes_too_late() {
    let mut book = half_paid();
    book.take(22, card("A", 4000));
    assert_eq!(book.discrepancies(), [missing(22, Some(22))]);
}

#[test]
fn an_entry_never_falls_behind_time_that_was_announced() {
    // The call was timed just before, and reached the log just after.
    let mut book = half_paid();
    book.wait_until(22);
    book.take(21, card("A", 4000));
    assert_eq!(book.discrepancies(), [missing(22, Some(22))]);
}

#[test]
fn each_announcement_brings_the_next_deadline_until_there_is_none() {
    let mut book = lived_in();
    let mut announced = 0;
    while let Some(due) = book.ledger.position().next_deadline.filter(|due| *due < minute(90 * DAY)) {
        book.take_at(due, LogEntry::Time);
        let next = book.ledger.position().next_deadline;
        assert!(next.is_none_or(|next| next > due), "{due} was announced, and is due still");
        announced += 1;
    }
    assert!(announced > 1, "midnights, captures, silence");
}

#[test]
fn a_pause_gives_calls_that_wait_time_to_arrive() {
    let mut book = half_paid();
    book.take(120 + 2, pause(minute(3)));
    assert!(!book.is_due(minute(122 + 9)), "rules of time wait");
    book.take_at(minute(122).after(std::time::Duration::from_secs(1)), card("A", 4000));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), [], "the card part was there in time, and found nobody");
    assert_eq!(book.texts("SELECT state FROM orders"), ["balanced"]);
}

#[test]
fn what_does_not_arrive_after_a_pause_is_missing_from_the_end_of_the_hold_on() {
    for announced in [132, 133, 600] {
        let mut book = half_paid();
        book.take(122, pause(minute(3)));
        assert_eq!(book.ledger.position().next_deadline, Some(minute(132)));
        book.take_at(a_moment_before(132), LogEntry::Time);
        assert_eq!(book.discrepancies(), [], "not yet");
        book.wait_until(announced);
        assert_eq!(book.discrepancies(), [missing(132, None)]);
    }
}

#[test]
fn a_deadline_that_lay_before_the_pause_has_come() {
    let mut book = half_paid();
    book.take(122, pause(minute(30)));
    assert_eq!(book.discrepancies(), [missing(22, None)]);
}

#[test]
fn a_short_pause_holds_rules_of_time_no_longer_than_it_took_itself() {
    let mut book = half_paid();
    book.take(23, pause(minute(21)));
    assert_eq!(book.ledger.position().next_deadline, Some(minute(25)));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), [missing(25, None)]);
}

#[test]
fn of_two_pauses_the_hold_that_ends_last_counts() {
    let mut book = half_paid();
    book.take(122, pause(minute(3)));
    book.take(130, pause(minute(123)));
    assert_eq!(book.ledger.position().next_deadline, Some(minute(137)));
    book.take(136, card("A", 4000));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn a_restart_a_moment_after_hours_of_absence_shortens_no_hold() {
    let mut book = half_paid();
    book.take(122, pause(minute(3)));
    book.take(124, pause(minute(123)));
    assert_eq!(book.ledger.position().next_deadline, Some(minute(132)), "those of the hours still come");
    book.take(131, card("A", 4000));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn a_pause_that_is_dated_ahead_of_its_own_end_holds_nothing_up() {
    let mut book = half_paid();
    book.take(10, pause(minute(50)));
    book.wait_until(600);
    assert_eq!(book.discrepancies(), [missing(22, None)]);
}

#[test]
fn what_is_learned_during_a_hold_is_judged_by_the_time_before_the_pause() {
    let mut book = half_paid();
    book.take(1, registered("B", 8000));
    book.take(122, pause(minute(3)));
    book.take(123, voucher("B", 5000));
    book.wait_until(140);
    assert_eq!(book.discrepancies(), [missing(132, None)], "A's card part alone");
    book.wait_until(143);
    assert_eq!(book.discrepancies(), [missing(132, None), missing(143, None)], "B's grace is its own");
}
