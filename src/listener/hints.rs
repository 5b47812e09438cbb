//! How many unsigned calls an endpoint may store: whoever knows its URL can make them up, and each costs a row of the
//! log and a call of the PSP's API.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use cvco_domain::{EndpointId, Timestamp};

/// So many at once: what a PSP sends after an outage of ours.
const BURST: i64 = 10_000;

/// And so many a second in the long run.
const PER_SECOND: i64 = 5;

/// What is left to each endpoint.
#[derive(Debug, Default)]
pub(super) struct Hints(Mutex<BTreeMap<EndpointId, Allowance>>);

#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: i64,
    as_of: Timestamp,
}

impl Hints {
    /// Whether one more may be stored. It is not counted yet: most only repeat what is known.
    pub(super) fn allow(&self, endpoint: &EndpointId, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(allowance) = all.get_mut(endpoint) else { return true };
        let seconds = i64::try_from(now.since(allowance.as_of).as_secs()).unwrap_or(i64::MAX);
        if seconds > 0 {
            let regained = seconds.saturating_mul(PER_SECOND);
            *allowance = Allowance { left: allowance.left.saturating_add(regained).min(BURST), as_of: now };
        }
        allowance.left > 0
    }

    /// One was stored.
    pub(super) fn count(&self, endpoint: &EndpointId, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let allowance = all.entry(endpoint.clone()).or_insert(Allowance { left: BURST, as_of: now });
        allowance.left = allowance.left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_stopped_and_patience_is_rewarded() {
        let hints = Hints::default();
        let endpoint = EndpointId::new("monext").expect("an id");
        let at = |seconds: i64| Timestamp::from_millis(1_770_000_000_000 + seconds * 1000);
        for _ in 0..BURST {
            assert!(hints.allow(&endpoint, at(0)));
            hints.count(&endpoint, at(0));
        }
        assert!(!hints.allow(&endpoint, at(0)));
        assert!(hints.allow(&endpoint, at(1)));
        for _ in 0..PER_SECOND {
            hints.count(&endpoint, at(1));
        }
        assert!(!hints.allow(&endpoint, at(1)));
        let other = EndpointId::new("other").expect("an id");
        assert!(hints.allow(&other, at(1)), "a neighbour is not concerned");
    }
}
