//! Entries: those of closed periods as they were booked, and drafts of those that are open.

use rusqlite::{Row, params};

use super::Extract;
use cvco_books::accounting::{Account, Journal, JournalEntry, Leg, Letter, Line, Source};
use cvco_domain::{Books, CallNumber, Cents, Day, Period, Psp, ShopId};

use crate::LedgerError;
use crate::close::{self, Numbers, each_due};

/// Which entries to read.
#[derive(Debug, Clone)]
pub struct EntryRange {
    /// From this day on.
    pub from: Day,
    /// To this day.
    pub to: Day,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// How entries are made that are not booked yet; `None`: only those that are.
    pub drafts: Option<Books>,
}

const BOOKED: &str = "SELECT EcritureNum, shop, JournalCode, JournalLib, EcritureDate, PieceRef, PieceDate, EcritureLib,
       ValidDate, CompteNum, CompteLib, Debit - Credit, leg, psp, order_ref, call_number, contract,
       IIF(lettered_in <= ?3, EcritureLet, NULL), DateLet, line
  FROM entries WHERE EcritureDate BETWEEN ?1 AND ?2 AND (?4 IS NULL OR shop = ?4) ORDER BY EcritureDate, line";

impl Extract<'_> {
    /// The last day of the last period that was closed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn closed_through(self) -> Result<Option<Day>, LedgerError> {
        close::closed_through(self.conn)
    }

    /// The manifest of a period, if it is closed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn manifest(self, period: Period) -> Result<Option<String>, LedgerError> {
        close::manifest(self.conn, period)
    }

    /// Whether the manifest of a closed period has the digests of its exports already.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_witnessed(self, period: Period) -> Result<bool, LedgerError> {
        close::is_witnessed(self.conn, period)
    }

    /// How many lines of closed periods there are in a range: how far a reader of them is.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn entry_lines(self, range: &EntryRange) -> Result<i64, LedgerError> {
        Ok(self
            .conn
            .prepare_cached("SELECT COUNT(*) FROM entries WHERE EcritureDate BETWEEN ?1 AND ?2")?
            .query_row([range.from, range.to], |row| row.get(0))?)
    }

    /// Tells every entry of a range, in the order of dates. Letters that were given by the close of a later period than
    /// the range's last are left out, so that the entries of a closed period stay what they were.
    ///
    /// # Errors
    /// The ledger's, or that of whom is told.
    pub fn each_entry<E: From<LedgerError>>(
        self,
        range: &EntryRange,
        mut tell: impl FnMut(JournalEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        each_booked(self.conn, range, &mut tell)?;
        let Some(books) = &range.drafts else { return Ok(()) };
        let open_from = self.closed_through()?.map_or(range.from, |through| through.next().max(range.from));
        if open_from > range.to {
            return Ok(());
        }
        let mut numbers = Numbers::of_drafts();
        let mut failure = None;
        let told = each_due(self.conn, (open_from, range.to), books, &mut |due| {
            if range.shop.as_ref().is_some_and(|shop| *shop != due.sheet.shop) {
                return Ok(());
            }
            for sheet in due.sheet.clone().entries(books) {
                let corrects = due.corrects(&sheet, books);
                let journal = books.chart.journal(sheet.journal(corrects.is_some()), &sheet.shop);
                let number = numbers.next(&journal.code, due.date.year());
                if let Err(error) = tell(sheet.entry(due.date, number, None, corrects, books)) {
                    failure = Some(error);
                    return Err(LedgerError::Stopped);
                }
            }
            Ok(())
        });
        match failure {
            Some(error) => Err(error),
            None => told.map_err(E::from),
        }
    }
}

/// Tells the entries of closed periods.
fn each_booked<E: From<LedgerError>>(
    conn: &rusqlite::Connection,
    range: &EntryRange,
    tell: &mut impl FnMut(JournalEntry) -> Result<(), E>,
) -> Result<(), E> {
    let sql = |error: rusqlite::Error| E::from(LedgerError::from(error));
    let mut lines = conn.prepare_cached(BOOKED).map_err(sql)?;
    let shop = range.shop.as_ref().map(ShopId::as_str);
    let mut rows =
        lines.query(params![range.from, range.to, range.to.period().to_string(), shop]).map_err(sql)?;
    let mut entry: Option<JournalEntry> = None;
    while let Some(row) = rows.next().map_err(sql)? {
        let number: String = row.get(0).map_err(sql)?;
        if entry.as_ref().is_none_or(|entry| entry.number != number)
            && let Some(done) = entry.replace(head(row, number).map_err(sql)?)
        {
            tell(done)?;
        }
        if let Some(entry) = &mut entry {
            entry.lines.push(line(row).map_err(sql)?);
        }
    }
    entry.map_or(Ok(()), tell)
}

fn head(row: &Row<'_>, number: String) -> rusqlite::Result<JournalEntry> {
    Ok(JournalEntry {
        number,
        shop: row.get(1)?,
        journal: Journal { code: row.get(2)?, label: row.get(3)? },
        date: row.get(4)?,
        piece: row.get(5)?,
        piece_date: row.get(6)?,
        label: row.get(7)?,
        validated_on: row.get(8)?,
        lines: Vec::new(),
    })
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let (psp, call): (Option<Psp>, Option<CallNumber>) = (row.get(13)?, row.get(15)?);
    let source = match psp.zip(call) {
        Some((psp, call_number)) => {
            Some(Source { psp, call_number, order_ref: row.get(14)?, contract: row.get(16)? })
        }
        None => None,
    };
    let letter: Option<String> = row.get(17)?;
    let letter = match letter {
        Some(letter) => Some(Letter { letter, on: row.get(18)? }),
        None => None,
    };
    let (number, label): (String, String) = (row.get(9)?, row.get(10)?);
    let account = Account::new(&number, &label).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, error.into())
    })?;
    let leg: Leg = row.get(12)?;
    Ok(Line { account, amount: row.get::<_, Cents>(11)?, letter, leg, source })
}
