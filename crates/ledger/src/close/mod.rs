//! Closed periods: their entries, numbers, letters and manifest; and what was learned of them since.

mod letters;
mod manifest;
mod numbers;
mod obstacle;
mod sheets;

use std::cmp::Ordering;

use rusqlite::{Connection, OptionalExtension, Row, params};

use cvco_books::accounting::{self, Account, JournalEntry, Movement, Part, Posting};
use cvco_domain::{Books, Contract, Day, OrderRef, Period, ShopId, TenderId, Timestamp};
use cvco_log::entry::{Close, Witness};

use crate::LedgerError;
use crate::tables::ids::{OrderId, StatementId};
use crate::tables::progress::Progress;
pub(crate) use manifest::manifest;
pub(crate) use numbers::Numbers;
pub use obstacle::Obstacle;
pub(crate) use sheets::each as each_due;

/// The last day of the last period that was closed.
pub(crate) fn closed_through(conn: &Connection) -> Result<Option<Day>, LedgerError> {
    let last: Option<String> =
        conn.prepare_cached("SELECT MAX(period) FROM closings")?.query_row([], |row| row.get(0))?;
    Ok(last.and_then(|period| period.parse::<Period>().ok()).map(Period::last))
}

pub(crate) fn has_entries(conn: &Connection, order_id: OrderId) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM entries WHERE order_id = ?1)")?
        .query_row([order_id], |row| row.get(0))?)
}

/// The next close looks at an order again.
pub(crate) fn reopen_order(conn: &Connection, order_id: OrderId) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO reopened (order_id)
         SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM reopened WHERE order_id = ?1 AND statement_id IS NULL)",
    )?
    .execute([order_id])?;
    Ok(())
}

/// The next close looks at a statement again.
pub(crate) fn reopen_statement(conn: &Connection, statement_id: StatementId) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO reopened (statement_id)
         SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM reopened WHERE statement_id = ?1 AND order_id IS NULL)",
    )?
    .execute([statement_id])?;
    Ok(())
}

/// Why a period cannot be closed; `None` if it can.
pub(crate) fn obstacle(
    conn: &Connection,
    period: Period,
    today: Day,
) -> Result<Option<Obstacle>, LedgerError> {
    if today <= period.last() {
        return Ok(Some(Obstacle::NotOver(period)));
    }
    if let Some(through) = closed_through(conn)? {
        let next = through.next().period();
        return Ok(match period.cmp(&next) {
            Ordering::Less => Some(match first_closed(conn)?.filter(|first| period < *first) {
                Some(first) => Obstacle::BeforeFirst { period, first },
                None => Obstacle::Closed(period),
            }),
            Ordering::Greater => Some(Obstacle::NotNext { period, next }),
            Ordering::Equal => None,
        });
    }
    let first = first_payment(conn)?.filter(|first| *first < period);
    Ok(first.map(|first| Obstacle::PaymentsSince { period, first }))
}

/// The first month that was closed.
fn first_closed(conn: &Connection) -> Result<Option<Period>, LedgerError> {
    let first: Option<String> =
        conn.prepare_cached("SELECT MIN(period) FROM closings")?.query_row([], |row| row.get(0))?;
    Ok(first.and_then(|period| period.parse().ok()))
}

/// The first month of which anything is known.
fn first_payment(conn: &Connection) -> Result<Option<Period>, LedgerError> {
    let first: Option<Day> = conn
        .prepare_cached(
            "SELECT MIN(day) FROM (SELECT MIN(received_on) AS day FROM tenders WHERE received_on IS NOT NULL
               UNION ALL SELECT MIN(returned_on) FROM returns UNION ALL SELECT MIN(paid_on) FROM statements)",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(first.map(Day::period))
}

/// The first month that is not closed, if anything is known of it or of an earlier one.
pub(crate) fn first_open(conn: &Connection) -> Result<Option<Period>, LedgerError> {
    match closed_through(conn)? {
        Some(through) => Ok(Some(through.next().period())),
        None => first_payment(conn),
    }
}

/// Books all that belongs to a period, and what was learned of earlier ones. The period must not have an [`obstacle`].
pub(crate) fn book(conn: &Connection, period: Period, books: &Books, today: Day) -> Result<(), LedgerError> {
    let mut numbers = Numbers::stored(conn)?;
    each_due(conn, (period.first(), period.last()), books, &mut |due| {
        for sheet in due.sheet.clone().entries(books) {
            let corrects = due.corrects(&sheet, books);
            let journal = books.chart.journal(sheet.journal(corrects.is_some()), &sheet.shop);
            let number = numbers.next(&journal.code, due.date.year());
            let (movement, postings) = (sheet.movement, sheet.postings.clone());
            let entry = sheet.entry(due.date, number, Some(today), corrects, books);
            for (posting, line) in postings.iter().zip(&entry.lines) {
                let order_id = match due.order_id {
                    Some(order_id) => Some(order_id),
                    None => order_of(conn, &entry.shop, posting)?,
                };
                let booked = Line { movement, order_id, statement_id: due.statement_id, posting };
                booked.insert(conn, period, today, &entry, line)?;
            }
        }
        Ok(())
    })?;
    letters::give(conn, period, &mut numbers)?;
    numbers.store(conn)?;
    conn.execute("DELETE FROM reopened", [])?;
    if books.suspense {
        reopen_what_differs_later(conn, period)?;
    }
    Ok(())
}

/// What is missing by the end of a month, or too much, may differ in the next one although nothing of the order changes any more:
/// some of it falls due, or was paid, given back or registered while the month was still open.
fn reopen_what_differs_later(conn: &Connection, period: Period) -> Result<(), LedgerError> {
    conn.execute(
        "INSERT INTO reopened (order_id)
         SELECT order_id FROM entries WHERE leg = 'suspense' AND order_id IS NOT NULL
         GROUP BY order_id HAVING SUM(Debit - Credit) <> 0
         UNION
         SELECT order_id FROM order_versions v
         WHERE (due >= ?1 OR registered_at >= ?1
                OR EXISTS (SELECT 1 FROM json_each(v.instalments) WHERE value ->> 'due' >= ?1))
           AND EXISTS (SELECT 1 FROM entries e WHERE e.order_id = v.order_id)",
        [period.last().next().start()],
    )?;
    Ok(())
}

/// A line of an entry, with what it is about.
struct Line<'l> {
    movement: Movement,
    order_id: Option<OrderId>,
    statement_id: Option<StatementId>,
    posting: &'l Posting,
}

impl Line<'_> {
    fn insert(
        &self,
        conn: &Connection,
        period: Period,
        today: Day,
        entry: &JournalEntry,
        line: &accounting::Line,
    ) -> Result<(), LedgerError> {
        let source = line.source.as_ref();
        let tender = self.posting.part.as_ref().and_then(|part| part.tender.as_ref());
        conn.prepare_cached(
            "INSERT INTO entries (period, shop, order_id, statement_id, movement, leg, psp, order_ref,
                 call_number, tender_id, brand, contract, JournalCode, JournalLib, EcritureNum, EcritureDate,
                 CompteNum, CompteLib, PieceRef, PieceDate, EcritureLib, Debit, Credit, ValidDate)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 ?21, ?22, ?23, ?24)",
        )?
        .execute(params![
            period.to_string(),
            entry.shop.as_str(),
            self.order_id,
            self.statement_id,
            self.movement.as_str(),
            self.posting.leg.as_str(),
            source.map(|source| source.psp.as_str()),
            source.and_then(|source| source.order_ref.as_ref()).map(OrderRef::as_str),
            source.map(|source| source.call_number.as_str()),
            tender.and_then(|(id, _)| id.as_ref()).map(TenderId::as_str),
            tender.map(|(_, brand)| brand.as_str()),
            source.and_then(|source| source.contract.as_ref()).map(Contract::as_str),
            entry.journal.code,
            entry.journal.label,
            entry.number,
            entry.date,
            line.account.number.as_str(),
            line.account.label,
            entry.piece,
            entry.piece_date,
            entry.label,
            line.debit(),
            line.credit(),
            today,
        ])?;
        Ok(())
    }
}

/// The order of a part that a statement pays out.
fn order_of(conn: &Connection, shop: &ShopId, posting: &Posting) -> Result<Option<OrderId>, LedgerError> {
    let Some(part) = posting.part.as_ref() else { return Ok(None) };
    let found = match &part.order_ref {
        Some(reference) => conn
            .prepare_cached("SELECT order_id FROM orders WHERE shop = ?1 AND reference = ?2")?
            .query_row(params![shop.as_str(), reference.as_str()], |row| row.get(0)),
        None => conn
            .prepare_cached(
                "SELECT order_id FROM orders WHERE shop = ?1 AND psp = ?2 AND call_number = ?3 AND reference IS NULL",
            )?
            .query_row(params![shop.as_str(), part.psp.as_str(), part.call_number.as_str()], |row| row.get(0)),
    };
    Ok(found.optional()?)
}

/// Writes a close down. `before` is where the fold stood before it.
pub(crate) fn insert(
    conn: &Connection,
    before: &Progress,
    at: Timestamp,
    close: &Close,
) -> Result<(), LedgerError> {
    let manifest = manifest::written(conn, close.period, at, before)?;
    conn.prepare_cached(
        "INSERT INTO closings (period, seq, closed_at, closed_by, manifest) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![close.period.to_string(), before.seq.next(), at, close.by, manifest])?;
    Ok(())
}

/// Keeps the digests of a closed period's exports; those that were given first stand.
pub(crate) fn witness(conn: &Connection, witness: &Witness) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE closings SET exports = ?2 WHERE period = ?1 AND exports IS NULL")?
        .execute(params![witness.period.to_string(), serde_json::to_string(&witness.exports)?])?;
    Ok(())
}

/// Whether the digests of a closed period's exports were kept.
pub(crate) fn is_witnessed(conn: &Connection, period: Period) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM closings WHERE period = ?1 AND exports IS NOT NULL)")?
        .query_row([period.to_string()], |row| row.get(0))?)
}

/// What was booked of an order, or of a statement, for one day.
struct Booked {
    day: Day,
    movement: Movement,
    posting: Posting,
    number: String,
}

const BOOKED: &str =
    "SELECT PieceDate, movement, leg, psp, order_ref, call_number, tender_id, brand, contract, CompteNum,
       CompteLib, SUM(Debit - Credit), MIN(EcritureNum), MIN(line)
 FROM entries WHERE";

const BY_POSTING: &str = "GROUP BY PieceDate, movement, leg, psp, order_ref, call_number, tender_id, brand, CompteNum ORDER BY MIN(line)";

impl Booked {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (psp, call): (Option<_>, Option<_>) = (row.get(3)?, row.get(5)?);
        let brand: Option<_> = row.get(7)?;
        let tender_id = row.get(6)?;
        let part = match psp.zip(call) {
            Some((psp, call_number)) => Some(Part {
                order_ref: row.get(4)?,
                psp,
                call_number,
                tender: brand.map(|brand| (tender_id, brand)),
                contract: row.get(8)?,
            }),
            None => None,
        };
        let number: String = row.get(9)?;
        let label: String = row.get(10)?;
        let account = Account::new(&number, &label).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, error.into())
        })?;
        Ok(Self {
            day: row.get(0)?,
            movement: row.get(1)?,
            posting: Posting { leg: row.get(2)?, part, account, amount: row.get(11)? },
            number: row.get(12)?,
        })
    }

    fn of_order(conn: &Connection, order_id: OrderId) -> Result<Vec<Self>, LedgerError> {
        let query = format!("{BOOKED} order_id = ?1 AND movement <> 'payout' {BY_POSTING}");
        let mut rows = conn.prepare_cached(&query)?;
        Ok(rows.query_map([order_id], Self::read)?.collect::<Result<_, _>>()?)
    }

    fn of_statement(conn: &Connection, statement_id: StatementId) -> Result<Vec<Self>, LedgerError> {
        let query = format!("{BOOKED} statement_id = ?1 {BY_POSTING}");
        let mut rows = conn.prepare_cached(&query)?;
        Ok(rows.query_map([statement_id], Self::read)?.collect::<Result<_, _>>()?)
    }
}
