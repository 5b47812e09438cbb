//! A list that is read piece by piece has each of its rows once, in the order of the page.

use cvco_domain::StatementLine;

use super::relays::relaying;
use super::stories::{line, numbered_statement, unread};
use super::*;
use crate::{RelayFilter, RelayState};

/// Reads a list so many rows at a time, to its end.
fn piecewise<R, P>(read: impl Fn(Option<P>) -> Vec<R>, place: impl Fn(&R) -> P) -> Vec<R> {
    let mut all: Vec<R> = Vec::new();
    loop {
        let rows = read(all.last().map(&place));
        if rows.is_empty() {
            return all;
        }
        all.extend(rows);
    }
}

#[test]
fn relays_that_wait() {
    let mut book = Book::new();
    let mut policy = relaying();
    let handlers = policy.relays.values_mut();
    for of_endpoint in handlers {
        let other = of_endpoint.values().next().expect("a handler").clone();
        of_endpoint.insert(cvco_domain::RelayTarget::new("crm").expect("a target"), other);
    }
    book.take(0, policy);
    for order in ["A", "B", "C"] {
        book.take_call(minute(1), voucher(order, 6000), order);
    }
    let reader = book.reader();
    let read = |after| {
        let states = RelayState::IN_VAIN.to_vec();
        reader.relays(&RelayFilter { states, endpoint: None, after, limit: 1 }).expect("read")
    };
    let all = piecewise(read, crate::RelayRow::place);
    let all: Vec<_> = all.iter().map(|row| format!("{} {}", row.number, row.target)).collect();
    assert_eq!(all, ["4 crm", "4 shop", "3 crm", "3 shop", "2 crm", "2 shop"]);
}

#[test]
fn statements_and_their_lines() {
    let mut book = Book::new();
    book.take(1, voucher("A", 6000));
    let lines = |amounts: &[i64]| -> Vec<StatementLine> {
        amounts.iter().map(|cents| line(if *cents == 6000 { "A" } else { "nobody" }, *cents)).collect()
    };
    for (number, amounts) in [("R1", [100, 6000, 200].as_slice()), ("R2", &[300]), ("R3", &[400])] {
        book.take(9 * DAY, numbered_statement(number, &lines(amounts)));
    }
    let reader = book.reader();
    let read = |after| reader.imported_statements(after, 1).expect("read");
    let all = piecewise(read, crate::ImportedRow::place);
    let numbers: Vec<_> = all.iter().map(|row| row.number.as_str()).collect();
    assert_eq!(numbers, ["R3", "R2", "R1"]);

    let id = all.last().expect("the first").id;
    let read =
        |after: Option<i64>| reader.lines_of_statement(id, after.unwrap_or_default(), 2).expect("read");
    let amounts: Vec<_> = piecewise(read, |row| row.position).iter().map(|row| row.amount.get()).collect();
    assert_eq!(amounts, [100, 6000, 200], "as they stand in the statement");
}

#[test]
fn entries_that_are_set_aside() {
    let mut book = Book::new();
    for minutes in 1..4 {
        book.take_call(minute(minutes), unread(), &minutes.to_string());
    }
    let reader = book.reader();
    let read = |before| reader.latest_set_aside(before, 2).expect("read");
    let all: Vec<_> = piecewise(read, |row| row.seq).iter().map(|row| row.seq.get()).collect();
    assert_eq!(all, [3, 2, 1]);
}
