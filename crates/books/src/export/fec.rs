//! A file in the layout of a FEC (Livre des procédures fiscales, art. A47 A-1): 18 columns, for import into accounting
//! software. It is not "the FEC of the company", which that software issues.

use std::io::{self, Write};

use cvco_domain::Day;

use super::{EntryFile, french};
use crate::accounting::JournalEntry;

const HEADER: &str = "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\t\
                      PieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise\r\n";

/// ASCII, TAB, CRLF, decimal comma: valid under every reading of the law.
pub struct Fec<W> {
    out: W,
}

impl<W: Write> Fec<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(HEADER.as_bytes())?;
        Ok(Self { out })
    }
}

impl<W: Write> EntryFile for Fec<W> {
    fn entry(&mut self, entry: &JournalEntry) -> io::Result<()> {
        let validated = entry.validated_on.map(Day::compact).unwrap_or_default();
        for line in &entry.lines {
            let (letter, lettered) = line.letter.as_ref().map_or((String::new(), String::new()), |letter| {
                (letter.letter.clone(), letter.on.compact())
            });
            write!(
                self.out,
                "{}\t{}\t{}\t{}\t{}\t{}\t\t\t{}\t{}\t{}\t{}\t{}\t{letter}\t{lettered}\t{validated}\t\t\r\n",
                entry.journal.code,
                cell(&entry.journal.label),
                entry.number,
                entry.date.compact(),
                line.account.number.as_str(),
                cell(&line.account.label),
                cell(&entry.piece),
                entry.piece_date.compact(),
                cell(&entry.label),
                french(line.debit()),
                french(line.credit()),
            )?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Text without quotation marks: most readers of TSV take one at the beginning of a cell for the start of a quoted cell,
/// which may swallow tabs and lines, and some refuse one anywhere. A cell of nothing else keeps a sign: most must not be
/// empty.
fn cell(text: &str) -> String {
    let text = text.trim_start_matches(['"', '\'', '`', ' ']);
    if text.is_empty() { "-".to_owned() } else { text.replace('"', "'") }
}

/// The name that the law wants: `<SIREN>FEC<closing date>.txt`.
#[must_use]
pub fn file_name(siren: &str, closed_on: Day) -> String {
    format!("{siren}FEC{}.txt", closed_on.compact())
}

/// What goes with the file (A47 A-1 wants a description), in French.
#[must_use]
pub const fn notice() -> &'static str {
    "Fichier d'import au format FEC (art. A47 A-1 du Livre des procedures fiscales)\r\n\
     \r\n\
     Ce fichier contient les ecritures des journaux d'encaissement tenus par cvco-reconciled, a importer dans le\r\n\
     logiciel de comptabilite. Ce n'est pas le FEC de l'entreprise, que ce logiciel etablit pour tout l'exercice.\r\n\
     \r\n\
     Codage : ASCII. Separateur de champs : tabulation. Fin d'enregistrement : CR LF. Dates : AAAAMMJJ.\r\n\
     Montants : virgule decimale, deux decimales, sans separateur de milliers.\r\n\
     Journaux : CV encaissements (cheques-vacances et complements carte), BQ banque (remboursements ANCV, remises\r\n\
     carte), OD corrections de periodes closes ; les codes peuvent etre changes dans la configuration.\r\n\
     EcritureNum : code du journal, annee, numero continu. Un numero qui commence par D est provisoire (brouillard).\r\n\
     EcritureLet : lettrage, donne a la cloture ; chaque lettre est unique et solde un seul compte.\r\n\
     ValidDate : date de cloture de la periode ; vide pour un brouillard.\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{day, entries, written};

    #[test]
    fn the_sample_comes_out_to_the_byte() {
        let text = written(|out| Box::new(Fec::new(out).expect("begun")), &entries());
        assert_eq!(
            text,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../fixtures/accounting/123456789FEC20261231.txt"
            ))
        );
    }

    #[test]
    fn any_reader_of_tsv_finds_eighteen_cells() {
        let mut entries = entries();
        entries[0].piece = "\"A".to_owned();
        entries[0].label = "\"A\" 5\" CVCo appel 1".to_owned();
        entries[1].piece = "'\"".to_owned();
        entries[1].lines[0].account.label = "\"Les Pins\"".to_owned();
        entries[2].journal.label = "\"Banque".to_owned();
        let text = written(|out| Box::new(Fec::new(out).expect("begun")), &entries);
        // Once with quotation marks that mean something, once without.
        for quoting in [true, false] {
            let mut reader = csv::ReaderBuilder::new();
            let mut rows =
                reader.delimiter(b'\t').quoting(quoting).has_headers(false).from_reader(text.as_bytes());
            let rows: Vec<csv::StringRecord> =
                rows.records().collect::<Result<_, _>>().expect("18 cells each");
            assert_eq!(rows.len(), 14);
            assert!(rows.iter().all(|row| row.len() == 18));
            assert_eq!((&rows[1][8], &rows[1][10]), ("A", "A' 5' CVCo appel 1"));
            assert_eq!((&rows[3][8], &rows[3][5]), ("-", "Les Pins'"));
        }
    }

    #[test]
    fn the_name_is_the_laws() {
        assert_eq!(file_name("123456789", day("2026-12-31")), "123456789FEC20261231.txt");
        assert!(notice().is_ascii());
    }
}
