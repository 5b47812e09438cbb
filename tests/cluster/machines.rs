//! Machines that share a log: each with its own folder, and the same payload key.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::postgres::Postgres;
use crate::support::{Daemon, Settings, Up2pay, send_raw, until};

/// Machines, by their numbers.
pub struct Machines {
    pub all: Vec<Daemon>,
    url: String,
}

/// The settings of a machine.
fn settings() -> Settings {
    Settings { complement_grace: "1h", ..Settings::default() }
}

impl Machines {
    /// Starts so many on an empty log.
    pub async fn start(count: usize, server: &Postgres) -> Self {
        Self::start_at(count, &server.url(), &settings()).await
    }

    pub async fn start_at(count: usize, url: &str, settings: &Settings) -> Self {
        let mut machines = Self { all: Vec::new(), url: url.to_owned() };
        for _ in 0..count {
            machines.join_with(settings).await;
        }
        machines
    }

    /// One more.
    pub async fn join_with(&mut self, settings: &Settings) {
        let n = self.all.len() + 1;
        let (folder, mailbox) = Daemon::prepare(settings).await;
        let config = folder.path().join("config.toml");
        let text = std::fs::read_to_string(&config).expect("configuration");
        let log = format!("[log]\nurl = \"{}\"\nname = \"machine-{n}\"\n", self.url);
        std::fs::write(&config, format!("{text}{log}")).expect("configuration");
        if let Some(first) = self.all.first() {
            std::fs::copy(first.path("payload.key"), folder.path().join("payload.key")).expect("the key");
        } else {
            let mut migrate = crate::support::command();
            let made = migrate.arg("--config").arg(&config).args(["log", "migrate"]).output().expect("ran");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        self.all.push(Daemon::on(folder, mailbox));
    }

    /// Where they take notifications.
    pub fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.all.iter().map(|machine| machine.public).collect()
    }

    /// Waits until every running machine has folded what the log holds.
    pub async fn agree(&self, server: &Postgres) -> i64 {
        let head: i64 = server.rows("SELECT seq FROM head")[0].parse().expect("a number");
        for machine in &self.all {
            until(async || {
                let folded = machine.rows(&format!("SELECT seq FROM progress WHERE seq >= {head}"));
                if folded.is_empty() { Err(format!("not at {head} yet: {}", tail(machine))) } else { Ok(()) }
            })
            .await;
        }
        head
    }

    /// The rows of the ledgers, as accountants see them, once they are the same on all machines.
    pub async fn same(&self, queries: &[&str]) -> Vec<Vec<String>> {
        until(async || {
            let of = |machine: &Daemon| -> Vec<Vec<String>> {
                queries.iter().map(|query| machine.rows(query)).collect()
            };
            let first = of(&self.all[0]);
            for other in self.all.iter().skip(1).map(of) {
                let mut both = first.iter().flatten().zip(other.iter().flatten());
                if first != other {
                    let differing = both.find(|(one, other)| one != other);
                    let lengths = (first.iter().map(Vec::len), other.iter().map(Vec::len));
                    return Err(format!(
                        "{differing:?} of {:?}",
                        lengths.0.zip(lengths.1).collect::<Vec<_>>()
                    ));
                }
            }
            Ok(first)
        })
        .await
    }

    /// The number of the machine that leads.
    pub async fn leader(&self, server: &Postgres) -> usize {
        until(async || {
            let rows = server.rows("SELECT holder FROM lease WHERE expires > clock_timestamp()");
            let name = rows.first().and_then(|holder| holder.strip_prefix("machine-"));
            let number = name.and_then(|rest| rest.split('/').next()).and_then(|n| n.parse::<usize>().ok());
            number.map(|n| n - 1).ok_or_else(|| format!("nobody leads: {rows:?}"))
        })
        .await
    }
}

/// The last lines of a machine's log.
fn tail(machine: &Daemon) -> String {
    let text = machine.log_text();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// Traffic from several threads to machines in turn: distinct vouchers, and which of them were acknowledged.
pub struct Traffic {
    next: AtomicU64,
    acknowledged: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Traffic {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            next: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            over: AtomicBool::new(false),
        })
    }

    /// Sends until it is over; a machine that is gone is left alone for a moment.
    pub fn send_to(self: &Arc<Self>, addresses: &[std::net::SocketAddr]) -> Vec<std::thread::JoinHandle<()>> {
        (0..4)
            .map(|thread| {
                let (traffic, addresses) = (Arc::clone(self), addresses.to_vec());
                std::thread::spawn(move || {
                    let mut turn = thread;
                    while !traffic.over.load(Ordering::SeqCst) {
                        turn += 1;
                        let n = traffic.next.fetch_add(1, Ordering::Relaxed);
                        let reference = format!("R{n}");
                        let call = Up2pay::voucher(&reference, 1000 + n, 1500);
                        let request =
                            format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
                        match send_raw(addresses[turn % addresses.len()], request.as_bytes()) {
                            Some(answer) if answer.status == 200 => {
                                traffic.acknowledged.lock().expect("lock").push(reference);
                            }
                            Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                            None => std::thread::park_timeout(Duration::from_millis(20)),
                        }
                    }
                })
            })
            .collect()
    }

    pub fn count(&self) -> usize {
        self.acknowledged.lock().expect("lock").len()
    }

    /// Returns when so many more were acknowledged.
    pub async fn flows(&self, more: usize) {
        let wanted = self.count() + more;
        until(async || {
            let count = self.count();
            if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
        })
        .await;
    }

    /// Ends it, until somebody sends again.
    pub fn end(&self, senders: Vec<std::thread::JoinHandle<()>>) {
        self.over.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.join().expect("sender");
        }
        self.over.store(false, Ordering::SeqCst);
    }

    /// What was acknowledged and is not among these.
    pub fn lost(&self, stored: &[String]) -> Vec<String> {
        let stored: std::collections::BTreeSet<&String> = stored.iter().collect();
        let acknowledged = self.acknowledged.lock().expect("lock");
        acknowledged.iter().filter(|reference| !stored.contains(reference)).cloned().collect()
    }
}
