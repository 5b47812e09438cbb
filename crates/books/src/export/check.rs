//! What every file of entries must keep, checked before it is written.
//!
//! The tax authority's own test of a FEC finds neither an unbalanced entry nor a hole in the numbers nor a wrong date
//! (`DGFiP/Test-Compta-Demat` of November 2021), and its analysis groups by number alone. So these are checked here.

use std::collections::BTreeMap;

use cvco_domain::{Cents, Day};

use crate::accounting::{Account, AccountNumber, JournalEntry, plain};

/// Why entries cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {number}: {what}; {remedy}")]
pub struct Flaw {
    /// The entry.
    pub number: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// What an account comes to in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// All debits, in cents.
    pub debit: Cents,
    /// All credits, in cents.
    pub credit: Cents,
}

impl Balance {
    /// Debits less credits, in cents.
    #[must_use]
    pub const fn net(self) -> Cents {
        self.debit.minus(self.credit)
    }
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many entries.
    pub entries: u64,
    /// How many lines.
    pub lines: u64,
    /// The first and the last day.
    pub days: Option<(Day, Day)>,
    /// The accounts, with their names and what they come to.
    pub accounts: BTreeMap<AccountNumber, (String, Balance)>,
}

/// Looks at entries one after the other.
#[derive(Debug, Default)]
pub struct Checker {
    summary: Summary,
    /// The last number of each series.
    last: BTreeMap<String, u64>,
    /// What the lines of each letter come to, and their account.
    letters: BTreeMap<String, (AccountNumber, Cents)>,
}

const BUG: &str = "nothing was written; run `verify`, and report it if the ledger is right";
const RENUMBERED: &str = "two shops that share a journal must be exported together, or each have journals of its own (accounting.override)";

impl Checker {
    /// Looks at the next entry.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn entry(&mut self, entry: &JournalEntry) -> Result<(), Flaw> {
        let wrong = |what: String| Flaw { number: entry.number.clone(), what, remedy: BUG };
        if entry.lines.len() < 2 || !entry.is_balanced() {
            return Err(wrong("debits and credits differ".to_owned()));
        }
        if let Some((_, last)) = self.summary.days.filter(|(_, last)| *last > entry.date) {
            return Err(wrong(format!("it is of {}, and the one before of {last}", entry.date)));
        }
        self.number(entry)?;
        let texts = [&entry.journal.code, &entry.journal.label, &entry.piece, &entry.label, &entry.number];
        for text in texts.into_iter().chain(entry.lines.iter().map(|line| &line.account.label)) {
            if text.is_empty() || plain(text) != *text {
                return Err(wrong(format!("{text:?} is not plain text")));
            }
        }
        for line in &entry.lines {
            if line.amount == Cents::ZERO {
                return Err(wrong("a line of no amount".to_owned()));
            }
            if let Some(letter) = &line.letter {
                let known = self
                    .letters
                    .entry(letter.letter.clone())
                    .or_insert_with(|| (line.account.number.clone(), Cents::ZERO));
                if known.0 != line.account.number {
                    return Err(wrong(format!("letter {} stands on two accounts", letter.letter)));
                }
                known.1 = known.1.plus(line.amount);
            }
            self.count(&line.account, line.debit(), line.credit());
        }
        let first = self.summary.days.map_or(entry.date, |(first, _)| first);
        self.summary.days = Some((first, entry.date));
        self.summary.entries = self.summary.entries.saturating_add(1);
        Ok(())
    }

    fn count(&mut self, account: &Account, debit: Cents, credit: Cents) {
        let (_, balance) = self
            .summary
            .accounts
            .entry(account.number.clone())
            .or_insert_with(|| (account.label.clone(), Balance::default()));
        balance.debit = balance.debit.plus(debit);
        balance.credit = balance.credit.plus(credit);
        self.summary.lines = self.summary.lines.saturating_add(1);
    }

    /// Numbers rise by one; where a series begins depends on the range.
    fn number(&mut self, entry: &JournalEntry) -> Result<(), Flaw> {
        let flaw = |what: String, remedy| Flaw { number: entry.number.clone(), what, remedy };
        let parsed =
            entry.number.rsplit_once('-').and_then(|(series, n)| Some((series, n.parse::<u64>().ok()?)));
        let Some((series, number)) = parsed else {
            return Err(flaw("it has no number".to_owned(), BUG));
        };
        let last = self.last.insert(series.to_owned(), number);
        match last {
            Some(last) if number != last.saturating_add(1) => {
                Err(flaw(format!("it comes after {series}-{last:06}"), RENUMBERED))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What the entries come to. `whole`: they are all that there is, so that the lines of each letter come to nothing.
    ///
    /// # Errors
    /// The letter whose lines do not.
    pub fn finish(self, whole: bool) -> Result<Summary, Flaw> {
        let open = self.letters.into_iter().find(|(_, (_, sum))| *sum != Cents::ZERO);
        match open {
            Some((letter, (account, sum))) if whole => Err(Flaw {
                number: letter,
                what: format!("the lines of this letter on {} come to {sum}", account.as_str()),
                remedy: BUG,
            }),
            Some(_) | None => Ok(self.summary),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{day, entries};

    fn flaw(change: impl Fn(&mut Vec<JournalEntry>)) -> Flaw {
        let mut entries = entries();
        change(&mut entries);
        let mut checker = Checker::default();
        let found = entries.iter().try_for_each(|entry| checker.entry(entry)).err();
        found.or_else(|| checker.finish(true).err()).expect("a flaw")
    }

    #[test]
    fn the_sample_is_right_and_comes_to_what_it_should() {
        let mut checker = Checker::default();
        for entry in entries() {
            checker.entry(&entry).expect("right");
        }
        let summary = checker.finish(true).expect("right");
        assert_eq!((summary.entries, summary.lines), (5, 13));
        assert_eq!(summary.days, Some((day("2026-03-10"), day("2026-03-30"))));
        let net: Vec<_> = summary
            .accounts
            .iter()
            .map(|(number, (_, balance))| (number.as_str(), balance.net().get()))
            .collect();
        let wanted =
            [("411000", -22_525), ("511500", -12_000), ("511600", 0), ("512000", 33_962), ("627800", 563)];
        assert_eq!(net, wanted);
        let debits: Cents = summary.accounts.values().map(|(_, balance)| balance.debit).sum();
        assert_eq!(debits, Cents::new(81_050));
    }

    #[test]
    fn each_rule_names_the_entry_that_breaks_it() {
        let what = |change: &dyn Fn(&mut Vec<JournalEntry>)| {
            let flaw = flaw(change);
            format!("{} {}", flaw.number, flaw.what)
        };
        assert_eq!(
            what(&|e| e[1].lines[0].amount = Cents::new(17_999)),
            "CV2026-000002 debits and credits differ"
        );
        assert_eq!(
            what(&|e| e[4].number = "CV2026-000004".to_owned()),
            "CV2026-000004 it comes after CV2026-000002"
        );
        assert_eq!(
            what(&|e| e[1].number = "CV2026-000001".to_owned()),
            "CV2026-000001 it comes after CV2026-000001"
        );
        assert_eq!(
            what(&|e| e[3].date = day("2026-03-12")),
            "BQ2026-000002 it is of 2026-03-12, and the one before of 2026-03-13"
        );
        assert_eq!(what(&|e| e[0].label = "a|b".to_owned()), "CV2026-000001 \"a|b\" is not plain text");
        assert_eq!(what(&|e| e[0].piece = String::new()), "CV2026-000001 \"\" is not plain text");
        assert_eq!(what(&|e| e[0].lines.clear()), "CV2026-000001 debits and credits differ");
        assert_eq!(
            what(&|e| e[0].lines[0].letter = None),
            "B the lines of this letter on 511600 come to -45.25"
        );
        let on_another = what(&|e| e[1].lines[1].letter = e[1].lines[0].letter.clone());
        assert_eq!(on_another, "CV2026-000002 letter B stands on two accounts");
    }
}
