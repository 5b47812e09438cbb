//! The log: append-only, chained, and patient with repetitions.

use cvco_domain::Kind;

use super::super::{About, Identity};
use super::*;

#[test]
fn the_log_refuses_changes() {
    let book = lived_in();
    for sql in [
        "UPDATE log SET content = '{}' WHERE seq = 1",
        "UPDATE log SET seq = 99 WHERE seq = 1",
        "DELETE FROM log WHERE seq = 8",
        "DELETE FROM log",
    ] {
        let refusal = book.conn.execute(sql, []).expect_err(sql).to_string();
        assert!(refusal.contains("the log is append-only"), "{refusal}");
    }
}

#[test]
fn payloads_are_written_once() {
    let mut book = Book::new();
    store(&mut book, voucher("A", 100), "query");
    let refusal = book.conn.execute("UPDATE payloads SET sealed = x'00'", []).expect_err("refused");
    assert!(refusal.to_string().contains("written once"));
    assert_eq!(book.conn.execute("DELETE FROM payloads", []).expect("purged"), 1);
}

#[test]
fn entries_are_numbered_without_a_gap_and_chained_to_the_one_before() {
    let book = lived_in();
    let seqs = book.texts("SELECT seq FROM log ORDER BY seq");
    assert_eq!(seqs, (1..=8).map(|seq| seq.to_string()).collect::<Vec<_>>());
    let mut before = super::super::fold::GENESIS.to_owned();
    let mut statement = book
        .conn
        .prepare(&format!("SELECT {} FROM log ORDER BY seq", super::super::log_row::LogRow::COLUMNS))
        .expect("a query");
    let rows: Vec<_> = statement
        .query_map([], super::super::log_row::LogRow::from_row)
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    for (row, chain_hash) in rows {
        assert_eq!(row.chain_hash(&before), chain_hash);
        before = chain_hash;
    }
    assert_eq!(book.texts("SELECT head_hash FROM progress"), [before]);
}

#[test]
fn no_character_can_move_between_columns_unnoticed() {
    let entry = Entry::from(voucher("A", 100));
    let row =
        super::super::log_row::LogRow::new(1, minute(0), &entry, Some(Verdict::Genuine)).expect("a row");
    let hash = |shop: Option<&str>, endpoint: Option<&str>| {
        let (shop, endpoint) = (shop.map(str::to_owned), endpoint.map(str::to_owned));
        super::super::log_row::LogRow { shop, endpoint, ..row.clone() }.chain_hash("")
    };
    let variants = [
        hash(Some("ab"), Some("c")),
        hash(Some("a"), Some("bc")),
        hash(Some("abc"), None),
        hash(None, Some("abc")),
        hash(Some("abc"), Some("")),
        hash(Some("ab1:c"), None),
    ];
    for (place, variant) in variants.iter().enumerate() {
        assert!(!variants[..place].contains(variant), "{place}");
    }
}

fn snoozed_with_identity() -> Entry {
    Entry::Acknowledgement(Acknowledgement {
        discrepancy: 7,
        note: None,
        by: "compta".to_owned(),
        act: Act::Snoozed { until: minute(5) },
        of: Some(Identity {
            kind: Kind::AmountShort,
            shop: shop("camping"),
            about: About::Payment(Psp::Up2pay, CallNumber::new("1").expect("a call number")),
            record: Some((Psp::Up2pay, CallNumber::new("1").expect("a call number"))),
            subject: "a transaction".to_owned(),
            opened_at: minute(1),
        }),
    })
}

#[test]
fn every_kind_of_entry_reads_back_as_it_was() {
    let mut odd = voucher("A", 100);
    odd.remark = Some("a remark".to_owned());
    odd.events[0].order_ref = None;
    let with_due = OrderRegistration {
        shop: shop("camping"),
        reference: OrderRef::new("A").expect("a reference"),
        total: Cents::new(100),
        currency: Currency::EUR,
        due: Some(minute(5)),
    };
    for entry in [
        Entry::from(odd),
        Entry::from(notification(Vec::new())),
        registered("A", 100),
        Entry::Order(with_due),
        policy_with_grace(3),
        acknowledged(7),
        snoozed_with_identity(),
        wrong_signatures(),
    ] {
        let row = super::super::log_row::LogRow::new(1, minute(0), &entry, None).expect("a row");
        assert_eq!(row.entry().expect("readable"), entry);
    }
}

#[test]
fn the_log_never_runs_backwards_in_time() {
    let mut book = Book::new();
    book.take(10, registered("A", 100));
    book.take(5, registered("B", 100));
    let times = book.texts("SELECT at FROM log ORDER BY seq");
    assert_eq!(times, [minute(10).to_string(), minute(10).to_string()]);
}

fn envelope(query: &str) -> Envelope {
    super::envelope(query)
}

/// Stores a notification with its payload, as the writer does.
fn store(book: &mut Book, mut notification: Notification, query: &str) -> Taken {
    notification.payload_sha256 = sha256(&[query.as_bytes()]).to_string();
    book.within(|conn, fold| {
        let taken = fold.take(minute(0), &notification.into())?;
        if let Taken::Written { seq, payload_known: false, .. } = taken {
            super::super::payload::keep(conn, &seal_key(), (seq, minute(0)), &envelope(query))?;
        }
        Ok(taken)
    })
    .expect("stored")
}

#[test]
fn a_duplicate_is_logged_and_changes_nothing_else() {
    let mut book = Book::new();
    let first = store(&mut book, voucher("A", 6000), "the same bytes");
    assert_eq!(first, Taken::Written { seq: 1, verdict: Some(Verdict::Genuine), payload_known: false });
    let before: Vec<Rows> =
        FOLD_TABLES.iter().map(|table| book.rows(&format!("SELECT * FROM {table}"))).collect();
    let second = store(&mut book, voucher("A", 6000), "the same bytes");
    assert_eq!(second, Taken::Written { seq: 2, verdict: Some(Verdict::Duplicate), payload_known: true });
    let after: Vec<Rows> =
        FOLD_TABLES.iter().map(|table| book.rows(&format!("SELECT * FROM {table}"))).collect();
    assert_eq!(before, after);
    assert_eq!(book.count("payloads"), 1);
    assert_eq!(book.texts("SELECT verdict FROM acct_notifications"), ["genuine", "duplicate"]);
}

#[test]
fn a_duplicate_in_other_bytes_keeps_its_own_evidence() {
    let mut book = Book::new();
    store(&mut book, voucher("A", 6000), "some bytes");
    let second = store(&mut book, voucher("A", 6000), "other bytes");
    assert_eq!(second, Taken::Written { seq: 2, verdict: Some(Verdict::Duplicate), payload_known: false });
    assert_eq!(book.count("payloads"), 2);
}

#[test]
fn another_amount_is_no_duplicate() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    let taken = book.take(1, voucher("A", 6100));
    assert!(matches!(taken, Taken::Written { verdict: Some(Verdict::Genuine), .. }));
    assert_eq!(book.count("events"), 2);
    assert_eq!(book.discrepancies()[0].0, "conflicting_notification");
}

#[test]
fn a_fact_repeated_within_one_message_is_one_fact() {
    let mut book = Book::new();
    let event = voucher("A", 6000).events.remove(0);
    book.take(0, notification(vec![event.clone(), event]));
    assert_eq!(book.count("events"), 1);
    assert_eq!(book.count("tenders"), 1);
}

#[test]
fn a_message_about_nothing_of_ours_is_logged_and_ignored() {
    let mut book = Book::new();
    let taken = book.take(0, notification(Vec::new()));
    assert_eq!(taken, Taken::Written { seq: 1, verdict: Some(Verdict::Ignored), payload_known: false });
    assert_eq!(book.count("orders"), 0);
}

#[test]
fn the_same_reference_in_two_shops_is_two_orders() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.take(0, voucher("A", 6000).of_shop("hotel"));
    assert_eq!(book.texts("SELECT shop FROM orders ORDER BY 1"), ["camping", "hotel"]);
}

#[test]
fn a_payment_without_a_reference_is_an_order_of_its_own() {
    let mut book = Book::new();
    let anonymous = |call: &str| {
        let mut event = voucher(call, 6000).events.remove(0);
        event.order_ref = None;
        notification(vec![event])
    };
    book.take(0, anonymous("one"));
    book.take(0, anonymous("two"));
    book.take(1, anonymous("one"));
    assert_eq!(book.texts("SELECT call_number FROM orders ORDER BY order_id"), ["call-one", "call-two"]);
    assert_eq!(book.count("acct_orders"), 0, "nobody registered them");
    assert_eq!(book.count("acct_register"), 2);
}
