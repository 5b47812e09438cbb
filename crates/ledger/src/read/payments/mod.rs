//! Payments, and orders without any, as a page lists them: what a filter lets through, piece by piece, and what it comes to.

mod query;
mod row;

use std::fmt;
use std::str::FromStr;

use cvco_domain::{CallNumber, Cents, Currency, Mode, Psp, RecordState, ShopId, Timestamp, UnknownWord};

pub use row::{AwaitedOrder, OrderRow, PaymentRow};

use super::Reader;
use super::search::Found;
use crate::LedgerError;
use query::{counting, query};

/// So many payments are added up, or sorted by anything but their time. Whoever wants more narrows the filter, or takes the
/// whole as a file.
pub const COUNTED: u32 = 5000;

/// Where a row of the list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStanding {
    /// A payment, by its state.
    Payment(RecordState),
    /// An order that was registered, and of which no payment is known.
    Awaited,
}

impl OrderStanding {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        RecordState::ALL.into_iter().map(Self::Payment).chain([Self::Awaited])
    }

    /// Its word in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment(state) => state.as_str(),
            Self::Awaited => "awaited",
        }
    }
}

impl FromStr for OrderStanding {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text == Self::Awaited.as_str() { Ok(Self::Awaited) } else { text.parse().map(Self::Payment) }
    }
}

/// Which payments, and which orders without any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentFilter {
    /// Only those of orders that a search found.
    pub found: Option<Found>,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// Only this provider's: payments alone have one.
    pub psp: Option<Psp>,
    /// Only what stands so.
    pub standing: Option<OrderStanding>,
    /// Only real ones, or only trials: payments alone are one or the other.
    pub mode: Option<Mode>,
    /// Only of orders with a discrepancy that is open.
    pub open: bool,
    /// First heard of, or registered, from this instant on.
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
            Self::Time => "at",
            Self::Paid => "paid_cents",
            Self::Gap => "gap_cents",
            Self::Reference => "reference",
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

/// A row's place in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    at: Timestamp,
    order: i64,
    /// `None` of an order without payments.
    payment: Option<PaymentName>,
}

/// What tells the payments of an order apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PaymentName {
    psp: Psp,
    call_number: CallNumber,
}

/// As it stands in an address.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.at.millis(), self.order)?;
        match &self.payment {
            Some(PaymentName { psp, call_number }) => write!(f, "~{psp}~{call_number}"),
            None => Ok(()),
        }
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
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(NoPlace);
        let (at, order) = (Timestamp::from_millis(number()?), number()?);
        let payment = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(psp), call) => Some(PaymentName {
                psp: psp.parse().map_err(|_| NoPlace)?,
                call_number: CallNumber::new(call.unwrap_or_default()).map_err(|_| NoPlace)?,
            }),
        };
        Ok(Self { at, order, payment })
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

/// How many payments and orders a filter lets through, and what they come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCount {
    /// How many; no more than [`COUNTED`] are counted.
    pub counted: u32,
    /// Whether there are more.
    pub more: bool,
    /// How many of those counted are trials.
    pub trials: u32,
    /// How many of those counted are orders without a payment.
    pub awaited: u32,
    /// What those counted come to, by currency.
    pub sums: Vec<PaymentSum>,
}

impl Reader {
    /// A piece of what a filter lets through.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn payments(
        &self,
        filter: &PaymentFilter,
        piece: &Piece,
        at_most: u32,
    ) -> Result<Vec<OrderRow>, LedgerError> {
        let query = query(filter, piece, at_most);
        let mut statement = self.conn.prepare_cached(&query.sql)?;
        let rows = statement.query_map(query.values().as_slice(), OrderRow::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How much a filter lets through, and what it comes to.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn count_payments(&self, filter: &PaymentFilter) -> Result<PaymentCount, LedgerError> {
        let query = counting(filter);
        let mut statement = self.conn.prepare_cached(&query.sql)?;
        let mut rows = statement.query(query.values().as_slice())?;
        let mut count = PaymentCount { counted: 0, more: false, trials: 0, awaited: 0, sums: Vec::new() };
        while let Some(row) = rows.next()? {
            let rows: u32 = row.get("rows")?;
            count.counted = count.counted.saturating_add(rows);
            count.trials = count.trials.saturating_add(row.get("trials")?);
            count.awaited = count.awaited.saturating_add(row.get("awaited")?);
            if row.get("is_trial")? {
                continue;
            }
            let cents = |name| row.get::<&str, Option<Cents>>(name).map(Option::unwrap_or_default);
            count.sums.push(PaymentSum {
                currency: row.get("currency")?,
                expected: cents("expected")?,
                voucher: cents("voucher")?,
                card: cents("card")?,
                paid: cents("paid")?,
                refunded: cents("refunded")?,
                gap: cents("gap")?,
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
        let chosen = [
            PaymentFilter { found: Some(Found::default()), ..PaymentFilter::default() },
            PaymentFilter { open: true, ..PaymentFilter::default() },
        ];
        let counted = filters().into_iter().chain(chosen.clone()).map(|filter| counting(&filter).sql);
        pieces(&filters()).into_iter().chain(pieces(&chosen)).chain(counted).collect()
    }

    /// Those whose rows come out of an index in the order of the list: a page reads no more of them than it shows.
    pub(in crate::read) fn in_order() -> Vec<String> {
        let counted = filters().into_iter().map(|filter| query::counted(&filter).sql);
        pieces(&filters()).into_iter().chain(counted).collect()
    }

    fn filters() -> Vec<PaymentFilter> {
        let day = Some(Timestamp::from_millis(0));
        let standing = |standing| PaymentFilter { standing: Some(standing), ..PaymentFilter::default() };
        vec![
            PaymentFilter::default(),
            standing(OrderStanding::Payment(RecordState::Unbalanced)),
            standing(OrderStanding::Awaited),
            PaymentFilter { shop: ShopId::new("camping").ok(), ..PaymentFilter::default() },
            PaymentFilter { from: day, until: day, ..PaymentFilter::default() },
            PaymentFilter { from: day, until: day, mode: Some(Mode::Production), ..PaymentFilter::default() },
        ]
    }

    fn pieces(filters: &[PaymentFilter]) -> Vec<String> {
        let call_number = CallNumber::new("1").expect("a number");
        let payment = Some(PaymentName { psp: Psp::Up2pay, call_number });
        let place = Place { at: Timestamp::from_millis(0), order: 1, payment };
        let pieces = [Piece::Latest(None), Piece::Latest(Some(place.clone())), Piece::Earliest(Some(place))];
        let sql = |filter| pieces.iter().map(move |piece| query(filter, piece, 50).sql);
        filters.iter().flat_map(sql).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_an_address_is_read_back() {
        let (at, order) = (Timestamp::from_millis(1_780_000_000_123), 42);
        let call_number = CallNumber::new("a~b~c").expect("a number");
        let payment = Some(PaymentName { psp: Psp::Worldline, call_number });
        for place in [Place { at, order, payment }, Place { at, order, payment: None }] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "1", "1~2~paypal~3", "x~1~up2pay~3", "1~2~up2pay", "1~2~"] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
