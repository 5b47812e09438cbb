//! Durable notifications per second, with p50 and p99, and how soon they are reconciled; beside the limit of such a server, a
//! bare hyper server and a bare SQLite writer loop on the same machine. Run it with `make bench`; `docs/performance.md` has figures and what they mean.

mod client;
mod limit;
mod report;
mod servers;
mod traffic;
mod writers;

use std::fs;
use std::io::stdout;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cvco_domain::Timestamp;
use cvco_ledger::{Ledger, Yardstick};
use cvco_log::{SqliteLog, key_file};
use cvco_reconciled::config::Config;
use tokio::runtime::{Builder, Runtime};

use report::{Report, Sample, per_second};
use servers::{Daemon, KEY_FILE, LEDGER, LOG};
use traffic::{Keys, Message};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much is sent over how many connections; a tenth of it warms up.
#[derive(Clone, Copy)]
struct Run {
    connections: usize,
    notifications: usize,
    /// To the bare server, which answers the same messages over and over.
    requests: usize,
}

const RUNS: [Run; 3] = [
    Run { connections: 1, notifications: 2_000, requests: 10_000 },
    Run { connections: 64, notifications: 15_000, requests: 60_000 },
    Run { connections: 256, notifications: 15_000, requests: 60_000 },
];

/// Where the ledgers are made unless the command line says otherwise: on the disk of the build, because a
/// temporary folder may be in memory, where nothing is durable and syncs cost nothing.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// Another server that does the same work, already running: `name=address`. See `benches/peers`.
struct Peer {
    name: String,
    address: SocketAddr,
}

impl Peer {
    fn parse(name: &str, address: &str) -> Result<Self> {
        Ok(Self { name: name.to_owned(), address: address.parse().with_context(|| address.to_owned())? })
    }
}

/// What every measurement needs.
struct Bench {
    folder: PathBuf,
    config: Arc<Config>,
    messages: Arc<Vec<Message>>,
    /// For the server, as the daemon has it; the load comes from a thread of its own.
    runtime: Runtime,
    report: Report<std::io::Stdout>,
}

fn main() -> Result<()> {
    // Cargo itself adds `--bench`.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let parent = arguments.iter().find(|argument| !argument.contains('='));
    let parent = parent.map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
    let peers = arguments.iter().filter_map(|argument| argument.split_once('='));
    let peers = peers.map(|(name, address)| Peer::parse(name, address));
    let peers = peers.collect::<Result<Vec<_>>>()?;
    fs::create_dir_all(&parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let folder = tempfile::tempdir_in(&parent)?;
    let mut bench = Bench::prepare(folder.path())?;
    bench.introduce(&parent)?;
    bench.over_http(&peers)?;
    if !peers.is_empty() {
        return Ok(());
    }
    bench.without_http()?;
    bench.parse_and_verify()?;
    bench.prove_ledger()
}

impl Bench {
    fn prepare(folder: &Path) -> Result<Self> {
        let keys = Keys::generate()?;
        fs::write(folder.join("up2pay.pem"), keys.up2pay_pem())?;
        let config_file = folder.join("config.toml");
        fs::write(&config_file, Keys::config())?;
        let count: usize = RUNS.iter().map(|run| run.notifications).sum();
        Ok(Self {
            folder: folder.to_owned(),
            config: Arc::new(Config::load(&config_file)?),
            messages: Arc::new(keys.messages(count as u64)?),
            runtime: Builder::new_multi_thread().enable_all().build()?,
            report: Report(stdout()),
        })
    }

    fn introduce(&mut self, parent: &Path) -> Result<()> {
        let bytes: usize = self.messages.iter().map(|message| message.http.len()).sum();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.report.text(&format!(
            "Up2pay calls and Sogecommerce forms in turn, each a payment of its own; {} bytes on the wire on average.\n\
             Client in the same process, on the same {cores} cores: keep-alive, each connection a closed loop. When the\n\
             server stalls the client waits with it, so p99 is kinder than an open stream of calls would find it\n\
             (coordinated omission).\n\
             Ledgers in {}, WAL, synchronous=FULL.\n",
            bytes / self.messages.len().max(1),
            parent.display(),
        ))
    }

    /// The daemon, the limit, the peers and the bare server, one after the other for each number of connections.
    fn over_http(&mut self, peers: &[Peer]) -> Result<()> {
        let daemon = Daemon::start(&self.runtime, &self.config, &self.folder)?;
        let limit = limit::start(&self.runtime, &self.folder.join("limit.sqlite"))?;
        let bare = servers::start_bare_hyper(&self.runtime)?;
        let client = Builder::new_current_thread().enable_all().build()?;
        self.report.head()?;
        for (Run { connections, requests, .. }, range) in runs() {
            let send =
                |server, range| client.block_on(client::drive(&[server], connections, &self.messages, range));
            let most = send(limit, range.clone())?;
            let count = range.len();
            let began = Instant::now();
            let ours = send(daemon.address, range.clone())?;
            daemon.reconciled(&self.runtime)?;
            let reconciled = Sample::of_all(count, began.elapsed());
            for peer in peers {
                let theirs = send(peer.address, range.clone())?;
                self.report.row(&peer.name, connections, &theirs)?;
                self.report.ratio(&format!("  acknowledged : {}", peer.name), &ours, &theirs)?;
            }
            let bare = send(bare, 0..requests)?;
            self.report.row("daemon, acknowledged", connections, &ours)?;
            self.report.row("daemon, reconciled", connections, &reconciled)?;
            self.report.row("the limit", connections, &most)?;
            self.report.row("bare hyper", connections, &bare)?;
            self.report.ratio("  acknowledged : the limit", &ours, &most)?;
            self.report.ratio("  reconciled : the limit", &reconciled, &most)?;
        }
        daemon.stop(&self.runtime)
    }

    fn without_http(&mut self) -> Result<()> {
        for (Run { connections: callers, .. }, range) in runs() {
            let messages = self.messages.get(range).context("too few messages")?;
            let ours = writers::log_alone(&self.runtime, &self.config, &self.folder, messages, callers)?;
            self.report.row("log without HTTP", callers, &ours)?;
        }
        for (group, commits) in [(1, 4_000), (64, 400)] {
            let bare = writers::bare_sqlite(&self.folder.join("bare.sqlite"), group, commits)?;
            self.report.row("bare SQLite, rows of 1.2 KB", group, &bare)?;
        }
        Ok(())
    }

    /// The adapters by themselves, on one thread.
    fn parse_and_verify(&mut self) -> Result<()> {
        let webhooks = Keys::webhooks(5_000)?;
        for endpoint in &self.config.endpoints {
            let psp = endpoint.psp;
            let all = self.messages.iter().chain(&webhooks);
            let messages: Vec<_> = all.filter(|message| message.psp == psp).take(5_000).collect();
            let mut read = |number: usize| -> Result<()> {
                let message = messages.get(number % messages.len()).context("no messages")?;
                let proven = endpoint.adapter.prove(&message.wire.as_request())?;
                let reading = endpoint.adapter.read(&proven)?;
                ensure!(!reading.events().is_empty(), "{psp} read no fact");
                Ok(())
            };
            Sample::repeat(2_000, &mut read)?;
            let sample = Sample::repeat(20_000, read)?;
            self.report.row(&format!("parse and verify, {psp}"), 1, &sample)?;
        }
        Ok(())
    }

    /// `verify` and `rebuild` of what the daemon has just written. That they find nothing is part of the run.
    fn prove_ledger(&mut self) -> Result<()> {
        let file = self.folder.join(LEDGER);
        let mut log = SqliteLog::open(&self.folder.join(LOG))?;
        let key = key_file::read(&self.folder.join(KEY_FILE))?;
        let kept_since = Timestamp::from_millis(0);
        let yardstick = Yardstick { key: key.as_ref(), kept_since, anchors: &[] };
        let start = Instant::now();
        let proof = cvco_ledger::verify(&mut log, &file, &yardstick, &mut |_| {})?;
        let elapsed = start.elapsed();
        let entries = usize::try_from(proof.entries)?;
        ensure!(proof.flaws.is_empty(), "the ledger does not verify: {:?}", proof.flaws);
        ensure!(entries == self.messages.len(), "{entries} entries of {} messages", self.messages.len());
        self.report.figure("verify, entries a second", per_second(entries, elapsed))?;

        let mut ledger = Ledger::open(&file, &log.id()?)?;
        let start = Instant::now();
        let rebuilt = cvco_ledger::rebuild(&mut log, &mut ledger, &mut |_| {})?;
        let elapsed = start.elapsed();
        ensure!(rebuilt.replaced.is_empty(), "rebuild changed {:?}", rebuilt.replaced);
        self.report.figure("rebuild, entries a second", per_second(entries, elapsed))?;

        for name in [LOG, LEDGER] {
            let bytes = fs::metadata(self.folder.join(name))?.len();
            let each = u128::from(bytes) / entries.max(1) as u128;
            self.report.figure(&format!("{name}, bytes a notification"), each)?;
        }
        Ok(())
    }
}

/// Each run with its own share of the messages: a message sent twice would be a duplicate.
fn runs() -> impl Iterator<Item = (Run, Range<usize>)> {
    let mut start = 0;
    RUNS.into_iter().map(move |run| {
        let range = start..start + run.notifications;
        start = range.end;
        (run, range)
    })
}
