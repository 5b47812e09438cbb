//! No cent is lost or made between the messages and the books: order by order, what the log's messages state
//! (counted plainly, [`tally`](super::tally)) is what the tenders come to and what the records come to, refunds
//! likewise. What holds for each order holds for each shop and accounting day.
//!
//! The accounting day of an order's cents is the day in Paris on which its first record was first heard of
//! (`first_seen_at`): the one date that a record has whatever its parts went through.

use std::iter::Peekable;

use cvco_domain::{Cents, Currency, Instrument, OrderKey, Source, TenderState, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chain::{Link, damage};
use super::tally::{self, Bounds, Pot, REFUNDS, Standing, Sums, Told};
use super::{Flaw, Meter, Phase};
use crate::ledger::{LedgerError, schema};

/// What the messages state, collected while the log is read; on disk, so that memory does not grow.
pub(super) struct Collected(Connection);

/// In `order_id` stands where the ledger keeps the order; 0 if nowhere.
const STATED: &str = "CREATE TABLE stated (
  order_id INTEGER, seq INTEGER, position INTEGER, psp TEXT, call_number TEXT, tender TEXT, instrument TEXT, brand TEXT,
  refund INTEGER, standing INTEGER, amount INTEGER, own INTEGER, running_total INTEGER, order_total INTEGER,
  currency TEXT, confirmed INTEGER, received_at INTEGER, PRIMARY KEY (order_id, seq, position)) WITHOUT ROWID;
  BEGIN";

impl Collected {
    pub(super) fn new() -> Result<Self, LedgerError> {
        let conn = schema::temporary()?;
        conn.execute_batch(STATED)?;
        Ok(Self(conn))
    }

    /// Takes what an entry states.
    pub(super) fn take(&mut self, ledger: &Connection, link: &Link) -> Result<(), LedgerError> {
        let Some(statement) = link.entry.statement() else { return Ok(()) };
        for (position, event) in (0_i64..).zip(statement.events) {
            let order_id = place_of(ledger, &statement.order_of(event))?.unwrap_or(0);
            let told = Told::new(statement.psp, statement.source, event, link.at);
            self.0
                .prepare_cached(
                    "INSERT INTO stated VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
                )?
                .execute(params![
                    order_id,
                    link.row.seq,
                    position,
                    told.psp.as_str(),
                    told.call_number,
                    told.tender,
                    told.instrument.as_str(),
                    told.brand,
                    told.refund,
                    code(told.standing),
                    told.amount,
                    told.own,
                    told.running_total,
                    told.order_total,
                    told.currency.as_str(),
                    told.source == Source::Confirmation,
                    told.received_at.millis(),
                ])?;
        }
        Ok(())
    }
}

/// The row of an order in the ledger.
fn place_of(ledger: &Connection, key: &OrderKey) -> Result<Option<i64>, LedgerError> {
    let found = match key {
        OrderKey::Reference(shop, reference) => ledger
            .prepare_cached("SELECT order_id FROM orders WHERE shop = ?1 AND reference = ?2")?
            .query_row([shop.as_str(), reference.as_str()], |row| row.get(0)),
        OrderKey::Call(shop, psp, call) => ledger
            .prepare_cached(
                "SELECT order_id FROM orders WHERE shop = ?1 AND psp = ?2 AND call_number = ?3 AND reference IS NULL",
            )?
            .query_row([shop.as_str(), psp.as_str(), call.as_str()], |row| row.get(0)),
    };
    Ok(found.optional()?)
}

const fn code(standing: Standing) -> i64 {
    match standing {
        Standing::Undecided => 0,
        Standing::Failed => 1,
        Standing::Accepted => 2,
        Standing::Withdrawn => 3,
    }
}

fn told(row: &Row<'_>) -> rusqlite::Result<(i64, Told)> {
    let standing = match row.get(9)? {
        0 => Standing::Undecided,
        1 => Standing::Failed,
        2 => Standing::Accepted,
        3 => Standing::Withdrawn,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(9, other)),
    };
    let told = Told {
        psp: row.get(3)?,
        call_number: row.get(4)?,
        tender: row.get(5)?,
        instrument: row.get(6)?,
        brand: row.get(7)?,
        refund: row.get(8)?,
        standing,
        amount: row.get(10)?,
        own: row.get(11)?,
        running_total: row.get(12)?,
        order_total: row.get(13)?,
        currency: row.get(14)?,
        source: if row.get(15)? { Source::Confirmation } else { Source::Notification },
        received_at: Timestamp::from_millis(row.get(16)?),
    };
    Ok((row.get(0)?, told))
}

/// A record with one of its tenders, as the ledger has them.
struct Booked {
    psp: String,
    call_number: String,
    currency: Currency,
    voucher: Cents,
    card: Cents,
    paid: Cents,
    refunded: Cents,
    first_seen_at: Timestamp,
    tender: Option<Part>,
}

struct Part {
    instrument: Instrument,
    amount: Cents,
    currency: Currency,
    refunded: Cents,
    accepted: bool,
}

const BOOKED: &str =
    "SELECT r.order_id, r.psp, r.call_number, r.currency, r.voucher_cents, r.card_cents, r.paid_cents,
    r.refunded_cents, r.first_seen_at, t.instrument, t.amount_cents, t.currency, t.refunded_cents, t.state
  FROM records r LEFT JOIN tenders t USING (order_id, psp, call_number)
  ORDER BY r.order_id, r.psp, r.call_number, t.position";

fn booked(row: &Row<'_>) -> rusqlite::Result<(i64, Booked)> {
    let tender = match row.get::<_, Option<Instrument>>(9)? {
        None => None,
        Some(instrument) => Some(Part {
            instrument,
            amount: row.get(10)?,
            currency: row.get(11)?,
            refunded: row.get(12)?,
            accepted: row.get::<_, TenderState>(13)?.is_accepted(),
        }),
    };
    let booked = Booked {
        psp: row.get(1)?,
        call_number: row.get(2)?,
        currency: row.get(3)?,
        voucher: row.get(4)?,
        card: row.get(5)?,
        paid: row.get(6)?,
        refunded: row.get(7)?,
        first_seen_at: row.get(8)?,
        tender,
    };
    Ok((row.get(0)?, booked))
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) orders: i64,
    /// Orders of which plain counting only says the bounds.
    pub(super) undecided: i64,
    /// The first that does not come to the same.
    pub(super) difference: Option<Flaw>,
}

/// Counts order by order, until the first that does not come to the same.
pub(super) fn check(
    ledger: &Connection,
    collected: &Collected,
    meter: &mut Meter<'_>,
) -> Result<Counted, LedgerError> {
    let total = ledger.query_row("SELECT COUNT(*) FROM orders", [], |row| row.get(0))?;
    meter.begin(Phase::Cents, total);
    let mut stated = collected.0.prepare("SELECT * FROM stated ORDER BY order_id, seq, position")?;
    let mut stated = stated.query_map([], told)?.peekable();
    let mut books = ledger.prepare(BOOKED)?;
    let mut books = books.query_map([], booked)?.peekable();
    let mut counted = Counted::default();
    loop {
        let next = [peek(&mut stated), peek(&mut books)].into_iter().flatten().min();
        let Some(order_id) = next else { return Ok(counted) };
        let told = take(&mut stated, order_id)?;
        let booked = match take(&mut books, order_id) {
            Ok(booked) => booked,
            Err(error) if damage(&error).is_some() => {
                let (place, what) = (
                    format!("records and tenders of order row {order_id}"),
                    format!("cannot be read: {error}"),
                );
                counted.difference = Some(Flaw { place, what });
                return Ok(counted);
            }
            Err(error) => return Err(error.into()),
        };
        let bounds = tally::count(&told);
        counted.orders = counted.orders.saturating_add(1);
        counted.undecided =
            counted.undecided.saturating_add(i64::from(!bounds.values().all(|bounds| bounds.decide())));
        meter.step();
        if let Some((call, what)) = difference(&told, &booked, &bounds) {
            counted.difference = Some(Flaw { place: place(ledger, order_id, &booked, &told, &call)?, what });
            return Ok(counted);
        }
    }
}

/// The order of the next row; a row that cannot be read is met when it is taken.
fn peek<T>(rows: &mut Peekable<impl Iterator<Item = rusqlite::Result<(i64, T)>>>) -> Option<i64> {
    rows.peek().map(|row| row.as_ref().map_or(i64::MIN, |(order_id, _)| *order_id))
}

/// All rows of an order.
fn take<T>(
    rows: &mut Peekable<impl Iterator<Item = rusqlite::Result<(i64, T)>>>,
    order_id: i64,
) -> rusqlite::Result<Vec<T>> {
    let of_order = |row: &rusqlite::Result<(i64, T)>| row.as_ref().map_or(true, |(id, _)| *id == order_id);
    std::iter::from_fn(|| rows.next_if(of_order)).map(|row| row.map(|(_, value)| value)).collect()
}

/// The first difference: the call number where it shows, and the figures.
fn difference(told: &[Told], booked: &[Booked], bounds: &Sums<Bounds>) -> Option<(String, String)> {
    if let Some(found) = records_differ(booked) {
        return Some(found);
    }
    let tenders = tenders_of(booked.iter());
    let keys = bounds.keys().chain(tenders.keys());
    let differing = keys.copied().find(|key| !get(bounds, *key).hold(get(&tenders, *key)));
    if let Some((currency, pot)) = differing {
        let (stated, entered) = (get(bounds, (currency, pot)), get(&tenders, (currency, pot)));
        let stated = if stated.decide() {
            stated.least.to_string()
        } else {
            format!("{} to {}", stated.least, stated.most)
        };
        let what = format!(
            "{}: the messages state {stated} {currency}, the tenders come to {entered}",
            pot.as_str()
        );
        return Some((differing_call(told, booked), what));
    }
    let day = booked.iter().map(|booked| booked.first_seen_at).min()?.paris_day();
    let call = || booked.first().map(|booked| booked.call_number.clone()).unwrap_or_default();
    (!told.iter().any(|one| one.received_at.paris_day() == day))
        .then(|| (call(), "its records are of another day than its messages".to_owned()))
}

/// A record that is not the sum of its tenders.
fn records_differ(booked: &[Booked]) -> Option<(String, String)> {
    let same =
        |one: &Booked, other: &Booked| (&one.psp, &one.call_number) == (&other.psp, &other.call_number);
    for rows in booked.chunk_by(same) {
        let record = rows.first()?;
        let tenders = tenders_of(rows.iter());
        let of = |pot| get(&tenders, (record.currency, pot));
        let refunded = rows.iter().filter_map(|row| row.tender.as_ref()).map(|part| part.refunded).sum();
        let pairs = [
            ("vouchers", record.voucher, of(Pot::Voucher)),
            ("card", record.card, of(Pot::Card)),
            ("paid", record.paid, of(Pot::Voucher).plus(of(Pot::Card))),
            ("refunds", record.refunded, refunded),
        ];
        let differing = pairs.into_iter().find(|(_, entered, summed)| entered != summed);
        if let Some((what, entered, summed)) = differing {
            let what =
                format!("{what}: its tenders come to {summed} {}, its record to {entered}", record.currency);
            return Some((record.call_number.clone(), what));
        }
    }
    None
}

fn tenders_of<'a>(rows: impl Iterator<Item = &'a Booked>) -> Sums<Cents> {
    let mut sums = Sums::new();
    for part in rows.filter_map(|row| row.tender.as_ref()) {
        if part.accepted {
            let sum: &mut Cents = sums.entry((part.currency, Pot::of(part.instrument))).or_default();
            *sum = sum.plus(part.amount);
        }
        let sum = sums.entry(REFUNDS).or_default();
        *sum = sum.plus(part.refunded);
    }
    sums
}

fn get<T: Copy + Default>(sums: &Sums<T>, key: (Currency, Pot)) -> T {
    sums.get(&key).copied().unwrap_or_default()
}

/// Of several payments of an order the one whose own messages and tenders differ.
fn differing_call(told: &[Told], booked: &[Booked]) -> String {
    let calls =
        told.iter().map(|one| &one.call_number).chain(booked.iter().map(|booked| &booked.call_number));
    let differs = |call: &&String| {
        let told: Vec<Told> = told.iter().filter(|one| one.call_number == **call).cloned().collect();
        let (bounds, tenders) =
            (tally::count(&told), tenders_of(booked.iter().filter(|booked| booked.call_number == **call)));
        bounds.keys().chain(tenders.keys()).any(|key| !get(&bounds, *key).hold(get(&tenders, *key)))
    };
    calls.clone().find(differs).or_else(|| calls.clone().next()).cloned().unwrap_or_default()
}

/// Shop, day, order and payment, for a person who looks it up.
fn place(
    ledger: &Connection,
    order_id: i64,
    booked: &[Booked],
    told: &[Told],
    call: &str,
) -> Result<String, LedgerError> {
    let named: Option<(String, Option<String>)> = ledger
        .query_row("SELECT shop, reference FROM orders WHERE order_id = ?1", [order_id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (shop, reference) = named.unwrap_or_else(|| ("?".to_owned(), None));
    let first = booked.iter().map(|booked| booked.first_seen_at).min();
    let day = first.or_else(|| told.iter().map(|one| one.received_at).min()).map(Timestamp::paris_day);
    let order = reference
        .map_or_else(|| "an order without reference".to_owned(), |reference| format!("order {reference}"));
    Ok(format!(
        "cents of shop {shop}, {}, {order}, call {call}",
        day.map(|day| day.to_string()).unwrap_or_default()
    ))
}
