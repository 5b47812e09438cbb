//! What a supervisor watches: what is owed and since when, what is open, and when each endpoint was heard.

use cvco_domain::{EndpointId, Severity, Timestamp};
use rusqlite::Row;

use super::Reader;
use crate::LedgerError;

/// What is owed of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// `mail`, `anchor`, `relay`, `question`, or `decision` for relays that only a person can bring to an end.
    pub what: &'static str,
    /// How much of it.
    pub count: i64,
    /// Since when the oldest is owed.
    pub since: Option<Timestamp>,
}

/// When an endpoint was last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The instant.
    pub at: Timestamp,
}

/// How many discrepancies of a severity are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// How grave they are.
    pub severity: Severity,
    /// How many.
    pub count: i64,
}

/// Each with the query that counts it. An anchor is due from the first entry of the next day on, so its age is that of the
/// day's last entry.
const OWED: [(&str, &str); 6] = [
    ("mail", "SELECT COUNT(*), MIN(owed_at) FROM owed WHERE done_at IS NULL AND way = 'mail'"),
    ("channel", "SELECT COUNT(*), MIN(owed_at) FROM owed WHERE done_at IS NULL AND way <> 'mail'"),
    (
        "anchor",
        "SELECT COUNT(*), MIN(m.intended_at) FROM anchors a LEFT JOIN mails m ON m.message_id = a.message_id
         WHERE m.told_at IS NULL AND a.message_id IS NOT NULL",
    ),
    ("relay", "SELECT COUNT(*), MIN(owed_at) FROM relays WHERE state = 'owed'"),
    ("question", "SELECT COUNT(*), MIN(asked_at) FROM questions WHERE state IN ('open', 'unsettled')"),
    (
        "decision",
        "SELECT COUNT(*), MIN(owed_at) FROM relays
         WHERE state <> 'delivered' AND state IN ('parked', 'refused')",
    ),
];

impl Reader {
    /// What is owed and not done, of every kind.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn backlogs(&self) -> Result<Vec<Backlog>, LedgerError> {
        let backlog = |what: &'static str, query: &str| {
            let counted = |row: &Row<'_>| Ok(Backlog { what, count: row.get(0)?, since: row.get(1)? });
            self.conn.prepare_cached(query)?.query_row([], counted)
        };
        Ok(OWED.into_iter().map(|(what, query)| backlog(what, query)).collect::<Result<_, _>>()?)
    }

    /// When each endpoint was last heard.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn heard(&self) -> Result<Vec<Heard>, LedgerError> {
        let mut endpoints = self.conn.prepare_cached("SELECT endpoint, heard_at FROM endpoints")?;
        let heard = |row: &Row<'_>| Ok(Heard { endpoint: row.get(0)?, at: row.get(1)? });
        Ok(endpoints.query_map([], heard)?.collect::<Result<_, _>>()?)
    }

    /// How many discrepancies are open, by severity; all severities are there.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn open_by_severity(&self) -> Result<Vec<Open>, LedgerError> {
        let mut count = self
            .conn
            .prepare_cached("SELECT COUNT(*) FROM discrepancies WHERE closed_at IS NULL AND severity = ?1")?;
        let open = |severity: Severity| {
            let count = count.query_row([severity.as_str()], |row| row.get(0))?;
            Ok(Open { severity, count })
        };
        Severity::ALL.into_iter().map(open).collect()
    }
}
