//! The ledger's rows beside those of a fresh fold.

use std::cmp::Ordering;

use cvco_domain::Bilingual;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, Rows};

use super::flaw::row_of;
use super::{Flaw, Meter, Phase};
use crate::LedgerError;
use crate::tables::FOLD_TABLES;

/// So many entries are named in which a row has its origin.
const ORIGINS: usize = 8;

/// Of each table that differs its first row that does.
pub(super) fn first_differences(
    conn: &Connection,
    scratch: &Connection,
    meter: &mut Meter<'_>,
) -> Result<Vec<(&'static str, Flaw)>, LedgerError> {
    let mut total = 0_i64;
    for (table, _) in FOLD_TABLES {
        let rows =
            scratch.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0))?;
        total = total.saturating_add(rows);
    }
    meter.begin(Phase::Rows, total);
    let mut flaws = Vec::new();
    for (table, order) in FOLD_TABLES {
        let flaw = match first_difference(conn, scratch, (table, order), meter)? {
            Ok(flaw) => flaw,
            Err(error) => Some(Flaw::unreadable(Bilingual::same(table), &error)),
        };
        flaws.extend(flaw.map(|flaw| (table, flaw)));
    }
    Ok(flaws)
}

/// The first row of a table that is not the same in both; the inner error is about the ledger.
fn first_difference(
    conn: &Connection,
    scratch: &Connection,
    (table, order): (&str, &str),
    meter: &mut Meter<'_>,
) -> Result<rusqlite::Result<Option<Flaw>>, LedgerError> {
    let query = format!("SELECT * FROM {table} ORDER BY {order}");
    let keys = order.split(", ").count();
    let mut folded = scratch.prepare(&query)?;
    let columns = folded.column_count();
    let mut folded = folded.query([])?;
    let mut stored = match conn.prepare(&query) {
        Ok(stored) => stored,
        Err(error) => return Ok(Err(error)),
    };
    if stored.column_count() != columns {
        let what = ("a d’autres colonnes", "has other columns");
        return Ok(Ok(Some(Flaw::new(Bilingual::same(table), what))));
    }
    let mut stored = match stored.query([]) {
        Ok(stored) => stored,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        meter.step();
        let right = folded.next()?;
        let left = match (stored.next(), right) {
            (Ok(left), _) => left,
            // A page that cannot be read: the row that should stand there is the one to name.
            (Err(error), Some(right)) => {
                return Ok(Ok(Some(Flaw::unreadable(place(table, right, keys), &error))));
            }
            (Err(error), None) => return Ok(Err(error)),
        };
        let missing = || Bilingual::new("manque", "is missing");
        let surplus = || Bilingual::new("n’est pas dans le journal", "is not in the log");
        let (row, what) = match (left, right) {
            (None, None) => return Ok(Ok(None)),
            (Some(left), Some(right)) if same(left, right, columns) => continue,
            (Some(left), None) => (left, surplus()),
            (None, Some(right)) => (right, missing()),
            (Some(left), Some(right)) => match compare_keys(left, right, keys) {
                Ordering::Less => (left, surplus()),
                Ordering::Equal => (left, other(&origins(scratch, order, left)?)),
                Ordering::Greater => (right, missing()),
            },
        };
        return Ok(Ok(Some(Flaw::new(place(table, row, keys), what))));
    }
}

fn same(left: &Row<'_>, right: &Row<'_>, columns: usize) -> bool {
    (0..columns).all(|column| match (left.get_ref(column), right.get_ref(column)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    })
}

/// Which of two rows comes first. Keys are numbers and texts, which SQLite orders as Rust does.
fn compare_keys(left: &Row<'_>, right: &Row<'_>, keys: usize) -> Ordering {
    let order = |column| match (left.get_ref(column), right.get_ref(column)) {
        (Ok(ValueRef::Integer(a)), Ok(ValueRef::Integer(b))) => a.cmp(&b),
        (Ok(ValueRef::Text(a)), Ok(ValueRef::Text(b))) => a.cmp(b),
        _ => Ordering::Equal,
    };
    (0..keys).map(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// That a row is another one than it should be, with the entries to look at.
fn other(origins: &str) -> Bilingual {
    let (of_french, of_english) = if origins.is_empty() {
        <(String, String)>::default()
    } else {
        (format!(" (entrées du journal {origins})"), format!(" (log entries {origins})"))
    };
    Bilingual::new(
        format!("n’est pas ce que donne le journal{of_french}"),
        format!("is not what the log amounts to{of_english}"),
    )
}

fn place(table: &str, row: &Row<'_>, keys: usize) -> Bilingual {
    let named: Vec<_> = (0..keys).map(|column| name(row.get_ref(column).unwrap_or(ValueRef::Null))).collect();
    row_of(table, &named.join(" "))
}

pub(super) fn name(key: ValueRef<'_>) -> String {
    match key {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
    }
}

/// The entries of the log that an order's row comes from: where to look if it is the log that was changed.
fn origins(scratch: &Connection, order: &str, row: &Row<'_>) -> Result<String, LedgerError> {
    let (true, Ok(ValueRef::Integer(order_id))) = (order.starts_with("order_id"), row.get_ref(0)) else {
        return Ok(String::new());
    };
    let mut statement = scratch.prepare(
        "SELECT seq FROM facts WHERE order_id = ?1 UNION SELECT seq FROM order_versions WHERE order_id = ?1 ORDER BY seq",
    )?;
    let seqs: Vec<i64> = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let named: Vec<_> = seqs.iter().take(ORIGINS).map(ToString::to_string).collect();
    let more = if seqs.len() > ORIGINS { " …" } else { "" };
    Ok(format!("{}{more}", named.join(", ")))
}

/// Copies the tables that are beside the fold, as far as they can be read: they cannot be made again, and can be forgotten.
pub(super) fn keep_what_is_beside_the_fold(from: &Connection, to: &Connection) -> Result<(), LedgerError> {
    for table in ["attempts", "rejections"] {
        if copy(from, to, table).is_err() {
            to.execute(&format!("DELETE FROM {table}"), [])?;
        }
    }
    Ok(())
}

fn copy(from: &Connection, to: &Connection, table: &str) -> rusqlite::Result<()> {
    let mut select = from.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = select.column_count();
    let marks = vec!["?"; columns].join(", ");
    let mut insert = to.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
    let mut rows: Rows<'_> = select.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| row.get::<_, Value>(column)).collect::<Result<Vec<_>, _>>()?;
        insert.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}
