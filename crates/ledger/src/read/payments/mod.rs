//! Payments as a page lists them: what a filter lets through, piece by piece, and what it comes to.

use std::fmt;
use std::str::FromStr;

use cvco_domain::{
    CallNumber, Cents, Currency, EndpointId, Mode, OrderRef, Psp, RecordState, Severity, ShopId, Timestamp,
};
use rusqlite::{Row, ToSql};

use super::Reader;
use super::search::Found;
use crate::LedgerError;

/// So many payments are added up, or sorted by anything but their time. Whoever wants more narrows the filter, or takes the
/// whole as a file.
pub const COUNTED: u32 = 5000;

/// Which payments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentFilter {
    /// Only those of orders that a search found.
    pub found: Option<Found>,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// Only this provider's.
    pub psp: Option<Psp>,
    /// Only in this state.
    pub state: Option<RecordState>,
    /// Only real ones, or only trials.
    pub mode: Option<Mode>,
    /// Only of orders with a discrepancy that is open.
    pub open: bool,
    /// First heard of from this instant on.
    pub from: Option<Timestamp>,
    /// … and before this one.
    pub until: Option<Timestamp>,
}

/// By what payments are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaymentSort {
    /// When they were first heard of.
    #[default]
    Time,
    /// What was paid.
    Paid,
    /// What lacks or is too much.
    Gap,
    /// The order's reference.
    Reference,
}

impl PaymentSort {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Time, Self::Paid, Self::Gap, Self::Reference];

    /// Its word in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "date",
            Self::Paid => "paid",
            Self::Gap => "gap",
            Self::Reference => "order",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Time => "r.first_seen_at",
            Self::Paid => "r.paid_cents",
            Self::Gap => "r.paid_cents - r.expected_cents",
            Self::Reference => "o.reference",
        }
    }
}

/// Which of them, and in what order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// By time, the latest first; after a place, if one is given.
    Latest(Option<Place>),
    /// By time, the earliest first; after a place, if one is given.
    Earliest(Option<Place>),
    /// By something else, of no more than [`COUNTED`] payments; after so many of them.
    Sorted {
        /// By what.
        by: PaymentSort,
        /// The largest first.
        descending: bool,
        /// How many come before.
        skip: u32,
    },
}

/// A payment's place in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    at: Timestamp,
    order: i64,
    psp: Psp,
    call_number: CallNumber,
}

/// As it stands in an address.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}~{}", self.at.millis(), self.order, self.psp, self.call_number)
    }
}

/// No place: the address was changed by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in the list")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(4, '~');
        let mut part = || parts.next().ok_or(NoPlace);
        let millis = part()?.parse().map_err(|_| NoPlace)?;
        let order = part()?.parse().map_err(|_| NoPlace)?;
        let psp = part()?.parse().map_err(|_| NoPlace)?;
        let call_number = CallNumber::new(part()?).map_err(|_| NoPlace)?;
        Ok(Self { at: Timestamp::from_millis(millis), order, psp, call_number })
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Whose it is.
    pub shop: ShopId,
    /// Who collected it.
    pub psp: Psp,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// The order that it is for.
    pub reference: Option<OrderRef>,
    /// What ties its parts together.
    pub call_number: CallNumber,
    /// Real or a trial.
    pub mode: Mode,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What it should come to.
    pub expected: Option<Cents>,
    /// Paid by vouchers.
    pub voucher: Cents,
    /// Paid by card.
    pub card: Cents,
    /// Paid in all.
    pub paid: Cents,
    /// Given back.
    pub refunded: Cents,
    /// What of that banks took back.
    pub taken_back: Cents,
    /// Where it stands.
    pub state: RecordState,
    /// When it was first heard of.
    pub first_seen_at: Timestamp,
    /// How many discrepancies about it are open.
    pub open: i64,
    /// The gravest of them.
    pub worst: Option<Severity>,
    /// Its place in the order of time.
    pub place: Place,
}

impl PaymentRow {
    /// All that went back was taken by banks: that is no refund.
    #[must_use]
    pub fn is_charged_back(&self) -> bool {
        self.taken_back.is_positive() && self.taken_back >= self.refunded
    }

    /// Paid less expected.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        self.expected.map(|expected| self.paid.minus(expected))
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (first_seen_at, psp): (Timestamp, Psp) = (row.get("first_seen_at")?, row.get("psp")?);
        let call_number: CallNumber = row.get("call_number")?;
        let place =
            Place { at: first_seen_at, order: row.get("order_id")?, psp, call_number: call_number.clone() };
        let rank: Option<u8> = row.get("rank")?;
        Ok(Self {
            shop: row.get("shop")?,
            psp,
            endpoint: row.get("endpoint")?,
            reference: row.get("reference")?,
            call_number,
            mode: row.get("mode")?,
            currency: row.get("currency")?,
            expected: row.get("expected_cents")?,
            voucher: row.get("voucher_cents")?,
            card: row.get("card_cents")?,
            paid: row.get("paid_cents")?,
            refunded: row.get("refunded_cents")?,
            taken_back: row.get("taken_back_cents")?,
            state: row.get("state")?,
            first_seen_at,
            open: row.get("open")?,
            worst: rank.map(|rank| match rank {
                0 => Severity::Urgent,
                1 => Severity::Warning,
                _ => Severity::Info,
            }),
            place,
        })
    }
}

/// What payments of one currency come to; trials do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentSum {
    /// The currency.
    pub currency: Currency,
    /// What they should come to, as far as it is known.
    pub expected: Cents,
    /// Vouchers.
    pub voucher: Cents,
    /// Cards.
    pub card: Cents,
    /// Paid in all.
    pub paid: Cents,
    /// Given back.
    pub refunded: Cents,
    /// What lacks or is too much, added up with its signs.
    pub gap: Cents,
}

/// How many payments a filter lets through, and what they come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCount {
    /// How many; no more than [`COUNTED`] are counted.
    pub counted: u32,
    /// Whether there are more.
    pub more: bool,
    /// How many of those counted are trials.
    pub trials: u32,
    /// What those counted come to, by currency.
    pub sums: Vec<PaymentSum>,
}

const FROM: &str = "FROM records r CROSS JOIN orders o ON o.order_id = r.order_id";
const ABOUT: &str = "d.order_id = r.order_id AND d.closed_at IS NULL
                       AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number))";

/// The conditions of a filter, and their values.
struct Conditions {
    texts: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn of(filter: &PaymentFilter) -> Self {
        let mut all = Self { texts: vec!["TRUE".to_owned()], values: Vec::new() };
        let PaymentFilter { found, shop, psp, state, mode, open, from, until } = filter;
        if let Some(found) = found {
            all.add("r.order_id IN (SELECT value FROM json_each(?))", found.as_json());
        }
        if *open {
            all.texts.push(
                "r.order_id IN (SELECT order_id FROM discrepancies WHERE closed_at IS NULL AND order_id IS NOT NULL)"
                    .to_owned(),
            );
        }
        if let Some(state) = state {
            all.add("r.state = ?", state.as_str());
        }
        if let Some(shop) = shop {
            all.add("o.shop = ?", shop.as_str().to_owned());
        }
        if let Some(psp) = psp {
            all.add("r.psp = ?", psp.as_str());
        }
        if let Some(mode) = mode {
            all.add("r.mode = ?", mode.as_str());
        }
        if let Some(from) = from {
            all.add("r.first_seen_at >= ?", *from);
        }
        if let Some(until) = until {
            all.add("r.first_seen_at < ?", *until);
        }
        all
    }

    fn add(&mut self, text: &str, value: impl ToSql + 'static) {
        self.texts.push(text.to_owned());
        self.values.push(Box::new(value));
    }

    /// What comes after a place, in the order of time.
    fn after(&mut self, place: &Place, sign: &str) {
        self.texts.push(format!("(r.first_seen_at, r.order_id, r.psp, r.call_number) {sign} (?, ?, ?, ?)"));
        self.values.push(Box::new(place.at));
        self.values.push(Box::new(place.order));
        self.values.push(Box::new(place.psp.as_str()));
        self.values.push(Box::new(place.call_number.as_str().to_owned()));
    }

    fn text(&self) -> String {
        self.texts.join(" AND ")
    }

    fn values(&self) -> Vec<&dyn ToSql> {
        self.values.iter().map(AsRef::as_ref).collect()
    }
}

/// The query of a piece, and its values.
fn query(filter: &PaymentFilter, piece: &Piece, at_most: u32) -> (String, Conditions) {
    let mut conditions = Conditions::of(filter);
    let by_time =
        |way: &str| format!("r.first_seen_at {way}, r.order_id {way}, r.psp {way}, r.call_number {way}");
    let (order, skip) = match piece {
        Piece::Latest(after) => {
            if let Some(place) = after {
                conditions.after(place, "<");
            }
            (by_time("DESC"), 0)
        }
        Piece::Earliest(after) => {
            if let Some(place) = after {
                conditions.after(place, ">");
            }
            (by_time("ASC"), 0)
        }
        Piece::Sorted { by, descending, skip } => {
            let way = if *descending { "DESC" } else { "ASC" };
            (format!("{} {way} NULLS LAST, {}", by.column(), by_time("DESC")), *skip)
        }
    };
    let sql = format!(
        "SELECT r.*, o.shop, o.reference,
                (SELECT COUNT(*) FROM discrepancies d WHERE {ABOUT}) AS open,
                (SELECT MIN(CASE d.severity WHEN 'urgent' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END)
                   FROM discrepancies d WHERE {ABOUT}) AS rank
         {FROM} WHERE {} ORDER BY {order} LIMIT {at_most} OFFSET {skip}",
        conditions.text()
    );
    (sql, conditions)
}

fn counting(filter: &PaymentFilter) -> (String, Conditions) {
    let conditions = Conditions::of(filter);
    let sql = format!(
        "SELECT currency, mode = 'test', COUNT(*), SUM(expected_cents), SUM(voucher_cents), SUM(card_cents),
                SUM(paid_cents), SUM(refunded_cents), SUM(paid_cents - expected_cents)
         FROM (SELECT r.* {FROM} WHERE {} ORDER BY r.first_seen_at DESC LIMIT {})
         GROUP BY 1, 2 ORDER BY 1, 2",
        conditions.text(),
        COUNTED.saturating_add(1)
    );
    (sql, conditions)
}

impl Reader {
    /// A piece of the payments that a filter lets through.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn payments(
        &self,
        filter: &PaymentFilter,
        piece: &Piece,
        at_most: u32,
    ) -> Result<Vec<PaymentRow>, LedgerError> {
        let (sql, conditions) = query(filter, piece, at_most);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(conditions.values().as_slice(), PaymentRow::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many payments a filter lets through, and what they come to.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn count_payments(&self, filter: &PaymentFilter) -> Result<PaymentCount, LedgerError> {
        let (sql, conditions) = counting(filter);
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(conditions.values().as_slice())?;
        let mut count = PaymentCount { counted: 0, more: false, trials: 0, sums: Vec::new() };
        while let Some(row) = rows.next()? {
            let (is_trial, rows): (bool, u32) = (row.get(1)?, row.get(2)?);
            count.counted = count.counted.saturating_add(rows);
            if is_trial {
                count.trials = count.trials.saturating_add(rows);
                continue;
            }
            let cents = |place| row.get::<_, Option<Cents>>(place).map(Option::unwrap_or_default);
            count.sums.push(PaymentSum {
                currency: row.get(0)?,
                expected: cents(3)?,
                voucher: cents(4)?,
                card: cents(5)?,
                paid: cents(6)?,
                refunded: cents(7)?,
                gap: cents(8)?,
            });
        }
        count.more = count.counted > COUNTED;
        count.counted = count.counted.min(COUNTED);
        Ok(count)
    }
}

#[cfg(test)]
pub(super) mod plans {
    //! Every query of a list of payments, for the test that looks at their plans.

    use super::*;

    pub(in crate::read) fn all() -> Vec<String> {
        let place = Place {
            at: Timestamp::from_millis(0),
            order: 1,
            psp: Psp::Up2pay,
            call_number: CallNumber::new("1").expect("a number"),
        };
        let day = Some(Timestamp::from_millis(0));
        let filters = [
            PaymentFilter::default(),
            PaymentFilter { state: Some(RecordState::Unbalanced), ..PaymentFilter::default() },
            PaymentFilter { found: Some(Found::default()), ..PaymentFilter::default() },
            PaymentFilter { open: true, ..PaymentFilter::default() },
            PaymentFilter { from: day, until: day, mode: Some(Mode::Production), ..PaymentFilter::default() },
        ];
        let pieces = [Piece::Latest(None), Piece::Latest(Some(place.clone())), Piece::Earliest(Some(place))];
        let lists = filters.iter().flat_map(|filter| pieces.iter().map(|piece| query(filter, piece, 50).0));
        lists.chain(filters.iter().map(|filter| counting(filter).0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_an_address_is_read_back() {
        let place = Place {
            at: Timestamp::from_millis(1_780_000_000_123),
            order: 42,
            psp: Psp::Worldline,
            call_number: CallNumber::new("a~b~c").expect("a number"),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "1", "1~2~paypal~3", "x~1~up2pay~3", "1~2~up2pay"] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
