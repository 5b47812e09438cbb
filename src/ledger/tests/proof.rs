//! `verify` finds every damage and names its place; `rebuild` mends the fold and nothing else.

use super::*;

#[track_caller]
pub(super) fn first_flaw(book: &Book) -> (String, String) {
    let proof = book.proof();
    let flaw = proof.flaws.first().unwrap_or_else(|| panic!("a flaw: {proof:?}"));
    (flaw.place.clone(), flaw.what.clone())
}

#[test]
fn a_good_ledger_has_no_flaw() {
    let book = lived_in();
    let proof = book.proof();
    assert_eq!(proof.flaws, []);
    assert_eq!(proof.entries, book.count("log"));
    assert_eq!(book.texts("SELECT head_hash FROM progress"), [proof.head]);
}

#[test]
fn an_empty_ledger_has_no_flaw() {
    assert_eq!(Book::new().proof().entries, 0);
}

#[test]
fn a_byte_changed_in_any_column_of_the_log_is_found_at_its_entry() {
    for (column, value) in [
        ("at", "'2026-03-01T10:01:00.001Z'"),
        ("kind", "'order'"),
        ("shop", "'campinh'"),
        ("shop", "NULL"),
        ("endpoint", "'camping-up2paz'"),
        ("psp", "'sogecommerce'"),
        ("verdict", "'duplicate'"),
        ("events", "2"),
        ("content", "replace(content, '6000', '6001')"),
        ("content", "'no JSON'"),
        ("payload_sha256", "replace(payload_sha256, substr(payload_sha256, 1, 1), 'x')"),
        ("chain_hash", "replace(chain_hash, substr(chain_hash, 1, 1), 'x')"),
    ] {
        let mut book = lived_in();
        book.damage(&format!("UPDATE log SET {column} = {value} WHERE seq = 4"));
        let (place, what) = first_flaw(&book);
        assert_eq!(place, "log entry 4", "{column} = {value}: {what}");
    }
}

#[test]
fn a_changed_number_is_found() {
    let mut book = lived_in();
    book.damage("UPDATE log SET seq = 99 WHERE seq = 4");
    assert_eq!(
        first_flaw(&book),
        ("log entry 4".to_owned(), "is missing: entry 5 stands in its place".to_owned())
    );
}

#[test]
fn a_removed_entry_is_found_wherever_it_stood() {
    for seq in [1, 4, 8] {
        let mut book = lived_in();
        book.damage(&format!("DELETE FROM log WHERE seq = {seq}"));
        let (found, what) = first_flaw(&book);
        assert_eq!(found, format!("log entry {seq}"), "{what}");
        assert!(what.contains("missing"), "{what}");
    }
}

#[test]
fn a_log_without_any_entry_or_without_its_progress_is_found() {
    let mut book = lived_in();
    book.damage("DELETE FROM log");
    assert_eq!(first_flaw(&book).0, "log entry 1");
    let mut book = lived_in();
    book.damage("DELETE FROM log WHERE seq = 8; DELETE FROM progress");
    assert!(book.proof().flaws.iter().any(|flaw| flaw.place.starts_with("progress")));
}

#[test]
fn two_entries_that_changed_places_are_found() {
    let mut book = lived_in();
    book.damage(
        "UPDATE log SET seq = 1000 WHERE seq = 4; UPDATE log SET seq = 4 WHERE seq = 5;
         UPDATE log SET seq = 5 WHERE seq = 1000",
    );
    assert_eq!(
        first_flaw(&book),
        ("log entry 4".to_owned(), "its content does not fit its chain hash".to_owned())
    );
}

#[test]
fn a_damaged_fold_is_found_in_its_table_and_row() {
    for (sql, table, what) in [
        ("UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000", "tenders", "not what"),
        ("UPDATE orders SET state = 'balanced' WHERE reference = 'B'", "orders", "not what"),
        ("UPDATE order_versions SET total_cents = 1 WHERE order_id = 2", "order_versions", "not what"),
        ("UPDATE discrepancies SET acked_note = ''", "discrepancies", "not what"),
        ("DELETE FROM records WHERE order_id = 1", "records", "missing"),
        ("DELETE FROM events WHERE seq = 4", "events", "missing"),
        ("DELETE FROM discrepancies", "discrepancies", "missing"),
        ("DELETE FROM acts", "acts", "missing"),
        (
            "INSERT INTO discrepancies (kind, severity, shop, subject, detail, opened_at)
             VALUES ('amount_short', 'warning', 'camping', '', '', '')",
            "discrepancies",
            "not in the log",
        ),
        ("UPDATE progress SET policy = replace(policy, '1200', '1201')", "progress", "not what"),
    ] {
        let mut book = lived_in();
        book.damage(sql);
        let (place, found) = first_flaw(&book);
        assert!(place.starts_with(table), "{sql}: {place}");
        assert!(found.contains(what), "{sql}: {found}");
    }
}

#[test]
fn the_row_that_is_missing_is_the_one_that_is_named() {
    let mut book = lived_in();
    book.damage("DELETE FROM records WHERE order_id = 1");
    assert_eq!(first_flaw(&book), ("records row 1 up2pay call-A".to_owned(), "is missing".to_owned()));
    let mut book = lived_in();
    book.damage("INSERT INTO events VALUES (1, 1, 0)");
    assert_eq!(first_flaw(&book), ("events row 1 1 0".to_owned(), "is not in the log".to_owned()));
}

#[test]
fn rebuild_changes_nothing_on_a_good_ledger() {
    let book = lived_in();
    let before = book.everything();
    let rebuilt = rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    assert_eq!(rebuilt.replaced, Vec::<&str>::new());
    assert_eq!(rebuilt.entries, 8);
    assert_eq!(book.everything(), before);
}

#[test]
fn rebuild_repairs_a_damaged_fold() {
    for (sql, replaced) in [
        ("UPDATE tenders SET amount_cents = 5999 WHERE amount_cents = 6000", vec!["tenders"]),
        ("DELETE FROM records WHERE order_id = 1", vec!["records"]),
        ("DELETE FROM tenders; DELETE FROM records", vec!["records", "tenders"]),
        ("DELETE FROM discrepancies; UPDATE orders SET look_again_at = NULL", vec!["discrepancies"]),
        ("UPDATE progress SET policy = replace(policy, '1200', '1201')", vec!["progress"]),
        (
            "DELETE FROM tenders; DELETE FROM records; DELETE FROM events; DELETE FROM order_versions;
             DELETE FROM questions; DELETE FROM acts; DELETE FROM discrepancies; DELETE FROM orders;
             DELETE FROM heard_hours; DELETE FROM endpoints",
            FOLD_TABLES.to_vec(),
        ),
    ] {
        let mut book = lived_in();
        book.take(50, questions::hint(questions::session("a1")));
        let before = book.everything();
        book.damage(sql);
        let rebuilt = rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
        assert_eq!(rebuilt.replaced, replaced, "{sql}");
        assert_eq!(book.everything(), before, "{sql}");
        assert_eq!(book.proof().flaws, [], "{sql}");
        assert_eq!(book.rows("PRAGMA foreign_key_check"), Rows::new());
    }
}

#[test]
fn rebuild_refuses_a_damaged_log_and_leaves_the_fold_alone() {
    let mut book = lived_in();
    book.damage("UPDATE log SET shop = 'x' WHERE seq = 4; DELETE FROM tenders");
    let before = book.everything();
    let error = rebuild(&book.path(), &mut |_| {}).expect_err("refused").to_string();
    assert!(error.contains("log entry 4"), "{error}");
    assert_eq!(book.everything(), before);
}

#[test]
fn a_rebuilt_ledger_goes_on() {
    let mut book = lived_in();
    book.damage("DELETE FROM discrepancies");
    rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    book.take(50, card("B", 3000));
    assert_eq!(book.discrepancies(), [("complement_missing".to_owned(), 22, Some(50))]);
    assert_eq!(book.proof().flaws, []);
}
