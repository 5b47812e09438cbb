//! Histories in which everything happens: the ones that proof and replay go by.

use std::collections::BTreeMap;

use cvco_domain::{Books, Issuer, Period, Statement, StatementLine, StatementNumber};
use cvco_log::entry::{Close, Deed, ImportedStatement, MailAbout, MailItem, Telling, Told, Unread, Witness};

use super::*;

pub(super) fn line(text: &str, cents: i64) -> StatementLine {
    StatementLine {
        transaction: None,
        reference: Some(reference(text)),
        authorisation: None,
        contract: None,
        amount: Cents::new(cents),
        commission: None,
        dated: None,
    }
}

/// A statement of ANCV, paid on the tenth of March.
pub(super) fn statement(lines: &[StatementLine]) -> LogEntry {
    numbered_statement("R1", lines)
}

pub(super) fn numbered_statement(number: &str, lines: &[StatementLine]) -> LogEntry {
    let statement = Statement {
        shop: shop("camping"),
        issuer: Issuer::Ancv,
        number: StatementNumber::new(number).expect("a number"),
        paid_on: minute(9 * DAY).paris_day(),
        commission: None,
        lines: lines.to_vec(),
    };
    LogEntry::Statement(ImportedStatement { statement, file_sha256: "5".repeat(64), by: "marie".to_owned() })
}

pub(super) fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

pub(super) fn close(text: &str) -> LogEntry {
    LogEntry::Close(Close { period: period(text), books: Books::default(), by: "marie".to_owned() })
}

pub(super) fn witness(text: &str) -> LogEntry {
    let exports = BTreeMap::from([("fec".to_owned(), "f".repeat(64))]);
    LogEntry::Witness(Witness { period: period(text), exports })
}

pub(super) fn unread() -> LogEntry {
    LogEntry::Unread(Unread {
        endpoint: up2pay(),
        origin: Origin::Call,
        what: "a status of another type".to_owned(),
        what_fr: Some("un statut d’un autre type".to_owned()),
    })
}

pub(super) fn telling(message_id: &str, items: Vec<MailItem>) -> LogEntry {
    let about = MailAbout::Discrepancies(items);
    LogEntry::Telling(Telling { message_id: message_id.to_owned(), way: cvco_domain::Way::mail(), about })
}

pub(super) fn told(message_id: &str) -> LogEntry {
    LogEntry::Told(Told { message_id: message_id.to_owned() })
}

/// A ledger with something in each of its tables.
pub(super) fn eventful() -> Book {
    let mut book = lived_in();
    book.take(49, relays::relaying());
    book.adopt(49, |policy| (policy.channels, policy.weekly) = (owed::urgent_of(&[]), true));
    book.take_call(minute(49), voucher("C", 2000), "ref=C");
    book.log.purge(minute(50)).expect("purged");
    book.take(50, refund("A", 1500));
    book.take(51, questions::hint(questions::session("a1")));
    book.take(52, unread());
    book.take(53, statement(&[line("A", 6000), line("nobody", 4200)]));
    book.take(54, close("2026-03"));
    let items = vec![MailItem { news: cvco_domain::News::Opened, discrepancy: id(1), of: book.identity(1) }];
    book.take(55, telling("first@host", items));
    book.take(56, told("first@host"));
    book.act(57, 1, Deed::Snoozed { until: minute(50 * DAY) });
    book.take(33 * DAY, close("2026-03"));
    book.take(33 * DAY + 1, witness("2026-03"));
    book.take(33 * DAY + 2, refund("A", 2500));
    for order in ["E", "F"] {
        book.take(33 * DAY + 3, claims::paid(Psp::Worldline, order, 33 * DAY));
    }
    for table in fold_tables(book.ledger.connection()) {
        assert!(book.count(&table) > 0, "{table} is empty: nothing can be shown of it");
    }
    book
}
