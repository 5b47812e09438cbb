//! What an order still costs its customer, by what was paid and what went back, in the order in which it happened.
//!
//! What the merchant gives back is no debt: of a surplus it ends that, and of the rest it makes the order cost less. An
//! attempt that was given back before the order was paid, and an instalment that was paid twice, leave it as it was. What
//! a bank takes back is a debt. Once all went back, nothing else is owed; who pays after that owes the whole order again.

use cvco_domain::{Cents, Timestamp};

/// Money of an order that came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) at: Timestamp,
    pub(super) cause: Cause,
    pub(super) amount: Cents,
}

/// Who caused it. The order of the variants is the order in which they count when they happened in the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Paid,
    GivenBack(Reason),
    TakenBack,
}

/// What a refund by the merchant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// A part of a payment, or of the order.
    Part,
    /// All of a payment.
    Payment,
    /// All of a payment that was one part alone.
    Attempt,
    /// All of a payment of what another one paid too.
    Duplicate,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Balance {
    /// What the order costs, less what was let off.
    claim: Cents,
    /// What the merchant has of it.
    held: Cents,
    /// What banks took back and was not paid again since.
    taken: Cents,
    /// What of the cost was let off by giving whole payments back.
    pub(super) let_off: Cents,
}

impl Balance {
    pub(super) fn of(mut changes: Vec<Change>, total: Cents) -> Self {
        changes.sort_unstable();
        let mut balance = Self { claim: total, held: Cents::ZERO, taken: Cents::ZERO, let_off: Cents::ZERO };
        for Change { cause, amount, .. } in changes {
            match cause {
                Cause::Paid => balance.is_paid(amount, total),
                Cause::GivenBack(reason) => balance.is_given_back(amount, reason),
                Cause::TakenBack => {
                    balance.held = balance.held.minus(amount);
                    balance.taken = balance.taken.plus(amount);
                }
            }
        }
        balance
    }

    /// What is held beyond the claim; below zero what is owed.
    pub(super) fn gap(&self) -> Cents {
        self.held.minus(self.claim)
    }

    fn is_paid(&mut self, amount: Cents, total: Cents) {
        if self.claim == Cents::ZERO {
            (self.claim, self.let_off) = (total, Cents::ZERO);
        }
        self.held = self.held.plus(amount);
        self.taken = self.taken.minus(amount).max(Cents::ZERO);
        // Who pays what was let off wants it after all.
        let wanted = self.held.min(total);
        if wanted > self.claim {
            self.let_off = self.let_off.minus(wanted.minus(self.claim)).max(Cents::ZERO);
            self.claim = wanted;
        }
    }

    fn is_given_back(&mut self, amount: Cents, reason: Reason) {
        let surplus = self.held.minus(self.claim);
        let leaves_the_claim = match reason {
            Reason::Duplicate => true,
            Reason::Attempt => surplus < Cents::ZERO,
            Reason::Part | Reason::Payment => false,
        };
        self.held = self.held.minus(amount);
        if !leaves_the_claim {
            let rest = amount.minus(surplus.max(Cents::ZERO)).max(Cents::ZERO).min(self.claim);
            self.claim = self.claim.minus(rest);
            if reason != Reason::Part {
                self.let_off = self.let_off.plus(rest);
            }
        }
        if self.held <= Cents::ZERO {
            self.claim = self.claim.min(self.taken);
        }
    }
}
