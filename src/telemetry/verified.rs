//! What the last `verify` found: a small file beside the ledger, so that the daemon can tell whoever watches. It can be
//! forgotten.

use std::path::{Path, PathBuf};

use cvco_domain::{Noted, Timestamp, Worded};
use cvco_ledger::Flaw;
use serde::{Deserialize, Serialize};

/// What a run of `verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    at_millis: i64,
    /// How much was not right.
    pub flaws: usize,
    /// The first of that.
    pub first: Vec<Noted>,
}

/// So many flaws are said; the command says all.
const SAID: usize = 5;

impl Verified {
    /// A run that ended at this instant, and what was not right.
    #[must_use]
    pub fn new(at: Timestamp, flaws: &[Flaw]) -> Self {
        let said = |flaw: &Flaw| Noted::from(flaw.words());
        Self {
            at_millis: at.millis(),
            flaws: flaws.len(),
            first: flaws.iter().take(SAID).map(said).collect(),
        }
    }

    /// When it ended.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at_millis)
    }

    /// Writes it down beside the ledger. Who may not write there, as an accountant, proves for himself alone.
    pub fn note(&self, ledger: &Path) {
        let (file, new) = (file_beside(ledger), ledger.with_file_name("verified.json.new"));
        let written = serde_json::to_string(self)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(&new, text))
            .and_then(|()| std::fs::rename(&new, &file));
        if let Err(error) = written {
            tracing::debug!(%error, "the proof is not noted beside the ledger");
        }
    }

    /// The last run, if one is known.
    #[must_use]
    pub fn last(ledger: &Path) -> Option<Self> {
        std::fs::read_to_string(file_beside(ledger)).ok().and_then(|text| serde_json::from_str(&text).ok())
    }
}

fn file_beside(ledger: &Path) -> PathBuf {
    ledger.with_file_name("verified.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_proof_is_known_and_a_damaged_note_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("ledger.sqlite");
        assert_eq!(Verified::last(&ledger), None);
        let flaw = |place: usize| {
            Flaw::new(
                (format!("entrée {place}"), format!("entry {place}")),
                ("une autre empreinte", "another hash"),
            )
        };
        let flaws: Vec<_> = (1..8).map(flaw).collect();
        let verified = Verified::new(Timestamp::from_millis(1_780_000_000_000), &flaws);
        assert_eq!((verified.flaws, verified.first.len()), (7, SAID));
        assert_eq!(verified.first[0].english(), "entry 1: another hash");
        assert_eq!(verified.first[0].french(), Some("entrée 1\u{a0}: une autre empreinte"));
        verified.note(&ledger);
        assert_eq!(Verified::last(&ledger), Some(verified.clone()));
        std::fs::write(folder.path().join("verified.json"), "{").expect("written");
        assert_eq!(Verified::last(&ledger), None);
        verified.note(Path::new("/nowhere/ledger.sqlite"));
    }
}
