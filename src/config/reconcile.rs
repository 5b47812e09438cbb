//! `[reconcile]`: the graces of the rules.

use std::sync::Arc;

use cvco_domain::Policy;
use serde::Deserialize;

use super::Endpoint;
use super::check::Check;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReconcile {
    complement_grace: Option<String>,
    capture_grace: Option<String>,
    confirmation_grace: Option<String>,
    refund_grace: Option<String>,
    require_orders: Option<bool>,
}

impl RawReconcile {
    /// The settings that rules go by; the books add theirs.
    pub(super) fn policy(&self, endpoints: &[Arc<Endpoint>], check: &mut Check<'_>) -> Policy {
        let default = Policy::default();
        let complement_grace = check.duration(
            "reconcile.complement_grace",
            self.complement_grace.as_deref(),
            default.complement_grace,
        );
        Policy {
            complement_grace,
            // The parts of a refund come as the parts of a payment do.
            refund_grace: check.duration(
                "reconcile.refund_grace",
                self.refund_grace.as_deref(),
                complement_grace,
            ),
            capture_grace: check.duration(
                "reconcile.capture_grace",
                self.capture_grace.as_deref(),
                default.capture_grace,
            ),
            confirmation_grace: check.duration(
                "reconcile.confirmation_grace",
                self.confirmation_grace.as_deref(),
                default.confirmation_grace,
            ),
            require_orders: self.require_orders.unwrap_or(default.require_orders),
            endpoints: endpoints.iter().map(|e| (e.id.clone(), e.contracts.clone())).collect(),
            relays: endpoints
                .iter()
                .filter(|endpoint| !endpoint.relays.is_empty())
                .map(|endpoint| {
                    let relays = endpoint.relays.iter();
                    let handlers = relays.map(|relay| (relay.id.clone(), relay.address.clone())).collect();
                    (endpoint.id.clone(), handlers)
                })
                .collect(),
            channels: default.channels,
            escalate_after: default.escalate_after,
            weekly: default.weekly,
            book_at: default.book_at,
            payouts: default.payouts,
            rates: default.rates,
            issuers: default.issuers,
        }
    }
}
