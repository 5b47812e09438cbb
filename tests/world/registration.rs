//! What the shop says it expects: before, after, twice, with another total, or never.

use cvco_domain::{Cents, Timestamp};
use cvco_trial::simulate::Dice;

use crate::history::{History, later};
use crate::truth::{Discrepancy, RecordRow};

/// How a shop registers an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Before,
    Twice,
    /// Hours after it was paid.
    After,
    /// With another total first, put right before it is paid.
    Corrected,
    /// With another total days after it was paid.
    Changed,
    /// In Swiss francs.
    Foreign,
    /// Twice what a visit pays, which is due later.
    InHalves,
    Never,
}

/// The registrations of one order.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) way: Way,
    /// The daemon takes no record without a registered order.
    required: bool,
    /// All that the shop sends.
    pub(crate) calls: Vec<(Timestamp, Cents, &'static str)>,
    /// Those that say something new.
    pub(crate) versions: Vec<(Cents, &'static str)>,
    /// When the whole is due, where the shop says so.
    pub(crate) due: Option<Timestamp>,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const OTHER: Cents = Cents::new(7_77);

impl Registered {
    /// Of an order whose deposit is paid at the first visit.
    pub(crate) fn in_halves(history: &History, required: bool) -> Self {
        let paid_at = history.visits[0];
        let total = history.total.plus(history.total);
        Self {
            way: Way::InHalves,
            required,
            calls: vec![(paid_at.before(std::time::Duration::from_hours(2)), total, "EUR")],
            versions: vec![(total, "EUR")],
            due: Some(later(paid_at, 30 * DAY)),
        }
    }

    /// `plain`: the order is paid to the cent and nothing happens afterwards, so that any way will do.
    pub(crate) fn draw(history: &History, plain: bool, required: bool, dice: &mut Dice) -> Self {
        const ANY: [Way; 9] = [
            Way::Before,
            Way::Before,
            Way::Before,
            Way::Twice,
            Way::After,
            Way::Corrected,
            Way::Changed,
            Way::Foreign,
            Way::Never,
        ];
        let ways = if plain { &ANY[..] } else { &ANY[..6] };
        let way = ways[usize::try_from(dice.below(ways.len() as u64)).expect("few")];
        let (total, paid_at) = (history.total, history.visits[0]);
        let before = paid_at.before(std::time::Duration::from_hours(2));
        let eur = |at: Timestamp, total: Cents| (at, total, "EUR");
        let calls = match way {
            Way::Before => vec![eur(before, total)],
            Way::Twice => vec![eur(before, total), eur(later(paid_at, HOUR), total)],
            Way::After => vec![eur(later(paid_at, 2 * HOUR), total)],
            Way::Corrected => vec![eur(before, total.plus(OTHER)), eur(later(before, HOUR), total)],
            Way::Changed => vec![eur(before, total), eur(later(paid_at, 3 * DAY), total.plus(OTHER))],
            Way::Foreign => vec![(before, total, "CHF")],
            Way::InHalves | Way::Never => Vec::new(),
        };
        let mut versions: Vec<(Cents, &'static str)> =
            calls.iter().map(|(_, total, currency)| (*total, *currency)).collect();
        versions.dedup();
        Self { way, required, calls, versions, due: None }
    }

    /// What the shop expects in the end.
    pub(crate) fn last(&self) -> Option<(Cents, &'static str)> {
        self.versions.last().copied()
    }

    /// Nothing is raised for want of it.
    pub(crate) fn is_known_before(&self) -> bool {
        matches!(self.way, Way::Before | Way::Twice | Way::Corrected | Way::InHalves)
    }

    /// What comes of the way in which the shop registered.
    pub(crate) fn add(
        &self,
        records: &[RecordRow],
        states_total: bool,
        open: &mut Vec<Discrepancy>,
        closed: &mut Vec<&'static str>,
    ) {
        let accepted = |record: &&RecordRow| record.state != "failed" && record.state != "pending";
        let of_records = |kind: &str| -> Vec<Discrepancy> {
            let accepted = records.iter().filter(accepted);
            accepted.map(|record| (kind.to_owned(), Some(record.call_number.clone()))).collect()
        };
        let unknown = match (self.required, states_total) {
            (true, _) => Some("order_unknown"),
            (false, false) => Some("total_unknown"),
            (false, true) => None,
        };
        match self.way {
            Way::After => closed.extend(unknown.filter(|_| records.iter().any(|record| accepted(&record)))),
            Way::Changed if records.iter().any(|record| accepted(&record)) => {
                open.push(("total_changed".to_owned(), None));
            }
            Way::Before | Way::Twice | Way::Corrected | Way::Changed | Way::InHalves => {}
            Way::Foreign => open.extend(of_records("currency_unexpected")),
            Way::Never => open.extend(unknown.into_iter().flat_map(of_records)),
        }
    }
}
