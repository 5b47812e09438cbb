//! Refused calls: counted per endpoint and reason, and sampled for the ledger. A person is told of wrong signatures and
//! other refusals when they come in numbers, and at once of a call that the PSP signed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::{EndpointId, Refusal, Timestamp};

/// So many of one reason in [`BURST_WINDOW`] are a burst.
const BURST: u32 = 5;

/// See [`BURST`].
const BURST_WINDOW: Duration = Duration::from_mins(10);

/// So many of one reason in a day are told of, however many calls are taken in between: after a half-done change of keys
/// some servers of the PSP sign with the new one.
const MANY_A_DAY: u32 = 10;

/// So many in a day are told of where none is taken: a shop with few payments has no bursts.
const FEW_A_DAY: u32 = 3;

/// A reason is told of at most so often.
const REPORT_EVERY: Duration = Duration::from_hours(1);

/// So many refused calls of an endpoint are sampled at once; then one in [`SAMPLE_EVERY`].
const SAMPLES: u32 = 20;

/// See [`SAMPLES`].
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

const HOUR_MILLIS: i64 = 3_600_000;

/// What is remembered of each endpoint; bounded by the number of configured endpoints.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<EndpointId, History>>);

#[derive(Debug, Default)]
struct History {
    refused: HashMap<Refusal, Refused>,
    taken: Day,
    samples: u32,
    sampled_at: Option<Timestamp>,
}

/// The refused calls of one reason.
#[derive(Debug, Default)]
struct Refused {
    day: Day,
    /// The last few.
    recent: VecDeque<Timestamp>,
    reported_at: Option<Timestamp>,
    /// How many there were within a day then.
    reported: u32,
    /// When a signed one was last reported.
    signed_reported_at: Option<Timestamp>,
}

/// What to tell a person of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm {
    /// How many calls were refused for this reason within a day.
    pub(super) refused: u32,
    /// How many calls were taken in the same time.
    pub(super) taken: u32,
}

impl Failures {
    /// Notes a refused call. `is_signed`: the PSP signed it. What to tell, if a person is to be told now.
    pub(super) fn refused(
        &self,
        endpoint: &EndpointId,
        refusal: Refusal,
        is_signed: bool,
        now: Timestamp,
    ) -> Option<Alarm> {
        self.with(endpoint, |history| {
            let taken = history.taken.calls(now);
            let refused = history.refused.entry(refusal).or_default();
            let calls = refused.add(now);
            let is_due = |at: Option<Timestamp>| at.is_none_or(|at| now.since(at) >= REPORT_EVERY);
            // What was told stays near the truth, at the price of a few entries.
            let has_grown = refused.reported > 0 && calls >= refused.reported.saturating_mul(3) / 2;
            let tells = if is_signed {
                is_due(refused.signed_reported_at)
            } else {
                (is_due(refused.reported_at) || has_grown) && refused.is_alarming(calls, taken, now)
            };
            if !tells {
                return None;
            }
            refused.reported_at = Some(now);
            refused.reported = calls;
            if is_signed {
                refused.signed_reported_at = Some(now);
            }
            Some(Alarm { refused: calls, taken })
        })
    }

    /// Notes a genuine call.
    pub(super) fn genuine(&self, endpoint: &EndpointId, now: Timestamp) {
        self.with(endpoint, |history| history.taken.add(now));
    }

    /// Whether to keep a sample of a refused call.
    pub(super) fn sample(&self, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.with(endpoint, |history| {
            let rested = history.sampled_at.is_none_or(|at| now.since(at) >= SAMPLE_EVERY);
            if history.samples >= SAMPLES && !rested {
                return false;
            }
            if history.sampled_at.is_some_and(|at| now.since(at) >= BURST_WINDOW) {
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

impl Refused {
    /// Counts one; how many there were within a day.
    fn add(&mut self, now: Timestamp) -> u32 {
        self.recent.push_back(now);
        while self.recent.len() > usize::try_from(BURST).unwrap_or(usize::MAX) {
            self.recent.pop_front();
        }
        self.day.add(now)
    }

    fn is_alarming(&self, calls: u32, taken: u32, now: Timestamp) -> bool {
        let is_burst = self.recent.len() >= usize::try_from(BURST).unwrap_or(usize::MAX)
            && self.recent.front().is_some_and(|first| now.since(*first) <= BURST_WINDOW);
        is_burst || calls >= MANY_A_DAY || (taken == 0 && calls >= FEW_A_DAY)
    }
}

/// Calls of the last 24 hours, by the hour.
#[derive(Debug, Default)]
struct Day(VecDeque<(i64, u32)>);

impl Day {
    /// Counts one; how many there are.
    fn add(&mut self, now: Timestamp) -> u32 {
        let hour = now.millis().div_euclid(HOUR_MILLIS);
        match self.0.back_mut() {
            Some((last, calls)) if *last == hour => *calls = calls.saturating_add(1),
            Some(_) | None => self.0.push_back((hour, 1)),
        }
        self.calls(now)
    }

    /// How many there are.
    fn calls(&mut self, now: Timestamp) -> u32 {
        let hour = now.millis().div_euclid(HOUR_MILLIS);
        // Also what a clock that ran ahead has counted.
        self.0.retain(|(counted, _)| (hour.saturating_sub(24)..=hour).contains(counted));
        self.0.iter().fold(0, |sum, (_, calls)| sum.saturating_add(*calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + seconds * 1000)
    }

    fn endpoint() -> EndpointId {
        EndpointId::new("e").expect("id")
    }

    /// The seconds at which a person is told, of wrong signatures at these seconds.
    fn told(failures: &Failures, seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let wrong = |n: &i64| failures.refused(&endpoint(), Refusal::Signature, false, at(*n)).is_some();
        seconds.into_iter().filter(wrong).collect()
    }

    #[test]
    fn a_burst_is_told_once_an_hour_and_whenever_it_has_grown_by_half() {
        let failures = Failures::default();
        failures.genuine(&endpoint(), at(-1));
        assert_eq!(told(&failures, 0..20), [4, 6, 9, 14]);
        failures.genuine(&endpoint(), at(99));
        assert_eq!(told(&failures, 100..120), [101, 112]);
        assert_eq!(told(&failures, 4000..4010), [4000]);
    }

    /// Of 300 calls 240 are signed with the old key.
    #[test]
    fn genuine_calls_between_them_hide_no_wrong_ones() {
        let failures = Failures::default();
        let told: Vec<Alarm> = (0..300)
            .filter_map(|n| {
                if n % 5 == 0 {
                    failures.genuine(&endpoint(), at(n * 200));
                    return None;
                }
                failures.refused(&endpoint(), Refusal::Signature, false, at(n * 200))
            })
            .collect();
        assert_eq!(told.first(), Some(&Alarm { refused: 10, taken: 3 }));
        assert_eq!(told.last().map(|alarm| alarm.refused > 200), Some(true));
    }

    #[test]
    fn where_nothing_is_taken_few_are_enough() {
        assert_eq!(told(&Failures::default(), [0, 7200, 14_400, 15_000]), [14_400, 15_000]);
        let heard = Failures::default();
        heard.genuine(&endpoint(), at(0));
        assert_eq!(told(&heard, [0, 7200, 14_400, 15_000]), [0_i64; 0], "now and then, beside genuine ones");
    }

    #[test]
    fn yesterday_is_forgotten() {
        let failures = Failures::default();
        failures.genuine(&endpoint(), at(0));
        assert_eq!(told(&failures, (0..9).map(|n| n * 1000)), [0_i64; 0]);
        failures.genuine(&endpoint(), at(100_000));
        assert_eq!(told(&failures, [100_001]), [0_i64; 0]);
    }

    #[test]
    fn a_signed_one_is_told_at_once_and_once_an_hour() {
        let failures = Failures::default();
        let told = |n: &i64| failures.refused(&endpoint(), Refusal::Account, true, at(*n)).is_some();
        assert_eq!([0, 1, 3599, 3600, 3601].into_iter().filter(told).collect::<Vec<_>>(), [0, 3600]);
    }

    #[test]
    fn each_reason_is_counted_by_itself() {
        let failures = Failures::default();
        assert_eq!(told(&failures, [0, 1]), [0_i64; 0]);
        assert_eq!(failures.refused(&endpoint(), Refusal::Form, false, at(2)), None);
    }

    #[test]
    fn samples_are_bounded() {
        let failures = Failures::default();
        assert_eq!((0..1000).filter(|_| failures.sample(&endpoint(), at(0))).count(), 20);
        assert_eq!((1..=60).filter(|n| failures.sample(&endpoint(), at(*n))).count(), 60);
    }
}
