//! A file for beancount.

use std::io::{self, Write};

use super::{EntryFile, Summary};
use crate::accounting::{AccountNumber, JournalEntry};

/// Sorted by date, with what each account must come to at its end.
pub struct Beancount<W> {
    out: W,
    summary: Summary,
}

impl<W: Write> Beancount<W> {
    /// Begins the file and opens the accounts that it uses.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(mut out: W, summary: Summary) -> io::Result<Self> {
        writeln!(out, "option \"operating_currency\" \"EUR\"\n")?;
        if let Some((first, _)) = summary.days {
            for (number, (label, _)) in &summary.accounts {
                writeln!(out, "{first} open {} EUR ; {label}", account(number))?;
            }
        }
        writeln!(out)?;
        Ok(Self { out, summary })
    }
}

/// beancount wants a root and a capital. Class 4 of the French chart has both sides: customers, suspense and deductible
/// tax are claims; suppliers, tax collected and deposits (419) are debts.
fn account(number: &AccountNumber) -> String {
    let number = number.as_str();
    let begins = |start: &str| number.starts_with(start);
    let root = if begins("6") {
        "Expenses"
    } else if begins("7") {
        "Income"
    } else if begins("1") || begins("8") || begins("9") || begins("0") {
        "Equity"
    } else if ["419", "40", "42", "43", "4455", "4457"].into_iter().any(begins) {
        "Liabilities"
    } else {
        "Assets"
    };
    format!("{root}:A{}", number.to_ascii_uppercase())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A link holds `A-Z a-z 0-9 - _ / .` only.
fn link(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_/.".contains(c) { c } else { '_' }).collect()
}

impl<W: Write> EntryFile for Beancount<W> {
    fn entry(&mut self, entry: &JournalEntry) -> io::Result<()> {
        writeln!(self.out, "{} * {} ^{}", entry.date, quoted(&entry.label), link(&entry.piece))?;
        writeln!(self.out, "  ecriture: {}", quoted(&entry.number))?;
        writeln!(self.out, "  journal: {}", quoted(&entry.journal.code))?;
        for line in &entry.lines {
            writeln!(self.out, "  {}  {} EUR", account(&line.account.number), line.amount)?;
            if let Some(letter) = &line.letter {
                writeln!(self.out, "    lettrage: {}", quoted(&letter.letter))?;
            }
        }
        writeln!(self.out)
    }

    /// A check is of the start of a day; and `~ 0`, for beancount forgives a cent otherwise.
    fn end(&mut self) -> io::Result<()> {
        if let Some((_, last)) = self.summary.days {
            for (number, (_, balance)) in &self.summary.accounts {
                writeln!(self.out, "{} balance {}  {} ~ 0 EUR", last.next(), account(number), balance.net())?;
            }
        }
        self.out.flush()
    }
}
