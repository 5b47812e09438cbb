//! Says in the log what only time brings: that a deadline has come, that the daemon could not receive for a while, that the
//! clock had been wrong. It also proves every few seconds that the log can be written, and purges old payloads.

use std::time::Duration;

use cvco_domain::Timestamp;
use cvco_ledger::Position;
use cvco_log::entry::{ClockCorrection, Pause};
use cvco_log::{Draft, Log, LogEntry, LogError, Stamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::lead::Leads;

/// How often the log is written to as proof of life, and the clock looked at.
const TICK: Duration = Duration::from_secs(5);

/// A gap between two signs of life that is longer than this was a pause: calls may wait.
const PAUSE: Duration = Duration::from_secs(2);

/// A tick that comes this much too late tells of a process that stood still.
const STOOD_STILL: Duration = Duration::from_secs(10);

/// How far the log may be ahead of the clock without a word.
const TOLERATED: Duration = Duration::from_mins(1);

/// The clock must have been behind the log for this long before the log follows it: it may be set again.
const SETTLED: Duration = Duration::from_secs(30);

/// No clock is right that shows a time before this program was written.
const EARLIEST: &str = "2026-01-01T00:00:00Z";

/// How often old payloads are purged; the first time so long after the start. A clock that was wrong then is right by now, and
/// nothing is purged by a date that never was.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// What stands in the log before anything else that is written after an absence: what PSPs tried to tell meanwhile is heard
/// before rules of time.
#[must_use]
pub fn pause(last_alive: Option<Timestamp>, now: Timestamp) -> Option<LogEntry> {
    let since = last_alive.filter(|since| now.since(*since) >= PAUSE)?;
    Some(LogEntry::Pause(Pause { since }))
}

/// Keeps the time of the log.
pub struct Timekeeper {
    /// Where time is written down.
    pub log: Log,
    /// Where the ledger stands, and when its next deadline comes.
    pub position: watch::Receiver<Position>,
    /// Whether it is this machine that says what time it is.
    pub leads: Leads,
    /// The time.
    pub clock: Clock,
    /// How long payloads are kept, as last loaded.
    pub retention: watch::Receiver<Duration>,
    /// Why the log cannot be written, if it cannot.
    pub trouble: watch::Sender<Option<String>>,
}

impl Timekeeper {
    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut alive = SignOfLife { at: self.clock.now(), by: Instant::now() };
        let mut behind_since: Option<Instant> = None;
        let mut purged_at = Instant::now();
        loop {
            let deadline = self.next_deadline();
            tokio::select! {
                () = stop.cancelled() => return,
                () = until(self.clock.clone(), deadline) => self.announce(deadline).await,
                changed = self.position.changed() => if changed.is_err() { return },
                _ = tick.tick() => {
                    alive = self.check_pause(alive).await;
                    behind_since = self.check_clock(behind_since).await;
                    self.prove_alive().await;
                    if purged_at.elapsed() >= PURGE_EVERY {
                        purged_at = Instant::now();
                        self.purge(self.clock.now()).await;
                    }
                }
            }
        }
    }

    /// The next deadline of a ledger that has folded the whole log; of another one nothing is known yet.
    fn next_deadline(&mut self) -> Option<Timestamp> {
        let position = *self.position.borrow_and_update();
        let is_current = self.log.changed().borrow().seq <= position.seq;
        position.next_deadline.filter(|_| is_current && self.leads.now().is_some())
    }

    /// Says that a deadline has come. Until the ledger has folded that, there is nothing to announce.
    async fn announce(&mut self, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline.filter(|deadline| *deadline <= self.clock.now()) else { return };
        match self.say(&LogEntry::Time).await {
            Ok(stamp) => {
                let folded = self.position.wait_for(|position| position.seq >= stamp.seq);
                drop(tokio::time::timeout(TICK, folded).await);
                // The clock that dates the entries of several machines may not have come so far yet.
                tokio::time::sleep(deadline.since(stamp.at).min(TICK)).await;
            }
            Err(error) => {
                tracing::error!(%deadline, %error, "it could not be stored that a deadline has come");
                tokio::time::sleep(TICK).await;
            }
        }
    }

    async fn append(&self, entry: &LogEntry) -> Result<Stamp, LogError> {
        self.log.append(Draft::new(entry)?).await
    }

    /// Appends what only the leader may say.
    async fn say(&self, entry: &LogEntry) -> Result<Stamp, LogError> {
        let lead = self.leads.now().ok_or(LogError::NotLeading)?;
        lead.log(&self.log).append(Draft::new(entry)?).await
    }

    /// A process that was stopped, or a machine that slept, has calls waiting: they are heard before rules of time.
    async fn check_pause(&self, last: SignOfLife) -> SignOfLife {
        let now = SignOfLife { at: self.clock.now(), by: Instant::now() };
        // A clock that was set forward looks the same; then rules of time wait a little for nothing.
        let late = now.at.since(last.at).max(now.by.duration_since(last.by));
        if late >= TICK + STOOD_STILL {
            tracing::warn!(
                seconds = late.as_secs(),
                "the process stood still; calls that wait are heard first"
            );
            if let Err(error) = self.append(&LogEntry::Pause(Pause { since: last.at })).await {
                tracing::error!(%error, "a pause was not stored");
            }
        }
        now
    }

    /// The log never goes back in time by itself. Where the clock stays behind it, the log's dates were wrong.
    async fn check_clock(&self, behind_since: Option<Instant>) -> Option<Instant> {
        let (now, head) = (self.clock.now(), self.log.changed().borrow().at);
        if head.since(now) <= TOLERATED || self.leads.now().is_none() {
            return None;
        }
        let since = behind_since.unwrap_or_else(Instant::now);
        if behind_since.is_none() {
            tracing::warn!(
                seconds = head.since(now).as_secs(),
                "the clock is behind the last entry of the log: it was wrong then, or is wrong now"
            );
        }
        if since.elapsed() < SETTLED {
            return Some(since);
        }
        if Timestamp::parse(EARLIEST).is_ok_and(|earliest| now < earliest) {
            tracing::error!(clock = %now, "the clock cannot be right: set it; dates of the log stay as they are");
            return Some(since);
        }
        match self.say(&LogEntry::Clock(ClockCorrection { from: head })).await {
            Ok(_) => {
                tracing::warn!(log.from = %head, log.to = %now, "the dates of the log were corrected");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a corrected clock was not stored");
                Some(since)
            }
        }
    }

    async fn prove_alive(&self) {
        let trouble = self.log.mark_alive().await.err().map(|error| error.to_string());
        self.trouble.send_if_modified(|known| std::mem::replace(known, trouble.clone()) != trouble);
    }

    async fn purge(&self, now: Timestamp) {
        let older_than = now.before(*self.retention.borrow());
        loop {
            match self.log.purge(older_than).await {
                Ok(0) => return,
                Ok(payloads) => tracing::info!(payloads, "old payloads purged"),
                Err(error) => {
                    tracing::error!(%error, "old payloads could not be purged");
                    return;
                }
            }
        }
    }
}

async fn until(clock: Clock, deadline: Option<Timestamp>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(clock.now())).await,
        None => std::future::pending().await,
    }
}

/// When the process last showed that it runs, by both clocks.
#[derive(Clone, Copy)]
struct SignOfLife {
    at: Timestamp,
    by: Instant,
}

#[cfg(test)]
mod tests {
    use cvco_domain::Seq;
    use cvco_log::{Appender, LogStore, MemoryLog};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    /// A keeper of a log, by a clock that stands at ten, for a ledger that has come so far.
    struct Kept {
        keeper: Timekeeper,
        log: MemoryLog,
        _position: watch::Sender<Position>,
    }

    fn kept(seq: i64, next_deadline: &str) -> Kept {
        let (log, clock) = (MemoryLog::default(), Clock::manual(at("2026-03-01T10:00:00Z")));
        let dated = clock.clone();
        let (_, handle) = Appender::start(log.clone(), move || dated.now()).expect("started");
        let next_deadline = Some(at(next_deadline));
        let (sender, position) =
            watch::channel(Position { seq: Seq::new(seq), at: clock.now(), next_deadline, set_aside: 0 });
        let retention = watch::channel(Duration::from_hours(1)).1;
        let (leads, trouble) = (Leads::alone(), watch::channel(None).0);
        let keeper = Timekeeper { log: handle, position, leads, clock, retention, trouble };
        Kept { keeper, log, _position: sender }
    }

    impl Kept {
        fn kinds(&mut self) -> Vec<String> {
            let links = self.log.read(Seq::ZERO, 10).expect("read");
            links.into_iter().map(|link| link.row.kind).collect()
        }
    }

    #[tokio::test]
    async fn a_deadline_that_has_come_is_an_entry_and_one_that_has_not_is_none() {
        let mut kept = kept(1, "2026-03-01T10:00:00Z");
        kept.keeper.announce(Some(at("2026-03-01T10:00:00.001Z"))).await;
        kept.keeper.announce(None).await;
        assert_eq!(kept.kinds(), [""; 0]);
        kept.keeper.announce(Some(at("2026-03-01T10:00:00Z"))).await;
        assert_eq!(kept.kinds(), ["time"]);
    }

    #[tokio::test]
    async fn the_deadline_of_a_ledger_that_has_not_folded_everything_is_not_known_yet() {
        let mut kept = kept(0, "2026-03-01T09:00:00Z");
        assert!(kept.keeper.next_deadline().is_some());
        kept.keeper.append(&LogEntry::Time).await.expect("appended");
        assert_eq!(kept.keeper.next_deadline(), None);
    }

    #[tokio::test]
    async fn a_process_that_stood_still_says_since_when() {
        let mut kept = kept(1, "2026-03-02T10:00:00Z");
        let seen = SignOfLife { at: at("2026-03-01T10:00:00Z"), by: Instant::now() };
        let seen = kept.keeper.check_pause(seen).await;
        assert_eq!(kept.kinds(), [""; 0]);
        kept.keeper.clock.set(at("2026-03-01T10:20:00Z"));
        kept.keeper.check_pause(seen).await;
        let row = kept.log.read(Seq::ZERO, 1).expect("read").remove(0).row;
        assert_eq!(row.read().expect("read").entry, LogEntry::Pause(Pause { since: seen.at }));
        assert_eq!(row.at, "2026-03-01T10:20:00.000Z");
    }
}
