//! Damage is noticed before anything is built upon it.

use super::*;

#[test]
fn a_flipped_bit_in_one_of_the_last_entries_is_refused_at_the_start() {
    for text in ["ORDER-0499", "ORDER-0400", "ORDER-0244"] {
        let place = Place::of(500);
        place.flip(text.as_bytes());
        let error = place.refused();
        assert!(
            matches!(&error, LogError::Damaged { what, .. } if what.starts_with("entry ")),
            "{text}: {error}"
        );
    }
}

#[test]
fn an_older_entry_is_left_to_the_proof() {
    let place = Place::of(500);
    place.flip(b"ORDER-0243");
    assert_eq!(place.open().head().expect("a head").seq, Seq::new(1000));
}

#[test]
fn of_the_entry_before_the_last_ones_nothing_but_its_link_is_believed() {
    for (column, is_refused) in [("content", false), ("at", false), ("chain_hash", true)] {
        let place = Place::of(500);
        // 512 entries are looked at; this one stands before them.
        place
            .sql(&format!(
                "DROP TRIGGER log_is_append_only_update;
                 UPDATE log SET {column} = replace({column}, '0', '9') WHERE seq = 488;"
            ))
            .expect("changed");
        put_trigger_back(&place);
        assert_eq!(SqliteLog::open(&place.path()).is_err(), is_refused, "{column}");
    }
}

fn put_trigger_back(place: &Place) {
    const BEGINS: &str = "CREATE TRIGGER log_is_append_only_update";
    let (_, rest) = file::SCHEMA.split_once(BEGINS).expect("in the schema");
    let (body, _) = rest.split_once("END;").expect("its end");
    place.sql(&format!("{BEGINS}{body}END;")).expect("put back");
}

/// Whatever bit flips: the log is refused in words, or its last entries are what they were.
#[test]
fn a_flipped_bit_anywhere_is_refused_or_does_no_harm() {
    let place = Place::of(60);
    let sound = fs::read(place.path()).expect("the file");
    let entries = place.open().read(Seq::ZERO, usize::MAX).expect("read");
    // A walk through the whole file; the step is prime, so that it meets every part of a page.
    for (n, position) in (0..sound.len()).step_by(491).enumerate() {
        let mut bytes = sound.clone();
        bytes[position] ^= 1 << (n % 8);
        for companion in ["-wal", "-shm"] {
            drop(fs::remove_file(place.file(&format!("log.sqlite{companion}"))));
        }
        fs::write(place.path(), &bytes).expect("written");
        if let Ok(mut log) = SqliteLog::open(&place.path()) {
            let head = log.head().expect("a head");
            assert_eq!(head.seq, Seq::new(120), "byte {position}");
            assert_eq!(log.read(Seq::ZERO, usize::MAX).expect("read"), entries, "byte {position}");
        }
    }
}

#[test]
fn other_tables_or_triggers_than_its_own_are_refused() {
    for script in [
        "DROP TRIGGER log_is_append_only_update",
        "DROP TRIGGER log_has_no_gap",
        "DROP TRIGGER payloads_are_written_once",
        "CREATE TRIGGER quiet AFTER INSERT ON log BEGIN DELETE FROM payloads; END",
        "CREATE TABLE more (x)",
        "CREATE INDEX by_kind ON log (kind)",
        "ALTER TABLE payloads ADD COLUMN x TEXT",
        "DROP TABLE meta",
    ] {
        let place = Place::of(1);
        place.sql(script).expect("done");
        let error = place.refused();
        assert!(error.to_string().contains("its tables or triggers were changed"), "{script}: {error}");
        assert!(error.to_string().contains("Run `verify`"), "{script}: {error}");
    }
}

#[test]
fn no_statement_changes_what_is_in_it() {
    let place = Place::of(3);
    let log = || place.open().read(Seq::ZERO, usize::MAX).expect("read");
    let before = log();
    for statement in [
        "UPDATE log SET content = '{}' WHERE seq = 2",
        "UPDATE OR REPLACE log SET seq = 1 WHERE seq = 2",
        "UPDATE OR IGNORE log SET content = '{}'",
        "DELETE FROM log",
        "DELETE FROM log WHERE seq = 6",
        "REPLACE INTO log VALUES (2, 'x', 'x', 'x', NULL, 'x')",
        "INSERT OR REPLACE INTO log VALUES (6, 'x', 'x', 'x', NULL, 'x')",
        "INSERT INTO log VALUES (9, 'x', 'x', 'x', NULL, 'x')",
        "INSERT INTO log VALUES (2, 'x', 'x', 'x', NULL, 'x') ON CONFLICT DO UPDATE SET content = 'x'",
        "UPDATE payloads SET sealed = x'00'",
        "UPDATE payloads SET seq = 5 WHERE seq = 4",
    ] {
        let error = place.sql(statement).expect_err(statement).to_string();
        assert!(error.contains("append-only") || error.contains("written once"), "{statement}: {error}");
        assert_eq!(log(), before, "{statement}");
    }
}

#[test]
fn an_entry_that_another_program_wrote_beside_the_chain_is_not_built_upon() {
    let place = Place::of(2);
    let mut log = place.open();
    place
        .sql("INSERT INTO log SELECT 5, at, kind, content, NULL, chain_hash FROM log WHERE seq = 4")
        .expect("written");
    let error = log.append(&[time()], minute(1)).expect_err("refused");
    assert!(matches!(&error, LogError::Damaged { what, .. } if what.starts_with("entry 5:")), "{error}");
    assert!(log.head().is_err(), "nor is it told as the end");
}

#[test]
fn what_others_append_between_two_looks_is_no_damage() {
    const ENTRIES: i64 = 10_000;
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    // As fast as can be, so that something comes between any two looks.
    one.conn.pragma_update(None, "synchronous", "OFF").expect("unsynced");
    let appending = std::thread::spawn(move || {
        for n in 0..ENTRIES {
            one.append(&[time()], minute(n)).expect("appended");
        }
    });
    while !appending.is_finished() {
        other.head().expect("a head");
        place.open();
    }
    appending.join().expect("appended");
    assert_eq!(other.head().expect("a head").seq, Seq::new(ENTRIES));
}

#[test]
fn an_end_that_was_cut_off_is_noticed_before_the_next_entry() {
    let place = Place::of(2);
    let mut log = place.open();
    place.sql("DROP TRIGGER log_is_append_only_delete; DELETE FROM log WHERE seq = 4").expect("cut off");
    let error = log.append(&[time()], minute(1)).expect_err("refused").to_string();
    assert!(error.contains("its last entries are gone"), "{error}");
}

#[test]
fn the_tables_of_litestream_are_no_damage() {
    let place = Place::of(1);
    place
        .sql("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); CREATE TABLE _litestream_lock (id INTEGER)")
        .expect("made");
    assert_eq!(place.open().flaws(), [""; 0]);
}

#[test]
fn flaws_of_the_file_are_named() {
    let place = Place::of(100);
    assert_eq!(place.open().flaws(), [""; 0]);
    place.sql("DROP TRIGGER log_has_no_gap").expect("dropped");
    let flaws = SqliteLog::open_as_it_is(&place.path()).expect("opened as it is").flaws();
    assert_eq!(flaws, ["its tables or triggers were changed"]);

    let place = Place::of(100);
    let mut bytes = fs::read(place.path()).expect("the file");
    let last = bytes.len() - 4096;
    bytes[last..].fill(0);
    fs::write(place.path(), bytes).expect("written");
    let flaws = SqliteLog::open_as_it_is(&place.path()).expect("opened as it is").flaws();
    assert!(!flaws.is_empty());
}

#[test]
fn a_damaged_log_is_read_as_far_as_it_can_be() {
    let place = Place::of(100);
    place.flip(b"ORDER-0099");
    let mut log = SqliteLog::open_as_it_is(&place.path()).expect("opened as it is");
    let links = log.read(Seq::ZERO, usize::MAX).expect("read");
    assert_eq!(links.len(), 200);
    assert_eq!(log.head().expect("what it states").seq, Seq::new(200));
}
