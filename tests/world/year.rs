//! A year of the world in the books: closed month by month, held against statements with planted errors, and read by
//! programs of others (hledger, ledger, beancount), which must come to the same cents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cvco_books::export::{Beancount, Checker, EntriesCsv, EntryFile, Fec, JournalFile, Summary};
use cvco_domain::crypto::sha256;
use cvco_domain::{
    BookAt, Books, Cents, CommissionRates, DatePattern, Day, Issuer, OrderRef, PayoutTerms, Period, Policy,
    ShopId, Statement, StatementLine, StatementNumber, Timestamp,
};
use cvco_ledger::{EntryRange, Extract, LedgerError};
use cvco_log::LogEntry;
use cvco_log::entry::{Close, ImportedStatement};
use cvco_trial::simulate::Dice;
use rusqlite::Connection;

use crate::daemon::Daemon;
use crate::order::below;
use crate::others;
use crate::places::{Place, policy};
use crate::world::World;

const SEED: u64 = 2026;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// Vouchers and cards are booked as they are accepted, and must be on a statement within weeks.
fn books_policy() -> Policy {
    let terms = PayoutTerms { since: day("2026-01-01"), delay: std::time::Duration::from_hours(24 * 60) };
    let payouts = || Issuer::USUAL.map(|issuer| (issuer, terms)).into();
    Policy {
        book_at: BookAt::Acceptance,
        payouts: Place::ALL.map(|place| (place.endpoint().id.clone(), payouts())).into(),
        ..policy(false)
    }
}

fn close(daemon: &mut Daemon, period: Period, when: Timestamp) {
    daemon
        .append(when, [LogEntry::Close(Close { period, books: Books::default(), by: "marie".to_owned() })])
        .expect("appended");
    let closed: bool = daemon
        .ledger()
        .query_row("SELECT EXISTS (SELECT 1 FROM closings WHERE period = ?1)", [period.to_string()], |row| {
            row.get(0)
        })
        .expect("a query");
    assert!(closed, "{period} is closed");
}

/// Closes every month until one.
fn close_until(daemon: &mut Daemon, last: Period, when: Timestamp) {
    let mut period = day("2026-01-01").period();
    while period <= last {
        close(daemon, period, when);
        period = period.next();
    }
}

fn lived() -> (World, Daemon) {
    let world = World::of_a_year(SEED, books_policy());
    let daemon = world.lived().expect("a year");
    (world, daemon)
}

const LAST: &str = "2027-03-01";
const LONG_AFTER: &str = "2028-01-01T12:00:00Z";

fn balances(ledger: &Connection) -> BTreeMap<String, i64> {
    let mut rows = ledger
        .prepare("SELECT CompteNum, SUM(Debit - Credit) FROM acct_entries GROUP BY CompteNum")
        .expect("a query");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// Vouchers that ANCV does not owe.
const MEAL_VOUCHERS: [&str; 3] = ["APETIZ", "SODEXO", "UPCHEQUDEJ"];

/// What was truly received and kept of real money in euros, by the account that it waits in.
fn truly_kept(world: &World) -> BTreeMap<&'static str, i64> {
    let mut kept = BTreeMap::new();
    for record in world.orders.iter().flat_map(|order| &order.truth.records) {
        for tender in record.tenders.iter().filter(|_| record.mode == "production") {
            let accepted =
                matches!(tender.state.as_str(), "authorised" | "captured" | "refunded" | "part_refunded");
            let account = match tender.instrument.as_str() {
                "card" => "511500",
                _ if MEAL_VOUCHERS.contains(&tender.brand.as_str()) => "511700",
                _ => "511600",
            };
            if accepted {
                *kept.entry(account).or_default() += tender.amount - tender.refunded;
            }
        }
    }
    kept
}

#[test]
fn the_books_of_a_year_hold_every_cent_that_was_kept() {
    let (world, mut daemon) = lived();
    close_until(&mut daemon, day(LAST).period(), at(LONG_AFTER));
    let kept = truly_kept(&world);
    assert_eq!(kept.len(), 3, "{kept:?}");
    let balances = balances(daemon.ledger());
    for (account, kept) in &kept {
        assert_eq!(balances[*account], *kept, "{account}");
    }
    assert_eq!(balances["411000"], -kept.values().sum::<i64>());
}

#[test]
fn it_makes_no_difference_when_months_are_closed() {
    let (world, mut daemon) = lived();
    close_until(&mut daemon, day(LAST).period(), at(LONG_AFTER));
    // Once more, and each month is closed a day after its end: what is heard of later is a correction.
    let mut hurried = world.lived_closing_each_month(close).expect("a year");
    let closed: BTreeSet<String> = {
        let ledger = hurried.ledger();
        let mut rows = ledger.prepare("SELECT period FROM closings").expect("a query");
        rows.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("rows")
    };
    let mut period = day("2026-01-01").period();
    while period <= day(LAST).period() {
        if !closed.contains(&period.to_string()) {
            close(&mut hurried, period, at(LONG_AFTER));
        }
        period = period.next();
    }
    assert!(closed.len() >= 10, "{closed:?}");
    assert_eq!(balances(hurried.ledger()), balances(daemon.ledger()));
    let late: i64 = hurried
        .ledger()
        .query_row("SELECT COUNT(*) FROM entries WHERE substr(PieceDate, 1, 7) < period", [], |row| {
            row.get(0)
        })
        .expect("a count");
    assert!(late > 0, "something was heard of too late");
    let unbalanced: i64 = hurried
        .ledger()
        .query_row(
            "SELECT COUNT(*) FROM (SELECT EcritureNum FROM entries GROUP BY EcritureNum
               HAVING SUM(Debit - Credit) <> 0 OR COUNT(DISTINCT EcritureDate) > 1 OR COUNT(DISTINCT PieceRef) > 1)",
            [],
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(unbalanced, 0);
}

/// One part that must be paid out.
struct Owed {
    shop: String,
    issuer: Issuer,
    reference: String,
    kept: i64,
    received_on: Day,
    /// The only part of its instrument in its order.
    alone: bool,
}

/// What ANCV and the bank owe; no statement lists meal vouchers.
fn owed(ledger: &Connection) -> Vec<Owed> {
    let mut rows = ledger
        .prepare(
            "SELECT shop, instrument, order_ref, amount_cents - refunded_cents, received_on,
                    COUNT(*) OVER (PARTITION BY shop, order_ref, instrument) = 1
             FROM acct_tenders
             WHERE received_on IS NOT NULL AND state IN ('authorised', 'captured', 'part_refunded')
               AND amount_cents > refunded_cents AND brand NOT IN ('APETIZ', 'SODEXO', 'UPCHEQUDEJ')
             ORDER BY received_on, order_ref, call_number, tender_id",
        )
        .expect("a query");
    let rows = rows
        .query_map([], |row| {
            let instrument: String = row.get(1)?;
            Ok(Owed {
                shop: row.get(0)?,
                issuer: if instrument == "voucher" { Issuer::Ancv } else { Issuer::Bank },
                reference: row.get(2)?,
                kept: row.get(3)?,
                received_on: day(&row.get::<_, String>(4)?),
                alone: row.get(5)?,
            })
        })
        .expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// What each error must raise: kind and order; of an unknown line, no order.
type Raised = Vec<(String, String)>;

/// The statements of a year, one a month and issuer, with errors; and what these must raise.
fn statements(ledger: &Connection) -> (Vec<Statement>, Raised) {
    let rates = CommissionRates::default();
    let mut dice = Dice::new(SEED);
    let mut statements: BTreeMap<(String, Issuer, Period), Vec<StatementLine>> = BTreeMap::new();
    let mut raised = Raised::new();
    for owed in owed(ledger) {
        let period = owed.received_on.period();
        let paid_on = period.next().first().plus(9);
        let mut line = StatementLine {
            transaction: None,
            reference: OrderRef::new(&*owed.reference).ok(),
            authorisation: None,
            contract: None,
            amount: Cents::new(owed.kept),
            commission: rates.commission(owed.issuer, paid_on, Cents::new(owed.kept)),
            dated: Some(owed.received_on),
        };
        let raise = |kind: &str, reference: &str| (kind.to_owned(), reference.to_owned());
        match below(&mut dice, 12) {
            0 if owed.alone => {
                raised.push(raise("settlement_missing", &owed.reference));
                continue;
            }
            1 if owed.alone && owed.kept > 100 => {
                line.amount = Cents::new(owed.kept - 1);
                raised.push(raise("settlement_mismatch", &owed.reference));
            }
            2 if owed.issuer == Issuer::Ancv => {
                line.commission = line.commission.map(|kept| kept.plus(Cents::new(2)));
                raised.push(raise("commission_mismatch", &owed.reference));
            }
            3 if owed.alone => {
                line.reference = OrderRef::new(format!("X{}", owed.reference)).ok();
                raised.push(raise("settlement_missing", &owed.reference));
                raised.push(raise("statement_line_unknown", ""));
            }
            _ => {}
        }
        statements.entry((owed.shop, owed.issuer, period)).or_default().push(line);
    }
    let statement =
        |((shop, issuer, period), lines): ((String, Issuer, Period), Vec<StatementLine>)| Statement {
            number: StatementNumber::new(format!("{shop}-{period}")).expect("a number"),
            shop: ShopId::new(shop).expect("a shop"),
            issuer,
            paid_on: period.next().first().plus(9),
            commission: None,
            lines,
        };
    raised.sort();
    (statements.into_iter().map(statement).collect(), raised)
}

fn import(daemon: &mut Daemon, statements: Vec<Statement>, when: Timestamp) {
    for statement in statements {
        let name = format!("{} {}", statement.issuer, statement.number);
        let file_sha256 = sha256(&[name.as_bytes()]).to_string();
        let imported = ImportedStatement { statement, file_sha256, by: "marie".to_owned() };
        daemon.append(when, [LogEntry::Statement(imported)]).expect("imported");
    }
}

fn of_statements(ledger: &Connection) -> Raised {
    let mut rows = ledger
        .prepare(
            "SELECT kind, COALESCE(order_ref, '') FROM acct_discrepancies
             WHERE closed_at IS NULL AND kind IN ('settlement_missing', 'settlement_mismatch', 'commission_mismatch',
               'statement_line_unknown') ORDER BY 1, 2",
        )
        .expect("a query");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// A year with its statements, closed.
fn settled() -> (Daemon, Raised) {
    let (_, mut daemon) = lived();
    let (statements, raised) = statements(daemon.ledger());
    import(&mut daemon, statements, at("2027-06-01T12:00:00Z"));
    daemon.announce(at("2027-12-01T12:00:00Z")).expect("announced");
    close_until(&mut daemon, day(LAST).period(), at(LONG_AFTER));
    (daemon, raised)
}

#[test]
fn each_error_on_a_statement_raises_its_kind_and_nothing_else_is_raised() {
    let (daemon, raised) = settled();
    assert!(raised.len() > 40, "{} errors", raised.len());
    let found = of_statements(daemon.ledger());
    let missing: Vec<_> = raised.iter().filter(|one| !found.contains(one)).collect();
    let surplus: Vec<_> = found.iter().filter(|one| !raised.contains(one)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not raised: {missing:?}; raised: {surplus:?}");
    let often = |all: &Raised| {
        let mut often: BTreeMap<(String, String), usize> = BTreeMap::new();
        for one in all {
            *often.entry(one.clone()).or_default() += 1;
        }
        often
    };
    let (found, raised) = (often(&found), often(&raised));
    let differ: Vec<_> = found.iter().filter(|(one, times)| raised.get(*one) != Some(times)).collect();
    assert!(differ.is_empty(), "not so often: {differ:?}");
}

/// The whole year as one file, checked.
fn written(
    extract: Extract<'_>,
    begin: impl for<'o> FnOnce(&'o mut Vec<u8>, Summary) -> Box<dyn EntryFile + 'o>,
) -> (String, Summary) {
    let range =
        EntryRange { from: day("2026-01-01"), to: day(LAST).period().last(), shop: None, drafts: None };
    let mut checker = Checker::default();
    extract
        .each_entry::<LedgerError>(&range, |entry| {
            checker.entry(&entry).expect("right");
            Ok(())
        })
        .expect("read");
    let summary = checker.finish(true).expect("right");
    let mut bytes = Vec::new();
    let mut file = begin(&mut bytes, summary.clone());
    extract
        .each_entry::<LedgerError>(&range, |entry| {
            file.entry(&entry).expect("written");
            Ok(())
        })
        .expect("read");
    file.end().expect("ended");
    drop(file);
    (String::from_utf8(bytes).expect("text"), summary)
}

fn path(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path.to_str().expect("a path").to_owned()
}

/// An amount of theirs, `-1234.50 EUR` or `0`, in cents.
fn cents(text: &str) -> i64 {
    let figure: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '-' | '.')).collect();
    let (whole, fraction) = figure.split_once('.').unwrap_or((&figure, "00"));
    format!("{whole}{fraction:0<2}").parse().expect("an amount")
}

#[test]
fn programs_of_others_find_nothing_wrong_and_come_to_the_same_cents() {
    let (daemon, _) = settled();
    let expected = balances(daemon.ledger());
    let folder = tempfile::tempdir().expect("a folder");
    let extract = daemon.books().extract();

    let (journal, summary) =
        written(extract, |out, summary| Box::new(JournalFile::new(out, summary).expect("begun")));
    let ours: BTreeMap<String, i64> = summary
        .accounts
        .iter()
        .map(|(number, (_, balance))| (number.as_str().to_owned(), balance.net().get()))
        .collect();
    assert_eq!(ours, expected);
    let journal = path(folder.path(), "year.journal", &journal);
    others::accepts("hledger", &["-f", &journal, "check", "--strict"]);
    others::accepts("hledger", &["-f", &journal, "check", "ordereddates"]);
    if let Some(said) =
        others::accepts("hledger", &["-f", &journal, "bal", "--flat", "-E", "-N", "-O", "csv"])
    {
        let theirs: BTreeMap<String, i64> = said
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .map(|(account, amount)| (account.trim_matches('"').to_owned(), cents(amount)))
            .collect();
        assert_eq!(theirs, expected, "hledger");
    }
    let totals = [
        "--strict",
        "--pedantic",
        "-f",
        &journal,
        "bal",
        "--flat",
        "-E",
        "--format",
        "%(account) %(amount)\n",
    ];
    if let Some(said) = others::accepts("ledger", &totals) {
        let theirs: BTreeMap<String, i64> = said
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(account, _)| expected.contains_key(*account))
            .map(|(account, amount)| (account.to_owned(), cents(amount)))
            .collect();
        assert_eq!(theirs, expected, "ledger");
    }

    let (beancount, _) =
        written(extract, |out, summary| Box::new(Beancount::new(out, summary).expect("begun")));
    others::accepts("bean-check", &[&path(folder.path(), "year.beancount", &beancount)]);
    if let Some(mut bean_check) = others::program("bean-check") {
        // It does find what is wrong.
        let off =
            beancount.replacen("~ 0 EUR", "~ 0 EUR\n2029-01-01 balance Assets:A512000  0.01 ~ 0 EUR", 1);
        let off = path(folder.path(), "off.beancount", &off);
        assert!(!bean_check.arg(off).output().expect("bean-check").status.success());
    }

    let (fec, _) = written(extract, |out, _| Box::new(Fec::new(out).expect("begun")));
    assert_eq!(read_fec(&fec), expected);
    let (csv, _) = written(extract, |out, _| Box::new(EntriesCsv::new(out).expect("begun")));
    assert_eq!(csv.lines().count(), fec.lines().count());
}

/// An independent reader of a FEC: by the text of the law, and by nothing of ours. What each account comes to.
fn read_fec(fec: &str) -> BTreeMap<String, i64> {
    assert!(fec.is_ascii());
    let mut rows =
        fec.strip_suffix("\r\n").expect("CRLF at the end").split("\r\n").map(|row| row.split('\t'));
    let header: Vec<&str> = rows.next().expect("a header").collect();
    assert_eq!(header.len(), 18);
    let column = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let (number, account) = (column("EcritureNum"), column("CompteNum"));
    let mut accounts: BTreeMap<String, i64> = BTreeMap::new();
    let mut entries: BTreeMap<String, (i64, [String; 4])> = BTreeMap::new();
    let mut letters: BTreeMap<String, (String, i64)> = BTreeMap::new();
    let mut last = String::new();
    let compact = DatePattern::new("%Y%m%d").expect("a pattern");
    for row in rows {
        let row: Vec<&str> = row.collect();
        assert_eq!(row.len(), 18, "{row:?}");
        for date in ["EcritureDate", "PieceDate", "ValidDate"] {
            let text = row[column(date)];
            assert!(compact.read(text).is_some_and(|day| day.compact() == text), "{date} {text}");
        }
        let amount = |name: &str| -> i64 {
            let (whole, fraction) = row[column(name)].split_once(',').expect("a decimal comma");
            assert_eq!(fraction.len(), 2);
            format!("{whole}{fraction}").parse().expect("digits")
        };
        let (debit, credit) = (amount("Debit"), amount("Credit"));
        assert!((debit == 0) != (credit == 0), "one of the two: {row:?}");
        for needed in ["JournalCode", "JournalLib", "CompteLib", "PieceRef", "EcritureLib"] {
            assert!(
                !row[column(needed)].is_empty() && !row[column(needed)].contains('|'),
                "{needed}: {row:?}"
            );
        }
        assert_eq!(row[account].bytes().take_while(u8::is_ascii_digit).take(3).count(), 3, "{row:?}");
        assert!(row[column("EcritureDate")] >= last.as_str(), "in the order of dates");
        row[column("EcritureDate")].clone_into(&mut last);
        let head =
            ["JournalCode", "EcritureDate", "PieceRef", "PieceDate"].map(|name| row[column(name)].to_owned());
        let entry = entries.entry(row[number].to_owned()).or_insert_with(|| (0, head.clone()));
        assert_eq!(entry.1, head, "one journal, date and piece: {row:?}");
        entry.0 += debit - credit;
        *accounts.entry(row[account].to_owned()).or_default() += debit - credit;
        let letter = row[column("EcritureLet")];
        assert_eq!(letter.is_empty(), row[column("DateLet")].is_empty());
        if !letter.is_empty() {
            let group = letters.entry(letter.to_owned()).or_insert_with(|| (row[account].to_owned(), 0));
            assert_eq!(group.0, row[account], "one account a letter");
            group.1 += debit - credit;
        }
    }
    assert!(entries.values().all(|(sum, _)| *sum == 0), "every entry balances");
    assert!(letters.values().all(|(_, sum)| *sum == 0), "every letter settles");
    assert!(letters.len() > 10);
    let mut series: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for number in entries.keys() {
        let (series_of, n) = number.rsplit_once('-').expect("a number");
        series.entry(series_of).or_default().push(n.parse().expect("digits"));
    }
    for (name, numbers) in series {
        let wanted: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, wanted, "{name} has no gap");
    }
    accounts
}
