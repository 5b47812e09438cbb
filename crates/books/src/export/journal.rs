//! One journal that both hledger and ledger read: programs of others that check what this one wrote.

use std::io::{self, Write};

use super::{EntryFile, Summary};
use crate::accounting::JournalEntry;

/// Plain-text accounting; it ends with what each account must come to.
pub struct JournalFile<W> {
    out: W,
    summary: Summary,
}

impl<W: Write> JournalFile<W> {
    /// Begins the file with the accounts that it uses: ledger's `--pedantic` and hledger's `--strict` know no others. No
    /// comment stands behind an account: ledger refuses the file then.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(mut out: W, summary: Summary) -> io::Result<Self> {
        for (number, (label, _)) in &summary.accounts {
            writeln!(out, "; {} {label}", number.as_str())?;
        }
        writeln!(out, "\ncommodity EUR\n    format 1000.00 EUR\n")?;
        for number in summary.accounts.keys() {
            writeln!(out, "account {}", number.as_str())?;
        }
        writeln!(out)?;
        Ok(Self { out, summary })
    }
}

/// A description: `;` would begin a comment.
fn described(text: &str) -> String {
    text.replace(';', ",")
}

/// A tag's value: a comma ends it, and both programs look for dates in brackets in a comment.
fn tag(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ',' | ':' | ';' | '[' | ']') { '_' } else { c }).collect()
}

impl<W: Write> EntryFile for JournalFile<W> {
    fn entry(&mut self, entry: &JournalEntry) -> io::Result<()> {
        writeln!(
            self.out,
            "{} * ({}) {}  ; journal:{}, piece:{}",
            entry.date,
            entry.number,
            described(&entry.label),
            entry.journal.code,
            tag(&entry.piece)
        )?;
        for line in &entry.lines {
            write!(self.out, "    {}    {} EUR", line.account.number.as_str(), line.amount)?;
            match &line.letter {
                Some(letter) => writeln!(self.out, "  ; let:{}", letter.letter)?,
                None => writeln!(self.out)?,
            }
        }
        writeln!(self.out)
    }

    /// The balances that the entries must come to: hledger reads a decimal comma as none and finds nothing wrong.
    fn end(&mut self) -> io::Result<()> {
        if let Some((_, last)) = self.summary.days {
            writeln!(self.out, "{last} * controle des soldes")?;
            for (number, (_, balance)) in &self.summary.accounts {
                writeln!(self.out, "    {}    0 EUR = {} EUR", number.as_str(), balance.net())?;
            }
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Checker;
    use crate::export::samples::{entries, written};

    #[test]
    fn the_sample_comes_out_as_both_programs_took_it() {
        let mut checker = Checker::default();
        for entry in entries() {
            checker.entry(&entry).expect("right");
        }
        let summary = checker.finish(true).expect("right");
        let text = written(|out| Box::new(JournalFile::new(out, summary).expect("begun")), &entries());
        let sample = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/accounting/ecritures-2026-03.journal"
        ));
        // Its last check is of the month's last day, and leaves the customers out.
        let until = |text: &str| {
            text.split_once("controle des soldes")
                .map(|(text, _)| text.rsplit_once('\n').map(|(text, _)| text.to_owned()))
        };
        assert_eq!(until(&text), until(sample));
        assert!(text.ends_with(
            "2026-03-30 * controle des soldes\n    411000    0 EUR = -225.25 EUR\n    511500    0 EUR = -120.00 EUR\n    \
             511600    0 EUR = 0.00 EUR\n    512000    0 EUR = 339.62 EUR\n    627800    0 EUR = 5.63 EUR\n"
        ));
    }
}
