//! What is wrong, in both languages.

use std::fmt;

use cvco_domain::{Bilingual, Seq, Worded};
use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// Where: the entry of the log, or the table and row.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// Both in French; programs find the same words in every language.
    #[serde(skip)]
    french: String,
}

impl Flaw {
    /// A flaw at a place.
    #[must_use]
    pub fn new(place: impl Into<Bilingual>, what: impl Into<Bilingual>) -> Self {
        let (place, what) = (place.into(), what.into());
        let french = format!("{}\u{a0}: {}", place.french, what.french);
        Self { place: place.english, what: what.english, french }
    }

    pub(super) fn of_entry(seq: Seq, what: Bilingual) -> Self {
        Self::new((format!("entrée {seq} du journal"), format!("log entry {seq}")), what)
    }

    /// What SQLite says.
    pub(super) fn of_sqlite(what: impl fmt::Display) -> Self {
        Self::new(Bilingual::same("SQLite"), Bilingual::in_english_alone(what))
    }

    /// That a part of the ledger cannot be read.
    pub(super) fn unreadable(place: impl Into<Bilingual>, error: &impl fmt::Display) -> Self {
        Self::new(
            place,
            (format!("illisible (en anglais\u{a0}: {error})"), format!("cannot be read: {error}")),
        )
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Worded for Flaw {
    fn in_french(&self) -> String {
        self.french.clone()
    }
}

/// A row of the ledger.
pub(super) fn row_of(table: &str, row: &str) -> Bilingual {
    Bilingual::new(format!("{table}, ligne {row}"), format!("{table} row {row}"))
}

/// Something that stands for more of its sort.
pub(super) fn and_more(what: Bilingual, more: u64) -> Bilingual {
    match more {
        0 => what,
        1 => Bilingual::new(
            format!("{}\u{a0}; 1 autre de même", what.french),
            format!("{}; 1 more like it", what.english),
        ),
        more => Bilingual::new(
            format!("{}\u{a0}; {more} autres de même", what.french),
            format!("{}; {more} more like it", what.english),
        ),
    }
}
