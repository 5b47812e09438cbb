//! What an accountant reads in the ledger, by plain SQL over the `acct_*` views.

use cvco_domain::Timestamp;
use cvco_ledger::{Yardstick, verify};
use cvco_log::LogStore;
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row};

use crate::daemon::{SEAL, Trouble, text};
use crate::truth::{Discrepancy, OrderRow, RecordRow, TenderRow};

/// What the ledger says of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) order: Option<OrderRow>,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) open: Vec<Discrepancy>,
    pub(crate) closed: Vec<String>,
}

impl Found {
    pub(crate) fn of(ledger: &Connection, reference: &str) -> Result<Self> {
        let orders = all(
            ledger,
            "SELECT total_cents, currency, version, paid_cents, paid_currency, state FROM acct_orders WHERE reference = ?1",
            reference,
            |row| {
                let (total, currency) = (row.get(0)?, row.get(1)?);
                let (version, paid) = (row.get(2)?, row.get(3)?);
                let (paid_currency, state) = (row.get(4)?, row.get(5)?);
                Ok(OrderRow { total, currency, version, paid, paid_currency, state })
            },
        )?;
        let mut records = all(
            ledger,
            "SELECT psp, call_number, endpoint, mode, currency, expected_cents, expected_from, voucher_cents,
                    card_cents, paid_cents, refunded_cents, gap_cents, state
             FROM acct_register WHERE order_ref = ?1 ORDER BY psp, call_number",
            reference,
            record,
        )?;
        for record in &mut records {
            record.tenders = all(
                ledger,
                "SELECT tender_id, instrument, brand, amount_cents, refunded_cents, state,
                        authorised_at, captured_at, refunded_at
                 FROM acct_tenders WHERE call_number = ?1",
                &record.call_number,
                tender,
            )?;
            record.tenders.sort();
        }
        let discrepancies = |condition: &str| {
            let query = format!(
                "SELECT kind, d.call_number FROM acct_discrepancies d
                 WHERE order_ref = ?1 AND closed_at IS {condition} ORDER BY kind, call_number"
            );
            all(ledger, &query, reference, |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let closed: Vec<Discrepancy> = discrepancies("NOT NULL")?;
        Ok(Self {
            order: orders.into_iter().next(),
            records,
            open: discrepancies("NULL")?,
            closed: closed.into_iter().map(|(kind, _)| kind).collect(),
        })
    }
}

/// The open discrepancies of endpoints: kind and endpoint.
pub(crate) fn of_endpoints(ledger: &Connection) -> Result<Vec<(String, String)>> {
    all(
        ledger,
        "SELECT kind, endpoint FROM acct_discrepancies
         WHERE endpoint IS NOT NULL AND closed_at IS NULL AND ?1 = '' ORDER BY 1, 2",
        "",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Orders that nobody of this world placed, and discrepancies of none.
pub(crate) fn orders(ledger: &Connection) -> Result<Vec<String>> {
    all(ledger, "SELECT COALESCE(reference, call_number) FROM orders WHERE ?1 = '' ORDER BY 1", "", |row| {
        row.get(0)
    })
}

/// Discrepancies for which other e-mails are owed than one of the opening and, if people were told of that, one of the
/// closing; or any at all for what is only informed of.
pub(crate) fn wrongly_owed(ledger: &Connection) -> Result<Vec<String>> {
    all(
        ledger,
        "SELECT d.kind || ' ' || d.id FROM discrepancies d
         WHERE ?1 = '' AND ((SELECT COUNT(*) FROM owed o WHERE o.discrepancy_id = d.id AND o.news = 'opened')
                 <> (d.severity <> 'info')
            OR (SELECT COUNT(*) FROM owed o WHERE o.discrepancy_id = d.id AND o.news = 'closed')
                 <> (d.closed_at IS NOT NULL AND EXISTS (SELECT 1 FROM owed o
                       WHERE o.discrepancy_id = d.id AND o.news = 'opened' AND o.message_id IS NOT NULL))
            OR EXISTS (SELECT 1 FROM owed o WHERE o.discrepancy_id = d.id AND o.done_at IS NULL
                       AND o.news = 'opened' AND d.closed_at IS NOT NULL AND o.message_id IS NULL))",
        "",
        |row| row.get(0),
    )
}

/// Facts that were taken for news more than once at one endpoint.
pub(crate) fn taken_twice(ledger: &Connection) -> Result<Vec<String>> {
    all(
        ledger,
        "SELECT call_number || ' ' || COALESCE(tender_id, '') FROM facts WHERE ?1 = '' AND source = 'notification'
         GROUP BY order_id, psp, endpoint, has_reference, call_number, tender_id, instrument, brand, operation, refunds,
                  amount_cents, amount_from, running_total_cents, currency, state, status, authorisation, contract, mode,
                  complement, order_total_cents, itemised, parts_announced, occurred_at
         HAVING COUNT(*) > 1",
        "",
        |row| row.get(0),
    )
}

/// Every table of the fold, with its rows in order.
pub(crate) fn tables(ledger: &Connection) -> Result<Vec<(String, Vec<Vec<Value>>)>> {
    let names = all(
        ledger,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
           AND name NOT IN ('attempts', 'rejections') AND ?1 = '' ORDER BY name",
        "",
        |row| row.get::<_, String>(0),
    )?;
    names.into_iter().map(|name| rows(ledger, &name).map(|rows| (name, rows))).collect()
}

fn rows(ledger: &Connection, table: &str) -> Result<Vec<Vec<Value>>> {
    let mut rows = ledger.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = rows.column_count();
    let read = |row: &Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    rows.query_map([], read)?.collect()
}

/// How two ledgers differ.
pub(crate) fn differences(
    one: &[(String, Vec<Vec<Value>>)],
    other: &[(String, Vec<Vec<Value>>)],
) -> Vec<Trouble> {
    let differ = one.iter().zip(other).filter(|(one, other)| one != other);
    differ
        .map(|((name, one), (_, other))| {
            format!("two ledgers differ in {name}:\n    one   {one:?}\n    other {other:?}")
        })
        .collect()
}

/// What nobody may find at the end: entries that could not be folded or were refused, mails that are still owed, news that
/// were mailed twice.
pub(crate) fn left_over(ledger: &Connection) -> Result<Vec<String>> {
    all(
        ledger,
        "SELECT 'entry ' || seq || ' is set aside: ' || reason FROM set_aside WHERE ?1 = ''
         UNION ALL SELECT 'entry ' || seq || ' is refused: ' || reason FROM refused
         UNION ALL SELECT 'nobody was told that ' || discrepancy_id || ' ' || news FROM owed WHERE done_at IS NULL
         UNION ALL SELECT 'two mails tell that ' || discrepancy_id || ' ' || news FROM owed
           WHERE outcome = 'sent' GROUP BY discrepancy_id, news HAVING COUNT(*) > 1
         UNION ALL SELECT kind || ' concerns nobody' FROM discrepancies
           WHERE order_id IS NULL AND endpoint IS NULL AND (kind <> 'clock_stepped' OR closed_at IS NULL)",
        "",
        |row| row.get(0),
    )
}

/// What does not depend on the numbers of entries: what people read.
pub(crate) fn readings(ledger: &Connection) -> Result<Vec<(String, Vec<Vec<Value>>)>> {
    const VIEWS: [&str; 6] = [
        "acct_orders",
        "acct_register",
        "acct_tenders",
        "acct_discrepancies",
        "acct_confirmations",
        "acct_deliveries",
    ];
    VIEWS.into_iter().map(|view| Ok((view.to_owned(), rows(ledger, view)?))).collect()
}

/// What `verify` finds wrong: the chain, the payloads, and the ledger beside a fresh fold.
pub(crate) fn flaws(
    ledger: &Connection,
    log: &mut dyn LogStore,
) -> std::result::Result<Vec<Trouble>, Trouble> {
    let folder = tempfile::tempdir().map_err(text)?;
    let file = folder.path().join("ledger.sqlite");
    let path = file.to_str().ok_or("a folder that is no text")?;
    ledger.execute("VACUUM INTO ?1", [path]).map_err(text)?;
    let yardstick = Yardstick { key: Some(&SEAL), kept_since: Timestamp::from_millis(0), anchors: &[] };
    let proof = verify(log, &file, &yardstick, &mut |_| {}).map_err(text)?;
    Ok(proof.flaws.into_iter().map(|flaw| format!("verify: {}: {}", flaw.place, flaw.what)).collect())
}

fn all<T>(
    ledger: &Connection,
    query: &str,
    key: &str,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    ledger.prepare_cached(query)?.query_map([key], read)?.collect()
}

fn record(row: &Row<'_>) -> Result<RecordRow> {
    Ok(RecordRow {
        psp: row.get(0)?,
        call_number: row.get(1)?,
        endpoint: row.get(2)?,
        mode: row.get(3)?,
        currency: row.get(4)?,
        expected: row.get(5)?,
        expected_from: row.get(6)?,
        voucher: row.get(7)?,
        card: row.get(8)?,
        paid: row.get(9)?,
        refunded: row.get(10)?,
        gap: row.get(11)?,
        state: row.get(12)?,
        tenders: Vec::new(),
    })
}

fn tender(row: &Row<'_>) -> Result<TenderRow> {
    Ok(TenderRow {
        id: row.get(0)?,
        instrument: row.get(1)?,
        brand: row.get(2)?,
        amount: row.get(3)?,
        refunded: row.get(4)?,
        state: row.get(5)?,
        times: [row.get(6)?, row.get(7)?, row.get(8)?],
    })
}
