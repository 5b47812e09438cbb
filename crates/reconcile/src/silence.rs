//! When an endpoint has been silent for far longer than is its habit: a pure function of when it was heard.
//!
//! A holiday village is paid on Saturday mornings and hears nothing for nights; a fixed span would alarm it every
//! night, or too late on a Saturday. So silence is measured in calls that the endpoint's own weeks let expect: each
//! hour of the week counts for what it has brought on average. It is far longer than its habit when more calls are
//! missing than in twice the worst pause of the last weeks.

use std::time::Duration;

use cvco_domain::Timestamp;

/// So many weeks back the habit goes.
const WEEKS: i64 = 8;

/// Before so many weeks there is no habit.
const FIRST_WEEKS: i64 = 2;

/// Fewer calls than this make no habit.
const FEWEST_CALLS: i64 = 20;

/// The fewest missing calls that count: a call more or less is chance, and they come in twos.
const FEWEST_MISSING: i64 = 12;

/// However many calls an endpoint has: a short pause alarms nobody.
const SHORTEST: Duration = Duration::from_hours(2);

const HOUR: i64 = 3_600_000;
const HOURS_OF_WEEK: i64 = 168;

/// When an endpoint was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The first time ever.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
    /// How many calls each hour since 1970 (UTC) brought, oldest first; hours without any are left out.
    pub hours: Vec<(i64, i64)>,
}

impl Heard {
    /// So many hours before the last call matter.
    pub const REACH: i64 = WEEKS * HOURS_OF_WEEK;
}

/// The hour since 1970, UTC, that an instant falls into.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(HOUR)
}

/// From when on its silence is far longer than its habit, if nothing comes; `None` while there is no habit.
#[must_use]
pub fn silent_from(heard: &Heard) -> Option<Timestamp> {
    let weeks = weeks_heard(heard)?;
    let first = hour_of(heard.last_at).saturating_sub(weeks.saturating_mul(HOURS_OF_WEEK));
    let hours: Vec<_> = heard.hours.iter().copied().filter(|(hour, _)| *hour > first).collect();
    let mut habit = Habit { calls: [0; 168] };
    for (hour, calls) in &hours {
        habit.add(*hour, *calls);
    }
    if habit.calls.iter().sum::<i64>() < FEWEST_CALLS {
        return None;
    }
    let pauses = hours.windows(2).filter_map(|pair| match pair {
        [(before, _), (after, _)] => Some(habit.missing_between(*before, *after)),
        _ => None,
    });
    // Sums over all weeks, so that nothing need be divided.
    let worst = pauses.max().unwrap_or(0);
    let limit = worst.saturating_mul(2).max(FEWEST_MISSING.saturating_mul(weeks));
    let alarming = habit.exhausted(heard.last_at, limit)?;
    Some(alarming.max(heard.last_at.after(SHORTEST)))
}

fn weeks_heard(heard: &Heard) -> Option<i64> {
    let span = heard.last_at.millis().saturating_sub(heard.first_at.millis());
    let weeks = span.div_euclid(HOUR.saturating_mul(HOURS_OF_WEEK)).min(WEEKS);
    (weeks >= FIRST_WEEKS).then_some(weeks)
}

/// How many calls each hour of the week brought, over all weeks together.
struct Habit {
    calls: [i64; 168],
}

impl Habit {
    fn slot(hour: i64) -> usize {
        Timestamp::from_millis(hour.saturating_mul(HOUR)).paris_hour_of_week()
    }

    fn add(&mut self, hour: i64, calls: i64) {
        if let Some(slot) = self.calls.get_mut(Self::slot(hour)) {
            *slot = slot.saturating_add(calls);
        }
    }

    fn at(&self, hour: i64) -> i64 {
        self.calls.get(Self::slot(hour)).copied().unwrap_or(0)
    }

    /// The calls that the hours between two others let expect.
    fn missing_between(&self, before: i64, after: i64) -> i64 {
        (before.saturating_add(1)..after).map(|hour| self.at(hour)).sum()
    }

    /// When this many calls are missing since an instant.
    fn exhausted(&self, since: Timestamp, limit: i64) -> Option<Timestamp> {
        let mut left = limit.saturating_mul(HOUR);
        let mut at = since.millis();
        for hour in hour_of(since)..hour_of(since).saturating_add(HOURS_OF_WEEK.saturating_mul(52)) {
            let end = hour.saturating_add(1).saturating_mul(HOUR);
            let calls = self.at(hour);
            let expected = calls.saturating_mul(end.saturating_sub(at));
            if expected >= left && calls > 0 {
                return Some(Timestamp::from_millis(at.saturating_add(left.div_euclid(calls))));
            }
            left = left.saturating_sub(expected);
            at = end;
        }
        None
    }
}
