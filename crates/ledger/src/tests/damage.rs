//! Whatever is done to the log, `verify` names the first entry that is not as it was; and what is done to the ledger's file,
//! by table, row, trigger or view.

use super::*;
use crate::Flaw;

#[track_caller]
fn flaw_at<'p>(proof: &'p Proof, place: &str) -> &'p Flaw {
    proof.flaws.iter().find(|flaw| flaw.place == place).unwrap_or_else(|| panic!("{place}: {proof:?}"))
}

impl Book {
    /// Computes the chain again from an entry on, as whoever can write to the file can.
    pub(super) fn forge_chain(&mut self, from: i64) {
        let mut hash = cvco_log::row::GENESIS.to_owned();
        let mut script = Vec::new();
        for link in self.log.read(Seq::ZERO, usize::MAX).expect("read") {
            let seq = link.row.seq.get();
            hash = if seq < from { link.chain_hash } else { link.row.chain_hash(&hash) };
            script.push(format!("UPDATE log SET chain_hash = '{hash}' WHERE seq = {seq}"));
        }
        self.damage_log(&script.join("; "));
    }
}

#[test]
fn a_change_in_any_column_of_the_log_is_found_at_its_entry() {
    for (column, value) in [
        ("at", "'2026-03-01T10:02:00.001Z'"),
        ("at", "'2026-03-01T09:00:00.000Z'"),
        ("kind", "'order'"),
        ("content", "replace(content, '6000', '6001')"),
        ("content", "content || ' '"),
        ("content", "'no JSON'"),
        ("content", "CAST(x'7bff7d' AS TEXT)"),
        ("payload_sha256", "''"),
        ("chain_hash", "replace(chain_hash, substr(chain_hash, 1, 1), 'x')"),
    ] {
        let mut book = lived_in();
        book.damage_log(&format!("UPDATE log SET {column} = {value} WHERE seq = 4"));
        let (place, what) = book.first_flaw();
        assert_eq!(place, "log entry 4", "{column} = {value}: {what}");
    }
}

#[test]
fn every_byte_of_every_column_of_every_entry_counts() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(1, voucher("A", 6000));
    book.damaged = true;
    let conn = Connection::open(book.log_path()).expect("a database");
    conn.execute_batch("DROP TRIGGER log_is_append_only_update").expect("unlocked");
    for seq in 1..=2 {
        for column in ["at", "kind", "content", "chain_hash"] {
            let stored =
                texts(&conn, &format!("SELECT {column} FROM log WHERE seq = {seq}")).remove(0).into_bytes();
            let change = format!("UPDATE log SET {column} = CAST(?1 AS TEXT) WHERE seq = {seq}");
            for (place, byte) in stored.iter().enumerate() {
                let mut other = stored.clone();
                // Another letter or digit; no UTF-8 any more; a NUL.
                other[place] ^= [0x01, 0x80, *byte][place % 3];
                conn.execute(&change, [&other]).expect("changed");
                assert_eq!(book.first_flaw().0, format!("log entry {seq}"), "{column}, byte {place}");
            }
            conn.execute(&change, [&stored]).expect("put back");
        }
    }
    let proof = book.proof();
    assert!(proof.flaws.iter().all(|flaw| flaw.what.contains("trigger")), "put back: {proof:?}");
}

#[test]
fn an_entry_that_is_gone_or_moved_is_found_wherever_it_stood() {
    for (sql, seq) in [
        ("DELETE FROM log WHERE seq = 1", 1),
        ("DELETE FROM log WHERE seq = 4", 4),
        ("DELETE FROM log", 1),
        ("UPDATE log SET seq = 99 WHERE seq = 4", 4),
        (
            "UPDATE log SET seq = 1000 WHERE seq = 4; UPDATE log SET seq = 4 WHERE seq = 5;
             UPDATE log SET seq = 5 WHERE seq = 1000",
            4,
        ),
        (
            "UPDATE log SET seq = seq + 1000 WHERE seq > 4; UPDATE log SET seq = seq - 999 WHERE seq > 1000;
             INSERT INTO log SELECT 5, at, kind, content, payload_sha256, chain_hash FROM log WHERE seq = 4",
            5,
        ),
    ] {
        let mut book = lived_in();
        book.damage_log(sql);
        let proof = book.proof();
        let named = |flaw: &&Flaw| flaw.place == format!("log entry {seq}") || flaw.place == "progress";
        assert!(proof.flaws.first().is_some_and(|flaw| named(&flaw)), "{sql}: {proof:?}");
    }
}

#[test]
fn a_log_that_ends_before_what_the_ledger_has_folded_is_found() {
    let mut book = lived_in();
    book.damage_log("DELETE FROM log WHERE seq = 9");
    let proof = book.proof();
    assert!(flaw_at(&proof, "progress").what.contains("has folded entry 9, and the log ends at 8"));
}

#[test]
fn a_chain_that_was_computed_again_is_found_in_the_ledger_that_remembers_it() {
    let mut book = lived_in();
    book.damage_log("UPDATE log SET content = replace(content, '6000', '6001') WHERE seq IN (4, 7)");
    book.forge_chain(4);
    let proof = book.proof();
    assert!(flaw_at(&proof, "progress row 1").what.contains("is not what the log amounts to"));
    let row = flaw_at(&proof, "tenders row 1 up2pay call-A 0");
    assert!(row.what.contains("log entries 2, 4, 6"), "where to look: {row:?}");
}

#[test]
fn whatever_is_missing_from_the_layout_is_named() {
    let book = lived_in();
    let objects = book.rows("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'");
    drop(book);
    let mut book = lived_in();
    book.damaged = true;
    let path = book.path();
    for object in objects {
        let [Value::Text(kind), Value::Text(name)] = object.as_slice() else { panic!("{object:?}") };
        let copy = book.folder.path().join("copy.sqlite");
        book.ledger.connection().execute("VACUUM INTO ?1", [copy.to_str().expect("a path")]).expect("copied");
        let conn = Connection::open(&copy).expect("a copy");
        conn.execute_batch(&format!("PRAGMA foreign_keys = OFF; DROP {kind} {name}")).expect("dropped");
        drop(conn);
        let yardstick = Yardstick { key: None, kept_since: minute(0), anchors: &[] };
        let proof = verify(&mut book.log, &copy, &yardstick, &mut |_| {}).expect("readable");
        assert_eq!(flaw_at(&proof, &format!("{kind} {name}")).what, "is missing");
        std::fs::remove_file(&copy).expect("removed");
    }
    assert!(path.exists());
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
        book.damage(sql);
        let proof = book.proof();
        assert_eq!(proof.flaws, [flaw_at(&proof, place).clone()]);
    }
}

#[test]
fn a_reference_that_leads_nowhere_is_named_by_its_row() {
    for (sql, place) in [
        ("DELETE FROM records WHERE order_id = 1", "tenders row 1 up2pay call-A 1"),
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
fn a_page_that_the_disk_lost_is_found_at_its_first_entry() {
    let mut book = Book::new();
    for n in 0..200 {
        book.append(minute(n), registered(&format!("LOST-{n:03}"), 1000));
    }
    book.ledger.catch_up_all(&mut book.log).expect("folded");
    book.damaged = true;
    let at_rest = book.folder.path().join("at-rest.sqlite");
    let conn = Connection::open(book.log_path()).expect("a database");
    conn.execute("VACUUM INTO ?1", [at_rest.to_str().expect("a path")]).expect("copied");
    let mut bytes = std::fs::read(&at_rest).expect("the file");
    let lost = b"\"reference\":\"LOST-150\"";
    let place = bytes.windows(lost.len()).position(|window| window == lost).expect("in the log");
    let page = place / 4096 * 4096;
    bytes[page..page + 4096].fill(0);
    std::fs::write(&at_rest, bytes).expect("written");
    let mut log = SqliteLog::open_as_it_is(&at_rest).expect("opened as it is");
    let yardstick = Yardstick { key: None, kept_since: minute(0), anchors: &[] };
    let proof = verify(&mut log, &book.path(), &yardstick, &mut |_| {}).expect("readable");
    let seq = proof.entries + 1;
    assert!((100..=151).contains(&seq), "{seq}");
    assert_eq!(proof.flaws[0].place, format!("log entry {seq}"));
}

#[test]
fn progress_is_told_phase_by_phase() {
    use crate::{Phase, Progress};
    let mut book = lived_in();
    let mut phases: Vec<Phase> = Vec::new();
    let yardstick = Yardstick { key: None, kept_since: minute(0), anchors: &[] };
    let path = book.path();
    verify(&mut book.log, &path, &yardstick, &mut |progress: Progress| phases.push(progress.phase))
        .expect("readable");
    phases.dedup();
    assert_eq!(phases, [Phase::Entries, Phase::Rows, Phase::File]);
}
