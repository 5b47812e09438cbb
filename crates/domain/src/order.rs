//! What the shop says it expects.

use serde::{Deserialize, Serialize};

use super::{CallNumber, Cents, Currency, EndpointId, OrderRef, Payout, Psp, ShopId, Subject, Timestamp};

/// What facts belong together: an order of a shop, or, where a payment carries no order reference, that
/// payment alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKey {
    /// The shop's order of this reference.
    Reference(ShopId, OrderRef),
    /// A payment without an order reference.
    Call(ShopId, Psp, CallNumber),
}

impl OrderKey {
    /// The shop.
    #[must_use]
    pub const fn shop(&self) -> &ShopId {
        match self {
            Self::Reference(shop, _) | Self::Call(shop, _, _) => shop,
        }
    }

    /// The order reference, if there is one.
    #[must_use]
    pub const fn reference(&self) -> Option<&OrderRef> {
        match self {
            Self::Reference(_, reference) => Some(reference),
            Self::Call(..) => None,
        }
    }
}

/// A part of an order that is to be paid by itself, as a deposit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// What is to be paid, in cents.
    pub cents: Cents,
    /// By when; `None`: when the order itself is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What is to be paid of an order by an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// `None`: as soon as the customer pays at all.
    pub due: Option<Timestamp>,
    /// All that is due by then, in cents.
    pub cents: Cents,
}

/// One registration of an order by its shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderVersion {
    /// What the customer should pay, in cents.
    pub total: Cents,
    /// The currency of `total`.
    pub currency: Currency,
    /// When the payment is due, if the shop says so.
    pub due: Option<Timestamp>,
    /// In which parts it is to be paid, if the shop says so; together they are the total.
    pub instalments: Vec<Instalment>,
    /// When the shop registered it.
    pub registered_at: Timestamp,
}

impl OrderVersion {
    /// What is to be paid by when, the earliest first; the last demand is the total.
    #[must_use]
    pub fn demands(&self) -> Vec<Demand> {
        if self.instalments.is_empty() {
            return vec![Demand { due: self.due, cents: self.total }];
        }
        let mut parts: Vec<(Option<Timestamp>, Cents)> =
            self.instalments.iter().map(|part| (part.due.or(self.due), part.cents)).collect();
        parts.sort();
        let mut so_far = Cents::ZERO;
        let demand = |(due, cents): (Option<Timestamp>, Cents)| {
            so_far = so_far.plus(cents);
            Demand { due, cents: so_far }
        };
        parts.into_iter().map(demand).collect()
    }
}

/// An order as its shop registered it, every version of it, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Empty for an order that the shop never registered.
    pub versions: Vec<OrderVersion>,
    /// Another live order of the shop whose reference begins with the same 20 characters.
    pub shares_prefix_with: Option<OrderRef>,
    /// Whether an answer about it from a PSP's API is still awaited.
    pub awaits_answer: bool,
    /// The endpoints whose PSP's API does not know what it was asked about this order, with the subject of the
    /// question. The endpoint, because a shop may have two at one PSP, and an order is paid at one of them.
    pub unknown_to: Vec<(EndpointId, Subject)>,
    /// When each question about it was last settled by the API of its endpoint's PSP.
    pub settled: Vec<(EndpointId, Timestamp)>,
    /// The lines of statements that are about it.
    pub payouts: Vec<Payout>,
    /// Its payments that notifications ascribe to other orders of the shop as well.
    pub also_claimed: Vec<OtherClaim>,
}

/// A payment that is told of under the reference of another order as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherClaim {
    /// At which PSP.
    pub psp: Psp,
    /// The payment, by the number that names it there: of its transaction, or of the payment as a whole.
    pub payment: String,
    /// The other order.
    pub order: OrderRef,
}

impl Order {
    /// What the shop expects now.
    #[must_use]
    pub fn current(&self) -> Option<&OrderVersion> {
        self.versions.last()
    }

    /// What it expected at an instant: before the shop registered anything, what it registered first.
    #[must_use]
    pub fn version_at(&self, instant: Timestamp) -> Option<&OrderVersion> {
        self.versions.iter().rfind(|version| version.registered_at <= instant).or(self.versions.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u8) -> Option<Timestamp> {
        Timestamp::parse(&format!("2026-06-{day:02}T10:00:00Z")).ok()
    }

    fn order(due: Option<Timestamp>, parts: &[(i64, Option<Timestamp>)]) -> Vec<(Option<Timestamp>, i64)> {
        let instalments =
            parts.iter().map(|(cents, due)| Instalment { cents: Cents::new(*cents), due: *due });
        let version = OrderVersion {
            total: Cents::new(500),
            currency: Currency::EUR,
            due,
            instalments: instalments.collect(),
            registered_at: Timestamp::from_millis(0),
        };
        version.demands().into_iter().map(|demand| (demand.due, demand.cents.get())).collect()
    }

    #[test]
    fn an_order_without_a_plan_is_due_as_a_whole() {
        assert_eq!(order(None, &[]), [(None, 500)]);
        assert_eq!(order(at(9), &[]), [(at(9), 500)]);
    }

    #[test]
    fn a_plan_is_due_part_by_part_in_the_order_of_dates() {
        assert_eq!(order(None, &[(350, at(9)), (150, at(1))]), [(at(1), 150), (at(9), 500)]);
    }

    #[test]
    fn an_instalment_without_a_date_is_due_with_the_order() {
        assert_eq!(order(at(9), &[(150, at(1)), (350, None)]), [(at(1), 150), (at(9), 500)]);
        assert_eq!(order(None, &[(350, at(9)), (150, None)]), [(None, 150), (at(9), 500)]);
    }
}
