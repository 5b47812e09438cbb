//! The power goes at any instant: what was acknowledged is in the log, and log and ledger are sound. The daemon's writes and
//! syncs are recorded by a library that is loaded before it (`recorder.c`); then disks are made as a power cut may leave them,
//! with any sectors of what was not synced, and log and ledger are opened on each.
//!
//! `make power-cuts IMAGES=10000` makes so many disks; `FIRST=` says from which on.

mod disk;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cvco_domain::{Seq, Timestamp};
use cvco_ledger::{Ledger, Yardstick};
use cvco_log::{LogStore, SqliteLog};
use cvco_trial::simulate::Dice;

use crate::support::{Daemon, Settings, Up2pay, send_raw};
use disk::{Deed, Disk, Event};

/// So many disks, unless the environment says otherwise.
const IMAGES: u64 = 300;

/// Calls in each of the daemon's lives.
const CALLS: u64 = 60;

#[expect(clippy::disallowed_methods, reason = "a test program has no configuration file")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

/// An order whose notification was acknowledged, and where the record stood by then.
struct Acknowledged {
    reference: String,
    recorded: u64,
}

/// What the daemon did, and what it promised.
struct Recording {
    at_rest: Disk,
    events: Vec<Event>,
    acknowledged: Vec<Acknowledged>,
}

/// Builds the recorder beside the daemon's files.
fn recorder(folder: &Path) -> PathBuf {
    let library = folder.join("recorder.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/power_cut/recorder.c");
    let built = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .expect("a C compiler, as for SQLite itself");
    assert!(built.success());
    library
}

/// Sends calls from several threads; each order is another.
fn storm(daemon: &Daemon, record: &Path, next: &AtomicU64, acknowledged: &Mutex<Vec<Acknowledged>>) {
    let last = next.load(Ordering::Relaxed) + CALLS;
    let caller = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= last {
                return;
            }
            let reference = format!("R{n}");
            let call = Up2pay::voucher(&reference, 1000 + n, 1500);
            let request = format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
            let Some(answer) = send_raw(daemon.public, request.as_bytes()) else {
                panic!("{}", daemon.log_text())
            };
            assert_eq!(answer.status, 200);
            let recorded = std::fs::metadata(record).expect("a record").len();
            acknowledged.lock().expect("lock").push(Acknowledged { reference, recorded });
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(caller);
        }
    });
    next.store(last, Ordering::Relaxed);
}

/// Three lives of a daemon, each of which ends in good order, with its checkpoint.
async fn record() -> Recording {
    let mut daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    let stop = |daemon: &mut Daemon| {
        daemon.signal("-TERM");
        assert_eq!(daemon.ended(), Some(0));
    };
    stop(&mut daemon);
    let files = ["log.sqlite", "ledger.sqlite"];
    let at_rest = files.map(|name| (name.to_owned(), std::fs::read(daemon.path(name)).expect("a file")));
    let record = daemon.path("record");
    daemon.environment.push(("LD_PRELOAD", recorder(daemon.path("").as_path())));
    daemon.environment.push(("POWER_CUT_RECORD", record.clone()));
    let (next, acknowledged) = (AtomicU64::new(1), Mutex::default());
    for _ in 0..3 {
        daemon.restart();
        storm(&daemon, &record, &next, &acknowledged);
        stop(&mut daemon);
    }
    let acknowledged = acknowledged.into_inner().expect("lock");
    Recording { at_rest: Disk::holding(at_rest), events: disk::recorded(&record), acknowledged }
}

impl Recording {
    /// Cuts the power at instants that the dice choose; every second one is just after an acknowledgement, when most is at
    /// stake. What went wrong, by the number of the disk.
    fn cut(&self, images: std::ops::Range<u64>) -> Vec<String> {
        let mut instants: Vec<(usize, u64)> = images.map(|image| (self.instant(image), image)).collect();
        instants.sort_unstable();
        let (mut disk, mut applied) = (self.at_rest.clone(), 0);
        let folder = tempfile::tempdir().expect("a folder");
        let mut wrong = Vec::new();
        for (instant, image) in instants {
            for event in &self.events[applied..instant] {
                disk.apply(event);
            }
            applied = instant;
            let recorded = instant.checked_sub(1).map_or(0, |last| self.events[last].recorded);
            let promised = self.acknowledged.iter().filter(|promise| promise.recorded <= recorded);
            let promised: Vec<&str> = promised.map(|promise| promise.reference.as_str()).collect();
            let place = folder.path().join(image.to_string());
            std::fs::create_dir(&place).expect("a folder");
            for (name, bytes) in disk.cut(&mut Dice::new(image)) {
                std::fs::write(place.join(name), bytes).expect("written");
            }
            if let Err(what) = look(&place, &promised) {
                wrong.push(format!("disk {image}, after event {instant}: {what}"));
            }
            std::fs::remove_dir_all(&place).expect("removed");
        }
        wrong
    }

    /// After how many events the power goes.
    fn instant(&self, image: u64) -> usize {
        let mut dice = Dice::new(!image);
        let mut below = |bound: usize| usize::try_from(dice.below(bound as u64)).expect("small");
        if below(2) == 0 {
            return below(self.events.len() + 1);
        }
        let promise = &self.acknowledged[below(self.acknowledged.len())];
        self.events.partition_point(|event| event.recorded <= promise.recorded)
    }

    /// The same daemon on a disk that is never told to write the log down.
    fn without_syncs(mut self) -> Self {
        self.events.retain(|event| !(event.file.starts_with("log.") && matches!(event.deed, Deed::Sync)));
        self
    }
}

/// Opens log and ledger as the daemon does, and proves them.
fn look(place: &Path, promised: &[&str]) -> Result<(), String> {
    let wrong = |what: &dyn std::fmt::Display| what.to_string();
    let mut log = SqliteLog::open(&place.join("log.sqlite")).map_err(|error| wrong(&error))?;
    let links = log.read(Seq::ZERO, usize::MAX).map_err(|error| wrong(&error))?;
    let stored: BTreeSet<&str> = links.iter().filter_map(|link| order_of(&link.row.content)).collect();
    if let Some(lost) = promised.iter().find(|reference| !stored.contains(**reference)) {
        return Err(format!("{lost} was acknowledged and is lost"));
    }
    let path = place.join("ledger.sqlite");
    let id = log.id().map_err(|error| wrong(&error))?;
    let mut ledger = Ledger::open(&path, &id).map_err(|error| wrong(&error))?;
    ledger.must_follow_from(&mut log).map_err(|error| wrong(&error))?;
    ledger.catch_up_all(&mut log).map_err(|error| wrong(&error))?;
    let yardstick = Yardstick { key: None, kept_since: Timestamp::from_millis(0), anchors: &[] };
    let proof =
        cvco_ledger::verify(&mut log, &path, &yardstick, &mut |_| {}).map_err(|error| wrong(&error))?;
    proof.flaws.first().map_or(Ok(()), |flaw| Err(format!("{}: {}", flaw.place, flaw.what)))
}

/// The order that a notification is about.
fn order_of(content: &str) -> Option<&str> {
    content.split_once("\"order_ref\":\"")?.1.split('"').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_takes_nothing_that_was_acknowledged_and_leaves_log_and_ledger_sound() {
    let recording = record().await;
    let first = setting("POWER_CUT_FIRST").unwrap_or(0);
    let last = first + setting("POWER_CUT_IMAGES").unwrap_or(IMAGES);
    let middle = u64::midpoint(first, last);
    let halves = [first..middle, middle..last];
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let halves = halves.map(|half| scope.spawn(|| recording.cut(half)));
        halves.into_iter().flat_map(|half| half.join().expect("looked at")).collect()
    });
    assert_eq!(wrong, [""; 0]);
    // The same must be seen to go wrong where the log is not synced: else nothing was proven.
    let wrong = recording.without_syncs().cut(0..40);
    assert!(wrong.iter().any(|what| what.contains("was acknowledged and is lost")), "{wrong:?}");
}
