//! Letters (lettrage): the lines of one part of a payment, on one account, that come to nothing together.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use crate::LedgerError;
use crate::tables::ids::StatementId;
use cvco_books::accounting::Movement;
use cvco_domain::{Cents, Day, Period};

use super::numbers::Numbers;

/// A line that has no letter yet.
struct Open {
    line: i64,
    /// The order, the part of it, and the account.
    of: (i64, String, String, Option<String>, String, String),
    is_back: bool,
    statement_id: Option<StatementId>,
    day: Day,
    amount: Cents,
}

impl Open {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            line: row.get(0)?,
            of: (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?),
            is_back: row.get::<_, Movement>(7)?.is_back(),
            statement_id: row.get(8)?,
            day: row.get(9)?,
            amount: row.get(10)?,
        })
    }
}

const OPEN: &str = "
  SELECT line, order_id, psp, call_number, tender_id, brand, CompteNum, movement, statement_id, PieceDate, Debit - Credit
  FROM entries WHERE EcritureLet IS NULL AND leg IN ('voucher', 'other_voucher', 'card') AND brand IS NOT NULL AND order_id IN
    (SELECT order_id FROM entries WHERE EcritureDate BETWEEN ?1 AND ?2 AND leg IN ('voucher', 'other_voucher', 'card'))
  ORDER BY order_id, psp, call_number, tender_id, brand, CompteNum, line";

/// What gets one letter: all that a statement settles on one account, so that each entry of a bank has one letter; or,
/// where none is involved, one part of an order.
type Group = (Option<StatementId>, String, Option<i64>);

/// Gives letters to what has come to nothing in a period.
pub(super) fn give(conn: &Connection, period: Period, numbers: &mut Numbers) -> Result<(), LedgerError> {
    let mut groups: BTreeMap<Group, (Day, Vec<i64>)> = BTreeMap::new();
    let mut part: Vec<Open> = Vec::new();
    let mut open = conn.prepare_cached(OPEN)?;
    for line in open.query_map(params![period.first(), period.last()], Open::read)? {
        let line = line?;
        if part.first().is_some_and(|first| first.of != line.of) {
            letter(&std::mem::take(&mut part), &mut groups);
        }
        part.push(line);
    }
    letter(&part, &mut groups);
    let mut groups: Vec<(Day, Group, Vec<i64>)> =
        groups.into_iter().map(|(group, (day, lines))| (day, group, lines)).collect();
    groups.sort();
    for (day, _, lines) in groups {
        let letter = numbers.letter();
        for line in lines {
            conn.prepare_cached(
                "UPDATE entries SET EcritureLet = ?2, DateLet = ?3, lettered_in = ?4 WHERE line = ?1",
            )?
            .execute(params![line, letter, day, period.to_string()])?;
        }
    }
    Ok(())
}

/// Groups all lines of one part; if they do not come to nothing, what was received with what was paid out of it, and what was
/// given back with what was taken back for it.
fn letter(part: &[Open], groups: &mut BTreeMap<Group, (Day, Vec<i64>)>) {
    let mut enter = |lines: Vec<&Open>| {
        let sum: Cents = lines.iter().map(|line| line.amount).sum();
        let (Some(first), Some(last)) = (lines.first(), lines.iter().map(|line| line.day).max()) else {
            return false;
        };
        if sum != Cents::ZERO {
            return false;
        }
        let statement = lines.iter().filter_map(|line| line.statement_id).max();
        let alone = statement.is_none().then_some(first.line);
        let (day, members) =
            groups.entry((statement, first.of.5.clone(), alone)).or_insert_with(|| (last, Vec::new()));
        *day = last.max(*day);
        members.extend(lines.iter().map(|line| line.line));
        true
    };
    if enter(part.iter().collect()) {
        return;
    }
    let is_taken_back = |line: &Open| line.statement_id.is_some() && line.amount.is_positive();
    let (back, forth): (Vec<&Open>, Vec<&Open>) =
        part.iter().partition(|line| line.is_back || is_taken_back(line));
    enter(forth);
    enter(back);
}
