//! Refused calls: counted per endpoint and reason, and sampled for the ledger. A person is told of wrong signatures and
//! other refusals when they come in numbers, and at once of a call that the PSP signed; and of those that came after, once
//! their burst is over.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::{EndpointId, Refusal, Timestamp};
use cvco_log::entry::Refusals;

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

/// A burst is over when none came for so long …
const BURST_OVER: Duration = Duration::from_secs(10);

/// … or counted as if it were, so long after it was told.
const BURST_GOES_ON: Duration = Duration::from_secs(30);

/// What came after is counted at most so often: whoever goes on calling fills no log.
const REST_EVERY: Duration = Duration::from_mins(10);

/// A reason that was told less than so long ago is told still.
const TOLD_FOR: Duration = Duration::from_hours(24);

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
    /// What was told last, if it has a number.
    told: Option<Refusals>,
    /// Those that came since.
    rest: Rest,
}

/// The calls that came after a reason was told.
#[derive(Debug, Default)]
struct Rest {
    calls: u32,
    last: Option<Last>,
    counted_at: Option<Timestamp>,
}

/// The last of them.
#[derive(Debug)]
struct Last {
    at: Timestamp,
    caller: String,
    signed: bool,
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
    /// Notes a refused call of a caller. `is_signed`: the PSP signed it. What to tell, if a person is to be told now.
    pub(super) fn refused(
        &self,
        endpoint: &EndpointId,
        refusal: Refusal,
        is_signed: bool,
        caller: &(impl ToString + ?Sized),
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
                refused.rest.calls = refused.rest.calls.saturating_add(1);
                refused.rest.last = Some(Last { at: now, caller: caller.to_string(), signed: is_signed });
                return None;
            }
            refused.rest.calls = 0;
            refused.reported_at = Some(now);
            refused.reported = calls;
            if is_signed {
                refused.signed_reported_at = Some(now);
            }
            Some(Alarm { refused: calls, taken })
        })
    }

    /// Notes what was told of an alarm.
    pub(super) fn told(&self, told: &Refusals) {
        // Of a wrong account no number is told.
        if told.refusal == Refusal::Account {
            return;
        }
        self.with(&told.endpoint.endpoint, |history| {
            history.refused.entry(told.refusal).or_default().told = Some(told.clone());
        });
    }

    /// What is to be told again, for more calls came after it was told: once their burst is over, or at the end of the program.
    pub(super) fn rest(&self, now: Timestamp, is_end: bool) -> Vec<Refusals> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = Vec::new();
        for history in all.values_mut() {
            let taken = history.taken.calls(now);
            rest.extend(history.refused.values_mut().filter_map(|refused| refused.rest(taken, now, is_end)));
        }
        rest
    }

    /// Notes a genuine call. Where it proves that the key is right, wrong signatures are no longer told.
    pub(super) fn genuine(&self, endpoint: &EndpointId, now: Timestamp) {
        self.with(endpoint, |history| {
            history.taken.add(now);
            if let Some(refused) = history.refused.get_mut(&Refusal::Signature) {
                refused.told = refused.told.take().filter(|told| told.taken > 0);
            }
        });
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

    /// What is to be told of those that came after.
    fn rest(&mut self, taken: u32, now: Timestamp, is_end: bool) -> Option<Refusals> {
        let (told, reported_at) = (self.told.as_ref()?, self.reported_at?);
        let last = self.rest.last.as_ref().filter(|_| self.rest.calls > 0)?;
        let is_over = now.since(last.at) >= BURST_OVER || now.since(reported_at) >= BURST_GOES_ON;
        let may_be_counted = self.rest.counted_at.is_none_or(|at| now.since(at) >= REST_EVERY);
        if now.since(reported_at) >= TOLD_FOR || !(is_over && may_be_counted || is_end) {
            return None;
        }
        let calls = self.day.calls(now);
        let again =
            Refusals { calls, taken, signed: last.signed, caller: Some(last.caller.clone()), ..told.clone() };
        self.rest.calls = 0;
        self.rest.counted_at = Some(now);
        (self.reported, self.reported_at) = (calls, Some(now));
        Some(again)
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
    use cvco_domain::{EndpointRef, Mode, Psp, ShopId};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + seconds * 1000)
    }

    fn endpoint() -> EndpointId {
        EndpointId::new("e").expect("id")
    }

    /// The seconds at which a person is told, of wrong signatures at these seconds.
    fn told(failures: &Failures, seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let wrong = |n: &i64| failures.refused(&endpoint(), Refusal::Signature, false, "a", at(*n)).is_some();
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
                failures.refused(&endpoint(), Refusal::Signature, false, "a", at(n * 200))
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
        let told = |n: &i64| failures.refused(&endpoint(), Refusal::Account, true, "a", at(*n)).is_some();
        assert_eq!([0, 1, 3599, 3600, 3601].into_iter().filter(told).collect::<Vec<_>>(), [0, 3600]);
    }

    fn refusals(refusal: Refusal, calls: u32, taken: u32) -> Refusals {
        let endpoint = EndpointRef {
            shop: ShopId::new("s").expect("id"),
            endpoint: endpoint(),
            psp: Psp::Up2pay,
            mode: Mode::Production,
        };
        let explanation = "its address is outside allow_from".to_owned();
        Refusals {
            endpoint,
            refusal,
            calls,
            taken,
            signed: true,
            caller: None,
            explanation,
            explanation_fr: None,
        }
    }

    /// Tells of what is to be told; what was told.
    fn refuse(failures: &Failures, refusal: Refusal, caller: &str, second: i64) -> Option<u32> {
        let alarm =
            failures.refused(&endpoint(), refusal, refusal != Refusal::Signature, caller, at(second))?;
        failures.told(&refusals(refusal, alarm.refused, alarm.taken));
        Some(alarm.refused)
    }

    fn rest(failures: &Failures, second: i64) -> Vec<(u32, Option<String>)> {
        failures.rest(at(second), false).into_iter().map(|told| (told.calls, told.caller)).collect()
    }

    #[test]
    fn a_burst_of_signed_calls_is_counted_once_it_is_over() {
        let failures = Failures::default();
        let told: Vec<u32> =
            (0..12).filter_map(|n| refuse(&failures, Refusal::Address, &n.to_string(), n / 4)).collect();
        assert_eq!(told, [1], "the first at once");
        assert_eq!(rest(&failures, 5), [], "it may go on");
        assert_eq!(rest(&failures, 12), [(12, Some("11".to_owned()))]);
        assert_eq!(rest(&failures, 1000), [], "all are told");
        // Two hours later five more come.
        let told: Vec<u32> =
            (7200..7205).filter_map(|n| refuse(&failures, Refusal::Address, "b", n)).collect();
        assert_eq!(told, [13]);
        assert_eq!(rest(&failures, 7215), [(17, Some("b".to_owned()))]);
    }

    #[test]
    fn a_burst_that_goes_on_is_counted_meanwhile_and_seldom() {
        let failures = Failures::default();
        let counted: Vec<i64> = (0..3000)
            .filter(|second| {
                refuse(&failures, Refusal::Address, "a", *second);
                !rest(&failures, *second).is_empty()
            })
            .collect();
        assert_eq!(counted, [30, 630, 1230, 1830, 2430]);
        assert_eq!(failures.rest(at(3000), true).len(), 1, "and at the end");
    }

    #[test]
    fn what_was_never_told_or_is_over_is_not_counted() {
        let failures = Failures::default();
        refuse(&failures, Refusal::Signature, "a", 0);
        assert_eq!(rest(&failures, 100), [], "one wrong signature is nothing");
        for second in 0..7 {
            refuse(&failures, Refusal::Signature, "a", second);
        }
        failures.genuine(&endpoint(), at(8));
        refuse(&failures, Refusal::Signature, "a", 9);
        assert_eq!(rest(&failures, 100), [], "a genuine call has closed it");
        refuse(&failures, Refusal::Account, "a", 200);
        refuse(&failures, Refusal::Account, "a", 201);
        assert_eq!(rest(&failures, 300), [], "of accounts no number is told");
        let days = 2 * 86_400;
        refuse(&failures, Refusal::Address, "a", 400);
        failures.refused(&endpoint(), Refusal::Address, false, "a", at(days));
        assert_eq!(rest(&failures, days + 60), [], "long closed");
    }

    #[test]
    fn each_reason_is_counted_by_itself() {
        let failures = Failures::default();
        assert_eq!(told(&failures, [0, 1]), [0_i64; 0]);
        assert_eq!(failures.refused(&endpoint(), Refusal::Form, false, "a", at(2)), None);
    }

    #[test]
    fn samples_are_bounded() {
        let failures = Failures::default();
        assert_eq!((0..1000).filter(|_| failures.sample(&endpoint(), at(0))).count(), 20);
        assert_eq!((1..=60).filter(|n| failures.sample(&endpoint(), at(*n))).count(), 60);
    }
}
