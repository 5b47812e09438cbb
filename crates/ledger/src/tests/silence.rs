//! An endpoint that falls silent: told at the instant at which it is too long by its own habit, and closed by the next
//! call.

use super::*;

/// Six calls a day, for so many days.
fn after_days(days: i64) -> Book {
    let mut book = Book::new();
    book.append(minute(0), watching());
    for call in 0..days * 6 {
        let reference = format!("S{call}");
        let at = minute((call / 6) * DAY + (call % 6) * 60);
        book.append(at, registered(&reference, 6000));
        book.append(at, voucher(&reference, 6000).saying(ReportedState::Captured));
    }
    book.ledger.catch_up_all(&mut book.log).expect("folded");
    book
}

#[test]
fn it_is_told_once_and_closed_by_the_next_call() {
    let mut book = after_days(28);
    assert_eq!(book.discrepancies(), [], "its nights are its habit");
    book.wait_until(60 * DAY);
    let told = book.discrepancies();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].kind.as_str(), told[0].closed), ("endpoint_silent", None));
    assert!((28 * DAY..35 * DAY).contains(&told[0].opened), "{told:?}");
    assert_eq!(book.texts("SELECT endpoint FROM acct_discrepancies"), ["camping-up2pay"]);
    book.take(61 * DAY, voucher("S1", 6000).saying(ReportedState::Captured));
    assert_eq!(book.discrepancies()[0].closed, Some(61 * DAY), "a repetition is a sign of life too");
}

#[test]
fn a_quiet_endpoint_keeps_its_habit_while_it_is_waited_out() {
    // Five calls a week for ten weeks: silence is too long after more than two weeks.
    let mut book = Book::new();
    book.append(minute(0), watching());
    for call in 0..50 {
        let told = voucher(&format!("S{call}"), 6000).saying(ReportedState::Captured);
        book.append(minute((call / 5) * 7 * DAY + (call % 5) * DAY), told);
    }
    book.wait_until(200 * DAY);
    let silent: Vec<_> =
        book.discrepancies().into_iter().filter(|seen| seen.kind == "endpoint_silent").collect();
    assert_eq!(silent.len(), 1, "{silent:?}");
    let weeks = (silent[0].opened - (9 * 7 + 4) * DAY) / (7 * DAY);
    assert_eq!(weeks, 2, "{silent:?}");
}

#[test]
fn an_endpoint_that_becomes_one_for_trials_is_forgotten() {
    let mut book = after_days(28);
    book.wait_until(60 * DAY);
    book.take(61 * DAY, voucher("S1", 6000).in_mode(Mode::Test));
    assert_eq!(book.discrepancies()[0].closed, Some(61 * DAY));
    assert_eq!(book.count("endpoints"), 0);
}

#[test]
fn it_makes_no_difference_how_often_time_is_announced() {
    let (mut often, mut once) = (after_days(28), after_days(28));
    for hour in 0..24 * 10 {
        often.append(minute(27 * DAY + 5 * 60 + hour * 60), LogEntry::Time);
    }
    often.wait_until(60 * DAY);
    once.wait_until(60 * DAY);
    assert_eq!(often.discrepancies(), once.discrepancies());
}

#[test]
fn without_a_habit_nothing_is_told() {
    let mut book = after_days(5);
    book.wait_until(60 * DAY);
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn a_trial_endpoint_and_one_that_is_not_configured_are_not_watched() {
    let mut book = Book::new();
    book.take(0, watching());
    book.take(1, voucher("A", 6000).in_mode(Mode::Test));
    book.take(2, voucher("B", 6000).at_endpoint("another"));
    let mut by_mail = voucher("C", 6000);
    by_mail.origin = Origin::Mail;
    book.take(3, by_mail);
    assert_eq!((book.count("endpoints"), book.count("heard_hours")), (0, 0));
}

#[test]
fn an_endpoint_that_leaves_the_configuration_is_forgotten_and_its_silence_closed() {
    let mut book = after_days(28);
    book.wait_until(60 * DAY);
    book.take(60 * DAY, Policy::default());
    assert_eq!(book.discrepancies()[0].closed, Some(60 * DAY));
    assert_eq!((book.count("endpoints"), book.count("heard_hours")), (0, 0));
}

#[test]
fn hours_older_than_eight_weeks_are_forgotten() {
    let mut book = after_days(100);
    book.wait_until(101 * DAY);
    let hours = book.count("heard_hours");
    assert!((56 * 6 - 12..=63 * 6).contains(&hours), "{hours}");
}
