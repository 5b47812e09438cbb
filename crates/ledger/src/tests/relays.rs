//! Which notifications a shop's handler is owed, and how that ends.

use cvco_domain::{HandlerAddress, RelayTarget};
use cvco_log::entry::{MailItem, RelayOutcome, Relayed, Replay, Replayed, Unreached};

use super::*;
use crate::RelayPart;

fn target() -> RelayTarget {
    RelayTarget::new("shop").expect("a target")
}

/// Both endpoints of the calls relay to one handler.
pub(super) fn relaying() -> Policy {
    let address = HandlerAddress::new("https://shop.example/ipn.php").expect("an address");
    let relays = [up2pay(), questions::monext()]
        .map(|endpoint| (endpoint.endpoint, [(target(), address.clone())].into()));
    Policy { relays: relays.into(), ..watching() }
}

fn ended(notification: Seq, outcome: RelayOutcome) -> LogEntry {
    LogEntry::Relayed(Relayed { notification, target: target(), attempts: 2, outcome })
}

fn delivered(notification: Seq) -> LogEntry {
    ended(notification, RelayOutcome::Delivered { status: 200 })
}

fn one(notification: Seq, target: Option<RelayTarget>) -> Replayed {
    Replayed::One { notification, target }
}

fn replay(which: Replayed) -> LogEntry {
    LogEntry::Replay(Replay { which, by: "marie".to_owned() })
}

impl Book {
    fn relaying() -> Self {
        let mut book = Self::new();
        book.take(0, relaying());
        book
    }

    fn call(&mut self, minutes: i64, notification: Notification, query: &str) -> Seq {
        self.take_call(minute(minutes), notification, query)
    }

    fn pending(&self) -> Vec<i64> {
        let pending = self.reader().pending_relays().expect("read");
        pending.iter().map(|relay| relay.notification.get()).collect()
    }

    fn relays(&self) -> Vec<String> {
        self.texts("SELECT state || ' ' || coalesce(reason, '') FROM relays ORDER BY seq")
    }
}

#[test]
fn each_genuine_notification_of_an_endpoint_with_a_handler_is_owed_to_it() {
    let mut book = Book::relaying();
    let voucher_seq = book.call(1, voucher("A", 6000), "1");
    book.call(2, card("A", 4000), "2");
    book.call(3, notification(Vec::new()), "of another product");
    book.take_call(minute(4), stories::unread(), "unread");
    book.call(5, voucher("B", 100).at_endpoint("another"), "3");
    let pending = book.reader().pending_relays().expect("read");
    assert_eq!(book.pending(), [2, 3, 4, 5]);
    assert_eq!(pending[0].notification, voucher_seq);
    let lanes: Vec<_> = pending.iter().map(|relay| relay.lane.as_str()).collect();
    assert_eq!(lanes, ["order A", "order A", "entry 4", "entry 5"]);
}

#[test]
fn what_the_psp_says_again_in_the_same_bytes_is_owed_once() {
    let mut book = Book::relaying();
    let first = book.call(1, voucher("A", 6000), "1");
    book.call(2, voucher("A", 6000), "1");
    book.take(3, delivered(first));
    book.call(4, voucher("A", 6000), "1");
    assert_eq!(book.relays(), ["delivered "]);
    book.call(5, voucher("A", 6000), "the same in other bytes");
    assert_eq!(book.pending().len(), 1, "the handler may tell them apart");
}

#[test]
fn a_call_that_only_points_to_what_to_ask_is_owed_each_time() {
    let mut book = Book::relaying();
    for at in [1, 2] {
        book.take_call(minute(at), questions::hint(questions::session("token")), "token=token");
    }
    assert_eq!(book.pending(), [2, 3]);
}

#[test]
fn a_complement_that_comes_before_its_voucher_is_known_as_such() {
    use RelayPart::{Complement, Voucher};
    let mut book = Book::relaying();
    book.call(1, card("A", 4000), "1");
    book.call(1, voucher("A", 6000), "2");
    book.call(2, voucher("B", 6000), "3");
    book.call(2, card("B", 4000), "4");
    let pending = book.reader().pending_relays().expect("read");
    let parts: Vec<_> = pending.iter().map(|relay| relay.part).collect();
    assert_eq!(parts, [Some(Complement), Some(Voucher), Some(Voucher), None]);
}

#[test]
fn a_complement_waits_for_its_voucher_no_longer_than_that_is_under_way() {
    let mut book = Book::relaying();
    book.call(1, card("A", 4000), "1");
    let of_another = book.call(1, voucher("B", 6000), "2");
    let voucher = book.call(2, voucher("A", 6000), "3");
    let part = |book: &Book| book.reader().pending_relays().expect("read").remove(0).part;
    book.take(3, delivered(of_another));
    assert_eq!(part(&book), Some(RelayPart::Complement));
    book.take(3, delivered(voucher));
    assert_eq!(part(&book), None);
}

#[test]
fn an_outcome_ends_what_is_owed_and_is_not_taken_back_by_a_later_one() {
    let mut book = Book::relaying();
    let seq = book.call(1, voucher("A", 6000), "1");
    book.take(2, delivered(seq));
    book.take(3, ended(seq, RelayOutcome::Parked { why: "too late".to_owned() }));
    assert_eq!((book.pending(), book.relays()), (vec![], vec!["delivered ".to_owned()]));
}

#[test]
fn a_person_sends_again_what_failed_or_gives_it_up() {
    let mut book = Book::relaying();
    let refused = book.call(1, voucher("A", 6000), "1");
    let taken = book.call(2, voucher("B", 6000), "2");
    let parked = book.call(3, voucher("C", 6000), "3");
    let why = || "the handler refused it".to_owned();
    book.take(4, ended(refused, RelayOutcome::Refused { status: 404, why: why(), why_fr: None }));
    book.take(4, delivered(taken));
    book.take(4, ended(parked, RelayOutcome::Parked { why: why() }));
    book.take(5, replay(Replayed::Between { from: minute(0), to: minute(3), failed: true, endpoint: None }));
    assert_eq!(book.pending(), [refused.get()], "what failed in that time");
    book.take(6, replay(one(taken, None)));
    assert_eq!(book.pending(), [refused.get()], "it was taken");
    book.take(6, replay(one(taken, Some(target()))));
    assert_eq!(book.pending(), [refused.get(), taken.get()]);
    let dropped = RelayOutcome::Dropped { by: "marie".to_owned(), note: Some("paid in cash".to_owned()) };
    book.take(7, ended(parked, dropped));
    assert_eq!(book.relays()[2], "dropped by marie: paid in cash");
}

#[test]
fn a_ledger_that_is_made_again_owes_what_it_owed() {
    let mut book = Book::relaying();
    let seq = book.call(1, voucher("A", 6000), "1");
    book.call(2, voucher("B", 6000), "2");
    book.take(3, delivered(seq));
    let before = book.everything();
    rebuild(&mut book.log, &mut book.ledger, &mut |_| {}).expect("made again");
    assert_eq!(book.everything(), before);
    assert_eq!(book.pending(), [3]);
}

fn refused(notification: Seq) -> LogEntry {
    let why = "the handler refused it".to_owned();
    ended(notification, RelayOutcome::Refused { status: 404, why, why_fr: None })
}

fn dropped(notification: Seq) -> LogEntry {
    ended(notification, RelayOutcome::Dropped { by: "marie".to_owned(), note: None })
}

fn parked(notification: Seq) -> LogEntry {
    ended(notification, RelayOutcome::Parked { why: "it answered 503".to_owned() })
}

fn unreached() -> LogEntry {
    LogEntry::Unreached(Unreached {
        endpoint: up2pay().endpoint,
        target: target(),
        why: "it answered 503".to_owned(),
    })
}

impl Book {
    fn details(&self) -> Vec<String> {
        self.texts(
            "SELECT severity || ': ' || detail FROM discrepancies WHERE kind LIKE 'relay_%' ORDER BY id",
        )
    }

    fn of_handlers(&self) -> Vec<Seen> {
        self.discrepancies().into_iter().filter(|seen| seen.kind.starts_with("relay_")).collect()
    }
}

#[test]
fn a_handler_that_fails_is_told_once_and_closes_when_it_has_taken_what_waited() {
    let mut book = Book::relaying();
    let (first, second) = (book.call(1, voucher("A", 6000), "1"), book.call(2, voucher("B", 6000), "2"));
    book.take(7, unreached());
    assert_eq!(
        book.details(),
        ["warning: https://shop.example/ipn.php: 2 calls since 2026-03-01T10:01:00.000Z; it answered 503"]
    );
    book.take(8, delivered(first));
    let third = book.call(9, voucher("C", 6000), "3");
    assert_eq!(book.of_handlers(), [seen("relay_failing", 7, None)], "one waits still");
    book.take(10, delivered(second));
    assert_eq!(book.of_handlers(), [seen("relay_failing", 7, Some(10))], "what came since is on its way");
    book.take(11, delivered(third));
    book.take(12, unreached());
    assert_eq!(book.of_handlers().len(), 1, "there is nothing that waits");
}

#[test]
fn a_call_that_has_waited_for_an_hour_or_was_given_up_is_urgent() {
    let mut book = Book::relaying();
    let seq = book.call(1, voucher("A", 6000), "1");
    book.take(7, unreached());
    book.take(61, unreached());
    assert!(book.details()[0].starts_with("urgent: "), "{:?}", book.details());
    book.take(3 * DAY + 1, parked(seq));
    assert!(book.details()[0].contains(", 1 parked; it answered 503"), "{:?}", book.details());
    let later = book.call(3 * DAY + 2, voucher("B", 6000), "2");
    book.take(3 * DAY + 3, delivered(later));
    assert_eq!(book.of_handlers(), [seen("relay_failing", 7, None)], "what was given up is not forgotten");
    book.take(3 * DAY + 4, replay(one(seq, None)));
    book.take(3 * DAY + 5, delivered(seq));
    assert_eq!(book.of_handlers(), [seen("relay_failing", 7, Some(3 * DAY + 5))]);
}

#[test]
fn at_a_trial_endpoint_nothing_of_a_handler_is_urgent() {
    let mut book = Book::relaying();
    let seq = book.call(1, voucher("A", 6000).in_mode(Mode::Test), "1");
    book.take(61, unreached());
    book.take(3 * DAY + 1, parked(seq));
    let failing = book.texts("SELECT severity FROM discrepancies WHERE kind = 'relay_failing'");
    assert_eq!(failing, ["warning"]);
}

#[test]
fn what_a_handler_refused_is_told_with_its_orders_until_a_person_dealt_with_it() {
    let mut book = Book::relaying();
    let (first, second) = (book.call(1, voucher("A", 6000), "1"), book.call(2, voucher("B", 6000), "2"));
    let third = book.call(2, voucher("C", 6000), "3");
    book.take(3, refused(first));
    book.take(4, refused(second));
    book.take(5, delivered(third));
    assert_eq!(
        book.details(),
        [
            "warning: https://shop.example/ipn.php: 2 calls since 2026-03-01T10:03:00.000Z; the handler refused it (404)"
        ]
    );
    assert_eq!(
        book.texts(
            "SELECT detail_json -> '$.refused_by_shop.orders' FROM discrepancies WHERE kind = 'relay_refused'"
        ),
        [r#"["A","B"]"#]
    );
    book.take(6, dropped(first));
    assert_eq!(book.of_handlers(), [seen("relay_refused", 3, None)]);
    book.take(7, replay(one(second, None)));
    book.take(8, delivered(second));
    assert_eq!(book.of_handlers(), [seen("relay_refused", 3, Some(8))]);
}

/// The opening was mailed of what a handler had refused by then.
fn mail_the_refusal(book: &mut Book, minutes: i64) -> i64 {
    let about = book.texts("SELECT id FROM discrepancies WHERE kind = 'relay_refused'");
    let number: i64 = about[0].parse().expect("a number");
    let of = book.identity(number);
    let items = vec![MailItem { news: cvco_domain::News::Opened, discrepancy: id(number), of }];
    book.take(minutes, stories::telling("first@host", items));
    book.take(minutes, stories::told("first@host"));
    number
}

#[test]
fn a_refusal_that_comes_after_a_person_looked_is_told_again() {
    let mut book = Book::relaying();
    let (first, second) = (book.call(1, voucher("A", 6000), "1"), book.call(2, voucher("B", 6000), "2"));
    book.take(3, refused(first));
    let number = mail_the_refusal(&mut book, 4);
    book.acknowledge(5, number, "the developer looks at it");
    book.take(6, refused(second));
    let news = format!("SELECT news FROM owed WHERE discrepancy_id = {number} ORDER BY id");
    assert_eq!(book.texts(&news), ["opened", "reminded"]);
    assert_eq!(book.texts("SELECT COUNT(acked_at) FROM discrepancies"), ["0"], "of the second nobody knew");
}

/// Nobody looks at the first one: each of the others is an order that somebody has to validate by hand.
#[test]
fn refusals_that_nobody_looked_at_are_told_as_they_become_more() {
    let mut book = Book::relaying();
    let orders = ["A", "B", "C"].map(|order| book.call(1, voucher(order, 6000), order));
    book.take(3, refused(orders[0]));
    let number = mail_the_refusal(&mut book, 4);
    book.take(20, refused(orders[1]));
    book.take(30, refused(orders[2]));
    let owed = format!(
        "SELECT news || ' ' || substr(owed_at, 12, 5) FROM owed WHERE discrepancy_id = {number} ORDER BY id"
    );
    assert_eq!(book.texts(&owed), ["opened 10:03", "reminded 11:03"], "together, an hour after the first");
}

/// A refused call is sent again; while the handler thinks about it, it takes another one.
#[test]
fn a_refused_call_that_is_sent_again_is_not_dealt_with_before_it_is_taken() {
    let mut book = Book::relaying();
    let (first, second) = (book.call(1, voucher("A", 6000), "1"), book.call(2, voucher("B", 6000), "2"));
    book.take(3, refused(first));
    book.take(4, replay(one(first, None)));
    book.take(5, delivered(second));
    assert_eq!(book.of_handlers(), [seen("relay_refused", 3, None)]);
    book.take(6, refused(first));
    assert_eq!(book.of_handlers(), [seen("relay_refused", 3, None)], "it is the same one still");
    book.take(7, replay(one(first, None)));
    book.take(8, delivered(first));
    assert_eq!(book.of_handlers(), [seen("relay_refused", 3, Some(8))]);
    let attempts = book.texts(&format!("SELECT attempts FROM relays WHERE seq = {}", first.get()));
    assert_eq!(attempts, ["6"], "all attempts count");
}
