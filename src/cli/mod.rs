//! The command line: one file per command.
//!
//! Exit codes: 0 done; 1 found something wrong (`verify`, `check`, `diagnose`); 2 usage, of the command line or
//! of the configuration; 3 could not do it.

mod alerts;
mod alerts_queue;
mod alerts_test;
mod append;
mod backup;
mod catch_up;
mod check;
mod close;
#[cfg(feature = "postgres")]
mod database;
mod demo;
mod diagnose;
mod errand;
mod examples;
mod export;
mod extract;
mod failure;
mod import_mail;
mod init;
mod key;
#[cfg(feature = "postgres")]
mod log;
mod order_file;
mod orders;
mod output;
mod proof;
mod record;
mod records;
mod relay;
mod reread;
mod serve;
mod simulate;
mod site;
mod statement;
mod user_hash;
mod who;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use cvco_domain::ShopId;
use cvco_ledger::Reader;
use cvco_mail::Language;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{
    BookSettings, CommandSettings, Config, DEFAULT_PATH, EndpointOutline, LedgerSettings, RawConfig,
    spoken_language,
};
use crate::telemetry::{self, LogFormat};
use errand::Needs;
pub use errand::errands;
use failure::Failure;
use site::{Here, Site};

/// Joins the voucher part and the card part of Chèque-Vacances Connect payments, and tells a person when they do
/// not add up.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct CommandLine {
    /// The configuration file.
    #[arg(long, value_name = "FILE", global = true, help_heading = "For every command", default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// The daemon's admin socket, for commands of people who may not read the configuration or write the log; else what the
    /// configuration says, or `/run/cvco-reconciled/admin.sock`.
    #[arg(long, value_name = "FILE", global = true, help_heading = "For every command")]
    socket: Option<PathBuf>,
    /// How much to log: error, warn, info, debug.
    #[arg(
        long,
        value_name = "LEVEL",
        global = true,
        help_heading = "For every command",
        default_value = "info"
    )]
    log: LevelFilter,
    /// How log lines look on standard error.
    #[arg(
        long,
        value_name = "FORM",
        global = true,
        help_heading = "For every command",
        default_value = "text"
    )]
    log_format: LogForm,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogForm {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first configuration, and say what to paste where in each back office. It overwrites nothing.
    ///
    /// It asks what no flag says, in French. It makes the secret part of each URL, and files for the secrets that only
    /// the service can read; a secret that is not known yet can be put into its file later.
    Init(Box<init::Options>),
    /// Run the daemon.
    Serve,
    /// Play payments of four PSPs through a real daemon, with a temporary ledger and mailbox; no configuration.
    Demo(demo::Options),
    /// Examine configuration, keys, ledger and mail server, and say what to change.
    Check(check::Options),
    /// Say why the signature of a message does or does not verify.
    Diagnose(diagnose::Options),
    /// Take notifications that were lost from Up2pay's warning e-mails.
    ImportMail(import_mail::Options),
    #[command(flatten)]
    Accountant(AccountantCommand),
    /// List what shops' own handlers have not taken; send it again, or give it up.
    #[command(subcommand)]
    Relay(relay::Command),
    /// The log of several machines, in PostgreSQL: its machines, its tables, and how to bring a log there and back.
    #[cfg(feature = "postgres")]
    #[command(subcommand)]
    Log(log::Command),
    /// After an outage, ask the PSPs' own APIs about everything that is open or was never heard of.
    CatchUp(catch_up::Options),
    /// Prove that log and ledger are right: chain, payloads, anchors, fold, SQLite.
    Verify(proof::VerifyOptions),
    /// Make the ledger again from the log.
    Rebuild(proof::RebuildOptions),
    /// Read again what was genuine and not understood, as after an update of this program.
    Reread,
    /// Copy log and ledger, as they are at one moment, into a folder of backups, and prove the copies. The daemon goes on.
    Backup(backup::BackupOptions),
    /// Put a backup in place where neither log nor ledger is. It overwrites nothing.
    Restore(backup::RestoreOptions),
    /// Send signed traffic to a running daemon, for trials and load.
    ///
    /// It goes to the endpoints of the configuration that are in test mode. For Up2pay it needs a private key of its
    /// own: make a pair with openssl, name the public half in the endpoint's `public_key_files`, and the private
    /// half with --up2pay-key. Monext and ANCV take no part: only their APIs tell what was paid.
    ///
    /// An endpoint with `api` asks the PSP about these payments, which do not exist there, and raises urgent alerts:
    /// leave `api` out meanwhile.
    Simulate(simulate::Options),
    /// Make the hash of a password, for a user of the dashboard (`[[admin.user]] password_hash`).
    ///
    /// The password is read from standard input: at least 12 characters, of which the line end is none.
    UserHash(user_hash::Options),
}

/// What people do who keep the books. Whoever may open neither the configuration nor the log has the daemon do it.
#[derive(Debug, Subcommand)]
enum AccountantCommand {
    /// Register orders: what the shop expects.
    #[command(subcommand)]
    Orders(orders::Command),
    /// List records.
    Records(records::Options),
    /// Tell the whole story of an order.
    Record(record::Options),
    /// List discrepancies; acknowledge, annotate or snooze them.
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Write files for the accountant: entries, register, gaps, ageing, totals.
    Export(export::Options),
    /// Freeze a month: number its entries, forever, and write its manifest. Closing again changes nothing.
    Close(close::Options),
    /// Import statements: what ANCV reimbursed, what the bank paid out.
    #[command(subcommand)]
    Statement(statement::Command),
}

/// The form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// The form of a report that is no listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Done, and nothing is wrong.
    Fine,
    /// Done, and something is wrong.
    FoundSomething,
}

/// The command line, as `--help`, the manual pages and docs/commands.md show it.
#[must_use]
pub fn command() -> clap::Command {
    examples::add(CommandLine::command())
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let line = CommandLine::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    let format = match line.log_format {
        LogForm::Text => LogFormat::Text,
        LogForm::Json => LogFormat::Json,
    };
    // The demo tells its own story.
    let quiet = matches!(line.command, Command::Demo(_));
    telemetry::init(if quiet { LevelFilter::ERROR } else { line.log }, format);
    let config = line.config.clone();
    let ended = run(line);
    match ended {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::FoundSomething) => ExitCode::from(1),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure, spoken_language(&config));
            ExitCode::from(failure.exit_code())
        }
    }
}

impl AccountantCommand {
    fn needs(&self) -> Needs<'_> {
        match self {
            Self::Orders(command) => Needs { writes: true, input: Some(command.input()), ..Needs::default() },
            Self::Records(_) => Needs::default(),
            Self::Record(options) => Needs { output: options.place(), ..Needs::default() },
            Self::Alerts(command) => Needs { writes: command.writes(), ..Needs::default() },
            Self::Export(options) => Needs { output: Some(options.place()), ..Needs::default() },
            Self::Close(options) => {
                Needs { writes: !options.is_dry(), output: options.place(), ..Needs::default() }
            }
            Self::Statement(command) => {
                Needs { writes: true, input: Some(command.input()), ..Needs::default() }
            }
        }
    }

    fn perform(&self, site: &mut dyn Site) -> Result<Outcome, Failure> {
        match self {
            Self::Orders(command) => orders::run(site, command),
            Self::Records(options) => records::list(site, options),
            Self::Record(options) => record::tell(site, options),
            Self::Alerts(command) => alerts::run(site, command),
            Self::Export(options) => export::run(site, options),
            Self::Close(options) => close::run(site, options),
            Self::Statement(command) => statement::run(site, command),
        }
    }
}

fn run(line: CommandLine) -> Result<Outcome, Failure> {
    let config = line.config.as_path();
    match line.command {
        Command::Accountant(command) => {
            match errand::way_around(config, line.socket.as_deref(), &command.needs()) {
                Some(socket) => errand::ask(&socket, &command.needs()),
                None => command.perform(&mut Here::new(config)),
            }
        }
        Command::Init(options) => init::run(config, &options),
        Command::Serve => serve::run(config),
        Command::Demo(options) => demo::run(&options),
        Command::Reread => reread::run(config),
        Command::Simulate(options) => simulate::run(config, &options),
        Command::Check(options) => check::run(config, &options),
        Command::Diagnose(options) => diagnose::run(config, &options),
        Command::ImportMail(options) => import_mail::run(config, &options),
        Command::Relay(command) => relay::run(config, &command),
        #[cfg(feature = "postgres")]
        Command::Log(command) => log::run(config, &command),
        Command::CatchUp(options) => catch_up::run(config, &options),
        Command::Verify(options) => proof::verify(config, &options),
        Command::Rebuild(options) => proof::rebuild(config, &options),
        Command::Backup(options) => backup::backup(config, &options),
        Command::Restore(options) => backup::restore(config, &options),
        Command::UserHash(options) => user_hash::run(&options),
    }
}

/// What a command needs that reads what endpoints receive, or asks their PSPs: no secret of any other part.
fn command_settings(
    path: &Path,
    is_concerned: impl Fn(&EndpointOutline<'_>) -> bool,
) -> Result<CommandSettings, Failure> {
    Ok(RawConfig::read(path)?.command(path, is_concerned)?)
}

fn load(path: &Path) -> Result<Config, Failure> {
    Ok(Config::load(path)?)
}

/// `[ledger]` alone, so that commands which only read need no secret.
fn ledger_settings(path: &Path) -> Result<LedgerSettings, Failure> {
    Ok(RawConfig::read(path)?.ledger(path)?)
}

/// A shop that the configuration has.
fn known_shop(settings: &BookSettings, shop: Option<&ShopId>, language: Language) -> Result<(), Failure> {
    match shop {
        Some(shop) if !settings.shops.contains(shop) => {
            let known: Vec<&str> = settings.shops.iter().map(ShopId::as_str).collect();
            let known = known.join(", ");
            Err(Failure::Explained(output::pair(
                language,
                &format!("il n’y a pas de boutique {shop}\u{a0}; il y a\u{a0}: {known}"),
                &format!("there is no shop {shop}; there are: {known}"),
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn open_reader(path: &Path) -> Result<Reader, Failure> {
    Ok(Reader::open(&ledger_settings(path)?.path)?)
}

/// The runtime of the commands that need one.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("the runtime could not be started"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
