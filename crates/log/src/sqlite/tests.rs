//! What happens to the log's file: how it is made, synced and locked; moved, damaged, written to by others.

mod damage;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::Envelope;
use crate::tests::{called, corrected, minute, order, seal_key, time};

/// A log in a folder of its own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.file("log.sqlite")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> SqliteLog {
        SqliteLog::open_or_create(&self.path(), &[]).expect("a log")
    }

    #[track_caller]
    fn refused(&self) -> LogError {
        match SqliteLog::open(&self.path()) {
            Err(error) => error,
            Ok(_) => panic!("it was opened"),
        }
    }

    /// A closed log of so many entries, every one with a payload.
    fn of(entries: usize) -> Self {
        let (place, key) = (Self::new(), seal_key());
        let mut log = place.open();
        for n in 0..entries {
            log.append(&[order(&format!("ORDER-{n:04}")), called(&key, "Mt=1500")], minute(0))
                .expect("appended");
        }
        drop(log);
        place
    }

    /// Does what somebody does who can write to the file.
    fn sql(&self, script: &str) -> rusqlite::Result<()> {
        let conn = Connection::open(self.path()).expect("a database");
        conn.pragma_update(None, "foreign_keys", false)?;
        conn.execute_batch(script)
    }

    /// Flips one bit of the first byte of a text in the closed file.
    fn flip(&self, text: &[u8]) {
        let mut bytes = fs::read(self.path()).expect("the file");
        let place = bytes.windows(text.len()).position(|window| window == text).expect("in the file");
        bytes[place] ^= 0x02;
        fs::write(self.path(), bytes).expect("written");
    }
}

fn number(conn: &Connection, pragma: &str) -> i64 {
    conn.pragma_query_value(None, pragma, |row| row.get(0)).expect("a number")
}

#[test]
fn each_commit_is_synced_by_whatever_value_appends() {
    const FULL: i64 = 2;
    let place = Place::new();
    let log = place.open();
    for log in
        [&log, &log.reader().expect("a reader"), &SqliteLog::open(&place.path()).expect("opened again")]
    {
        assert_eq!(number(&log.conn, "synchronous"), FULL);
        let mode: String =
            log.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a mode");
        assert_eq!(mode, "wal");
        assert_eq!(number(&log.conn, "wal_autocheckpoint"), 0, "checkpoints are made between groups");
    }
}

#[test]
fn nobody_but_its_owner_may_read_it() {
    let place = Place::new();
    let mut log = place.open();
    log.append(&[time()], minute(0)).expect("appended");
    let lease = SqliteLog::lease(&place.path()).expect("a lock").expect("free");
    let files: Vec<PathBuf> = fs::read_dir(place.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let mode = fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    drop(lease);
}

#[test]
fn no_byte_of_a_call_stands_in_it_unsealed() {
    let (place, key) = (Place::new(), seal_key());
    let body = "vads_cust_email=somebody%40example.org";
    let mut log = place.open();
    log.append(&[called(&key, body)], minute(0)).expect("appended");
    for name in ["log.sqlite", "log.sqlite-wal"] {
        let bytes = fs::read(place.file(name)).expect("a file");
        for secret in [&b"somebody"[..], b"192.0.2.1", b"PSP/1"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{name}");
        }
    }
    let link = log.read(Seq::ZERO, 1).expect("read").remove(0);
    let sealed = log.payload(Seq::new(1)).expect("read").expect("sealed");
    let opened = Envelope::open(&key, &link.row.payload_sha256.expect("a digest"), &sealed).expect("opened");
    assert_eq!(opened.body, body.as_bytes());
}

/// Everything that the log's owner may ask of it.
#[track_caller]
fn is_refused_everywhere(log: &mut SqliteLog, what: &str) {
    let refusals = [
        log.append(&[time()], minute(1)).map(drop),
        log.head().map(drop),
        log.purge(minute(0)).map(drop),
        log.mark_alive(minute(1)),
        log.prove_writable(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(LogError::Replaced(_))), "{what}: {refusal:?}");
    }
}

#[test]
fn files_that_were_taken_away_or_replaced_are_noticed_before_anything_is_written() {
    type Deed = fn(&Place);
    let deeds: [(&str, Deed); 6] = [
        ("deleted", |place| fs::remove_file(place.path()).expect("deleted")),
        ("moved", |place| fs::rename(place.path(), place.file("elsewhere")).expect("moved")),
        ("a copy put in its place", |place| {
            fs::copy(place.path(), place.file("copy")).expect("copied");
            fs::rename(place.file("copy"), place.path()).expect("moved");
        }),
        ("write-ahead log deleted", |place| fs::remove_file(place.file("log.sqlite-wal")).expect("deleted")),
        ("write-ahead log moved", |place| {
            fs::rename(place.file("log.sqlite-wal"), place.file("elsewhere")).expect("moved");
        }),
        ("write-ahead log replaced", |place| {
            fs::copy(place.file("log.sqlite-wal"), place.file("copy")).expect("copied");
            fs::rename(place.file("copy"), place.file("log.sqlite-wal")).expect("moved");
        }),
    ];
    for (what, deed) in deeds {
        let place = Place::new();
        let mut log = place.open();
        log.append(&[time()], minute(0)).expect("appended");
        deed(&place);
        is_refused_everywhere(&mut log, what);
    }
}

#[test]
fn a_file_that_is_removed_before_its_first_entry_is_noticed_too() {
    let place = Place::new();
    let mut log = place.open();
    fs::remove_file(place.path()).expect("deleted");
    is_refused_everywhere(&mut log, "deleted");
}

#[test]
fn a_group_that_does_not_fit_on_the_disk_leaves_nothing() {
    let (place, key) = (Place::new(), seal_key());
    let mut log = place.open();
    log.append(&[order("A")], minute(0)).expect("appended");
    let pages = number(&log.conn, "page_count");
    log.conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).expect("a limit");
    let large = "x".repeat(20_000);
    let error = log.append(&[order("B"), called(&key, &large)], minute(1)).expect_err("full");
    assert!(error.is_survivable(), "{error}");
    assert_eq!(log.head().expect("a head").seq, Seq::new(1), "not even the first of the group");
    log.conn.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).expect("room");
    let stamps = log.append(&[order("B"), called(&key, &large)], minute(1)).expect("appended");
    assert_eq!(stamps[0].seq, Seq::new(2));
}

#[test]
fn an_empty_log_is_not_begun_beside_the_files_of_an_older_one() {
    let place = Place::new();
    let (ledger, key) = (place.file("ledger.sqlite"), place.file("payload.key"));
    fs::write(&key, "a key").expect("written");
    let Err(error) = SqliteLog::open_or_create(&place.path(), &[&ledger, &key]) else { panic!("refused") };
    assert!(matches!(&error, LogError::LogLost { beside, .. } if *beside == key), "{error}");
    assert!(!place.path().exists());
    fs::remove_file(&key).expect("removed");
    SqliteLog::open_or_create(&place.path(), &[&ledger, &key]).expect("a first start");
}

#[test]
fn a_log_that_is_not_there_is_made_by_the_daemon_alone() {
    let place = Place::new();
    assert!(matches!(place.refused(), LogError::NoLog(_)));
    assert!(SqliteLog::open_as_it_is(&place.path()).is_err());
    assert!(!place.path().exists());
}

#[test]
fn files_of_others_are_left_as_they_are() {
    let bookmarks =
        |path: &Path| Connection::open(path).and_then(|c| c.execute_batch("CREATE TABLE bookmarks (url)"));
    for n in 0..3 {
        let place = Place::new();
        match n {
            0 => fs::write(place.path(), "Dear accountant, …".repeat(100)).expect("written"),
            1 => fs::write(place.path(), "").expect("written"),
            _ => bookmarks(&place.path()).expect("a database"),
        }
        let before = fs::read(place.path()).expect("the file");
        assert!(matches!(place.refused(), LogError::NotALog(_)), "{n}");
        assert!(SqliteLog::open_or_create(&place.path(), &[]).is_err(), "{n}");
        assert_eq!(fs::read(place.path()).expect("the file"), before, "{n}");
    }
}

#[test]
fn a_log_of_another_format_is_left_to_the_program_that_wrote_it() {
    let place = Place::of(1);
    place.sql("PRAGMA user_version = 9").expect("another format");
    assert!(matches!(place.refused(), LogError::Format { found: 9, known: 1, .. }));
}

#[test]
fn a_start_that_was_interrupted_is_begun_again() {
    let place = Place::new();
    fs::write(place.file("log.new"), "half a log").expect("written");
    fs::write(place.file("log.new-journal"), "half a journal").expect("written");
    let mut log = place.open();
    log.append(&[time()], minute(0)).expect("appended");
    assert!(!place.file("log.new").exists() && !place.file("log.new-journal").exists());
}

#[test]
fn one_key_is_the_logs_own() {
    let (place, key, key_file) = (Place::new(), seal_key(), PathBuf::from("payload.key"));
    let log = place.open();
    log.adopt_key(&key, &key_file).expect("its first");
    log.adopt_key(&key, &key_file).expect("the same");
    assert!(
        matches!(log.adopt_key(&seal_key(), &key_file), Err(LogError::OtherKey(file)) if file == key_file)
    );
    log.adopt_key(&key, &key_file).expect("the other changed nothing");
}

#[test]
fn whether_anything_was_sealed_outlives_the_purge() {
    let (place, key) = (Place::new(), seal_key());
    let mut log = place.open();
    log.append(&[time()], minute(0)).expect("appended");
    assert!(!log.has_payloads().expect("read"));
    log.append(&[called(&key, "x")], minute(0)).expect("appended");
    log.purge(minute(1)).expect("purged");
    assert!(log.has_payloads().expect("read"));
}

#[test]
fn one_process_at_a_time_leads() {
    let place = Place::new();
    let lead = || SqliteLog::lease(&place.path()).expect("a lock");
    let first = lead().expect("free");
    assert!(lead().is_none());
    drop(first);
    assert!(lead().is_some());
}

#[test]
fn two_logs_have_two_names() {
    let (one, other) = (Place::new(), Place::new());
    assert_ne!(one.open().id().expect("a name"), other.open().id().expect("a name"));
    assert_eq!(one.open().id().expect("a name"), one.open().id().expect("a name"));
}

#[test]
fn a_clean_end_leaves_one_file() {
    let place = Place::of(10);
    let files: Vec<_> = fs::read_dir(place.folder.path()).expect("a folder").collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn the_write_ahead_log_is_copied_when_it_has_grown() {
    let place = Place::new();
    let mut log = place.open();
    let size = |name: &str| fs::metadata(place.file(name)).expect("a file").len();
    let empty = size("log.sqlite");
    log.append(&vec![order(&"A".repeat(200)); 64], minute(0)).expect("appended");
    log.tend().expect("tended");
    assert_eq!(size("log.sqlite"), empty, "not yet");
    log.written = CHECKPOINT_BYTES;
    log.tend().expect("tended");
    assert!(size("log.sqlite") > empty);
    assert_eq!(log.written, 0);
}

#[test]
fn the_dates_between_two_corrections_are_searched_and_not_looked_through() {
    let place = Place::new();
    let mut log = place.open();
    for (at, entry) in [(5, time()), (90, time()), (10, corrected(minute(90))), (20, time()), (70, time())] {
        log.append(&[entry], minute(at)).expect("appended");
    }
    log.append(&[corrected(minute(70))], minute(30)).expect("appended");
    for (instant, last) in [(5, 0), (6, 1), (10, 1), (11, 3), (20, 3), (21, 4), (30, 4), (31, 6), (99, 6)] {
        assert_eq!(
            last_before(&log.conn, minute(instant)).expect("read"),
            Seq::new(last),
            "minute {instant}"
        );
    }
    let mut plan =
        log.conn.prepare("EXPLAIN QUERY PLAN SELECT seq FROM log WHERE kind = 'clock'").expect("a query");
    let steps: Vec<String> = plan
        .query_map([], |row| row.get("detail"))
        .expect("a plan")
        .collect::<Result<_, _>>()
        .expect("a plan");
    assert!(steps.iter().all(|step| step.contains("clock_corrections")), "{steps:?}");
}
