//! Machines that share a log: each with its own folder, and the same payload key.

use crate::postgres::Postgres;
use crate::support::{Daemon, Settings, until};

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

    /// Ends one in good order.
    pub fn stop(&mut self, n: usize) {
        self.all[n].signal("-TERM");
        assert_eq!(self.all[n].ended(), Some(0));
    }

    /// Ends all of them in good order.
    pub fn stop_all(&mut self) {
        (0..self.all.len()).for_each(|n| self.stop(n));
    }

    /// Starts all of them again.
    pub fn restart(&mut self) {
        for machine in &mut self.all {
            machine.restart();
        }
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

    /// Waits until the ledgers are the same on all machines: each table of the fold, each row, each column.
    pub async fn ledgers_are_equal(&self) {
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('attempts', 'rejections')
                      AND name NOT LIKE 'sqlite%'";
        let all_of = |table: &String| {
            let count = &self.all[0].rows(&format!("SELECT count(*) FROM pragma_table_info('{table}')"))[0];
            let columns = 1..=count.parse().expect("a number");
            let columns: Vec<String> = columns.map(|column: u32| column.to_string()).collect();
            format!("SELECT * FROM {table} ORDER BY {}", columns.join(", "))
        };
        let queries: Vec<String> = self.all[0].rows(tables).iter().map(all_of).collect();
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        assert!(queries.len() > 20, "{queries:?}");
        self.same(&queries).await;
    }

    /// Waits until each machine is red and its reason has these words.
    pub async fn are_not_ready(&self, which: &[usize], words: &str) {
        for n in which {
            until(async || {
                let ready = self.all[*n].admin_get("/readyz");
                let is_red = ready.status == 503 && ready.body.contains(words);
                if is_red { Ok(()) } else { Err(format!("{ready:?}")) }
            })
            .await;
        }
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
