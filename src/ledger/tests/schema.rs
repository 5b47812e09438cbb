//! Opening the file, and the columns that people rely on.

use super::super::Store;
use super::super::log_row::LogRow;
use super::super::schema::{VERSION, open_for_reading};
use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_was() {
    let folder = folder();
    let path = folder.path().join("other.sqlite");
    let other = Connection::open(&path).expect("a database");
    other.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1").expect("a table");
    drop(other);
    let before = std::fs::read(&path).expect("bytes");
    assert!(matches!(opened(&path), Err(LedgerError::NotALedger(at)) if at == path));
    assert!(matches!(open_for_reading(&path), Err(LedgerError::NotALedger(at)) if at == path));
    assert_eq!(std::fs::read(&path).expect("bytes"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    let text = "not a database at all, but long enough to be mistaken for the header of one. ".repeat(20);
    std::fs::write(&path, &text).expect("written");
    assert!(matches!(opened(&path), Err(LedgerError::NotALedger(_))));
    assert!(matches!(open_for_reading(&path), Err(LedgerError::NotALedger(_))));
    assert_eq!(std::fs::read_to_string(&path).expect("text"), text);
}

#[test]
fn a_later_version_is_refused_with_both_numbers() {
    let folder = folder();
    let path = folder.path().join("ledger.sqlite");
    let later = VERSION + 1;
    opened(&path).expect("a ledger").pragma_update(None, "user_version", later).expect("set");
    let is_later = |error: &LedgerError| matches!(error, LedgerError::SchemaVersion { found, known, .. } if (*found, *known) == (later, VERSION));
    assert!(opened(&path).as_ref().is_err_and(is_later));
    assert!(open_for_reading(&path).as_ref().is_err_and(is_later));
}

#[test]
fn a_folder_that_cannot_hold_a_file_is_told_with_its_path() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    for path in [folder.path().join("nowhere").join("ledger.sqlite"), file.join("ledger.sqlite")] {
        assert!(matches!(opened(&path), Err(LedgerError::File { path: at, .. }) if at == path));
    }
}

#[test]
fn there_is_nothing_to_read_before_the_first_start() {
    let path = folder().path().join("ledger.sqlite");
    assert!(matches!(open_for_reading(&path), Err(LedgerError::NoLedger(at)) if at == path));
    assert!(!path.exists(), "reading makes no file");
}

#[test]
fn a_ledger_opens_again_and_again() {
    let folder = folder();
    let path = folder.path().join("ledger.sqlite");
    for _ in 0..3 {
        opened(&path).expect("a ledger");
        open_for_reading(&path).expect("a ledger");
    }
}

#[test]
fn the_group_may_read_it_and_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let book = Book::new();
    let mode = std::fs::metadata(book.path()).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode & !0o640, 0, "{mode:o}");
}

#[test]
fn a_commit_is_on_the_disk_before_it_returns() {
    let book = Book::new();
    assert_eq!(book.texts("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(book.texts("PRAGMA synchronous"), ["2"], "FULL");
    assert_eq!(book.texts("PRAGMA foreign_keys"), ["1"]);
}

#[test]
fn accountants_find_the_columns_that_they_know_in_the_order_that_they_know() {
    let book = Book::new();
    for (view, columns) in [
        ("acct_orders", "shop reference total_cents currency version registered_at due paid_cents state"),
        (
            "acct_register",
            "shop psp endpoint mode order_ref call_number currency expected_cents expected_from voucher_cents \
             card_cents paid_cents refunded_cents gap_cents state first_seen_at authorised_at captured_at \
             settled_at open_discrepancies",
        ),
        (
            "acct_tenders",
            "shop psp endpoint mode order_ref call_number tender_id instrument brand amount_cents \
             refunded_cents state authorisation contract authorised_at captured_at refunded_at",
        ),
        (
            "acct_discrepancies",
            "id kind severity shop psp order_ref call_number opened_at closed_at expected_cents actual_cents \
             detail acked_at acked_note acked_by endpoint snoozed_until last_note",
        ),
        ("acct_acknowledgements", "seq at act by discrepancy_id kind shop order_ref call_number note until"),
        (
            "acct_entries",
            "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib PieceRef \
             PieceDate EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise Idevise",
        ),
        ("acct_notifications", "seq received_at endpoint psp verdict events payload_sha256 chain_hash"),
    ] {
        let promised: Vec<_> = columns.split_whitespace().collect();
        let found = book.texts(&format!("SELECT name FROM pragma_table_info('{view}')"));
        assert_eq!(found[..promised.len()], promised, "{view}");
    }
}

#[test]
fn the_register_shows_a_half_payment_with_its_gap_and_its_discrepancy() {
    let book = lived_in();
    let row =
        "SELECT voucher_cents || ' ' || card_cents || ' ' || paid_cents || ' ' || expected_cents || ' ' ||
                      gap_cents || ' ' || state || ' ' || open_discrepancies
               FROM acct_register ORDER BY order_ref";
    assert_eq!(
        book.texts(row),
        ["6000 4000 10000 10000 0 balanced 0", "5000 0 5000 8000 -3000 unbalanced 1"]
    );
}

/// `schema.sql` as it was at each older version.
const OLDER: [(i64, &str); 3] =
    [(1, include_str!("schema_1.sql")), (2, include_str!("schema_2.sql")), (3, include_str!("schema_3.sql"))];

#[test]
fn an_older_ledger_is_brought_up_to_date_and_proves_as_before() {
    for (version, schema) in OLDER {
        let book = lived_in_under(Entry::Policy(Policy { rules: Rules::First, ..Policy::default() }));
        let path = folder().keep().join("ledger.sqlite");
        let old = Connection::open(&path).expect("a database");
        old.execute_batch(schema).expect("the old schema");
        old.pragma_update(None, "application_id", 0x4356_436f).expect("marked");
        old.pragma_update(None, "user_version", version).expect("numbered");
        old.execute("ATTACH ?1 AS new", [book.path().to_str().expect("a path")]).expect("attached");
        let tables: Vec<String> = {
            let mut names = old
                // Nothing was ever written to `entries` before version 4.
                .prepare(
                    "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'entries' ORDER BY rowid",
                )
                .expect("tables");
            names.query_map([], |row| row.get(0)).expect("names").collect::<Result<_, _>>().expect("names")
        };
        for table in &tables {
            let columns: String = old
                .query_row(
                    "SELECT group_concat(name, ', ') FROM pragma_table_info(?1, 'main')",
                    [table],
                    |row| row.get(0),
                )
                .expect("columns");
            let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}");
            old.execute_batch(&copy).expect("copied");
        }
        drop(old);

        let migrated = opened(&path).expect("brought up to date");
        let laid_out = |conn: &Connection| -> Vec<String> {
            let mut objects = conn
                .prepare("SELECT name || ': ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY 1")
                .expect("a query");
            objects.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("rows")
        };
        assert_eq!(laid_out(&migrated), laid_out(&book.conn), "the same as a new one");
        drop(migrated);
        let proof = proof_of(&path, &book.key_file(), &[]);
        assert_eq!((proof.flaws, proof.entries), (Vec::new(), book.count("log")));
    }
}

#[test]
fn an_upgrade_enters_what_was_paid_before_into_the_books_and_raises_nothing() {
    let mut book = Book::new();
    book.take(0, Entry::Policy(Policy { rules: Rules::Second, ..Policy::default() }));
    book.take(1, registered("CMD-1", 6000));
    book.take(2, Entry::Notification(voucher("CMD-1", 6000)));
    let received = "SELECT COALESCE(received_on, '-') FROM tenders";
    assert_eq!(book.texts(received), ["-"]);
    let owed = book.count("outbox");
    book.take(60, Entry::Policy(Policy::default()));
    assert_eq!(book.texts(received), [minute(2).paris_day().to_string()]);
    assert_eq!(book.count("outbox"), owed);
    let proof = proof_of(&book.path(), &book.key_file(), &[]);
    assert_eq!(proof.flaws, Vec::new());
}

/// The log of a ledger of version 0.1, as that version wrote it.
const WRITTEN_BY_0_1: [(&str, &str); 5] = [
    (
        "policy",
        r#"{"complement_grace":{"secs":1200,"nanos":0},"capture_grace":{"secs":345600,"nanos":0},"require_orders":false}"#,
    ),
    ("order", r#"{"reference":"CMD-1","total_cents":6000,"currency":"EUR"}"#),
    ("acknowledgement", r#"{"discrepancy":7,"note":"rappelé","by":"compta"}"#),
    (
        "notification",
        r#"{"mode":"production","events":[{"order_ref":"CMD9542124-01A5G","call_number":"2310165","tender_id":"722487982","instrument":"card","brand":"LIMOCB","operation":"debit","amount":1000,"currency":"EUR","state":"refused","status":{"code":"00151","reading":"known"},"authorisation":"notstated","complement":true,"itemised":false,"occurred_at":"2021-03-01T13:04:31.000Z"}]}"#,
    ),
    (
        "notification",
        r#"{"mode":"production","events":[{"order_ref":"CMD-T","call_number":"qz930j-20261121-12345678","tender_id":"c99f6da350b01029495b3172f313d61e","instrument":"voucher","brand":"CVCO","operation":{"credit":{"of":null}},"amount":41275,"currency":"EUR","state":"authorised","status":{"code":"AUTHORISED","reading":"known"},"authorisation":"absent","contract":"5785350","mode":"production","complement":false,"itemised":false,"occurred_at":"2026-11-21T06:09:42.000Z"}]}"#,
    ),
];

#[test]
fn a_command_leaves_an_older_ledger_to_the_daemon() {
    let book = Book::new();
    book.conn.pragma_update(None, "user_version", VERSION - 1).expect("set");
    let refused = Store::open_existing(&book.path(), &book.key_file()).map(drop).expect_err("refused");
    assert!(refused.to_string().contains("start the daemon of this program once"), "{refused}");
    assert_eq!(
        book.texts("PRAGMA user_version"),
        [(VERSION - 1).to_string()],
        "the daemon may be an older one"
    );
    book.conn.pragma_update(None, "user_version", VERSION).expect("set");
}

#[test]
fn what_version_0_1_wrote_is_written_again_to_the_byte() {
    for (kind, content) in WRITTEN_BY_0_1 {
        let text = |text: &str| Some(text.to_owned());
        let row = LogRow {
            seq: 1,
            at: minute(0).to_string(),
            kind: kind.to_owned(),
            shop: text("camping"),
            endpoint: text("camping-up2pay"),
            psp: text("up2pay"),
            verdict: None,
            events: None,
            content: content.to_owned(),
            payload_sha256: text(""),
        };
        let entry = row.entry().expect("readable");
        assert_eq!(LogRow::new(1, minute(0), &entry, None).expect("laid out").content, content, "{kind}");
    }
}
