//! What is sent next: of each lane its first call, in order; of different lanes several at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{EndpointId, RelayTarget, Timestamp};
use cvco_ledger::{PendingRelay, RelayPart};

use super::breaker::{Breaker, Passage};
use super::schedule::PARKED_AFTER;

/// A card part that comes before its voucher waits so long for it: shop modules want the voucher first, and sleep in
/// their handler otherwise.
const FOR_THE_VOUCHER: Duration = Duration::from_secs(10);

/// The most calls to one handler at a time: a small shop has few PHP processes.
pub(super) const AT_ONCE: usize = 4;

/// A handler of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handler {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Which of its handlers.
    pub target: RelayTarget,
}

impl Handler {
    /// The one that a relay is for.
    pub(super) fn of(relay: &PendingRelay) -> Self {
        Self { endpoint: relay.endpoint.clone(), target: relay.target.clone() }
    }
}

/// What is delivered one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    /// To whom.
    pub(super) handler: Handler,
    /// The order, or the payment.
    pub(super) name: String,
}

impl Lane {
    /// The one that a relay is in.
    pub(super) fn of(relay: &PendingRelay) -> Self {
        Self { handler: Handler::of(relay), name: relay.lane.clone() }
    }
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// To be sent now, each of another lane.
    pub(super) send: Vec<PendingRelay>,
    /// No longer to be tried: their handler has not answered for as long as makes sense.
    pub(super) park: Vec<PendingRelay>,
    /// Lanes that wait for time, or for their handler to be back.
    pub(super) held: BTreeSet<Lane>,
    /// When there may be more to do, if time alone brings it.
    pub(super) next_at: Option<Timestamp>,
}

impl Plan {
    fn hold<'r>(&mut self, heads: impl IntoIterator<Item = &'r (Timestamp, PendingRelay)>) {
        self.held.extend(heads.into_iter().map(|(_, relay)| Lane::of(relay)));
    }

    fn look_at(&mut self, at: Timestamp) {
        self.next_at = Some(self.next_at.map_or(at, |known| known.min(at)));
    }
}

/// What to send of all that is owed, oldest first in `owed`. Lanes in `busy` have a call under way.
pub(super) fn plan(
    owed: Vec<PendingRelay>,
    handlers: &BTreeSet<Handler>,
    busy: &BTreeSet<Lane>,
    breakers: &BTreeMap<Handler, Breaker>,
    now: Timestamp,
) -> Plan {
    let mut lanes: BTreeMap<Lane, Vec<PendingRelay>> = BTreeMap::new();
    for relay in owed {
        lanes.entry(Lane::of(&relay)).or_default().push(relay);
    }
    let mut plan = Plan::default();
    let mut due: BTreeMap<Handler, Vec<(Timestamp, PendingRelay)>> = BTreeMap::new();
    for (lane, mut relays) in lanes {
        // One that is no longer configured waits until it is again, or until a person drops what it is owed.
        if !busy.contains(&lane) && handlers.contains(&lane.handler) {
            if breakers.get(&lane.handler).is_some_and(Breaker::is_open) {
                // Only probes are sent: the others would wait forever.
                let is_late = |relay: &mut PendingRelay| now.since(relay.owed_at) >= PARKED_AFTER;
                plan.park.extend(relays.extract_if(.., is_late));
            }
            due.entry(lane.handler).or_default().extend(head(relays));
        }
    }
    for (handler, mut heads) in due {
        let under_way = busy.iter().filter(|lane| lane.handler == handler).count();
        heads.sort_by_key(|(due_at, relay)| (*due_at, relay.notification));
        let breaker = breakers.get(&handler).copied().unwrap_or_default();
        let passage = breaker.passage(now);
        if passage != Passage::Open && under_way == 0 {
            let asked = heads.iter().position(|(_, relay)| breaker.was_asked_since(relay.asked_at));
            if let Some(asked) = asked {
                plan.send.push(heads.swap_remove(asked).1);
                plan.hold(&heads);
                continue;
            }
        }
        match passage {
            Passage::Closed(until) => {
                plan.look_at(until);
                plan.hold(&heads);
            }
            // The one that waited longest since its last attempt, so that one bad call does not stand for all.
            Passage::Probe if under_way == 0 => {
                plan.hold(heads.get(1..).unwrap_or_default());
                plan.send.extend(heads.into_iter().map(|(_, relay)| relay).take(1));
            }
            Passage::Probe => plan.hold(&heads),
            Passage::Open => {
                let (now_due, later): (Vec<_>, Vec<_>) =
                    heads.into_iter().partition(|(due_at, _)| *due_at <= now);
                plan.hold(&later);
                if let Some((due_at, _)) = later.first() {
                    plan.look_at(*due_at);
                }
                let free = AT_ONCE.saturating_sub(under_way);
                plan.send.extend(now_due.into_iter().map(|(_, relay)| relay).take(free));
            }
        }
    }
    plan
}

/// The next call of a lane, and when it is due.
fn head(relays: Vec<PendingRelay>) -> Option<(Timestamp, PendingRelay)> {
    let first = relays.first()?;
    let waits = first.part == Some(RelayPart::Complement);
    let voucher = relays.iter().position(|relay| {
        waits && relay.part == Some(RelayPart::Voucher) && relay.call_number == first.call_number
    });
    let held_until =
        if waits && voucher.is_none() { first.owed_at.after(FOR_THE_VOUCHER) } else { first.owed_at };
    let head = relays.into_iter().nth(voucher.unwrap_or(0))?;
    let due_at = head.not_before.map_or(held_until, |not_before| not_before.max(held_until));
    Some((due_at, head))
}

#[cfg(test)]
pub(super) mod tests;
