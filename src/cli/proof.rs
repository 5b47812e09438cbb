//! `verify` and `rebuild`: proof that log and ledger are right, and a ledger made again from the log.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use cvco_domain::Worded;
use cvco_domain::crypto::SealKey;
use cvco_ledger::{Anchor, Ledger, LedgerError, Phase, Progress, Proof, Rebuilt, Yardstick};
use cvco_log::{LogError, SqliteLog, key_file};
use cvco_mail::Language;
use indicatif::ProgressBar;

use super::output::pair;
use super::site::{Here, Site};
use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::clock::Clock;
use crate::telemetry::Verified;

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
    let key = readable_key(&settings.payload_key_file)?;
    let yardstick = Yardstick {
        key: key.as_ref(),
        kept_since: Clock::system().now().before(settings.payload_retention),
        anchors: &options.anchors,
    };
    let mut bars = Bars::default();
    let mut log = SqliteLog::open_as_it_is(&settings.log)?;
    let proof = cvco_ledger::verify(&mut log, &settings.path, &yardstick, &mut |now| bars.show(now))?;
    bars.clear();
    Verified::new(Clock::system().now(), &proof.flaws).note(&settings.path);
    if options.format == ReportFormat::Json {
        output::json(&proof)?;
    } else {
        tell(Here::new(path).language()?, &proof)?;
    }
    Ok(if proof.flaws.is_empty() { Outcome::Fine } else { Outcome::FoundSomething })
}

fn tell(language: Language, proof: &Proof) -> Result<(), Failure> {
    let say = |fr: &str, en: &str| output::line(pair(language, fr, en));
    let Proof { entries, payloads, purged, folded, head, flaws, note } = proof;
    for flaw in flaws {
        say(&format!("FAUX   {}", flaw.in_french()), &format!("WRONG  {flaw}"))?;
    }
    if flaws.is_empty() {
        say(
            &format!(
                "tout est juste\u{a0}: {entries} entrées, {payloads} messages scellés, dernier maillon {head}"
            ),
            &format!("right: {entries} entries, {payloads} payloads, chain head {head}"),
        )?;
        if folded < entries {
            say(
                &format!("le registre en a traité {folded} jusqu’ici"),
                &format!("the ledger has folded {folded} of them so far"),
            )?;
        }
        if *purged > 0 {
            say(
                &format!(
                    "{purged} messages scellés ont été effacés\u{a0}: leur durée de conservation est passée"
                ),
                &format!("{purged} payloads are gone, their retention is over"),
            )?;
        }
    }
    note.as_ref().map_or(Ok(()), |note| output::line(language.of(note)))
}

/// The payload key. Accountants may not read it: they prove the rest.
pub(super) fn readable_key(file: &Path) -> Result<Option<SealKey>, Failure> {
    match key_file::read(file) {
        Err(LogError::KeyFile { .. }) => Ok(None),
        read => Ok(read?),
    }
}

pub(super) fn rebuild(path: &Path, options: &RebuildOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let mut log = SqliteLog::open(&settings.log)?;
    let mut bars = Bars::default();
    // Held to the end, so that no daemon starts meanwhile.
    let lease = SqliteLog::lease(&settings.log)?;
    if lease.is_none() && !settings.path.exists() {
        // The daemon has a ledger open, and it is not this one.
        return Err(LedgerError::NoLedger(settings.path).into());
    }
    let first = fold_again(&mut log, &settings.path, &mut bars);
    let (rebuilt, aside) = match first {
        Err(error) if lease.is_some() && is_broken(&error, &settings.path) => {
            let aside = move_aside(&settings.path)?;
            (fold_again(&mut log, &settings.path, &mut bars)?, Some(aside))
        }
        first => (first?, None),
    };
    drop(lease);
    bars.clear();
    if options.format == ReportFormat::Json {
        output::json(&rebuilt)?;
        return Ok(Outcome::Fine);
    }
    let language = Here::new(path).language()?;
    let Rebuilt { entries, replaced } = &rebuilt;
    output::line(if replaced.is_empty() {
        pair(
            language,
            &format!("rien n’a changé\u{a0}: {entries} entrées donnent les mêmes lignes"),
            &format!("nothing changed: {entries} entries fold into the same rows"),
        )
    } else {
        let replaced = replaced.join(", ");
        pair(
            language,
            &format!("refait à partir de {entries} entrées\u{a0}: {replaced}"),
            &format!("made again from {entries} entries: {replaced}"),
        )
    })?;
    if let Some(aside) = &aside {
        let aside = aside.display();
        output::line(pair(
            language,
            &format!("le fichier endommagé est conservé\u{a0}: {aside}"),
            &format!("the damaged file is kept as {aside}"),
        ))?;
    }
    Ok(Outcome::Fine)
}

fn fold_again(log: &mut SqliteLog, ledger: &Path, bars: &mut Bars) -> Result<Rebuilt, LedgerError> {
    let mut ledger = Ledger::open(ledger, &log.id()?)?;
    cvco_ledger::rebuild(log, &mut ledger, &mut |now| bars.show(now))
}

/// Whether the ledger's file cannot be used any more. A file of another program is no broken ledger: the configuration
/// names the wrong place.
fn is_broken(error: &LedgerError, ledger: &Path) -> bool {
    if matches!(error, LedgerError::NotALedger(_)) { !is_sqlite(ledger) } else { error.is_broken_file() }
}

fn is_sqlite(file: &Path) -> bool {
    let mut magic = [0_u8; 16];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"SQLite format 3\0"
}

/// Moves a file away, and what SQLite keeps beside it, so that a person can still look at them.
fn move_aside(ledger: &Path) -> Result<PathBuf, Failure> {
    let named = |name: &Path, ending: &str| {
        let mut name = name.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let aside = named(ledger, ".damaged");
    for companion in ["", "-wal", "-shm"] {
        let (from, to) = (named(ledger, companion), named(&aside, companion));
        if from.exists() {
            std::fs::rename(&from, to).map_err(Failure::io(from.display().to_string()))?;
        }
    }
    Ok(aside)
}

/// A bar for each phase, one after the other.
#[derive(Default)]
pub(super) struct Bars {
    shown: Option<(Phase, ProgressBar)>,
}

impl Bars {
    pub(super) fn show(&mut self, progress: Progress) {
        if self.shown.as_ref().is_none_or(|(phase, _)| *phase != progress.phase) {
            self.clear();
            let bar = match progress.phase {
                Phase::Entries => output::progress_bar("reading the log"),
                Phase::Rows => output::progress_bar("comparing rows"),
                Phase::File => output::spinner("SQLite's own checks", true),
            };
            self.shown = Some((progress.phase, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_length(progress.total.unsigned_abs());
            bar.set_position(progress.done.unsigned_abs());
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}
