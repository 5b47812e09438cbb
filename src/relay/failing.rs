//! When a person is told that a handler does not take what it is owed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{EndpointId, Mode, RelayTarget, Severity, Timestamp};
use cvco_ledger::{PendingRelay, ToldUnreached};
use cvco_log::entry::Unreached;

use super::plan::Handler;

/// A call that a handler does not take for so long is told …
const PATIENCE: Duration = Duration::from_mins(5);

/// … and so are the calls of this many orders, for however short a time.
const ORDERS: usize = 3;

/// After this time a person should look at once.
const LONG: Duration = Duration::from_hours(1);

/// A handler that fails long enough, or for enough orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failing {
    handler: Handler,
    mode: Mode,
    /// How many calls wait for it.
    waiting: u32,
    /// Since when the first of those waits that it did not take.
    since: Timestamp,
    why: String,
}

/// The handlers of which there is something to tell.
pub(super) fn failing(owed: &[PendingRelay], handlers: &BTreeSet<Handler>, now: Timestamp) -> Vec<Failing> {
    let mut by_handler: BTreeMap<Handler, Vec<&PendingRelay>> = BTreeMap::new();
    for relay in owed {
        by_handler.entry(Handler::of(relay)).or_default().push(relay);
    }
    let all = by_handler.into_iter();
    all.filter_map(|(handler, relays)| {
        let is_configured = handlers.contains(&handler);
        let in_vain: Vec<_> = relays.iter().filter(|relay| relay.attempts > 0 || !is_configured).collect();
        let first = in_vain.iter().min_by_key(|relay| relay.owed_at)?;
        let orders: BTreeSet<&str> = in_vain.iter().map(|relay| relay.lane.as_str()).collect();
        if now.since(first.owed_at) < PATIENCE && orders.len() < ORDERS {
            return None;
        }
        let last = in_vain.iter().max_by_key(|relay| relay.not_before);
        let why = match last.and_then(|relay| relay.last_error.clone()) {
            Some(error) if is_configured => error,
            Some(_) | None => "the configuration has no relay of this id any more".to_owned(),
        };
        let waiting = u32::try_from(relays.len()).unwrap_or(u32::MAX);
        Some(Failing { handler, mode: first.mode, waiting, since: first.owed_at, why })
    })
    .collect()
}

impl Failing {
    /// What there is to say of it, if a person does not know it yet: that it fails, that it has done so for long, or that
    /// twice as many calls wait as were told.
    pub(super) fn news(&self, told: &[ToldUnreached], now: Timestamp) -> Option<Unreached> {
        let Handler { endpoint, target } = &self.handler;
        let is_it = |told: &&ToldUnreached| told.endpoint == *endpoint && told.target == *target;
        if let Some(told) = told.iter().find(is_it) {
            let is_urgent = self.mode == Mode::Production && now.since(self.since) >= LONG;
            let is_graver = is_urgent && told.severity < Severity::Urgent;
            if !is_graver && self.waiting < told.calls.saturating_mul(2) {
                return None;
            }
        }
        let (endpoint, target): (EndpointId, RelayTarget) = (endpoint.clone(), target.clone());
        Some(Unreached { endpoint, target, why: self.why.clone() })
    }
}

#[cfg(test)]
mod tests {
    use cvco_domain::Seq;

    use super::super::plan::tests::{at, handler, relay};
    use super::*;

    /// A call that was tried once.
    fn tried(seq: i64, order: &str) -> PendingRelay {
        PendingRelay {
            attempts: 1,
            not_before: Some(at(seq + 10)),
            last_error: Some(format!("it answered 50{seq}")),
            ..relay(seq, order)
        }
    }

    fn found(owed: &[PendingRelay], seconds: i64) -> Vec<Failing> {
        failing(owed, &[handler("shop")].into(), at(seconds))
    }

    fn told(severity: Severity, calls: u32) -> Vec<ToldUnreached> {
        let Handler { endpoint, target } = handler("shop");
        vec![ToldUnreached { endpoint, target, severity, calls }]
    }

    #[test]
    fn five_minutes_or_three_orders_are_enough() {
        let owed = [tried(1, "A"), tried(2, "A"), tried(3, "B"), relay(4, "C")];
        assert_eq!(found(&owed, 300), []);
        assert_eq!(found(&owed, 301).len(), 1);
        let owed = [tried(1, "A"), tried(2, "B"), tried(3, "C")];
        assert_eq!(found(&owed, 10).len(), 1);
    }

    #[test]
    fn what_was_never_tried_does_not_fail() {
        assert_eq!(found(&[relay(1, "A"), relay(2, "B"), relay(3, "C")], 1000), []);
    }

    #[test]
    fn the_last_answer_is_told() {
        let found = found(&[tried(1, "A"), tried(4, "B"), relay(5, "C")], 1000);
        let news = found[0].news(&[], at(1000)).expect("news");
        assert_eq!((news.target.as_str(), news.why.as_str()), ("shop", "it answered 504"));
    }

    #[test]
    fn a_handler_that_is_no_longer_configured_is_told_of_too() {
        let owed = [PendingRelay { target: handler("old").target, ..relay(1, "A") }];
        assert_eq!(found(&owed, 100), []);
        let why = &found(&owed, 301)[0].why;
        assert_eq!(why, "the configuration has no relay of this id any more");
    }

    #[test]
    fn it_is_told_again_when_it_becomes_graver_or_much_larger() {
        let mut owed: Vec<_> = (1..4).map(|seq| tried(seq, "A")).collect();
        let news = |owed: &[PendingRelay], seconds, told: &[ToldUnreached]| {
            found(owed, seconds)[0].news(told, at(seconds)).is_some()
        };
        assert!(news(&owed, 400, &[]));
        assert!(!news(&owed, 400, &told(Severity::Warning, 3)));
        assert!(news(&owed, 3601, &told(Severity::Warning, 3)));
        assert!(!news(&owed, 3601, &told(Severity::Urgent, 3)));
        owed.extend((4..7).map(|seq| PendingRelay { notification: Seq::new(seq), ..relay(2, "A") }));
        assert!(news(&owed, 400, &told(Severity::Warning, 3)));
    }

    #[test]
    fn trials_are_never_urgent() {
        let owed = [PendingRelay { mode: Mode::Test, ..tried(1, "A") }];
        assert_eq!(found(&owed, 9999)[0].news(&told(Severity::Warning, 1), at(9999)), None);
    }
}
