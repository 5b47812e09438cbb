//! The facts about each order: the ledger's own copy of what events state.

use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Contract, Event, Mode, Operation, OrderKey, OrderRef,
    ReportedState, Seq, Source, StatusCode, StatusReading, TenderId,
};
use cvco_reconcile::Fact;
use rusqlite::{Row, params};

use super::ids::OrderId;
use super::prepared::Prepared;
use crate::LedgerError;

/// Keeps a fact with its order.
pub(crate) fn insert(
    db: &Prepared<'_>,
    order_id: OrderId,
    seq: Seq,
    position: u32,
    fact: &Fact,
) -> Result<(), LedgerError> {
    let event = &fact.event;
    let (operation, refunds) = match &event.operation {
        Operation::Debit => ("debit", None),
        Operation::Credit { of } => ("credit", of.as_ref().map(TenderId::as_str)),
        Operation::Chargeback { of } => ("chargeback", of.as_ref().map(TenderId::as_str)),
    };
    let authorisation = match &event.authorisation {
        Authorisation::NotStated => None,
        Authorisation::Absent => Some(""),
        Authorisation::Number(number) => Some(number.as_str()),
    };
    db.execute(
        "INSERT INTO facts (order_id, seq, position, received_at, source, psp, endpoint, endpoint_mode, has_reference,
             call_number, tender_id, instrument, brand, operation, refunds, amount_cents, amount_from,
             running_total_cents, currency, state, status, status_reading, authorisation, contract, mode, complement,
             order_total_cents, itemised, parts_announced, occurred_at, accepted_at, revised)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
             ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)",
        params![
        order_id,
        seq,
        position,
        fact.received_at,
        fact.source.as_str(),
        fact.psp.as_str(),
        fact.endpoint.as_str(),
        fact.endpoint_mode.as_str(),
        event.order_ref.is_some(),
        event.call_number.as_str(),
        event.tender_id.as_ref().map(TenderId::as_str),
        event.instrument.as_str(),
        event.brand.as_str(),
        operation,
        refunds,
        event.amount,
        event.amount_from.as_str(),
        event.running_total,
        event.currency.as_str(),
        event.state.as_str(),
        event.status.code,
        event.status.reading.as_str(),
        authorisation,
        event.contract.as_ref().map(Contract::as_str),
        event.mode.map(Mode::as_str),
        event.complement,
        event.order_total,
        event.itemised,
        event.parts_announced,
        event.occurred_at,
        event.accepted_at,
        event.revised,
    ])?;
    Ok(())
}

/// All facts about an order, in the order in which they were learned.
pub(crate) fn of_order(
    db: &Prepared<'_>,
    order_id: OrderId,
    key: &OrderKey,
) -> Result<Vec<Fact>, LedgerError> {
    Ok(db.all(
        "SELECT received_at, source, psp, endpoint, endpoint_mode, has_reference, call_number, tender_id, instrument, brand,
                operation, refunds, amount_cents, amount_from, running_total_cents, currency, state, status,
                status_reading, authorisation, contract, mode, complement, order_total_cents, itemised, parts_announced,
                occurred_at, accepted_at, revised
         FROM facts WHERE order_id = ?1 ORDER BY seq, position",
        [order_id],
        |row| read(row, key.reference()),
    )?)
}

fn read(row: &Row<'_>, reference: Option<&OrderRef>) -> rusqlite::Result<Fact> {
    let event = Event {
        order_ref: if row.get::<_, bool>(5)? { reference.cloned() } else { None },
        call_number: row.get(6)?,
        tender_id: row.get(7)?,
        instrument: row.get(8)?,
        brand: row.get(9)?,
        operation: match row.get_ref(10)?.as_str()? {
            "credit" => Operation::Credit { of: row.get(11)? },
            "chargeback" => Operation::Chargeback { of: row.get(11)? },
            _ => Operation::Debit,
        },
        amount: row.get(12)?,
        amount_from: row.get::<_, AmountFrom>(13)?,
        running_total: row.get(14)?,
        currency: row.get(15)?,
        state: row.get::<_, ReportedState>(16)?,
        status: StatusCode { code: row.get(17)?, reading: row.get::<_, StatusReading>(18)? },
        authorisation: match row.get_ref(19)?.as_str_or_null()? {
            None => Authorisation::NotStated,
            Some("") => Authorisation::Absent,
            Some(_) => Authorisation::Number(row.get::<_, AuthorisationNumber>(19)?),
        },
        contract: row.get(20)?,
        mode: row.get(21)?,
        complement: row.get(22)?,
        order_total: row.get(23)?,
        itemised: row.get(24)?,
        parts_announced: row.get(25)?,
        occurred_at: row.get(26)?,
        accepted_at: row.get(27)?,
        revised: row.get(28)?,
    };
    Ok(Fact {
        event,
        received_at: row.get(0)?,
        source: row.get::<_, Source>(1)?,
        psp: row.get(2)?,
        endpoint: row.get(3)?,
        endpoint_mode: row.get(4)?,
    })
}
