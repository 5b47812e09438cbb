//! `check`: examine a deployment, and say what to change.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use cvco_domain::Psp;
use cvco_ledger::{LedgerError, Reader};
use cvco_log::{LogError, LogStore, SqliteLog};
use cvco_psp::api::NoAnswer;
use serde::Serialize;

use super::{Failure, Outcome, ReportFormat, load, output, runtime};
use crate::alert::SendError;
use crate::clock::Clock;
use crate::config::Config;
use crate::confirm;
use crate::outbound::Client;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
    /// Try neither the mail server nor the PSPs' APIs.
    #[arg(long)]
    offline: bool,
}

/// The log's last entry may be this far ahead of the clock without a word.
const AHEAD: Duration = Duration::from_mins(1);

/// No more entries than this are named that are set aside.
const SHOWN: u32 = 20;

/// One thing examined.
#[derive(Debug, Serialize)]
struct Line {
    what: String,
    verdict: Verdict,
    remark: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Unwise,
    Wrong,
}

impl Line {
    fn new(what: impl Into<String>, verdict: Verdict, remark: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, remark: remark.into() }
    }
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let config = load(path)?;
    let mut lines = vec![Line::new(
        "configuration",
        Verdict::Good,
        format!("{} (shops: {}, endpoints: {})", path.display(), config.shops.len(), config.endpoints.len()),
    )];
    lines.extend(config.warnings.iter().map(|w| Line::new(w.key.as_str(), Verdict::Unwise, w.what.as_str())));
    lines.push(log(&config));
    lines.extend(ledger(&config));
    lines.push(mail(&config, options.offline)?);
    if !options.offline {
        lines.extend(apis(&config)?);
    }
    lines.extend(config.endpoints.iter().map(|endpoint| {
        let reminder = match endpoint.psp {
            Psp::Up2pay => {
                "keys read; the call's address is PBX_REPONDRE_A or the back office's, without a redirect"
            }
            Psp::Sogecommerce => {
                "keys read; in the back office, also tick the rules on cancellation and on back-office \
                 operations, and the automatic retry: they are off by default"
            }
            Psp::Worldline => "keys read; a new pair of webhook keys revokes the old one at once",
            Psp::Monext => "keys read; give this URL as notificationURL, and hand each session's token over",
            Psp::Ancv => "keys read; experimental",
        };
        Line::new(
            format!("endpoint {} ({}, {})", endpoint.id, endpoint.psp, endpoint.mode),
            Verdict::Good,
            reminder,
        )
    }));
    print(&lines, options.format)?;
    let wrong = lines.iter().any(|line| line.verdict == Verdict::Wrong);
    Ok(if wrong { Outcome::FoundSomething } else { Outcome::Fine })
}

/// Whether a notification that came now would be stored.
fn log(config: &Config) -> Line {
    let path = &config.ledger.log;
    let now = Clock::system().now();
    let tried = SqliteLog::open(path).and_then(|mut log| {
        let head = log.head()?;
        // A daemon that runs proves it itself, every few seconds.
        let served = SqliteLog::lease(path)?.is_none();
        if !served {
            log.prove_writable()?;
        }
        Ok((head, served))
    });
    match tried {
        Ok((head, _)) if head.at.since(now) > AHEAD => Line::new(
            "log",
            Verdict::Wrong,
            format!(
                "its last entry is dated {}, ahead of the clock: set the clock; the daemon puts these dates right half a \
                 minute after the clock is right",
                head.at.paris_text()
            ),
        ),
        Ok((head, served)) => {
            let by = if served { "a daemon writes to it" } else { "it can be written" };
            Line::new("log", Verdict::Good, format!("{} ({} entries; {by})", path.display(), head.seq))
        }
        Err(LogError::NoLog(_)) if has_folder(path) => {
            Line::new("log", Verdict::Good, format!("{} will be made at the first start", path.display()))
        }
        Err(LogError::NoLog(_)) => Line::new(
            "log",
            Verdict::Wrong,
            format!("the folder of {} does not exist: make it", path.display()),
        ),
        Err(error) => Line::new("log", Verdict::Wrong, error.to_string()),
    }
}

/// The ledger, and the entries of the log that it could not fold.
fn ledger(config: &Config) -> Vec<Line> {
    let path = config.ledger.path.display().to_string();
    let read = Reader::open(&config.ledger.path)
        .and_then(|reader| Ok((reader.folded()?.0, reader.set_aside_entries(SHOWN)?)));
    match read {
        Ok((seq, set_aside)) => {
            let mut lines =
                vec![Line::new("ledger", Verdict::Good, format!("{path} (folded to entry {seq})"))];
            lines.extend(set_aside.into_iter().map(|entry| {
                Line::new(
                    format!("entry {} ({})", entry.seq, entry.kind),
                    Verdict::Wrong,
                    format!("set aside, and read again after an update: {}", entry.reason),
                )
            }));
            lines
        }
        Err(LedgerError::NoLedger(_)) => {
            vec![Line::new("ledger", Verdict::Good, format!("{path} will be made from the log"))]
        }
        Err(error) => vec![Line::new("ledger", Verdict::Wrong, error.to_string())],
    }
}

/// Whether the file could be made; a bare name belongs into the current folder.
fn has_folder(file: &Path) -> bool {
    file.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}

fn mail(config: &Config, offline: bool) -> Result<Line, Failure> {
    Ok(match &config.alerts {
        None => Line::new("mail", Verdict::Unwise, "no [alerts]: nobody is told"),
        Some(_) if offline => Line::new("mail", Verdict::Good, "not tried (--offline)"),
        Some(alerts) => match runtime()?.block_on(alerts.mailer.test_connection()) {
            Ok(()) => Line::new("mail", Verdict::Good, "the server of [alerts] smtp answers"),
            Err(SendError::Transient(why) | SendError::Permanent(why)) => {
                Line::new("mail", Verdict::Wrong, format!("no server takes mail at [alerts] smtp: {why}"))
            }
        },
    })
}

/// Tries each API with a call that asks nothing.
fn apis(config: &Config) -> Result<Vec<Line>, Failure> {
    let askable: Vec<_> =
        config.endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.adapter.api()?))).collect();
    if askable.is_empty() {
        return Ok(Vec::new());
    }
    let client = Client::new(config.confirm.proxy.clone(), config.confirm.timeout);
    let (runtime, clock) = (runtime()?, Clock::system());
    let tried = askable.into_iter().map(|(endpoint, api)| {
        let what = format!("API of {}", endpoint.id);
        match runtime.block_on(confirm::probe(api, &client, &clock)) {
            Ok(words) => Line::new(what, Verdict::Good, words),
            Err(NoAnswer::Trouble(why) | NoAnswer::Setting(why)) => Line::new(what, Verdict::Wrong, why),
        }
    });
    Ok(tried.collect())
}

fn print(lines: &[Line], format: ReportFormat) -> Result<(), Failure> {
    if format == ReportFormat::Json {
        return output::json(&lines);
    }
    for line in lines {
        let mark = match line.verdict {
            Verdict::Good => "ok  ",
            Verdict::Unwise => "note",
            Verdict::Wrong => "BAD ",
        };
        output::line(format!("{mark}  {}: {}", line.what, line.remark))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_ledger_beside_its_configuration_can_be_made() {
        assert!(has_folder(Path::new("ledger.sqlite")));
        assert!(has_folder(Path::new("/ledger.sqlite")));
        assert!(!has_folder(Path::new("/no/such/folder/ledger.sqlite")));
    }
}
