//! Proof that log and ledger are right: `verify` checks the chain, the payloads, the anchors, that the ledger equals a fresh
//! fold, and the files; `rebuild` makes the ledger again from the log.
//!
//! Both read the log once, from its first entry to its last, in a pipeline of two threads: one reads, hashes and decodes
//! ([`chain`]), the other folds what was read into a ledger of its own. What follows goes through both ledgers side by side
//! ([`compare`]), so that memory does not grow with the ledger. Meanwhile a third has SQLite check the ledger's file.

mod anchor;
mod chain;
mod compare;
mod file;
mod flaw;

use std::path::Path;
use std::sync::mpsc::sync_channel;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Bilingual, Seq, Timestamp};
use cvco_log::LogStore;
use rusqlite::Connection;
use serde::{Serialize, Serializer};

use crate::ledger::Ledger;
use crate::tables::{FOLD_TABLES, progress};
use crate::{LedgerError, schema};
pub use anchor::{Anchor, AnchorError};
use chain::{Batch, Read, Witnesses};
pub use flaw::Flaw;
use flaw::row_of;

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Proof {
    /// Entries of the log that were read.
    pub entries: i64,
    /// Payloads that were opened and compared with their digest.
    pub payloads: i64,
    /// Payloads that are gone because their retention is over.
    pub purged: i64,
    /// How many of the entries the ledger has folded.
    pub folded: i64,
    /// The last link of the chain.
    pub head: String,
    /// What could not be checked, and why.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_english")]
    pub note: Option<Bilingual>,
    /// What is wrong; nothing, if all is right. The first is the first bad row.
    pub flaws: Vec<Flaw>,
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn in_english<S: Serializer>(note: &Option<Bilingual>, serializer: S) -> Result<S::Ok, S::Error> {
    note.as_ref().map(|note| &note.english).serialize(serializer)
}

/// What `rebuild` did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rebuilt {
    /// Entries of the log that were folded.
    pub entries: i64,
    /// Tables in which the old ledger differed; none, if nothing changed.
    pub replaced: Vec<&'static str>,
}

/// What the work is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading and folding the entries of the log.
    Entries,
    /// Comparing the ledger's rows with those of the fresh fold.
    Rows,
    /// SQLite's own checks of files and references; SQLite does not say how far they are.
    File,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// How many steps are done.
    pub done: i64,
    /// Of how many; 0 where nobody knows.
    pub total: i64,
}

/// Tells how far the work is, but not at every step.
struct Meter<'p> {
    tell: &'p mut dyn FnMut(Progress),
    now: Progress,
}

impl<'p> Meter<'p> {
    fn new(tell: &'p mut dyn FnMut(Progress)) -> Self {
        Self { tell, now: Progress { phase: Phase::Entries, done: 0, total: 0 } }
    }

    fn begin(&mut self, phase: Phase, total: i64) {
        self.now = Progress { phase, done: 0, total };
        (self.tell)(self.now);
    }

    fn step(&mut self) {
        self.now.done = self.now.done.saturating_add(1);
        if self.now.done % 1024 == 0 {
            (self.tell)(self.now);
        }
    }
}

/// What `verify` measures by, beside log and ledger themselves.
#[derive(Clone, Copy)]
pub struct Yardstick<'a> {
    /// Opens the payloads; without it they are not looked at.
    pub key: Option<&'a SealKey>,
    /// No payload of this instant or later can have been purged.
    pub kept_since: Timestamp,
    /// What people were mailed of the chain.
    pub anchors: &'a [Anchor],
}

/// Checks log and ledger without changing them.
///
/// # Errors
/// One of them cannot be read at all.
pub fn verify(
    log: &mut dyn LogStore,
    ledger: &Path,
    yardstick: &Yardstick<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Proof, LedgerError> {
    let conn = schema::open_for_reading(ledger)?;
    let beside = schema::open_for_reading(ledger)?;
    std::thread::scope(|scope| {
        let of_file = std::thread::Builder::new()
            .name("file checks".to_owned())
            .spawn_scoped(scope, move || file::sqlite_checks(&beside))
            .map_err(LedgerError::Thread)?;
        let mut meter = Meter::new(progress);
        let mut proof = verify_content(log, &conn, yardstick, &mut meter)?;
        meter.begin(Phase::File, 0);
        proof.flaws.extend(
            log.flaws()
                .into_iter()
                .map(|what| Flaw::new(("journal", "log"), Bilingual::in_english_alone(what))),
        );
        proof.flaws.extend(of_file.join().map_err(|_| LedgerError::Stopped)?);
        Ok(proof)
    })
}

/// The chain, the payloads, the anchors, and that the ledger equals a fresh fold.
fn verify_content(
    log: &mut dyn LogStore,
    conn: &Connection,
    yardstick: &Yardstick<'_>,
    meter: &mut Meter<'_>,
) -> Result<Proof, LedgerError> {
    // One snapshot for all of it, while the daemon goes on writing.
    let snapshot = conn.unchecked_transaction()?;
    let mut proof = Proof::default();
    let laid_out = file::layout(&snapshot)?;
    match verify_rows(log, &snapshot, yardstick, meter, &mut proof) {
        Ok(()) => {}
        // A table that is gone, or a page that cannot be read, ends what it concerns; it is a finding all the same.
        Err(LedgerError::Sqlite(reason)) if !laid_out.is_empty() || chain::damage(&reason).is_some() => {
            proof.flaws.push(Flaw::of_sqlite(reason));
        }
        Err(error) => return Err(error),
    }
    proof.flaws.extend(laid_out);
    Ok(proof)
}

/// Everything that stands in rows.
fn verify_rows(
    log: &mut dyn LogStore,
    conn: &Connection,
    yardstick: &Yardstick<'_>,
    meter: &mut Meter<'_>,
    proof: &mut Proof,
) -> Result<(), LedgerError> {
    let stored = match anchor::stored(conn) {
        Ok(stored) => stored,
        Err(error) => {
            proof.flaws.push(Flaw::unreadable(("ancrages", "anchors"), &error));
            Vec::new()
        }
    };
    let folded = folded(conn, proof)?;
    // A ledger that does not say how far it has come should have come to the end.
    let until = folded.unwrap_or(Seq::new(i64::MAX));
    proof.folded = folded.unwrap_or(Seq::ZERO).get();
    let witnesses = Witnesses {
        key: yardstick.key,
        kept_since: Some(yardstick.kept_since),
        anchors: stored.into_iter().chain(yardstick.anchors.iter().cloned()).collect(),
    };
    let log_id = progress::origin(conn)?.map_or_else(String::new, |(log_id, _)| log_id);
    let Refound { read, ledger } = read_and_fold(log, Ledger::scratch(&log_id)?, until, &witnesses, meter)?;
    if yardstick.key.is_none() {
        proof.note = Some(Bilingual::new(
            "les messages scellés n’ont pas été ouverts\u{a0}: leur clé est illisible pour vous",
            "payloads were not opened: the payload key cannot be read",
        ));
    }
    proof.entries = read.entries;
    proof.payloads = read.payloads;
    proof.purged = read.purged;
    proof.head.clone_from(&read.head.hash);
    proof.flaws.extend(read.findings.into_iter().map(|(seq, what)| Flaw::of_entry(seq, what)));
    let sound = read.broken.is_none();
    proof.flaws.extend(read.broken.map(|(seq, what)| Flaw::of_entry(seq, what)));
    if let Some(folded) = folded.filter(|folded| *folded > read.head.seq && sound) {
        let end = read.head.seq;
        proof.flaws.push(Flaw::new(
            ("progression", "progress"),
            (
                format!("le registre a pris en compte l’entrée {folded}, et le journal s’arrête à {end}"),
                format!("the ledger has folded entry {folded}, and the log ends at {end}"),
            ),
        ));
    }
    // After a broken link nothing can be trusted, nor compared.
    if sound {
        let differences = compare::first_differences(conn, &ledger.conn, meter)?;
        for (_, flaw) in differences {
            if !proof.flaws.contains(&flaw) {
                proof.flaws.push(flaw);
            }
        }
    }
    Ok(())
}

/// How far the ledger has come, by its own word; that word may be damaged itself.
fn folded(conn: &Connection, proof: &mut Proof) -> Result<Option<Seq>, LedgerError> {
    let folded = stated_position(conn)?;
    match progress::read(conn) {
        Ok(_) => {}
        Err(error) if error.is_damage() && folded.is_some() => {
            proof.flaws.push(Flaw::unreadable(row_of("progress", "1"), &error));
        }
        Err(error) if error.is_damage() => {
            proof.flaws.push(Flaw::new(row_of("progress", "1"), ("manque", "is missing")));
        }
        Err(error) => return Err(error),
    }
    Ok(folded)
}

/// `None` if the ledger holds rows, and does not say how far it has come.
fn stated_position(conn: &Connection) -> Result<Option<Seq>, LedgerError> {
    match progress::folded(conn) {
        Ok(folded) => Ok(Some(folded)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the ledger again from the log, and replaces the old one in one step: readers see the old ledger until then.
///
/// # Errors
/// The log is damaged (`verify` says where), or the ledger cannot be written.
pub fn rebuild(
    log: &mut dyn LogStore,
    ledger: &mut Ledger,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rebuilt, LedgerError> {
    let mut meter = Meter::new(progress);
    let fresh = Ledger::scratch(ledger.log_id())?;
    let until = progress::folded(&ledger.conn).unwrap_or(Seq::new(i64::MAX));
    let Refound { read, ledger: mut fresh } =
        read_and_fold(log, fresh, until, &Witnesses::default(), &mut meter)?;
    if let Some((seq, what)) = read.broken {
        return Err(LedgerError::Log(cvco_log::LogError::Corrupt { seq, what: what.english }));
    }
    let differing = match differences(log, ledger, &mut fresh, &mut meter) {
        Ok(differing) => differing,
        Err(error @ LedgerError::Log(_)) => return Err(error),
        // A ledger that cannot even be compared is replaced as a whole.
        Err(_) => FOLD_TABLES.iter().map(|(table, _)| *table).collect(),
    };
    fresh.catch_up_all(log)?;
    schema::complete(&fresh.conn)?;
    compare::keep_what_is_beside_the_fold(&ledger.conn, &fresh.conn)?;
    ledger.replace_content(&fresh.conn)?;
    Ok(Rebuilt { entries: read.entries, replaced: differing })
}

/// The tables in which the ledger is not what the log amounts to. Both are compared at the same entry: a daemon goes on
/// folding into one of them.
fn differences(
    log: &mut dyn LogStore,
    ledger: &Ledger,
    fresh: &mut Ledger,
    meter: &mut Meter<'_>,
) -> Result<Vec<&'static str>, LedgerError> {
    let snapshot = ledger.conn.unchecked_transaction()?;
    fresh.catch_up_to(log, stated_position(&snapshot)?.unwrap_or(Seq::new(i64::MAX)))?;
    let differing = compare::first_differences(&snapshot, &fresh.conn, meter)?;
    Ok(differing.into_iter().map(|(table, _)| table).collect())
}

/// The log, read and folded.
struct Refound {
    read: Read,
    /// The fold made again, up to the entry that was asked for.
    ledger: Ledger,
}

/// Reads the whole log, and folds it up to an entry, side by side.
fn read_and_fold(
    log: &mut dyn LogStore,
    mut ledger: Ledger,
    until: Seq,
    witnesses: &Witnesses<'_>,
    meter: &mut Meter<'_>,
) -> Result<Refound, LedgerError> {
    std::thread::scope(|scope| {
        // A few batches ahead, and no more: memory is bounded.
        let (sender, batches) = sync_channel::<Batch>(4);
        let folding = std::thread::Builder::new()
            .name("refold".to_owned())
            .spawn_scoped(scope, move || {
                for Batch { links, logged } in batches {
                    ledger.apply_read(&links, &logged)?;
                }
                Ok::<_, LedgerError>(ledger)
            })
            .map_err(LedgerError::Thread)?;
        let read = chain::read(log, witnesses, until, &sender, meter);
        drop(sender);
        let ledger = folding.join().unwrap_or(Err(LedgerError::Stopped))?;
        Ok(Refound { read: read?, ledger })
    })
}
