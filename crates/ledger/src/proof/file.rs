//! What SQLite knows: that the file is laid out as `schema.sql` says, that its pages are sound, and that no row
//! refers to one that is not there.

use std::collections::BTreeMap;

use cvco_domain::Bilingual;
use rusqlite::{Connection, OptionalExtension};

use super::compare::name;
use super::flaw::{Flaw, and_more, row_of};
use crate::{LedgerError, schema};

/// Where the ledger is not laid out as this program lays one out.
///
/// # Errors
/// The layout cannot be read.
pub(super) fn layout(conn: &Connection) -> Result<Vec<Flaw>, LedgerError> {
    let (mut found, wanted) = (objects(conn)?, objects(&schema::in_memory()?)?);
    let mut flaws = Vec::new();
    for (object, sql) in wanted {
        let what = match found.remove(&object) {
            None => ("manque", "is missing"),
            Some(other) if other != sql => {
                ("n’est pas tel que ce programme le fait", "is not as this program makes it")
            }
            Some(_) => continue,
        };
        flaws.push(Flaw::new(Bilingual::same(object), what));
    }
    let foreign = |object: String| {
        Flaw::new(Bilingual::same(object), ("ne vient pas de ce programme", "is not of this program"))
    };
    flaws.extend(found.into_keys().map(foreign));
    Ok(flaws)
}

/// Tables, indexes, triggers and views, each with the words that make it. What SQLite keeps for itself is left out.
fn objects(conn: &Connection) -> Result<BTreeMap<String, String>, LedgerError> {
    let mut statement = conn.prepare(
        "SELECT type || ' ' || name, COALESCE(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let objects = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(objects)
}

/// What SQLite finds wrong with the file itself. A check that cannot end is a finding too.
pub(super) fn sqlite_checks(conn: &Connection) -> Vec<Flaw> {
    let broken = |error: rusqlite::Error| vec![Flaw::of_sqlite(error)];
    let mut flaws = integrity(conn).unwrap_or_else(broken);
    flaws.extend(references(conn).unwrap_or_else(broken));
    flaws
}

fn integrity(conn: &Connection) -> rusqlite::Result<Vec<Flaw>> {
    let mut statement = conn.prepare("PRAGMA integrity_check(5)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(Flaw::of_sqlite).collect())
}

/// Of each reference that leads nowhere the first row, and how many there are.
fn references(conn: &Connection) -> rusqlite::Result<Vec<Flaw>> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut loose: BTreeMap<(String, i64), (String, Option<i64>, u64)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (table, rowid, parent, key) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        loose.entry((table, key)).or_insert((parent, rowid, 0)).2 += 1;
    }
    let mut flaws = Vec::new();
    for ((table, key), (parent, rowid, count)) in loose {
        let row = match rowid {
            Some(rowid) => rowid.to_string(),
            None => first_loose(conn, &table, key, &parent)?.unwrap_or_else(|| "?".to_owned()),
        };
        let what = Bilingual::new(
            format!("renvoie à une ligne de {parent} qui n’existe pas"),
            format!("refers to a row of {parent} that is not there"),
        );
        flaws.push(Flaw::new(row_of(&table, &row), and_more(what, count.saturating_sub(1))));
    }
    Ok(flaws)
}

/// The key of the first row, in a table without row numbers, whose reference leads nowhere.
fn first_loose(conn: &Connection, table: &str, key: i64, parent: &str) -> rusqlite::Result<Option<String>> {
    let list = |sql: &str, key: Option<i64>| -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(sql)?;
        match key {
            Some(key) => statement.query_map((table, key), |row| row.get(0))?.collect(),
            None => statement.query_map([table], |row| row.get(0))?.collect(),
        }
    };
    let own_key = list("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", None)?;
    let matches = list(
        "SELECT 'p.' || \"to\" || ' = c.' || \"from\" FROM pragma_foreign_key_list(?1) WHERE id = ?2",
        Some(key),
    )?;
    let given = list(
        "SELECT 'c.' || \"from\" || ' IS NOT NULL' FROM pragma_foreign_key_list(?1) WHERE id = ?2",
        Some(key),
    )?;
    let query = format!(
        "SELECT {} FROM {table} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {}) LIMIT 1",
        own_key.join(", "),
        given.join(" AND "),
        matches.join(" AND ")
    );
    let named = |row: &rusqlite::Row<'_>| {
        let keys: rusqlite::Result<Vec<_>> =
            (0..own_key.len()).map(|column| row.get_ref(column).map(name)).collect();
        Ok(keys?.join(" "))
    };
    conn.query_row(&query, [], named).optional()
}
