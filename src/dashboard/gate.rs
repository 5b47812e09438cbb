//! Holds back whoever guesses passwords: after five failures each further try under a name, or from an address, waits.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::Timestamp;

/// So many failures cost nothing.
const FREE: u32 = 5;
/// What the next one costs; each further one twice as much.
const FIRST: Duration = Duration::from_secs(10);
/// And no more than this.
const LONGEST: Duration = Duration::from_mins(15);
/// After this time failures are forgotten.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// So many names and addresses are remembered; those that failed longest ago go first.
const REMEMBERED: usize = 1024;

/// Who tries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Under a name that there is.
    Name(String),
    /// From an address; all of one IPv6 network are one.
    Address(IpAddr),
}

impl Who {
    /// By an address.
    pub(super) fn at(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Address(address),
            IpAddr::V6(v6) => {
                let network = v6.to_bits() >> 64 << 64;
                Self::Address(IpAddr::V6(network.into()))
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn over_at(self) -> Timestamp {
        let Some(more) = self.count.checked_sub(FREE) else { return self.last };
        let wait = FIRST.saturating_mul(1_u32.checked_shl(more.min(16)).unwrap_or(u32::MAX)).min(LONGEST);
        self.last.after(wait)
    }
}

/// Remembers failures.
#[derive(Debug, Default)]
pub(super) struct Gate {
    failures: Mutex<BTreeMap<Who, Failures>>,
}

impl Gate {
    /// How long they must wait before the next try; `None` if they need not.
    pub(super) fn wait(&self, all: &[Who], now: Timestamp) -> Option<Duration> {
        let known = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = all.iter().filter_map(|who| known.get(who)).map(|failures| failures.over_at().since(now));
        waits.max().filter(|wait| !wait.is_zero())
    }

    /// They failed.
    pub(super) fn failed(&self, all: &[Who], now: Timestamp) {
        let mut known = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, failures| now.since(failures.last) < FORGOTTEN);
        for who in all {
            let failures = known.entry(who.clone()).or_insert(Failures { count: 0, last: now });
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
        while known.len() > REMEMBERED {
            let oldest = known.iter().min_by_key(|(_, failures)| failures.last).map(|(who, _)| who.clone());
            let Some(oldest) = oldest else { break };
            known.remove(&oldest);
        }
    }

    /// They came in.
    pub(super) fn passed(&self, all: &[Who]) {
        let mut known = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|who, _| !all.contains(who));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_each_try_waits_longer() {
        let (gate, marie) = (Gate::default(), [Who::Name("marie".to_owned())]);
        let mut now = Timestamp::from_millis(1_780_000_000_000);
        for _ in 0..4 {
            gate.failed(&marie, now);
            assert_eq!(gate.wait(&marie, now), None);
        }
        gate.failed(&marie, now);
        assert_eq!(gate.wait(&marie, now), Some(FIRST));
        assert_eq!(gate.wait(&[Who::Name("paul".to_owned())], now), None);
        now = now.after(FIRST);
        assert_eq!(gate.wait(&marie, now), None);
        gate.failed(&marie, now);
        assert_eq!(gate.wait(&marie, now), Some(FIRST * 2));
        for _ in 0..40 {
            gate.failed(&marie, now);
        }
        assert_eq!(gate.wait(&marie, now), Some(LONGEST));
        gate.passed(&marie);
        assert_eq!(gate.wait(&marie, now), None);
    }

    #[test]
    fn one_network_is_one_and_memory_is_bounded() {
        let at = |text: &str| Who::at(text.parse().expect("an address"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        let (gate, now) = (Gate::default(), Timestamp::from_millis(1_780_000_000_000));
        for n in 0..2000_u32 {
            gate.failed(&[Who::at(IpAddr::V4(n.into()))], now.after(Duration::from_millis(n.into())));
        }
        assert!(gate.failures.lock().expect("whole").len() <= REMEMBERED);
    }
}
