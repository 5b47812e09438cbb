//! The accountant's lists of a month agree with its books and with each other.

use cvco_books::accounting::{Cell, Report};
use cvco_domain::StatementLine;

use super::close::paid;
use super::stories::{close, line, statement};
use super::*;
use crate::ReportRange;

/// The rows of a month's list: the columns that are wanted, in their order.
fn rows(book: &Book, report: Report, month: &str, wanted: &[&str]) -> Vec<String> {
    let period = stories::period(month);
    let range = ReportRange { from: period.first(), to: period.last(), shop: None, with_trials: false };
    let mut rows = Vec::new();
    let told = book.ledger.extract().each_row(report, &range, |cells| {
        let columns = report.columns().iter().map(|(name, _, _)| *name).zip(cells);
        let columns = columns.filter(|(name, _)| wanted.contains(name));
        rows.push(columns.map(|(_, cell)| format!("{cell:?}")).collect::<Vec<_>>().join(" "));
        Ok::<_, LedgerError>(())
    });
    told.expect("read");
    rows
}

#[test]
fn what_went_back_is_named_by_its_cause_and_stands_in_the_register_of_its_month() {
    let mut book = Book::new();
    for order in ["A", "B", "C"] {
        book.take(0, registered(order, 10_000));
        book.take(1, voucher(order, 6000).saying(ReportedState::Captured));
        book.take(2, card(order, 4000).saying(ReportedState::Captured));
    }
    book.take(33 * DAY, close("2026-03"));
    let taken = Event {
        operation: Operation::Chargeback { of: None },
        tender_id: TenderId::new("A-chargeback").ok(),
        ..part("A", 4000, Instrument::Card)
    };
    book.take(34 * DAY, notification(vec![taken]).saying(ReportedState::Captured));
    book.take(34 * DAY, refund("B", 4000).saying(ReportedState::Captured));
    book.take(34 * DAY, voucher("C", 6000).saying(ReportedState::Cancelled));
    book.take(34 * DAY, card("C", 4000).saying(ReportedState::Cancelled));
    assert_eq!(
        book.texts("SELECT order_ref || ' ' || refunded_cents || ' ' || taken_back_cents FROM acct_register"),
        ["A 4000 4000", "B 4000 0", "C 0 0"]
    );
    let range = ReportRange {
        from: "2026-04-01".parse().expect("a day"),
        to: "2026-04-30".parse().expect("a day"),
        shop: None,
        with_trials: false,
    };
    let mut listed = Vec::new();
    let told = book.ledger.extract().each_row(Report::Register, &range, |cells| {
        let (order, carried) = (cells.get(3).cloned(), cells.get(21).cloned());
        listed.push((order.expect("an order"), carried.expect("whether it is carried")));
        Ok::<_, LedgerError>(())
    });
    told.expect("read");
    let row = |order: &str| (Cell::Text(order.to_owned()), Cell::Count(1));
    assert_eq!(listed, [row("A"), row("B"), row("C")]);
    book.take(65 * DAY, close("2026-04"));
    // Of what went back of cards, what the bank took is told apart, in the list and in the entries.
    let mut sums = Vec::new();
    let told = book.ledger.extract().each_row(Report::Totals, &range, |cells| {
        let columns = Report::Totals.columns().iter().map(|(name, _, _)| *name).zip(cells);
        let wanted = columns.filter(|(name, _)| ["level", "card_returned", "card_taken_back"].contains(name));
        sums.push(wanted.map(|(_, cell)| cell.clone()).collect::<Vec<_>>());
        Ok::<_, LedgerError>(())
    });
    told.expect("read");
    let sum = |level: &str| {
        vec![Cell::Text(level.to_owned()), Cell::Money(Cents::new(12_000)), Cell::Money(Cents::new(4000))]
    };
    for level in ["month", "total", "entries"] {
        assert!(sums.contains(&sum(level)), "{level} in {sums:?}");
    }
    assert_eq!(
        book.texts("SELECT DISTINCT EcritureLib FROM entries WHERE period = '2026-04' ORDER BY 1"),
        ["A impaye CB appel call-A", "B remboursement CB appel call-B", "C annulation CVCo+CB appel call-C"]
    );
}

/// An accountant adds the lists of the months up, and holds them against the entries.
#[test]
fn what_is_learned_of_a_closed_month_stands_in_the_lists_of_the_month_that_books_it() {
    let mut book = paid();
    book.take(33 * DAY, close("2026-03"));
    let late = |notification: Notification| {
        let mut notification = notification.saying(ReportedState::Captured);
        notification.events.iter_mut().for_each(|event| event.occurred_at = Some(minute(27 * DAY)));
        notification
    };
    book.take(34 * DAY, registered("LATE", 9000));
    book.take(34 * DAY, late(voucher("LATE", 5000)));
    book.take(34 * DAY, late(card("LATE", 4000)));
    book.take(65 * DAY, close("2026-04"));
    let register = rows(&book, Report::Register, "2026-04", &["order_ref", "carried"]);
    assert!(
        matches!(register.as_slice(), [row] if row.contains("LATE") && row.contains("Count(1)")),
        "{register:?}"
    );
    for (month, carried, total) in
        [("2026-03", [-5000, -4000], [6000, 4000]), ("2026-04", [5000, 4000], [5000, 4000])]
    {
        let totals = rows(&book, Report::Totals, month, &["level", "voucher", "card"]);
        let row = |level: &str, [voucher, card]: [i64; 2]| {
            format!("Text({level:?}) Money(Cents({voucher})) Money(Cents({card}))")
        };
        for row in [row("carried", carried), row("total", total), row("entries", total)] {
            assert!(totals.contains(&row), "{month}: {row} in {totals:#?}");
        }
    }
}

/// A line that nobody knows is booked on suspense, and is paid out like the others: gross less commission is net.
#[test]
fn unknown_lines_on_suspense_stand_in_the_totals() {
    let mut book = paid();
    let unknown = StatementLine { commission: Some(Cents::new(150)), ..line("NOBODY", 6000) };
    book.take(9 * DAY, statement(&[line("A", 6000), unknown]));
    book.take(33 * DAY, suspense::close("2026-03"));
    let totals = rows(&book, Report::Totals, "2026-03", &["level", "paid_out", "commission", "net"]);
    let row =
        |level: &str| format!("Text({level:?}) Money(Cents(12000)) Money(Cents(300)) Money(Cents(11700))");
    for level in ["total", "entries"] {
        assert!(totals.contains(&row(level)), "{level} in {totals:#?}");
    }
}

/// Worldline captures a card of March in two parts, the second in April: April's books hold it, and so does its list.
#[test]
fn what_is_received_later_of_a_payment_stands_in_the_register_of_its_month() {
    let mut book = paid();
    book.take(33 * DAY, close("2026-03"));
    let mut later = card("A", 1000).saying(ReportedState::Captured);
    for event in &mut later.events {
        event.tender_id = TenderId::new("A-later").ok();
        event.occurred_at = Some(minute(40 * DAY));
    }
    book.take(40 * DAY, later);
    book.take(65 * DAY, close("2026-04"));
    let register = rows(&book, Report::Register, "2026-04", &["order_ref", "carried"]);
    assert_eq!(register, ["Text(\"A\") Count(1)"]);
}

/// What justifies the balance of a closed month stays what it was, whatever is learned of that month since.
#[test]
fn the_ageing_of_a_closed_month_is_as_its_books_have_it() {
    let mut book = paid();
    book.take(33 * DAY, close("2026-03"));
    let ageing = |book: &Book| rows(book, Report::Ageing, "2026-03", &["instrument", "open"]);
    let closed = ageing(&book);
    assert_eq!(closed.len(), 2, "{closed:?}");
    book.take(34 * DAY, statement(&[line("A", 6000)]));
    let late = |told: Notification| {
        let mut told = told.saying(ReportedState::Captured);
        told.events.iter_mut().for_each(|event| event.occurred_at = Some(minute(27 * DAY)));
        told
    };
    book.take(34 * DAY, late(card("LATE", 3000)));
    assert_eq!(ageing(&book), closed);
    book.take(65 * DAY, close("2026-04"));
    assert_eq!(ageing(&book), closed);
    assert_eq!(rows(&book, Report::Ageing, "2026-04", &["instrument", "open"]).len(), 2);
}
