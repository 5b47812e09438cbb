//! Records and tenders on disk.

use rusqlite::{Connection, Row, params};

use cvco_domain::{Brand, CallNumber, Day, ExpectedFrom, Instrument, Issuer, Psp, Record, Tender};

use super::ids::OrderId;
use crate::LedgerError;

/// Replaces an order's records by those of a new assessment. What stays as it is is not written again. `is_new`: the order
/// has none yet.
pub(crate) fn replace(
    conn: &Connection,
    order_id: OrderId,
    records: &[Record],
    is_new: bool,
) -> Result<(), LedgerError> {
    if !is_new {
        for stored in stored(conn, order_id)? {
            stored.make_room(conn, order_id, records)?;
        }
    }
    for record in records {
        write_record(conn, order_id, record)?;
        for (position, tender) in (0_u32..).zip(&record.tenders) {
            write_tender(conn, order_id, record, position, tender)?;
        }
    }
    Ok(())
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

/// What stands of a record.
struct StoredRecord {
    psp: Psp,
    call_number: CallNumber,
    tenders: u32,
    has_returns: bool,
}

fn stored(conn: &Connection, order_id: OrderId) -> Result<Vec<StoredRecord>, LedgerError> {
    let mut query = conn.prepare_cached(
        "SELECT psp, call_number,
                (SELECT COUNT(*) FROM tenders t
                  WHERE t.order_id = r.order_id AND t.psp = r.psp AND t.call_number = r.call_number),
                EXISTS (SELECT 1 FROM returns b
                  WHERE b.order_id = r.order_id AND b.psp = r.psp AND b.call_number = r.call_number)
         FROM records r WHERE order_id = ?1",
    )?;
    let read = |row: &Row<'_>| {
        Ok(StoredRecord {
            psp: row.get(0)?,
            call_number: row.get(1)?,
            tenders: row.get(2)?,
            has_returns: row.get(3)?,
        })
    };
    Ok(query.query_map([order_id], read)?.collect::<Result<_, _>>()?)
}

impl StoredRecord {
    /// Deletes what no row of the new assessment takes the place of.
    fn make_room(&self, conn: &Connection, order_id: OrderId, records: &[Record]) -> Result<(), LedgerError> {
        let (psp, call) = (self.psp.as_str(), self.call_number.as_str());
        let next =
            records.iter().find(|record| record.psp == self.psp && record.call_number == self.call_number);
        let kept = next.map_or(0, |record| u32::try_from(record.tenders.len()).unwrap_or(u32::MAX));
        if self.has_returns {
            conn.prepare_cached("DELETE FROM returns WHERE order_id = ?1 AND psp = ?2 AND call_number = ?3")?
                .execute(params![order_id, psp, call])?;
        }
        if self.tenders > kept {
            conn.prepare_cached(
                "DELETE FROM tenders WHERE order_id = ?1 AND psp = ?2 AND call_number = ?3 AND position >= ?4",
            )?
            .execute(params![order_id, psp, call, kept])?;
        }
        if next.is_none() {
            conn.prepare_cached("DELETE FROM records WHERE order_id = ?1 AND psp = ?2 AND call_number = ?3")?
                .execute(params![order_id, psp, call])?;
        }
        Ok(())
    }
}

fn write_record(conn: &Connection, order_id: OrderId, record: &Record) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO records (order_id, psp, call_number, endpoint, mode, currency, expected_cents,
             expected_from, voucher_cents, card_cents, paid_cents, refunded_cents, refunding_cents, state,
             first_seen_at, authorised_at, captured_at, settled_at, counts, taken_back_cents)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
         ON CONFLICT (order_id, psp, call_number) DO UPDATE SET endpoint = ?4, mode = ?5, currency = ?6,
             expected_cents = ?7, expected_from = ?8, voucher_cents = ?9, card_cents = ?10, paid_cents = ?11,
             refunded_cents = ?12, refunding_cents = ?13, state = ?14, first_seen_at = ?15, authorised_at = ?16,
             captured_at = ?17, settled_at = ?18, counts = ?19, taken_back_cents = ?20
         WHERE (endpoint, mode, currency, expected_cents, expected_from, voucher_cents, card_cents, paid_cents,
                refunded_cents, refunding_cents, state, first_seen_at, authorised_at, captured_at, settled_at, counts,
                taken_back_cents)
            IS NOT (?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    )?
    .execute(params![
        order_id,
        record.psp.as_str(),
        record.call_number.as_str(),
        record.endpoint.as_str(),
        record.mode.as_str(),
        record.currency.as_str(),
        record.expected.map(|(expected, _)| expected),
        record.expected.map(|(_, from)| ExpectedFrom::as_str(from)),
        record.paid_by(Instrument::Voucher),
        record.paid_by(Instrument::Card),
        record.paid(),
        record.refunded(),
        record.refunding,
        record.state.as_str(),
        record.first_seen_at(),
        record.authorised_at(),
        record.captured_at(),
        record.settled_on().map(Day::start),
        record.counts,
        record.taken_back(),
    ])?;
    Ok(())
}

fn write_tender(
    conn: &Connection,
    order_id: OrderId,
    record: &Record,
    position: u32,
    tender: &Tender,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO tenders (order_id, psp, call_number, position, tender_id, instrument, brand,
             issuer, amount_cents, currency, refunded_cents, state, authorisation, contract, endpoint, complement,
             first_seen_at, authorised_at, captured_at, refunded_at, received_on, settled_cents, settled_on,
             taken_back_cents)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
             ?24)
         ON CONFLICT (order_id, psp, call_number, position) DO UPDATE SET
             tender_id = ?5, instrument = ?6, brand = ?7, issuer = ?8, amount_cents = ?9,
             currency = ?10, refunded_cents = ?11, state = ?12, authorisation = ?13,
             contract = ?14, endpoint = ?15, complement = ?16, first_seen_at = ?17,
             authorised_at = ?18, captured_at = ?19, refunded_at = ?20, received_on = ?21,
             settled_cents = ?22, settled_on = ?23, taken_back_cents = ?24
         WHERE (
                tender_id, instrument, brand, issuer, amount_cents, currency, refunded_cents,
                state, authorisation, contract, endpoint, complement, first_seen_at,
                authorised_at, captured_at, refunded_at, received_on, settled_cents, settled_on,
                taken_back_cents)
            IS NOT (
                ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                ?22, ?23, ?24)",
    )?
    .execute(params![
        order_id,
        record.psp.as_str(),
        record.call_number.as_str(),
        position,
        tender.id.as_ref().map(cvco_domain::TenderId::as_str),
        tender.instrument.as_str(),
        tender.brand.as_str(),
        tender.issuer.as_str(),
        tender.amount,
        tender.currency.as_str(),
        tender.refunded,
        tender.state.as_str(),
        tender.authorisation.as_ref().map(cvco_domain::AuthorisationNumber::as_str),
        tender.contract.as_ref().map(cvco_domain::Contract::as_str),
        tender.endpoint.as_str(),
        tender.complement,
        tender.first_seen_at,
        tender.authorised_at,
        tender.captured_at,
        tender.refunded_at,
        tender.booked.received_on,
        tender.booked.settled,
        tender.booked.settled_on,
        tender.taken_back,
    ])?;
    for (number, returned) in (1_u32..).zip(&tender.booked.returned) {
        conn.prepare_cached(
            "INSERT INTO returns (order_id, psp, call_number, position, number, returned_on, cause, amount_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            order_id,
            record.psp.as_str(),
            record.call_number.as_str(),
            position,
            number,
            returned.on,
            returned.cause.as_str(),
            returned.amount
        ])?;
    }
    Ok(())
}
