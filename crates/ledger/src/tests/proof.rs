//! `verify` finds every damage of the ledger and names its place; `rebuild` mends it, and readers see the old ledger until
//! then.

use std::path::Path;

use super::stories::eventful;
use super::*;

#[test]
fn a_good_ledger_has_no_flaw() {
    let mut book = eventful();
    let proof = book.proof();
    assert_eq!(proof.flaws, []);
    let head = book.log.head().expect("a head");
    assert_eq!((proof.entries, proof.folded, proof.head), (head.seq.get(), head.seq.get(), head.hash));
}

#[test]
fn an_empty_ledger_has_no_flaw() {
    let proof = Book::new().proof();
    assert_eq!((proof.entries, proof.folded, proof.flaws), (0, 0, vec![]));
}

#[test]
fn a_ledger_that_has_not_folded_everything_yet_has_no_flaw() {
    let mut book = lived_in();
    book.append(minute(50), card("B", 3000));
    let proof = book.proof();
    assert_eq!((proof.entries, proof.folded, proof.flaws), (10, 9, vec![]));
}

/// A column of a table, with what type it has.
struct Column {
    table: String,
    name: String,
    is_text: bool,
    is_key: bool,
}

fn columns(conn: &Connection) -> Vec<Column> {
    let mut all = Vec::new();
    for table in fold_tables(conn) {
        let described = rows(conn, &format!("SELECT name, type, pk FROM pragma_table_info('{table}')"));
        for row in described {
            let [Value::Text(name), Value::Text(kind), Value::Integer(key)] = row.as_slice() else {
                panic!("{row:?}")
            };
            all.push(Column {
                table: table.clone(),
                name: name.clone(),
                is_text: kind == "TEXT",
                is_key: *key > 0,
            });
        }
    }
    all
}

/// The ledger's file as it is, at another place.
fn copied(book: &Book, to: &Path) -> Connection {
    if to.exists() {
        std::fs::remove_file(to).expect("removed");
    }
    book.ledger.connection().execute("VACUUM INTO ?1", [to.to_str().expect("a path")]).expect("copied");
    Connection::open(to).expect("a copy")
}

/// Verifies a copy of the ledger to which something was done.
fn proof_after(book: &mut Book, sql: &str) -> Proof {
    let copy = book.folder.path().join("copy.sqlite");
    let conn = copied(book, &copy);
    damage(&conn, sql);
    drop(conn);
    let kept_since = Timestamp::from_millis(i64::MAX);
    let yardstick = Yardstick { key: None, kept_since, anchors: &[] };
    verify(&mut book.log, &copy, &yardstick, &mut |_| {}).expect(sql)
}

/// What tells the log from others is no matter of the fold: opening the ledger beside another log is refused.
const NOT_OF_THE_FOLD: [(&str, &str); 1] = [("progress", "log_id")];

#[test]
fn a_changed_cell_in_any_column_of_any_table_is_found_in_its_table() {
    let mut book = eventful();
    let all = columns(book.ledger.connection());
    assert!(all.len() > 150, "{}", all.len());
    for Column { table, name, is_text, is_key } in all {
        if NOT_OF_THE_FOLD.contains(&(table.as_str(), name.as_str())) {
            continue;
        }
        // The last row, so that a changed key meets no other.
        let other =
            if is_text { format!("COALESCE({name}, '') || 'x'") } else { format!("COALESCE({name}, 0) + 1") };
        let sql = format!("UPDATE {table} SET {name} = {other} WHERE {}", is_last(&table));
        let proof = proof_after(&mut book, &sql);
        let found = proof.flaws.iter().any(|flaw| flaw.place.starts_with(&format!("{table} row ")));
        assert!(found, "{sql} (a key: {is_key}): {proof:?}");
    }
}

/// What only the last row of a table fulfils.
fn is_last(table: &str) -> String {
    let key = match table {
        "order_versions" => "order_id, version",
        "facts" => "order_id, seq, position",
        "records" => "order_id, psp, call_number",
        "tenders" => "order_id, psp, call_number, position",
        "returns" => "order_id, psp, call_number, position, number",
        "statement_lines" => "statement_id, position",
        "payout_shares" => "statement_id, position, psp, call_number, tender_position",
        "closings" => "period",
        "numbers" => "series",
        "questions" => "endpoint, topic, subject",
        "endpoints" => "endpoint",
        "heard_hours" => "endpoint, hour",
        "claims" => "psp, payment, order_id",
        "mails" => "message_id",
        "relays" => "seq, target",
        _ => "rowid",
    };
    let descending = key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
    format!("({key}) = (SELECT {key} FROM {table} ORDER BY {descending} LIMIT 1)")
}

#[test]
fn a_row_that_is_too_many_is_found_in_any_table() {
    let mut book = eventful();
    for table in fold_tables(book.ledger.connection()) {
        if table == "progress" {
            // It has one row by its own rule.
            continue;
        }
        let columns = columns(book.ledger.connection());
        let of_table: Vec<&Column> = columns.iter().filter(|column| column.table == table).collect();
        let other: Vec<String> = of_table
            .iter()
            .map(|column| match (column.is_key, column.is_text) {
                (true, true) => format!("{} || 'x'", column.name),
                (true, false) => format!("{} + 100", column.name),
                (false, _) if table == "orders" && column.name == "reference" => "'another'".to_owned(),
                (false, _) if table == "statements" && column.name == "number" => "'another'".to_owned(),
                (false, _) => column.name.clone(),
            })
            .collect();
        let sql =
            format!("INSERT INTO {table} SELECT {} FROM {table} WHERE {}", other.join(", "), is_last(&table));
        let proof = proof_after(&mut book, &sql);
        let surplus = |flaw: &&crate::Flaw| {
            flaw.place.starts_with(&format!("{table} row ")) && flaw.what == "is not in the log"
        };
        assert!(proof.flaws.iter().any(|flaw| surplus(&flaw)), "{table}: {proof:?}");
    }
}

#[test]
fn a_row_that_is_gone_is_named_in_any_table() {
    let mut book = eventful();
    for table in fold_tables(book.ledger.connection()) {
        let proof = proof_after(&mut book, &format!("DELETE FROM {table} WHERE {}", is_last(&table)));
        let gone = |flaw: &&crate::Flaw| {
            flaw.place.starts_with(&format!("{table} row ")) && flaw.what == "is missing"
        };
        assert_eq!(proof.flaws.iter().filter(gone).count(), 1, "{table}: {proof:?}");
    }
}

#[test]
fn the_first_bad_row_is_the_one_that_is_named() {
    let mut book = eventful();
    for (sql, place, what) in [
        (
            "UPDATE tenders SET amount_cents = amount_cents + 1",
            "tenders row 1 up2pay call-A 0",
            "is not what the log amounts to",
        ),
        ("DELETE FROM records WHERE order_id = 1", "records row 1 up2pay call-A", "is missing"),
        ("DELETE FROM facts WHERE seq IN (4, 6)", "facts row 1 4 0", "is missing"),
        (
            "UPDATE orders SET state = 'balanced' WHERE reference = 'B'",
            "orders row 2",
            "is not what the log amounts to",
        ),
        (
            "UPDATE tenders SET brand = CAST(x'ff' AS TEXT) WHERE order_id = 2",
            "tenders row 2 up2pay call-B 0",
            "is not what",
        ),
    ] {
        let flaw = proof_after(&mut book, sql).flaws.remove(0);
        assert_eq!(flaw.place, place, "{sql}");
        assert!(flaw.what.starts_with(what), "{sql}: {flaw:?}");
    }
}

#[test]
fn rebuild_changes_nothing_on_a_good_ledger() {
    let mut book = eventful();
    let before = book.everything();
    assert_eq!(book.rebuild(), [""; 0]);
    assert_eq!(book.everything(), before);
}

#[test]
fn rebuild_repairs_whatever_was_done_to_the_ledger() {
    let mut book = eventful();
    let before = book.everything();
    let all: Vec<String> = fold_tables(book.ledger.connection());
    let empty = all.iter().map(|table| format!("DELETE FROM {table}")).collect::<Vec<_>>().join("; ");
    for (sql, replaced) in [
        ("UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000", vec!["tenders"]),
        ("DELETE FROM tenders; DELETE FROM records", vec!["records", "tenders"]),
        ("DELETE FROM discrepancies", vec!["discrepancies"]),
        ("UPDATE entries SET Debit = Debit + 1 WHERE line = 1", vec!["entries"]),
        ("DROP TABLE returns", Vec::new()),
        ("DROP VIEW acct_register", Vec::new()),
        (&empty, Vec::new()),
    ] {
        book.damage(sql);
        let done = book.rebuild();
        if !replaced.is_empty() {
            assert_eq!(done, replaced, "{sql}");
        }
        assert_eq!(book.everything(), before, "{sql}");
        assert_eq!(book.proof().flaws, [], "{sql}");
    }
}

#[test]
fn a_ledger_that_does_not_say_how_far_it_came_can_be_opened_and_made_again() {
    for sql in ["UPDATE progress SET policy = 'x'", "UPDATE progress SET at = 'x'", "DELETE FROM progress"] {
        let mut book = eventful();
        let before = book.everything();
        book.damage(sql);
        book.reopen().expect("opened");
        assert!(book.ledger.catch_up_all(&mut book.log).is_err(), "{sql}: nothing is folded into it");
        assert_eq!(book.first_flaw().0, "progress row 1", "{sql}");
        assert_eq!(book.rebuild(), ["progress"], "{sql}");
        assert_eq!(book.everything(), before, "{sql}");
    }
}

#[test]
fn what_is_beside_the_fold_outlives_a_rebuild() {
    let mut book = eventful();
    let rejected = crate::Rejected {
        caller: "194.50.38.12".to_owned(),
        endpoint: endpoint("camping-up2pay"),
        psp: Psp::Up2pay,
        grounds: cvco_domain::Grounds::Signature,
        payload_sha256: String::new(),
    };
    book.ledger.note_rejection(&rejected, minute(1)).expect("noted");
    book.ledger.note_attempt("a mail", minute(2), Some("refused")).expect("noted");
    book.damage("DELETE FROM discrepancies");
    book.rebuild();
    assert_eq!(book.texts("SELECT grounds FROM rejections"), [r#"{"why":"signature"}"#]);
    assert_eq!(book.texts("SELECT what || ' ' || last_error FROM attempts"), ["a mail refused"]);
    assert_eq!(book.proof().flaws, [], "nor is it a flaw");
}

#[test]
fn a_reader_sees_the_old_ledger_until_it_has_finished() {
    let mut book = eventful();
    book.damage("UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000");
    let old = everything(book.ledger.connection());
    let reader = Connection::open(book.path()).expect("a reader");
    reader.execute_batch("BEGIN").expect("begun");
    assert_eq!(everything(&reader), old);
    assert_eq!(book.rebuild(), ["tenders"]);
    assert_eq!(everything(&reader), old, "one snapshot, as long as it lasts");
    reader.execute_batch("COMMIT").expect("ended");
    assert_eq!(everything(&reader), book.everything(), "and the new one after it");
    assert_eq!(texts(&reader, "PRAGMA journal_mode"), ["wal"], "the next reader hinders nobody either");
    assert_eq!(book.proof().flaws, []);
}

#[test]
fn rebuild_refuses_a_damaged_log_and_leaves_the_ledger_alone() {
    let mut book = lived_in();
    book.damage("DELETE FROM tenders");
    book.damage_log("UPDATE log SET content = replace(content, '6000', '6001') WHERE seq = 4");
    let before = book.everything();
    let error = rebuild(&mut book.log, &mut book.ledger, &mut |_| {}).expect_err("refused").to_string();
    assert!(error.contains("entry 4"), "{error}");
    assert_eq!(book.everything(), before);
}

#[test]
fn a_rebuild_that_another_program_keeps_from_writing_fails_and_replaces_nothing() {
    let mut book = eventful();
    book.damage("UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000");
    let before = book.everything();
    book.ledger.connection().busy_timeout(std::time::Duration::ZERO).expect("no patience");
    let other = Connection::open(book.path()).expect("another program");
    other.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let error = rebuild(&mut book.log, &mut book.ledger, &mut |_| {}).expect_err("refused").to_string();
    assert!(error.contains("another program writes to it"), "{error}");
    assert_eq!(book.everything(), before);
    other.execute_batch("ROLLBACK").expect("ended");
    assert_eq!(book.rebuild(), ["tenders"]);
    assert_eq!(book.proof().flaws, []);
}

#[test]
fn a_rebuilt_ledger_goes_on() {
    let mut book = lived_in();
    book.damage("DELETE FROM discrepancies");
    book.append(minute(45), registered("C", 1));
    book.rebuild();
    assert_eq!(book.ledger.position().seq, Seq::new(10), "with all that the log has");
    book.take(50, card("B", 3000));
    assert_eq!(book.discrepancies(), [seen("complement_missing", 22, Some(50))]);
    assert_eq!(book.proof().flaws, []);
}

#[test]
fn a_ledger_whose_file_was_lost_is_made_again_and_is_the_same() {
    let mut book = eventful();
    let before = book.everything();
    book.ledger = Ledger::in_memory().expect("a ledger");
    for ending in ["", "-wal", "-shm"] {
        let file = book.folder.path().join(format!("ledger.sqlite{ending}"));
        if file.exists() {
            std::fs::remove_file(file).expect("removed");
        }
    }
    book.reopen().expect("a new file");
    assert_eq!(book.ledger.position().seq, Seq::ZERO);
    book.ledger.catch_up_all(&mut book.log).expect("folded");
    assert_eq!(book.everything(), before);
}
