//! Why the ledger could not do something.

use std::path::PathBuf;

use cvco_domain::{Bilingual, Seq, Worded};
use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
use rusqlite::ErrorCode as Code;

/// Why the ledger could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no file.
    #[error("there is no ledger at {0}: start the daemon once, or correct [ledger] path")]
    NoLedger(PathBuf),
    /// A file, but of another program.
    #[error("{0} is not a ledger of cvco-reconciled: correct [ledger] path")]
    NotALedger(PathBuf),
    /// A ledger of 0.1 to 0.4, which no released program wrote.
    #[error(
        "{0} is a ledger of version 0.x, which kept its log in the same file: no released version wrote it, and this one \
         does not read it. Move it away; the daemon makes a new one"
    )]
    BeforeRelease(PathBuf),
    /// The file cannot be made or opened.
    #[error(
        "cannot open the ledger {path}: {source}; only the service's user may write there: put \
         `sudo -u cvco-reconciled` in front"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file was written by another version of this program.
    #[error(
        "the ledger {path} has schema version {found}, and this program knows {known}: start the daemon of this program \
         once, or run `rebuild`; it makes the ledger again from the log"
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The ledger was folded from another log.
    #[error(
        "the ledger {0} was made from another log than the one beside it: move it away, and run `rebuild` to make it again \
         from this log"
    )]
    OtherLog(PathBuf),
    /// The file at the path is no longer the one that is open.
    #[error(
        "{0} was removed or replaced while the program used it. Stop the program before you move its files; then start it \
         again"
    )]
    Replaced(PathBuf),
    /// The log does not follow from what was folded.
    #[error(
        "entry {seq} of the log does not follow from what the ledger was made of: run `verify`; or, if an older log was put \
         back, `rebuild`"
    )]
    LogMoved {
        /// The entry.
        seq: Seq,
    },
    /// The log is older than the ledger.
    #[error(
        "the ledger has folded entry {folded}, and the log ends at {head}: an older log was put back. Put the newer one \
         back; or, if it is lost, run `rebuild`, which forgets entries {} to {folded}",
        head.next()
    )]
    AheadOfLog {
        /// The last entry that was folded.
        folded: Seq,
        /// The last entry of the log.
        head: Seq,
    },
    /// A row cannot be read.
    #[error("row {id} of {table} is damaged: run `rebuild`")]
    CorruptRow {
        /// The table.
        table: &'static str,
        /// The row.
        id: i64,
    },
    /// A rule failed on an order: an error of the program.
    #[error("a rule failed on order {0}: report it; the order is assessed again by a later version")]
    RuleFailed(String),
    /// No discrepancy of this number.
    #[error("there is no discrepancy {0}")]
    NoDiscrepancy(i64),
    /// A closed discrepancy cannot be put aside.
    #[error("discrepancy {0} has closed: there is nothing to be reminded of")]
    HasClosed(i64),
    /// A reader was told to stop.
    #[error("stopped")]
    Stopped,
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] cvco_log::LogError),
    /// The content of a row is not what it should be.
    #[error("content of the ledger: {0}")]
    Json(#[from] serde_json::Error),
    /// SQLite's own error.
    #[error("the ledger: SQLite: {0}{remedy}", remedy = remedy(.0).english)]
    Sqlite(#[from] rusqlite::Error),
}

/// What to do about an error of SQLite, if a person can do something. A reader needs the shared memory of the
/// write-ahead log, which only the ledger's owner can make while no daemon runs.
fn remedy(error: &rusqlite::Error) -> Bilingual {
    match error.sqlite_error_code() {
        Some(Code::ReadOnly) => Bilingual::new(
            "\u{a0}; tant que le service est arrêté, seul son utilisateur peut lire\u{a0}: mettez `sudo -u cvco-reconciled` devant la \
             commande",
            "; while the daemon is stopped, only the service's user can read: put `sudo -u cvco-reconciled` in \
             front",
        ),
        Some(Code::CannotOpen | Code::PermissionDenied) => Bilingual::new(
            "\u{a0}; l’utilisateur du service et le groupe cvco-ledger peuvent le lire\u{a0}: voyez à qui il appartient",
            "; the service's user and the group cvco-ledger may read it: see who owns it",
        ),
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => Bilingual::new(
            "\u{a0}; le fichier est endommagé\u{a0}: arrêtez le service et lancez `rebuild`, qui le refait à partir du journal",
            "; the file is damaged: stop the daemon and run `rebuild`, which makes it again from the log",
        ),
        _ => Bilingual::same(""),
    }
}

impl Worded for LedgerError {
    fn in_french(&self) -> String {
        match self {
            Self::NoLedger(path) => format!(
                "il n’y a pas de registre à l’emplacement {}\u{a0}: démarrez une fois le service, ou corrigez [ledger] path",
                path.display()
            ),
            Self::NotALedger(path) => format!(
                "{} n’est pas un registre de cvco-reconciled\u{a0}: corrigez [ledger] path",
                path.display()
            ),
            Self::BeforeRelease(path) => format!(
                "{} est un registre de version 0.x, qui gardait son journal dans le même fichier\u{a0}: aucune version publiée ne \
                 l’a écrit, et celle-ci ne le lit pas. Déplacez-le\u{a0}; le service en fait un nouveau",
                path.display()
            ),
            Self::File { path, source } => format!(
                "impossible d’ouvrir le registre {}\u{a0}: {}\u{a0}; seul l’utilisateur du service peut y écrire\u{a0}: mettez \
                 `sudo -u cvco-reconciled` devant la commande",
                path.display(),
                source.in_french()
            ),
            Self::SchemaVersion { path, found, known } => format!(
                "le registre {} est à la version {found} du schéma, et ce programme connaît la version {known}\u{a0}: démarrez une \
                 fois le service de ce programme, ou lancez `rebuild`\u{a0}; le registre est refait à partir du journal",
                path.display()
            ),
            Self::OtherLog(path) => format!(
                "le registre {} vient d’un autre journal que celui qui est à côté\u{a0}: déplacez-le, puis lancez `rebuild` pour le \
                 refaire à partir de ce journal",
                path.display()
            ),
            Self::Replaced(path) => format!(
                "{} a été supprimé ou remplacé pendant que le programme s’en servait. Arrêtez le programme avant de déplacer ses \
                 fichiers, puis redémarrez-le",
                path.display()
            ),
            Self::LogMoved { seq } => format!(
                "l’entrée {seq} du journal ne fait pas suite à ce dont le registre est fait\u{a0}: lancez `verify`\u{a0}; ou, si un journal \
                 plus ancien a été remis en place, `rebuild`"
            ),
            Self::AheadOfLog { folded, head } => format!(
                "le registre a pris en compte l’entrée {folded}, et le journal s’arrête à {head}\u{a0}: un journal plus ancien a été \
                 remis en place. Remettez le plus récent\u{a0}; s’il est perdu, lancez `rebuild`, qui oublie les entrées {} à {folded}",
                head.next()
            ),
            Self::CorruptRow { table, id } => {
                format!("la ligne {id} de {table} est endommagée\u{a0}: lancez `rebuild`")
            }
            Self::RuleFailed(order) => format!(
                "une règle a échoué sur la commande {order}\u{a0}: signalez-le\u{a0}; une version ultérieure l’examinera de nouveau"
            ),
            Self::NoDiscrepancy(number) => format!("il n’y a pas d’écart {number}"),
            Self::HasClosed(number) => {
                format!("l’écart {number} est clos\u{a0}: il n’y a rien à rappeler")
            }
            Self::Stopped => "arrêté".to_owned(),
            Self::Thread(error) => {
                format!("le système ne fournit pas de fil d’exécution\u{a0}: {}", error.in_french())
            }
            Self::Log(error) => error.in_french(),
            Self::Json(error) => format!("contenu du registre (en anglais\u{a0}: {error})"),
            Self::Sqlite(error) => {
                format!("le registre (SQLite, en anglais\u{a0}: {error}){}", remedy(error).french)
            }
        }
    }
}

impl LedgerError {
    /// Whether the ledger's file itself is broken, so that only a new one can be made from the log.
    #[must_use]
    pub fn is_broken_file(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(Code::DatabaseCorrupt | Code::NotADatabase))
    }

    /// Whether a row cannot be read for what stands in it, as opposed to a database that does not answer.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::CorruptRow { .. }
                | Self::Json(_)
                | Self::Sqlite(FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..))
        )
    }

    /// Whether the machine is at fault (a full disk, a lock, a broken file), and not the entry that was being folded.
    pub(crate) fn is_environment(&self) -> bool {
        let Self::Sqlite(error) = self else { return matches!(self, Self::Log(_)) };
        matches!(
            error.sqlite_error_code(),
            Some(
                Code::DiskFull
                    | Code::SystemIoFailure
                    | Code::OutOfMemory
                    | Code::DatabaseBusy
                    | Code::DatabaseLocked
                    | Code::DatabaseCorrupt
                    | Code::ReadOnly
                    | Code::CannotOpen
                    | Code::NotADatabase
                    | Code::OperationInterrupted
                    | Code::PermissionDenied
            )
        )
    }
}
