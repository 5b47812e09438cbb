//! The close of a period: refused where the rules do not allow it, final where they do.

use cvco_books::accounting::{Account, Role};
use cvco_domain::{Books, StatementLine};
use cvco_log::entry::Close;

use super::stories::{close, line, numbered_statement, statement, witness};
use super::*;
use crate::Obstacle;

/// What a refused close must leave alone.
fn books(book: &Book) -> Vec<Table> {
    let is_other = |table: &Table| !["refused", "progress", "anchors"].contains(&table.name.as_str());
    book.everything().into_iter().filter(is_other).collect()
}

#[track_caller]
fn refused(book: &mut Book, minutes: i64, entry: LogEntry) -> String {
    let before = books(book);
    let seq = book.take(minutes, entry);
    assert_eq!(books(book), before, "nothing changes");
    book.reader().refusal(seq).expect("read").expect("refused")
}

/// A payment of March, in vouchers and by card.
pub(super) fn paid() -> Book {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(1, voucher("A", 6000).saying(ReportedState::Captured));
    book.take(2, card("A", 4000).saying(ReportedState::Captured));
    book
}

#[test]
fn a_month_that_is_not_over_or_not_the_next_is_refused_with_its_reason() {
    let mut book = paid();
    book.wait_until(29 * DAY);
    assert!(
        refused(&mut book, 29 * DAY, close("2026-05")).contains("not over yet"),
        "of two reasons always the same"
    );
    assert!(refused(&mut book, 29 * DAY, close("2026-03")).contains("not over yet"));
    book.wait_until(65 * DAY);
    assert!(refused(&mut book, 65 * DAY, close("2026-04")).contains("close 2026-03 first"));
    let seq = book.take(65 * DAY, close("2026-03"));
    assert_eq!(book.reader().refusal(seq).expect("read"), None);
    assert!(refused(&mut book, 65 * DAY, close("2026-03")).contains("closed already"));
    let closed_through = book.ledger.extract().closed_through().expect("read");
    assert_eq!(closed_through, Some(stories::period("2026-03").last()));
}

#[test]
fn a_month_before_the_first_that_was_closed_is_not_said_to_be_closed() {
    let mut book = paid();
    book.wait_until(65 * DAY);
    book.take(65 * DAY, close("2026-03"));
    let period = stories::period("2026-02");
    let said = book.reader().obstacle_to_close(period, stories::period("2026-05").first()).expect("read");
    assert_eq!(said, Some(Obstacle::BeforeFirst { period, first: stories::period("2026-03") }));
    let (english, french) = said.map(|said| (said.to_string(), said.in_french())).expect("an obstacle");
    assert!(
        english.starts_with("2026-02 lies before 2026-03") && french.starts_with("2026-02 précède 2026-03")
    );
}

#[test]
fn a_close_books_each_cent_once_and_rests_on_what_stood_before_it() {
    let mut book = paid();
    let seq = book.take(33 * DAY, close("2026-03"));
    let sums = book.texts("SELECT SUM(Debit) || ' ' || SUM(Credit) FROM acct_entries");
    assert_eq!(sums, ["10000 10000"]);
    let manifest = book.ledger.extract().manifest(stories::period("2026-03")).expect("read").expect("closed");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let before = book.log.read(Seq::new(seq.get() - 2), 1).expect("read").remove(0);
    assert_eq!(manifest["chain"]["seq"], before.row.seq.get());
    assert_eq!(manifest["chain"]["hash"], before.chain_hash.as_str());
    assert_eq!(manifest["totals"]["voucher_received_cents"], 6000);
    assert_eq!(manifest["perpetual_total_cents"], 10_000);
}

#[test]
fn the_witness_of_the_exports_appears_in_the_manifest_and_the_first_stands() {
    let mut book = paid();
    let manifest = |book: &Book| -> serde_json::Value {
        let text = book.ledger.extract().manifest(stories::period("2026-03")).expect("read");
        text.map_or(serde_json::Value::Null, |text| serde_json::from_str(&text).expect("JSON"))
    };
    book.take(33 * DAY, witness("2026-03"));
    assert_eq!(manifest(&book), serde_json::Value::Null, "there is nothing to witness yet");
    book.take(33 * DAY, close("2026-03"));
    assert_eq!(manifest(&book)["exports_sha256"], serde_json::json!({}));
    book.take(33 * DAY + 1, witness("2026-03"));
    let witnessed = manifest(&book);
    assert_eq!(witnessed["exports_sha256"]["fec"], "f".repeat(64));
    let LogEntry::Witness(mut other) = witness("2026-03") else { panic!("a witness") };
    other.exports.insert("fec".to_owned(), "0".repeat(64));
    book.take(33 * DAY + 2, LogEntry::Witness(other));
    assert_eq!(manifest(&book), witnessed);
}

#[test]
fn what_is_learned_of_a_closed_month_is_booked_by_the_next_close() {
    let mut book = paid();
    book.take(33 * DAY, close("2026-03"));
    let booked = book.rows("SELECT * FROM entries WHERE period = '2026-03'");
    book.take(34 * DAY, refund("A", 1000).saying(ReportedState::Captured));
    assert_eq!(book.count("reopened"), 1);
    book.take(65 * DAY, close("2026-04"));
    assert_eq!(book.count("reopened"), 0);
    let untouched = "SELECT COUNT(*) FROM entries WHERE period = '2026-03'";
    assert_eq!(book.texts(untouched), [booked.len().to_string()]);
    let returned =
        book.texts("SELECT SUM(Debit) || '' FROM entries WHERE period = '2026-04' AND movement = 'refund'");
    assert_eq!(returned, ["1000"]);
}

/// The configuration names other accounts after a close: what was received before is still owed on the old ones.
#[test]
fn what_was_received_on_an_account_is_paid_out_and_given_back_on_it() {
    let close_on = |period: &str, number: &str| {
        let mut books = Books::default();
        for (place, role) in [Role::Voucher, Role::Card, Role::Customer].into_iter().enumerate() {
            let account = Account::new(&format!("{number}{place}"), "A").expect("an account");
            books.chart.accounts.insert(role, account);
        }
        LogEntry::Close(Close { period: stories::period(period), books, by: "marie".to_owned() })
    };
    let mut book = paid();
    book.take(33 * DAY, close_on("2026-03", "51100"));
    book.take(34 * DAY, registered("B", 10_000));
    book.take(34 * DAY, voucher("B", 6000).saying(ReportedState::Captured));
    book.take(34 * DAY, card("B", 4000).saying(ReportedState::Captured));
    book.take(35 * DAY, refund("A", 1000).saying(ReportedState::Captured));
    book.take(36 * DAY, statement(&[line("A", 6000), line("B", 6000)]));
    book.take(65 * DAY, close_on("2026-04", "46700"));
    let open = "SELECT order_ref || ' ' || substr(CompteNum, 1, 3) || ' ' || SUM(Debit - Credit) FROM entries
                WHERE leg = 'voucher' GROUP BY order_ref, CompteNum ORDER BY 1";
    assert_eq!(book.texts(open), ["A 511 0", "B 467 0"]);
    let back = "SELECT DISTINCT substr(CompteNum, 1, 3) FROM entries WHERE movement = 'refund'";
    assert_eq!(book.texts(back), ["511"]);
    let lettered = "SELECT COUNT(*) FROM entries WHERE leg = 'voucher' AND EcritureLet IS NULL";
    assert_eq!(book.texts(lettered), ["0"]);
}

#[test]
fn what_was_paid_out_is_lettered_whatever_went_back_since() {
    let operations = [Operation::Credit { of: None }, Operation::Chargeback { of: None }];
    for operation in operations {
        let mut book = paid();
        book.take(9 * DAY, statement(&[line("A", 6000)]));
        let back = Event {
            operation,
            tender_id: TenderId::new("A-back").ok(),
            ..part("A", 1000, Instrument::Voucher)
        };
        book.take(10 * DAY, notification(vec![back]).saying(ReportedState::Captured));
        book.take(33 * DAY, close("2026-03"));
        assert_eq!(
            book.texts(
                "SELECT COUNT(*) || ' ' || COUNT(EcritureLet) FROM acct_entries WHERE leg = 'voucher'"
            ),
            ["3 2"]
        );
    }
}

/// The first page, the page of accounts and the ageing come to the same cents.
#[test]
fn what_is_to_be_taken_back_is_less_to_be_paid_out() {
    let mut book = paid();
    book.take(1, registered("B", 3000));
    book.take(2, voucher("B", 3000).saying(ReportedState::Captured));
    book.take(DAY, voucher("B", 3000).saying(ReportedState::Cancelled));
    book.take(9 * DAY, statement(&[line("A", 6000)]));
    let back = Event {
        operation: Operation::Credit { of: None },
        tender_id: TenderId::new("A-back").ok(),
        ..part("A", 1000, Instrument::Voucher)
    };
    book.take(10 * DAY, notification(vec![back]).saying(ReportedState::Captured));
    let (today, since) = ("2026-03-20".parse().expect("a day"), "2026-01-01".parse().expect("a day"));
    let aged = book.reader().aged(since, today).expect("read");
    let rows: Vec<_> = aged.iter().map(|aged| (aged.bucket, aged.voucher.get(), aged.card.get())).collect();
    assert_eq!(rows, [(2, 0, 4000), (5, -1000, 0)]);
    let unsettled = book.reader().unsettled(since, None).expect("read");
    assert_eq!((unsettled.ancv.get(), unsettled.card.get()), (-1000, 4000));
}

#[test]
fn a_statement_pays_out_what_it_is_about_and_lines_that_nobody_knows_are_told() {
    let mut book = paid();
    book.take(9 * DAY, statement(&[line("A", 6000), line("nobody", 4200)]));
    assert_eq!(book.texts("SELECT settled_cents FROM tenders WHERE instrument = 'voucher'"), ["6000"]);
    assert_eq!(
        book.texts("SELECT kind || ' ' || actual_cents FROM discrepancies"),
        ["statement_line_unknown 4200"]
    );
    book.take(9 * DAY + 1, voucher("nobody", 4200).saying(ReportedState::Captured));
    assert!(book.discrepancies()[0].closed.is_some(), "the order explains its line");
}

#[test]
fn a_line_about_two_vouchers_is_booked_and_lettered_with_both() {
    let mut book = Book::new();
    let second = Event { tender_id: TenderId::new("A-second").ok(), ..part("A", 3000, Instrument::Voucher) };
    book.take(0, registered("A", 10_000));
    book.take(1, voucher("A", 3000).saying(ReportedState::Captured));
    book.take(2, notification(vec![second]).saying(ReportedState::Captured));
    book.take(3, card("A", 4000).saying(ReportedState::Captured));
    let both = StatementLine { commission: Some(Cents::new(151)), ..line("A", 6000) };
    book.take(9 * DAY, statement(&[both]));
    assert_eq!(
        book.texts("SELECT settled_cents FROM tenders WHERE instrument = 'voucher'"),
        ["3000", "3000"]
    );
    assert_eq!(
        book.texts("SELECT amount_cents || ' ' || commission_cents FROM acct_settlements ORDER BY 1"),
        ["3000 75", "3000 76"],
        "each with its share of what ANCV kept"
    );
    assert_eq!(
        book.texts(
            "SELECT paid_out_cents || ' ' || commission_cents FROM acct_totals WHERE paid_out_cents > 0"
        ),
        ["6000 151"]
    );
    book.wait_until(65 * DAY);
    book.take(65 * DAY, close("2026-03"));
    assert_eq!(
        book.texts("SELECT COUNT(*) || ' ' || COUNT(EcritureLet) FROM acct_entries WHERE leg = 'voucher'"),
        ["4 4"],
        "what was received of each, and what was paid out of it"
    );
}

#[test]
fn a_statement_that_is_imported_again_adds_only_what_is_new() {
    let mut book = paid();
    book.take(9 * DAY, statement(&[line("A", 6000)]));
    book.take(9 * DAY, statement(&[line("A", 6000)]));
    assert_eq!(book.count("statement_lines"), 1);
    book.take(9 * DAY, statement(&[line("A", 6000), line("A", 6000)]));
    assert_eq!(book.count("statement_lines"), 2, "twice in one statement is two");
    book.take(9 * DAY, numbered_statement("R2", &[line("A", 6000)]));
    assert_eq!(book.count("statement_lines"), 3, "another statement");
}

#[test]
fn what_was_kept_of_a_line_follows_the_lines_that_a_statement_has_by_now() {
    let with_total = |lines: &[StatementLine]| {
        let LogEntry::Statement(mut told) = statement(lines) else { panic!("a statement") };
        told.statement.commission = Some(Cents::new(150));
        LogEntry::Statement(told)
    };
    let kept = "SELECT line || ': ' || commission_cents FROM acct_settlements ORDER BY line";
    let mut book = paid();
    book.take(9 * DAY, with_total(&[line("A", 6000)]));
    assert_eq!(book.texts(kept), ["1: 150"]);
    book.take(9 * DAY, with_total(&[line("A", 6000), line("B", 4000)]));
    assert_eq!(book.texts(kept), ["1: 90", "2: 60"]);
}

#[test]
fn a_statement_that_comes_again_corrects_its_commissions() {
    let stated = |lines: &[StatementLine], total: Option<i64>| {
        let LogEntry::Statement(mut told) = statement(lines) else { panic!("a statement") };
        told.statement.commission = total.map(Cents::new);
        LogEntry::Statement(told)
    };
    let kept_of =
        |line: StatementLine, commission| StatementLine { commission: Some(Cents::new(commission)), ..line };
    let kept = "SELECT line || ': ' || commission_cents FROM acct_settlements ORDER BY line";
    let mut book = paid();
    book.take(9 * DAY, stated(&[kept_of(line("A", 6000), 100), line("B", 4000)], Some(200)));
    assert_eq!(book.texts(kept), ["1: 100", "2: 100"]);
    book.take(9 * DAY, stated(&[kept_of(line("A", 6000), 90), line("B", 4000)], Some(200)));
    assert_eq!(book.texts(kept), ["1: 90", "2: 110"]);
    book.take(9 * DAY, stated(&[line("A", 6000), line("B", 4000)], Some(150)));
    assert_eq!(
        book.texts(kept),
        ["1: 90", "2: 60"],
        "a file that says nothing of a line's commission takes none back"
    );
    book.take(9 * DAY, stated(&[line("A", 6000)], None));
    assert_eq!(book.texts(kept), ["1: 90", "2: 60"]);
}

#[test]
fn an_amount_taken_back_without_a_commission_had_none_where_the_others_state_theirs() {
    let kept_of =
        |line: StatementLine, commission| StatementLine { commission: Some(Cents::new(commission)), ..line };
    let kept = "SELECT line || ': ' || commission_cents FROM acct_settlements ORDER BY line";
    let mut book = paid();
    let all = statement(&[kept_of(line("A", 6000), 150), line("B", -4000), line("C", 1000)]);
    book.take(9 * DAY, all);
    assert_eq!(book.texts(kept), ["1: 150", "2: 0", "3: 25"]);
    let mut silent = paid();
    silent.take(9 * DAY, statement(&[line("A", 6000), line("B", -4000)]));
    assert_eq!(silent.texts(kept), ["1: 150", "2: -100"], "the rate of the day of them all");
}

#[test]
fn a_corrected_commission_is_judged_as_it_is_now() {
    let stated = |commission| {
        let line = StatementLine { commission: Some(Cents::new(commission)), ..line("A", 6000) };
        statement(&[line])
    };
    let open = "SELECT expected_cents || ' ' || actual_cents FROM acct_discrepancies
                WHERE kind = 'commission_mismatch' AND closed_at IS NULL";
    let mut book = paid();
    book.take(9 * DAY, stated(150));
    assert_eq!(book.texts(open), Vec::<String>::new());
    book.take(9 * DAY, stated(200));
    assert_eq!(book.texts(open), ["150 200"]);
    book.take(9 * DAY, stated(150));
    assert_eq!(book.texts(open), Vec::<String>::new());
}

#[test]
fn lines_that_are_the_same_are_as_many_as_a_file_has() {
    let named = || StatementLine { transaction: TenderId::new("T1").ok(), ..line("A", -2000) };
    let count = "SELECT COUNT(*) FROM statement_lines";
    let mut book = paid();
    book.take(9 * DAY, statement(&[named(), named()]));
    assert_eq!(book.texts(count), ["2"]);
    book.take(9 * DAY, statement(&[named()]));
    book.take(9 * DAY, statement(&[named(), named()]));
    assert_eq!(book.texts(count), ["2"]);
    book.take(9 * DAY, statement(&[named(), named(), named()]));
    assert_eq!(book.texts(count), ["3"]);
}

#[test]
fn a_correction_of_a_closed_month_is_booked_by_the_next_close() {
    let stated = |commission| {
        let line = StatementLine { commission: Some(Cents::new(commission)), ..line("A", 6000) };
        statement(&[line])
    };
    let kept = "SELECT period || ' ' || Debit || ' ' || Credit FROM acct_entries WHERE CompteNum LIKE '62%' ORDER BY 1";
    let mut book = paid();
    book.take(9 * DAY, stated(150));
    book.take(40 * DAY, close("2026-03"));
    assert_eq!(book.texts(kept), ["2026-03 150 0"]);
    book.take(41 * DAY, stated(100));
    book.take(71 * DAY, close("2026-04"));
    assert_eq!(book.texts(kept), ["2026-03 150 0", "2026-04 0 50"]);
}

#[test]
fn a_statement_that_contradicts_a_known_one_is_refused_as_a_whole() {
    let mut book = paid();
    book.take(9 * DAY, statement(&[line("A", 6000)]));
    let LogEntry::Statement(mut other) = statement(&[line("B", 1)]) else { panic!("a statement") };
    other.statement.paid_on = other.statement.paid_on.next();
    assert!(refused(&mut book, 9 * DAY, LogEntry::Statement(other)).contains("R1"));
}

#[test]
fn the_ledger_says_who_imported_a_statement_and_who_closed_a_month() {
    let mut book = paid();
    book.take(9 * DAY, statement(&[line("A", 6000)]));
    assert_eq!(book.texts("SELECT imported_by FROM statements"), ["marie"]);
    book.take(40 * DAY, close("2026-03"));
    assert_eq!(
        book.texts("SELECT closed_by || ' ' || substr(closed_at, 1, 7) FROM closings"),
        ["marie 2026-04"]
    );
}
