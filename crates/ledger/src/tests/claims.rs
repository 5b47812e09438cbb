//! A payment that notifications ascribe to several orders was paid once.

use super::*;

/// Voucher and card of one payment, as a PSP tells them whose numbers name a payment by themselves.
pub(super) fn paid(psp: Psp, order: &str, at: i64) -> Notification {
    let mut told =
        notification(vec![part(order, 6000, Instrument::Voucher), part(order, 4000, Instrument::Card)]);
    told.endpoint.psp = psp;
    for (event, operation) in told.events.iter_mut().zip(["10083980755_0", "10083980755_1"]) {
        event.call_number = CallNumber::new("10083980755").expect("a call number");
        event.tender_id = TenderId::new(operation).ok();
        event.complement = false;
        event.occurred_at = Some(minute(at));
    }
    told
}

const OPEN: &str =
    "SELECT order_ref || ': ' || kind || ' ' || detail FROM acct_discrepancies WHERE closed_at IS NULL";
const PAID: &str = "SELECT order_ref || ' ' || paid_cents FROM acct_register ORDER BY order_ref";

#[test]
fn it_counts_for_the_order_under_which_it_was_told_first_by_the_psps_clock() {
    for psp in [Psp::Worldline, Psp::Sogecommerce, Psp::Monext] {
        for told in [["A", "B"], ["B", "A"]] {
            let mut book = Book::new();
            for order in told {
                book.take(10, registered(order, 10_000));
                book.take(10, paid(psp, order, if order == "A" { 1 } else { 2 }));
            }
            assert_eq!(book.texts(PAID), ["A 10000"], "{psp}, {told:?}");
            let conflict = "A: conflicting_notification B";
            assert!(book.texts(OPEN).iter().any(|open| open == conflict), "{psp}: {:?}", book.texts(OPEN));
        }
    }
}

#[test]
fn what_is_done_to_it_later_under_another_reference_is_done_to_it() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, paid(Psp::Worldline, "A", 1));
    let mut refund = paid(Psp::Worldline, "refund of A", 60);
    refund.events.remove(0);
    refund.events[0].operation = Operation::Credit { of: None };
    refund.events[0].tender_id = TenderId::new("10083980755_2").ok();
    book.take(70, refund);
    assert_eq!(
        book.texts("SELECT order_ref || ' ' || paid_cents || ' ' || refunded_cents FROM acct_register"),
        ["A 10000 4000"]
    );
}

#[test]
fn of_two_amounts_the_smaller_one_counts_whatever_the_references() {
    let mut book = Book::new();
    book.take(2, paid(Psp::Worldline, "A", 1));
    let mut other = paid(Psp::Worldline, "B", 1);
    other.events[0].amount = Cents::new(5000);
    book.take(3, other);
    assert_eq!(book.texts(PAID), ["A 9000"]);
}

#[test]
fn a_payment_that_was_told_without_a_reference_goes_to_the_order_that_is_named_later() {
    let mut book = Book::new();
    let mut nameless = paid(Psp::Worldline, "A", 1);
    for event in &mut nameless.events {
        event.order_ref = None;
    }
    book.take(1, nameless);
    book.take(2, registered("A", 10_000));
    book.take(3, paid(Psp::Worldline, "A", 2));
    assert_eq!(
        book.texts("SELECT order_ref || ' ' || paid_cents || ' ' || state FROM acct_register"),
        ["A 10000 balanced"]
    );
    assert_eq!(book.texts(OPEN), Vec::<String>::new());
}

#[test]
fn two_shops_do_not_share_a_payment_and_a_number_that_names_nothing_is_shared_by_many() {
    let mut book = Book::new();
    book.take(1, paid(Psp::Worldline, "A", 1));
    book.take(1, paid(Psp::Worldline, "B", 1).of_shop("parc").at_endpoint("parc-worldline"));
    book.take(2, paid(Psp::Up2pay, "C", 1));
    book.take(2, paid(Psp::Up2pay, "D", 1));
    let registered: Vec<String> = book.texts("SELECT DISTINCT order_ref FROM acct_register ORDER BY 1");
    assert_eq!(registered, ["A", "B", "C", "D"]);
}

/// Up2pay's two calls of one payment, of which a shop gave the second another reference.
#[test]
fn the_order_that_has_the_other_part_under_the_same_call_number_is_known() {
    let mut book = Book::new();
    let call = CallNumber::new("205").expect("a call number");
    let under = |order: &str, instrument| {
        let event = Event { call_number: call.clone(), ..part(order, 6000, instrument) };
        notification(vec![event])
    };
    for order in ["A", "B"] {
        book.take(0, registered(order, 12_000));
    }
    book.take(1, under("A", Instrument::Voucher));
    book.take(2, under("B", Instrument::Card));
    book.take(3, registered("C", 12_000));
    book.take(4, voucher("C", 6000));
    book.wait_until(60);
    let beside = |order: &str| {
        let number =
            book.texts(&format!("SELECT id || '' FROM acct_discrepancies WHERE order_ref = '{order}'"));
        let number = id(number[0].parse().expect("a number"));
        book.reader()
            .discrepancy(number)
            .expect("read")
            .expect("a discrepancy")
            .order
            .expect("an order")
            .same_call
            .map(|other| other.to_string())
    };
    assert_eq!(beside("A").as_deref(), Some("B"));
    assert_eq!(beside("B").as_deref(), Some("A"));
    assert_eq!(beside("C"), None);
}
