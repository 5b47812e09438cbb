//! What a statement says that the ledger does not have yet: lines, and commissions that were corrected.

use std::collections::BTreeMap;

use rusqlite::Connection;

use cvco_domain::{Cents, Day, Statement, StatementLine};

use super::{Stored, lines_of};
use crate::LedgerError;
use crate::tables::ids::StatementId;

/// What makes two lines of one statement the same. Not their commission: an issuer may correct that.
type Content = (Option<String>, Option<String>, Option<String>, i64, Option<String>);

fn content(line: &StatementLine) -> Content {
    (
        line.transaction.as_ref().map(ToString::to_string),
        line.reference.as_ref().map(ToString::to_string),
        line.authorisation.as_ref().map(ToString::to_string),
        line.amount.get(),
        line.dated.map(|day| day.to_string()),
    )
}

/// What of a statement is new.
pub(crate) enum News {
    /// What there is to write down, which may be nothing.
    Fresh(Fresh),
    /// A statement of this number is known with another day.
    Contradiction { known: Day },
}

/// What of a statement there is to write down.
pub(crate) struct Fresh {
    /// The statement's row, if its number is known.
    pub(crate) known: Option<StatementId>,
    /// The lines that the ledger does not have yet.
    pub(crate) new: Vec<StatementLine>,
    /// The known lines of which another commission is stated now.
    pub(crate) corrected: Vec<Corrected>,
    /// The commission of a known statement as a whole, where another one is stated now.
    pub(crate) total: Option<Cents>,
    /// New lines that name the same payment as a known one that the file no longer has, with another amount.
    pub(crate) restated: Vec<Restated>,
}

/// A line that an issuer may have meant in the place of a known one. Both count: nobody but a person knows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restated {
    /// The known one.
    pub known: StatementLine,
    /// The new one.
    pub new: StatementLine,
}

impl Restated {
    fn of(new: &StatementLine, left: &mut Vec<StatementLine>) -> Option<Self> {
        let name = |line: &StatementLine| {
            (line.transaction.clone(), line.reference.clone(), line.authorisation.clone())
        };
        let place = left.iter().position(|known| name(known) == name(new) && known.amount != new.amount)?;
        Some(Self { known: left.remove(place), new: new.clone() })
    }
}

impl Fresh {
    pub(crate) fn is_nothing(&self) -> bool {
        self.new.is_empty() && self.corrected.is_empty() && self.total.is_none()
    }
}

/// A known line of which another commission is stated now.
pub(crate) struct Corrected {
    pub(crate) position: u32,
    pub(crate) commission: Cents,
}

/// Why a statement cannot be taken that is known with another day.
pub(crate) fn contradiction(statement: &Statement, known: Day) -> String {
    format!(
        "statement {} is known with the day {known}, and is given with {}: correct the file or its number",
        statement.number, statement.paid_on
    )
}

/// What of a statement is new: each line as often as the file has it more than the ledger. An issuer takes two refunds of one
/// amount back by two lines that are the same. What a later file states about commissions holds: it is how an issuer
/// corrects one.
pub(crate) fn news(conn: &Connection, statement: &Statement) -> Result<News, LedgerError> {
    let known = super::known(conn, statement)?;
    let mut there: BTreeMap<Content, Vec<Stored>> = BTreeMap::new();
    let mut total = None;
    if let Some((id, paid_on)) = known {
        if paid_on != statement.paid_on {
            return Ok(News::Contradiction { known: paid_on });
        }
        for stored in lines_of(conn, id)? {
            there.entry(content(&stored.line)).or_default().push(stored);
        }
        let stated = super::stated_commission(conn, id)?;
        total = statement.commission.filter(|total| stated != Some(*total));
    }
    let mut new = Vec::new();
    let mut corrected = Vec::new();
    for line in &statement.lines {
        let Some(stored) = there.get_mut(&content(line)).and_then(|same| take_closest(same, line)) else {
            new.push(line.clone());
            continue;
        };
        if let Some(commission) = line.commission.filter(|stated| stored.line.commission != Some(*stated)) {
            corrected.push(Corrected { position: stored.position, commission });
        }
    }
    let mut left: Vec<StatementLine> = there.into_values().flatten().map(|stored| stored.line).collect();
    let restated = new.iter().filter_map(|line| Restated::of(line, &mut left)).collect();
    Ok(News::Fresh(Fresh { known: known.map(|(id, _)| id), new, corrected, total, restated }))
}

/// Takes the line with this one's commission out of lines that are the same otherwise, else the first.
fn take_closest(same: &mut Vec<Stored>, line: &StatementLine) -> Option<Stored> {
    let closest =
        same.iter().position(|stored| stored.line.commission == line.commission).unwrap_or_default();
    (closest < same.len()).then(|| same.remove(closest))
}
