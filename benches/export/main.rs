//! A year of a merchant: how long its closes and exports take and how much memory, beside `sqlite3 -csv` that dumps the
//! same rows. `make bench`, or `cargo bench --bench export -- ORDERS=1000000 DIR=/var/lib`; `docs/performance.md` has
//! figures.

#[path = "../proof/traffic.rs"]
mod traffic;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cvco_domain::{Policy, Timestamp};
use cvco_ledger::Ledger;
use cvco_log::{Draft, LogEntry, LogStore, SqliteLog, key_file};

/// Unless the command line says otherwise.
const ORDERS: u64 = 100_000;

/// So many orders go on in one transaction.
const GROUP: u64 = 100;

/// A year, less the days in which its last orders come to rest.
const YEAR_MILLIS: i64 = 350 * 24 * 60 * 60 * 1000;

const EXPORTS: [&[&str]; 9] = [
    &["fec"],
    &["entries"],
    &["journal"],
    &["beancount"],
    &["register"],
    &["gaps"],
    &["ageing"],
    &["totals"],
    &["register", "--format", "xlsx"],
];

fn main() -> Result<()> {
    let (mut orders, mut parent) = (ORDERS, PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
    // Cargo itself adds `--bench`.
    for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        match argument.split_once('=') {
            Some(("ORDERS", number)) => orders = number.parse().context("ORDERS=1000000")?,
            Some(("DIR", folder)) => parent = PathBuf::from(folder),
            _ => bail!("{argument}: ORDERS=1000000, DIR=folder"),
        }
    }
    let folder = tempfile::tempdir_in(&parent).with_context(|| format!("in {}", parent.display()))?;
    let folder = folder.path();
    fs::write(folder.join("config.toml"), "[[shop]]\nid = \"camping\"\n")?;
    lay(folder, orders)?;

    let began = Instant::now();
    let mut most = 0;
    for month in 1..=12 {
        most = most.max(run(folder, &["close", "--period", &format!("2020-{month:02}")])?.1);
    }
    line("closed twelve months", began.elapsed(), orders, "orders", most);
    for export in EXPORTS {
        let output = folder.join("export");
        let file = output.to_str().context("a path")?;
        let span = ["--from", "2020-01-01", "--to", "2020-12-31", "-o", file];
        let arguments: Vec<&str> = [&["export"], export, &span].concat();
        let (took, memory) = run(folder, &arguments)?;
        let what = format!("export {}, {} MB", export.join(" "), fs::metadata(&output)?.len() / 1_000_000);
        line(&what, took, orders, "orders", memory);
    }
    beside_sqlite(folder, orders)
}

/// Lays a year of orders in a log, and folds it.
fn lay(folder: &Path, orders: u64) -> Result<()> {
    let began = Instant::now();
    let mut log = SqliteLog::open_or_create(&folder.join("log.sqlite"), &[])?;
    let key = key_file::make(&folder.join("payload.key"))?;
    log.adopt_key(&key, &folder.join("payload.key"))?;
    let policy = Draft::new(&LogEntry::Policy(Policy::default()))?;
    log.append(&[policy], Timestamp::parse(traffic::START)?)?;
    let pace = YEAR_MILLIS / i64::try_from(orders)?.max(1);
    let mut number = 0;
    while number < orders {
        let mut group = Vec::new();
        let mut at = Timestamp::parse(traffic::START)?;
        for _ in 0..GROUP.min(orders - number) {
            let step = traffic::step(number, pace, &key)?;
            at = step.at;
            group.extend(step.registration);
            group.extend(step.notifications);
            number += 1;
        }
        log.append(&group, at)?;
        log.tend()?;
    }
    let mut ledger = Ledger::open(&folder.join("ledger.sqlite"), &log.id()?)?;
    ledger.catch_up_all(&mut log)?;
    ledger.checkpoint()?;
    line("laid and folded", began.elapsed(), orders, "orders", 0);
    Ok(())
}

/// Runs the program as a user would: how long it took, and its memory at the peak, in kilobytes.
fn run(folder: &Path, arguments: &[&str]) -> Result<(Duration, u64)> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cvco-reconciled"))
        .arg("--config")
        .arg(folder.join("config.toml"))
        .args(["--log", "error"])
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        match child.try_wait()? {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    ensure!(ended.success(), "{arguments:?} failed");
    Ok((began.elapsed(), peak))
}

/// What a user would do without an export.
fn beside_sqlite(folder: &Path, orders: u64) -> Result<()> {
    let out = folder.join("dump.csv");
    let began = Instant::now();
    let dumped = Command::new("sqlite3")
        .args(["-readonly", "-csv", "-separator", ";"])
        .arg(folder.join("ledger.sqlite"))
        .arg("SELECT * FROM acct_entries ORDER BY EcritureDate, EcritureNum")
        .stdout(File::create(&out)?)
        .status();
    match dumped {
        Ok(ended) if ended.success() => {
            let what = format!("sqlite3 -csv of acct_entries, {} MB", fs::metadata(&out)?.len() / 1_000_000);
            line(&what, began.elapsed(), orders, "orders", 0);
        }
        Ok(ended) => bail!("sqlite3: {ended}"),
        Err(error) => say(&format!("sqlite3 is not installed ({error}): nothing to compare with")),
    }
    Ok(())
}

fn line(what: &str, took: Duration, count: u64, of: &str, peak: u64) {
    let millis = took.as_millis().max(1);
    let rate = u128::from(count) * 1_000 / millis;
    let memory = if peak > 0 { format!("{:>5} MB at the peak", peak / 1_000) } else { String::new() };
    say(&format!(
        "{what:<44} {:>5}.{} s {rate:>9} {of} a second {memory}",
        millis / 1_000,
        millis % 1_000 / 100
    ));
}

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn say(text: &str) {
    println!("{text}");
}
