//! `verify` and `rebuild`: proof that the ledger is right.

use std::path::Path;

use clap::Args;
use indicatif::ProgressBar;

use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::clock::Clock;
use crate::ledger::{self, Anchor, Phase, Progress, Yardstick};

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
    let yardstick = Yardstick {
        key_file: &settings.payload_key_file,
        kept_since: Clock::system().now().before(settings.payload_retention),
        anchors: &options.anchors,
    };
    let mut bars = Bars::default();
    let proof = ledger::verify(&settings.path, &yardstick, &mut |progress| bars.show(progress))?;
    bars.clear();
    if options.format == ReportFormat::Json {
        output::json(&proof)?;
    } else if proof.flaws.is_empty() {
        output::line(format!(
            "right: {} entries, {} payloads, {} orders, chain head {}",
            proof.entries, proof.payloads, proof.orders, proof.head
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
    let rebuilt = ledger::rebuild(&settings.path, &mut |progress| bars.show(progress))?;
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
                Phase::Cents => output::progress_bar("counting cents"),
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
