//! Opening the ledger's file: `schema.sql`, its version, and SQLite's settings.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::LedgerError;

/// The whole current schema.
const SCHEMA: &str = include_str!("../../schema.sql");

/// The schema's number, kept in `PRAGMA user_version`. A change of `schema.sql` raises it.
///
/// | number | since | what is new |
/// |---|---|---|
/// | 1 | 0.1.0 | |
/// | 2 | 0.2.0 | `questions`, `attempts`; the log has confirmations and inquiries |
/// | 3 | 0.3.0 | `endpoints`, `heard_hours`, `acts`, `anchors`; snoozes; refunds that are asked for |
/// | 4 | 0.4.0 | what of a tender is booked and settled; `returns`, `statements`, `closings`, `entries` |
pub const VERSION: i64 = 4;

/// Marks the file as ours (`PRAGMA application_id`): "CVCo".
const APPLICATION_ID: i64 = 0x4356_436f;

/// Opens the ledger for writing; makes it, or brings its schema up to date, where needed.
///
/// # Errors
/// The file cannot be made or opened, is not a ledger, or is of a later version than this program knows.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, LedgerError> {
    create_with_mode(path)?;
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // The close of a large month holds the ledger for seconds: what comes meanwhile waits, and is not turned away. With
    // half of systemd's WatchdogSec, the pause between two pings, it must stay below the whole.
    conn.busy_timeout(std::time::Duration::from_secs(30))?;
    conn.set_prepared_statement_cache_capacity(128);
    // Before anything is changed: WAL mode would stay behind in another program's file.
    owner(&conn, path)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // FULL syncs the write-ahead log at each commit: what is acknowledged survives a power loss.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    keep_plans(&conn)?;
    // References are checked once all tables stand where they should.
    conn.pragma_update(None, "foreign_keys", false)?;
    migrate(&mut conn, path)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(conn)
}

/// Opens the ledger for reading only.
///
/// # Errors
/// The file is not there, not a ledger, or of another version.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, LedgerError> {
    must_exist(path)?;
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.pragma_update(None, "query_only", true)?;
    if owner(&conn, path)? == Owner::Nobody {
        return Err(LedgerError::NoLedger(path.to_owned()));
    }
    match version(&conn)? {
        VERSION => Ok(conn),
        found => Err(LedgerError::SchemaVersion { path: path.to_owned(), found, known: VERSION }),
    }
}

/// Refuses a path without a file: for whoever has no use for a new, empty ledger.
pub(super) fn must_exist(path: &Path) -> Result<(), LedgerError> {
    if path.exists() { Ok(()) } else { Err(LedgerError::NoLedger(path.to_owned())) }
}

/// A ledger that lives in a temporary file and keeps nothing: what `rebuild` and `verify` fold the log into.
pub(super) fn scratch() -> Result<Connection, LedgerError> {
    let conn = temporary()?;
    conn.execute_batch(SCHEMA)?;
    // The fold itself asks none of these: they are for readers.
    conn.execute_batch(
        "DROP INDEX records_by_state; DROP INDEX records_by_call; DROP INDEX records_by_time",
    )?;
    Ok(conn)
}

/// An empty database in a temporary file that keeps nothing.
pub(super) fn temporary() -> Result<Connection, LedgerError> {
    let conn = Connection::open("")?;
    conn.pragma_update(None, "journal_mode", "OFF")?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(&conn)?;
    Ok(conn)
}

thread_local! {
    /// An empty ledger: copying its pages takes a twentieth of the time of executing the schema.
    static EMPTY: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// An empty ledger of nobody but this connection.
pub(super) fn in_memory() -> Result<Connection, LedgerError> {
    let mut conn = Connection::open_in_memory()?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(&conn)?;
    EMPTY.with_borrow_mut(|empty| {
        if empty.is_none() {
            let mut fresh = Connection::open_in_memory()?;
            migrate(&mut fresh, Path::new(":memory:"))?;
            *empty = Some(fresh);
        }
        if let Some(empty) = empty {
            Backup::new(empty, &mut conn)?.step(-1)?;
        }
        Ok::<_, LedgerError>(())
    })?;
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(conn)
}

/// Plans do not depend on bound values (SQLite's query planner stability guarantee). Without this the statement
/// cache would prepare some statements again at each use: a third of the writer's time.
fn keep_plans(conn: &Connection) -> Result<(), LedgerError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// SQLite gives its companions (`-wal`, `-shm`) the mode of the file itself: the service's group may read.
fn create_with_mode(path: &Path) -> Result<(), LedgerError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)
        .map(drop)
        .map_err(|source| LedgerError::File { path: path.to_owned(), source })
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It is empty.
    Nobody,
    Us,
}

/// Tells whose a file is, without changing it; that of another program is refused.
fn owner(conn: &Connection, path: &Path) -> Result<Owner, LedgerError> {
    let not_ours = || LedgerError::NotALedger(path.to_owned());
    let tables: i64 =
        conn.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(|error| {
            match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => not_ours(),
                _ => error.into(),
            }
        })?;
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    match (tables, application) {
        (_, APPLICATION_ID) => Ok(Owner::Us),
        (0, _) => Ok(Owner::Nobody),
        _ => Err(not_ours()),
    }
}

fn version(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&tx)?;
    match owner(&tx, path)? {
        Owner::Nobody => {
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        Owner::Us if found > VERSION => {
            return Err(LedgerError::SchemaVersion { path: path.to_owned(), found, known: VERSION });
        }
        Owner::Us if found < 1 => return Err(LedgerError::NotALedger(path.to_owned())),
        Owner::Us if found < VERSION => lay_anew(&tx)?,
        Owner::Us => {}
    }
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(())
}

/// Brings an older ledger up to date: the current schema is laid beside the old tables, their rows move over column
/// by column, and nothing of the old remains. So a ledger that was brought up to date is the same as a new one, and
/// a step from each version to the next is not needed as long as tables and columns are only added, and the fold of an
/// old log leaves them empty; `acts` is the exception.
fn lay_anew(conn: &Connection) -> Result<(), LedgerError> {
    let named = |kind: &str| -> Result<Vec<String>, LedgerError> {
        let mut statement = conn.prepare(
            "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        )?;
        let names = statement.query_map([kind], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    };
    for (kind, drop) in [("view", "VIEW"), ("trigger", "TRIGGER"), ("index", "INDEX")] {
        for name in named(kind)? {
            conn.execute_batch(&format!("DROP {drop} {name}"))?;
        }
    }
    let tables = named("table")?;
    for table in &tables {
        conn.execute_batch(&format!("ALTER TABLE {table} RENAME TO old_{table}"))?;
    }
    conn.execute_batch(SCHEMA)?;
    for table in &tables {
        let old = columns(conn, &format!("old_{table}"))?;
        let both: Vec<_> = columns(conn, table)?.into_iter().filter(|name| old.contains(name)).collect();
        let both = both.join(", ");
        conn.execute_batch(&format!(
            "INSERT INTO {table} ({both}) SELECT {both} FROM old_{table} ORDER BY 1; DROP TABLE old_{table}"
        ))?;
    }
    if !tables.iter().any(|table| table == "acts") {
        // The first two versions knew a discrepancy by its number alone.
        conn.execute_batch(
            "INSERT INTO acts (seq, discrepancy_id)
             SELECT seq, json_extract(content, '$.discrepancy') FROM log WHERE kind = 'acknowledgement'",
        )?;
    }
    Ok(())
}

fn columns(conn: &Connection, table: &str) -> Result<Vec<String>, LedgerError> {
    let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}
