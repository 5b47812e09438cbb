//! E-mails owed: urgent ones at once and alone, the rest by digest, each exactly once, in threads.

use std::time::Duration;

use cvco_domain::News;

use super::super::Claim;
use super::super::outbox::{claim, failed, sent};
use super::acknowledgements::until;
use super::*;

const DIGEST: Duration = Duration::from_mins(15);

fn seconds_after(minutes: i64, seconds: u64) -> Timestamp {
    minute(minutes).after(Duration::from_secs(seconds))
}

impl Book {
    fn claim(&self, at: Timestamp) -> Option<Claim> {
        claim(&self.conn, at, DIGEST, "shop.example").expect("claimed")
    }

    /// Claims and sends all that is due; what each e-mail said.
    fn send_all(&self, at: Timestamp) -> Vec<Vec<(News, i64)>> {
        let mut mails = Vec::new();
        while let Some(mail) = self.claim(at) {
            sent(&self.conn, &mail.message_id, at).expect("noted");
            mails.push(mail.items);
        }
        mails
    }

    /// A discrepancy that waits for a digest: card and voucher do not come to the order.
    fn warn(&mut self, minutes: i64, reference: &str) {
        self.take(minutes, registered(reference, 10_000));
        self.take(minutes, voucher(reference, 6000));
        self.take(minutes, card(reference, 3000));
    }

    fn mend_warning(&mut self, minutes: i64, reference: &str) {
        for part in [voucher(reference, 6000), card(reference, 3000)] {
            self.take(minutes, part.saying(ReportedState::Cancelled));
        }
    }

    /// One that goes at once: other amounts of the same transaction.
    fn alarm(&mut self, minutes: i64, reference: &str) {
        self.take(minutes, registered(reference, 6000));
        self.take(minutes, voucher(reference, 6000));
        self.take(minutes, voucher(reference, 6100));
    }
}

#[test]
fn nothing_is_owed_for_what_is_only_listed() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.sweep(minute(60));
    assert_eq!(book.discrepancies()[0].0, "total_unknown");
    assert_eq!(book.count("outbox"), 0);
}

#[test]
fn urgent_ones_go_at_once_and_alone_before_anything_else() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.alarm(0, "B");
    book.alarm(0, "C");
    let mails = book.send_all(minute(0));
    assert_eq!(mails, [vec![(News::Opened, 2)], vec![(News::Opened, 3)], vec![(News::Opened, 1)]]);
}

#[test]
fn warnings_wait_for_the_digest_of_their_shop() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)), [vec![(News::Opened, 1)]], "the first at once");
    book.warn(1, "B");
    book.warn(2, "C");
    assert_eq!(book.send_all(seconds_after(14, 59)), Vec::<Vec<_>>::new());
    assert_eq!(book.send_all(minute(15)), [vec![(News::Opened, 2), (News::Opened, 3)]]);
    book.alarm(16, "D");
    assert_eq!(book.send_all(minute(16)), [vec![(News::Opened, 4)]], "an alarm does not wait");
}

#[test]
fn each_shop_has_its_own_digest() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)).len(), 1);
    book.warn(1, "B");
    let elsewhere = |part: Notification| part.of_shop("hotel");
    let mut order = registered("A", 10_000);
    if let Entry::Order(order) = &mut order {
        order.shop = shop("hotel");
    }
    book.take(1, order);
    book.take(1, elsewhere(voucher("A", 6000)));
    book.take(1, elsewhere(card("A", 3000)));
    let mail = book.claim(minute(1)).expect("the other shop's");
    assert_eq!((mail.shop.as_str(), mail.items), ("hotel", vec![(News::Opened, 3)]));
    assert_eq!(book.claim(minute(1)), None);
}

#[test]
fn without_a_digest_interval_each_goes_alone() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.warn(0, "B");
    for discrepancy in [1, 2] {
        let mail = claim(&book.conn, minute(0), Duration::ZERO, "h").expect("claimed").expect("a mail");
        assert_eq!(mail.items, [(News::Opened, discrepancy)]);
    }
}

#[test]
fn nothing_is_claimed_twice_until_the_claim_lapses() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let first = book.claim(minute(0)).expect("a mail");
    assert_eq!(book.claim(minute(0)), None);
    assert_eq!(book.claim(seconds_after(1, 59)), None);
    assert_eq!(book.claim(minute(2)), Some(first.clone()), "forgotten by a crash: the same e-mail again");
    sent(&book.conn, &first.message_id, minute(2)).expect("noted");
    assert_eq!(book.claim(minute(60)), None);
}

#[test]
fn what_failed_is_tried_again_ever_later_under_the_same_name() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let mut now = minute(0);
    let first = book.claim(now).expect("a mail");
    for wait in [5, 15, 30, 45, 60, 60, 60] {
        failed(&book.conn, &first.message_id, "connection refused", now).expect("noted");
        let due = now.after(Duration::from_secs(wait));
        assert_eq!(book.claim(Timestamp::from_millis(due.millis() - 1)), None, "after {wait} s");
        now = due;
        assert_eq!(book.claim(now), Some(first.clone()), "after {wait} s");
    }
    assert_eq!(book.texts("SELECT last_error FROM outbox"), ["connection refused"]);
    sent(&book.conn, &first.message_id, now).expect("noted");
    assert_eq!(book.texts("SELECT outcome || COALESCE(last_error, '') FROM outbox"), ["sent"]);
}

#[test]
fn one_failed_mail_does_not_hold_up_another() {
    let mut book = Book::new();
    book.alarm(0, "A");
    book.alarm(0, "B");
    let first = book.claim(minute(0)).expect("a mail");
    failed(&book.conn, &first.message_id, "refused", minute(0)).expect("noted");
    let second = book.claim(minute(0)).expect("another");
    assert_ne!(first.message_id, second.message_id);
}

#[test]
fn what_opened_and_closed_before_anybody_was_told_is_not_told() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.mend_warning(1, "A");
    assert_eq!(book.count("outbox"), 2);
    assert_eq!(book.claim(minute(1)), None);
    assert_eq!(book.texts("SELECT outcome FROM outbox"), ["superseded", "superseded"]);
}

#[test]
fn a_closing_waits_for_its_opening_and_answers_it() {
    let mut book = Book::new();
    book.warn(0, "A");
    let opening = book.claim(minute(0)).expect("a mail");
    assert_eq!(opening.in_reply_to, None);
    book.mend_warning(1, "A");
    failed(&book.conn, &opening.message_id, "refused", minute(1)).expect("noted");
    let again = book.claim(minute(30)).expect("the opening again");
    assert_eq!((&again.message_id, &again.items), (&opening.message_id, &vec![(News::Opened, 1)]));
    assert_eq!(book.claim(minute(30)), None, "the closing waits");
    sent(&book.conn, &opening.message_id, minute(30)).expect("noted");
    let closing = book.claim(minute(30)).expect("the closing");
    assert_eq!(closing.items, [(News::Closed, 1)]);
    assert_eq!(closing.in_reply_to, Some(opening.message_id.clone()));
    assert_ne!(closing.message_id, opening.message_id);
}

#[test]
fn closings_of_different_threads_are_different_mails() {
    let mut book = Book::new();
    for (minutes, reference) in [(0, "A"), (20, "B")] {
        book.warn(minutes, reference);
        assert_eq!(book.send_all(minute(minutes)).len(), 1);
    }
    book.mend_warning(50, "A");
    book.mend_warning(50, "B");
    assert_eq!(book.send_all(minute(50)), [vec![(News::Closed, 1)]]);
    assert_eq!(book.send_all(minute(65)), [vec![(News::Closed, 2)]]);
}

#[test]
fn a_reminder_answers_the_opening_and_an_urgent_one_goes_at_once_and_alone() {
    let mut book = Book::new();
    for reference in ["A", "B"] {
        book.alarm(0, reference);
    }
    let openings = [book.claim(minute(0)).expect("a mail"), book.claim(minute(0)).expect("another")];
    for discrepancy in [1, 2] {
        book.act(1, discrepancy, until(30));
    }
    book.sweep(minute(30));
    assert_eq!(book.claim(minute(1)), None, "they wait for their openings");
    for opening in &openings {
        sent(&book.conn, &opening.message_id, minute(1)).expect("noted");
    }
    for (opening, discrepancy) in openings.iter().zip([1, 2]) {
        let reminder = book.claim(minute(30)).expect("a reminder");
        assert_eq!(reminder.items, [(News::Reminded, discrepancy)]);
        assert_eq!(reminder.in_reply_to, Some(opening.message_id.clone()));
    }
}

#[test]
fn reminders_of_warnings_wait_for_the_digest_and_share_it() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.warn(0, "B");
    assert_eq!(book.send_all(minute(0)), [vec![(News::Opened, 1), (News::Opened, 2)]]);
    for discrepancy in [1, 2] {
        book.act(1, discrepancy, until(5));
    }
    book.sweep(minute(5));
    assert_eq!(book.send_all(seconds_after(14, 59)), Vec::<Vec<_>>::new());
    assert_eq!(book.send_all(minute(15)), [vec![(News::Reminded, 1), (News::Reminded, 2)]]);
}

#[test]
fn the_closing_follows_a_reminder_that_has_left() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)).len(), 1);
    book.act(1, 1, until(30));
    book.sweep(minute(30));
    assert_eq!(book.send_all(minute(30)), [vec![(News::Reminded, 1)]]);
    book.mend_warning(50, "A");
    assert_eq!(book.send_all(minute(50)), [vec![(News::Closed, 1)]]);
}

#[test]
fn a_rebuild_sends_nothing_again() {
    let mut book = lived_in();
    assert_eq!(book.send_all(minute(41)).len(), 1);
    book.damage("DELETE FROM discrepancies");
    rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    assert_eq!(book.send_all(minute(60)), Vec::<Vec<_>>::new());
}

#[test]
fn a_clock_that_was_put_back_holds_no_mail_up() {
    let mut book = Book::new();
    book.warn(600, "A");
    assert_eq!(book.send_all(minute(600)).len(), 1, "while the clock was ahead");
    book.alarm(600, "B");
    let refused = book.claim(minute(600)).expect("a mail");
    failed(&book.conn, &refused.message_id, "refused", minute(600)).expect("noted");
    book.alarm(0, "C");
    book.warn(0, "D");
    let mails = book.send_all(minute(0));
    assert_eq!(mails, [vec![(News::Opened, 2)], vec![(News::Opened, 3)], vec![(News::Opened, 4)]]);
}
