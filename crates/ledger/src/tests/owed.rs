//! E-mails owed: urgent ones at once and alone, the rest by digest, each once, in threads; and nothing that was told is
//! told again by a ledger that was made again.

mod channels;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{Audience, News, Severity, Way};
use cvco_log::entry::{Deed, MailAbout, Telling, Week};

use super::acts::until;
use super::stories::{telling, told};
use super::*;
use crate::{Class, DueMail, Pace};

pub(in crate::tests) use channels::urgent_of;

const DIGEST: Duration = Duration::from_mins(15);

fn a_second_before(minutes: i64) -> Timestamp {
    minute(minutes).before(Duration::from_secs(1))
}

/// A piece of news in an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item(News, i64);

fn items(mail: &DueMail) -> Vec<Item> {
    mail.items.iter().map(|item| Item(item.news, item.discrepancy.get())).collect()
}

fn opened(numbers: &[i64]) -> Vec<Item> {
    numbers.iter().map(|number| Item(News::Opened, *number)).collect()
}

impl Book {
    fn next_mail(&self, at: Timestamp) -> Option<DueMail> {
        self.next_on(at, DIGEST)
    }

    pub(super) fn next_on(&self, at: Timestamp, digest: Duration) -> Option<DueMail> {
        self.reader().next_mail(at, &Way::mail(), &Pace::of(digest)).expect("read")
    }

    fn next_departure(&self, at: Timestamp) -> Option<Timestamp> {
        self.reader().next_departure(at, &Way::mail(), &Pace::of(DIGEST)).expect("read")
    }

    /// Says that an e-mail is about to leave; the e-mail as it is then offered.
    fn intend(&mut self, at: Timestamp, mail: &DueMail) -> DueMail {
        let message_id = format!("{}@host", self.log.head().expect("a head").seq.next());
        self.take_at(at, telling(&message_id, mail.items.clone()));
        DueMail { message_id: Some(message_id), ..mail.clone() }
    }

    fn depart(&mut self, at: Timestamp, mail: &DueMail) {
        self.take_at(at, told(mail.message_id.as_deref().expect("intended")));
    }

    /// Sends all that is due; what each e-mail said.
    fn send_all(&mut self, at: Timestamp) -> Vec<Vec<Item>> {
        let mut mails = Vec::new();
        while let Some(mail) = self.next_mail(at) {
            let mail = if mail.message_id.is_some() { mail } else { self.intend(at, &mail) };
            self.depart(at, &mail);
            mails.push(items(&mail));
        }
        mails
    }

    /// A discrepancy that waits for a digest: card and voucher do not come to the order.
    fn warn(&mut self, minutes: i64, reference: &str) {
        self.take(minutes, registered(reference, 10_000));
        self.take(minutes, voucher(reference, 6000));
        self.take(minutes, card(reference, 5000));
    }

    fn mend(&mut self, minutes: i64, reference: &str) {
        for part in [voucher(reference, 6000), card(reference, 5000)] {
            self.take(minutes, part.saying(ReportedState::Cancelled));
        }
    }

    /// One that goes at once: other amounts of the same transaction.
    fn alarm(&mut self, minutes: i64, reference: &str) {
        self.take(minutes, registered(reference, 6000));
        self.take(minutes, voucher(reference, 6000));
        self.take(minutes, voucher(reference, 6100));
    }

    fn outcomes(&self) -> Vec<String> {
        self.texts("SELECT news || ' ' || COALESCE(outcome, 'owed') FROM owed ORDER BY id")
    }
}

#[test]
fn urgent_ones_go_at_once_and_alone_before_anything_else() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.alarm(0, "B");
    book.alarm(0, "C");
    assert_eq!(book.send_all(minute(0)), [opened(&[2]), opened(&[3]), opened(&[1])]);
}

#[test]
fn warnings_wait_for_the_digest_of_their_shop() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)), [opened(&[1])], "the first at once");
    book.warn(1, "B");
    book.warn(2, "C");
    assert_eq!(book.send_all(a_second_before(15)), [[]; 0]);
    assert_eq!(book.next_departure(minute(2)), Some(minute(15)), "when to look again");
    assert_eq!(book.send_all(minute(15)), [opened(&[2, 3])]);
    book.alarm(16, "D");
    assert_eq!(book.send_all(minute(16)), [opened(&[4])], "an alarm does not wait");
}

#[test]
fn each_shop_has_its_own_digest() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)).len(), 1);
    book.warn(1, "B");
    book.take(1, OrderRegistration { shop: shop("hotel"), ..registered("A", 10_000) });
    book.take(1, voucher("A", 6000).of_shop("hotel"));
    book.take(1, card("A", 5000).of_shop("hotel"));
    let mail = book.next_mail(minute(1)).expect("the other shop's");
    assert_eq!((mail.shop.clone(), items(&mail)), (Some(shop("hotel")), opened(&[3])));
    book.intend(minute(1), &mail);
    book.depart(
        minute(1),
        &DueMail {
            message_id: book.texts("SELECT message_id FROM mails WHERE told_at IS NULL").pop(),
            ..mail
        },
    );
    assert_eq!(book.next_mail(minute(1)), None);
}

#[test]
fn without_a_digest_interval_each_goes_alone() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.warn(0, "B");
    for discrepancy in [1, 2] {
        let mail = book.next_on(minute(0), Duration::ZERO).expect("a mail");
        assert_eq!(items(&mail), opened(&[discrepancy]));
        let mail = book.intend(minute(0), &mail);
        book.depart(minute(0), &mail);
    }
}

#[test]
fn what_was_intended_and_did_not_leave_is_the_same_mail_again() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let mail = book.next_mail(minute(0)).expect("a mail");
    assert_eq!(mail.message_id, None);
    let mail = book.intend(minute(0), &mail);
    // The daemon died; the ledger's file was lost with the machine.
    for _ in 0..2 {
        assert_eq!(book.next_mail(minute(1)), Some(mail.clone()));
        book.reopen().expect("opened");
        book.rebuild();
    }
    book.depart(minute(2), &mail);
    assert_eq!(book.next_mail(minute(600)), None);
    assert_eq!(
        book.texts("SELECT outcome || ' ' || done_at FROM acct_deliveries"),
        [format!("sent {}", minute(2))]
    );
}

#[test]
fn what_failed_is_tried_again_when_its_time_has_come_under_the_same_name() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let mail = book.next_mail(minute(0)).expect("a mail");
    let mail = book.intend(minute(0), &mail);
    let name = mail.message_id.clone().expect("a name");
    book.ledger.note_attempt(&name, minute(5), Some("connection refused")).expect("noted");
    assert_eq!(book.next_mail(a_second_before(5)), None);
    assert_eq!(book.next_departure(minute(0)), Some(minute(5)));
    assert_eq!(book.next_mail(minute(5)), Some(mail.clone()));
    let waiting = book.reader().mails_waiting().expect("read");
    assert_eq!(waiting, (1, Some("connection refused".to_owned())));
    book.depart(minute(5), &mail);
    assert_eq!(book.count("attempts"), 0);
    assert_eq!(book.reader().mails_waiting().expect("read"), (0, None));
}

#[test]
fn one_failed_mail_does_not_hold_up_another() {
    let mut book = Book::new();
    book.alarm(0, "A");
    book.alarm(0, "B");
    let mail = book.next_mail(minute(0)).expect("a mail");
    let first = book.intend(minute(0), &mail);
    book.ledger.note_attempt(first.message_id.as_deref().expect("a name"), minute(5), None).expect("noted");
    let second = book.next_mail(minute(0)).expect("another");
    assert_eq!(items(&second), opened(&[2]));
}

#[test]
fn what_opened_and_closed_before_anybody_was_told_is_not_told() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.mend(1, "A");
    assert_eq!(book.next_mail(minute(1)), None);
    assert_eq!(book.outcomes(), ["opened superseded"]);
}

/// The e-mail was written while the discrepancy was open, and leaves; meanwhile the log has learned that it closed.
#[test]
fn what_closed_while_its_mail_was_being_written_is_told_to_have_closed() {
    let mut book = Book::new();
    book.warn(0, "A");
    let mail = book.next_mail(minute(0)).expect("a mail");
    book.mend(1, "A");
    let mail = book.intend(minute(1), &mail);
    assert_eq!(book.next_mail(minute(1)), Some(mail.clone()), "it leaves all the same");
    book.depart(minute(1), &mail);
    let closing = book.next_mail(minute(20)).expect("the closing");
    assert_eq!(
        (items(&closing), closing.in_reply_to.clone()),
        (vec![Item(News::Closed, 1)], mail.message_id)
    );
}

#[test]
fn a_mail_that_tells_nothing_which_is_owed_holds_up_no_other() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let mail = book.next_mail(minute(0)).expect("a mail");
    let sent = book.intend(minute(0), &mail);
    // Another machine led for a moment and tells the same; or tells what these rules never raised.
    book.intend(minute(0), &mail);
    let mut unknown = mail.items.clone();
    unknown[0].of.subject = "another".to_owned();
    book.take(0, telling("unknown@host", unknown));
    book.depart(minute(0), &sent);
    book.alarm(1, "B");
    assert_eq!(book.send_all(minute(1)), [opened(&[2])]);
}

#[test]
fn a_closing_waits_for_its_opening_and_answers_it() {
    let mut book = Book::new();
    book.warn(0, "A");
    let mail = book.next_mail(minute(0)).expect("a mail");
    assert_eq!(mail.in_reply_to, None);
    let opening = book.intend(minute(0), &mail);
    book.mend(1, "A");
    assert_eq!(book.next_mail(minute(30)), Some(opening.clone()), "the opening again; the closing waits");
    book.depart(minute(30), &opening);
    let closing = book.next_mail(minute(30)).expect("the closing");
    assert_eq!(items(&closing), [Item(News::Closed, 1)]);
    assert_eq!(closing.in_reply_to, opening.message_id);
    assert_eq!(closing.message_id, None);
}

#[test]
fn closings_of_several_threads_share_a_digest_and_stand_in_none() {
    let mut book = Book::new();
    for (minutes, reference) in [(0, "A"), (20, "B")] {
        book.warn(minutes, reference);
        assert_eq!(book.send_all(minute(minutes)).len(), 1);
    }
    book.mend(50, "A");
    book.mend(50, "B");
    let mail = book.next_mail(minute(50)).expect("a digest");
    assert_eq!(items(&mail), [Item(News::Closed, 1), Item(News::Closed, 2)]);
    assert_eq!(mail.in_reply_to, None);
}

#[test]
fn everything_about_an_order_is_one_thread() {
    let mut book = Book::new();
    book.alarm(0, "A");
    let opening = book.next_mail(minute(0)).expect("a mail");
    let opening = book.intend(minute(0), &opening);
    book.depart(minute(0), &opening);
    // The same order breaks another rule.
    let mut again = voucher("A", 6000);
    again.events[0].call_number = CallNumber::new("call-2").expect("a call number");
    again.events[0].tender_id = TenderId::new("A-2").ok();
    book.take(1, again);
    let second = book.next_mail(minute(1)).expect("another");
    assert_eq!(second.in_reply_to, opening.message_id);
    assert_ne!(items(&second), items(&opening));
}

#[test]
fn a_reminder_answers_the_opening_and_an_urgent_one_goes_at_once_and_alone() {
    let mut book = Book::new();
    for reference in ["A", "B"] {
        book.alarm(0, reference);
    }
    let mut openings = Vec::new();
    for _ in 0..2 {
        let mail = book.next_mail(minute(0)).expect("a mail");
        let mail = book.intend(minute(0), &mail);
        book.ledger
            .note_attempt(mail.message_id.as_deref().expect("a name"), minute(90), None)
            .expect("noted");
        openings.push(mail);
    }
    for discrepancy in [1, 2] {
        book.act(1, discrepancy, until(30));
    }
    book.wait_until(30);
    assert_eq!(book.next_mail(minute(30)), None, "they wait for their openings");
    for opening in &openings {
        book.depart(minute(30), opening);
    }
    for (opening, discrepancy) in openings.iter().zip([1, 2]) {
        let mail = book.next_mail(minute(30)).expect("a reminder");
        assert_eq!(items(&mail), [Item(News::Reminded, discrepancy)]);
        assert_eq!(mail.in_reply_to, opening.message_id);
        let mail = book.intend(minute(30), &mail);
        book.depart(minute(30), &mail);
    }
}

#[test]
fn reminders_of_warnings_wait_for_the_digest_and_share_it() {
    let mut book = Book::new();
    book.warn(0, "A");
    book.warn(0, "B");
    assert_eq!(book.send_all(minute(0)), [opened(&[1, 2])]);
    for discrepancy in [1, 2] {
        book.act(1, discrepancy, until(5));
    }
    book.wait_until(5);
    assert_eq!(book.send_all(a_second_before(15)), [[]; 0]);
    assert_eq!(book.send_all(minute(15)), [[Item(News::Reminded, 1), Item(News::Reminded, 2)]]);
}

#[test]
fn what_has_grown_or_asks_for_the_contrary_is_told_again_and_what_has_become_less_is_not() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 10_000));
    book.take(1, registered("A", 12_000));
    assert_eq!(book.send_all(minute(1)), [opened(&[1])], "20 euros are to be collected");
    book.take(30, registered("A", 15_000));
    assert_eq!(book.send_all(minute(30)), [[Item(News::Reminded, 1)]], "50 euros");
    book.take(60, registered("A", 11_000));
    assert_eq!(book.send_all(minute(60)), [[]; 0], "10 euros");
    book.take(90, registered("A", 9000));
    assert_eq!(book.send_all(minute(90)), [[Item(News::Reminded, 1)]], "10 euros are to be given back");
}

/// Each message that nobody understands may be a payment; and a PSP that speaks another way does so with each.
#[test]
fn more_messages_that_are_not_understood_are_told_once_an_hour() {
    let mut book = Book::new();
    book.take(0, stories::unread());
    book.take(1, stories::unread());
    assert_eq!(book.send_all(minute(1)).len(), 1, "both came before the first mail left");
    book.take(DAY, stories::unread());
    assert_eq!(book.send_all(minute(DAY)), [[Item(News::Reminded, 1)]], "at once");
    for minutes in [DAY + 20, DAY + 40] {
        book.take(minutes, stories::unread());
    }
    assert_eq!(book.send_all(a_second_before(DAY + 60)), [[]; 0]);
    assert_eq!(book.send_all(minute(DAY + 60)), [[Item(News::Reminded, 1)]]);
    assert!(book.texts("SELECT detail FROM discrepancies")[0].contains(" and 4 more: "));
    // Whoever said that the first was dealt with said nothing of what comes later.
    book.act(DAY + 70, 1, Deed::Acknowledged);
    book.take(2 * DAY, stories::unread());
    assert_eq!(book.send_all(minute(2 * DAY)), [[Item(News::Reminded, 1)]]);
    assert_eq!(book.texts("SELECT COUNT(*) FROM discrepancies WHERE acked_at IS NULL"), ["1"]);
}

#[test]
fn what_grows_before_its_mail_has_left_is_told_once() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 10_000));
    book.take(1, registered("A", 12_000));
    book.take(1, registered("A", 15_000));
    assert_eq!(book.send_all(minute(1)), [opened(&[1])]);
    assert_eq!(book.send_all(minute(60)), [[]; 0]);
}

#[test]
fn the_closing_follows_a_reminder_that_has_left() {
    let mut book = Book::new();
    book.warn(0, "A");
    assert_eq!(book.send_all(minute(0)).len(), 1);
    book.act(1, 1, until(30));
    book.wait_until(30);
    assert_eq!(book.send_all(minute(30)), [[Item(News::Reminded, 1)]]);
    book.mend(50, "A");
    assert_eq!(book.send_all(minute(50)), [[Item(News::Closed, 1)]]);
}

#[test]
fn what_concerns_the_daemon_goes_to_no_shop() {
    let mut book = Book::new();
    book.take(0, LogEntry::Clock(cvco_log::entry::ClockCorrection { from: minute(5) }));
    let mail = book.next_mail(minute(0)).expect("a mail");
    assert_eq!((mail.shop.clone(), items(&mail)), (None, opened(&[1])));
}

#[test]
fn a_rebuilt_ledger_owes_nothing_that_was_told() {
    let mut book = lived_in();
    assert_eq!(book.send_all(minute(41)), [opened(&[1])]);
    let before = book.everything();
    book.damage("DELETE FROM discrepancies; DELETE FROM owed; DELETE FROM mails");
    assert_eq!(book.rebuild(), ["discrepancies", "owed", "mails"]);
    assert_eq!(book.everything(), before);
    assert_eq!(book.send_all(minute(60)), [[]; 0]);
}

#[test]
fn a_clock_that_was_put_right_holds_no_mail_up() {
    let mut book = Book::new();
    book.warn(600, "A");
    assert_eq!(book.send_all(minute(600)).len(), 1, "while the clock was ahead");
    book.alarm(600, "B");
    let refused = book.next_mail(minute(600)).expect("a mail");
    let refused = book.intend(minute(600), &refused);
    book.ledger
        .note_attempt(refused.message_id.as_deref().expect("a name"), minute(700), None)
        .expect("noted");
    book.take(0, LogEntry::Clock(cvco_log::entry::ClockCorrection { from: minute(600) }));
    book.alarm(1, "C");
    let mails = book.send_all(minute(1));
    assert_eq!(mails[0], opened(&[2]), "what waited for a date to come");
    assert!(mails.contains(&opened(&[4])), "{mails:?}");
}

fn alarms(book: &mut Book, minutes: i64, references: &[&str]) {
    for reference in references {
        book.alarm(minutes, reference);
    }
}

#[test]
fn after_five_urgent_mails_of_a_shop_one_lists_the_rest() {
    let mut book = Book::new();
    alarms(&mut book, 0, &["A", "B", "C", "D", "E", "F", "G", "H"]);
    assert_eq!(book.send_all(minute(0)), [1, 2, 3, 4, 5].map(|number| opened(&[number])));
    assert_eq!(book.next_departure(minute(0)), Some(minute(1)));
    assert_eq!(book.send_all(minute(1)), [opened(&[6, 7, 8])]);
    // A second list waits until the first of the five is ten minutes old.
    alarms(&mut book, 2, &["I"]);
    assert_eq!(book.send_all(a_second_before(10)), [[]; 0]);
    assert_eq!(book.send_all(minute(10)), [opened(&[9])]);
}
