//! What a week's summary counts is what it adds up.

use super::*;

#[test]
fn payments_in_another_currency_are_counted_by_themselves_and_chargebacks_are_at_stake() {
    let mut book = Book::new();
    for order in ["A", "B"] {
        book.take(0, registered(order, 10_000));
        book.take(1, voucher(order, 6000));
        book.take(2, card(order, 4000));
    }
    let francs = Currency::parse("CHF").expect("a currency");
    book.take(3, registered("C", 5000));
    let event = Event { currency: francs, complement: false, ..part("C", 5000, Instrument::Card) };
    book.take(3, notification(vec![event]));
    let taken = Event {
        operation: Operation::Chargeback { of: None },
        tender_id: TenderId::new("A-chargeback").ok(),
        ..part("A", 4000, Instrument::Card)
    };
    book.take(DAY, notification(vec![taken]).saying(ReportedState::Captured));
    let reader = book.reader();
    let (from, until) = (minute(-DAY), minute(6 * DAY));
    let counts = reader.week_counts(&shop("camping"), from, until).expect("read");
    assert_eq!(counts.payments, 2);
    let other = crate::InOtherCurrency { currency: francs, payments: 1, accepted: Cents::new(5000) };
    assert_eq!(counts.others, [other]);
    let takings = reader.takings(from, until).expect("read").remove(0);
    assert_eq!(takings.voucher().plus(takings.card.accepted), Cents::new(20_000), "of the same payments");
    let open = book
        .texts("SELECT kind FROM discrepancies WHERE closed_at IS NULL AND severity <> 'info' ORDER BY 1");
    assert_eq!(open, ["chargeback", "currency_unexpected"]);
    assert_eq!(counts.open_amount, Cents::new(4000), "what the bank took back");

    book.take(7 * DAY, OrderRegistration { currency: francs, ..registered("D", 9000) });
    let half = Event { currency: francs, complement: false, ..part("D", 2500, Instrument::Card) };
    book.take(7 * DAY, notification(vec![half]));
    book.wait_until(8 * DAY);
    let reader = book.reader();
    let short =
        book.texts("SELECT actual_cents - expected_cents FROM discrepancies WHERE kind = 'amount_short'");
    assert_eq!(short, ["-6500"]);
    let counts = reader.week_counts(&shop("camping"), from, minute(9 * DAY)).expect("read");
    assert_eq!(counts.open_amount, Cents::new(4000), "francs are no euros");
    let all = crate::WorkFilter::default();
    assert_eq!(reader.count_work(&all).expect("counted").at_stake, Cents::new(4000));
}
