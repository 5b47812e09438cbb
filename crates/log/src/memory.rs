//! A log in memory, gone with its last handle: for tests and simulations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cvco_domain::{Seq, Timestamp};

use crate::error::LogError;
use crate::row::{Draft, Head, Link, Stamp};
use crate::store::{LogStore, PURGED_AT_A_TIME};

#[derive(Default)]
struct Content {
    links: Vec<Link>,
    head: Head,
    payloads: BTreeMap<Seq, Vec<u8>>,
    alive_at: Option<Timestamp>,
}

/// A log in memory. Clones are the same log, as connections of several machines are.
#[derive(Clone, Default)]
pub struct MemoryLog(Arc<Mutex<Content>>);

impl MemoryLog {
    fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogStore for MemoryLog {
    fn head(&mut self) -> Result<Head, LogError> {
        Ok(self.content().head.clone())
    }

    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        let mut content = self.content();
        let mut stamps = Vec::with_capacity(group.len());
        for draft in group {
            let row = draft.row_after(&content.head, now);
            let chain_hash = row.chain_hash(&content.head.hash);
            let at = row.date()?;
            if let Some(sealed) = draft.sealed() {
                content.payloads.insert(row.seq, sealed.to_vec());
            }
            stamps.push(Stamp { seq: row.seq, at });
            content.head = Head { seq: row.seq, at, hash: chain_hash.clone() };
            content.links.push(Link { row, chain_hash });
        }
        Ok(stamps)
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        let skipped = usize::try_from(after.get()).unwrap_or(usize::MAX);
        Ok(self.content().links.iter().skip(skipped).take(at_most).cloned().collect())
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.content().payloads.get(&seq).cloned())
    }

    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        let mut content = self.content();
        let is_before = |link: &&Link| link.row.date().is_ok_and(|at| at < older_than);
        let Some(last) = content.links.iter().rfind(is_before).map(|link| link.row.seq) else { return Ok(0) };
        let old: Vec<Seq> =
            content.payloads.range(..=last).take(PURGED_AT_A_TIME).map(|(seq, _)| *seq).collect();
        Ok(old.iter().filter(|seq| content.payloads.remove(seq).is_some()).count())
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        self.content().alive_at = Some(now);
        Ok(())
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        Ok(self.content().alive_at)
    }

    fn flaws(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn tend(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}
