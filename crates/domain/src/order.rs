//! What the shop says it expects.

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

/// One registration of an order by its shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderVersion {
    /// What the customer should pay, in cents.
    pub total: Cents,
    /// The currency of `total`.
    pub currency: Currency,
    /// When the payment is due, if the shop says so.
    pub due: Option<Timestamp>,
    /// When the shop registered it.
    pub registered_at: Timestamp,
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
