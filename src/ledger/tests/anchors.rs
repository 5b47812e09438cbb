//! Anchors: once a day what the chain was at midnight goes out of the machine, and `verify` goes by it.

use super::super::anchors::{claim, failed, release, sent, stored};
use super::proof::first_flaw;
use super::*;
use crate::ledger::DueAnchor;

/// The first of March, 2026, at this hour in Paris and minute, and so many days later.
fn paris(day: i64, hour: i64, minute: i64) -> Timestamp {
    let midnight = Timestamp::parse_since("2026-03-01").expect("a day");
    Timestamp::from_millis(midnight.millis() + ((day * 24 + hour) * 60 + minute) * 60_000)
}

impl Book {
    fn take_at(&mut self, at: Timestamp, entry: impl Into<Entry>) {
        let entry = entry.into();
        self.within(|_, fold| fold.take(at, &entry)).expect("taken");
    }

    fn anchor(&self, now: Timestamp) -> Option<DueAnchor> {
        claim(&self.conn, now, "host").expect("claimed")
    }

    fn anchor_sent(&self, now: Timestamp) -> Option<(i64, i64, String, String)> {
        let due = self.anchor(now)?;
        sent(&self.conn, due.seq, now).expect("noted");
        Some((due.first_seq, due.seq, due.first_day, due.day))
    }
}

fn told(first_seq: i64, seq: i64, first_day: &str, day: &str) -> (i64, i64, String, String) {
    (first_seq, seq, first_day.to_owned(), day.to_owned())
}

#[test]
fn each_day_that_brought_entries_is_anchored_once_it_is_over() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    book.take_at(paris(0, 23, 59), registered("B", 100));
    assert_eq!(book.anchor_sent(paris(0, 23, 59)), None, "the day goes on");
    assert_eq!(book.anchor_sent(paris(1, 0, 4)), None, "what was timed before midnight may be under way");
    book.take_at(paris(1, 0, 1), registered("C", 100));
    assert_eq!(book.anchor_sent(paris(1, 0, 5)), Some(told(1, 2, "2026-03-01", "2026-03-01")));
    assert_eq!(book.anchor_sent(paris(1, 12, 0)), None, "once");
    assert_eq!(book.anchor_sent(paris(2, 1, 0)), Some(told(3, 3, "2026-03-02", "2026-03-02")));
    assert_eq!(book.anchor_sent(paris(3, 1, 0)), None, "a day without entries");
}

#[test]
fn days_that_were_missed_are_made_up_for_with_one_anchor() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    assert!(book.anchor_sent(paris(1, 1, 0)).is_some());
    book.take_at(paris(1, 10, 0), registered("B", 100));
    book.take_at(paris(3, 10, 0), registered("C", 100));
    assert_eq!(book.anchor_sent(paris(5, 9, 0)), Some(told(2, 3, "2026-03-02", "2026-03-05")));
    assert_eq!(book.anchor_sent(paris(5, 9, 1)), None);
}

#[test]
fn the_days_of_summer_time_are_days() {
    let mut book = Book::new();
    let march_28 = paris(27, 12, 0);
    book.take_at(march_28, registered("A", 100));
    assert_eq!(book.anchor_sent(paris(28, 0, 5)), Some(told(1, 1, "2026-03-28", "2026-03-28")));
    book.take_at(paris(28, 12, 0), registered("B", 100));
    // The day that ends now had 23 hours.
    assert_eq!(book.anchor_sent(paris(28, 23, 4)), None);
    assert_eq!(book.anchor_sent(paris(28, 23, 5)), Some(told(2, 2, "2026-03-29", "2026-03-29")));
}

#[test]
fn a_mail_that_does_not_leave_is_tried_again_and_is_the_same_mail() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    let first = book.anchor(paris(1, 1, 0)).expect("due");
    assert_eq!(book.anchor(paris(1, 1, 1)), None, "being sent");
    failed(&book.conn, first.seq, "refused", paris(1, 1, 1)).expect("noted");
    assert_eq!(book.anchor(paris(1, 1, 1)), None, "not at once");
    assert_eq!(book.anchor(paris(1, 1, 2)), Some(first.clone()));
    // A crash while it was sent.
    release(&book.conn, paris(1, 1, 2)).expect("released");
    assert_eq!(book.anchor(paris(1, 1, 2)), Some(first), "at most one repetition, under the same id");
}

#[test]
fn a_day_is_not_lost_while_the_mail_of_the_day_before_waits() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    let first = book.anchor(paris(1, 1, 0)).expect("due");
    book.take_at(paris(1, 10, 0), registered("B", 100));
    failed(&book.conn, first.seq, "refused", paris(1, 23, 59)).expect("noted");
    assert_eq!(book.anchor_sent(paris(2, 1, 0)), Some(told(1, 1, "2026-03-01", "2026-03-01")));
    assert_eq!(book.anchor_sent(paris(2, 1, 0)), Some(told(2, 2, "2026-03-02", "2026-03-02")));
}

/// A ledger that was forged with all skill after its first day was anchored: chain, progress and fold fit.
fn forged() -> (Book, Anchor) {
    let mut book = lived_in();
    let due = book.anchor(paris(1, 1, 0)).expect("due");
    assert_eq!(due.seq, 8);
    let mailed: Anchor = format!("{}:{}", due.seq, due.hash.to_uppercase()).parse().expect("an anchor");
    assert_eq!(book.proof_with(std::slice::from_ref(&mailed)).flaws, []);
    book.damage("UPDATE log SET content = replace(content, '6000', '5000') WHERE seq IN (4, 7)");
    book.forge_chain(4, true);
    rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    (book, mailed)
}

#[test]
fn a_forged_log_is_found_by_the_anchors_that_the_ledger_keeps() {
    let (book, _) = forged();
    let (place, what) = first_flaw(&book);
    assert_eq!(place, "log entry 8");
    assert_eq!(what, "had another hash when it was anchored after 2026-03-01");
}

#[test]
fn a_forger_who_takes_the_anchors_away_is_found_by_what_was_mailed() {
    let (mut book, mailed) = forged();
    book.damage("DELETE FROM anchors");
    assert_eq!(book.proof().flaws, [], "nothing in the file tells");
    let flaws = book.proof_with(&[mailed]).flaws;
    assert_eq!(flaws[0].place, "log entry 8");
    assert_eq!(flaws[0].what, "had another hash when it was anchored");
}

#[test]
fn a_log_that_was_cut_off_is_found_by_its_anchor() {
    let (mut book, mailed) = (lived_in(), Anchor { seq: 9, hash: "0".repeat(64), day: None });
    book.damaged = true;
    let flaws = book.proof_with(&[mailed]).flaws;
    assert_eq!(
        (flaws[0].place.as_str(), flaws[0].what.as_str()),
        ("log entry 9", "is missing, and was anchored")
    );
}

#[test]
fn an_anchor_is_read_as_it_was_mailed_and_in_no_other_form() {
    let hash = "0123456789abcdef".repeat(4);
    assert!(format!(" 12:{hash} ").parse::<Anchor>().is_ok());
    for wrong in [
        String::new(),
        hash.clone(),
        format!("0:{hash}"),
        format!("x:{hash}"),
        format!("1:{hash}0"),
        "1:".into(),
    ] {
        assert!(wrong.parse::<Anchor>().is_err(), "{wrong}");
    }
}

#[test]
fn anchors_outlive_a_rebuild() {
    let mut book = lived_in();
    book.anchor(paris(1, 1, 0)).expect("due");
    book.damage("DELETE FROM tenders");
    rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    assert_eq!(stored(&book.conn).expect("anchors").len(), 1);
}
