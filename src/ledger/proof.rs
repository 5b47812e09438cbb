//! Proof that the ledger is right: `verify` checks the chain, the payloads and the fold; `rebuild` makes the
//! fold again from the log.

use std::cmp::Ordering;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};

use crate::crypto::{SealKey, sha256};

use super::entry::Entry;
use super::fold::{Fold, GENESIS, Taken};
use super::log_row::LogRow;
use super::{LedgerError, key_file, payload, schema};

/// The tables that are a fold over the log, parents first, each with what orders its rows.
const FOLD_TABLES: [(&str, &str); 10] = [
    ("orders", "order_id"),
    ("order_versions", "order_id, version"),
    ("events", "order_id, seq, position"),
    ("records", "order_id, psp, call_number"),
    ("tenders", "order_id, psp, call_number, position"),
    ("questions", "endpoint, topic, subject"),
    ("discrepancies", "id"),
    ("endpoints", "endpoint"),
    ("heard_hours", "endpoint, hour"),
    ("progress", "one"),
];

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// Where: the entry of the log, or the table and row.
    pub place: String,
    /// What.
    pub what: String,
}

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Proof {
    /// Entries of the log that were read.
    pub entries: i64,
    /// Payloads that were opened and compared with their digest.
    pub payloads: i64,
    /// The last link of the chain.
    pub head: String,
    /// What could not be checked, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is wrong; nothing, if the ledger is right. The first is the first bad row.
    pub flaws: Vec<Flaw>,
}

/// What `rebuild` did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rebuilt {
    /// Entries of the log that were folded.
    pub entries: i64,
    /// Tables that differed and were replaced; none, if nothing changed.
    pub replaced: Vec<&'static str>,
}

/// Checks the whole ledger without changing it. Progress is reported as (entries read, entries in all).
///
/// # Errors
/// The ledger cannot be read at all.
pub fn verify(
    path: &Path,
    key_file: &Path,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<Proof, LedgerError> {
    let conn = schema::open_for_reading(path)?;
    // One snapshot for all checks, while the daemon goes on writing.
    let snapshot = conn.unchecked_transaction()?;
    let mut proof = Proof::default();
    // An accountant may read the ledger, but not the key: the chain is proven all the same.
    let key = match key_file::read_or_make(key_file, false) {
        Ok(key) => Some(key),
        Err(error) => {
            proof.note = Some(format!("payloads were not opened: {error}"));
            None
        }
    };
    let scratch = schema::scratch()?;
    fold_afresh(&snapshot, &scratch, key.as_ref(), &mut proof, progress)?;
    if proof.flaws.is_empty() {
        for (table, order) in FOLD_TABLES {
            proof.flaws.extend(first_difference(&snapshot, &scratch, table, order)?);
        }
    }
    proof.flaws.extend(sqlite_checks(&snapshot)?);
    Ok(proof)
}

/// Makes the fold again from the log, and replaces what differs.
///
/// # Errors
/// The log itself is damaged (`verify` says where), or the ledger cannot be written.
pub fn rebuild(path: &Path, progress: &mut dyn FnMut(i64, i64)) -> Result<Rebuilt, LedgerError> {
    // First without holding anybody up: a ledger that is right, the usual case, needs no more.
    let reader = schema::open_for_reading(path)?;
    let snapshot = reader.unchecked_transaction()?;
    let (entries, _, differing) = folded_afresh(&snapshot, progress)?;
    if differing.is_empty() {
        return Ok(Rebuilt { entries, replaced: differing });
    }
    drop(snapshot);

    let mut conn = schema::open_for_writing(path)?;
    // What is replaced may refer to rows that are missing until they are replaced too. The fold itself was made
    // with all references checked.
    conn.pragma_update(None, "foreign_keys", false)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (entries, scratch, replaced) = folded_afresh(&tx, progress)?;
    for (table, _) in FOLD_TABLES.iter().rev().filter(|(table, _)| replaced.contains(table)) {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for (table, order) in FOLD_TABLES.iter().filter(|(table, _)| replaced.contains(table)) {
        copy(&scratch, &tx, table, order)?;
    }
    tx.commit()?;
    Ok(Rebuilt { entries, replaced })
}

/// How many entries the log has, the fold made again from them, and the tables in which the ledger differs.
fn folded_afresh(
    conn: &Connection,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<(i64, Connection, Vec<&'static str>), LedgerError> {
    let scratch = schema::scratch()?;
    let mut proof = Proof::default();
    fold_afresh(conn, &scratch, None, &mut proof, progress)?;
    if let Some(flaw) = proof.flaws.first() {
        return Err(LedgerError::NotStored(format!("{}: {}", flaw.place, flaw.what)));
    }
    let mut differing = Vec::new();
    for (table, order) in FOLD_TABLES {
        if first_difference(conn, &scratch, table, order)?.is_some() {
            differing.push(table);
        }
    }
    Ok((proof.entries, scratch, differing))
}

/// Reads the log from its first entry, checks every link, and folds the entries into `scratch`. Stops at the
/// first entry that is wrong: nothing behind it can be trusted.
fn fold_afresh(
    conn: &Connection,
    scratch: &Connection,
    key: Option<&SealKey>,
    proof: &mut Proof,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<(), LedgerError> {
    let total: i64 = conn.query_row("SELECT COUNT(*) FROM log", [], |row| row.get(0))?;
    let mut fold = Fold::resume(scratch)?;
    GENESIS.clone_into(&mut proof.head);
    scratch.execute_batch("BEGIN")?;
    let mut statement = conn.prepare(&format!("SELECT {} FROM log ORDER BY seq", LogRow::COLUMNS))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (row, chain_hash) = LogRow::from_row(row)?;
        let flaw = match check_entry(conn, &row, &chain_hash, key, proof) {
            None => refold(&mut fold, &row, &chain_hash)?,
            flaw => flaw,
        };
        if let Some(what) = flaw {
            proof.flaws.push(Flaw { place: format!("log entry {}", row.seq), what });
            return Ok(());
        }
        proof.entries = row.seq;
        proof.head = chain_hash;
        progress(proof.entries, total);
    }
    let recorded: Option<(i64, String, String)> = {
        use rusqlite::OptionalExtension;
        conn.query_row("SELECT head_seq, head_hash, swept_at FROM progress", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?
    };
    if let Some((seq, hash, swept_at)) = recorded {
        if (seq, &hash) != (proof.entries, &proof.head) {
            let what = format!(
                "the log ends at {}, but the ledger was at {seq}: entries are missing",
                proof.entries
            );
            proof.flaws.push(Flaw { place: format!("log entry {}", proof.entries.saturating_add(1)), what });
            return Ok(());
        }
        let swept_at = crate::domain::Timestamp::parse(&swept_at)
            .map_err(|_| LedgerError::CorruptRow { table: "progress", id: 1 })?;
        fold.sweep(swept_at)?;
        fold.finish()?;
    } else if proof.entries > 0 {
        fold.finish()?;
    }
    scratch.execute_batch("COMMIT")?;
    Ok(())
}

/// What is wrong with an entry on its own: its place, its link, its payload.
fn check_entry(
    conn: &Connection,
    row: &LogRow,
    chain_hash: &str,
    key: Option<&SealKey>,
    proof: &mut Proof,
) -> Option<String> {
    if row.seq != proof.entries.saturating_add(1) {
        return Some(format!("entry {} is missing before it", proof.entries.saturating_add(1)));
    }
    if row.chain_hash(&proof.head) != *chain_hash {
        return Some("its content does not fit its chain hash".to_owned());
    }
    let envelope = match payload::open(conn, key?, row.seq) {
        Ok(Some(envelope)) => envelope,
        Ok(None) => return None,
        Err(error) => return Some(format!("its payload cannot be opened: {error}")),
    };
    proof.payloads = proof.payloads.saturating_add(1);
    // Which of the two carries a notification is the adapters' business (`psp::Request::payload`).
    let fits = [&envelope.query, &envelope.body]
        .iter()
        .any(|part| row.payload_sha256.as_deref() == Some(sha256(&[part]).to_string().as_str()));
    (!fits).then(|| "its payload does not fit payload_sha256".to_owned())
}

/// Takes an entry again and compares the row that it makes.
fn refold(fold: &mut Fold<'_>, row: &LogRow, chain_hash: &str) -> Result<Option<String>, LedgerError> {
    let entry: Entry = row.entry()?;
    let taken = fold.take(row.taken_at()?, &entry)?;
    let same = matches!(taken, Taken::Written { .. }) && fold.head().hash == chain_hash;
    Ok((!same).then(|| "folded again it reads differently".to_owned()))
}

/// The first row of a table that is not the same in both.
fn first_difference(
    conn: &Connection,
    scratch: &Connection,
    table: &str,
    order: &str,
) -> Result<Option<Flaw>, LedgerError> {
    let query = format!("SELECT * FROM {table} ORDER BY {order}");
    let keys = order.split(", ").count();
    let (mut stored, mut folded) = (conn.prepare(&query)?, scratch.prepare(&query)?);
    let (mut stored, mut folded) = (stored.query([])?, folded.query([])?);
    loop {
        let (row, what) = match (next_row(&mut stored)?, next_row(&mut folded)?) {
            (None, None) => return Ok(None),
            (Some(left), Some(right)) if left == right => continue,
            (Some(left), None) => (left, "is not in the log"),
            (None, Some(right)) => (right, "is missing"),
            (Some(left), Some(right)) => match compare_keys(&left, &right, keys) {
                Ordering::Less => (left, "is not in the log"),
                Ordering::Equal => (left, "is not what the log amounts to"),
                Ordering::Greater => (right, "is missing"),
            },
        };
        let named: Vec<_> = row.iter().take(keys).map(name).collect();
        return Ok(Some(Flaw { place: format!("{table} row {}", named.join(" ")), what: what.to_owned() }));
    }
}

/// Which of two rows comes first. Keys are numbers and texts, which SQLite orders as Rust does.
fn compare_keys(left: &[Value], right: &[Value], keys: usize) -> Ordering {
    let pairs = left.iter().zip(right).take(keys);
    pairs
        .map(|pair| match pair {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn name(key: &Value) -> String {
    match key {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Null | Value::Real(_) | Value::Blob(_) => "?".to_owned(),
    }
}

fn next_row(rows: &mut rusqlite::Rows<'_>) -> Result<Option<Vec<Value>>, LedgerError> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let columns = row.as_ref().column_count();
    Ok(Some((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?))
}

fn copy(from: &Connection, to: &Connection, table: &str, order: &str) -> Result<(), LedgerError> {
    let mut select = from.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
    let marks = vec!["?"; select.column_count()].join(", ");
    let mut insert = to.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
    let mut rows = select.query([])?;
    while let Some(row) = next_row(&mut rows)? {
        insert.execute(rusqlite::params_from_iter(row))?;
    }
    Ok(())
}

fn sqlite_checks(conn: &Connection) -> Result<Vec<Flaw>, LedgerError> {
    let mut flaws = Vec::new();
    let mut statement = conn.prepare("PRAGMA integrity_check(5)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            flaws.push(Flaw { place: "SQLite".to_owned(), what: line });
        }
    }
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let table: String = row.get(0)?;
        flaws.push(Flaw { place: table, what: "refers to a row that is not there".to_owned() });
    }
    Ok(flaws)
}
