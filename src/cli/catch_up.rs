//! `catch-up`: after an outage, ask the PSPs about everything that is open or was never heard of.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use cvco_domain::Timestamp;
use cvco_ledger::Reader;
use cvco_log::entry::Inquiry;
use cvco_log::{Draft, LogEntry};
use cvco_mail::Language;

use super::append::Writer;
use super::output::pair;
use super::site::{Here, Site};
use super::{Failure, Outcome, command_settings, output};
use crate::confirm::sweep;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// From when on, as 2026-03-01 (midnight in Paris) or RFC 3339.
    #[arg(long, value_name = "DATE", value_parser = Timestamp::parse_since)]
    since: Timestamp,
    /// Raise the questions and do not wait for the answers.
    #[arg(long)]
    no_wait: bool,
    /// Give up waiting after so long; the daemon goes on asking.
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = humantime::parse_duration)]
    patience: Duration,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let language = Here::new(path).language()?;
    let config = command_settings(path, |endpoint| endpoint.has_api)?;
    let askable: Vec<_> =
        config.endpoints.iter().filter(|endpoint| endpoint.adapter.api().is_some()).collect();
    if askable.is_empty() {
        return Err(Failure::Explained(pair(
            language,
            "aucun point d’entrée ne peut être interrogé\u{a0}: donnez-lui son `api = { … }` (voir config.example.toml)",
            "no endpoint can be asked: give one its `api = { … }` (see config.example.toml)",
        )));
    }
    let mut writer = Writer::open(&config.ledger)?;
    let now = writer.now();
    if options.since > now {
        return Err(Failure::Explained(pair(
            language,
            "--since est dans le futur",
            "--since lies in the future",
        )));
    }
    let reader = writer.reader()?;
    let mut drafts = Vec::new();
    for inquiry in sweep::catch_up(&reader, &config.endpoints, config.refund_window, (options.since, now))? {
        let Inquiry { endpoint, reason, questions } = inquiry;
        let mut unanswered = Vec::with_capacity(questions.len());
        for question in questions {
            if reader.would_ask(&endpoint, &question, now)? {
                unanswered.push(question);
            }
        }
        if unanswered.is_empty() {
            continue;
        }
        let (name, questions) = (&endpoint.endpoint, counted(unanswered.len()));
        output::line(pair(
            language,
            &format!("{name}\u{a0}: {questions}"),
            &format!("{name}: {questions} raised"),
        ))?;
        drafts.push(Draft::new(&LogEntry::Inquiry(Inquiry { endpoint, reason, questions: unanswered }))?);
    }
    if drafts.is_empty() {
        output::line(pair(
            language,
            "rien à demander\u{a0}: aucun paiement n’est en suspens, aucune commande n’est sans nouvelles",
            "nothing to ask: no payment is open, and no order is without news",
        ))?;
        return Ok(Outcome::Fine);
    }
    writer.append(drafts, || {})?;
    let served = writer.is_served();
    if options.no_wait || !served {
        output::line(if served {
            pair(language, "le service les pose maintenant", "the daemon asks them now")
        } else {
            pair(
                language,
                "le service ne tourne pas\u{a0}: il les posera dès son démarrage",
                "no daemon runs: it asks them once it is started",
            )
        })?;
        return Ok(Outcome::Fine);
    }
    wait(language, &reader, options.patience)
}

/// The same in both languages.
fn counted(count: usize) -> String {
    format!("{count} question{}", if count == 1 { "" } else { "s" })
}

/// Shows how the answers come in; the daemon does the asking.
fn wait(language: Language, reader: &Reader, patience: Duration) -> Result<Outcome, Failure> {
    let still_open = || -> Result<u64, Failure> {
        let pending = reader.questions_pending()?;
        Ok(pending.iter().map(|(_, count)| u64::try_from(*count).unwrap_or(0)).sum())
    };
    let all = still_open()?;
    let bar = output::progress_bar("answers");
    bar.set_length(all);
    let start = std::time::Instant::now();
    loop {
        let left = still_open()?;
        bar.set_length(all.max(left));
        bar.set_position(all.saturating_sub(left));
        if left == 0 {
            bar.finish_and_clear();
            output::line(pair(
                language,
                "toutes les questions ont leur réponse",
                "every question is answered",
            ))?;
            return Ok(Outcome::Fine);
        }
        if start.elapsed() >= patience {
            bar.finish_and_clear();
            let open = counted(usize::try_from(left).unwrap_or(usize::MAX));
            output::line(pair(
                language,
                &format!(
                    "{open} sans réponse, les plus anciennes comprises\u{a0}; le service continue de les poser tant qu’il tourne"
                ),
                &format!("{open} open, older ones included; the daemon goes on asking while it runs"),
            ))?;
            // No text of a person: set as it must be typed.
            output::line("SELECT * FROM acct_confirmations WHERE state IN ('open', 'unsettled')")?;
            return Ok(Outcome::FoundSomething);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
