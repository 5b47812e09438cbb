//! The log's file: created, opened, recognised again, locked.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::LogError;

/// The whole schema.
pub(super) const SCHEMA: &str = include_str!("../log.sql");

/// The schema's number, kept in `PRAGMA user_version`.
const FORMAT: i64 = 1;

/// Marks the file as ours (`PRAGMA application_id`): the letters `CVCl`.
const APPLICATION_ID: i64 = 0x4356_436c;

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::File { path, source }
}

/// Creates an empty log, completely or not at all: it gets its name when it is durable.
pub(super) fn create(path: &Path, log_id: &str) -> Result<(), LogError> {
    let draft = path.with_extension("new");
    for leftover in [draft.clone(), companion(&draft, "-wal"), companion(&draft, "-journal")] {
        if leftover.exists() {
            std::fs::remove_file(&leftover).map_err(failed(&leftover))?;
        }
    }
    // Nobody but the service's user: the accountants read the ledger.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed(&draft))?;
    let conn = Connection::open_with_flags(&draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
    conn.execute("INSERT INTO meta (one, log_id) VALUES (1, ?1)", [log_id])?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", FORMAT)?;
    conn.close().map_err(|(_, error)| error)?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(failed(&draft))?;
    std::fs::rename(&draft, path).map_err(failed(path))?;
    sync_folder(path)
}

/// Makes a new name in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LogError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

/// Opens the log, and says what is wrong if that is not possible.
pub(super) fn open(path: &Path) -> Result<Connection, LogError> {
    if !path.exists() {
        return Err(LogError::NoLog(path.to_owned()));
    }
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| why_not_opened(path, error))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(32);
    recognise(&conn, path)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // FULL syncs the write-ahead log at each commit: what is acknowledged survives a power loss.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints are ours to make, between groups, so that their result is looked at.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // It is written at its end, and read from one end to the other.
    conn.pragma_update(None, "cache_size", -2048)?;
    // A reference of a payload to its row is made in the same statement group; nothing else refers to anything.
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

/// SQLite says no more than "unable to open": the system knows why. A file that SQLite has open in this process must not
/// be opened and closed beside it, for that would let go of SQLite's locks; here SQLite has just failed to open it.
fn why_not_opened(path: &Path, error: rusqlite::Error) -> LogError {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => error.into(),
        Err(source) => LogError::File { path: path.to_owned(), source },
    }
}

/// Refuses another program's file, and one of another format, without changing it.
fn recognise(conn: &Connection, path: &Path) -> Result<(), LogError> {
    let number = |pragma: &str| conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LogError::NotALog(path.to_owned()),
        _ => LogError::Sqlite(error),
    })?;
    if application != APPLICATION_ID {
        return Err(LogError::NotALog(path.to_owned()));
    }
    match number("user_version")? {
        FORMAT => Ok(()),
        found => Err(LogError::Format { path: path.to_owned(), found, known: FORMAT }),
    }
}

/// The name of a file that SQLite keeps beside another.
pub(super) fn companion(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Which files of a SQLite database are open, so that it shows when others have taken their names.
pub struct Identity {
    main: FileId,
    /// `None` until the write-ahead log exists.
    wal: Option<FileId>,
}

type FileId = (u64, u64);

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

impl Identity {
    /// Of the database that has just been opened at a path.
    ///
    /// # Errors
    /// There is no such file.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        Ok(Self { main: (meta.dev(), meta.ino()), wal: None })
    }

    /// Whether the path still names the main file.
    #[must_use]
    pub fn has_main_file_at(&self, path: &Path) -> bool {
        file_id(path) == Some(self.main)
    }

    /// Whether the paths still name the main file and the write-ahead log.
    pub fn is_at(&mut self, path: &Path) -> bool {
        if !self.has_main_file_at(path) {
            return false;
        }
        let wal = file_id(&companion(path, "-wal"));
        match self.wal {
            None => {
                self.wal = wal;
                true
            }
            known => known == wal,
        }
    }
}

/// The lead over one log on this machine, for as long as the value lives.
#[derive(Debug)]
pub struct Lease(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lease {
    pub(super) fn take(log: &Path) -> Result<Option<Self>, LogError> {
        let path = companion(log, ".lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(LogError::File { path, source }),
        }
    }
}
