//! Cheap checks before anything is acknowledged: the schema is ours, and the end of the chain is sound.

use rusqlite::{Connection, OptionalExtension};

use super::file::SCHEMA;
use super::{Link, last, rows_after};
use crate::row::{Head, Row};
use cvco_domain::Seq;

/// So many entries at the end of the chain are checked at each start.
const CHECKED_AT_START: i64 = 512;

/// The end of the chain, if it is sound.
///
/// # Errors
/// What is wrong, in English.
pub(super) fn sound_end(conn: &Connection) -> Result<Head, String> {
    let read = |error: rusqlite::Error| format!("its end cannot be read: {error}");
    // One snapshot: what another process appends between two looks is no damage.
    let _snapshot = conn.unchecked_transaction().map_err(read)?;
    schema_is_ours(conn)?;
    let Some(end) = last(conn).map_err(read)? else { return Ok(Head::default()) };
    let before = Seq::new(end.row.seq.get().saturating_sub(CHECKED_AT_START).max(0));
    let mut head = link_at(conn, before).map_err(read)?.ok_or(format!("entry {before} is missing"))?;
    for Link { row, chain_hash } in rows_after(conn, head.seq, usize::MAX).map_err(read)? {
        head = row.follow(&head, &chain_hash).map_err(|what| format!("entry {}: {what}", row.seq))?;
    }
    if head.seq != end.row.seq {
        return Err(format!("entry {} is missing", head.seq.next()));
    }
    payloads_can_be_read(conn)?;
    Ok(head)
}

/// Where a link of the chain stands, for the next one to follow: of its row nothing but that link is trusted, and the next
/// one proves it.
fn link_at(conn: &Connection, seq: Seq) -> rusqlite::Result<Option<Head>> {
    if seq == Seq::ZERO {
        return Ok(Some(Head::default()));
    }
    conn.prepare_cached("SELECT chain_hash FROM log WHERE seq = ?1")?
        .query_row([seq.get()], |row| Ok(Head { seq, hash: row.get(0)?, ..Head::default() }))
        .optional()
}

/// The end of the chain as the last row states it, without a look at what stands before.
pub(super) fn stated_end(conn: &Connection) -> Head {
    match last(conn) {
        Ok(Some(Link { row, chain_hash })) => head_of(&row, chain_hash).unwrap_or_default(),
        Ok(None) | Err(_) => Head::default(),
    }
}

/// What is wrong with the file itself: other tables or triggers than ours, pages that are not sound.
pub(super) fn flaws(conn: &Connection) -> Vec<String> {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut pages = conn.prepare("PRAGMA integrity_check(5)")?;
        pages.query_map([], |row| row.get(0))?.collect()
    };
    let mut flaws: Vec<String> = schema_is_ours(conn).err().into_iter().collect();
    match check() {
        Ok(lines) => flaws.extend(lines.into_iter().filter(|line| line != "ok")),
        Err(error) => flaws.push(error.to_string()),
    }
    flaws
}

fn head_of(row: &Row, hash: String) -> Result<Head, String> {
    let at = row.date().map_err(|error| error.to_string())?;
    Ok(Head { seq: row.seq, at, hash })
}

/// A trigger or a table that is gone or other is damage, or somebody's work.
fn schema_is_ours(conn: &Connection) -> Result<(), String> {
    let statements = |conn: &Connection| -> rusqlite::Result<Vec<String>> {
        // Litestream keeps two tables of its own in a file that it replicates.
        let mut sql = conn.prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
               AND NOT (type = 'table' AND name IN ('_litestream_lock', '_litestream_seq'))
             ORDER BY name",
        )?;
        sql.query_map([], |row| row.get(0))?.collect()
    };
    let found = statements(conn).map_err(|error| format!("its schema cannot be read: {error}"))?;
    let ours = Connection::open_in_memory()
        .and_then(|fresh| {
            fresh.execute_batch(SCHEMA)?;
            statements(&fresh)
        })
        .map_err(|error| error.to_string())?;
    if found == ours { Ok(()) } else { Err("its tables or triggers were changed".to_owned()) }
}

/// The pages that the next payload will be written beside.
fn payloads_can_be_read(conn: &Connection) -> Result<(), String> {
    let read = || -> rusqlite::Result<()> {
        let mut newest = conn.prepare("SELECT seq, sealed FROM payloads ORDER BY seq DESC LIMIT 16")?;
        let mut rows = newest.query([])?;
        while let Some(row) = rows.next()? {
            row.get_ref(1)?;
        }
        Ok(())
    };
    read().map_err(|error| format!("its payloads cannot be read: {error}"))
}
