//! The manifest of a close: what an accountant keeps beside the exports.

use std::collections::BTreeMap;

use cvco_domain::{Cents, Period, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::LedgerError;
use crate::tables::progress::Progress;

#[derive(Serialize, Deserialize)]
struct Manifest {
    period: Period,
    closed_at: Timestamp,
    /// The last entry of the log before the close: all that it rests on.
    chain: Chain,
    entries: i64,
    lines: i64,
    series: Vec<Series>,
    accounts: Vec<AccountTotal>,
    totals: Totals,
    /// All that was ever received, in cents: it never falls.
    perpetual_total_cents: Cents,
    /// SHA-256 of each export as it was right after the close.
    #[serde(default)]
    exports_sha256: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Chain {
    seq: Seq,
    hash: String,
}

/// The numbers of one journal.
#[derive(Serialize, Deserialize)]
struct Series {
    journal: String,
    first: String,
    last: String,
    entries: i64,
}

#[derive(Serialize, Deserialize)]
struct AccountTotal {
    account: String,
    label: String,
    debit_cents: Cents,
    credit_cents: Cents,
}

#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names in the file, where the unit must stand")]
struct Totals {
    voucher_received_cents: Cents,
    card_received_cents: Cents,
    other_voucher_received_cents: Cents,
    voucher_returned_cents: Cents,
    other_voucher_returned_cents: Cents,
    card_returned_cents: Cents,
    paid_out_cents: Cents,
    commission_cents: Cents,
}

/// The manifest of a closed period, with the digests of its exports as soon as these were rendered.
pub(crate) fn manifest(conn: &Connection, period: Period) -> Result<Option<String>, LedgerError> {
    let stored: Option<(String, Option<String>)> = conn
        .prepare_cached("SELECT manifest, exports FROM closings WHERE period = ?1")?
        .query_row([period.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((manifest, exports)) = stored else { return Ok(None) };
    let mut manifest: Manifest = serde_json::from_str(&manifest)?;
    if let Some(exports) = exports {
        manifest.exports_sha256 = serde_json::from_str(&exports)?;
    }
    Ok(Some(serde_json::to_string_pretty(&manifest)?))
}

fn totals(conn: &Connection, period: &str) -> Result<Totals, LedgerError> {
    let sum = |condition: &str| -> Result<Cents, LedgerError> {
        let query =
            format!("SELECT COALESCE(SUM(Debit - Credit), 0) FROM entries WHERE period = ?1 AND {condition}");
        Ok(conn.prepare_cached(&query)?.query_row([period], |row| row.get(0))?)
    };
    let received = |leg: &str| sum(&format!("movement = 'receipt' AND leg = '{leg}'"));
    let returned = |leg: &str| {
        let back = sum(&format!("movement IN ('refund', 'chargeback', 'cancellation') AND leg = '{leg}'"))?;
        Ok::<_, LedgerError>(Cents::ZERO.minus(back))
    };
    Ok(Totals {
        voucher_received_cents: received("voucher")?,
        card_received_cents: received("card")?,
        other_voucher_received_cents: received("other_voucher")?,
        voucher_returned_cents: returned("voucher")?,
        other_voucher_returned_cents: returned("other_voucher")?,
        card_returned_cents: returned("card")?,
        paid_out_cents: sum("leg = 'bank'")?,
        commission_cents: sum("leg IN ('commission', 'vat')")?,
    })
}

/// The manifest as it is written at the close: the same bytes whenever it is made.
pub(super) fn written(
    conn: &Connection,
    closing: Period,
    closed_at: Timestamp,
    before: &Progress,
) -> Result<String, LedgerError> {
    let period = closing.to_string();
    let rows = |query: &str| -> Result<Vec<(String, String, String, i64)>, LedgerError> {
        let mut rows = conn.prepare_cached(query)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        Ok(rows.query_map([&period], read)?.collect::<Result<_, _>>()?)
    };
    // Numbers longer than six digits come after all others.
    let series = rows(
        "SELECT series, (SELECT EcritureNum FROM entries WHERE line = first),
                (SELECT EcritureNum FROM entries WHERE line = last), entries
         FROM (SELECT JournalCode || substr(EcritureNum, length(JournalCode) + 1, 4) AS series, MIN(line) AS first,
                      MAX(line) AS last, COUNT(DISTINCT EcritureNum) AS entries
               FROM entries WHERE period = ?1 GROUP BY 1) ORDER BY series",
    )?;
    let (entries, lines): (i64, i64) = conn
        .prepare_cached("SELECT COUNT(DISTINCT EcritureNum), COUNT(*) FROM entries WHERE period = ?1")?
        .query_row([&period], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let accounts = {
        let mut rows = conn.prepare_cached(
            "SELECT CompteNum, MIN(CompteLib), SUM(Debit), SUM(Credit) FROM entries WHERE period = ?1
             GROUP BY CompteNum ORDER BY CompteNum",
        )?;
        rows.query_map([&period], |row| {
            Ok(AccountTotal {
                account: row.get(0)?,
                label: row.get(1)?,
                debit_cents: row.get(2)?,
                credit_cents: row.get(3)?,
            })
        })?
        .collect::<Result<_, _>>()?
    };
    let totals = totals(conn, &period)?;
    let last: Option<String> = conn
        .prepare_cached("SELECT manifest FROM closings ORDER BY period DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let perpetual_before = match last {
        Some(text) => serde_json::from_str::<Manifest>(&text)?.perpetual_total_cents,
        None => Cents::ZERO,
    };
    let received = totals
        .voucher_received_cents
        .plus(totals.other_voucher_received_cents)
        .plus(totals.card_received_cents);
    let manifest = Manifest {
        period: closing,
        closed_at,
        chain: Chain { seq: before.seq, hash: before.chain_hash.clone() },
        entries,
        lines,
        series: series
            .into_iter()
            .map(|(journal, first, last, entries)| Series { journal, first, last, entries })
            .collect(),
        accounts,
        totals,
        perpetual_total_cents: perpetual_before.plus(received),
        exports_sha256: BTreeMap::new(),
    };
    Ok(serde_json::to_string_pretty(&manifest)?)
}
