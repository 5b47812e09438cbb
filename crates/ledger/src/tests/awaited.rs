//! The list of orders: payments, and orders that were registered and of which no payment is known.

use super::*;
use crate::{OrderRow, OrderStanding, PaymentCount, PaymentFilter, PaymentSort, Piece};

fn awaited() -> PaymentFilter {
    PaymentFilter { standing: Some(OrderStanding::Awaited), ..PaymentFilter::default() }
}

fn name(row: &OrderRow) -> String {
    let reference = row.reference().expect("a reference");
    match row {
        OrderRow::Payment(_) => reference.to_string(),
        OrderRow::Awaited(order) => format!("{reference} awaited {}", order.expected),
    }
}

impl Book {
    fn listed(&self, filter: &PaymentFilter, piece: &Piece) -> Vec<String> {
        self.reader().payments(filter, piece, 100).expect("read").iter().map(name).collect()
    }

    fn sums(&self, filter: &PaymentFilter) -> PaymentCount {
        self.reader().count_payments(filter).expect("counted")
    }
}

/// `A` is paid, `B` and `D` wait, `C` came without being registered; an hour between them.
fn four_orders() -> Book {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(1, voucher("A", 6000));
    book.take(1, card("A", 4000));
    book.take(60, registered("B", 5000));
    book.take(120, voucher("C", 3000));
    book.take(180, registered("D", 7000));
    book
}

#[test]
fn an_order_is_awaited_until_a_payment_of_it_is_known() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, registered("A", 12_000));
    assert_eq!(book.listed(&PaymentFilter::default(), &Piece::Latest(None)), ["A awaited 120.00"]);
    assert_eq!(book.texts("SELECT awaited_since FROM orders"), ["2026-03-01T10:01:00.000Z"]);
    book.take(3, voucher("A", 6000));
    assert_eq!(book.listed(&PaymentFilter::default(), &Piece::Latest(None)), ["A"]);
    assert!(book.listed(&awaited(), &Piece::Latest(None)).is_empty());
}

/// A shop has free orders, and sets to nothing those that it cancels.
#[test]
fn of_an_order_of_nothing_no_payment_is_awaited() {
    let mut book = Book::new();
    book.take(1, registered("FREE", 0));
    book.take(1, registered("A", 10_000));
    book.take(2, registered("A", 0));
    assert!(book.listed(&PaymentFilter::default(), &Piece::Latest(None)).is_empty());
    assert_eq!(book.texts("SELECT state FROM orders"), ["balanced", "balanced"]);
    book.take(3, registered("A", 10_000));
    assert_eq!(book.listed(&PaymentFilter::default(), &Piece::Latest(None)), ["A awaited 100.00"]);
    book.take(4, voucher("FREE", 1000));
    assert_eq!(
        book.discrepancies().iter().map(|seen| seen.kind.as_str()).collect::<Vec<_>>(),
        ["amount_over"]
    );
}

#[test]
fn a_payment_that_came_to_nothing_is_a_payment() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000).saying(ReportedState::Refused));
    assert_eq!(book.listed(&PaymentFilter::default(), &Piece::Latest(None)), ["A"]);
}

#[test]
fn both_stand_in_one_order_of_time_whichever_way_it_is_read() {
    let book = four_orders();
    let latest = ["D awaited 70.00", "C", "B awaited 50.00", "A"];
    let mut earliest = latest;
    earliest.reverse();
    let all = PaymentFilter::default();
    assert_eq!(book.listed(&all, &Piece::Latest(None)), latest);
    assert_eq!(book.listed(&all, &Piece::Earliest(None)), earliest);
    let reader = book.reader();
    for (names, piece) in
        [(latest, Piece::Latest as fn(_) -> _), (earliest, Piece::Earliest as fn(_) -> Piece)]
    {
        let (mut read, mut after) = (Vec::new(), None);
        while let [row] = reader.payments(&all, &piece(after), 1).expect("read").as_slice() {
            read.push(name(row));
            after = Some(row.place().to_string().parse().expect("a place in an address"));
        }
        assert_eq!(read, names, "one by one");
    }
    let sorted = |by| book.listed(&all, &Piece::Sorted { by, descending: false, skip: 0 });
    assert_eq!(sorted(PaymentSort::Gap), ["D awaited 70.00", "B awaited 50.00", "A", "C"]);
    assert_eq!(sorted(PaymentSort::Reference), ["A", "B awaited 50.00", "C", "D awaited 70.00"]);
}

#[test]
fn a_filter_lets_through_what_it_names_and_adds_that_up() {
    let book = four_orders();
    let names = |filter: &PaymentFilter| book.listed(filter, &Piece::Latest(None));
    assert_eq!(names(&awaited()), ["D awaited 70.00", "B awaited 50.00"]);
    let of_psp = PaymentFilter { psp: Some(Psp::Up2pay), ..PaymentFilter::default() };
    assert_eq!(names(&of_psp), ["C", "A"], "an unpaid order was paid at no provider");
    let neither = PaymentFilter { psp: Some(Psp::Up2pay), ..awaited() };
    assert!(names(&neither).is_empty());
    let from = PaymentFilter { from: Some(minute(60)), until: Some(minute(180)), ..PaymentFilter::default() };
    assert_eq!(names(&from), ["C", "B awaited 50.00"]);
    let elsewhere = PaymentFilter { shop: Some(shop("glamping")), ..PaymentFilter::default() };
    assert!(names(&elsewhere).is_empty());

    let count = book.sums(&PaymentFilter::default());
    let [sum] = count.sums.as_slice() else { panic!("euros alone: {count:?}") };
    assert_eq!((count.counted, count.awaited, count.trials), (4, 2, 0));
    assert_eq!(
        [sum.voucher, sum.card, sum.paid, sum.expected, sum.gap].map(Cents::get),
        [9000, 4000, 13_000, 22_000, -12_000],
        "nobody knows what C should come to"
    );
    let count = book.sums(&awaited());
    assert_eq!((count.counted, count.awaited, count.sums[0].gap.get()), (2, 2, -12_000));
    assert_eq!(book.sums(&neither).counted, 0);
}
