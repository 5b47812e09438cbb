//! `GET /readyz` and `GET /metrics`: whether the daemon does what it is for, in words and in figures.

use std::path::Path;
use std::time::Duration;

use cvco_domain::{EndpointId, Timestamp};
use cvco_ledger::{Backlog, Heard, LedgerError, Open, Reader};
use hyper::StatusCode;

use super::{Admin, Answer};
use crate::telemetry::{EndpointLabel, FileLabel, Known, OwedLabel, SeverityLabel, Verified};

/// An appender that does not answer by then hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Less room than this, and soon nothing can be stored.
const LITTLE_ROOM: u64 = 64 * 1024 * 1024;

/// A ledger that lags for longer is in trouble, and not busy.
const LATE: Duration = Duration::from_mins(5);

/// A file system, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Disk {
    bytes: u64,
    /// What a service without privileges may still write.
    free: u64,
}

impl Disk {
    fn of(folder: &Path) -> Option<Self> {
        let disk = rustix::fs::statvfs(folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Some(Self { bytes: bytes(disk.f_blocks), free: bytes(disk.f_bavail) })
    }
}

/// What the ledger knows of all this.
struct Ledger {
    backlogs: Vec<Backlog>,
    heard: Vec<Heard>,
    open: Vec<Open>,
}

impl Ledger {
    fn read(reader: &Reader) -> Result<Self, LedgerError> {
        let (backlogs, heard, open) = (reader.backlogs()?, reader.heard()?, reader.open_by_severity()?);
        Ok(Self { backlogs, heard, open })
    }
}

impl Admin {
    /// Ready means: a notification that came now would be durable, and the ledger follows.
    pub(super) async fn ready(&self) -> Answer {
        if let Some(why) = self.obstacle().await {
            return Answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"));
        }
        let (lag, set_aside) = (self.lag(), self.followed.position().borrow().set_aside);
        Answer::text(StatusCode::OK, format!("ready; {lag} entries to fold, {set_aside} set aside\n"))
    }

    /// What keeps the daemon from its work, the worst first.
    async fn obstacle(&self) -> Option<String> {
        match tokio::time::timeout(PATIENCE, self.log.mark_alive()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(format!("notifications cannot be stored: {error}")),
            Err(_) => {
                return Some("notifications are not stored: the log's appender does not answer".to_owned());
            }
        }
        let (waiting, places) = (self.log.waiting(), self.log.places());
        if waiting.saturating_mul(10) >= places.saturating_mul(9) {
            return Some(format!("{waiting} of {places} places for what waits to be stored are taken"));
        }
        let folder = self.folder();
        if let Some(free) = Disk::of(&folder).map(|disk| disk.free).filter(|free| *free < LITTLE_ROOM) {
            let mib = free / (1024 * 1024);
            return Some(format!("only {mib} MiB are free for {}: make room", folder.display()));
        }
        if let Some(trouble) = self.followed.trouble() {
            return Some(format!("the ledger does not follow the log: {trouble}"));
        }
        let late = self.followed.late_by(&self.log);
        if let Some(why) = self.apart(late).await {
            return Some(why);
        }
        (late > LATE)
            .then(|| format!("the ledger is {} s late, with {} entries to fold", late.as_secs(), self.lag()))
    }

    /// What sets this machine apart from the others that share its log.
    async fn apart(&self, late: Duration) -> Option<String> {
        let cluster = self.cluster.as_ref()?;
        if let Some(why) = cluster.obstacle(self.lag(), late) {
            return Some(why);
        }
        if !cluster.is_led_by_another() {
            return None;
        }
        let in_force = self.readers.read(Reader::policy_in_force).await.ok().flatten()?;
        let keys = crate::cluster::differing(&self.settings.borrow().policy, &in_force);
        (!keys.is_empty())
            .then(|| format!("its settings differ from those of the machine that leads: {}", keys.join(", ")))
    }

    /// How many entries the ledger has not folded.
    fn lag(&self) -> i64 {
        let folded = self.followed.position().borrow().seq.get();
        // The ledger may have read what a command has just appended before this process hears of it.
        self.log.changed().borrow().seq.get().saturating_sub(folded).max(0)
    }

    fn folder(&self) -> std::path::PathBuf {
        self.settings.borrow().ledger.parent().unwrap_or(Path::new(".")).to_owned()
    }

    pub(super) async fn show_metrics(&self) -> Answer {
        self.metrics.ready.set(i64::from(self.obstacle().await.is_none()));
        let ledger = self.readers.read(Ledger::read).await;
        self.tell_log();
        self.tell_files();
        // Of a ledger that cannot be read nothing is told rather than what was once true.
        self.tell_ledger(ledger.as_ref().ok());
        Answer(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            self.metrics.encode(),
        )
    }

    fn tell_log(&self) {
        let (metrics, end) = (&self.metrics, *self.log.changed().borrow());
        metrics.log_queue.set(whole(self.log.waiting()));
        metrics.log_entries.set(end.seq.get());
        metrics.log_ahead_seconds.set(seconds(end.at.since(self.clock.now())));
        if let Some(cluster) = &self.cluster {
            let figures = cluster.figures();
            metrics.log_settles.inc_by(figures.settles.saturating_sub(metrics.log_settles.get()));
            metrics.leads.set(i64::from(figures.epoch > 0));
            metrics.lead_epoch.set(figures.epoch);
            metrics.spooled_calls.set(whole(figures.spooled));
        } else {
            metrics.leads.set(1);
        }
        metrics.fold_lag_entries.set(self.lag());
        metrics.fold_lag_seconds.set(seconds(self.followed.late_by(&self.log)));
        metrics.entries_set_aside.set(self.followed.position().borrow().set_aside);
    }

    fn tell_files(&self) {
        let (metrics, now, folder) = (&self.metrics, self.clock.now(), self.folder());
        if let Some(disk) = Disk::of(&folder) {
            metrics.disk_bytes.set(whole(disk.bytes));
            metrics.disk_free_bytes.set(whole(disk.free));
        }
        let settings = std::sync::Arc::clone(&self.settings.borrow());
        let ledger = settings.ledger.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in ["log.sqlite", "log.sqlite-wal", &ledger, &format!("{ledger}-wal")] {
            let bytes = std::fs::metadata(folder.join(file)).map_or(0, |file| file.len());
            metrics.file_bytes.get_or_create(&FileLabel { file: file.to_owned() }).set(whole(bytes));
        }
        metrics.key_age_seconds.clear();
        for secret in &settings.secret_files {
            let changed = std::fs::metadata(secret).and_then(|file| file.modified()).ok();
            let since_epoch = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let Some(millis) = since_epoch.and_then(|at| i64::try_from(at.as_millis()).ok()) else {
                continue;
            };
            let file = secret.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let age = now.since(Timestamp::from_millis(millis));
            metrics.key_age_seconds.get_or_create(&FileLabel { file }).set(seconds(age));
        }
        if let Some(verified) = Verified::last(&settings.ledger) {
            metrics.verify_age_seconds.get_or_create(&Known {}).set(seconds(now.since(verified.at())));
            metrics.verify_flaws.get_or_create(&Known {}).set(whole(verified.flaws));
        }
    }

    fn tell_ledger(&self, ledger: Option<&Ledger>) {
        let (metrics, now) = (&self.metrics, self.clock.now());
        metrics.owed.clear();
        metrics.owed_age_seconds.clear();
        metrics.endpoint_silent_seconds.clear();
        metrics.discrepancies_open.clear();
        let Some(ledger) = ledger else { return };
        for Backlog { what, count, since } in &ledger.backlogs {
            let age = since.map_or(0, |since| seconds(now.since(since)));
            metrics.owed.get_or_create(&OwedLabel { what }).set(*count);
            metrics.owed_age_seconds.get_or_create(&OwedLabel { what }).set(age);
        }
        let settings = self.settings.borrow();
        let is_known = |id: &EndpointId| settings.endpoints.iter().any(|endpoint| endpoint.id == *id);
        for Heard { endpoint, at } in ledger.heard.iter().filter(|heard| is_known(&heard.endpoint)) {
            let label = EndpointLabel { endpoint: endpoint.to_string() };
            metrics.endpoint_silent_seconds.get_or_create(&label).set(seconds(now.since(*at)));
        }
        for Open { severity, count } in &ledger.open {
            let label = SeverityLabel { severity: severity.as_str() };
            metrics.discrepancies_open.get_or_create(&label).set(*count);
        }
    }
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn seconds(span: Duration) -> i64 {
    whole(span.as_secs())
}
