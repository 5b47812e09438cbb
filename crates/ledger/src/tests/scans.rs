//! What is done for an entry takes as long in a full ledger as in an empty one: no query of the fold goes through a table row by
//! row, in the daemon or in `verify` and `rebuild`, whose ledger lacks the indexes that only readers use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::stories::{line, numbered_statement};
use super::*;

/// So many orders at each PSP.
const ORDERS: i64 = 40;

/// A run goes through so many rows at most: policies, endpoints and months are few.
const ROWS: i64 = 8;

/// And takes so many steps of SQLite's machine: a search that an index begins may still look at all that is open.
const WORK: i64 = 400;

/// The shops that have orders are looked for when the summary of a week is due.
const ONCE_A_WEEK: &str = "INSERT OR IGNORE INTO weeks";

/// What a statement of SQL took in all its runs.
#[derive(Default)]
struct Taken {
    runs: i64,
    /// From row to row of a table that no index narrows.
    steps: i64,
    /// Of SQLite's machine.
    work: i64,
}

fn paid_at(psp: Psp, order: &str) -> Notification {
    let mut told =
        notification(vec![part(order, 6000, Instrument::Voucher), part(order, 4000, Instrument::Card)]);
    told.endpoint.psp = psp;
    told.endpoint.endpoint = endpoint(&format!("camping-{psp}"));
    told
}

#[test]
fn no_query_of_the_fold_goes_through_a_table_that_grows() {
    let mut book = Book::new();
    book.adopt(0, |policy| policy.weekly = true);
    for number in 0..ORDERS {
        for psp in Psp::ALL {
            let order = format!("{psp}-{number}");
            book.take(number, registered(&order, 10_000));
            book.take(number, paid_at(psp, &order));
            if number % 4 == 0 {
                book.take(number, refund(&order, 1000));
            }
            // Given back wholly, while others have something that is open.
            let alone = format!("{psp}-{number}-alone");
            book.take(number, registered(&alone, 6000));
            book.take(number, voucher(&alone, 6000));
            let back = Event {
                operation: Operation::Credit { of: None },
                tender_id: TenderId::new(format!("{alone}-refund")).ok(),
                ..part(&alone, 6000, Instrument::Voucher)
            };
            book.take(number, notification(vec![back]));
        }
    }
    for number in 0..ORDERS {
        let lines = Psp::ALL.map(|psp| line(&format!("{psp}-{number}"), 6000));
        book.take(9 * DAY + number, numbered_statement(&format!("R{number}"), &lines));
    }

    let taken: Arc<Mutex<BTreeMap<String, Taken>>> = Arc::default();
    let mut ledger = Ledger::scratch(book.ledger.log_id()).expect("a ledger");
    let noted = Arc::clone(&taken);
    let note = move |event: TraceEvent<'_>| {
        let TraceEvent::Profile(statement, _) = event else { return };
        let mut noted = noted.lock().expect("nobody failed");
        let of_statement = noted.entry(statement.sql().into_owned()).or_default();
        of_statement.runs += 1;
        // SQLite counts all runs of a prepared statement together.
        let steps = i64::from(statement.get_status(StatementStatus::FullscanStep));
        of_statement.steps = of_statement.steps.max(steps);
        let work = i64::from(statement.get_status(StatementStatus::VmStep));
        of_statement.work = of_statement.work.max(work);
    };
    ledger.conn.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(note)).expect("traced");
    ledger.catch_up_all(&mut book.log).expect("folded");

    let taken = taken.lock().expect("nobody failed");
    assert!(taken.values().any(|taken| taken.runs >= ORDERS), "statements are seen");
    let each_time = taken.iter().filter(|(sql, _)| !sql.starts_with(ONCE_A_WEEK));
    let slow =
        each_time.filter(|(_, taken)| taken.steps > taken.runs * ROWS || taken.work > taken.runs * WORK);
    let slow: Vec<_> = slow
        .map(|(sql, Taken { runs, steps, work })| format!("{steps} rows, {work} steps in {runs} runs: {sql}"))
        .collect();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
