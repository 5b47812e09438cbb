//! What is missing, or too much, on the suspense account.

use cvco_domain::{Books, Instalment};
use cvco_log::entry::Close;

use super::*;

/// Closes a month of books with a suspense account.
pub(super) fn close(period: &str) -> LogEntry {
    let books = Books { suspense: true, ..Books::default() };
    LogEntry::Close(Close { period: stories::period(period), books, by: "marie".to_owned() })
}

/// With `suspense`, what is not due by the end of a month lacks nothing in it, whenever that month is closed.
#[test]
fn a_plans_gap_is_booked_in_the_month_in_which_it_falls_due() {
    let planned = |order: &str| {
        let parts = [(15_000, 14), (35_000, 106)]
            .map(|(cents, days)| Instalment { cents: Cents::new(cents), due: Some(minute(days * DAY)) });
        LogEntry::Order(OrderRegistration { instalments: parts.into(), ..registered(order, 50_000) })
    };
    let months = [("2026-03", 33), ("2026-04", 65), ("2026-05", 95), ("2026-06", 125)];
    let closed_in_time = months;
    let closed_late = months.map(|(period, _)| (period, 125));
    for closes in [closed_in_time, closed_late] {
        let mut book = Book::new();
        for (order, paid) in [("WHOLE", 15_000), ("SHORT", 14_000)] {
            book.take(0, planned(order));
            book.take(DAY, card(order, paid).saying(ReportedState::Captured));
        }
        for (period, day) in closes {
            book.wait_until(day * DAY);
            book.take(day * DAY, close(period));
        }
        let gaps = "SELECT period || ' ' || order_ref || ' ' || SUM(Debit - Credit) FROM entries
                    WHERE leg = 'suspense' GROUP BY period, order_ref ORDER BY 1";
        assert_eq!(book.texts(gaps), ["2026-03 SHORT 1000", "2026-06 SHORT 35000", "2026-06 WHOLE 35000"]);
    }
}

/// With `suspense`, the balance of a month's end is what was missing then, or too much, and not what is when it is closed.
#[test]
fn the_suspense_account_is_as_it_was_at_the_end_of_the_month() {
    let paid = |call: &str, cents: i64, day: i64| {
        let mut told = card("SHORT", cents).saying(ReportedState::Captured);
        for event in &mut told.events {
            event.call_number = CallNumber::new(call).expect("a number");
            event.tender_id = TenderId::new(call).ok();
            event.occurred_at = Some(minute(day * DAY));
        }
        told
    };
    for closed_on in [33, 43] {
        let mut book = Book::new();
        let due = Some(minute(20 * DAY));
        book.take(0, LogEntry::Order(OrderRegistration { due, ..registered("SHORT", 30_000) }));
        book.take(0, registered("OVER", 10_000));
        book.take(DAY, paid("1", 15_000, 1));
        book.take(DAY, card("OVER", 14_000).saying(ReportedState::Captured));
        book.wait_until(33 * DAY);
        if closed_on == 33 {
            book.take(33 * DAY, close("2026-03"));
        }
        book.take(36 * DAY, paid("2", 15_000, 36));
        book.take(36 * DAY, refund("OVER", 4000).saying(ReportedState::Captured));
        if closed_on == 43 {
            book.take(43 * DAY, close("2026-03"));
        }
        book.wait_until(65 * DAY);
        book.take(65 * DAY, close("2026-04"));
        let balance = |through: &str| {
            book.texts(&format!(
                "SELECT order_ref || ' ' || SUM(Debit - Credit) FROM entries
                 WHERE leg = 'suspense' AND EcritureDate <= '{through}' GROUP BY order_ref ORDER BY 1"
            ))
        };
        assert_eq!(balance("2026-03-31"), ["OVER -4000", "SHORT 15000"], "closed on day {closed_on}");
        assert_eq!(balance("2026-04-30"), ["OVER 0", "SHORT 0"], "closed on day {closed_on}");
    }
}

/// Each part has an entry of its own: what is no longer too much puts right the one that booked it as too much.
#[test]
fn what_puts_an_entry_right_names_that_entry() {
    let close = |period: &str| {
        let books = Books { suspense: true, paired: true, ..Books::default() };
        LogEntry::Close(Close { period: stories::period(period), books, by: "marie".to_owned() })
    };
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(DAY, card("A", 14_000).saying(ReportedState::Captured));
    book.take(33 * DAY, close("2026-03"));
    book.take(36 * DAY, refund("A", 4000).saying(ReportedState::Captured));
    book.take(65 * DAY, close("2026-04"));
    let of = |period: &str, column: &str| {
        book.texts(&format!("SELECT {column} FROM entries WHERE period = '{period}' AND leg = 'suspense'"))
    };
    let (booked, right) = (of("2026-03", "EcritureNum"), of("2026-04", "EcritureLib"));
    let [booked] = booked.as_slice() else { panic!("{booked:?}") };
    assert!(right.len() == 1 && right[0].contains(&format!("correction de {booked}")), "{right:?}");
    assert!(booked.ends_with("000002"), "the card's own entry is another one");
}
