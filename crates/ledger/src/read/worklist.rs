//! Discrepancies as people work through them: the gravest first, of these the oldest; or what has closed, the latest first.

use std::fmt;
use std::str::FromStr;

use cvco_domain::{Cents, DiscrepancyId, Kind, Severity, ShopId};
use rusqlite::ToSql;

use super::Reader;
use super::payments::NoPlace;
use crate::LedgerError;
use crate::tables::discrepancies::at_stake_in_euros;

/// So many are counted, and acted on at once.
pub const WORKED: u32 = 5000;

/// Whether discrepancies are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whether {
    /// Open, and not put aside.
    #[default]
    Open,
    /// Open, and put aside until a date.
    Snoozed,
    /// Closed.
    Closed,
}

impl Whether {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Open, Self::Snoozed, Self::Closed];

    /// Its word in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Open => "closed_at IS NULL AND snoozed_until IS NULL",
            Self::Snoozed => "closed_at IS NULL AND snoozed_until IS NOT NULL",
            Self::Closed => "closed_at IS NOT NULL",
        }
    }
}

/// Which discrepancies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkFilter {
    /// Open, put aside, or closed.
    pub whether: Whether,
    /// Only those of this severity.
    pub severity: Option<Severity>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// Only those that nobody has acknowledged.
    pub unacked: bool,
    /// Only those with no greater number: what has come since is left out.
    pub through: Option<DiscrepancyId>,
}

/// A discrepancy's place in the order of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkPlace {
    severity: Severity,
    id: DiscrepancyId,
}

impl fmt::Display for WorkPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.severity, self.id)
    }
}

impl FromStr for WorkPlace {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (severity, id) = text.split_once('~').ok_or(NoPlace)?;
        let id = id.parse::<i64>().map_err(|_| NoPlace)?;
        Ok(Self { severity: severity.parse().map_err(|_| NoPlace)?, id: DiscrepancyId::new(id) })
    }
}

/// How many discrepancies a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkCount {
    /// How many; no more than [`WORKED`] are counted.
    pub counted: u32,
    /// Whether there are more.
    pub more: bool,
    /// What they lack or have too much, added up without signs; in euros.
    pub at_stake: Cents,
    /// The greatest number.
    pub last: Option<DiscrepancyId>,
}

const GRAVEST_FIRST: [Severity; 3] = [Severity::Urgent, Severity::Warning, Severity::Info];

fn conditions(filter: &WorkFilter) -> (String, Vec<Box<dyn ToSql>>) {
    let WorkFilter { whether, severity, kind, shop, unacked, through } = filter;
    let mut texts = vec![whether.condition().to_owned()];
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut add = |text: &str, value: Box<dyn ToSql>| {
        texts.push(text.to_owned());
        values.push(value);
    };
    if let Some(severity) = severity {
        add("severity = ?", Box::new(severity.as_str()));
    }
    if let Some(kind) = kind {
        add("kind = ?", Box::new(kind.as_str()));
    }
    if let Some(shop) = shop {
        add("shop = ?", Box::new(shop.as_str().to_owned()));
    }
    if let Some(through) = through {
        add("id <= ?", Box::new(*through));
    }
    if *unacked {
        texts.push("acked_at IS NULL".to_owned());
    }
    (texts.join(" AND "), values)
}

/// The query of those of one severity, or of closed ones.
fn query(filter: &WorkFilter, after: Option<DiscrepancyId>, at_most: u32) -> (String, Vec<Box<dyn ToSql>>) {
    let (mut conditions, mut values) = conditions(filter);
    let (sign, way) = if filter.whether == Whether::Closed { ("<", "DESC") } else { (">", "ASC") };
    if let Some(after) = after {
        conditions = format!("{conditions} AND id {sign} ?");
        values.push(Box::new(after));
    }
    let table = table(filter);
    (format!("SELECT severity, id FROM {table} WHERE {conditions} ORDER BY id {way} LIMIT {at_most}"), values)
}

/// Open ones lie in indexes of their own, by severity and by kind; closed ones are most of the table.
const fn table(filter: &WorkFilter) -> &'static str {
    match (filter.whether, filter.kind) {
        (Whether::Open | Whether::Snoozed, Some(_)) => "discrepancies INDEXED BY discrepancies_open_by_kind",
        (Whether::Open | Whether::Snoozed, None) => "discrepancies INDEXED BY discrepancies_open",
        (Whether::Closed, _) => "discrepancies",
    }
}

fn counting(filter: &WorkFilter) -> (String, Vec<Box<dyn ToSql>>) {
    let (conditions, values) = conditions(filter);
    let table = table(filter);
    let order = if filter.whether == Whether::Closed { "ORDER BY id DESC" } else { "" };
    let sql = format!(
        "SELECT COUNT(*), COALESCE(SUM(at_stake), 0), MAX(id)
         FROM (SELECT id, {} AS at_stake FROM {table} WHERE {conditions} {order} LIMIT {})",
        at_stake_in_euros(),
        WORKED.saturating_add(1)
    );
    (sql, values)
}

fn refs(values: &[Box<dyn ToSql>]) -> Vec<&dyn ToSql> {
    values.iter().map(AsRef::as_ref).collect()
}

impl Reader {
    /// A piece of the discrepancies that a filter lets through; after a place, if one is given.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn work(
        &self,
        filter: &WorkFilter,
        after: Option<WorkPlace>,
        at_most: u32,
    ) -> Result<Vec<WorkPlace>, LedgerError> {
        if filter.whether == Whether::Closed {
            return self.places(filter, after.map(|place| place.id), at_most);
        }
        let mut places: Vec<WorkPlace> = Vec::new();
        let wanted =
            GRAVEST_FIRST.into_iter().filter(|severity| filter.severity.is_none_or(|s| s == *severity));
        for severity in wanted.filter(|severity| after.is_none_or(|after| *severity <= after.severity)) {
            let left = at_most.saturating_sub(u32::try_from(places.len()).unwrap_or(at_most));
            let of = WorkFilter { severity: Some(severity), ..filter.clone() };
            let from = after.filter(|after| after.severity == severity).map(|after| after.id);
            places.extend(self.places(&of, from, left)?);
        }
        Ok(places)
    }

    fn places(
        &self,
        filter: &WorkFilter,
        after: Option<DiscrepancyId>,
        at_most: u32,
    ) -> Result<Vec<WorkPlace>, LedgerError> {
        let (sql, values) = query(filter, after, at_most);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let places = statement.query_map(refs(&values).as_slice(), |row| {
            Ok(WorkPlace { severity: row.get(0)?, id: row.get(1)? })
        })?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// How many discrepancies a filter lets through.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn count_work(&self, filter: &WorkFilter) -> Result<WorkCount, LedgerError> {
        let (sql, values) = counting(filter);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let (counted, at_stake, last): (u32, Cents, Option<DiscrepancyId>) = statement
            .query_row(refs(&values).as_slice(), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(WorkCount { counted: counted.min(WORKED), more: counted > WORKED, at_stake, last })
    }
}

impl WorkPlace {
    /// The discrepancy's number.
    #[must_use]
    pub const fn id(self) -> DiscrepancyId {
        self.id
    }
}

#[cfg(test)]
pub(super) mod plans {
    use super::*;

    /// Every query of the list; of closed ones the table itself is in the order that is wanted.
    pub(in crate::read) fn all() -> Vec<String> {
        let open = WorkFilter { severity: Some(Severity::Urgent), ..WorkFilter::default() };
        let place = Some(DiscrepancyId::new(1));
        let snoozed = WorkFilter { whether: Whether::Snoozed, ..open.clone() };
        let of_kind = WorkFilter { kind: Some(Kind::AmountOver), ..open.clone() };
        let closed = WorkFilter { whether: Whether::Closed, ..WorkFilter::default() };
        vec![
            query(&open, None, 50).0,
            query(&open, place, 50).0,
            query(&snoozed, place, 50).0,
            query(&closed, place, 50).0,
            query(&of_kind, place, 50).0,
            counting(&of_kind).0,
            counting(&open).0,
            counting(&snoozed).0,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_an_address_is_read_back() {
        let place = WorkPlace { severity: Severity::Warning, id: DiscrepancyId::new(7) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "7", "grave~7", "urgent~x"] {
            assert_eq!(wrong.parse::<WorkPlace>(), Err(NoPlace), "{wrong}");
        }
    }
}
