//! What becomes of each call: news, a repetition, nothing of ours.

use super::*;

#[test]
fn a_duplicate_is_listed_and_changes_nothing_else() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    let others = |book: &Book| -> Vec<Table> {
        let is_other = |table: &Table| table.name != "notifications" && table.name != "progress";
        book.everything().into_iter().filter(is_other).collect()
    };
    let before = others(&book);
    book.take(1, voucher("A", 6000));
    assert_eq!(others(&book), before);
    assert_eq!(book.texts("SELECT verdict FROM acct_notifications"), ["genuine", "duplicate"]);
    assert!(book.reader().is_duplicate(Seq::new(2)).expect("read"));
    assert!(!book.reader().is_duplicate(Seq::new(1)).expect("read"));
}

#[test]
fn another_amount_is_no_duplicate() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.take(1, voucher("A", 6100));
    assert_eq!(book.texts("SELECT verdict FROM notifications"), ["genuine", "genuine"]);
    assert_eq!(book.count("facts"), 2);
    assert_eq!(book.kinds()[0], "conflicting_notification");
}

#[test]
fn the_same_call_at_another_endpoint_is_no_duplicate() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.take(1, voucher("A", 6000).at_endpoint("another"));
    assert_eq!(book.texts("SELECT verdict FROM notifications"), ["genuine", "genuine"]);
}

#[test]
fn a_fact_repeated_within_one_message_is_one_fact() {
    let mut book = Book::new();
    let event = part("A", 6000, Instrument::Voucher);
    book.take(0, notification(vec![event.clone(), event]));
    assert_eq!((book.count("facts"), book.count("tenders")), (1, 1));
    assert_eq!(book.texts("SELECT events FROM notifications"), ["2"]);
}

#[test]
fn facts_are_kept_as_they_were_stated() {
    let mut event = part("A", 6000, Instrument::Card);
    event.operation = Operation::Credit { of: TenderId::new("T").ok() };
    event.authorisation = Authorisation::Absent;
    event.running_total = Some(Cents::new(7));
    event.contract = Some(contract("C"));
    event.mode = Some(Mode::Test);
    event.order_total = Some(Cents::new(9));
    event.itemised = true;
    event.parts_announced = Some(2);
    event.occurred_at = Some(minute(-5));
    event.status = StatusCode { code: "x".to_owned(), reading: StatusReading::Attention };
    let mut book = Book::new();
    book.take(0, notification(vec![event.clone(), part("A", 1, Instrument::Voucher)]));
    let stories = book.reader().stories("A").expect("read");
    let told = &stories[0].log[0].content["events"];
    assert_eq!(told[0], serde_json::to_value(&event).expect("JSON"));
    assert_eq!(told[1], serde_json::to_value(part("A", 1, Instrument::Voucher)).expect("JSON"));
}

#[test]
fn a_message_about_nothing_of_ours_is_listed_and_ignored() {
    let mut book = Book::new();
    book.take(0, notification(Vec::new()));
    assert_eq!(book.texts("SELECT verdict FROM notifications"), ["ignored"]);
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
        let event = Event { order_ref: None, ..part(call, 6000, Instrument::Voucher) };
        notification(vec![event])
    };
    book.take(0, anonymous("one"));
    book.take(0, anonymous("two"));
    book.take(1, anonymous("one"));
    assert_eq!(book.texts("SELECT call_number FROM orders ORDER BY order_id"), ["call-one", "call-two"]);
    assert_eq!(book.count("acct_orders"), 0, "nobody registered them");
    assert_eq!(book.count("acct_register"), 2);
}

#[test]
fn the_chain_of_a_call_stands_beside_it() {
    let mut book = Book::new();
    let seq = book.take(0, voucher("A", 6000));
    let link = book.log.read(Seq::ZERO, 1).expect("read").remove(0);
    let listed = book.texts("SELECT seq || ' ' || chain_hash FROM acct_notifications");
    assert_eq!(listed, [format!("{seq} {}", link.chain_hash)]);
}
