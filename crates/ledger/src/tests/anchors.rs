//! Anchors: once a day what the chain was at midnight goes out of the machine, and `verify` goes by it.

use cvco_domain::News;
use cvco_log::entry::{MailAbout, MailItem, Telling};

use super::*;
use crate::DueAnchor;

/// The first of March, 2026, at this hour in Paris and minute, and so many days later.
fn paris(day: i64, hour: i64, minute: i64) -> Timestamp {
    let midnight = Timestamp::parse_since("2026-03-01").expect("a day");
    Timestamp::from_millis(midnight.millis() + ((day * 24 + hour) * 60 + minute) * 60_000)
}

/// What an anchor says: its first and last entry, its first and last day.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span(i64, i64, String, String);

fn span(first_seq: i64, seq: i64, first_day: &str, day: &str) -> Span {
    Span(first_seq, seq, first_day.to_owned(), day.to_owned())
}

fn about(seq: Seq, message_id: &str) -> LogEntry {
    let about = MailAbout::Anchor(seq);
    LogEntry::Telling(Telling { message_id: message_id.to_owned(), way: cvco_domain::Way::mail(), about })
}

impl Book {
    fn anchors(&self) -> Vec<Span> {
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other @ (Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_)) => {
                panic!("{other:?}")
            }
        };
        let number = |value: &Value| match value {
            Value::Integer(number) => *number,
            other @ (Value::Null | Value::Real(_) | Value::Text(_) | Value::Blob(_)) => panic!("{other:?}"),
        };
        let span = |row: &Vec<Value>| Span(number(&row[0]), number(&row[1]), text(&row[2]), text(&row[3]));
        let query = "SELECT first_seq, seq, first_day, day FROM anchors ORDER BY seq";
        self.rows(query).iter().map(span).collect()
    }

    fn due_anchor(&self, now: Timestamp) -> Option<DueAnchor> {
        self.reader().next_anchor(now).expect("read")
    }
}

#[test]
fn each_day_that_brought_news_is_anchored_once_it_is_over() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    book.take_at(paris(0, 23, 59), registered("B", 100));
    assert_eq!(book.anchors(), [], "the day goes on");
    assert_eq!(book.ledger.position().next_deadline, Some(paris(1, 0, 0)));
    book.take_at(paris(1, 0, 1), registered("C", 100));
    let first = span(1, 2, "2026-03-01", "2026-03-01");
    assert_eq!(book.anchors(), std::slice::from_ref(&first));
    book.take_at(paris(2, 1, 0), LogEntry::Time);
    assert_eq!(book.anchors(), [first, span(3, 3, "2026-03-02", "2026-03-02")]);
    let link = book.log.read(Seq::new(1), 1).expect("read").remove(0);
    assert_eq!(book.texts("SELECT chain_hash FROM anchors WHERE seq = 2"), [link.chain_hash]);
}

#[test]
fn time_and_mails_alone_are_no_news() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    for day in 1..5 {
        book.take_at(paris(day, 1, 0), LogEntry::Time);
        book.take_at(paris(day, 2, 0), about(Seq::new(1), &format!("{day}@host")));
        book.take_at(paris(day, 3, 0), stories::told(&format!("{day}@host")));
    }
    assert_eq!(book.anchors(), [span(1, 1, "2026-03-01", "2026-03-01")]);
    assert_eq!(book.ledger.position().next_deadline, None);
    book.take_at(paris(5, 3, 0), registered("B", 100));
    book.take_at(paris(6, 3, 0), LogEntry::Time);
    assert_eq!(book.anchors()[1], span(2, 14, "2026-03-02", "2026-03-06"), "what stands between is covered");
}

#[test]
fn days_that_were_missed_are_made_up_for_with_one_anchor() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    book.take_at(paris(4, 10, 0), registered("B", 100));
    book.take_at(paris(4, 11, 0), registered("C", 100));
    book.take_at(paris(9, 9, 0), LogEntry::Time);
    assert_eq!(
        book.anchors(),
        [span(1, 1, "2026-03-01", "2026-03-01"), span(2, 3, "2026-03-02", "2026-03-05")]
    );
}

#[test]
fn the_days_of_summer_time_are_days() {
    let mut book = Book::new();
    book.take_at(paris(27, 12, 0), registered("A", 100));
    assert_eq!(book.ledger.position().next_deadline, Some(paris(28, 0, 0)));
    book.take_at(paris(28, 12, 0), registered("B", 100));
    // The day that ends now has 23 hours.
    assert_eq!(book.ledger.position().next_deadline, Some(paris(28, 23, 0)));
    book.take_at(paris(28, 23, 0), LogEntry::Time);
    assert_eq!(
        book.anchors(),
        [span(1, 1, "2026-03-28", "2026-03-28"), span(2, 2, "2026-03-29", "2026-03-29")]
    );
}

#[test]
fn an_anchor_is_offered_under_the_same_message_id_until_it_has_left() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    book.take_at(paris(1, 0, 0), LogEntry::Time);
    let due = book.due_anchor(paris(1, 1, 0)).expect("due");
    assert_eq!((due.message_id, due.seq), (None, Seq::new(1)));
    book.take_at(paris(1, 1, 0), about(Seq::new(1), "first@host"));
    for _ in 0..2 {
        let due = book.due_anchor(paris(1, 1, 0)).expect("due");
        assert_eq!(due.message_id.as_deref(), Some("first@host"));
        book.reopen().expect("opened");
    }
    book.ledger.note_attempt("first@host", paris(1, 2, 0), Some("refused")).expect("noted");
    assert_eq!(book.due_anchor(paris(1, 1, 59)), None, "not at once");
    assert!(book.due_anchor(paris(1, 2, 0)).is_some());
    book.take_at(paris(1, 2, 0), stories::told("first@host"));
    assert_eq!(book.due_anchor(paris(9, 0, 0)), None);
}

#[test]
fn a_day_is_not_lost_while_the_mail_of_the_day_before_waits() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 100));
    book.take_at(paris(1, 10, 0), about(Seq::new(1), "first@host"));
    book.take_at(paris(1, 10, 0), registered("B", 100));
    book.ledger.note_attempt("first@host", paris(3, 0, 0), Some("refused")).expect("noted");
    book.take_at(paris(2, 1, 0), LogEntry::Time);
    let due = book.due_anchor(paris(2, 1, 0)).expect("the second day");
    assert_eq!((due.message_id, due.day.as_str()), (None, "2026-03-02"));
}

#[test]
fn a_second_mail_about_the_same_anchor_holds_nothing_up() {
    let mut book = Book::new();
    book.take_at(paris(0, 10, 0), registered("A", 10_000));
    book.take_at(paris(1, 10, 0), voucher("A", 5000));
    // Two machines led for a moment, and both have seen that the anchor is due.
    book.take_at(paris(1, 11, 0), about(Seq::new(1), "one@host"));
    book.take_at(paris(1, 11, 0), about(Seq::new(1), "other@host"));
    book.take_at(paris(1, 11, 0), stories::told("one@host"));
    assert_eq!(book.due_anchor(paris(1, 12, 0)), None);
    let due = book.next_on(paris(1, 12, 0), std::time::Duration::ZERO).expect("due");
    let news: Vec<&MailItem> = due.items.iter().filter(|item| item.news == News::Opened).collect();
    assert_eq!(news.len(), 1, "the half-paid order is told all the same");
}

/// A log that was forged with all skill after its first day was anchored: chain and ledger fit.
fn forged() -> (Book, Anchor) {
    let mut book = lived_in();
    book.take_at(paris(1, 1, 0), LogEntry::Time);
    let due = book.due_anchor(paris(1, 1, 0)).expect("due");
    assert_eq!(due.seq, Seq::new(9));
    let mailed: Anchor = format!("{}:{}", due.seq, due.hash.to_uppercase()).parse().expect("an anchor");
    assert_eq!(book.proof_with(std::slice::from_ref(&mailed)).flaws, []);
    book.damage_log("UPDATE log SET content = replace(content, '6000', '5000') WHERE seq IN (4, 7)");
    book.forge_chain(4);
    (book, mailed)
}

#[test]
fn a_forged_log_is_found_by_the_anchors_that_the_ledger_keeps() {
    let (mut book, _) = forged();
    assert_eq!(
        book.first_flaw(),
        (
            "log entry 9".to_owned(),
            "its chain hash is not the one that was mailed after 2026-03-01".to_owned()
        )
    );
}

#[test]
fn a_forger_who_makes_the_ledger_again_too_is_found_by_what_was_mailed() {
    let (mut book, mailed) = forged();
    book.log = SqliteLog::open(&book.log_path()).expect("its end is sound");
    book.rebuild();
    assert_eq!(book.proof().flaws, [], "nothing in the files tells");
    let flaws = book.proof_with(&[mailed]).flaws;
    assert_eq!(
        (flaws[0].place.as_str(), flaws[0].what.as_str()),
        ("log entry 9", "its chain hash is not the one that was mailed")
    );
}

#[test]
fn a_log_that_was_cut_off_is_found_by_its_anchor() {
    let mut book = lived_in();
    let flaws = book.proof_with(&[Anchor { seq: Seq::new(10), hash: "0".repeat(64), day: None }]).flaws;
    assert_eq!(
        (flaws[0].place.as_str(), flaws[0].what.as_str()),
        ("log entry 10", "it was mailed, and is not in the log")
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
