//! `relay`: what is owed to the shops' own handlers, and what a person wants done about it.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Subcommand};
use cvco_domain::{EndpointId, RelayTarget, Seq, Timestamp};
use cvco_ledger::{RelayFilter, RelayRow, RelayState};
use cvco_log::entry::{RelayOutcome, Relayed, Replay, Replayed};
use cvco_log::{Draft, LogEntry};

use super::alerts::one_line;
use super::append::Writer;
use super::output::Listing;
use super::site::{Here, Site};
use super::{Failure, Format, Outcome, ReportFormat, ledger_settings, open_reader, output, who};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the calls that the shops' handlers have not taken: owed, refused, parked.
    List(ListOptions),
    /// Tell all that is known of one call's way to its handlers.
    Show {
        /// The call's number in the log, as in the list.
        #[arg(value_name = "NUMBER")]
        number: Seq,
        /// The form of the report.
        #[arg(long, default_value = "table")]
        format: ReportFormat,
    },
    /// Send calls again at once, to each of their handlers that has not taken them.
    Retry {
        #[command(flatten)]
        named: Named,
    },
    /// Give calls up: they are not sent any more. It stays in the log who did so, and why.
    Drop {
        #[command(flatten)]
        named: Named,
        /// Why, such as what was done by hand instead.
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        note: Option<String>,
    },
    /// Send again all calls of a time span, as after a shop was restored from a backup.
    ///
    /// The handler hears each again, in order, also those that it has taken before: `--failed` leaves these out.
    Replay(ReplayOptions),
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The calls' numbers in the log, as in the list: all are taken, or none.
    #[arg(value_name = "NUMBER", required = true)]
    numbers: Vec<Seq>,
    /// Only to this handler: the `id` of its `[[shop.endpoint.relay]]`; it gets them even if it has taken them before.
    #[arg(long, value_name = "ID")]
    target: Option<RelayTarget>,
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only those in this state: owed, delivered, refused, parked, dropped.
    #[arg(long)]
    state: Option<RelayState>,
    /// Also those that were delivered or dropped.
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// Only those of this endpoint.
    #[arg(long, value_name = "ID")]
    endpoint: Option<EndpointId>,
    /// No more than so many, the latest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ReplayOptions {
    /// Calls that came in from then on, as 2026-03-01 (midnight in Paris) or RFC 3339.
    #[arg(long, value_name = "DATE", value_parser = Timestamp::parse_since)]
    from: Timestamp,
    /// … and before then.
    #[arg(long, value_name = "DATE", value_parser = Timestamp::parse_since)]
    to: Timestamp,
    /// Only those that were not delivered.
    #[arg(long)]
    failed: bool,
    /// Only those of this endpoint.
    #[arg(long, value_name = "ID")]
    endpoint: Option<EndpointId>,
}

pub(super) fn run(path: &Path, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::List(options) => list(path, options),
        Command::Show { number, format } => show(path, *number, *format),
        Command::Retry { named } => retry(&mut Here::new(path), named),
        Command::Drop { named, note } => give_up(path, named, note.as_ref()),
        Command::Replay(options) => replay(path, options),
    }
}

fn list(path: &Path, options: &ListOptions) -> Result<Outcome, Failure> {
    let states = match options.state {
        Some(state) => vec![state],
        None if options.all => RelayState::ALL.to_vec(),
        None => RelayState::IN_VAIN.to_vec(),
    };
    let filter =
        RelayFilter { states, endpoint: options.endpoint.clone(), after: None, limit: options.limit };
    let found = open_reader(path)?.relays(&filter)?;
    let is_filtered = options.all || options.state.is_some() || options.endpoint.is_some();
    let none = if is_filtered { "no such calls" } else { "every call was taken" };
    listing(&found).print(&mut Here::new(path), options.format, &found, none)?;
    Ok(Outcome::Fine)
}

fn listing(found: &[RelayRow]) -> Listing {
    let headers = [
        "number",
        "state",
        "endpoint",
        "handler",
        "order",
        "received",
        "attempts",
        "next attempt",
        "last answer",
    ];
    let mut listing = Listing::new(&headers, &[0, 6]);
    for row in found {
        listing.push(vec![
            row.number.to_string(),
            row.state.to_string(),
            row.endpoint.to_string(),
            row.target.to_string(),
            row.order_ref.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.received_at.paris_text(),
            row.attempts.to_string(),
            row.next_attempt_at.map(Timestamp::paris_text).unwrap_or_default(),
            row.answer(),
        ]);
    }
    listing
}

fn show(path: &Path, number: Seq, format: ReportFormat) -> Result<Outcome, Failure> {
    let reader = open_reader(path)?;
    let found = reader.relays_of(number)?;
    if found.is_empty() {
        return Err(unknown(number));
    }
    if format == ReportFormat::Json {
        output::json(&found)?;
        return Ok(Outcome::Fine);
    }
    let policy = reader.policy_in_force()?.unwrap_or_default();
    for row in &found {
        let address = policy.handler(&row.endpoint, &row.target);
        let optional = |name: &str, text: Option<String>| text.map(|text| format!("  {name:<14}{text}"));
        let lines = [
            Some(format!("call {} of {} ({}), handler {}", row.number, row.endpoint, row.psp, row.target)),
            Some(format!(
                "  {:<14}{}",
                "address",
                address.map_or("no longer configured".to_owned(), ToString::to_string)
            )),
            optional("order", row.order_ref.as_ref().map(ToString::to_string)),
            optional("payment", row.call_number.as_ref().map(ToString::to_string)),
            Some(format!("  {:<14}{}", "received", row.received_at.paris_text())),
            Some(format!("  {:<14}{}, {}", "state", row.state, attempts(row.attempts))),
            optional("owed since", Some(row.owed_at.paris_text()).filter(|_| row.state == RelayState::Owed)),
            optional("next attempt", row.next_attempt_at.map(Timestamp::paris_text)),
            optional("ended", row.done_at.map(Timestamp::paris_text)),
            optional("last answer", Some(row.answer()).filter(|answer| !answer.is_empty())),
        ];
        lines.into_iter().flatten().try_for_each(output::line)?;
    }
    Ok(Outcome::Fine)
}

fn attempts(n: u32) -> String {
    if n == 1 { "1 attempt".to_owned() } else { format!("{n} attempts") }
}

fn unknown(number: Seq) -> Failure {
    Failure::Usage(format!(
        "entry {number} is no call that is relayed: `cvco-reconciled relay list --all` shows the numbers"
    ))
}

pub(super) fn retry(site: &mut dyn Site, Named { numbers, target }: &Named) -> Result<Outcome, Failure> {
    let mut writer = site.writer()?;
    let reader = writer.reader()?;
    let numbers: BTreeSet<Seq> = numbers.iter().copied().collect();
    let mut drafts = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let ways = reader.relays_of(*number)?;
        let is_meant = |row: &RelayRow| match target {
            Some(target) => row.target == *target,
            None => row.state != RelayState::Delivered,
        };
        match (ways.is_empty(), ways.iter().any(is_meant)) {
            (true, _) => return Err(unknown(*number)),
            (false, true) => {}
            (false, false) => {
                return Err(Failure::Usage(match target {
                    Some(target) => format!("call {number} has no handler {target}"),
                    None => format!(
                        "every handler has taken call {number}; --target and a handler's id sends it again"
                    ),
                }));
            }
        }
        let which = Replayed::One { notification: *number, target: target.clone() };
        drafts.push(Draft::new(&LogEntry::Replay(Replay { which, by: site.account() }))?);
    }
    let is_served = writer.is_served();
    writer.append(drafts, || {})?;
    let when = if is_served { "is sent again" } else { "is sent when the daemon runs" };
    numbers.iter().try_for_each(|number| site.line(&format!("call {number} {when}")))?;
    Ok(Outcome::Fine)
}

fn give_up(
    path: &Path,
    Named { numbers, target }: &Named,
    note: Option<&String>,
) -> Result<Outcome, Failure> {
    let mut writer = Writer::open(&ledger_settings(path)?)?;
    let reader = writer.reader()?;
    let numbers: BTreeSet<Seq> = numbers.iter().copied().collect();
    let mut drafts = Vec::new();
    for number in &numbers {
        let ways = reader.relays_of(*number)?;
        if ways.is_empty() {
            return Err(unknown(*number));
        }
        let before = drafts.len();
        let is_meant = |row: &&RelayRow| target.as_ref().is_none_or(|target| row.target == *target);
        for row in ways.iter().filter(is_meant).filter(|row| RelayState::IN_VAIN.contains(&row.state)) {
            let outcome = RelayOutcome::Dropped { by: who::account(), note: note.cloned() };
            let (target, attempts) = (row.target.clone(), row.attempts);
            let relayed = Relayed { notification: *number, target, attempts, outcome };
            drafts.push(Draft::new(&LogEntry::Relayed(relayed))?);
        }
        if drafts.len() == before {
            return Err(Failure::Usage(format!("call {number} is not owed, refused or parked")));
        }
    }
    writer.append(drafts, || {})?;
    numbers.iter().try_for_each(|number| output::line(format!("call {number} is not sent any more")))?;
    Ok(Outcome::Fine)
}

fn replay(path: &Path, options: &ReplayOptions) -> Result<Outcome, Failure> {
    let ReplayOptions { from, to, failed, endpoint } = options;
    if from >= to {
        return Err(Failure::Usage("--to is not after --from".to_owned()));
    }
    let mut writer = Writer::open(&ledger_settings(path)?)?;
    let which = Replayed::Between { from: *from, to: *to, failed: *failed, endpoint: endpoint.clone() };
    let count = writer.reader()?.count_replayed(&which)?;
    if count == 0 {
        output::line("no calls of that time")?;
        return Ok(Outcome::Fine);
    }
    if !output::confirm(&format!("Send {count} calls to the shops' handlers again?"))? {
        return Ok(Outcome::Fine);
    }
    let is_served = writer.is_served();
    writer.append_one(Draft::new(&LogEntry::Replay(Replay { which, by: who::account() }))?)?;
    let when = if is_served { "are sent again" } else { "are sent when the daemon runs" };
    output::line(format!("{count} calls {when}"))?;
    Ok(Outcome::Fine)
}
