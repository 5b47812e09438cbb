//! When a call to a handler is tried again, and when no more.

use std::time::Duration;

use cvco_domain::{Seq, Timestamp};

use crate::back_off;

/// A handler that does not take a call for so long will not take it by itself.
pub(crate) const PARKED_AFTER: Duration = Duration::from_hours(72);

/// A handler may ask to be left alone for so long.
pub(super) const LONGEST_REST: Duration = Duration::from_hours(6);

/// When to try again what failed now; `None` if it was tried for as long as makes sense. Each call waits somewhat more or
/// less than others, so that a handler that comes back is not met by all at once.
pub(super) fn again_at(
    owed_at: Timestamp,
    failures_before: u32,
    notification: Seq,
    now: Timestamp,
) -> Option<Timestamp> {
    if now.since(owed_at) >= PARKED_AFTER {
        return None;
    }
    let wait = back_off::RELAY.after(failures_before);
    // 80 to 120 hundredths, in an order that looks like none.
    let hundredths = u32::try_from(notification.get().rem_euclid(41).wrapping_mul(29) % 41).unwrap_or(20);
    Some(now.after(wait * hundredths.saturating_add(80) / 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000 + seconds * 1000)
    }

    #[test]
    fn waits_grow_from_seconds_to_hours() {
        let waits: Vec<u64> = (0..10)
            .map(|failures| {
                again_at(at(0), failures, Seq::new(0), at(0)).expect("again").since(at(0)).as_secs()
            })
            .collect();
        assert_eq!(
            waits,
            [8, 24, 96, 480, 1440, 2880, 5760, 11520, 17280, 17280],
            "a fifth less than planned"
        );
    }

    #[test]
    fn calls_that_failed_together_are_not_tried_together() {
        let mut waits: Vec<_> =
            (0..41).map(|seq| again_at(at(0), 0, Seq::new(seq), at(0)).expect("again")).collect();
        waits.sort();
        waits.dedup();
        assert_eq!(waits.len(), 41);
        assert_eq!((waits[0].since(at(0)).as_millis(), waits[40].since(at(0)).as_millis()), (8000, 12000));
    }

    #[test]
    fn after_three_days_it_is_for_a_person() {
        let three_days = 72 * 3600;
        assert!(again_at(at(0), 20, Seq::new(1), at(three_days - 1)).is_some());
        assert_eq!(again_at(at(0), 20, Seq::new(1), at(three_days)), None);
    }
}
