//! Lists as CSV.

use std::io::{self, Write};

use super::entries::{defused, writer};
use super::french;
use crate::accounting::{Cell, Column, Report};

/// A file of rows, written one after the other.
pub trait TableFile {
    /// Writes a row.
    ///
    /// # Errors
    /// The system's own, or the file can hold no more.
    fn row(&mut self, cells: &[Cell]) -> io::Result<()>;

    /// Writes what comes after the last row.
    ///
    /// # Errors
    /// The system's own.
    fn end(&mut self) -> io::Result<()>;
}

/// What stands above the columns of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headings {
    /// The names for programs, in English.
    Names,
    /// What a French accountant reads.
    French,
}

impl Headings {
    /// The heading of a column.
    pub(super) const fn of(self, column: &Column) -> &'static str {
        let (name, heading, _) = *column;
        match self {
            Self::Names => name,
            Self::French => heading,
        }
    }
}

/// A list as a French Excel opens it: UTF-8 with a mark, `;`, CRLF, decimal comma.
pub struct TableCsv<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> TableCsv<W> {
    /// Begins the file with the headings of its columns.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(out: W, report: Report, headings: Headings) -> io::Result<Self> {
        let mut out = writer(out)?;
        out.write_record(report.columns().iter().map(|column| headings.of(column)))?;
        Ok(Self { out })
    }
}

impl<W: Write> TableFile for TableCsv<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        for cell in cells {
            match cell {
                Cell::Empty => self.out.write_field("")?,
                Cell::Text(text) => self.out.write_field(defused(text))?,
                Cell::Money(amount) => self.out.write_field(french(*amount))?,
                Cell::Count(count) => self.out.write_field(count.to_string())?,
                Cell::Day(day) => self.out.write_field(day.to_string())?,
                Cell::Instant(at) => self.out.write_field(at.paris_text())?,
            }
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvco_domain::{Cents, Timestamp};

    #[test]
    fn cells_are_written_as_a_french_excel_reads_them() {
        let mut bytes = Vec::new();
        let mut file = TableCsv::new(&mut bytes, Report::Register, Headings::Names).expect("begun");
        let at = Timestamp::parse("2026-03-31T22:30:00Z").expect("an instant");
        let mut cells = vec![
            Cell::Text("=1+1".to_owned()),
            Cell::Money(Cents::new(-5)),
            Cell::Empty,
            Cell::Count(3),
            Cell::Day(at.paris_day()),
            Cell::Instant(at),
        ];
        cells.resize(Report::Register.columns().len(), Cell::Empty);
        file.row(&cells).expect("written");
        file.end().expect("ended");
        drop(file);
        let text = String::from_utf8(bytes).expect("text");
        let (head, row) = text.split_once("\r\n").expect("two lines");
        assert!(head.starts_with("\u{feff}shop;psp;contracts;order_ref;"), "{head}");
        assert!(row.starts_with("'=1+1;-0,05;;3;2026-04-01;01/04/2026 00:30;;"), "{row}");
    }
}
