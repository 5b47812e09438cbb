//! The raw bytes behind a notification: sealed, and purged after the retention time.

use cvco_domain::Timestamp;
use cvco_domain::crypto::SealKey;
use rusqlite::{Connection, params};

use super::LedgerError;

/// A request as it came, byte for byte, with what helps to tell its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `GET` or `POST`.
    pub method: String,
    /// Behind the first `?`.
    pub query: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
    /// The address that sent it, as far as the proxies in front are believed.
    pub peer: String,
    /// The `User-Agent` header, shortened; empty if there was none.
    pub user_agent: String,
    /// The headers that the adapter read, one a line; empty if it read none.
    pub headers: Vec<u8>,
}

impl Envelope {
    /// Each part behind its length, in four bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let parts = [
            self.method.as_bytes(),
            &self.query,
            &self.body,
            self.peer.as_bytes(),
            self.user_agent.as_bytes(),
            &self.headers,
        ];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(4)).sum());
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Opens the sealed payload of a log entry.
    pub(super) fn open(key: &SealKey, seq: i64, sealed: &[u8]) -> Result<Self, LedgerError> {
        let plain = key.open(&seq.to_be_bytes(), sealed)?;
        Self::from_bytes(&plain).ok_or(LedgerError::CorruptRow { table: "payloads", id: seq })
    }

    /// `None` if the bytes are not those of an envelope.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut part = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, rest) = rest.split_at_checked(length)?;
            bytes = rest;
            Some(part.to_vec())
        };
        let envelope = Self {
            method: String::from_utf8(part()?).ok()?,
            query: part()?,
            body: part()?,
            peer: String::from_utf8(part()?).ok()?,
            user_agent: String::from_utf8(part()?).ok()?,
            // Envelopes of version 0.1 end here.
            headers: part().unwrap_or_default(),
        };
        bytes.is_empty().then_some(envelope)
    }
}

/// Seals and keeps the payload of a log entry.
pub(super) fn keep(
    conn: &Connection,
    key: &SealKey,
    (seq, at): (i64, Timestamp),
    envelope: &Envelope,
) -> Result<(), LedgerError> {
    let sealed = key.seal(&seq.to_be_bytes(), &envelope.to_bytes())?;
    conn.prepare_cached("INSERT INTO payloads (seq, at, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![seq, at, sealed])?;
    Ok(())
}

/// Forgets payloads older than an instant; a bounded number at a time. The first rows are the oldest, so that no
/// other row need be looked at.
pub(super) fn purge(conn: &Connection, older_than: Timestamp) -> Result<usize, LedgerError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM payloads
             WHERE at < ?1 AND seq IN (SELECT seq FROM payloads ORDER BY seq LIMIT 1000)",
        )?
        .execute([older_than])?)
}
