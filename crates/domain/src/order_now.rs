//! How an order stands now, as people are told who hear of one of its discrepancies.

use super::{Cents, Currency, Demand, OrderRef, Timestamp};

/// How an order stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNow {
    /// What the shop registered; `None` of an order that it never did.
    pub total: Option<OrderTotal>,
    /// What was accepted, before refunds.
    pub paid: Cents,
    /// What was given back of it.
    pub refunded: Cents,
    /// What is missing (below zero) or too much, less what was given back of it; of a registered one.
    pub gap: Option<Cents>,
    /// What is to be paid of it by when, the earliest first; of a registered one.
    pub demands: Vec<Demand>,
    /// When it stands so.
    pub at: Timestamp,
    /// How many of its discrepancies are open beside the one that is told.
    pub others_open: u32,
    /// Another order of the shop of which a payment has the call number of one of this: perhaps the other part of it.
    pub same_call: Option<OrderRef>,
}

/// What a registered order still lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StillToPay {
    /// What should have been paid by now.
    pub overdue: Cents,
    /// What is due later, the earliest first.
    pub later: Vec<Due>,
}

/// What falls due at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When; `None`: as soon as the customer pays at all.
    pub at: Option<Timestamp>,
    /// How much, beside what fell due before.
    pub cents: Cents,
}

impl OrderNow {
    /// What is missing of it, by when it is due.
    #[must_use]
    pub fn still_to_pay(&self) -> StillToPay {
        let (Some(total), Some(gap)) = (self.total, self.gap) else { return StillToPay::default() };
        let missing = gap.min(Cents::ZERO).abs();
        let mut left = StillToPay { overdue: missing, later: Vec::new() };
        for Due { at, cents } in self.dues_beyond(total.cents.minus(missing)) {
            if at.is_some_and(|at| at > self.at) {
                left.overdue = left.overdue.minus(cents);
                left.later.push(Due { at, cents });
            }
        }
        left
    }

    /// What has fallen due so far, date by date.
    #[must_use]
    pub fn due_so_far(&self) -> Vec<Due> {
        let mut dues = self.dues_beyond(Cents::ZERO);
        dues.retain(|due| due.at.is_none_or(|at| at <= self.at));
        dues
    }

    /// What falls due at each date beyond what is met.
    fn dues_beyond(&self, met: Cents) -> Vec<Due> {
        let mut met = met;
        let mut dues: Vec<Due> = Vec::new();
        for Demand { due, cents } in &self.demands {
            let part = cents.minus(met).max(Cents::ZERO);
            met = met.max(*cents);
            match dues.last_mut().filter(|last| last.at == *due) {
                Some(last) => last.cents = last.cents.plus(part),
                None if part.is_positive() => dues.push(Due { at: *due, cents: part }),
                None => {}
            }
        }
        dues
    }
}

/// What an order should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTotal {
    /// The amount.
    pub cents: Cents,
    /// Its currency.
    pub currency: Currency,
    /// When it took the place of an earlier total.
    pub changed_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        Timestamp::parse(&format!("{day}T10:00:00Z")).expect("an instant")
    }

    /// Three hundred in three parts, on a day, with so much paid.
    fn order(today: &str, paid: i64) -> OrderNow {
        let demand = |day, cents| Demand { due: Some(at(day)), cents: Cents::new(cents) };
        OrderNow {
            total: Some(OrderTotal { cents: Cents::new(300), currency: Currency::EUR, changed_at: None }),
            paid: Cents::new(paid),
            refunded: Cents::ZERO,
            gap: Some(Cents::new(paid - 300)),
            demands: vec![demand("2026-03-15", 100), demand("2026-04-15", 200), demand("2026-05-15", 300)],
            at: at(today),
            others_open: 0,
            same_call: None,
        }
    }

    fn left(order: &OrderNow) -> (i64, Vec<i64>) {
        let StillToPay { overdue, later } = order.still_to_pay();
        (overdue.get(), later.iter().map(|due| due.cents.get()).collect())
    }

    #[test]
    fn what_is_due_later_is_not_overdue() {
        assert_eq!(left(&order("2026-04-16", 100)), (100, vec![100]));
        assert_eq!(left(&order("2026-03-16", 100)), (0, vec![100, 100]));
        assert_eq!(left(&order("2026-03-16", 150)), (0, vec![50, 100]), "paid ahead");
        assert_eq!(left(&order("2026-06-01", 250)), (50, vec![]));
        assert_eq!(left(&order("2026-03-16", 300)), (0, vec![]));
        assert_eq!(left(&order("2026-03-16", 350)), (0, vec![]), "nothing is missing of what is too much");
        assert_eq!(left(&OrderNow { demands: Vec::new(), ..order("2026-03-16", 100) }), (200, vec![]));
    }

    #[test]
    fn each_date_has_what_falls_due_on_it() {
        let dues = order("2026-04-16", 0).due_so_far();
        let dues: Vec<_> = dues.into_iter().map(|due| (due.at, due.cents.get())).collect();
        assert_eq!(dues, [(Some(at("2026-03-15")), 100), (Some(at("2026-04-15")), 100)]);
    }
}
