//! The merchant's settings that decide what counts as a discrepancy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{
    BookAt, Brand, CommissionRates, Contract, EndpointId, HandlerAddress, Instrument, Issuer, PayoutTerms,
    RelayTarget, Severity, ShopId, Way,
};
use serde::{Deserialize, Serialize};

/// Whom a channel is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// How grave a discrepancy must be.
    pub severities: BTreeSet<Severity>,
    /// Whose discrepancies; empty: those of all shops, and what concerns the daemon as a whole.
    pub shops: BTreeSet<ShopId>,
}

/// The settings in force. They are entries of the log, so that whoever reads it decides as the merchant wanted at the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How long a voucher part may wait for its card part, and the reverse.
    pub complement_grace: Duration,
    /// How long a part may stay authorised without a capture, or undecided.
    pub capture_grace: Duration,
    /// How long an answer of a PSP's API may be awaited.
    pub confirmation_grace: Duration,
    /// How long one part of a refund may wait for the others.
    pub refund_grace: Duration,
    /// Whether a record without a registered order is a discrepancy.
    pub require_orders: bool,
    /// The endpoints that are configured, each with the contracts that it knows; where none are named, any will do.
    pub endpoints: BTreeMap<EndpointId, BTreeSet<Contract>>,
    /// Where each endpoint's notifications are relayed to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relays: BTreeMap<EndpointId, BTreeMap<RelayTarget, HandlerAddress>>,
    /// On which ways people are told beside e-mail, and what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Way, Audience>,
    /// How long an urgent discrepancy may stay unseen before others are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<Duration>,
    /// Whether each week ends with a summary.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weekly: bool,
    /// When a payment is received, for the books.
    pub book_at: BookAt,
    /// The endpoints whose payments must appear on statements, and of whom.
    pub payouts: BTreeMap<EndpointId, BTreeMap<Issuer, PayoutTerms>>,
    /// What issuers keep.
    pub rates: CommissionRates,
    /// Who owes the vouchers of a brand, where that is not the usual issuer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issuers: BTreeMap<Brand, Issuer>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            complement_grace: Duration::from_mins(20),
            capture_grace: Duration::from_hours(4 * 24),
            confirmation_grace: Duration::from_mins(15),
            refund_grace: Duration::from_mins(20),
            require_orders: false,
            endpoints: BTreeMap::new(),
            relays: BTreeMap::new(),
            channels: BTreeMap::new(),
            escalate_after: None,
            weekly: false,
            book_at: BookAt::default(),
            payouts: BTreeMap::new(),
            rates: CommissionRates::default(),
            issuers: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Who owes a part of this brand.
    #[must_use]
    pub fn issuer(&self, instrument: Instrument, brand: &Brand) -> Issuer {
        match (instrument, self.issuers.get(brand)) {
            (Instrument::Voucher, Some(issuer)) => *issuer,
            (Instrument::Voucher | Instrument::Card, _) => Issuer::of(instrument, brand),
        }
    }

    /// Where a handler of an endpoint is; `None` if it is no longer configured.
    #[must_use]
    pub fn handler(&self, endpoint: &EndpointId, target: &RelayTarget) -> Option<&HandlerAddress> {
        self.relays.get(endpoint).and_then(|handlers| handlers.get(target))
    }

    /// Whether an endpoint names its contracts, and not this one.
    #[must_use]
    pub fn is_foreign(&self, endpoint: &EndpointId, contract: &Contract) -> bool {
        self.endpoints.get(endpoint).is_some_and(|known| !known.is_empty() && !known.contains(contract))
    }
}
