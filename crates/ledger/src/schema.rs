//! Opening the ledger's file: `schema.sql`, its number, and SQLite's settings.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use cvco_log::sqlite::Identity;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::LedgerError;

/// The whole current schema.
const SCHEMA: &str = include_str!("../../../schema.sql");

/// The schema's number, kept in `PRAGMA user_version`. A change of `schema.sql` raises it; a ledger of another number is
/// made again from the log.
const VERSION: i64 = 33;

/// Up to this number a ledger held its log in the same file.
const LAST_BEFORE_RELEASE: i64 = 4;

/// Marks the file as ours (`PRAGMA application_id`): "CVCo".
const APPLICATION_ID: i64 = 0x4356_436f;

/// Opens the ledger for writing, and creates it where there is none. One of another schema is emptied: it is made again from
/// the log.
///
/// # Errors
/// The file cannot be made or opened, or is not a ledger.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection, LedgerError> {
    create_with_mode(path)?;
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(std::time::Duration::from_secs(30))?;
    conn.set_prepared_statement_cache_capacity(160);
    // Before anything is changed: WAL mode would stay behind in another program's file.
    owner(&conn, path)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // What a power loss takes from the ledger is folded again from the log.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    keep_plans(&conn)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    create_schema(&mut conn, path)?;
    grow_with_the_ledger(&conn)?;
    Ok(conn)
}

/// Lets the write-ahead log become a sixteenth of the ledger, from 16 to 256 MB, before it is copied into it: in a large
/// ledger the numbers that PSPs draw lie far apart, and a page of an index shall have changed many times by then. The pages
/// that are kept in memory are as many, from 4 to 16 MB.
///
/// # Errors
/// SQLite's own.
pub(crate) fn grow_with_the_ledger(conn: &Connection) -> Result<(), LedgerError> {
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    conn.pragma_update(None, "wal_autocheckpoint", (pages / 16).clamp(4096, 65_536))?;
    Ok(conn.pragma_update(None, "cache_size", (pages / 16).clamp(1024, 4096))?)
}

/// Opens the ledger for reading only.
///
/// # Errors
/// The file is not there, not a ledger, or of another version.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, LedgerError> {
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
        found if found <= LAST_BEFORE_RELEASE => Err(LedgerError::BeforeRelease(path.to_owned())),
        found => Err(LedgerError::SchemaVersion { path: path.to_owned(), found, known: VERSION }),
    }
}

/// Refuses a path without a file, where a new, empty ledger would be of no use.
pub(crate) fn must_exist(path: &Path) -> Result<(), LedgerError> {
    if path.exists() { Ok(()) } else { Err(LedgerError::NoLedger(path.to_owned())) }
}

/// A ledger that lives in a temporary file and keeps nothing: what `rebuild` and `verify` fold the log into.
pub(crate) fn scratch() -> Result<Connection, LedgerError> {
    let conn = temporary()?;
    conn.execute_batch(SCHEMA)?;
    for index in FOR_READERS {
        conn.execute_batch(&format!("DROP INDEX {index}"))?;
    }
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)?;
    Ok(conn)
}

/// Indexes that the fold itself never uses.
const FOR_READERS: [&str; 4] =
    ["records_by_state", "records_by_time", "records_by_amount", "tenders_by_amount"];

/// Makes a scratch ledger one that readers can use.
pub(crate) fn complete(scratch: &Connection) -> Result<(), LedgerError> {
    let whole = in_memory()?;
    for index in FOR_READERS {
        let sql: String =
            whole.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [index], |row| row.get(0))?;
        scratch.execute_batch(&sql)?;
    }
    Ok(())
}

/// An empty database in a temporary file that keeps nothing.
pub(crate) fn temporary() -> Result<Connection, LedgerError> {
    let conn = Connection::open("")?;
    // Not off: an entry that cannot be folded is rolled back.
    conn.pragma_update(None, "journal_mode", "MEMORY")?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    // As for the ledger itself: `verify` looks for references that lead nowhere once and for all.
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(&conn)?;
    Ok(conn)
}

thread_local! {
    /// An empty ledger: copying its pages takes a twentieth of the time of executing the schema.
    static TEMPLATE: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// An empty ledger of nobody but this connection.
pub(crate) fn in_memory() -> Result<Connection, LedgerError> {
    let mut conn = Connection::open_in_memory()?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(&conn)?;
    TEMPLATE.with_borrow_mut(|template| {
        if template.is_none() {
            let mut fresh = Connection::open_in_memory()?;
            create_schema(&mut fresh, Path::new(":memory:"))?;
            *template = Some(fresh);
        }
        match template {
            Some(template) => copy_into(template, &mut conn),
            None => Ok(()),
        }
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

/// SQLite gives its companions (`-wal`, `-shm`) the mode of the file itself: the service's group may read. A file that is
/// there is left alone: to open and close it here would let go of locks that SQLite holds in this process.
pub(crate) fn create_with_mode(path: &Path) -> Result<(), LedgerError> {
    if path.exists() {
        return Ok(());
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(path)
        // Whatever the umask is.
        .and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o640)))
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

fn create_schema(conn: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&tx)?;
    match owner(&tx, path)? {
        Owner::Nobody => {}
        Owner::Us if found == VERSION => return Ok(()),
        Owner::Us if found <= LAST_BEFORE_RELEASE => return Err(LedgerError::BeforeRelease(path.to_owned())),
        Owner::Us => drop_everything(&tx)?,
    }
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(())
}

fn drop_everything(conn: &Connection) -> Result<(), LedgerError> {
    for kind in ["view", "trigger", "table"] {
        let mut names = conn.prepare(
            "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY rowid DESC",
        )?;
        let names: Vec<String> = names.query_map([kind], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for name in names {
            conn.execute_batch(&format!("DROP {kind} {name}"))?;
        }
    }
    Ok(())
}

/// Replaces the whole content of a ledger by that of another one, in one transaction: readers see the old content until
/// then.
///
/// # Errors
/// Another program writes to either of them for longer than the busy timeout; then nothing was replaced.
pub(crate) fn copy_into(from: &Connection, to: &mut Connection) -> Result<(), LedgerError> {
    match Backup::new(from, to)?.step(-1)? {
        StepResult::Done => Ok(()),
        // SQLite says so by a result that is no error; `More` does not come, since all pages were asked for.
        StepResult::More | StepResult::Busy | StepResult::Locked | _ => Err(busy().into()),
    }
}

fn busy() -> rusqlite::Error {
    let what = "another program writes to it: try again".to_owned();
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), Some(what))
}

/// Which files are open, so that it shows when others have taken their names.
pub(crate) fn identity(path: &Path) -> Result<Identity, LedgerError> {
    Identity::of(path).map_err(|source| LedgerError::File { path: path.to_owned(), source })
}

/// The name of a file that SQLite keeps beside another.
pub(crate) fn companion(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Refuses a ledger of 0.1 to 0.4, which kept its log in the same file. Any other file, or none, is fine here.
///
/// # Errors
/// The path names such a ledger, or another program's file.
pub fn refuse_unreleased(path: &Path) -> Result<(), LedgerError> {
    if !path.exists() {
        return Ok(());
    }
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match owner(&conn, path)? {
        Owner::Us if version(&conn)? <= LAST_BEFORE_RELEASE => {
            Err(LedgerError::BeforeRelease(path.to_owned()))
        }
        Owner::Us | Owner::Nobody => Ok(()),
    }
}
