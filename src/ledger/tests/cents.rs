//! No cent is lost or made: what the messages state, what the tenders come to, what the records come to.

use cvco_domain::AmountFrom;

use super::*;
use crate::ledger::{Flaw, Reader};

fn cents(book: &Book) -> Option<Flaw> {
    book.proof().flaws.into_iter().find(|flaw| flaw.place.starts_with("cents of"))
}

/// A refund of the card part of an order.
fn refund(reference: &str, cents: i64) -> Notification {
    let mut refund = card(reference, cents);
    refund.events[0].operation = Operation::Credit { of: None };
    refund.events[0].tender_id = TenderId::new(format!("{reference}-refund")).ok();
    notification(refund.events)
}

#[test]
fn cents_that_were_changed_in_tenders_and_record_alike_are_found() {
    let mut book = lived_in();
    book.damage(
        "UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000;
         UPDATE records SET voucher_cents = 5999, paid_cents = 9999 WHERE order_id = 1",
    );
    let flaw = cents(&book).expect("found");
    assert_eq!(flaw.place, "cents of shop camping, 2026-03-01, order A, call call-A");
    assert_eq!(flaw.what, "vouchers: the messages state 60.00 EUR, the tenders come to 59.99");
}

#[test]
fn a_record_that_is_not_the_sum_of_its_tenders_is_found() {
    for (column, what) in [
        ("voucher_cents", "vouchers: its tenders come to 50.00 EUR, its record to 50.01"),
        ("card_cents", "card: its tenders come to 0.00 EUR, its record to 0.01"),
        ("paid_cents", "paid: its tenders come to 50.00 EUR, its record to 50.01"),
        ("refunded_cents", "refunds: its tenders come to 0.00 EUR, its record to 0.01"),
    ] {
        let mut book = lived_in();
        book.damage(&format!("UPDATE records SET {column} = {column} + 1 WHERE order_id = 2"));
        let flaw = cents(&book).expect("found");
        assert_eq!(flaw.place, "cents of shop camping, 2026-03-01, order B, call call-B");
        assert_eq!(flaw.what, what);
    }
}

#[test]
fn a_refund_counts_once_however_often_it_is_told() {
    let mut book = lived_in();
    book.take(50, refund("A", 1500));
    book.take(51, refund("A", 1500));
    assert_eq!(cents(&book), None);
    assert_eq!(book.texts("SELECT refunded_cents FROM records WHERE order_id = 1"), ["1500"]);
    book.damage(
        "UPDATE tenders SET refunded_cents = 3000 WHERE refunded_cents = 1500;
         UPDATE records SET refunded_cents = 3000 WHERE order_id = 1",
    );
    assert!(cents(&book).is_some_and(|flaw| flaw.what.starts_with("refunds: the messages state 15.00 EUR")));
}

#[test]
fn a_payment_without_any_row_is_found() {
    let mut book = lived_in();
    book.damage("DELETE FROM tenders WHERE order_id = 2; DELETE FROM records WHERE order_id = 2");
    assert!(cents(&book).is_some_and(|flaw| flaw.place.contains("order B")));
}

#[test]
fn a_row_without_any_payment_is_found() {
    let mut book = Book::new();
    book.take(0, registered("C", 100));
    book.damage(
        "INSERT INTO records VALUES (1, 'up2pay', 'x', 'e', 'production', 'EUR', NULL, NULL, 1, 0, 1, 0, 0, 'unverified',
           '2026-03-01T23:30:00.000Z', NULL, NULL, NULL);
         INSERT INTO tenders VALUES (1, 'up2pay', 'x', 0, NULL, 'voucher', 'CVCO', 1, 'EUR', 0, 'captured', NULL, NULL,
           'e', 0, '2026-03-01T23:30:00.000Z', NULL, NULL, NULL, NULL, 0, NULL)",
    );
    let flaw = cents(&book).expect("found");
    assert_eq!(flaw.place, "cents of shop camping, 2026-03-02, order C, call x", "the day is that of Paris");
}

#[test]
fn cents_of_another_day_are_found() {
    let mut book = lived_in();
    book.damage(
        "UPDATE tenders SET first_seen_at = '2026-03-02T10:00:00.000Z' WHERE order_id = 2;
         UPDATE records SET first_seen_at = '2026-03-02T10:00:00.000Z' WHERE order_id = 2",
    );
    assert!(cents(&book).is_some_and(|flaw| flaw.what.contains("another day")));
}

/// What was paid so far is all that this message says.
fn running(reference: &str, so_far: i64) -> Notification {
    let mut told = voucher(reference, so_far);
    told.psp = Psp::Worldline;
    told.events[0].amount_from = AmountFrom::RunningTotal;
    told.events[0].running_total = Some(Cents::new(so_far));
    told
}

#[test]
fn where_messages_leave_amounts_open_the_note_counts_the_orders_and_the_bounds_are_checked() {
    let mut book = lived_in();
    book.take(50, running("W", 3000));
    let proof = book.proof();
    assert_eq!(proof.flaws, []);
    assert!(proof.note.is_some_and(|note| note.contains("1 of 3 orders")));
    book.damage(
        "UPDATE tenders SET amount_cents = 3001 WHERE amount_cents = 3000;
         UPDATE records SET voucher_cents = 3001, paid_cents = 3001 WHERE order_id = 3",
    );
    assert!(
        cents(&book).is_some_and(|flaw| flaw.what.contains("state 0.00 to 30.00 EUR")),
        "{:?}",
        book.proof()
    );
}

#[test]
fn a_days_takings_are_what_was_accepted_and_refunded_on_it() {
    let mut book = lived_in();
    book.take(50, refund("A", 1500));
    book.take(60, voucher("X", 700).of_shop("autre"));
    // Trials are no takings.
    let mut trial = voucher("T", 900);
    trial.mode = Mode::Test;
    book.take(61, trial);
    let reader = Reader::open(&book.path()).expect("a reader");
    let (from, until) = (minute(0).paris_midnight(), minute(24 * 60).paris_midnight());
    let takings: Vec<_> = reader
        .takings(from, until)
        .expect("takings")
        .into_iter()
        .map(|t| {
            (t.shop.to_string(), [t.voucher, t.card, t.voucher_refunded, t.card_refunded].map(Cents::get))
        })
        .collect();
    assert_eq!(
        takings,
        [("autre".to_owned(), [700, 0, 0, 0]), ("camping".to_owned(), [11_000, 4000, 0, 1500])]
    );
    assert_eq!(reader.takings(until, minute(2 * 24 * 60)).expect("takings"), []);
}
