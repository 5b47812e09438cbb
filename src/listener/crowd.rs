//! Who is connected, and who has to go when there is no more room. Whoever has asked nothing yet, or nothing more, makes room
//! for whoever comes; so a thousand callers that say nothing keep nobody waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A caller speaks within this time, and is left alone until then.
const SPEAKS_WITHIN: Duration = Duration::from_secs(2);

/// Who is sent away goes within this time, unless it has still something to read.
const GOES_WITHIN: Duration = Duration::from_millis(100);

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub connections: usize,
    /// Of one address, as long as they have asked nothing.
    pub silent_per_address: usize,
}

/// All connections of a listener.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    silent_per_address: usize,
    speaks_within: Duration,
    gauge: Gauge,
    waiting: Arc<Mutex<Waiting>>,
}

/// Those who can be sent away: nothing of theirs is under way.
#[derive(Debug, Default)]
struct Waiting {
    /// The number of the next who begins to wait: the lowest number waits longest.
    next: u64,
    all: BTreeMap<u64, Waiter>,
    /// Of each address those who never asked anything.
    silent: HashMap<IpAddr, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    silent_from: Option<IpAddr>,
    sent_away: CancellationToken,
}

/// A connection's place among those allowed; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    crowd: Crowd,
    _place: OwnedSemaphorePermit,
    sent_away: CancellationToken,
    /// Its number, while it waits.
    waits_as: Mutex<Option<u64>>,
}

impl Crowd {
    pub(super) fn new(room: Room, gauge: Gauge) -> Self {
        let Room { connections, silent_per_address } = room;
        let places = Arc::new(Semaphore::new(connections));
        Self { places, silent_per_address, speaks_within: SPEAKS_WITHIN, gauge, waiting: Arc::default() }
    }

    /// Lets a connection in; `from`: where it comes from, if that counts. `None` when every place is taken by somebody whose
    /// request is under way.
    pub(super) async fn let_in(&self, from: Option<IpAddr>) -> Option<Guest> {
        let place = self.place().await?;
        let sent_away = CancellationToken::new();
        let number = {
            let mut waiting = self.lock();
            if let Some(address) = from {
                waiting.send_silent_away(address, self.silent_per_address, self.speaks_within);
            }
            waiting.begin(from, sent_away.clone())
        };
        self.gauge.inc();
        Some(Guest { crowd: self.clone(), _place: place, sent_away, waits_as: Mutex::new(Some(number)) })
    }

    /// A place, if need be that of somebody who waits.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        while self.make_room() {
            if let Ok(place) = timeout(GOES_WITHIN, Arc::clone(&self.places).acquire_owned()).await {
                return place.ok();
            }
        }
        None
    }

    /// Makes room for one more descriptor; whether there was anybody to send away.
    pub(super) fn make_room(&self) -> bool {
        self.lock().send_longest_away()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn begin(&mut self, silent_from: Option<IpAddr>, sent_away: CancellationToken) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        if let Some(address) = silent_from {
            self.silent.entry(address).or_default().insert(number);
        }
        self.all.insert(number, Waiter { since: Instant::now(), silent_from, sent_away });
        number
    }

    fn end(&mut self, number: u64) -> Option<Waiter> {
        let waiter = self.all.remove(&number)?;
        if let Some(address) = waiter.silent_from
            && let Some(silent) = self.silent.get_mut(&address)
        {
            silent.remove(&number);
            if silent.is_empty() {
                self.silent.remove(&address);
            }
        }
        Some(waiter)
    }

    fn send_away(&mut self, number: u64) -> bool {
        let Some(waiter) = self.end(number) else { return false };
        waiter.sent_away.cancel();
        true
    }

    fn send_longest_away(&mut self) -> bool {
        let longest = self.all.first_key_value().map(|(number, _)| *number);
        longest.is_some_and(|number| self.send_away(number))
    }

    /// Those of an address that are too many, and had their time to speak.
    fn send_silent_away(&mut self, address: IpAddr, room: usize, speaks_within: Duration) {
        while let Some(silent) = self.silent.get(&address).filter(|silent| silent.len() >= room)
            && let Some(longest) = silent.first().copied()
            && self.all.get(&longest).is_some_and(|waiter| waiter.since.elapsed() >= speaks_within)
        {
            self.send_away(longest);
        }
    }
}

impl Guest {
    /// Returns when it has to go.
    pub(super) async fn sent_away(&self) {
        self.sent_away.cancelled().await;
    }

    /// A request of it is under way: it stays until that is answered.
    pub(super) fn asks(&self) {
        let mut waits_as = self.number();
        if let Some(number) = waits_as.take() {
            let is_known = self.crowd.lock().end(number).is_some();
            // Sent away in this very moment: it goes.
            *waits_as = (!is_known).then_some(number);
        }
    }

    /// Its request was answered.
    pub(super) fn waits(&self) {
        let mut waits_as = self.number();
        if waits_as.is_none() {
            *waits_as = Some(self.crowd.lock().begin(None, self.sent_away.clone()));
        }
    }

    fn number(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.waits_as.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let number = self.number().take();
        if let Some(number) = number {
            self.crowd.lock().end(number);
        }
        self.crowd.gauge.dec();
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinHandle;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn crowd(connections: usize, silent_per_address: usize) -> Crowd {
        Crowd::new(Room { connections, silent_per_address }, Gauge::default())
    }

    /// A connection that goes when it is sent away.
    struct Led {
        guest: Arc<Guest>,
        goes: JoinHandle<()>,
    }

    impl Led {
        async fn new(crowd: &Crowd, from: Option<IpAddr>) -> Self {
            let guest = Arc::new(crowd.let_in(from).await.expect("room"));
            let led = Arc::clone(&guest);
            let goes = tokio::spawn(async move { led.sent_away().await });
            Self { guest, goes }
        }

        /// Its place is given back only with the last handle; so this one is let go too.
        async fn has_gone(self) {
            drop(self.guest);
            self.goes.await.expect("sent away");
        }

        fn stays(&self) -> bool {
            !self.guest.sent_away.is_cancelled()
        }
    }

    #[tokio::test]
    async fn who_waits_longest_makes_room_and_who_is_served_stays() {
        let crowd = crowd(3, 9);
        let first = Led::new(&crowd, None).await;
        let second = Led::new(&crowd, None).await;
        let third = Led::new(&crowd, None).await;
        first.guest.asks();
        let (fourth, ()) = tokio::join!(Led::new(&crowd, None), second.has_gone());
        assert!(first.stays() && third.stays());
        first.guest.waits();
        let (fifth, ()) = tokio::join!(Led::new(&crowd, None), third.has_gone());
        assert!(first.stays() && fourth.stays() && fifth.stays(), "the first waits only since now");
    }

    #[tokio::test]
    async fn where_all_are_served_nobody_is_let_in_until_one_leaves() {
        let crowd = crowd(2, 9);
        let first = crowd.let_in(None).await.expect("room");
        let second = crowd.let_in(None).await.expect("room");
        first.asks();
        second.asks();
        assert!(crowd.let_in(None).await.is_none());
        assert!(!crowd.make_room());
        drop(first);
        assert_eq!(crowd.gauge.get(), 1);
        assert!(crowd.let_in(None).await.is_some());
    }

    #[tokio::test]
    async fn who_is_sent_away_and_does_not_go_costs_another_its_place() {
        let crowd = crowd(2, 9);
        let _stuck = crowd.let_in(None).await.expect("room");
        let second = Led::new(&crowd, None).await;
        let (third, ()) = tokio::join!(Led::new(&crowd, None), second.has_gone());
        assert!(third.stays());
    }

    #[tokio::test]
    async fn the_silent_of_one_address_are_bounded_after_they_had_their_time() {
        let mut crowd = crowd(9, 2);
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(Led::new(&crowd, Some(HERE)).await);
        }
        assert!(silent.iter().all(Led::stays), "they came a moment ago");
        crowd.speaks_within = Duration::ZERO;
        silent[0].guest.asks();
        let elsewhere = Led::new(&crowd, Some([192, 0, 2, 1].into())).await;
        assert!(silent.iter().all(Led::stays), "another address");
        let next = Led::new(&crowd, Some(HERE)).await;
        assert_eq!(silent.iter().map(Led::stays).collect::<Vec<_>>(), [true, false, false, true]);
        for led in silent.into_iter().chain([elsewhere, next]) {
            led.guest.sent_away.cancel();
            led.has_gone().await;
        }
        assert_eq!(crowd.gauge.get(), 0);
        assert!(crowd.lock().silent.is_empty() && crowd.lock().all.is_empty(), "nothing is kept of them");
    }
}
