//! Numbers of entries, and letters: each is given once, without a gap.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::LedgerError;

/// The series of the letters.
const LETTERS: &str = "letters";

/// The last number of each series.
pub(crate) struct Numbers {
    last: BTreeMap<String, i64>,
    prefix: &'static str,
}

impl Numbers {
    /// Those that were given so far.
    pub(super) fn stored(conn: &Connection) -> Result<Self, LedgerError> {
        let mut rows = conn.prepare_cached("SELECT series, last FROM numbers")?;
        let last = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { last, prefix: "" })
    }

    /// Provisional ones, that nobody keeps.
    pub(crate) const fn of_drafts() -> Self {
        Self { last: BTreeMap::new(), prefix: "D" }
    }

    pub(super) fn store(&self, conn: &Connection) -> Result<(), LedgerError> {
        for (series, last) in &self.last {
            conn.prepare_cached(
                "INSERT INTO numbers (series, last) VALUES (?1, ?2) ON CONFLICT (series) DO UPDATE SET last = ?2",
            )?
            .execute(params![series, last])?;
        }
        Ok(())
    }

    fn count(&mut self, series: &str) -> i64 {
        let last = self.last.entry(series.to_owned()).or_default();
        *last = last.saturating_add(1);
        *last
    }

    /// The next number of a journal: `CV2026-000001`.
    pub(crate) fn next(&mut self, journal: &str, year: i32) -> String {
        let series = format!("{}{journal}{year}", self.prefix);
        let number = self.count(&series);
        format!("{series}-{number:06}")
    }

    /// The next letter: `A`, `B`, … `Z`, `AA` …
    pub(super) fn letter(&mut self) -> String {
        spelled(self.count(LETTERS))
    }
}

/// Counts in letters: 1 is `A`, 26 `Z`, 27 `AA`.
fn spelled(mut number: i64) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        number = number.saturating_sub(1);
        letters.push(b'A'.saturating_add(u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        let spelled: Vec<_> = [1, 26, 27, 52, 53, 702, 703].map(spelled).into();
        assert_eq!(spelled, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn each_journal_counts_for_itself_and_afresh_each_year() {
        let mut numbers = Numbers { last: BTreeMap::new(), prefix: "" };
        let given: Vec<_> = [("CV", 2026), ("BQ", 2026), ("CV", 2026), ("CV", 2027)]
            .map(|(journal, year)| numbers.next(journal, year))
            .into();
        assert_eq!(given, ["CV2026-000001", "BQ2026-000001", "CV2026-000002", "CV2027-000001"]);
    }
}
