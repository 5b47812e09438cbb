//! When to ask again.

use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// After an attempt that failed; the last span repeats.
const AFTER_FAILURE: [Duration; 7] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(30),
    MINUTE,
    times(2),
    times(5),
    times(10),
];

/// While the PSP has not decided: a customer has a quarter of an hour to pay, a partner up to a day to answer.
const WHILE_UNDECIDED: [Duration; 10] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    MINUTE,
    MINUTE,
    times(2),
    times(5),
    times(10),
    times(30),
];

/// How long an endpoint's API is left alone after calls that failed one after the other.
const PAUSE: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    MINUTE,
];

/// The longest of them.
pub(super) const LONGEST_PAUSE: Duration = MINUTE;

const fn times(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

fn nth(spans: &[Duration], n: u32) -> Duration {
    let place = usize::try_from(n).unwrap_or(usize::MAX);
    spans.get(place).or(spans.last()).copied().unwrap_or(MINUTE)
}

/// How long to wait before a question is asked again that failed so many times before.
pub(super) fn after_failure(attempts: u32) -> Duration {
    nth(&AFTER_FAILURE, attempts)
}

/// How long to wait before a question is asked again that was asked so many times before, and is undecided.
pub(super) fn while_undecided(attempts: u32) -> Duration {
    nth(&WHILE_UNDECIDED, attempts)
}

/// How long to leave an API alone after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    if failures == 0 { Duration::ZERO } else { nth(&PAUSE, failures.saturating_sub(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_and_then_stays() {
        for spans in [&AFTER_FAILURE[..], &WHILE_UNDECIDED, &PAUSE] {
            assert!(spans.is_sorted());
        }
        assert_eq!(after_failure(0), Duration::from_secs(2));
        assert_eq!(after_failure(1000), times(10));
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(1), Duration::from_secs(1));
        assert_eq!(PAUSE.last(), Some(&LONGEST_PAUSE));
    }
}
