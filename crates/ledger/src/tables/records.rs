//! Records and tenders on disk.

use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params};

use cvco_domain::{AuthorisationNumber, Brand, Contract, Day, Instrument, Issuer, Record, Tender, TenderId};

use super::ids::OrderId;
use super::prepared::Prepared;
use super::rows::{Changes, OrderTable};
use crate::LedgerError;

/// The columns of [`record_row`].
static RECORDS: LazyLock<OrderTable> = LazyLock::new(|| {
    OrderTable::new(
        "records",
        &["order_id", "psp", "call_number"],
        &["state", "first_seen_at", "paid_cents"],
        &[
            "endpoint",
            "mode",
            "currency",
            "expected_cents",
            "expected_from",
            "voucher_cents",
            "card_cents",
            "refunded_cents",
            "refunding_cents",
            "authorised_at",
            "captured_at",
            "settled_at",
            "counts",
            "taken_back_cents",
        ],
    )
});

/// The columns of [`tender_row`].
static TENDERS: LazyLock<OrderTable> = LazyLock::new(|| {
    OrderTable::new(
        "tenders",
        &["order_id", "psp", "call_number", "position"],
        &["tender_id", "amount_cents", "first_seen_at", "received_on"],
        &[
            "instrument",
            "brand",
            "issuer",
            "currency",
            "refunded_cents",
            "state",
            "authorisation",
            "contract",
            "endpoint",
            "complement",
            "authorised_at",
            "captured_at",
            "refunded_at",
            "settled_cents",
            "settled_on",
            "taken_back_cents",
        ],
    )
});

/// Replaces an order's records by those of a new assessment. `is_new`: the order has none yet.
pub(crate) fn replace(
    db: &Prepared<'_>,
    order_id: OrderId,
    records: &[Record],
    is_new: bool,
) -> Result<(), LedgerError> {
    let mut record_rows =
        records.iter().map(|record| record_row(order_id, record)).collect::<Result<Vec<_>, _>>()?;
    let mut tender_rows =
        placed(records).map(|place| tender_row(order_id, &place)).collect::<Result<Vec<_>, _>>()?;
    if is_new {
        Changes::to_nothing(&RECORDS, &record_rows).write(db)?;
        Changes::to_nothing(&TENDERS, &tender_rows).write(db)?;
    } else {
        forget_returns(db, order_id)?;
        let tenders = Changes::to_stored(db, &TENDERS, order_id, &mut tender_rows)?;
        tenders.delete_gone(db)?;
        let records = Changes::to_stored(db, &RECORDS, order_id, &mut record_rows)?;
        records.delete_gone(db)?;
        records.write(db)?;
        tenders.write(db)?;
    }
    placed(records).try_for_each(|place| write_returns(db, order_id, &place))
}

/// A tender, and where it stands.
struct Placed<'a> {
    record: &'a Record,
    position: u32,
    tender: &'a Tender,
}

fn placed(records: &[Record]) -> impl Iterator<Item = Placed<'_>> {
    records.iter().flat_map(|record| {
        (0_u32..).zip(&record.tenders).map(move |(position, tender)| Placed { record, position, tender })
    })
}

/// The brands of vouchers that there are, and who is said to owe them.
pub(crate) fn vouchers(conn: &Connection) -> Result<Vec<(Brand, Issuer)>, LedgerError> {
    let mut brands =
        conn.prepare_cached("SELECT DISTINCT brand, issuer FROM tenders WHERE instrument = 'voucher'")?;
    Ok(brands.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// The orders with a voucher of a brand that an issuer is said to owe.
pub(crate) fn with_voucher(
    conn: &Connection,
    brand: &Brand,
    issuer: Issuer,
) -> Result<Vec<OrderId>, LedgerError> {
    let mut orders = conn.prepare_cached(
        "SELECT DISTINCT order_id FROM tenders WHERE instrument = 'voucher' AND brand = ?1 AND issuer = ?2",
    )?;
    Ok(orders.query_map([brand.as_str(), issuer.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn record_row(order_id: OrderId, record: &Record) -> rusqlite::Result<[ToSqlOutput<'_>; 20]> {
    Ok([
        owned(order_id)?,
        record.psp.as_str().into(),
        record.call_number.as_str().into(),
        record.state.as_str().into(),
        owned(record.first_seen_at())?,
        owned(record.paid())?,
        record.endpoint.as_str().into(),
        record.mode.as_str().into(),
        record.currency.as_str().into(),
        owned(record.expected.map(|(expected, _)| expected))?,
        text(record.expected.map(|(_, from)| from.as_str())),
        owned(record.paid_by(Instrument::Voucher))?,
        owned(record.paid_by(Instrument::Card))?,
        owned(record.refunded())?,
        owned(record.refunding)?,
        owned(record.authorised_at())?,
        owned(record.captured_at())?,
        owned(record.settled_on().map(Day::start))?,
        owned(record.counts)?,
        owned(record.taken_back())?,
    ])
}

fn tender_row<'r>(order_id: OrderId, place: &Placed<'r>) -> rusqlite::Result<[ToSqlOutput<'r>; 24]> {
    let Placed { record, position, tender } = *place;
    Ok([
        owned(order_id)?,
        record.psp.as_str().into(),
        record.call_number.as_str().into(),
        owned(position)?,
        text(tender.id.as_ref().map(TenderId::as_str)),
        owned(tender.amount)?,
        owned(tender.first_seen_at)?,
        owned(tender.booked.received_on)?,
        tender.instrument.as_str().into(),
        tender.brand.as_str().into(),
        tender.issuer.as_str().into(),
        tender.currency.as_str().into(),
        owned(tender.refunded)?,
        tender.state.as_str().into(),
        text(tender.authorisation.as_ref().map(AuthorisationNumber::as_str)),
        text(tender.contract.as_ref().map(Contract::as_str)),
        tender.endpoint.as_str().into(),
        owned(tender.complement)?,
        owned(tender.authorised_at)?,
        owned(tender.captured_at)?,
        owned(tender.refunded_at)?,
        owned(tender.booked.settled)?,
        owned(tender.booked.settled_on)?,
        owned(tender.taken_back)?,
    ])
}

fn text(text: Option<&str>) -> ToSqlOutput<'_> {
    text.map_or(ToSqlOutput::Owned(Value::Null), ToSqlOutput::from)
}

fn owned<'r>(value: impl ToSql) -> rusqlite::Result<ToSqlOutput<'r>> {
    Ok(match value.to_sql()? {
        ToSqlOutput::Borrowed(value) => ToSqlOutput::Owned(value.try_into()?),
        ToSqlOutput::Owned(value) => ToSqlOutput::Owned(value),
        other => {
            let what = format!("{other:?} is no value of a row");
            return Err(rusqlite::Error::ToSqlConversionFailure(what.into()));
        }
    })
}

fn forget_returns(db: &Prepared<'_>, order_id: OrderId) -> Result<(), LedgerError> {
    let any = "SELECT 1 FROM returns WHERE order_id = ?1";
    if db.first(any, [order_id], |_| Ok(()))?.is_some() {
        db.execute("DELETE FROM returns WHERE order_id = ?1", [order_id])?;
    }
    Ok(())
}

fn write_returns(db: &Prepared<'_>, order_id: OrderId, place: &Placed<'_>) -> Result<(), LedgerError> {
    let Placed { record, position, tender } = place;
    for (number, returned) in (1_u32..).zip(&tender.booked.returned) {
        db.execute(
            "INSERT INTO returns (order_id, psp, call_number, position, number, returned_on, cause, amount_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                order_id,
                record.psp.as_str(),
                record.call_number.as_str(),
                position,
                number,
                returned.on,
                returned.cause.as_str(),
                returned.amount
            ],
        )?;
    }
    Ok(())
}
