//! The merchant's settings that decide what counts as a discrepancy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{BookAt, CommissionRates, Contract, EndpointId, Issuer, PayoutTerms};
use serde::{Deserialize, Serialize};

/// The settings in force. They are kept in the log, so a policy that an earlier program wrote must come out as it
/// went in: a field that is added has a default that is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How long a voucher part may wait for its card part, and the reverse.
    pub complement_grace: Duration,
    /// How long a part may stay authorised without a capture, or undecided.
    pub capture_grace: Duration,
    /// How long an answer of a PSP's API may be awaited.
    #[serde(default = "confirmation_grace", skip_serializing_if = "is_first_confirmation_grace")]
    pub confirmation_grace: Duration,
    /// How long one part of a refund may wait for the others.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub refund_grace: Duration,
    /// Whether a record without a registered order is a discrepancy.
    pub require_orders: bool,
    /// Which rules are applied.
    #[serde(default, skip_serializing_if = "Rules::are_first")]
    pub rules: Rules,
    /// The endpoints that are configured, each with the contracts that it knows; where none are named, any will do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<EndpointId, BTreeSet<Contract>>,
    /// When a payment is received, for the books.
    #[serde(default, skip_serializing_if = "BookAt::is_capture")]
    pub book_at: BookAt,
    /// The endpoints whose payments must appear on statements, and of whom.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payouts: BTreeMap<EndpointId, BTreeMap<Issuer, PayoutTerms>>,
    /// What issuers keep.
    #[serde(default, skip_serializing_if = "CommissionRates::are_usual")]
    pub rates: CommissionRates,
}

/// The generation of the rules. An upgrade looks again at what is open; what was settled under earlier rules is judged
/// by later ones only when something new is heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// Those of 0.1 and 0.2.
    #[default]
    First,
    /// Since 0.3: captures, refunds, contracts, silent endpoints.
    Second,
    /// Since 0.4: by the PSP's clock, too, a payment may be older than a changed total; a transaction that was answered
    /// for just now may be asked about again; tenders are booked, and held against statements.
    Third,
}

impl Rules {
    /// Those of this program.
    pub const CURRENT: Self = Self::Third;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    fn are_first(&self) -> bool {
        *self == Self::First
    }
}

/// The grace of policies that were stored before there were confirmations.
const fn confirmation_grace() -> Duration {
    Duration::from_mins(15)
}

fn is_first_confirmation_grace(grace: &Duration) -> bool {
    *grace == confirmation_grace()
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            complement_grace: Duration::from_mins(20),
            capture_grace: Duration::from_hours(4 * 24),
            confirmation_grace: confirmation_grace(),
            refund_grace: Duration::from_mins(20),
            require_orders: false,
            rules: Rules::CURRENT,
            endpoints: BTreeMap::new(),
            book_at: BookAt::default(),
            payouts: BTreeMap::new(),
            rates: CommissionRates::default(),
        }
    }
}

impl Policy {
    /// What holds before the log names a policy; it must stay what it is.
    #[must_use]
    pub fn first() -> Self {
        Self { rules: Rules::First, refund_grace: Duration::ZERO, ..Self::default() }
    }

    /// Whether the rules that came with a generation apply.
    #[must_use]
    pub fn has(&self, rules: Rules) -> bool {
        self.rules >= rules
    }

    /// Whether an endpoint names its contracts, and not this one.
    pub(super) fn is_foreign(&self, endpoint: &EndpointId, contract: &Contract) -> bool {
        self.endpoints.get(endpoint).is_some_and(|known| !known.is_empty() && !known.contains(contract))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_an_earlier_program_comes_out_as_it_went_in() {
        let written = [
            r#"{"complement_grace":{"secs":1200,"nanos":0},"capture_grace":{"secs":345600,"nanos":0},"require_orders":false}"#,
            r#"{"complement_grace":{"secs":1200,"nanos":0},"capture_grace":{"secs":345600,"nanos":0},"confirmation_grace":{"secs":60,"nanos":0},"require_orders":true}"#,
        ];
        for text in written {
            let policy: Policy = serde_json::from_str(text).expect("a policy");
            assert_eq!(policy.rules, Rules::First);
            assert_eq!(serde_json::to_string(&policy).expect("JSON"), text);
        }
    }
}
