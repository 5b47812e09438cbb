//! `verify` and `rebuild`: proof that the ledger is right.

use std::path::Path;

use clap::Args;

use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::ledger;

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
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
    let bar = output::progress_bar("verifying");
    let proof = ledger::verify(&settings.path, &settings.payload_key_file, &mut |done, total| {
        show(&bar, done, total);
    })?;
    bar.finish_and_clear();
    if options.format == ReportFormat::Json {
        output::json(&proof)?;
    } else if proof.flaws.is_empty() {
        output::line(format!(
            "right: {} entries, {} payloads, chain head {}",
            proof.entries, proof.payloads, proof.head
        ))?;
        if let Some(note) = &proof.note {
            output::line(note)?;
        }
    } else {
        for flaw in &proof.flaws {
            output::line(format!("WRONG  {}: {}", flaw.place, flaw.what))?;
        }
    }
    Ok(if proof.flaws.is_empty() { Outcome::Fine } else { Outcome::FoundSomething })
}

pub(super) fn rebuild(path: &Path, options: &RebuildOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let bar = output::progress_bar("rebuilding");
    let rebuilt = ledger::rebuild(&settings.path, &mut |done, total| show(&bar, done, total))?;
    bar.finish_and_clear();
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

fn show(bar: &indicatif::ProgressBar, done: i64, total: i64) {
    bar.set_length(total.unsigned_abs());
    bar.set_position(done.unsigned_abs());
}
