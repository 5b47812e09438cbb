//! A daemon inside the test, on a clock of the test's own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cvco_domain::Timestamp;
use cvco_reconciled::app::{self, AppError, Listeners, Setup};
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::daemon::{follows, ledger_rows};
use super::http::send_raw;
use super::payments::{self, TOKEN, Up2pay};
use super::wait::{until, until_rows};

/// A running daemon.
pub struct Played {
    folder: TempDir,
    start: Timestamp,
    clock: Clock,
    public: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    daemon: JoinHandle<Result<(), AppError>>,
    nudges: AtomicU64,
    _reload: mpsc::Sender<()>,
}

impl Played {
    /// Starts one with a shop and an endpoint of Up2pay. `files` lie beside the configuration.
    pub async fn start(alerts: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config.toml");
        std::fs::write(folder.path().join("up2pay.pem"), payments::public_pem()).expect("key");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("file");
        }
        let configuration = format!(
            r#"[listener]
public = "127.0.0.1:0"
admin = "127.0.0.1:0"
[ledger]
path = "ledger.sqlite"
[reconcile]
complement_grace = "1s"
[alerts]
from = "cvco@camping.example"
{alerts}
[[shop]]
id = "camping"
name = "Camping des Pins"
[[shop.endpoint]]
id = "up2pay"
psp = "up2pay"
mode = "production"
token = "{TOKEN}"
public_key_files = ["up2pay.pem"]
"#
        );
        std::fs::write(&path, configuration).expect("configuration");
        let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let listeners = Listeners::open(&config).await.expect("listeners");
        let (public, admin) =
            (listeners.public.local_addr().expect("bound"), listeners.admin.local_addr().expect("bound"));
        // Noon in Paris.
        let start = Timestamp::parse("2026-07-14T10:00:00Z").expect("a time");
        let clock = Clock::manual(start);
        let stop = CancellationToken::new();
        let (reload, reloads) = mpsc::channel(1);
        let errands = cvco_reconciled::cli::errands();
        let setup = Setup { config, config_path: None, listeners, clock: clock.clone(), errands };
        let daemon = tokio::spawn(app::run(setup, reloads, stop.clone()));
        let nudges = AtomicU64::new(0);
        Self { folder, start, clock, public, admin, stop, daemon, nudges, _reload: reload }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets the clock so long after the start. Something happens then, so that everybody looks at it.
    pub async fn is_at(&self, since_start: Duration) {
        self.clock.set(self.start.after(since_start));
        let nudge = self.nudges.fetch_add(1, Ordering::Relaxed);
        self.expect_order("NUDGE", 1000 + i64::try_from(nudge).expect("few")).await;
    }

    pub async fn expect_order(&self, reference: &str, total_cents: i64) {
        let order = format!(r#"{{"shop":"camping","reference":"{reference}","total_cents":{total_cents}}}"#);
        let request = format!(
            "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{order}",
            order.len()
        );
        let admin = self.admin;
        let answer = tokio::task::spawn_blocking(move || send_raw(admin, request.as_bytes()));
        assert_eq!(answer.await.expect("sent").expect("an answer").status, 200);
    }

    pub async fn up2pay(&self, call: &Up2pay) {
        let request = format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
        let public = self.public;
        let answer = tokio::task::spawn_blocking(move || send_raw(public, request.as_bytes()));
        assert_eq!(answer.await.expect("sent").expect("an answer").status, 200);
    }

    /// A voucher is accepted and its card part refused, which is urgent a second later.
    pub async fn refused_complement(&self, reference: &str, call: u64) {
        self.up2pay(&Up2pay::voucher(reference, call, 1500)).await;
        self.up2pay(&Up2pay::card(reference, call, 1000).refused()).await;
    }

    pub fn rows(&self, query: &str) -> Vec<String> {
        let ledger = self.path("ledger.sqlite");
        follows(&self.path("log.sqlite"), &ledger);
        ledger_rows(&ledger, query)
    }

    /// Waits until a query over the ledger gives these rows.
    pub async fn until(&self, query: &str, wanted: &[&str]) {
        until_rows(query, wanted, || self.rows(query)).await;
    }

    /// Lets one minute after the other pass until nothing is owed, ten hours at most.
    pub async fn owes_nothing_soon_after(&self, since_start: Duration) {
        let last = since_start + Duration::from_hours(10);
        let mut now = since_start;
        until(async || {
            if self.rows("SELECT COUNT(*) FROM owed WHERE done_at IS NULL") == ["0"] {
                return Ok(());
            }
            now = last.min(now + Duration::from_mins(1));
            self.is_at(now).await;
            Err(format!("{:?}", self.rows("SELECT * FROM acct_deliveries")))
        })
        .await;
    }

    pub async fn ends(self) {
        self.stop.cancel();
        self.daemon.await.expect("ended").expect("in good order");
    }
}
