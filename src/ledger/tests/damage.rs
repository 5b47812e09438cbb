//! Whatever is done to the log, `verify` names the first entry that is not as it was; and what is done to the file
//! around it, by table, row, trigger or view.

use super::proof::first_flaw;
use super::*;
use crate::ledger::Flaw;
use crate::ledger::log_row::LogRow;

#[track_caller]
fn flaw_at<'p>(proof: &'p Proof, place: &str) -> &'p Flaw {
    proof.flaws.iter().find(|flaw| flaw.place == place).unwrap_or_else(|| panic!("{place}: {proof:?}"))
}

#[test]
fn every_byte_of_every_column_of_every_entry_counts() {
    let mut book = Book::new();
    book.take(0, Entry::Policy(Policy::default()));
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    // What is put back below leaves the ledger as it was; the triggers alone stay away.
    let unlocked = "DROP TRIGGER log_is_append_only_update; PRAGMA ignore_check_constraints = ON";
    book.damaged = true;
    book.conn.execute_batch(unlocked).expect("unlocked");
    let columns: Vec<&str> = LogRow::COLUMNS.split(", ").filter(|column| *column != "seq").collect();
    for seq in 1..=3 {
        for column in &columns {
            let stored = &book.rows(&format!("SELECT {column} FROM log WHERE seq = {seq}"))[0][0];
            let (bytes, is_text) = match stored {
                Value::Text(text) => (text.clone().into_bytes(), true),
                Value::Integer(number) => (number.to_string().into_bytes(), false),
                Value::Null => continue,
                Value::Real(_) | Value::Blob(_) => panic!("{stored:?}"),
            };
            let value = if is_text { "CAST(?1 AS TEXT)" } else { "CAST(CAST(?1 AS TEXT) AS INTEGER)" };
            let change = format!("UPDATE log SET {column} = {value} WHERE seq = {seq}");
            for (place, byte) in bytes.iter().enumerate() {
                let mut other = bytes.clone();
                // Another letter or digit; no UTF-8 any more; a NUL.
                other[place] ^= if is_text { [0x01, 0x80, *byte][place % 3] } else { 1 };
                book.conn.execute(&change, [&other]).expect("changed");
                assert_eq!(first_flaw(&book).0, format!("log entry {seq}"), "{column}, byte {place}");
            }
            book.conn.execute(&change, [&bytes]).expect("put back");
        }
    }
    assert!(book.proof().flaws.iter().all(|flaw| flaw.place.starts_with("trigger")), "put back");
}

/// Lets the log hold whatever one likes.
const LOOSE: &str = "PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT', ')'), 'NOT NULL', '') WHERE name = 'log';
    PRAGMA writable_schema = RESET;";

#[test]
fn a_value_of_another_type_is_found_at_its_entry() {
    let (nul, no_text) = ("content || char(0)", "CAST(x'7bff7d' AS TEXT)");
    for value in ["NULL", "x'7b7d'", nul, no_text, "''", "'{'", "json_set(content, '$.mode', 7)"] {
        for column in ["content", "at", "kind", "chain_hash"] {
            let mut book = lived_in();
            book.damage(&format!("{LOOSE} UPDATE log SET {column} = {value} WHERE seq = 4"));
            let (place, what) = first_flaw(&book);
            assert_eq!(place, "log entry 4", "{column} = {value}: {what}");
            flaw_at(&book.proof(), "table log");
        }
    }
}

#[test]
fn a_log_without_numbers_is_found() {
    let mut book = lived_in();
    book.damage(
        "PRAGMA legacy_alter_table = ON; CREATE TABLE other AS SELECT * FROM log; DROP TABLE log; ALTER TABLE other RENAME TO log;
         UPDATE log SET seq = NULL WHERE seq = 1",
    );
    assert_eq!(first_flaw(&book).0, "log entry 1");
}

#[test]
fn an_entry_that_was_put_in_is_found() {
    let mut book = lived_in();
    book.damage(
        "UPDATE log SET seq = seq + 1000 WHERE seq > 4; UPDATE log SET seq = seq - 999 WHERE seq > 1000;
         INSERT INTO log SELECT 5, at, kind, shop, endpoint, psp, verdict, events, content, payload_sha256, chain_hash
         FROM log WHERE seq = 4",
    );
    assert_eq!(first_flaw(&book).0, "log entry 5");
    let mut book = lived_in();
    book.damage("INSERT INTO log SELECT 0, at, kind, shop, endpoint, psp, verdict, events, content, payload_sha256, chain_hash FROM log WHERE seq = 4");
    assert_eq!(
        first_flaw(&book),
        ("log entry 1".to_owned(), "an entry numbered 0 stands in its place".to_owned())
    );
}

#[test]
fn entries_behind_the_end_are_found() {
    let mut book = lived_in();
    let added = voucher("C", 100);
    book.take(50, added);
    book.damage("UPDATE progress SET head_seq = 8");
    let (place, what) = first_flaw(&book);
    assert_eq!(place, "log entry 9");
    assert!(what.contains("another hand"), "{what}");
}

#[test]
fn a_chain_that_was_computed_anew_is_found_where_the_ledger_remembers_it() {
    let mut book = lived_in();
    book.damage("UPDATE log SET content = replace(content, '6000', '6001') WHERE seq IN (4, 7)");
    book.forge_chain(4, false);
    let proof = book.proof();
    assert_eq!(proof.flaws[0].place, "log entry 8", "the end of the chain");
    let row = flaw_at(&proof, "tenders row 1 up2pay call-A 0");
    assert!(row.what.contains("log entries 2, 4, 6"), "where to look: {row:?}");
}

#[test]
fn a_chain_that_was_computed_anew_to_its_end_is_found_in_the_fold() {
    let mut book = lived_in();
    book.damage("UPDATE log SET content = replace(content, '6000', '6001') WHERE seq IN (4, 7)");
    book.forge_chain(4, true);
    let (place, what) = first_flaw(&book);
    assert_eq!(place, "orders row 1");
    assert!(what.contains("log entries 2, 4, 6"), "where to look: {what}");
}

#[test]
fn an_entry_that_the_daemon_cannot_have_written_is_found_though_its_hash_fits() {
    for (change, seq) in [
        ("UPDATE log SET content = ' ' || content WHERE seq = 4", 4),
        ("UPDATE log SET verdict = 'duplicate' WHERE seq = 4", 4),
        ("UPDATE log SET events = 7 WHERE seq = 4", 4),
        ("UPDATE log SET at = '2026-03-01T09:00:00.000Z' WHERE seq = 4", 4),
        ("UPDATE log SET content = replace(content, '1', '9') WHERE seq = 8", 8),
        ("UPDATE log SET content = 'no JSON' WHERE seq = 4", 4),
    ] {
        let mut book = lived_in();
        book.damage(change);
        book.forge_chain(1, true);
        assert_eq!(first_flaw(&book).0, format!("log entry {seq}"), "{change}");
    }
}

#[test]
fn a_page_that_the_disk_lost_is_found_at_its_first_entry() {
    let mut book = Book::new();
    for n in 0..200 {
        book.take(n, registered(&format!("LOST-{n:03}"), 1000));
    }
    book.damage("SELECT 1");
    book.rows("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = std::fs::read(book.path()).expect("the file");
    let lost = b"\"reference\":\"LOST-150\"";
    let place = bytes.windows(lost.len()).position(|window| window == lost).expect("in the log");
    let page = place / 4096 * 4096;
    bytes[page..page + 4096].fill(0);
    std::fs::write(book.path(), bytes).expect("written");
    let proof = book.proof();
    let seq = proof.entries + 1;
    assert!((100..=151).contains(&seq), "{seq}");
    assert_eq!(proof.flaws[0].place, format!("log entry {seq}"));
    assert!(proof.flaws[0].what.contains("damaged"), "{:?}", proof.flaws[0]);
}

#[test]
fn whatever_is_missing_from_the_layout_is_named() {
    let book = lived_in();
    let objects = book.rows("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'");
    drop(book);
    for object in objects {
        let [Value::Text(kind), Value::Text(name)] = object.as_slice() else { panic!("{object:?}") };
        let mut book = lived_in();
        book.damaged = true;
        book.conn.execute_batch(&format!("PRAGMA foreign_keys = OFF; DROP {kind} {name}")).expect("dropped");
        assert_eq!(flaw_at(&book.proof(), &format!("{kind} {name}")).what, "is missing");
    }
}

#[test]
fn what_is_not_ours_in_the_layout_is_named() {
    for (sql, place) in [
        (
            "CREATE TRIGGER quiet AFTER INSERT ON records BEGIN DELETE FROM discrepancies; END",
            "trigger quiet",
        ),
        ("DROP VIEW acct_orders; CREATE VIEW acct_orders AS SELECT 1 AS shop", "view acct_orders"),
    ] {
        let mut book = lived_in();
        book.damaged = true;
        book.conn.execute_batch(sql).expect("changed");
        assert_eq!(book.proof().flaws, [flaw_at(&book.proof(), place).clone()]);
    }
}

#[test]
fn a_reference_that_leads_nowhere_is_named_by_its_row() {
    for (sql, place) in [
        ("DELETE FROM records WHERE order_id = 1", "tenders row 1 up2pay call-A 0"),
        ("INSERT INTO events VALUES (1, 99, 0)", "events row 1 99 0"),
        ("INSERT INTO payloads VALUES (99, '', x'')", "payloads row 99"),
        ("UPDATE discrepancies SET order_id = 77", "discrepancies row 1"),
    ] {
        let mut book = lived_in();
        book.damage(sql);
        let proof = book.proof();
        let refers = |flaw: &&Flaw| flaw.place == place && flaw.what.contains("refers to a row of");
        assert!(proof.flaws.iter().any(|flaw| refers(&flaw)), "{sql}: {proof:?}");
    }
}

#[test]
fn a_fold_row_that_is_no_text_is_named() {
    let mut book = lived_in();
    book.damage("UPDATE tenders SET brand = CAST(x'ff' AS TEXT) WHERE amount_cents = 6000");
    assert_eq!(first_flaw(&book).0, "tenders row 1 up2pay call-A 0");
}

#[test]
fn progress_is_told_phase_by_phase() {
    use crate::ledger::{Phase, Progress};
    let book = lived_in();
    let mut phases: Vec<Phase> = Vec::new();
    let yardstick =
        Yardstick { key_file: &book.key_file(), kept_since: Timestamp::from_millis(i64::MAX), anchors: &[] };
    verify(&book.path(), &yardstick, &mut |progress: Progress| phases.push(progress.phase))
        .expect("readable");
    phases.dedup();
    assert_eq!(phases, [Phase::Entries, Phase::Rows, Phase::Cents, Phase::File]);
}
