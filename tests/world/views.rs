//! What an accountant reads in the ledger, by plain SQL over the `acct_*` views.

use cvco_domain::Timestamp;
use cvco_reconciled::ledger::{Yardstick, verify};
use rusqlite::{Connection, Result, Row};

use crate::daemon::{Trouble, text};
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
            "SELECT total_cents, currency, version, paid_cents, state FROM acct_orders WHERE reference = ?1",
            reference,
            |row| {
                let (total, currency) = (row.get(0)?, row.get(1)?);
                Ok(OrderRow { total, currency, version: row.get(2)?, paid: row.get(3)?, state: row.get(4)? })
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

/// Discrepancies for which other e-mails are owed than one of the opening and one of the closing, or any at all for
/// what is only informed of.
pub(crate) fn wrongly_owed(ledger: &Connection) -> Result<Vec<String>> {
    all(
        ledger,
        "SELECT d.kind || ' ' || d.id FROM discrepancies d
         WHERE ?1 = '' AND ((SELECT COUNT(*) FROM outbox o WHERE o.discrepancy_id = d.id AND o.news = 'opened')
                 <> (d.severity <> 'info')
            OR (SELECT COUNT(*) FROM outbox o WHERE o.discrepancy_id = d.id AND o.news = 'closed')
                 <> (d.severity <> 'info' AND d.closed_at IS NOT NULL))",
        "",
        |row| row.get(0),
    )
}

/// Facts that were taken for news more than once at one endpoint.
pub(crate) fn taken_twice(ledger: &Connection) -> Result<Vec<String>> {
    all(
        ledger,
        "SELECT json_extract(content, '$.events') FROM log
         WHERE ?1 = '' AND kind = 'notification' AND verdict = 'genuine'
         GROUP BY endpoint, 1 HAVING COUNT(*) > 1",
        "",
        |row| row.get(0),
    )
}

/// What `verify` finds wrong with the ledger: its chain, and the fold made again from the log.
pub(crate) fn flaws(ledger: &Connection) -> std::result::Result<Vec<Trouble>, Trouble> {
    let folder = tempfile::tempdir().map_err(text)?;
    let (file, no_key) = (folder.path().join("ledger.sqlite"), folder.path().join("payload.key"));
    let path = file.to_str().ok_or("a folder that is no text")?;
    ledger.execute("VACUUM INTO ?1", [path]).map_err(text)?;
    let kept_since = Timestamp::from_millis(0);
    let yardstick = Yardstick { key_file: &no_key, kept_since, anchors: &[] };
    let proof = verify(&file, &yardstick, &mut |_| {}).map_err(text)?;
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
