//! Entries for spreadsheets and importers that can be told which column is what: what a French Excel opens with a
//! double click.

use std::io::{self, Write};

use cvco_domain::{Contract, OrderRef};

use super::{EntryFile, french};
use crate::accounting::{JournalEntry, Leg};

const HEADER: [&str; 16] = [
    "journal",
    "date",
    "num_ecriture",
    "piece",
    "compte",
    "libelle_compte",
    "libelle",
    "debit",
    "credit",
    "lettrage",
    "date_lettrage",
    "psp",
    "contrat",
    "reference",
    "numero_appel",
    "type_leg",
];

/// UTF-8 with a mark, `;`, CRLF, decimal comma.
pub struct EntriesCsv<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> EntriesCsv<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = writer(out)?;
        out.write_record(HEADER)?;
        Ok(Self { out })
    }
}

/// A CSV file as a French Excel takes it.
pub(super) fn writer<W: Write>(mut out: W) -> io::Result<csv::Writer<W>> {
    out.write_all("\u{feff}".as_bytes())?;
    Ok(csv::WriterBuilder::new().delimiter(b';').terminator(csv::Terminator::CRLF).from_writer(out))
}

/// Text that a spreadsheet would take for a formula gets an apostrophe in front: a reference comes from outside.
#[must_use]
pub(super) fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

impl<W: Write> EntryFile for EntriesCsv<W> {
    fn entry(&mut self, entry: &JournalEntry) -> io::Result<()> {
        for line in &entry.lines {
            let source = line.source.as_ref();
            let text = |text: Option<&str>| text.map(defused).unwrap_or_default();
            self.out.write_record([
                defused(&entry.journal.code),
                entry.date.to_string(),
                defused(&entry.number),
                defused(&entry.piece),
                defused(line.account.number.as_str()),
                defused(&line.account.label),
                defused(&entry.label),
                french(line.debit()),
                french(line.credit()),
                text(line.letter.as_ref().map(|letter| letter.letter.as_str())),
                line.letter.as_ref().map(|letter| letter.on.to_string()).unwrap_or_default(),
                text(source.map(|source| source.psp.as_str())),
                text(source.and_then(|source| source.contract.as_ref()).map(Contract::as_str)),
                text(source.and_then(|source| source.order_ref.as_ref()).map(OrderRef::as_str)),
                text(source.map(|source| source.call_number.as_str())),
                leg(line.leg).to_owned(),
            ])?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What importers know: the two parts of a payment.
const fn leg(leg: Leg) -> &'static str {
    match leg {
        Leg::Voucher => "cvco",
        Leg::OtherVoucher => "titre",
        Leg::Card => "card",
        Leg::Customer | Leg::Suspense | Leg::Bank | Leg::Commission | Leg::Vat => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{entries, written};

    #[test]
    fn the_sample_comes_out_to_the_byte() {
        let text = written(|out| Box::new(EntriesCsv::new(out).expect("begun")), &entries());
        assert_eq!(
            text,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../fixtures/accounting/ecritures-2026-03.csv"
            ))
        );
    }

    #[test]
    fn a_formula_is_text_and_a_quote_is_doubled() {
        let mut entries = entries();
        entries[0].piece = "=HYPERLINK(\"x\")".to_owned();
        entries[0].label = "-1;2".to_owned();
        let text = written(|out| Box::new(EntriesCsv::new(out).expect("begun")), &entries);
        assert!(text.contains(";\"'=HYPERLINK(\"\"x\"\")\";511600;"), "{text}");
        assert!(text.contains(";\"'-1;2\";"), "{text}");
    }
}
