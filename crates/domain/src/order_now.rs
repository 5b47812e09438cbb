//! How an order stands now, as people are told who hear of one of its discrepancies.

use super::{Cents, Currency, Timestamp};

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
    /// How many of its discrepancies are open beside the one that is told.
    pub others_open: u32,
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
