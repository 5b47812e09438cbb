//! What a person types finds the orders that are meant.

use super::*;
use crate::{PaymentFilter, Piece, Sought};

/// The references that an amount finds, the latest first.
fn found(book: &Book, cents: i64) -> Vec<String> {
    let reader = book.reader();
    let sought = Sought { text: Cents::new(cents).to_string(), amount: Some(Cents::new(cents)) };
    let found = Some(reader.search(&sought, &[shop("camping")]).expect("searched"));
    let filter = PaymentFilter { found, ..PaymentFilter::default() };
    let rows = reader.payments(&filter, &Piece::Latest(None), 10).expect("read");
    rows.iter().filter_map(|row| row.reference().map(ToString::to_string)).collect()
}

#[test]
fn an_amount_is_found_whatever_it_is_of_and_in_whatever_month() {
    let mut book = Book::new();
    book.take(0, voucher("MARCH", 6000));
    book.take(1, card("MARCH", 4000));
    book.take(70 * DAY, voucher("MAY", 4000));
    book.take(70 * DAY + 1, registered("NOT PAID", 4000));
    book.take(70 * DAY + 2, registered("PUT RIGHT", 4000));
    book.take(70 * DAY + 3, registered("PUT RIGHT", 10_000));
    book.take(400 * DAY, voucher("NEXT YEAR", 10_000));
    assert_eq!(found(&book, 4000), ["NOT PAID", "MAY", "MARCH"], "paid in all, a part, and registered");
    assert_eq!(found(&book, 10_000), ["NEXT YEAR", "PUT RIGHT", "MARCH"]);
    assert_eq!(found(&book, 6000), ["MARCH"]);
    assert_eq!(found(&book, 1), Vec::<String>::new());
}

#[test]
fn an_order_that_was_not_paid_whole_is_found_by_its_total_and_by_what_it_lacks() {
    let mut book = Book::new();
    book.take(0, registered("DEPOSIT", 50_000));
    book.take(1, voucher("DEPOSIT", 15_000));
    book.take(2, registered("PAID", 50_000));
    book.take(3, voucher("PAID", 20_000));
    book.take(4, card("PAID", 30_000));
    assert_eq!(found(&book, 35_000), Vec::<String>::new(), "its complement is awaited");
    book.take(DAY, voucher("NEXT DAY", 100));
    assert_eq!(found(&book, 50_000), ["PAID", "DEPOSIT"]);
    assert_eq!(found(&book, 35_000), ["DEPOSIT"]);
}
