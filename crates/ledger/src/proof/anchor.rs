//! What people know of the chain, from the e-mails of each day.

use std::str::FromStr;

use cvco_domain::{Bilingual, Seq};
use rusqlite::{Connection, Row};

/// What people know of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// An entry of the log.
    pub seq: Seq,
    /// Its chain hash.
    pub hash: String,
    /// The day of the mail, if the ledger remembers it itself.
    pub day: Option<String>,
}

/// Why a text is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is NUMBER:HASH as it was mailed, with 64 hexadecimal digits")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (seq, hash) = text.trim().split_once(':').ok_or(AnchorError)?;
        let seq = seq.trim().parse().ok().filter(|seq| *seq > 0).ok_or(AnchorError)?;
        let hash = hash.trim().to_ascii_lowercase();
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        is_hash.then_some(Self { seq: Seq::new(seq), hash, day: None }).ok_or(AnchorError)
    }
}

impl Anchor {
    /// Where it is remembered, as the end of a sentence.
    pub(super) fn when(&self) -> Bilingual {
        match &self.day {
            Some(day) => Bilingual::new(format!(" après le {day}"), format!(" after {day}")),
            None => Bilingual::same(""),
        }
    }
}

/// The anchors that the ledger remembers.
pub(super) fn stored(conn: &Connection) -> rusqlite::Result<Vec<Anchor>> {
    let mut statement = conn.prepare("SELECT seq, chain_hash, day FROM anchors ORDER BY seq")?;
    let anchor = |row: &Row<'_>| Ok(Anchor { seq: row.get(0)?, hash: row.get(1)?, day: row.get(2)? });
    statement.query_map([], anchor)?.collect()
}
