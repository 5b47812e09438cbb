//! Records and tenders on disk.

use rusqlite::{Connection, params};

use cvco_domain::{Day, ExpectedFrom, Instrument, Record, Tender};

use super::ids::OrderId;
use crate::LedgerError;

/// Replaces an order's records by those of a new assessment.
pub(crate) fn replace(conn: &Connection, order_id: OrderId, records: &[Record]) -> Result<(), LedgerError> {
    // Most orders are new, and SQLite prepares at some cost to delete even what is not there.
    let known: bool = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM records WHERE order_id = ?1)")?
        .query_row([order_id], |row| row.get(0))?;
    if known {
        conn.prepare_cached("DELETE FROM returns WHERE order_id = ?1")?.execute([order_id])?;
        conn.prepare_cached("DELETE FROM tenders WHERE order_id = ?1")?.execute([order_id])?;
        conn.prepare_cached("DELETE FROM records WHERE order_id = ?1")?.execute([order_id])?;
    }
    for record in records {
        insert_record(conn, order_id, record)?;
        for (position, tender) in (0_u32..).zip(&record.tenders) {
            insert_tender(conn, order_id, record, position, tender)?;
        }
    }
    Ok(())
}

fn insert_record(conn: &Connection, order_id: OrderId, record: &Record) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO records (order_id, psp, call_number, endpoint, mode, currency, expected_cents,
             expected_from, voucher_cents, card_cents, paid_cents, refunded_cents, refunding_cents, state,
             first_seen_at, authorised_at, captured_at, settled_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
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
    ])?;
    Ok(())
}

fn insert_tender(
    conn: &Connection,
    order_id: OrderId,
    record: &Record,
    position: u32,
    tender: &Tender,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO tenders (order_id, psp, call_number, position, tender_id, instrument, brand,
             amount_cents, currency, refunded_cents, state, authorisation, contract, endpoint, complement,
             first_seen_at, authorised_at, captured_at, refunded_at, received_on, settled_cents, settled_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        order_id,
        record.psp.as_str(),
        record.call_number.as_str(),
        position,
        tender.id.as_ref().map(cvco_domain::TenderId::as_str),
        tender.instrument.as_str(),
        tender.brand.as_str(),
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
    ])?;
    for (number, returned) in (1_u32..).zip(&tender.booked.returned) {
        conn.prepare_cached(
            "INSERT INTO returns (order_id, psp, call_number, position, number, returned_on, amount_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            order_id,
            record.psp.as_str(),
            record.call_number.as_str(),
            position,
            number,
            returned.on,
            returned.amount
        ])?;
    }
    Ok(())
}
