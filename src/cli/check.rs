//! `check`: examine a deployment, and say what to change.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use cvco_domain::{Psp, Timestamp};
use cvco_ledger::{LedgerError, Reader, SetAside};
use cvco_log::{LogError, LogStore, SqliteLog};
use cvco_psp::api::NoAnswer;
use rustls_pki_types::UnixTime;
use serde::Serialize;

use super::{Failure, Outcome, ReportFormat, output, runtime};
use crate::alert::SendError;
use crate::clock::Clock;
use crate::config::{Config, EndpointUrl, LedgerSettings, RawConfig, Tls};
use crate::confirm;
use crate::listener::tls::RENEWED_BEFORE;
use crate::outbound::{Client, Distrust, trusted_by_callers, why_private};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
    /// Try neither the mail server nor the PSPs' APIs, nor a log in PostgreSQL.
    #[arg(long)]
    offline: bool,
    /// Print the endpoints' URLs with their secret tokens.
    #[arg(long)]
    show_secrets: bool,
}

/// So many entries that are set aside are named.
const SHOWN: u32 = 10;

/// How far the clock may be behind the log without a word.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// One thing examined.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    what: String,
    verdict: Verdict,
    pub(super) remark: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Good,
    Unwise,
    Wrong,
}

impl Line {
    pub(super) fn new(what: impl Into<String>, verdict: Verdict, remark: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, remark: remark.into() }
    }
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let raw = RawConfig::read(path)?;
    let config = raw.resolve(path)?;
    let urls = raw.urls(path, options.show_secrets)?;
    let mut lines = vec![Line::new(
        "configuration",
        Verdict::Good,
        format!("{} (shops: {}, endpoints: {})", path.display(), config.shops.len(), config.endpoints.len()),
    )];
    lines.extend(config.warnings.iter().map(|w| Line::new(w.key.as_str(), Verdict::Unwise, w.what.as_str())));
    lines.extend(log(&config.ledger, Clock::system().now()));
    #[cfg(feature = "postgres")]
    if let Some(cluster) = config.ledger.cluster.as_ref().filter(|_| !options.offline) {
        lines.extend(super::database::examine(cluster, Clock::system().now()));
    }
    lines.extend(ledger(&config.ledger));
    lines.extend(room(&config.ledger));
    lines.extend(listeners(&config)?);
    lines.extend(certificate(&config, raw.public_host(), Clock::system().now()));
    lines.extend(mail(&config, options.offline)?);
    if !options.offline {
        lines.extend(apis(&config)?);
        lines.extend(handlers(&config)?);
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
    lines
        .extend(urls.into_iter().map(|EndpointUrl { endpoint, url }| {
            Line::new(format!("URL of {endpoint}"), Verdict::Good, url)
        }));
    if !options.show_secrets && !config.endpoints.is_empty() {
        let remark = "`check --show-secrets` prints them with their tokens, as the PSPs are told";
        lines.push(Line::new("URLs", Verdict::Good, remark));
    }
    print(&lines, options.format)?;
    let wrong = lines.iter().any(|line| line.verdict == Verdict::Wrong);
    Ok(if wrong { Outcome::FoundSomething } else { Outcome::Fine })
}

/// So little space is full: SQLite writes over what it has for a while, and then nothing more fits.
const ROOM: u64 = 64 * 1024 * 1024;

/// Whether log and ledger have room to grow.
fn room(settings: &LedgerSettings) -> Vec<Line> {
    let mut folders: Vec<&Path> =
        [&settings.log, &settings.path].into_iter().filter_map(|file| file.parent()).collect();
    folders.dedup();
    let full = folders.into_iter().filter_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let disk = rustix::fs::statvfs(folder).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free < ROOM).then(|| {
            let what = format!(
                "{} MB are left where {} is: make room, or calls get 503",
                free / 1_000_000,
                folder.display()
            );
            Line::new("disk", Verdict::Wrong, what)
        })
    });
    full.collect()
}

/// Whether the log can be written, and whether its dates and the clock agree.
fn log(settings: &LedgerSettings, now: Timestamp) -> Vec<Line> {
    let path = settings.log.display().to_string();
    let line = |verdict, remark: String| vec![Line::new("log", verdict, remark)];
    let mut log = match SqliteLog::open(&settings.log) {
        Ok(log) => log,
        Err(LogError::NoLog(_)) => {
            let beside = [&settings.path, &settings.payload_key_file].into_iter().find(|file| file.exists());
            return match beside {
                Some(beside) => {
                    let lost = LogError::LogLost { log: settings.log.clone(), beside: beside.clone() };
                    line(Verdict::Wrong, lost.to_string())
                }
                None if has_folder(&settings.log) => {
                    line(Verdict::Good, format!("{path} will be made at the first start"))
                }
                None => line(Verdict::Wrong, format!("the folder of {path} does not exist: make it")),
            };
        }
        Err(error) => return line(Verdict::Wrong, error.to_string()),
    };
    let mut lines = match log.prove_writable() {
        Ok(()) => line(Verdict::Good, format!("{path} can be written, and what is written is synced")),
        Err(error) => {
            line(Verdict::Wrong, format!("it cannot be written, so no call is acknowledged: {error}"))
        }
    };
    match log.head() {
        Ok(head) => lines.push(clock(head.at, now)),
        Err(error) => lines.push(Line::new("log", Verdict::Wrong, error.to_string())),
    }
    lines
}

/// The clock must not be behind what was written already.
fn clock(last: Timestamp, now: Timestamp) -> Line {
    let behind = last.since(now);
    if behind <= CLOCK_TOLERANCE {
        return Line::new("clock", Verdict::Good, format!("it is {}", now.paris_text()));
    }
    Line::new(
        "clock",
        Verdict::Wrong,
        format!(
            "it is {}, and the last entry of the log is dated {}: the clock is {} behind it. It is wrong now, or was \
             wrong then. If it is wrong now, set it; if it is right, the daemon corrects the log's dates by itself",
            now.paris_text(),
            last.paris_text(),
            humantime::format_duration(Duration::from_secs(behind.as_secs()))
        ),
    )
}

/// Whether the ledger can be read, and what of the log it could not take in.
fn ledger(settings: &LedgerSettings) -> Vec<Line> {
    let path = settings.path.display().to_string();
    let line = |verdict, remark: String| vec![Line::new("ledger", verdict, remark)];
    let reader = match Reader::open(&settings.path) {
        Ok(reader) => reader,
        Err(LedgerError::NoLedger(_)) if settings.log.exists() => {
            return line(
                Verdict::Unwise,
                format!("{path} is missing; the daemon makes it again from the log"),
            );
        }
        Err(LedgerError::NoLedger(_)) if has_folder(&settings.path) => {
            return line(Verdict::Good, format!("{path} will be made at the first start"));
        }
        Err(LedgerError::NoLedger(_)) => {
            return line(Verdict::Wrong, format!("the folder of {path} does not exist: make it"));
        }
        Err(error) => return line(Verdict::Wrong, error.to_string()),
    };
    let standing = || Ok((reader.folded()?.0, reader.set_aside()?, reader.latest_set_aside(None, SHOWN)?));
    match standing() {
        Ok((folded, all, latest)) => {
            let mut lines = line(Verdict::Good, format!("{path}, made of the log up to entry {folded}"));
            lines.extend(set_aside(all, &latest));
            lines
        }
        Err::<_, LedgerError>(error) => line(Verdict::Wrong, error.to_string()),
    }
}

/// The entries that the ledger had to pass over, by number and reason.
fn set_aside(all: i64, latest: &[SetAside]) -> Vec<Line> {
    let line = |entry: &SetAside| {
        let remark = format!("set aside ({}): {}", entry.kind, entry.reason);
        Line::new(format!("log entry {}", entry.seq), Verdict::Unwise, remark)
    };
    let mut lines: Vec<Line> = latest.iter().map(line).collect();
    let more = all.saturating_sub(i64::try_from(latest.len()).unwrap_or(i64::MAX));
    if more > 0 {
        let remark = format!("{more} earlier ones are set aside; `SELECT * FROM set_aside` shows them");
        lines.push(Line::new("log entries", Verdict::Unwise, remark));
    }
    lines
}

/// Whether the file could be made; a bare name belongs in the current folder.
fn has_folder(file: &Path) -> bool {
    file.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}

/// Whether PSPs will trust the certificate that the daemon shows, if it shows one, and for how long.
fn certificate(config: &Config, host: Option<&str>, now: Timestamp) -> Vec<Line> {
    let Some(Tls { files, identity }) = &config.listener.tls else { return Vec::new() };
    let line = |verdict, remark: String| Line::new("certificate", verdict, remark);
    let expires = identity.expires.paris_text();
    let left = identity.expires.since(now);
    let mut lines = vec![if left.is_zero() {
        line(Verdict::Wrong, format!("it expired on {expires}: PSPs will not call"))
    } else if left < RENEWED_BEFORE {
        line(Verdict::Unwise, format!("it expires on {expires}, and should have been renewed by now"))
    } else {
        let file = files.certificate.display();
        line(Verdict::Good, format!("{file}, with its key, valid until {expires}"))
    }];
    let seconds = u64::try_from(now.millis() / 1000).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    match host.map(|host| trusted_by_callers(&identity.chain, host, at)) {
        None => lines
            .push(line(Verdict::Unwise, "its names are not checked: no [listener] public_url".to_owned())),
        Some(Ok(())) => {}
        // Said already.
        Some(Err(Distrust::Certain(_))) if left.is_zero() => {}
        Some(Err(Distrust::Certain(why))) => lines.push(line(Verdict::Wrong, why)),
        Some(Err(Distrust::Likely(why))) => lines.push(line(Verdict::Unwise, why)),
    }
    lines
}

fn mail(config: &Config, offline: bool) -> Result<Vec<Line>, Failure> {
    let Some(alerts) = &config.alerts else {
        return Ok(vec![Line::new("mail", Verdict::Unwise, "no [alerts]: nobody is told")]);
    };
    let mut lines = if offline {
        vec![Line::new("mail", Verdict::Good, "not tried (--offline)")]
    } else {
        let tried = runtime()?.block_on(alerts.mailer.test_connections());
        let first = |n: usize| if n == 0 { "[alerts] smtp" } else { "[[alerts.fallback]]" };
        let line = |(n, (server, outcome)): (usize, (String, Result<(), SendError>))| match outcome {
            Ok(()) => {
                Line::new("mail", Verdict::Good, format!("the server of {} answers ({server})", first(n)))
            }
            Err(why) => {
                let remark = format!("no server takes mail at {server} ({}): {why}", first(n));
                Line::new("mail", Verdict::Wrong, remark)
            }
        };
        tried.into_iter().enumerate().map(line).collect()
    };
    for channel in &alerts.channels {
        let id = &channel.id;
        let remark = format!("a channel for {}; try it with `alerts test --channel {id}`", channel.kind);
        lines.push(Line::new(format!("channel {id}"), Verdict::Good, remark));
    }
    Ok(lines)
}

/// Whether another program holds a port that the daemon is to have; a daemon that runs holds them itself.
fn listeners(config: &Config) -> Result<Vec<Line>, Failure> {
    let LedgerSettings { log, cluster, .. } = &config.ledger;
    let may_be_served = cluster.is_some() || log.exists() && SqliteLog::lease(log)?.is_none();
    if may_be_served {
        return Ok(Vec::new());
    }
    let ports = [("listener.public", config.listener.public), ("listener.admin", config.listener.admin)];
    let held = ports.into_iter().filter_map(|(key, address)| {
        let error = std::net::TcpListener::bind(address).err()?;
        // The service may have a port that whoever checks may not.
        let what = format!("another program listens at {address}: end it, or name another port");
        (error.kind() == std::io::ErrorKind::AddrInUse).then(|| Line::new(key, Verdict::Wrong, what))
    });
    Ok(held.collect())
}

/// Looks up the names of the shops' handlers; nothing is sent to them.
fn handlers(config: &Config) -> Result<Vec<Line>, Failure> {
    let runtime = runtime()?;
    let relays = config
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.relays.iter().map(move |relay| (endpoint, relay)));
    let looked_up = relays.filter_map(|(endpoint, relay)| {
        let uri: hyper::Uri = relay.url.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let found = runtime.block_on(tokio::net::lookup_host((host.as_str(), port)));
        let why = match found {
            Err(error) => format!("{host} cannot be found: {error}"),
            Ok(addresses) => {
                let mut private = addresses.filter_map(|address| why_private(address.ip()));
                private.next().filter(|_| !relay.allow_private)?
            }
        };
        let what = format!("relay {} of {}", relay.id, endpoint.id);
        Some(Line::new(what, Verdict::Wrong, why))
    });
    Ok(looked_up.collect())
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
    fn a_clock_behind_the_log_is_told_in_words() {
        let now = Timestamp::parse("2026-03-01T12:00:00Z").expect("a time");
        assert_eq!(clock(now.after(Duration::from_secs(30)), now).verdict, Verdict::Good);
        let behind = clock(now.after(Duration::from_hours(3)), now);
        assert_eq!(behind.verdict, Verdict::Wrong);
        assert!(behind.remark.contains("the clock is 3h behind it"), "{}", behind.remark);
    }

    #[test]
    fn a_relative_ledger_beside_its_configuration_can_be_made() {
        assert!(has_folder(Path::new("ledger.sqlite")));
        assert!(has_folder(Path::new("/ledger.sqlite")));
        assert!(!has_folder(Path::new("/no/such/folder/ledger.sqlite")));
    }
}
