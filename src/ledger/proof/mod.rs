//! Proof that the ledger is right: `verify` checks the chain, the payloads, the anchors, the fold, the cents and
//! the file; `rebuild` makes the fold again from the log.
//!
//! Both read the log once, from its first entry to its last, in a pipeline of two threads: one reads, hashes and
//! decodes ([`chain`]), the other folds what was read into a ledger of its own ([`refold`]). What follows goes
//! through both ledgers side by side ([`compare`]), so that memory does not grow with the ledger.

mod chain;
mod compare;
mod conservation;
mod file;
mod refold;
mod tally;

use std::path::Path;

use cvco_domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::anchors::{self, Anchor};
use super::{LedgerError, key_file, schema};
use chain::{Finding, Read, Witnesses};
use compare::FOLD_TABLES;
use conservation::Collected;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// Where: the entry of the log, or the table and row.
    pub place: String,
    /// What.
    pub what: String,
}

impl Flaw {
    fn of_entry(seq: i64, what: impl Into<String>) -> Self {
        Self { place: format!("log entry {seq}"), what: what.into() }
    }
}

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Proof {
    /// Entries of the log that were read.
    pub entries: i64,
    /// Payloads that were opened and compared with their digest.
    pub payloads: i64,
    /// Payloads that are gone because their retention is over.
    pub purged: i64,
    /// Orders whose cents were counted a second time, from the log alone.
    pub orders: i64,
    /// The last link of the chain.
    pub head: String,
    /// What could not be checked, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is wrong; nothing, if the ledger is right. The first is the first bad row.
    pub flaws: Vec<Flaw>,
}

impl Proof {
    fn note(&mut self, what: &str) {
        match &mut self.note {
            Some(note) => *note = format!("{note}; {what}"),
            None => self.note = Some(what.to_owned()),
        }
    }
}

/// What `rebuild` did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rebuilt {
    /// Entries of the log that were folded.
    pub entries: i64,
    /// Tables that differed and were replaced; none, if nothing changed.
    pub replaced: Vec<&'static str>,
}

/// What the work is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading and folding the entries of the log.
    Entries,
    /// Comparing the ledger's rows with those folded afresh.
    Rows,
    /// Counting cents, order by order.
    Cents,
    /// SQLite's own checks of file and references; how far they are, SQLite does not say.
    File,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// At what.
    pub phase: Phase,
    /// So many are done.
    pub done: i64,
    /// Of so many; 0 where nobody knows.
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

/// What `verify` goes by, beside the ledger itself.
#[derive(Debug, Clone, Copy)]
pub struct Yardstick<'a> {
    /// Where the key of the payloads is.
    pub key_file: &'a Path,
    /// No payload of this instant or later can have been purged.
    pub kept_since: Timestamp,
    /// What people were mailed of the chain.
    pub anchors: &'a [Anchor],
}

/// Checks the whole ledger without changing it.
///
/// # Errors
/// The ledger cannot be read at all.
pub fn verify(
    path: &Path,
    yardstick: &Yardstick<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Proof, LedgerError> {
    let conn = schema::open_for_reading(path)?;
    // One snapshot for all checks, while the daemon goes on writing.
    let snapshot = conn.unchecked_transaction()?;
    let mut meter = Meter::new(progress);
    let mut proof = Proof::default();
    let laid_out = file::layout(&snapshot)?;
    match verify_rows(&snapshot, yardstick, &mut meter, &mut proof) {
        Ok(()) => {}
        // A table that is gone, or a page that cannot be read, ends what it concerns; it is a finding all the same.
        Err(LedgerError::Sqlite(reason)) if !laid_out.is_empty() || chain::damage(&reason).is_some() => {
            proof.flaws.push(Flaw { place: "SQLite".to_owned(), what: reason.to_string() });
        }
        Err(error) => return Err(error),
    }
    proof.flaws.extend(laid_out);
    meter.begin(Phase::File, 0);
    proof.flaws.extend(file::sqlite_checks(&snapshot));
    Ok(proof)
}

/// Everything that stands in rows.
fn verify_rows(
    conn: &Connection,
    yardstick: &Yardstick<'_>,
    meter: &mut Meter<'_>,
    proof: &mut Proof,
) -> Result<(), LedgerError> {
    // An accountant may read the ledger, but not the key: the chain is proven all the same.
    let key = match key_file::read_or_make(yardstick.key_file, false) {
        Ok(key) => Some(key),
        Err(error) => {
            proof.note(&format!("payloads were not opened: {error}"));
            None
        }
    };
    let (stored, unreadable) = match anchors::stored(conn) {
        Ok(stored) => (stored, None),
        Err(error) => (Vec::new(), Some(format!("cannot be read: {error}"))),
    };
    let anchored = stored.into_iter().chain(yardstick.anchors.iter().cloned()).collect();
    let witnesses =
        Witnesses { key: key.as_ref(), kept_since: Some(yardstick.kept_since), anchors: anchored };
    let mut collected = Collected::new()?;
    let Refound { read, scratch, purged } = read_and_fold(conn, &witnesses, Some(&mut collected), meter)?;
    proof.entries = read.entries;
    proof.payloads = read.payloads;
    proof.purged = purged;
    proof.head = read.head;
    proof.flaws = read.findings.into_iter().map(|(seq, what)| Flaw::of_entry(seq, what)).collect();
    // Behind a broken link nothing can be trusted, nor compared.
    if let Some(scratch) = scratch {
        proof
            .flaws
            .extend(compare::first_differences(conn, &scratch, meter)?.into_iter().map(|(_, flaw)| flaw));
        let counted = conservation::check(conn, &collected, meter)?;
        proof.orders = counted.orders;
        if counted.undecided > 0 {
            proof.note(&format!(
                "{} of {} orders: the messages leave open how much each part came to, so their cents were only \
                 checked to lie within what was stated",
                counted.undecided, counted.orders
            ));
        }
        proof.flaws.extend(counted.difference);
    }
    proof.flaws.extend(unreadable.map(|what| Flaw { place: "anchors".to_owned(), what }));
    Ok(())
}

/// Makes the fold again from the log, and replaces what differs.
///
/// # Errors
/// The log itself is damaged (`verify` says where), or the ledger cannot be written.
pub fn rebuild(path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Rebuilt, LedgerError> {
    let mut meter = Meter::new(progress);
    // First without holding anybody up: a ledger that is right, the usual case, needs no more.
    let reader = schema::open_for_reading(path)?;
    let snapshot = reader.unchecked_transaction()?;
    let (entries, _, differing) = folded_afresh(&snapshot, &mut meter)?;
    if differing.is_empty() {
        return Ok(Rebuilt { entries, replaced: differing });
    }
    drop(snapshot);

    let mut conn = schema::open_for_writing(path)?;
    // What is replaced may refer to rows that are missing until they are replaced too. The fold itself was made
    // with all references checked.
    conn.pragma_update(None, "foreign_keys", false)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (entries, scratch, replaced) = folded_afresh(&tx, &mut meter)?;
    for (table, _) in FOLD_TABLES.iter().rev().filter(|(table, _)| replaced.contains(table)) {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for (table, order) in FOLD_TABLES.iter().filter(|(table, _)| replaced.contains(table)) {
        compare::copy(&scratch, &tx, table, order)?;
    }
    tx.commit()?;
    Ok(Rebuilt { entries, replaced })
}

/// How many entries the log has, the fold made again from them, and the tables in which the ledger differs.
fn folded_afresh(
    conn: &Connection,
    meter: &mut Meter<'_>,
) -> Result<(i64, Connection, Vec<&'static str>), LedgerError> {
    let Refound { read, scratch, .. } = read_and_fold(conn, &Witnesses::default(), None, meter)?;
    let damaged = |(seq, what): &Finding| LedgerError::NotStored(format!("log entry {seq}: {what}"));
    // Without a finding the scratch is there.
    let scratch = match (read.findings.first(), scratch) {
        (None, Some(scratch)) => scratch,
        (finding, _) => return Err(finding.map_or(LedgerError::Stopped, damaged)),
    };
    let differing = compare::first_differences(conn, &scratch, meter)?;
    Ok((read.entries, scratch, differing.into_iter().map(|(table, _)| table).collect()))
}

/// The log, read and folded.
struct Refound {
    read: Read,
    /// The fold made again; `None` if a link is broken: it would be that of another log.
    scratch: Option<Connection>,
    /// Payloads that are gone for a reason.
    purged: i64,
}

/// Reads the log and folds it, side by side.
fn read_and_fold(
    conn: &Connection,
    witnesses: &Witnesses<'_>,
    collected: Option<&mut Collected>,
    meter: &mut Meter<'_>,
) -> Result<Refound, LedgerError> {
    let scratch = schema::scratch()?;
    let kept_since = witnesses.kept_since;
    let (mut read, folded) = std::thread::scope(|scope| {
        // A few batches ahead, and no more: memory is bounded.
        let (sender, batches) = std::sync::mpsc::sync_channel(4);
        let folding = std::thread::Builder::new()
            .name("refold".to_owned())
            .spawn_scoped(scope, move || refold::fold(scratch, batches, kept_since))
            .map_err(|error| LedgerError::NotStored(format!("no thread to fold in: {error}")))?;
        let read = chain::read(conn, witnesses, collected, &sender, meter);
        drop(sender);
        let folded = folding.join().unwrap_or(Err(LedgerError::Stopped))?;
        Ok::<_, LedgerError>((read?, folded))
    })?;
    let sound = read.broken.is_none() && folded.broken.is_none();
    // The reader is ahead: what the fold could not take stands before what the reader could not.
    let broken = folded.broken.or(read.broken.take());
    let last = broken.as_ref().map_or(i64::MAX, |(seq, _)| *seq);
    read.findings.extend(folded.gone);
    read.findings.retain(|(seq, _)| *seq < last);
    read.findings.extend(broken);
    read.findings.sort();
    Ok(Refound { read, scratch: sound.then_some(folded.scratch), purged: folded.purged })
}
