//! The raw bytes behind a notification: sealed, and purged after the retention time.

use rusqlite::{Connection, OptionalExtension, params};

use crate::crypto::SealKey;
use crate::domain::Timestamp;

use super::LedgerError;

/// A request as it came, byte for byte, with what helps to tell its origin.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Envelope {
    /// `GET` or `POST`.
    pub method: String,
    /// Behind the first `?`, in base64.
    pub query: String,
    /// The body, in base64.
    pub body: String,
    /// The address that sent it, as far as the proxies in front are believed.
    pub peer: String,
    /// The `User-Agent` header, shortened.
    pub user_agent: Option<String>,
}

impl Envelope {
    /// Wraps a request.
    #[must_use]
    pub fn new(method: &str, query: &[u8], body: &[u8], peer: String, user_agent: Option<String>) -> Self {
        use base64::{Engine, prelude::BASE64_STANDARD};
        Self {
            method: method.to_owned(),
            query: BASE64_STANDARD.encode(query),
            body: BASE64_STANDARD.encode(body),
            peer,
            user_agent,
        }
    }
}

impl Envelope {
    /// The bytes that carried the notification: the body of a `POST` that has one, else the query. `None` if
    /// the envelope is damaged.
    #[must_use]
    pub fn carrier(&self) -> Option<Vec<u8>> {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let carrier = if self.method == "POST" && !self.body.is_empty() { &self.body } else { &self.query };
        BASE64_STANDARD.decode(carrier).ok()
    }
}

/// Seals and keeps the payload of a log entry.
pub(super) fn keep(
    conn: &Connection,
    key: &SealKey,
    (seq, at): (i64, Timestamp),
    envelope: &Envelope,
) -> Result<(), LedgerError> {
    let sealed = key.seal(&seq.to_be_bytes(), &serde_json::to_vec(envelope)?)?;
    conn.prepare_cached("INSERT INTO payloads (seq, at, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![seq, at, sealed])?;
    Ok(())
}

/// Opens the payload of a log entry; `None` if it was purged, or was a repetition of an earlier one.
pub(super) fn open(conn: &Connection, key: &SealKey, seq: i64) -> Result<Option<Envelope>, LedgerError> {
    let sealed: Option<Vec<u8>> = conn
        .prepare_cached("SELECT sealed FROM payloads WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?;
    sealed
        .map(|sealed| {
            let plain = key.open(&seq.to_be_bytes(), &sealed)?;
            Ok(serde_json::from_slice(&plain)?)
        })
        .transpose()
}

/// Forgets payloads older than an instant; a bounded number at a time.
pub(super) fn purge(conn: &Connection, older_than: Timestamp) -> Result<usize, LedgerError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM payloads WHERE seq IN (SELECT seq FROM payloads WHERE at < ?1 ORDER BY seq LIMIT 1000)",
        )?
        .execute([older_than])?)
}
