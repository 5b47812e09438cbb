//! What cannot be folded is set aside, urgently told, and passed: everything else goes on.

use cvco_log::entry::Reread;

use super::*;

const SET_ASIDE: &str = "SELECT seq || ' ' || kind || ': ' || reason FROM acct_set_aside ORDER BY seq";

impl Book {
    /// An entry as a later version of the program may write it, in its place in the chain.
    fn append_foreign(&mut self, at: Timestamp, kind: &str, content: &str) {
        let head = self.log.head().expect("a head");
        let row = cvco_log::Row {
            seq: head.seq.next(),
            at: at.to_string(),
            kind: kind.to_owned(),
            content: content.to_owned(),
            payload_sha256: None,
        };
        let conn = Connection::open(self.log_path()).expect("a database");
        conn.execute(
            "INSERT INTO log VALUES (?1, ?2, ?3, ?4, NULL, ?5)",
            (row.seq.get(), &row.at, &row.kind, &row.content, row.chain_hash(&head.hash)),
        )
        .expect("appended");
    }

    fn catch_up(&mut self) {
        self.ledger.catch_up_all(&mut self.log).expect("folded");
    }
}

#[test]
fn an_entry_that_cannot_be_read_is_told_and_passed() {
    for (kind, content) in [("prophecy", "{}"), ("order", "{}"), ("order", "no JSON")] {
        let mut book = Book::new();
        book.append(minute(0), voucher("A", 6000));
        book.append_foreign(minute(1), kind, content);
        book.append(minute(2), voucher("B", 6000));
        book.catch_up();
        assert_eq!(book.ledger.position().seq, Seq::new(3));
        assert_eq!(book.ledger.position().set_aside, 1);
        assert_eq!(book.texts("SELECT reference FROM orders"), ["A", "B"], "what stands after it is folded");
        let set_aside = book.texts(SET_ASIDE);
        assert!(set_aside[0].starts_with(&format!("2 {kind}: ")), "{set_aside:?}");
        let told = book.discrepancies().remove(0);
        assert_eq!(told, seen("set_aside", 1, None));
        assert_eq!(book.texts("SELECT severity FROM discrepancies"), ["urgent"]);
        let mail = book.next_on(minute(2), std::time::Duration::from_hours(1));
        assert_eq!(mail.expect("at once").shop, None);
    }
}

#[test]
fn time_goes_on_with_an_entry_that_cannot_be_read() {
    let mut book = Book::new();
    book.append(minute(0), registered("A", 10_000));
    book.append(minute(2), voucher("A", 6000));
    book.append_foreign(minute(2 * DAY), "prophecy", "{}");
    book.catch_up();
    assert_eq!(book.discrepancies()[0], seen("complement_missing", 22, None));
    assert_eq!(book.texts("SELECT day FROM anchors"), ["2026-03-01"], "its midnight has passed");
    let next = book.ledger.position().next_deadline.expect("its own midnight");
    assert!(next > minute(2 * DAY), "{next} would be announced forever");
}

#[test]
fn however_it_is_grouped_and_whoever_folds_it_the_ledger_is_the_same() {
    let mut book = Book::new();
    let append = |book: &mut Book, minutes: i64| {
        book.append(minute(minutes), voucher(&format!("A{minutes}"), 6000));
        book.append_foreign(minute(minutes + 1), "prophecy", "{}");
    };
    for minutes in [0, 10, 100] {
        append(&mut book, minutes);
        book.catch_up();
    }
    let one_by_one = book.everything();
    let mut whole = Ledger::open(&book.folder.path().join("other.sqlite"), &book.log.id().expect("an id"))
        .expect("a ledger");
    whole.catch_up_all(&mut book.log).expect("folded");
    assert_eq!(everything(whole.connection()), one_by_one);
    assert_eq!(book.proof().flaws, []);
}

/// What no shop takes, and what the sums of a close cannot hold.
const TOO_MUCH: i64 = i64::MAX / 2 + 1;

#[test]
fn an_entry_on_which_the_fold_fails_leaves_nothing_half_done() {
    let mut book = Book::new();
    for order in ["A", "B", "C"] {
        book.append(minute(0), voucher(order, TOO_MUCH).saying(ReportedState::Captured));
    }
    book.catch_up();
    let before: Vec<Table> = booked(&book);
    book.append(minute(33 * DAY), registered("X", 1));
    book.append(minute(33 * DAY), stories::close("2026-03"));
    book.append(minute(33 * DAY), registered("Y", 1));
    book.catch_up();
    assert_eq!(booked(&book), before, "no entry, no number");
    assert_eq!(book.texts("SELECT reference FROM orders"), ["A", "B", "C", "X", "Y"]);
    let set_aside = book.texts(SET_ASIDE);
    assert_eq!(set_aside.len(), 1);
    assert!(set_aside[0].starts_with("5 close: ") && set_aside[0].contains("overflow"), "{set_aside:?}");
    assert_eq!(book.proof().flaws, [], "a fold that fails there again comes to the same");
}

fn booked(book: &Book) -> Vec<Table> {
    let of_close =
        |table: &Table| ["closings", "numbers", "entries", "reopened"].contains(&table.name.as_str());
    book.everything().into_iter().filter(of_close).collect()
}

#[test]
fn an_order_on_which_a_rule_fails_keeps_no_other_out() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, registered("B", 10_000));
    book.take(1, voucher("B", 6000));
    let antidote = poison::poisoned("A");
    book.take(2, voucher("A", 6000));
    book.take(3, card("B", 4000));
    assert_eq!(book.texts(SET_ASIDE).len(), 1);
    assert_eq!(book.texts("SELECT state FROM orders WHERE reference = 'B'"), ["balanced"]);
    assert_eq!(book.count("facts"), 2, "nothing of A was kept");
    drop(antidote);
    // A mended program folds it again.
    book.rebuild();
    assert_eq!(book.count("set_aside"), 0);
    assert_eq!(book.texts("SELECT voucher_cents FROM records ORDER BY order_id"), ["6000", "6000"]);
    assert_eq!(book.kinds(), [""; 0], "and nobody need be told any more");
}

#[test]
fn a_deadline_on_which_a_rule_fails_keeps_no_other_from_coming() {
    let mut book = Book::new();
    for order in ["A", "B"] {
        book.take(0, registered(order, 10_000));
        book.take(1, voucher(order, 6000));
    }
    let antidote = poison::poisoned("A");
    book.wait_until(30);
    book.take(31, voucher("C", 6000));
    assert_eq!(book.count("set_aside"), 0, "no entry is to blame");
    assert_eq!(book.kinds(), ["set_aside", "complement_missing"]);
    assert!(book.texts("SELECT detail FROM discrepancies")[0].contains("camping A"));
    assert_eq!(book.texts("SELECT reference FROM orders ORDER BY order_id"), ["A", "B", "C"]);
    drop(antidote);
    book.rebuild();
    assert_eq!(book.kinds(), ["complement_missing", "complement_missing"]);
}

/// A disk may turn a bit in one row; the other orders are still paid for.
#[test]
fn one_damaged_order_does_not_keep_the_others_out() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.damage("UPDATE facts SET brand = CAST(x'ff' AS TEXT) WHERE seq = 1");
    book.take(60, voucher("B", 6000));
    assert_eq!(book.texts("SELECT reference FROM orders WHERE next_check_at IS NULL"), ["A"]);
    assert_eq!(book.count("set_aside"), 0);
    assert_eq!(book.count("records"), 2);
}

#[test]
fn a_genuine_message_that_is_not_understood_is_told_at_once() {
    let mut book = Book::new();
    book.take(0, watching());
    book.take(1, stories::unread());
    assert_eq!(book.texts("SELECT verdict FROM notifications"), ["unread"]);
    assert_eq!(book.texts(SET_ASIDE), ["2 unread: a status of another type"]);
    assert_eq!(book.texts("SELECT kind || ' ' || endpoint FROM discrepancies"), ["set_aside camping-up2pay"]);
    assert_eq!(book.count("endpoints"), 1, "it is a sign of life");
    assert_eq!(book.reader().latest_set_aside(None, 10).expect("read").len(), 1);
}

#[test]
fn an_entry_that_does_not_follow_is_refused_and_nothing_is_folded() {
    let mut book = lived_in();
    let links = book.log.read(Seq::ZERO, 100).expect("read");
    let before = book.everything();
    for group in [&links[..], &links[1..2], &links[8..9]] {
        let refused = book.ledger.apply(group);
        assert!(matches!(refused, Err(LedgerError::LogMoved { .. })), "{refused:?}");
    }
    assert_eq!(book.everything(), before);
}

fn reread(of: Seq, notification: Notification) -> LogEntry {
    LogEntry::Reread(Reread { of, notification })
}

#[test]
fn what_a_later_program_reads_counts_from_when_it_came_and_ends_the_discrepancy() {
    let mut book = Book::new();
    book.take(0, registered("A", 6000));
    let (first, second) = (book.take(1, stories::unread()), book.take(3, stories::unread()));
    assert_eq!(book.discrepancies(), [seen("set_aside", 1, None)]);
    book.take(2 * DAY, reread(first, voucher("A", 6000)));
    assert_eq!(book.texts("SELECT reference || ' ' || state FROM acct_orders"), ["A balanced"]);
    assert_eq!(book.texts("SELECT first_seen_at FROM records"), [minute(1).to_string()]);
    assert_eq!(book.discrepancies(), [seen("set_aside", 1, None)], "another one is unread still");
    book.take(2 * DAY + 1, reread(second, notification(Vec::new())));
    assert_eq!(book.discrepancies(), [seen("set_aside", 1, Some(2 * DAY + 1))]);
    assert_eq!(book.texts(SET_ASIDE), [""; 0]);
}

#[test]
fn nothing_is_read_again_twice_nor_what_was_understood() {
    let mut book = Book::new();
    let (known, unread) = (book.take(0, voucher("A", 6000)), book.take(1, stories::unread()));
    book.take(2, reread(unread, voucher("B", 3000)));
    for of in [known, unread, Seq::new(99)] {
        book.take(3, reread(of, voucher("C", 3000)));
    }
    assert_eq!(book.texts("SELECT reference FROM orders ORDER BY 1"), ["A", "B"]);
    assert_eq!(book.texts("SELECT COUNT(*) || '' FROM refused"), ["3"]);
}
