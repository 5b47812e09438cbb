//! `verify` and `rebuild`: proof that log and ledger are right.

use std::path::Path;

use clap::Args;
use cvco_ledger::{Anchor, Ledger, LedgerError, Phase, Progress, Rebuilt, Yardstick};
use cvco_log::{SqliteLog, key_file};
use indicatif::ProgressBar;

use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::clock::Clock;
use crate::config::LedgerSettings;

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// What an anchor mail said of the chain: the number of an entry and its hash. May be repeated.
    #[arg(long = "anchor", value_name = "NUMBER:HASH")]
    anchors: Vec<Anchor>,
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

#[derive(Debug, Args)]
pub(super) struct RebuildOptions {
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

pub(super) fn verify(path: &Path, options: &VerifyOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let mut log = SqliteLog::open_as_it_is(&settings.log)?;
    let key = key_file::read(&settings.payload_key_file)?;
    let yardstick = Yardstick {
        key: key.as_ref(),
        kept_since: Clock::system().now().before(settings.payload_retention),
        anchors: &options.anchors,
    };
    let mut bars = Bars::default();
    let proof =
        cvco_ledger::verify(&mut log, &settings.path, &yardstick, &mut |progress| bars.show(progress))?;
    bars.clear();
    if options.format == ReportFormat::Json {
        output::json(&proof)?;
    } else if proof.flaws.is_empty() {
        output::line(format!(
            "right: {} entries, {} of them folded, {} payloads, chain head {}",
            proof.entries, proof.folded, proof.payloads, proof.head
        ))?;
        if proof.purged > 0 {
            output::line(format!("{} payloads are gone, their retention is over", proof.purged))?;
        }
    } else {
        for flaw in &proof.flaws {
            output::line(format!("WRONG  {}: {}", flaw.place, flaw.what))?;
        }
    }
    if let (ReportFormat::Table, Some(note)) = (options.format, &proof.note) {
        output::line(note)?;
    }
    Ok(if proof.flaws.is_empty() { Outcome::Fine } else { Outcome::FoundSomething })
}

pub(super) fn rebuild(path: &Path, options: &RebuildOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let mut bars = Bars::default();
    let rebuilt = make_again(&settings, &mut |progress| bars.show(progress))?;
    bars.clear();
    if options.format == ReportFormat::Json {
        output::json(&rebuilt)?;
    } else if rebuilt.replaced.is_empty() {
        output::line(format!("nothing changed: {} entries fold into the same rows", rebuilt.entries))?;
    } else {
        output::line(format!(
            "made again from {} entries: {}",
            rebuilt.entries,
            rebuilt.replaced.join(", ")
        ))?;
    }
    Ok(Outcome::Fine)
}

/// Makes the ledger again from the log alone. With the daemon running, readers see the old ledger until the new one takes its
/// place. A file that is no ledger any more is moved aside first; that needs the daemon to be stopped.
fn make_again(settings: &LedgerSettings, progress: &mut dyn FnMut(Progress)) -> Result<Rebuilt, Failure> {
    let mut log = SqliteLog::open(&settings.log)?;
    let log_id = log.id()?;
    let mut ledger = match Ledger::open(&settings.path, &log_id) {
        Err(LedgerError::NotALedger(_) | LedgerError::Sqlite(_)) => {
            let Some(_lease) = SqliteLog::lease(&settings.log)? else {
                return Err(Failure::Refused(format!(
                    "the ledger {} is damaged, and a daemon uses it: stop the daemon, then run `rebuild` again",
                    settings.path.display()
                )));
            };
            move_aside(&settings.path)?;
            Ledger::open(&settings.path, &log_id)?
        }
        opened => opened?,
    };
    Ok(cvco_ledger::rebuild(&mut log, &mut ledger, progress)?)
}

/// Moves a damaged ledger and SQLite's files beside it out of the way.
fn move_aside(path: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm"] {
        let mut from = path.as_os_str().to_owned();
        from.push(ending);
        let mut to = path.as_os_str().to_owned();
        to.push(".damaged");
        to.push(ending);
        if Path::new(&from).exists() {
            std::fs::rename(&from, &to).map_err(Failure::io(Path::new(&from).display().to_string()))?;
        }
    }
    Ok(())
}

/// A bar for each phase, one after the other.
#[derive(Default)]
struct Bars {
    shown: Option<(Phase, ProgressBar)>,
}

impl Bars {
    fn show(&mut self, progress: Progress) {
        if self.shown.as_ref().is_none_or(|(phase, _)| *phase != progress.phase) {
            self.clear();
            let bar = match progress.phase {
                Phase::Entries => output::progress_bar("reading the log"),
                Phase::Rows => output::progress_bar("comparing rows"),
                Phase::File => output::spinner("SQLite's own checks"),
            };
            self.shown = Some((progress.phase, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_length(progress.total.unsigned_abs());
            bar.set_position(progress.done.unsigned_abs());
        }
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}
