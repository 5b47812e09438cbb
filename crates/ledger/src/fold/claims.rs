//! Payments that notifications ascribe to several orders: each counts for one of them, with all that was told about it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use cvco_domain::{Order, OrderKey, OtherClaim, Psp, ShopId};
use cvco_reconcile::{Claim, Fact, owner, payment_of};

use super::affected::AffectedOrder;
use super::{Fold, KnownOrder};
use crate::LedgerError;
use crate::tables::claims::{self, Payment};
use crate::tables::ids::OrderId;
use crate::tables::{facts, orders};

/// What an order was told about a payment that others claim.
struct Told {
    order_id: OrderId,
    key: OrderKey,
    facts: Vec<Fact>,
}

fn is_about(payment: &Payment) -> impl Fn(&Fact) -> bool {
    move |fact| fact.psp == payment.psp && payment_of(fact) == Some(payment.number.as_str())
}

impl Fold<'_> {
    /// Looks whether the news are about payments of other orders. Those other orders are to be assessed again.
    pub(super) fn claim_payments(&self, order: &AffectedOrder) -> Result<BTreeSet<OrderId>, LedgerError> {
        let mut others = BTreeSet::new();
        let known = order.facts.len().saturating_sub(order.news.len());
        let (before, news) = order.facts.split_at(known);
        for fact in news {
            let Some(number) = payment_of(fact) else { continue };
            let is_known = |other: &Fact| other.psp == fact.psp && payment_of(other) == Some(number);
            if !self.flags.has_claims.get() && before.iter().any(is_known) {
                continue;
            }
            let found = self.others(order.key.shop(), fact.psp, number, order.id)?;
            if found.is_empty() {
                continue;
            }
            self.flags.has_claims.set(true);
            for claiming in found.iter().copied().chain([order.id]) {
                claims::insert(self.conn, fact.psp, number, claiming)?;
            }
            others.extend(found);
        }
        Ok(others)
    }

    /// The facts that count for an order: without those about payments that belong to another, and with what others were
    /// told about its own.
    pub(super) fn facts_that_count<'f>(
        &self,
        known: &KnownOrder<'f>,
        order: &mut Order,
    ) -> Result<Cow<'f, [Fact]>, LedgerError> {
        let mut counted = Cow::Borrowed(known.facts);
        if !self.flags.has_claims.get() {
            return Ok(counted);
        }
        for payment in claims::of_order(self.conn, known.id)? {
            let told = self.told_about(known, &payment)?;
            let claims: Vec<_> = told
                .iter()
                .map(|told| Claim { reference: told.key.reference(), facts: &told.facts })
                .collect();
            let Some(owner) = owner(&claims).and_then(|place| told.get(place)) else { continue };
            let facts = counted.to_mut();
            facts.retain(|fact| !is_about(&payment)(fact));
            if owner.order_id != known.id {
                continue;
            }
            for told in &told {
                facts.extend_from_slice(&told.facts);
                let other = told.key.reference().filter(|_| told.order_id != known.id);
                order.also_claimed.extend(other.map(|reference| OtherClaim {
                    psp: payment.psp,
                    payment: payment.number.clone(),
                    order: reference.clone(),
                }));
            }
        }
        Ok(counted)
    }

    /// The other orders of the shop that have such a payment, or claim it.
    fn others(
        &self,
        shop: &ShopId,
        psp: Psp,
        number: &str,
        order_id: OrderId,
    ) -> Result<BTreeSet<OrderId>, LedgerError> {
        let mut others = claims::holding(&self.db, shop, psp, number, order_id)?;
        if self.flags.has_claims.get() {
            others.extend(claims::claiming(self.conn, shop, psp, number, order_id)?);
        }
        Ok(others)
    }

    fn told_about(&self, known: &KnownOrder<'_>, payment: &Payment) -> Result<Vec<Told>, LedgerError> {
        let mut claiming = self.others(known.key.shop(), payment.psp, &payment.number, known.id)?;
        claiming.insert(known.id);
        let mut all = Vec::new();
        for order_id in claiming {
            let key = orders::key(self.conn, order_id)?;
            let mut facts = facts::of_order(&self.db, order_id, &key)?;
            facts.retain(is_about(payment));
            all.push(Told { order_id, key, facts });
        }
        Ok(all)
    }
}
