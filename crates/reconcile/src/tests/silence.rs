//! Silence, measured in the calls that an endpoint's own weeks let expect.

use super::super::{Heard, hour_of, silent_from};
use super::*;

const HOUR: i64 = 60;

/// Calls at so many minutes after Sunday, the first of March, 10:00 UTC.
fn heard(minutes: impl IntoIterator<Item = i64>) -> Heard {
    let mut minutes: Vec<i64> = minutes.into_iter().collect();
    minutes.sort_unstable();
    let mut hours: Vec<(i64, i64)> = Vec::new();
    for at in minutes.iter().map(|at| hour_of(minute(*at))) {
        match hours.last_mut() {
            Some((hour, calls)) if *hour == at => *calls += 1,
            _ => hours.push((at, 1)),
        }
    }
    let (first, last) = (minutes[0], minutes[minutes.len() - 1]);
    Heard { first_at: minute(first), last_at: minute(last), hours }
}

/// So many weeks of a shop that sells on Sundays from ten to noon UTC, and only then.
fn sundays(weeks: i64, calls: i64) -> Vec<i64> {
    (0..weeks).flat_map(|week| (0..calls).map(move |n| week * 7 * DAY + n * 120 / calls)).collect()
}

#[test]
fn there_is_no_habit_before_two_weeks_and_twenty_calls() {
    assert_eq!(silent_from(&heard(0..1000)), None);
    assert_eq!(silent_from(&heard(sundays(2, 50))), None, "from the first call to the last: a week");
    assert_eq!(silent_from(&heard(sundays(4, 4))), None);
    assert!(silent_from(&heard(sundays(4, 50))).is_some());
}

#[test]
fn a_quiet_week_is_no_silence_for_a_shop_that_sells_on_sundays() {
    let history = sundays(6, 50);
    let last = *history.last().expect("calls");
    let from = silent_from(&heard(history)).expect("a habit");
    let next_sunday = 6 * 7 * DAY;
    assert!(from > minute(next_sunday), "six days without a call are its habit: {from}");
    assert!(from < minute(next_sunday + 2 * HOUR), "a whole Sunday without one is not: {from}");
    assert!(from > minute(last));
}

#[test]
fn a_busy_endpoint_is_not_alarmed_by_a_short_pause() {
    let busy: Vec<i64> = (0..4 * 7 * DAY).collect();
    let last = *busy.last().expect("calls");
    assert_eq!(silent_from(&heard(busy)), Some(minute(last + 2 * HOUR)));
}

#[test]
fn a_long_pause_that_it_has_known_before_is_its_habit() {
    // Six calls a day at noon; once it was silent for a week.
    let daily = |day: i64| (0..6).map(move |n| day * DAY + 120 + n);
    let steady: Vec<i64> = (0..42).flat_map(daily).collect();
    let with_a_pause: Vec<i64> = (0..42).filter(|day| !(20..27).contains(day)).flat_map(daily).collect();
    let last = *steady.last().expect("calls");
    let wait = |history| silent_from(&heard(history)).expect("a habit").since(minute(last));
    assert!(wait(steady) < Duration::from_hours(4 * 24));
    assert!(wait(with_a_pause) > Duration::from_hours(12 * 24));
}

#[test]
fn what_is_older_than_eight_weeks_no_longer_counts() {
    let once = (0..200).map(|n| n * 10);
    let since: Vec<i64> = (0..70).flat_map(|day| (0..2).map(move |n| day * DAY + n * 5)).collect();
    let recent = silent_from(&heard(since.clone()));
    assert_eq!(silent_from(&heard(once.chain(since))), recent);
}
