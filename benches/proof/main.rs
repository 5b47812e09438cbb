//! How long `verify` and `rebuild` take on a ledger of many notifications, and how much memory. Run it with
//! `make bench`, or `cargo bench --bench proof -- N=1000000 DIR=/var/lib`; `docs/performance.md` has figures.

mod traffic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cvco_domain::Timestamp;
use cvco_ledger::{Ledger, Phase, Progress, Yardstick};
use cvco_log::{LogStore, SqliteLog, key_file};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Unless the command line says otherwise.
const NOTIFICATIONS: u64 = 100_000;

/// From one order to the next, in milliseconds: some 1,000 a day.
const PACE: i64 = 86_400;

/// So many orders go on in one transaction.
const GROUP: u64 = 100;

const LOG: &str = "log.sqlite";
const LEDGER: &str = "ledger.sqlite";
const KEY_FILE: &str = "payload.key";

fn main() -> Result<()> {
    // Cargo itself adds `--bench`.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [act, folder] = arguments.as_slice()
        && let Some(act) = Act::named(act)
    {
        return act.perform(Path::new(folder));
    }
    let (mut notifications, mut parent) = (NOTIFICATIONS, PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
    for argument in &arguments {
        match argument.split_once('=') {
            Some(("N", number)) => notifications = number.parse().context("N=1000000")?,
            Some(("DIR", folder)) => parent = PathBuf::from(folder),
            _ => bail!("{argument}: N=1000000, DIR=folder"),
        }
    }
    let folder = tempfile::tempdir_in(&parent).with_context(|| format!("in {}", parent.display()))?;
    lay(folder.path(), notifications)?;
    // Each in a process of its own: peaks of memory are those of a process.
    for act in [Act::Verify, Act::Rebuild] {
        let ended = Command::new(std::env::current_exe()?).arg(act.name()).arg(folder.path()).status()?;
        ensure!(ended.success(), "{} failed", act.name());
    }
    Ok(())
}

/// Lays a log of so many notifications, and folds it.
fn lay(folder: &Path, notifications: u64) -> Result<()> {
    let began = Instant::now();
    let mut log = SqliteLog::open_or_create(&folder.join(LOG), &[])?;
    let key = key_file::make(&folder.join(KEY_FILE))?;
    log.adopt_key(&key, &folder.join(KEY_FILE))?;
    let (mut told, mut number) = (0, 0);
    while told < notifications {
        let mut group = Vec::new();
        let mut at = Timestamp::parse(traffic::START)?;
        for _ in 0..GROUP {
            let step = traffic::step(number, PACE, &key)?;
            at = step.at;
            group.extend(step.registration);
            let room = usize::try_from(notifications - told)?;
            let notifications = step.notifications.into_iter().take(room);
            told += notifications.len() as u64;
            group.extend(notifications);
            number += 1;
        }
        log.append(&group, at)?;
        log.tend()?;
    }
    line(&format!("laid     {told:>10} notifications of {number} orders"), began.elapsed(), told);
    let began = Instant::now();
    let mut ledger = Ledger::open(&folder.join(LEDGER), &log.id()?)?;
    ledger.catch_up_all(&mut log)?;
    ledger.checkpoint()?;
    line("folded, as the daemon does it", began.elapsed(), log.head()?.seq.get().unsigned_abs());
    for file in [LOG, LEDGER] {
        say(&format!("         {:>10} MB {file}", fs::metadata(folder.join(file))?.len() / 1_000_000));
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Act {
    Verify,
    Rebuild,
}

impl Act {
    fn named(name: &str) -> Option<Self> {
        [Self::Verify, Self::Rebuild].into_iter().find(|act| act.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Rebuild => "rebuild",
        }
    }

    fn perform(self, folder: &Path) -> Result<()> {
        let (mut log, file) = (SqliteLog::open(&folder.join(LOG))?, folder.join(LEDGER));
        let began = Instant::now();
        let mut phases: Vec<(Phase, Instant)> = Vec::new();
        let mut note = |progress: Progress| {
            if phases.last().is_none_or(|(phase, _)| *phase != progress.phase) {
                phases.push((progress.phase, Instant::now()));
            }
        };
        let entries = match self {
            Self::Verify => {
                let key = key_file::read(&folder.join(KEY_FILE))?;
                let kept_since = Timestamp::from_millis(0);
                let yardstick = Yardstick { key: key.as_ref(), kept_since, anchors: &[] };
                let proof = cvco_ledger::verify(&mut log, &file, &yardstick, &mut note)?;
                ensure!(proof.flaws.is_empty(), "the ledger does not verify: {:?}", proof.flaws);
                proof.entries
            }
            Self::Rebuild => {
                let mut ledger = Ledger::open(&file, &log.id()?)?;
                let rebuilt = cvco_ledger::rebuild(&mut log, &mut ledger, &mut note)?;
                ensure!(rebuilt.replaced.is_empty(), "rebuild changed {:?}", rebuilt.replaced);
                rebuilt.entries
            }
        };
        let ended = Instant::now();
        let entries = u64::try_from(entries)?;
        line(&format!("{:<8} {entries:>10} entries", self.name()), ended - began, entries);
        let ends = phases.iter().skip(1).map(|(_, at)| *at).chain([ended]);
        for ((phase, start), end) in phases.iter().zip(ends) {
            say(&format!(
                "         of it {:<38} {}",
                format!("{phase:?}").to_lowercase(),
                seconds(end - *start)
            ));
        }
        say(&format!("         {:>10} MB of memory at the peak", peak_of_memory()? / 1_000));
        Ok(())
    }
}

/// In kilobytes.
fn peak_of_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

fn line(what: &str, took: Duration, count: u64) {
    let rate = u128::from(count) * 1_000 / took.as_millis().max(1);
    say(&format!("{what:<53} {} {rate:>9} a second", seconds(took)));
}

fn seconds(took: Duration) -> String {
    let millis = took.as_millis();
    format!("{:>6}.{} s", millis / 1_000, millis % 1_000 / 100)
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn say(line: &str) {
    println!("{line}");
}
