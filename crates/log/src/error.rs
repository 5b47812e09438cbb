//! Why the log could not do something.

use std::path::PathBuf;

use cvco_domain::{Bilingual, Seq, Worded};
use rusqlite::ErrorCode;

/// Why the log could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Too much is waiting already; try again.
    #[error("the log is busy: too many entries wait to be stored")]
    Busy,
    /// The appender has stopped, after an error that it could not survive or at shutdown.
    #[error("the log's appender has stopped")]
    Stopped,
    /// The group was not committed, and none of its entries is in the log.
    #[error("not stored: {0}")]
    NotStored(String),
    /// There is no file.
    #[error("there is no log at {0}: start the daemon once, or correct [ledger] path")]
    NoLog(PathBuf),
    /// A file, but of another program.
    #[error("{0} is not a log of cvco-reconciled: correct [ledger] path")]
    NotALog(PathBuf),
    /// The file was written by another version of this program.
    #[error(
        "the log {path} has format {found}, and this program knows {known}: run the program that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A new, empty log would stand beside files that belong to an older one.
    #[error(
        "there is no log at {log}, but {beside} is there: put the log back from a backup, or move {beside} away to start with an empty log"
    )]
    LogLost {
        /// Where the log should be.
        log: PathBuf,
        /// The file that belongs to it.
        beside: PathBuf,
    },
    /// The file at the path is no longer the one that is open.
    #[error(
        "{0} was removed or replaced while the program used it: what is written now would be lost. Stop the program before \
         you move its files; then start it again"
    )]
    Replaced(PathBuf),
    /// The end of the log does not follow from what stands before it.
    #[error(
        "the log {path} is damaged ({what}): nothing more is stored in it. Run `verify` to see what is lost, and restore a \
         backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A row cannot be read.
    #[error("entry {seq} of the log is damaged ({what}): run `verify`")]
    Corrupt {
        /// Its number.
        seq: Seq,
        /// The column.
        what: String,
    },
    /// A file cannot be made, opened or looked at.
    #[error(
        "cannot open {path}: {source}; only the service's user may: put `sudo -u cvco-reconciled` in front"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The payload key cannot be read or made.
    #[error("the payload key {path} ([ledger] payload_key_file): {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The payload key is gone, while payloads are sealed with it.
    #[error("the payload key {0} is missing, and the log holds payloads sealed with it: put the file back")]
    KeyLost(PathBuf),
    /// A valid key, but not the one in use.
    #[error(
        "the payload key {0} is not the one that the log's payloads are sealed with: put the right file back"
    )]
    OtherKey(PathBuf),
    /// The PostgreSQL that holds the log cannot be reached, or does not answer.
    #[error("the log's PostgreSQL is away: {0}")]
    Away(String),
    /// PostgreSQL's log is not one that this machine can take part in.
    #[error("the log in PostgreSQL: {0}")]
    CannotJoin(String),
    /// This machine knows entries that PostgreSQL lost.
    #[error(
        "the log in PostgreSQL lacks entries that this machine knows ({0}): it lost them, perhaps in a failover. Run `log \
         status` on each machine, then `log heal` on the one that knows most"
    )]
    Disagrees(String),
    /// Entries of a leader whose lead is over.
    #[error("another machine leads now")]
    NotLeading,
    /// A newer program folds the log in another way.
    #[error(
        "a newer version of this program leads (its fold is {theirs}, this one's {own}): bring this machine up to date"
    )]
    Outdated {
        /// How this program folds.
        own: i32,
        /// How the newest one does.
        theirs: i32,
    },
    /// A payload could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] cvco_domain::crypto::SealError),
    /// An entry could not be written as JSON.
    #[error("an entry could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// SQLite's own error.
    #[error("the log: SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl Worded for LogError {
    fn in_french(&self) -> String {
        match self {
            Self::Busy => {
                "le journal est saturé\u{a0}: trop d’entrées attendent d’être enregistrées".to_owned()
            }
            Self::Stopped => "l’écriture dans le journal s’est arrêtée".to_owned(),
            Self::NotStored(why) => format!("non enregistré (en anglais\u{a0}: {why})"),
            Self::NoLog(path) => format!(
                "il n’y a pas de journal à l’emplacement {}\u{a0}: démarrez une fois le service, ou corrigez [ledger] path",
                path.display()
            ),
            Self::NotALog(path) => format!(
                "{} n’est pas un journal de cvco-reconciled\u{a0}: corrigez [ledger] path",
                path.display()
            ),
            Self::Format { path, found, known } => format!(
                "le journal {} est au format {found}, et ce programme connaît le format {known}\u{a0}: lancez le programme qui \
                 l’a écrit",
                path.display()
            ),
            Self::LogLost { log, beside } => format!(
                "il n’y a pas de journal à l’emplacement {}, alors que {beside} existe\u{a0}: remettez le journal en place depuis \
                 une sauvegarde, ou déplacez {beside} pour commencer un journal vide",
                log.display(),
                beside = beside.display()
            ),
            Self::Replaced(path) => format!(
                "{} a été supprimé ou remplacé pendant que le programme s’en servait\u{a0}: ce qui y est écrit maintenant serait \
                 perdu. Arrêtez le programme avant de déplacer ses fichiers, puis redémarrez-le",
                path.display()
            ),
            Self::Damaged { path, what } => format!(
                "le journal {} est endommagé (en anglais\u{a0}: {what})\u{a0}: plus rien n’y est enregistré. Lancez `verify` pour voir \
                 ce qui est perdu, puis restaurez une sauvegarde",
                path.display()
            ),
            Self::Corrupt { seq, what } => format!(
                "l’entrée {seq} du journal est endommagée (en anglais\u{a0}: {what})\u{a0}: lancez `verify`"
            ),
            Self::File { path, source } => format!(
                "impossible d’ouvrir {}\u{a0}: {}\u{a0}; seul l’utilisateur du service y a accès\u{a0}: mettez \
                 `sudo -u cvco-reconciled` devant la commande",
                path.display(),
                source.in_french()
            ),
            Self::KeyFile { path, source } => format!(
                "la clé des messages scellés {} ([ledger] payload_key_file)\u{a0}: {}",
                path.display(),
                source.in_french()
            ),
            Self::KeyLost(path) => format!(
                "la clé des messages scellés {} manque, et le journal en contient qui sont scellés avec elle\u{a0}: remettez le fichier \
                 en place",
                path.display()
            ),
            Self::OtherKey(path) => format!(
                "la clé des messages scellés {} n’est pas celle avec laquelle ceux du journal le sont\u{a0}: remettez le bon fichier \
                 en place",
                path.display()
            ),
            Self::Away(why) => {
                format!("PostgreSQL, où se trouve le journal, ne répond pas (en anglais\u{a0}: {why})")
            }
            Self::CannotJoin(why) => format!("le journal dans PostgreSQL (en anglais\u{a0}: {why})"),
            Self::Disagrees(what) => format!(
                "il manque au journal de PostgreSQL des entrées que cette machine connaît (en anglais\u{a0}: {what})\u{a0}: il les a \
                 perdues, peut-être lors d’une bascule. Lancez `log status` sur chaque machine, puis `log heal` sur celle qui \
                 en connaît le plus"
            ),
            Self::NotLeading => "une autre machine dirige maintenant".to_owned(),
            Self::Outdated { own, theirs } => format!(
                "une version plus récente de ce programme dirige (ses règles portent le numéro {theirs}, celles-ci le numéro \
                 {own})\u{a0}: mettez cette machine à jour"
            ),
            Self::Seal(_) | Self::Json(_) | Self::Sqlite(_) => Bilingual::in_english_alone(self).french,
        }
    }
}

impl LogError {
    /// Whether appending can go on after this error. A full disk may get room again, and another process may let go of
    /// its lock. After a failed write or sync nothing in memory can be trusted: the process must stop and start again.
    #[must_use]
    pub fn is_survivable(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::OutOfMemory
                        | ErrorCode::ReadOnly
                )
            ),
            Self::Damaged { .. } | Self::Replaced(_) | Self::Stopped | Self::Corrupt { .. } => false,
            Self::Busy
            | Self::NotStored(_)
            | Self::NoLog(_)
            | Self::NotALog(_)
            | Self::Format { .. }
            | Self::LogLost { .. }
            | Self::File { .. }
            | Self::KeyFile { .. }
            | Self::KeyLost(_)
            | Self::OtherKey(_)
            | Self::Away(_)
            | Self::CannotJoin(_)
            | Self::Disagrees(_)
            | Self::NotLeading
            | Self::Outdated { .. }
            | Self::Seal(_)
            | Self::Json(_) => true,
        }
    }
}
