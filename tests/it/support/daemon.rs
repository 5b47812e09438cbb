//! A daemon of its own for each test: a folder, a configuration, free ports, and a mailbox.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cvco_psp::WireMessage;
use cvco_trial::mail_sink::MailSink;
use tempfile::TempDir;

use super::http::{Answer, send_raw};
use super::payments::{self, Sogecommerce, TOKEN, Up2pay};
use super::wait::{until, until_rows};

/// What differs from test to test.
pub struct Settings {
    pub complement_grace: &'static str,
    pub require_orders: bool,
    pub digest: &'static str,
    pub language: &'static str,
    /// What stands in its environment.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// How many descriptors it may have, if that is limited.
    pub descriptors: Option<u32>,
    /// How much it logs.
    pub log: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            complement_grace: "1s",
            require_orders: false,
            digest: "0s",
            language: "fr",
            environment: Vec::new(),
            descriptors: None,
            log: "info",
        }
    }
}

/// A running daemon; killed and cleaned up when it goes out of scope.
pub struct Daemon {
    folder: TempDir,
    child: Child,
    /// Writes down what the daemon logs, until it ends.
    scribe: Option<JoinHandle<()>>,
    is_running: bool,
    /// What stands in its environment when it starts the next time.
    pub environment: Vec<(&'static str, PathBuf)>,
    bounds: Bounds,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub mailbox: MailSink,
}

/// What differs from an ordinary start.
#[derive(Clone, Copy)]
struct Bounds {
    descriptors: Option<u32>,
    log: &'static str,
}

/// The program under test.
/// The program. Where no configuration names a language, it speaks that of the locale.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cvco-reconciled"));
    command.env("LC_ALL", "C");
    command
}

impl Daemon {
    pub async fn start(settings: &Settings) -> Self {
        let (folder, mailbox) = Self::prepare(settings).await;
        let environment = settings.environment.clone();
        let bounds = Bounds { descriptors: settings.descriptors, log: settings.log };
        let Spawned { child, scribe, public, admin } = spawn(folder.path(), &environment, bounds);
        let scribe = Some(scribe);
        Self { folder, environment, bounds, child, scribe, is_running: true, public, admin, mailbox }
    }

    /// A folder with a configuration, and the mailbox that it names.
    pub async fn prepare(settings: &Settings) -> (TempDir, MailSink) {
        let mailbox = MailSink::start("127.0.0.1:0".parse().expect("address")).await.expect("mailbox");
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("up2pay.pem"), payments::public_pem()).expect("key");
        std::fs::write(folder.path().join("sogecommerce.key"), Sogecommerce::KEY).expect("key");
        std::fs::write(folder.path().join("config.toml"), configuration(settings, &mailbox))
            .expect("configuration");
        (folder, mailbox)
    }

    /// One whose folder holds a configuration already.
    pub fn on(folder: TempDir, mailbox: MailSink) -> Self {
        let bounds = Bounds { descriptors: None, log: "info" };
        let Spawned { child, scribe, public, admin } = spawn(folder.path(), &[], bounds);
        Self {
            folder,
            environment: Vec::new(),
            bounds,
            child,
            scribe: Some(scribe),
            is_running: true,
            public,
            admin,
            mailbox,
        }
    }

    /// Kills the daemon as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.ended();
    }

    /// Starts it on the same ledger, and kills it after a while, wherever it is then.
    pub fn start_and_kill_after(&self, life: Duration) {
        let mut child = command()
            .arg("--config")
            .arg(self.path("config.toml"))
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        // When it dies is what differs from time to time, and nothing waits for it.
        std::thread::park_timeout(life);
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    /// Starts it again on the same ledger, on other ports.
    pub fn restart(&mut self) {
        let Spawned { child, scribe, public, admin } =
            spawn(self.folder.path(), &self.environment, self.bounds);
        self.child = child;
        self.scribe = Some(scribe);
        self.is_running = true;
        (self.public, self.admin) = (public, admin);
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.process().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits for its end and for its last words, and gives its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.child.wait().expect("ended");
        if let Some(scribe) = self.scribe.take() {
            scribe.join().expect("written down");
        }
        self.is_running = false;
        status.code()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn rewrite_configuration(&self, change: impl FnOnce(String) -> String) {
        let path = self.path("config.toml");
        let text = std::fs::read_to_string(&path).expect("configuration");
        std::fs::write(path, change(text)).expect("configuration");
    }

    /// Runs another command of the program on the same configuration.
    pub fn run(&self, arguments: &[&str]) -> Output {
        if self.is_running {
            follows(&self.path("log.sqlite"), &self.path("ledger.sqlite"));
        }
        command().arg("--config").arg(self.path("config.toml")).args(arguments).output().expect("ran")
    }

    /// The same, which must succeed; its standard output.
    pub fn out(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    pub fn get(&self, target: &str) -> Answer {
        self.raw(&format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    }

    pub fn post(&self, target: &str, body: &str) -> Answer {
        self.raw(&post(target, "application/x-www-form-urlencoded", body))
    }

    pub fn raw(&self, request: &str) -> Answer {
        send_raw(self.public, request.as_bytes()).expect("an answer")
    }

    pub fn up2pay(&self, call: &Up2pay) -> u16 {
        self.get(&call.target()).status
    }

    pub fn sogecommerce(&self, call: &Sogecommerce) -> u16 {
        self.form(&call.wire())
    }

    pub fn form(&self, wire: &WireMessage) -> u16 {
        self.post(&Sogecommerce::target(), &wire.body).status
    }

    /// Posts to the admin address.
    pub fn admin_post(&self, target: &str, json: &str) -> Answer {
        send_raw(self.admin, post(target, "application/json", json).as_bytes()).expect("an answer")
    }

    pub fn admin_get(&self, target: &str) -> Answer {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        send_raw(self.admin, request.as_bytes()).expect("an answer")
    }

    pub fn expect_order(&self, reference: &str, total_cents: i64) {
        let order = format!(
            r#"{{"shop":"camping","reference":"{reference}","total_cents":{total_cents},"currency":"EUR"}}"#
        );
        assert_eq!(self.admin_post("/api/v1/orders", &order).status, 200);
    }

    /// Waits until a query over the ledger gives these rows.
    pub async fn until(&self, query: &str, wanted: &[&str]) {
        until_rows(query, wanted, || self.rows(query)).await;
    }

    /// Waits until `/metrics` has this line: some things are counted only after their answer.
    pub async fn until_figure(&self, line: &str) {
        until(async || {
            let figures = self.admin_get("/metrics").body;
            let has_it = figures.lines().any(|figure| figure == line);
            if has_it { Ok(()) } else { Err(format!("no {line} in {figures}")) }
        })
        .await;
    }

    /// Rows of a query over the ledger, as an accountant would read them: columns separated by `|`. A running daemon has
    /// folded everything by then that it had acknowledged before.
    pub fn rows(&self, query: &str) -> Vec<String> {
        if self.is_running {
            follows(&self.path("log.sqlite"), &self.path("ledger.sqlite"));
        }
        ledger_rows(&self.path("ledger.sqlite"), query)
    }

    /// Waits until the daemon's own log has these words; another thread of this test writes the file.
    pub fn wait_for_log(&self, words: &str) {
        while !self.log_text().contains(words) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// What the daemon has logged.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.path("log")).expect("log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, as the test wished.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until a ledger has folded what its log holds now.
pub fn follows(log: &Path, ledger: &Path) {
    let head: i64 = ledger_rows(log, "SELECT COALESCE(MAX(seq), 0) FROM log")[0].parse().expect("a number");
    let deadline = Instant::now() + Duration::from_mins(1);
    while ledger_rows(ledger, &format!("SELECT 1 FROM progress WHERE seq >= {head}")).is_empty() {
        assert!(Instant::now() < deadline, "the ledger does not follow the log");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

pub fn ledger_rows(ledger: &Path, query: &str) -> Vec<String> {
    use rusqlite::types::Value;
    let conn = rusqlite::Connection::open_with_flags(ledger, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("ledger");
    let mut statement = conn.prepare(query).expect("query");
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| {
            let cells: Vec<String> = (0..columns)
                .map(|column| match row.get::<_, Value>(column).expect("cell") {
                    Value::Null => String::new(),
                    Value::Integer(n) => n.to_string(),
                    Value::Real(x) => x.to_string(),
                    Value::Text(text) => text,
                    Value::Blob(_) => "(blob)".to_owned(),
                })
                .collect();
            Ok(cells.join("|"))
        })
        .expect("rows");
    rows.map(|row| row.expect("row")).collect()
}

pub fn post(target: &str, content_type: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn configuration(settings: &Settings, mailbox: &MailSink) -> String {
    let Settings { complement_grace, require_orders, digest, language, .. } = settings;
    let smtp = mailbox.address();
    let site = Sogecommerce::SITE;
    format!(
        r#"[listener]
public = "127.0.0.1:0"
admin = "127.0.0.1:0"
[ledger]
path = "ledger.sqlite"
[reconcile]
complement_grace = "{complement_grace}"
require_orders = {require_orders}
[alerts]
language = "{language}"
from = "cvco@camping.example"
to = ["compta@camping.example"]
smtp = "smtp://{smtp}"
digest = "{digest}"
[[shop]]
id = "camping"
name = "Camping des Pins"
[[shop.endpoint]]
id = "up2pay"
psp = "up2pay"
mode = "production"
token = "{TOKEN}"
public_key_files = ["up2pay.pem"]
[[shop.endpoint]]
id = "sogecommerce"
psp = "sogecommerce"
mode = "production"
token = "{TOKEN}"
site_id = "{site}"
key_file = "sogecommerce.key"
"#
    )
}

/// A daemon that has just been started.
struct Spawned {
    child: Child,
    scribe: JoinHandle<()>,
    public: SocketAddr,
    admin: SocketAddr,
}

/// Starts the daemon and reads from its first log line where it listens; the rest of its log is read and
/// dropped, so that it never waits for us.
fn spawn(folder: &Path, environment: &[(&str, PathBuf)], bounds: Bounds) -> Spawned {
    let mut program = command();
    if let Some(descriptors) = bounds.descriptors {
        let limited = program.get_program().to_owned();
        program = Command::new("prlimit");
        program.arg(format!("--nofile={descriptors}")).arg(limited);
    }
    let mut child = program
        .arg("--config")
        .arg(folder.join("config.toml"))
        .args(["--log", bounds.log, "--log-format", "json", "serve"])
        .env_remove("JOURNAL_STREAM")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let log = BufReader::new(child.stderr.take().expect("log"));
    let (found, addresses) = mpsc::channel();
    let file =
        std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("log file");
    let scribe = std::thread::spawn(move || {
        use std::io::Write;
        let mut file = file;
        for line in log.lines().map_while(Result::ok) {
            drop(writeln!(file, "{line}"));
            let Ok(entry) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            let address = |name: &str| entry["fields"][name].as_str()?.parse::<SocketAddr>().ok();
            if let (Some(public), Some(admin)) = (address("public"), address("admin")) {
                found.send((public, admin)).expect("the test waits for them");
            }
        }
    });
    let Ok((public, admin)) = addresses.recv() else {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("the daemon did not start:\n{log}");
    };
    Spawned { child, scribe, public, admin }
}
