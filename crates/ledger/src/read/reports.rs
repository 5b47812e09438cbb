//! The rows of the accountant's lists.

use rusqlite::{Row, params};

use super::Extract;
use crate::LedgerError;
use cvco_books::accounting::{Cell, Holds, Report};
use cvco_domain::{Day, ShopId};

/// Which rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRange {
    /// From this day on.
    pub from: Day,
    /// To this day; what is open is open at its end.
    pub to: Day,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// With trials.
    pub with_trials: bool,
}

// Parameters: ?1, ?2 the days; ?3, ?4 the instants from which on and before which; ?5 the shop; ?6 with trials.

/// What register and gaps are about. `own`: the payments of the span; `gaps`: the discrepancies that were open in it, or
/// are open still and concern such a payment. So what is a gap in one list is a row of the other. A payment of another
/// month is a row too if something was received for it or went back in the span, or was learned only after that month was
/// closed: the books of the span hold it.
const SUBJECTS: &str = "
  WITH moved AS (
    SELECT order_id, psp, call_number FROM tenders WHERE received_on BETWEEN ?1 AND ?2
    UNION SELECT order_id, psp, call_number FROM records WHERE first_seen_at >= ?3 AND first_seen_at < ?4),
  dated AS (
    SELECT r.order_id, r.psp, r.call_number, r.mode, r.first_seen_at,
           (SELECT MIN(t.received_on) FROM tenders t WHERE t.order_id = r.order_id AND t.psp = r.psp
              AND t.call_number = r.call_number) AS received_on
    FROM moved JOIN records r USING (order_id, psp, call_number)),
  own AS (
    SELECT order_id, psp, call_number FROM dated
    WHERE (?6 OR mode = 'production')
      AND (received_on BETWEEN ?1 AND ?2
           OR (received_on IS NULL AND first_seen_at >= ?3 AND first_seen_at < ?4))),
  gaps AS (
    SELECT d.id, d.order_id, d.psp, d.call_number FROM discrepancies d
    WHERE (?5 IS NULL OR d.shop = ?5)
      -- a trial is no gap, but for one that is where real payments should be
      AND (?6 OR d.kind = 'test_in_production'
           OR COALESCE((SELECT MIN(r.mode) FROM records r WHERE r.order_id = d.order_id
                          AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number))),
                       'production') = 'production')
      AND (d.opened_at < ?4 AND (d.closed_at IS NULL OR d.closed_at >= ?3)
           OR d.closed_at IS NULL AND EXISTS (SELECT 1 FROM own p WHERE p.order_id = d.order_id
                AND (d.call_number IS NULL OR (d.psp = p.psp AND d.call_number = p.call_number))))),
  listed AS (
    SELECT r.*, k.carried,
           (SELECT MIN(t.received_on) FROM tenders t WHERE t.order_id = r.order_id AND t.psp = r.psp
              AND t.call_number = r.call_number) AS received_on,
           (SELECT COALESCE(SUM(t.amount_cents), 0) FROM tenders t WHERE t.order_id = r.order_id AND t.psp = r.psp
              AND t.call_number = r.call_number AND t.issuer NOT IN ('ancv', 'bank') AND t.currency = r.currency
              AND t.state IN ('authorised', 'captured', 'refunded', 'part_refunded')) AS other_cents,
           -- what came to nothing lacks nothing, and what adds up together may be parts of it
           CASE r.state WHEN 'failed' THEN NULL WHEN 'balanced' THEN IIF(r.expected_cents IS NULL, NULL, 0)
                        ELSE r.paid_cents - r.expected_cents END AS gap_cents
    FROM (SELECT order_id, psp, call_number, MIN(carried) AS carried
          FROM (SELECT order_id, psp, call_number, 0 AS carried FROM own
                UNION ALL
                SELECT order_id, psp, call_number, 2 FROM tenders WHERE received_on BETWEEN ?1 AND ?2
                UNION ALL
                SELECT order_id, psp, call_number, 2 FROM returns WHERE returned_on BETWEEN ?1 AND ?2
                UNION ALL
                SELECT e.order_id, e.psp, e.call_number, 2 FROM entries e
                WHERE e.EcritureDate BETWEEN ?1 AND ?2 AND e.PieceDate < ?1 AND e.order_id IS NOT NULL
                  AND e.psp IS NOT NULL AND e.call_number IS NOT NULL
                UNION ALL
                SELECT r.order_id, r.psp, r.call_number, 1 FROM gaps d JOIN records r ON r.order_id = d.order_id
                 AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number)))
          GROUP BY order_id, psp, call_number) k
    JOIN records r USING (order_id, psp, call_number)
    -- a trial that is a gap is no payment
    WHERE ?6 OR r.mode = 'production')";

const REGISTER: &str = "
  SELECT o.shop, r.psp,
         (SELECT group_concat(contract, ', ') FROM (SELECT DISTINCT t.contract FROM tenders t WHERE t.order_id = r.order_id
            AND t.psp = r.psp AND t.call_number = r.call_number ORDER BY 1)),
         o.reference, r.call_number, r.received_on, r.expected_cents, r.voucher_cents - r.other_cents,
         r.card_cents, r.paid_cents,
         r.gap_cents, r.refunded_cents, r.state, r.authorised_at, r.captured_at, r.settled_at,
         (SELECT e.EcritureNum FROM entries e WHERE e.order_id = r.order_id AND e.psp = r.psp
            AND e.call_number = r.call_number AND e.movement = 'receipt' ORDER BY e.line LIMIT 1),
         (SELECT COUNT(*) FROM discrepancies d WHERE d.order_id = r.order_id AND d.closed_at IS NULL
            AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number))),
         r.mode, r.currency, r.other_cents, MIN(r.carried, 1), r.taken_back_cents
  FROM listed r JOIN orders o USING (order_id)
  WHERE ?5 IS NULL OR o.shop = ?5
  ORDER BY MIN(r.carried, 1), r.first_seen_at, o.shop, r.psp, r.call_number";

/// Classes of accounting practice; a kind without one stands without. A payment that lacks something and is no
/// discrepancy, because there is time yet, stands by its state.
const GAPS: &str = "
  SELECT CASE kind WHEN 'amount_short' THEN 'G1' WHEN 'amount_over' THEN 'G1' WHEN 'complement_orphan' THEN 'G2'
           WHEN 'complement_missing' THEN 'G3' WHEN 'conflicting_notification' THEN 'G4' WHEN 'refund_late' THEN 'G5'
           WHEN 'voucher_orphan' THEN 'G6' WHEN 'statement_line_unknown' THEN 'G7' WHEN 'settlement_missing' THEN 'G8'
           WHEN 'commission_mismatch' THEN 'G9' WHEN 'test_in_production' THEN 'G10'
           WHEN 'currency_unexpected' THEN 'G11' WHEN 'contract_unknown' THEN 'G12'
           WHEN 'reference_collision' THEN 'G13' ELSE '' END,
         kind, severity, shop, psp, order_ref, call_number, expected_cents, actual_cents, actual_cents - expected_cents,
         opened_at, closed_at, acked_by, last_note,
         (SELECT d.detail_json FROM discrepancies d WHERE d.id = acct_discrepancies.id), id
  FROM acct_discrepancies WHERE id IN (SELECT id FROM gaps)
  UNION ALL
  SELECT 'G1', r.state, 'info', o.shop, r.psp, o.reference, r.call_number, r.expected_cents, r.paid_cents, r.gap_cents,
         r.first_seen_at, NULL, NULL, NULL, NULL, NULL
  FROM listed r JOIN orders o USING (order_id)
  WHERE r.gap_cents <> 0 AND r.carried < 2 AND (?5 IS NULL OR o.shop = ?5)
    AND NOT EXISTS (SELECT 1 FROM gaps d WHERE d.order_id = r.order_id
          AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number)))
  ORDER BY 11, 16";

/// Of a month that is closed: what its books hold, for that is what justifies their balance. What was learned of it since stands in
/// a later month.
const AGEING: &str = "
  WITH closed AS (SELECT 1 FROM closings WHERE period = substr(?2, 1, 7))
  SELECT CASE WHEN days <= 7 THEN '0-7' WHEN days <= 15 THEN '8-15' WHEN days <= 30 THEN '16-30'
              WHEN days <= 60 THEN '31-60' ELSE '>60' END,
         days, shop, instrument, psp, contract, reference, call_number, tender_id, day, received, returned, settled,
         received - returned - settled, later, issuer
  FROM (
    SELECT CAST(julianday(?2) - julianday(day) AS INTEGER) AS days, * FROM (
      SELECT o.order_id, o.shop, t.instrument, t.issuer, t.psp, t.contract, o.reference, t.call_number, t.tender_id, t.position,
             COALESCE(t.received_on, (SELECT MIN(returned_on) FROM returns b WHERE b.order_id = t.order_id
               AND b.psp = t.psp AND b.call_number = t.call_number AND b.position = t.position)) AS day,
             IIF(t.received_on <= ?2, t.amount_cents, 0) AS received,
             COALESCE((SELECT SUM(b.amount_cents) FROM returns b WHERE b.order_id = t.order_id AND b.psp = t.psp
               AND b.call_number = t.call_number AND b.position = t.position AND b.returned_on <= ?2), 0) AS returned,
             COALESCE((SELECT SUM(p.amount_cents) FROM payout_shares p JOIN statement_lines l USING (statement_id, position)
               WHERE p.order_id = t.order_id AND p.psp = t.psp AND p.call_number = t.call_number
                 AND p.tender_position = t.position AND l.paid_on <= ?2), 0) AS settled,
             IIF(t.settled_on > ?2, t.settled_on, NULL) AS later
      FROM tenders t JOIN orders o USING (order_id)
      WHERE NOT EXISTS (SELECT 1 FROM closed)
        AND (t.received_on <= ?2
               AND (t.amount_cents - t.refunded_cents <> t.settled_cents OR t.settled_on > ?2 OR t.refunded_cents > 0
                    OR t.state IN ('cancelled', 'expired'))
             OR t.received_on IS NULL AND t.refunded_cents > 0) AND (?5 IS NULL OR o.shop = ?5)
      UNION ALL
      SELECT e.order_id, e.shop, IIF(e.leg = 'card', 'card', 'voucher'), t.issuer, e.psp, t.contract, o.reference, e.call_number,
             e.tender_id, t.position, COALESCE(MIN(e.PieceDate) FILTER (WHERE e.movement = 'receipt'), MIN(e.PieceDate)),
             SUM(IIF(e.movement = 'receipt', e.Debit - e.Credit, 0)),
             SUM(IIF(e.movement IN ('refund', 'chargeback', 'cancellation'), e.Credit - e.Debit, 0)),
             SUM(IIF(e.movement = 'payout', e.Credit - e.Debit, 0)),
             IIF(t.settled_on > ?2, t.settled_on, NULL)
      FROM entries e JOIN orders o USING (order_id)
      LEFT JOIN tenders t ON t.order_id = e.order_id AND t.psp = e.psp AND t.call_number = e.call_number
       AND t.tender_id IS e.tender_id AND t.brand = e.brand
      WHERE EXISTS (SELECT 1 FROM closed) AND e.EcritureDate <= ?2 AND e.leg IN ('voucher', 'other_voucher', 'card')
        AND (?5 IS NULL OR e.shop = ?5)
      GROUP BY e.order_id, e.psp, e.call_number, e.tender_id, e.brand)
    WHERE day <= ?2 AND ?1 IS NOT NULL AND ?3 IS NOT NULL AND ?4 IS NOT NULL AND ?6 IS NOT NULL)
  WHERE received - returned - settled <> 0
  ORDER BY day, order_id, psp, call_number, position";

// As `acct_totals`, by the days that are asked for.
const TOTALS: &str = "
  WITH days AS (
    SELECT day, shop, psp, contract,
           SUM(issuer = 'ancv' AND received) AS voucher_count, SUM(IIF(issuer = 'ancv', in_cents, 0)) AS voucher_cents,
           SUM(issuer = 'bank' AND received) AS card_count, SUM(IIF(issuer = 'bank', in_cents, 0)) AS card_cents,
           SUM(IIF(issuer = 'ancv', back_cents, 0)) AS voucher_returned_cents,
           SUM(IIF(issuer = 'bank', back_cents, 0)) AS card_returned_cents,
           SUM(paid_cents) AS paid_out_cents, SUM(kept_cents) AS commission_cents,
           SUM(issuer NOT IN ('ancv', 'bank') AND received) AS other_count,
           SUM(IIF(issuer NOT IN ('ancv', 'bank'), in_cents, 0)) AS other_cents,
           SUM(IIF(issuer NOT IN ('ancv', 'bank'), back_cents, 0)) AS other_returned_cents,
           SUM(taken_cents) AS card_taken_back_cents
    FROM (
      SELECT t.received_on AS day, o.shop, t.psp, t.contract, t.issuer, 1 AS received, t.amount_cents AS in_cents,
             0 AS back_cents, 0 AS taken_cents, 0 AS paid_cents, 0 AS kept_cents
      FROM tenders t JOIN orders o USING (order_id) WHERE t.received_on BETWEEN ?1 AND ?2
      UNION ALL
      SELECT b.returned_on, o.shop, t.psp, t.contract, t.issuer, 0, 0, b.amount_cents, IIF(b.cause = 'chargeback', b.amount_cents, 0), 0, 0
      FROM returns b JOIN tenders t USING (order_id, psp, call_number, position) JOIN orders o USING (order_id)
      WHERE b.returned_on BETWEEN ?1 AND ?2
      UNION ALL
      SELECT l.paid_on, l.shop, t.psp, t.contract, t.issuer, 0, 0, 0, 0, p.amount_cents, p.commission_cents
      FROM statements s JOIN statement_lines l USING (statement_id) JOIN payout_shares p USING (statement_id, position)
      JOIN tenders t ON t.order_id = p.order_id AND t.psp = p.psp AND t.call_number = p.call_number
       AND t.position = p.tender_position
      WHERE s.paid_on BETWEEN ?1 AND ?2
      UNION ALL
      -- lines of which nobody knows what they pay, where they were booked on suspense
      SELECT l.paid_on, l.shop, NULL, NULL, l.issuer, 0, 0, 0, 0, l.amount_cents, l.commission_cents
      FROM statements s JOIN statement_lines l USING (statement_id)
      WHERE s.paid_on BETWEEN ?1 AND ?2 AND l.order_id IS NULL
        AND EXISTS (SELECT 1 FROM entries e WHERE e.statement_id = s.statement_id AND e.leg = 'suspense'))
    WHERE (?5 IS NULL OR shop = ?5) AND ?3 IS NOT NULL AND ?4 IS NOT NULL AND ?6 IS NOT NULL
    GROUP BY day, shop, psp, contract),
  booked AS (
    SELECT 1 AS level, movement, leg, Debit - Credit AS cents FROM entries
    WHERE EcritureDate BETWEEN ?1 AND ?2 AND (?5 IS NULL OR shop = ?5)
    UNION ALL
    -- what was learned of closed months, and of these days after they were closed
    SELECT 2, movement, leg, Debit - Credit FROM entries
    WHERE EcritureDate BETWEEN ?1 AND ?2 AND PieceDate < ?1 AND (?5 IS NULL OR shop = ?5)
    UNION ALL
    SELECT 2, movement, leg, Credit - Debit FROM entries
    WHERE EcritureDate > ?2 AND PieceDate BETWEEN ?1 AND ?2 AND (?5 IS NULL OR shop = ?5)),
  sums AS (
    SELECT level,
           COALESCE(SUM(IIF(movement = 'receipt' AND leg = 'voucher', cents, 0)), 0) AS voucher_cents,
           COALESCE(SUM(IIF(movement = 'receipt' AND leg = 'card', cents, 0)), 0) AS card_cents,
           COALESCE(SUM(IIF(movement IN ('refund', 'chargeback', 'cancellation') AND leg = 'voucher', -cents, 0)), 0)
             AS voucher_returned_cents,
           COALESCE(SUM(IIF(movement IN ('refund', 'chargeback', 'cancellation') AND leg = 'card', -cents, 0)), 0)
             AS card_returned_cents,
           COALESCE(SUM(IIF(movement = 'payout' AND leg IN ('voucher', 'other_voucher', 'card', 'suspense'), -cents, 0)), 0) AS paid_out_cents,
           COALESCE(SUM(IIF(leg IN ('commission', 'vat'), cents, 0)), 0) AS commission_cents,
           COALESCE(SUM(IIF(leg = 'bank', cents, 0)), 0) AS net_cents,
           COALESCE(SUM(IIF(movement = 'receipt' AND leg = 'other_voucher', cents, 0)), 0) AS other_cents,
           COALESCE(SUM(IIF(movement IN ('refund', 'chargeback', 'cancellation') AND leg = 'other_voucher', -cents, 0)), 0)
             AS other_returned_cents,
           COALESCE(SUM(IIF(movement = 'chargeback' AND leg = 'card', -cents, 0)), 0) AS card_taken_back_cents
    FROM (SELECT * FROM booked UNION ALL SELECT 1, '', '', 0) GROUP BY level),
  carried AS (SELECT * FROM sums WHERE level = 2)
  SELECT 'day', day, shop, psp, contract, voucher_count, voucher_cents, card_count, card_cents, voucher_returned_cents,
         card_returned_cents, paid_out_cents, commission_cents, paid_out_cents - commission_cents,
         other_count, other_cents, other_returned_cents, card_taken_back_cents, 1 AS part
  FROM days
  UNION ALL
  SELECT 'month', substr(day, 1, 7), shop, psp, contract, SUM(voucher_count), SUM(voucher_cents), SUM(card_count),
         SUM(card_cents), SUM(voucher_returned_cents), SUM(card_returned_cents), SUM(paid_out_cents),
         SUM(commission_cents), SUM(paid_out_cents - commission_cents),
         SUM(other_count), SUM(other_cents), SUM(other_returned_cents), SUM(card_taken_back_cents), 2
  FROM days GROUP BY 2, shop, psp, contract
  UNION ALL
  SELECT 'carried', ?1 || ' - ' || ?2, NULL, NULL, NULL, NULL, voucher_cents, NULL, card_cents, voucher_returned_cents,
         card_returned_cents, paid_out_cents, commission_cents, net_cents, NULL, other_cents, other_returned_cents,
         card_taken_back_cents, 3
  FROM carried
  UNION ALL
  SELECT 'total', ?1 || ' - ' || ?2, NULL, NULL, NULL, COALESCE(SUM(voucher_count), 0), COALESCE(SUM(voucher_cents), 0),
         COALESCE(SUM(card_count), 0), COALESCE(SUM(card_cents), 0), COALESCE(SUM(voucher_returned_cents), 0),
         COALESCE(SUM(card_returned_cents), 0), COALESCE(SUM(paid_out_cents), 0), COALESCE(SUM(commission_cents), 0),
         COALESCE(SUM(net_cents), 0),
         COALESCE(SUM(other_count), 0), COALESCE(SUM(other_cents), 0), COALESCE(SUM(other_returned_cents), 0),
         COALESCE(SUM(card_taken_back_cents), 0), 4
  FROM (SELECT voucher_count, voucher_cents, card_count, card_cents, voucher_returned_cents, card_returned_cents,
               paid_out_cents, commission_cents, paid_out_cents - commission_cents AS net_cents, other_count, other_cents,
               other_returned_cents, card_taken_back_cents
        FROM days
        UNION ALL
        SELECT 0, voucher_cents, 0, card_cents, voucher_returned_cents, card_returned_cents, paid_out_cents,
               commission_cents, net_cents, 0, other_cents, other_returned_cents, card_taken_back_cents
        FROM carried)
  UNION ALL
  SELECT 'entries', ?1 || ' - ' || ?2, NULL, NULL, NULL, NULL, voucher_cents, NULL, card_cents, voucher_returned_cents,
         card_returned_cents, paid_out_cents, commission_cents, net_cents, NULL, other_cents, other_returned_cents,
         card_taken_back_cents, 5
  FROM sums WHERE level = 1
  ORDER BY part, 2, 3, 4, 5";

impl Extract<'_> {
    /// Tells every row of a list, in a fixed order.
    ///
    /// # Errors
    /// The ledger's, or that of whom is told.
    pub fn each_row<E: From<LedgerError>>(
        self,
        report: Report,
        range: &ReportRange,
        mut tell: impl FnMut(&[Cell]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = |error: rusqlite::Error| E::from(LedgerError::from(error));
        let query = match report {
            Report::Register => format!("{SUBJECTS}{REGISTER}"),
            Report::Gaps => format!("{SUBJECTS}{GAPS}"),
            Report::Ageing => AGEING.to_owned(),
            Report::Totals => TOTALS.to_owned(),
        };
        let columns = report.columns();
        let mut rows = self.conn.prepare_cached(&query).map_err(sql)?;
        let mut rows = rows
            .query(params![
                range.from,
                range.to,
                range.from.start(),
                range.to.next().start(),
                range.shop.as_ref().map(ShopId::as_str),
                range.with_trials
            ])
            .map_err(sql)?;
        let mut cells = Vec::with_capacity(columns.len());
        while let Some(row) = rows.next().map_err(sql)? {
            cells.clear();
            for (place, (_, _, holds)) in columns.iter().enumerate() {
                cells.push(cell(row, place, *holds).map_err(sql)?);
            }
            tell(&cells)?;
        }
        Ok(())
    }
}

fn cell(row: &Row<'_>, place: usize, holds: Holds) -> rusqlite::Result<Cell> {
    Ok(match holds {
        Holds::Text => row.get::<_, Option<String>>(place)?.map_or(Cell::Empty, Cell::Text),
        Holds::Money => row.get::<_, Option<_>>(place)?.map_or(Cell::Empty, Cell::Money),
        Holds::Count => row.get::<_, Option<_>>(place)?.map_or(Cell::Empty, Cell::Count),
        Holds::Day => row.get::<_, Option<_>>(place)?.map_or(Cell::Empty, Cell::Day),
        Holds::Instant => row.get::<_, Option<_>>(place)?.map_or(Cell::Empty, Cell::Instant),
    })
}
