//! Acknowledged notifications per second of one and of two machines with one log in PostgreSQL, beside those of a machine with
//! SQLite: daemons and a PostgreSQL of their own, on this machine. Run it with `make bench`; `docs/performance.md` has figures.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "it stands on what the tests of several machines stand on"
)]

#[path = "../notifications/client.rs"]
mod client;
#[path = "../../tests/cluster/machines.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod machines;
#[path = "../../tests/cluster/postgres.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod postgres;
#[path = "../notifications/report.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod report;
#[path = "../../tests/cluster/support.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;
mod traffic;

use std::io::stdout;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio::runtime::{Builder, Runtime};

use machines::Machines;
use postgres::Postgres;
use report::Report;
use support::{Daemon, Settings};
use traffic::Message;

/// Connections, and how much is sent over them; a tenth of it warms up.
const RUNS: [(usize, usize); 3] = [(1, 2_000), (64, 15_000), (256, 15_000)];

struct Bench {
    messages: Arc<Vec<Message>>,
    /// For mailboxes and waits; the load comes from a thread of its own.
    runtime: Runtime,
    report: Report<std::io::Stdout>,
}

fn main() -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let count = RUNS.iter().map(|(_, notifications)| notifications).sum();
    let mut bench = Bench { messages: Arc::new(traffic::messages(count)), runtime, report: Report(stdout()) };
    bench.report.text(
        "Up2pay calls and Sogecommerce forms in turn, each a payment of its own; daemons, PostgreSQL and client on the same cores,\n\
         files in /tmp. Keep-alive, each connection a closed loop.\n",
    )?;
    bench.report.head()?;
    let settings = Settings { complement_grace: "1h", ..Settings::default() };
    let alone = bench.runtime.block_on(Daemon::start(&settings));
    bench.measure("SQLite", &[&alone])?;
    drop(alone);
    for (name, count) in [("PostgreSQL, one machine", 1), ("PostgreSQL, two machines", 2)] {
        let Some(server) = Postgres::start("") else { bail!("PostgreSQL is missing") };
        let machines = bench.runtime.block_on(Machines::start_at(count, &server.url(), &settings));
        bench.runtime.block_on(machines.leader(&server));
        bench.measure(name, &machines.all.iter().collect::<Vec<_>>())?;
    }
    Ok(())
}

impl Bench {
    fn measure(&mut self, name: &str, machines: &[&Daemon]) -> Result<()> {
        let client = Builder::new_current_thread().enable_all().build()?;
        let servers: Vec<SocketAddr> = machines.iter().map(|machine| machine.public).collect();
        for (connections, range) in runs() {
            let before = committed(machines)?;
            let sample = client.block_on(client::drive(&servers, connections, &self.messages, range))?;
            let after = committed(machines)?;
            self.report.row(name, connections, &sample)?;
            let entries = (after.entries - before.entries) / (after.commits - before.commits).max(1);
            self.report.figure("  entries in a commit", entries)?;
        }
        Ok(())
    }
}

/// Each run's connections and its share of the messages.
fn runs() -> impl Iterator<Item = (usize, Range<usize>)> {
    RUNS.into_iter().scan(0, |sent, (connections, notifications)| {
        let range = *sent..*sent + notifications;
        *sent = range.end;
        Some((connections, range))
    })
}

/// What the machines have written to the log so far.
struct Committed {
    entries: u128,
    commits: u128,
}

fn committed(machines: &[&Daemon]) -> Result<Committed> {
    let mut all = Committed { entries: 0, commits: 0 };
    for machine in machines {
        let figures = machine.admin_get("/metrics").body;
        let figure = |name: &str| -> Result<u128> {
            let line = figures.lines().find_map(|line| line.strip_prefix(name)).context("no such figure")?;
            let whole = line.trim_start_matches("{}").trim().split('.').next().unwrap_or_default();
            whole.parse().with_context(|| line.to_owned())
        };
        all.entries += figure("cvco_append_entries_sum")?;
        all.commits += figure("cvco_append_entries_count")?;
    }
    Ok(all)
}
