//! `log`: the log of several machines, in PostgreSQL.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cvco_ledger::Ledger;
use cvco_log::row::Head;
use cvco_log::sqlite::Lease;
use cvco_log::{LogError, LogStore, SqliteLog, key_file};
use cvco_log_postgres::mend::{self, Brought};
use cvco_log_postgres::{Identity, Report, Settings, migrate};
use indicatif::ProgressBar;
use serde_json::json;

use super::proof::readable_key;
use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::cluster;
use crate::config::{ClusterSettings, LedgerSettings};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the machines, how far each has come, who leads, and how the database is replicated.
    Status(StatusOptions),
    /// Make the tables in PostgreSQL, and grant `cvco_node` and `cvco_reader` what they need.
    Migrate(MigrateOptions),
    /// Bring this machine's log into an empty one in PostgreSQL: every row as it is. The daemon must be stopped.
    Push,
    /// Bring this machine's log.sqlite up to date with PostgreSQL, to go on alone without `[log]`. The daemon must be stopped.
    Pull,
    /// Bring back to PostgreSQL what it lost in a failover or by an old backup, from what this machine knows. The daemon must
    /// be stopped.
    Heal,
}

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

#[derive(Debug, Args)]
pub(super) struct MigrateOptions {
    /// Only print the statements, for the database's administrator.
    #[arg(long)]
    print: bool,
    /// A file with the address of the tables' owner, where `[log] url` is that of `cvco_node`.
    #[arg(long, value_name = "FILE")]
    owner_url_file: Option<PathBuf>,
}

pub(super) fn run(path: &Path, command: &Command) -> Result<Outcome, Failure> {
    if let Command::Migrate(MigrateOptions { print: true, .. }) = command {
        output::line(migrate::SCHEMA)?;
        output::line(migrate::ROLES)?;
        return Ok(Outcome::Fine);
    }
    let ledger = ledger_settings(path)?;
    let Some(cluster) = ledger.cluster.clone() else {
        return Err(Failure::Usage(
            "[log] url_file is missing: the log stands in log.sqlite, and this machine is alone".to_owned(),
        ));
    };
    match command {
        Command::Status(options) => status(&ledger, &settings(&cluster)?, options),
        Command::Migrate(options) => make_tables(&cluster, options),
        Command::Push => push(&ledger, &settings(&cluster)?),
        Command::Pull => pull(&ledger, &settings(&cluster)?),
        Command::Heal => heal(&ledger, &settings(&cluster)?),
    }
}

/// This machine's part.
pub(super) fn settings(cluster: &ClusterSettings) -> Result<Settings, Failure> {
    let settings = cluster.url().and_then(|url| cluster::settings(cluster, &url));
    settings.map_err(|what| Failure::Usage(format!("[log]: {what}")))
}

fn make_tables(cluster: &ClusterSettings, options: &MigrateOptions) -> Result<Outcome, Failure> {
    let url = match &options.owner_url_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(Failure::io(file.display().to_string()))?;
            text.trim().to_owned().into()
        }
        None => cluster.url().map_err(Failure::Usage)?,
    };
    let settings = cluster::settings(cluster, &url).map_err(Failure::Usage)?;
    let made = migrate::migrate(&settings)?;
    let what = if made { "the tables were made" } else { "the tables are there already" };
    output::line(format!("{what}: {}", settings.place()))?;
    Ok(Outcome::Fine)
}

/// The lead over this machine's own files, which no daemon may have meanwhile.
fn alone(ledger: &LedgerSettings) -> Result<Lease, Failure> {
    SqliteLog::lease(&ledger.log)?
        .ok_or_else(|| Failure::Refused("the daemon runs on this machine: stop it first".to_owned()))
}

fn push(ledger: &LedgerSettings, settings: &Settings) -> Result<Outcome, Failure> {
    let lease = alone(ledger)?;
    let mut log = SqliteLog::open(&ledger.log)?;
    let key = readable_key(&ledger.payload_key_file)?;
    if key.is_none() && log.has_payloads()? {
        return Err(LogError::KeyLost(ledger.payload_key_file.clone()).into());
    }
    let bar = output::progress_bar("bringing the log to PostgreSQL");
    let brought = mend::push(settings, &mut log, key.as_ref(), &mut |done, all| show(&bar, done, all))?;
    bar.finish_and_clear();
    drop(lease);
    output::line(format!(
        "{} entries were brought; the log ends with entry {}",
        brought.as_they_were, brought.end
    ))?;
    Ok(Outcome::Fine)
}

fn pull(ledger: &LedgerSettings, settings: &Settings) -> Result<Outcome, Failure> {
    let lease = alone(ledger)?;
    let found = cvco_log_postgres::identify(settings)?;
    let mut replica = SqliteLog::open_or_create_replica(&ledger.log, &found.identity.log_id)?;
    let own = Identity { log_id: replica.id()?, key_fingerprint: None };
    let head = cvco_log_postgres::catch_up(settings, &own, &mut replica)?;
    let mut folded = Ledger::open(&ledger.path, &replica.id()?)?;
    folded.catch_up_all(&mut replica)?;
    drop(lease);
    output::line(format!(
        "{} ends with entry {} now. Once [log] is taken out of the configuration, this machine goes on alone; no other may \
         write to PostgreSQL's log from then on",
        ledger.log.display(),
        head.seq
    ))?;
    Ok(Outcome::Fine)
}

fn heal(ledger: &LedgerSettings, settings: &Settings) -> Result<Outcome, Failure> {
    let lease = alone(ledger)?;
    let mut replica = SqliteLog::open(&ledger.log)?;
    let key = key_file::read(&ledger.payload_key_file)?;
    let own =
        Identity { log_id: replica.id()?, key_fingerprint: key.map(|key| key.fingerprint().to_owned()) };
    let bar = output::progress_bar("bringing back what PostgreSQL lost");
    let brought = mend::heal(settings, &own, &mut replica, &mut |done, all| show(&bar, done, all))?;
    bar.finish_and_clear();
    drop(replica);
    let Brought { as_they_were, at_the_end, is_apart, common, end } = brought;
    if is_apart {
        // What stands here under these numbers stands there under others.
        let aside = move_aside(ledger)?;
        output::line(format!(
            "others had gone on after entry {common}: {at_the_end} entries were brought to the end, which is entry {end} now. \
             This machine's own files are kept as {aside}; it makes them again from PostgreSQL at its next start"
        ))?;
    } else if as_they_were > 0 {
        output::line(format!("{as_they_were} entries were brought back; the log ends with entry {end} now"))?;
    } else {
        output::line(format!("PostgreSQL has all that this machine knows, up to entry {common}"))?;
    }
    drop(lease);
    Ok(Outcome::Fine)
}

/// Moves replica and ledger away, with what SQLite keeps beside them.
fn move_aside(ledger: &LedgerSettings) -> Result<String, Failure> {
    let named = |file: &Path, ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    for file in [&ledger.log, &ledger.path] {
        for companion in ["", "-wal", "-shm"] {
            let from = named(file, companion);
            let to = named(&named(file, ".diverged"), companion);
            if from.exists() {
                std::fs::rename(&from, &to).map_err(Failure::io(from.display().to_string()))?;
            }
        }
    }
    Ok(format!(
        "{} and {}",
        named(&ledger.log, ".diverged").display(),
        named(&ledger.path, ".diverged").display()
    ))
}

fn show(bar: &ProgressBar, done: i64, all: i64) {
    bar.set_length(all.unsigned_abs());
    bar.set_position(done.unsigned_abs());
}

/// How far this machine's replica has come, and whether PostgreSQL has that.
struct Here {
    head: Head,
    agrees: bool,
}

impl Here {
    fn of(ledger: &LedgerSettings, settings: &Settings) -> Result<Option<Self>, Failure> {
        if !ledger.log.exists() {
            return Ok(None);
        }
        let head = SqliteLog::open(&ledger.log)?.head()?;
        match cvco_log_postgres::must_know(settings, &head) {
            Ok(()) => Ok(Some(Self { head, agrees: true })),
            Err(LogError::Disagrees(_)) => Ok(Some(Self { head, agrees: false })),
            Err(error) => Err(error.into()),
        }
    }
}

fn status(ledger: &LedgerSettings, settings: &Settings, options: &StatusOptions) -> Result<Outcome, Failure> {
    let report = cvco_log_postgres::inspect(settings)?;
    let here = Here::of(ledger, settings)?;
    if options.format == ReportFormat::Json {
        output::json(&as_json(&report, here.as_ref()))?;
    } else {
        tell(&report, here.as_ref(), settings)?;
    }
    let disagrees = report.machines.iter().any(|machine| machine.agrees == Some(false))
        || here.is_some_and(|here| !here.agrees);
    Ok(if disagrees { Outcome::FoundSomething } else { Outcome::Fine })
}

fn as_json(report: &Report, here: Option<&Here>) -> serde_json::Value {
    let machine = |machine: &cvco_log_postgres::Machine| {
        json!({
            "name": machine.name, "entry": machine.seq, "agrees": machine.agrees, "version": machine.version,
            "seen_at": machine.seen.to_string(),
        })
    };
    let standby = |standby: &cvco_log_postgres::Standby| json!({ "name": standby.name, "kind": standby.kind, "behind_bytes": standby.behind });
    let server = &report.server;
    json!({
        "log_id": report.identity.log_id,
        "entries": report.end.head.seq.get(),
        "head": report.end.head.hash,
        "here": here.map(|here| json!({ "entry": here.head.seq.get(), "agrees": here.agrees })),
        "leader": report.leader.as_ref().map(|leader| json!({
            "name": leader.name, "epoch": leader.epoch, "until": leader.until.to_string(),
        })),
        "machines": report.machines.iter().map(machine).collect::<Vec<_>>(),
        "server": {
            "version": server.version, "fsync": server.fsync, "full_page_writes": server.full_page_writes,
            "synchronous_standby_names": server.synchronous_standby_names,
            "standbys": server.standbys.as_ref().map(|all| all.iter().map(standby).collect::<Vec<_>>()),
        },
    })
}

fn tell(report: &Report, here: Option<&Here>, settings: &Settings) -> Result<(), Failure> {
    let end = &report.end;
    output::line(format!("log       {} at {}", report.identity.log_id, settings.place()))?;
    output::line(format!("end       entry {}, {}, {}", end.head.seq, end.head.at, end.head.hash))?;
    if let Some(Here { head, agrees }) = here {
        let standing = if *agrees {
            "which PostgreSQL has"
        } else {
            "which PostgreSQL LACKS: run `log heal` on the machine that has come furthest, then on the others"
        };
        output::line(format!("here      log.sqlite ends with entry {}, {standing}", head.seq))?;
    }
    match &report.leader {
        Some(leader) => output::line(format!("leader    {} (lead {})", leader.name, leader.epoch))?,
        None => output::line("leader    nobody at the moment")?,
    }
    for machine in &report.machines {
        let behind = end.head.seq.get().saturating_sub(machine.seq);
        let standing = match machine.agrees {
            Some(false) => "DISAGREES: run `log heal` there".to_owned(),
            Some(true) | None => format!("{behind} entries to bring"),
        };
        let silent = end.now.since(machine.seen).as_secs();
        output::line(format!(
            "machine   {}: entry {}, {standing}; program {}, seen {silent} s ago",
            machine.name, machine.seq, machine.version
        ))?;
    }
    let server = &report.server;
    output::line(format!("database  PostgreSQL {}", server.version))?;
    for standby in server.standbys.iter().flatten() {
        output::line(format!(
            "standby   {} ({}), {} bytes behind",
            standby.name, standby.kind, standby.behind
        ))?;
    }
    Ok(())
}
