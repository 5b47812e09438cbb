//! Entries as rows: laid out, numbered and dated, hashed into the chain, read back.

use cvco_domain::crypto::sha256;
use cvco_domain::{Bilingual, Seq, Timestamp};

use crate::entry::LogEntry;
use crate::error::LogError;
use crate::payload::SealedPayload;

/// The chain hash that stands before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry; zero if there is none.
    pub seq: Seq,
    /// Its date.
    pub at: Timestamp,
    /// Its chain hash, 64 hexadecimal digits.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: Seq::ZERO, at: Timestamp::from_millis(0), hash: GENESIS.to_owned() }
    }
}

/// What an append gives an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its number.
    pub seq: Seq,
    /// Its date.
    pub at: Timestamp,
}

/// The number of a lead: each leader has a higher one than those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(i64);

impl Epoch {
    /// The lead of this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// An entry that is ready to be appended. It is laid out where it arises, so that the one appender has little to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    kind: &'static str,
    content: String,
    payload: Option<SealedPayload>,
}

impl Draft {
    /// An entry that no bytes from outside belong to.
    ///
    /// # Errors
    /// The entry cannot be written as JSON.
    pub fn new(entry: &LogEntry) -> Result<Self, LogError> {
        Ok(Self { kind: entry.kind(), content: entry.content()?, payload: None })
    }

    /// An entry with the sealed bytes that it was read from.
    ///
    /// # Errors
    /// The entry cannot be written as JSON.
    pub fn with_payload(entry: &LogEntry, payload: SealedPayload) -> Result<Self, LogError> {
        Ok(Self::new(entry)?.carrying(payload))
    }

    /// An entry as it stood in a row or in a spool, under the same bytes; `None` if this program does not know its kind or
    /// cannot read it.
    #[must_use]
    pub fn restored(kind: &str, content: String, payload: Option<SealedPayload>) -> Option<Self> {
        let entry = LogEntry::parse(kind, &content)?.ok()?;
        Some(Self { kind: entry.kind(), content, payload })
    }

    /// The digest and the sealed bytes, if there are any.
    #[must_use]
    pub const fn payload(&self) -> Option<&SealedPayload> {
        self.payload.as_ref()
    }

    /// The same entry with the sealed bytes that it was read from.
    #[must_use]
    pub fn carrying(self, payload: SealedPayload) -> Self {
        Self { payload: Some(payload), ..self }
    }

    /// What it says, as it will stand in its row: kind and content.
    #[must_use]
    pub fn text(&self) -> [&str; 2] {
        [self.kind, &self.content]
    }

    /// The sealed bytes, if there are any.
    #[must_use]
    pub fn sealed(&self) -> Option<&[u8]> {
        self.payload.as_ref().map(|payload| payload.sealed.as_slice())
    }

    /// The row of this entry after the head. Dates never go back, but where the entry itself says that the clock was
    /// wrong.
    #[must_use]
    pub fn row_after(&self, head: &Head, now: Timestamp) -> Row {
        let at = if self.kind == CLOCK { now } else { now.max(head.at) };
        Row {
            seq: head.seq.next(),
            at: at.to_string(),
            kind: self.kind.to_owned(),
            content: self.content.clone(),
            payload_sha256: self.payload.as_ref().map(|payload| payload.sha256.clone()),
        }
    }
}

/// The kind whose date may lie before that of the entry above.
const CLOCK: &str = "clock";

/// A row of the log, as it is stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1, 2, 3 … without a gap.
    pub seq: Seq,
    /// When it was appended: RFC 3339, UTC, always of the same width.
    pub at: String,
    /// What kind of entry it is.
    pub kind: String,
    /// What it says: JSON.
    pub content: String,
    /// SHA-256 of the bytes that it was read from, in hexadecimal.
    pub payload_sha256: Option<String>,
}

/// A row with its own link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The row.
    pub row: Row,
    /// Its chain hash as it is stored.
    pub chain_hash: String,
}

/// An entry with the number and date that the log gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its number.
    pub seq: Seq,
    /// Its date.
    pub at: Timestamp,
    /// SHA-256 of the bytes that it was read from, in hexadecimal.
    pub payload_sha256: Option<String>,
    /// What happened.
    pub entry: LogEntry,
}

impl Row {
    /// Reads the entry back.
    ///
    /// # Errors
    /// The date, the kind or the content is none that this program knows.
    pub fn read(&self) -> Result<Logged, LogError> {
        let corrupt = |what: &str| LogError::Corrupt { seq: self.seq, what: what.to_owned() };
        let entry = LogEntry::parse(&self.kind, &self.content)
            .ok_or_else(|| corrupt(&format!("this program does not know the kind {:?}", self.kind)))?
            .map_err(|error| corrupt(&format!("content: {error}")))?;
        Ok(Logged { seq: self.seq, at: self.date()?, payload_sha256: self.payload_sha256.clone(), entry })
    }

    /// When it was appended.
    ///
    /// # Errors
    /// The column holds no date.
    pub fn date(&self) -> Result<Timestamp, LogError> {
        Timestamp::parse(&self.at).map_err(|_| LogError::Corrupt { seq: self.seq, what: "at".to_owned() })
    }

    /// Whether it says that the clock had been wrong: no entry before it is younger than its own date.
    #[must_use]
    pub fn corrects_dates(&self) -> bool {
        self.kind == CLOCK
    }

    /// The link of the chain: SHA-256 over the link before and every column, each with its length, so that no character
    /// can move from one column to the next.
    #[must_use]
    pub fn chain_hash(&self, before: &str) -> String {
        let seq = self.seq.to_string();
        let columns: [Option<&str>; 6] = [
            Some(before),
            Some(&seq),
            Some(&self.at),
            Some(&self.kind),
            Some(&self.content),
            self.payload_sha256.as_deref(),
        ];
        let mut message = Vec::with_capacity(self.content.len().saturating_add(256));
        for column in columns {
            match column {
                Some(text) => {
                    message.extend_from_slice(text.len().to_string().as_bytes());
                    message.push(b':');
                    message.extend_from_slice(text.as_bytes());
                }
                None => message.push(b'-'),
            }
        }
        sha256(&[&message]).to_string()
    }

    /// What is wrong with this row in its place after `head`, or the head that it makes.
    ///
    /// # Errors
    /// What is wrong.
    pub fn follow(&self, head: &Head, chain_hash: &str) -> Result<Head, Bilingual> {
        if self.seq != head.seq.next() {
            let missing = head.seq.next();
            return Err(Bilingual::new(
                format!("l’entrée {missing} manque"),
                format!("entry {missing} is missing"),
            ));
        }
        let at =
            self.date().map_err(|_| Bilingual::new("sa date est illisible", "its date cannot be read"))?;
        if at < head.at && !self.corrects_dates() {
            return Err(Bilingual::new(
                "elle est datée d’avant l’entrée précédente",
                "it is dated before the entry above",
            ));
        }
        let hash = self.chain_hash(&head.hash);
        if hash != chain_hash {
            return Err(Bilingual::new(
                "son empreinte ne découle pas de son contenu et de l’entrée précédente",
                "its chain hash does not follow from its content and the entry before",
            ));
        }
        Ok(Head { seq: self.seq, at, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            seq: Seq::new(1),
            at: "2026-03-01T12:00:00.000Z".to_owned(),
            kind: "time".to_owned(),
            content: "{}".to_owned(),
            payload_sha256: None,
        }
    }

    #[test]
    fn every_column_is_part_of_the_link() {
        let hash = row().chain_hash(GENESIS);
        let changed = [
            Row { seq: Seq::new(2), ..row() },
            Row { at: "2026-03-01T12:00:00.001Z".to_owned(), ..row() },
            Row { kind: "timf".to_owned(), ..row() },
            Row { content: "{ }".to_owned(), ..row() },
            Row { payload_sha256: Some(String::new()), ..row() },
        ];
        for changed in changed {
            assert_ne!(changed.chain_hash(GENESIS), hash, "{changed:?}");
        }
        assert_ne!(row().chain_hash(&hash), hash);
    }

    #[test]
    fn characters_cannot_move_between_columns() {
        let moved = Row { kind: "time{".to_owned(), content: "}".to_owned(), ..row() };
        assert_ne!(moved.chain_hash(GENESIS), row().chain_hash(GENESIS));
    }

    #[test]
    fn a_row_follows_only_the_head_that_it_was_made_for() {
        let head = Head::default();
        let hash = row().chain_hash(GENESIS);
        let next = row().follow(&head, &hash).expect("the first row");
        assert_eq!((next.seq, next.hash.as_str()), (Seq::new(1), hash.as_str()));
        assert!(row().follow(&next, &hash).is_err(), "twice the same number");
        assert!(row().follow(&Head { hash: hash.clone(), ..head.clone() }, &hash).is_err(), "another chain");
        assert!(row().follow(&head, GENESIS).is_err(), "another hash");
    }

    #[test]
    fn a_date_goes_back_only_where_the_clock_was_corrected() {
        let later = Head { at: Timestamp::from_millis(4_000_000_000_000), ..Head::default() };
        let now = Timestamp::from_millis(1_800_000_000_000);
        let time = Draft::new(&LogEntry::Time).expect("a draft").row_after(&later, now);
        assert_eq!(time.at, later.at.to_string());
        let corrected = LogEntry::Clock(crate::entry::ClockCorrection { from: later.at });
        let corrected = Draft::new(&corrected).expect("a draft").row_after(&later, now);
        assert_eq!(corrected.at, now.to_string());
        assert!(corrected.follow(&later, &corrected.chain_hash(&later.hash)).is_ok());
        let back = Row { at: now.to_string(), ..time };
        assert!(back.follow(&later, &back.chain_hash(&later.hash)).is_err());
    }
}
