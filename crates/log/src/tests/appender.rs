//! The appender: answers after the commit and in order, one group for all that wait, and what it does when its log fails.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use cvco_domain::{Seq, Timestamp};

use super::*;
use crate::row::{Head, Link};
use crate::{Appender, Log, LogError, LogStore, MemoryLog, Stamp};

/// What the log is asked to do, and how it answers.
struct Obstinate {
    log: MemoryLog,
    /// Each group waits here until the test lets it pass; a test that is gone lets all pass.
    gate: Option<Receiver<()>>,
    /// Says that a group has come to the gate.
    arrived: Sender<usize>,
    failures: Failures,
}

/// What is to fail.
#[derive(Clone, Default)]
struct Failures {
    append: Planned,
    other: Planned,
    tend: Planned,
}

/// What becomes of the next attempts; of those after them nothing bad.
type Planned = Arc<Mutex<VecDeque<Option<LogError>>>>;

fn next(planned: &Planned) -> Result<(), LogError> {
    planned.lock().expect("a lock").pop_front().flatten().map_or(Ok(()), Err)
}

impl LogStore for Obstinate {
    fn head(&mut self) -> Result<Head, LogError> {
        self.log.head()
    }

    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        // A test that has ended counts no groups.
        self.arrived.send(group.len()).ok();
        if let Some(gate) = &self.gate {
            gate.recv().ok();
        }
        next(&self.failures.append)?;
        self.log.append(group, now)
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        self.log.read(after, at_most)
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        self.log.payload(seq)
    }

    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        next(&self.failures.other)?;
        self.log.purge(older_than)
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        next(&self.failures.other)?;
        self.log.mark_alive(now)
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        self.log.last_alive()
    }

    fn flaws(&mut self) -> Vec<String> {
        self.log.flaws()
    }

    fn tend(&mut self) -> Result<(), LogError> {
        next(&self.failures.tend)
    }
}

/// A running appender, and the strings that a test pulls.
struct Trial {
    appender: Appender,
    log: Log,
    store: MemoryLog,
    gate: Option<Sender<()>>,
    arrived: Receiver<usize>,
    failures: Failures,
}

impl Trial {
    fn with(gate: Option<Receiver<()>>, open: Option<Sender<()>>) -> Self {
        let (arrived_at, arrived) = channel();
        let (store, failures) = (MemoryLog::default(), Failures::default());
        let obstinate =
            Obstinate { log: store.clone(), gate, arrived: arrived_at, failures: failures.clone() };
        let (appender, log) = Appender::start(obstinate, || minute(0)).expect("started");
        Self { appender, log, store, gate: open, arrived, failures }
    }

    fn start() -> Self {
        Self::with(None, None)
    }

    /// With a gate before each group.
    fn gated() -> Self {
        let (open, gate) = channel();
        Self::with(Some(gate), Some(open))
    }

    /// Waits until a group stands before the gate; how many entries it has.
    fn group(&self) -> usize {
        self.arrived.recv().expect("a group")
    }

    fn let_pass(&self) {
        self.gate.as_ref().expect("a gate").send(()).expect("a group");
    }

    fn fails_next(&self, error: LogError) {
        self.failures.append.lock().expect("a lock").push_back(Some(error));
    }

    fn fails_otherwise(&self, error: LogError) {
        self.failures.other.lock().expect("a lock").push_back(Some(error));
    }

    fn stored(&mut self) -> i64 {
        self.store.head().expect("a head").seq.get()
    }

    /// Lets everything pass, lets go of the log and waits for the end.
    fn join(self) -> Result<(), LogError> {
        drop((self.log, self.gate));
        self.appender.join()
    }
}

fn full() -> LogError {
    sqlite(rusqlite::ffi::SQLITE_FULL)
}

fn sqlite(code: i32) -> LogError {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
}

fn lost_sync() -> LogError {
    sqlite(rusqlite::ffi::SQLITE_IOERR_FSYNC)
}

/// Looks at a future once.
fn look<F: Future>(future: &mut Pin<&mut F>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn not_stored<T: std::fmt::Debug>(result: Result<T, LogError>) -> String {
    match result {
        Err(LogError::NotStored(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    let trial = Trial::gated();
    let mut appended = pin!(trial.log.append(time()));
    assert!(look(&mut appended).is_pending());
    assert_eq!(trial.group(), 1);
    assert!(look(&mut appended).is_pending(), "the group is not in the log yet");
    assert_eq!(trial.log.changed().borrow().seq, Seq::ZERO, "nor may a reader look for it");
    trial.let_pass();
    assert_eq!(appended.await.expect("stored").seq, Seq::new(1));
    assert_eq!(trial.log.changed().borrow().seq, Seq::new(1), "readers were told first");
}

#[tokio::test]
async fn all_that_wait_are_one_group_and_each_is_answered_with_its_own() {
    let trial = Trial::gated();
    let mut first = pin!(trial.log.append(order("A")));
    assert!(look(&mut first).is_pending());
    assert_eq!(trial.group(), 1);
    let mut two = pin!(trial.log.append_all(vec![order("B"), order("C")]));
    let mut one = pin!(trial.log.append_unless_busy(order("D")));
    let mut three = pin!(trial.log.append_all(vec![order("E"), order("F"), order("G")]));
    assert!(look(&mut two).is_pending() && look(&mut one).is_pending() && look(&mut three).is_pending());
    assert_eq!(trial.log.waiting(), 3);
    trial.let_pass();
    assert_eq!(trial.group(), 6);
    trial.let_pass();
    let seqs = |stamps: Vec<Stamp>| stamps.iter().map(|stamp| stamp.seq.get()).collect::<Vec<_>>();
    assert_eq!(first.await.expect("stored").seq.get(), 1);
    assert_eq!(seqs(three.await.expect("stored")), [5, 6, 7]);
    assert_eq!(one.await.expect("stored").seq.get(), 4);
    assert_eq!(seqs(two.await.expect("stored")), [2, 3]);
    let mut store = trial.store.clone();
    let contents: Vec<String> =
        store.read(Seq::ZERO, 10).expect("read").into_iter().map(|link| link.row.content).collect();
    for (content, reference) in contents.iter().zip(["A", "B", "C", "D", "E", "F", "G"]) {
        assert!(content.contains(&format!("\"{reference}\"")), "{content}");
    }
}

#[tokio::test]
async fn nothing_to_append_asks_nobody() {
    let trial = Trial::gated();
    assert_eq!(trial.log.append_all(Vec::new()).await.expect("nothing"), []);
}

#[tokio::test]
async fn a_full_disk_refuses_its_group_and_the_next_one_is_stored() {
    let mut trial = Trial::gated();
    trial.fails_next(full());
    let log = trial.log.clone();
    let mut first = pin!(log.append(order("A")));
    assert!(look(&mut first).is_pending());
    assert_eq!(trial.group(), 1);
    let (mut one, mut two) = (pin!(log.append(order("B"))), pin!(log.append(order("C"))));
    assert!(look(&mut one).is_pending() && look(&mut two).is_pending());
    trial.let_pass();
    assert!(not_stored(first.await).contains("full"));
    trial.fails_next(full());
    assert_eq!(trial.group(), 2);
    trial.let_pass();
    assert!(not_stored(one.await).contains("full"));
    assert!(not_stored(two.await).contains("full"));
    assert_eq!(trial.stored(), 0);
    trial.gate = None;
    assert_eq!(trial.log.append(order("D")).await.expect("stored").seq, Seq::new(1));
}

#[tokio::test]
async fn after_a_lost_sync_nothing_is_stored_any_more() {
    let mut trial = Trial::gated();
    trial.fails_next(lost_sync());
    let log = trial.log.clone();
    let mut first = pin!(log.append(order("A")));
    assert!(look(&mut first).is_pending());
    assert_eq!(trial.group(), 1);
    let mut waiting = pin!(log.append(order("B")));
    assert!(look(&mut waiting).is_pending());
    trial.let_pass();
    not_stored(first.await);
    assert!(matches!(waiting.await, Err(LogError::Stopped)));
    assert!(matches!(log.append(order("C")).await, Err(LogError::Stopped)));
    assert!(matches!(log.append_unless_busy(order("C")).await, Err(LogError::Stopped)));
    assert!(matches!(log.mark_alive().await, Err(LogError::Stopped)));
    assert_eq!(trial.stored(), 0);
    assert!(matches!(trial.join(), Err(LogError::Sqlite(_))), "and the program learns why");
}

#[test]
fn which_failures_end_it_is_a_table() {
    use rusqlite::ffi;
    for code in
        [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED, ffi::SQLITE_NOMEM, ffi::SQLITE_READONLY]
    {
        assert!(sqlite(code).is_survivable(), "{code}");
    }
    for code in [ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CORRUPT] {
        assert!(!sqlite(code).is_survivable(), "{code}");
    }
    let path = std::path::PathBuf::from("log.sqlite");
    assert!(!LogError::Replaced(path.clone()).is_survivable());
    assert!(!LogError::Damaged { path, what: String::new() }.is_survivable());
}

#[tokio::test]
async fn a_psp_is_told_to_come_again_when_too_many_wait() {
    let trial = Trial::gated();
    let mut first = pin!(trial.log.append(order("A")));
    assert!(look(&mut first).is_pending());
    assert_eq!(trial.group(), 1);
    let mut waiting: Vec<_> = (0..1024).map(|_| Box::pin(trial.log.append_unless_busy(time()))).collect();
    for future in &mut waiting {
        assert!(look(&mut future.as_mut()).is_pending());
    }
    assert!(matches!(trial.log.append_unless_busy(time()).await, Err(LogError::Busy)));
    trial.let_pass();
    // One group takes as many as it may, the next one the rest.
    assert_eq!(trial.group(), 512);
    let mut after = pin!(trial.log.append_unless_busy(order("B")));
    assert!(look(&mut after).is_pending(), "there is room again");
    trial.let_pass();
    assert_eq!(trial.group(), 512);
    trial.let_pass();
    assert_eq!(trial.group(), 1);
    trial.let_pass();
    assert_eq!(after.await.expect("stored").seq, Seq::new(1026));
}

#[tokio::test]
async fn whoever_gives_up_waiting_does_not_take_the_entry_back() {
    let mut trial = Trial::gated();
    {
        let mut impatient = pin!(trial.log.append(order("A")));
        assert!(look(&mut impatient).is_pending());
    }
    trial.let_pass();
    trial.gate = None;
    assert_eq!(trial.log.append(order("B")).await.expect("stored").seq, Seq::new(2));
}

#[tokio::test]
async fn what_was_queued_before_the_last_handle_went_is_stored() {
    let trial = Trial::gated();
    let log = trial.log.clone();
    let mut store = trial.store.clone();
    {
        let (mut one, mut two) = (Box::pin(log.append(order("A"))), Box::pin(log.append(order("B"))));
        assert!(look(&mut one.as_mut()).is_pending() && look(&mut two.as_mut()).is_pending());
    }
    drop(log);
    trial.join().expect("in good order");
    assert_eq!(store.head().expect("a head").seq, Seq::new(2));
}

#[tokio::test]
async fn signs_of_life_and_purges_fail_like_groups_do() {
    let trial = Trial::start();
    trial.fails_otherwise(full());
    assert!(not_stored(trial.log.mark_alive().await).contains("full"));
    trial.log.mark_alive().await.expect("there is room again");
    assert_eq!(trial.store.clone().last_alive().expect("read"), Some(minute(0)));
    assert_eq!(trial.log.purge(minute(1)).await.expect("purged"), 0);
    trial.fails_otherwise(lost_sync());
    not_stored(trial.log.purge(minute(1)).await);
    assert!(matches!(trial.log.append(time()).await, Err(LogError::Stopped)));
    assert!(trial.join().is_err());
}

#[tokio::test]
async fn a_checkpoint_that_fails_ends_it_only_where_nothing_can_be_trusted_any_more() {
    let trial = Trial::start();
    let lost = sqlite(rusqlite::ffi::SQLITE_IOERR_WRITE);
    trial.failures.tend.lock().expect("a lock").extend([Some(full()), None, Some(lost)]);
    trial.log.append(time()).await.expect("stored all the same");
    trial.log.append(time()).await.expect("stored");
    trial.log.append(time()).await.expect("stored before the checkpoint");
    assert!(matches!(trial.log.append(time()).await, Err(LogError::Stopped)));
    assert!(trial.join().is_err());
}
