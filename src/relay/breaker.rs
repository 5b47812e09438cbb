//! A handler that fails again and again is left alone but for one probe at a time, so that a shop that is down costs
//! neither it nor us a call for each order, and hears everything soon after it is back.

use std::time::Duration;

use cvco_domain::Timestamp;

/// So many failures in a row, and the handler is left alone.
const ENOUGH: u32 = 5;

/// How often it is probed at first.
const PROBE: Duration = Duration::from_mins(1);

/// How often once it has been down for [`LONG`].
const RARE_PROBE: Duration = Duration::from_mins(5);

const LONG: Duration = Duration::from_hours(1);

/// How a handler fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Breaker {
    failures: u32,
    failing_since: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    probe_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
}

/// What may be sent to a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Whatever is due.
    Open,
    /// One call, whether it is due or not.
    Probe,
    /// Nothing before this instant.
    Closed(Timestamp),
}

impl Breaker {
    /// What may be sent now.
    pub(super) fn passage(&self, now: Timestamp) -> Passage {
        match (self.rests_until, self.probe_at) {
            (Some(until), _) if now < until => Passage::Closed(until),
            (_, Some(at)) if now < at => Passage::Closed(at),
            (_, Some(_)) => Passage::Probe,
            (_, None) => Passage::Open,
        }
    }

    /// Whether a person asked for a call since the last failure: that is a reason to try at once.
    pub(super) fn was_asked_since(&self, asked_at: Option<Timestamp>) -> bool {
        asked_at > self.failed_at
    }

    /// Whether calls are held back.
    pub(super) const fn is_open(&self) -> bool {
        self.probe_at.is_some()
    }

    /// A call was taken, or refused by the handler itself: it is there.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A call failed; the handler may have asked to be left alone.
    pub(super) fn failed(&mut self, now: Timestamp, rest: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        let since = *self.failing_since.get_or_insert(now);
        self.rests_until = rest.map(|rest| now.after(rest));
        if self.failures >= ENOUGH {
            let pause = if now.since(since) >= LONG { RARE_PROBE } else { PROBE };
            self.probe_at = Some(now.after(pause));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000 + seconds * 1000)
    }

    fn failing() -> Breaker {
        let mut breaker = Breaker::default();
        (0..5).for_each(|second| breaker.failed(at(second), None));
        breaker
    }

    #[test]
    fn after_five_failures_in_a_row_there_is_a_probe_a_minute() {
        let mut breaker = Breaker::default();
        for second in 0..4 {
            breaker.failed(at(second), None);
            assert_eq!(breaker.passage(at(second)), Passage::Open);
        }
        breaker.failed(at(4), None);
        assert_eq!(breaker.passage(at(5)), Passage::Closed(at(64)));
        assert_eq!(breaker.passage(at(64)), Passage::Probe);
        breaker.failed(at(64), None);
        assert_eq!(breaker.passage(at(65)), Passage::Closed(at(124)));
        breaker.failed(at(3700), None);
        assert_eq!(breaker.passage(at(3701)), Passage::Closed(at(4000)), "rarer after an hour");
    }

    #[test]
    fn one_answer_opens_the_way_for_all() {
        let mut breaker = failing();
        breaker.answered();
        assert_eq!(breaker.passage(at(6)), Passage::Open);
    }

    #[test]
    fn a_handler_that_asks_for_rest_gets_it() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), Some(Duration::from_mins(10)));
        assert_eq!(breaker.passage(at(599)), Passage::Closed(at(600)));
        assert_eq!(breaker.passage(at(600)), Passage::Open);
    }
}
