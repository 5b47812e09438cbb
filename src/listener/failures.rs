//! Refused calls: counted per endpoint and sampled for the ledger. Wrong signatures are reported once when they come in
//! a burst, genuine calls for another account at once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::{EndpointId, Timestamp};

/// So many wrong signatures in [`WINDOW`] are a burst: probably a wrong key.
const BURST: usize = 5;

/// See [`BURST`].
const WINDOW: Duration = Duration::from_mins(10);

/// A burst is reported at most so often, whatever comes in between.
const REPORT_EVERY: Duration = Duration::from_hours(1);

/// So many refused calls of an endpoint are sampled at once; then one in [`SAMPLE_EVERY`].
const SAMPLES: u32 = 20;

/// See [`SAMPLES`].
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// What is remembered of each endpoint; bounded by the number of configured endpoints.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<EndpointId, History>>);

#[derive(Debug, Default)]
struct History {
    recent: VecDeque<Timestamp>,
    reported_at: Option<Timestamp>,
    foreign_at: Option<Timestamp>,
    samples: u32,
    sampled_at: Option<Timestamp>,
}

impl Failures {
    /// Notes a wrong signature; the size of the burst, if one is to be reported now.
    pub(super) fn wrong_signature(&self, endpoint: &EndpointId, now: Timestamp) -> Option<u32> {
        self.with(endpoint, |history| {
            history.recent.push_back(now);
            while history.recent.front().is_some_and(|first| now.since(*first) > WINDOW)
                || history.recent.len() > BURST
            {
                history.recent.pop_front();
            }
            let quiet = history.reported_at.is_none_or(|at| now.since(at) >= REPORT_EVERY);
            if history.recent.len() < BURST || !quiet {
                return None;
            }
            history.reported_at = Some(now);
            u32::try_from(history.recent.len()).ok()
        })
    }

    /// Whether a genuine call for another account is to be reported now.
    pub(super) fn foreign(&self, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.with(endpoint, |history| {
            let quiet = history.foreign_at.is_none_or(|at| now.since(at) >= REPORT_EVERY);
            if quiet {
                history.foreign_at = Some(now);
            }
            quiet
        })
    }

    /// Notes a genuine call: what failed before it was not the key.
    pub(super) fn genuine(&self, endpoint: &EndpointId) {
        self.with(endpoint, |history| history.recent.clear());
    }

    /// Whether to keep a sample of a refused call.
    pub(super) fn sample(&self, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.with(endpoint, |history| {
            let rested = history.sampled_at.is_none_or(|at| now.since(at) >= SAMPLE_EVERY);
            if history.samples >= SAMPLES && !rested {
                return false;
            }
            if history.sampled_at.is_some_and(|at| now.since(at) >= WINDOW) {
                history.samples = 0;
            }
            history.samples = history.samples.saturating_add(1);
            history.sampled_at = Some(now);
            true
        })
    }

    fn with<T>(&self, endpoint: &EndpointId, act: impl FnOnce(&mut History) -> T) -> T {
        // Counters stay meaningful even if a thread died while it held them.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(all.entry(endpoint.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + seconds * 1000)
    }

    #[test]
    fn five_in_ten_minutes_are_a_burst_and_told_once_an_hour() {
        let (failures, endpoint) = (Failures::default(), EndpointId::new("e").expect("id"));
        let told: Vec<_> =
            (0..20).filter(|n| failures.wrong_signature(&endpoint, at(*n)).is_some()).collect();
        assert_eq!(told, [4]);
        failures.genuine(&endpoint);
        assert_eq!((100..120).filter_map(|n| failures.wrong_signature(&endpoint, at(n))).count(), 0);
        let later: Vec<_> =
            (4000..4010).filter(|n| failures.wrong_signature(&endpoint, at(*n)).is_some()).collect();
        assert_eq!(later, [4004]);
    }

    #[test]
    fn a_few_now_and_then_are_no_burst() {
        let (failures, endpoint) = (Failures::default(), EndpointId::new("e").expect("id"));
        assert!((0..50).all(|n| failures.wrong_signature(&endpoint, at(n * 200)).is_none()));
    }

    #[test]
    fn a_call_for_another_account_is_told_at_once_and_once_an_hour() {
        let (failures, endpoint) = (Failures::default(), EndpointId::new("e").expect("id"));
        let told: Vec<_> =
            [0, 1, 3599, 3600, 3601].into_iter().filter(|n| failures.foreign(&endpoint, at(*n))).collect();
        assert_eq!(told, [0, 3600]);
    }

    #[test]
    fn samples_are_bounded() {
        let (failures, endpoint) = (Failures::default(), EndpointId::new("e").expect("id"));
        assert_eq!((0..1000).filter(|_| failures.sample(&endpoint, at(0))).count(), 20);
        assert_eq!((1..=60).filter(|n| failures.sample(&endpoint, at(*n))).count(), 60);
    }
}
