//! `relay`: what is owed to the shops' own handlers, and what a person wants done about it.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Subcommand};
use cvco_domain::{EndpointId, RelayTarget, Seq, Timestamp};
use cvco_ledger::{RelayFilter, RelayRow, RelayState};
use cvco_log::entry::{RelayOutcome, Relayed, Replay, Replayed};
use cvco_log::{Draft, LogEntry};
use cvco_mail::{Language, lists};
use cvco_pages::{Say, relay_state};

use super::alerts::one_line;
use super::append::Writer;
use super::output::{Heading, Listing, pair};
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
    let mut site = Here::new(path);
    let language = site.language()?;
    let none = if is_filtered {
        pair(language, "aucun appel de ce genre", "no such calls")
    } else {
        pair(language, "chaque appel a été pris en charge", "every call was taken")
    };
    listing(language, &found).print(&mut site, options.format, &found, &none)?;
    Ok(Outcome::Fine)
}

const HEADINGS: [Heading; 9] = [
    Heading { fr: "numéro", en: "number" },
    Heading { fr: "état", en: "state" },
    Heading { fr: "point d’entrée", en: "endpoint" },
    Heading { fr: "destinataire", en: "handler" },
    Heading { fr: "commande", en: "order" },
    Heading { fr: "reçu le", en: "received" },
    Heading { fr: "essais", en: "attempts" },
    Heading { fr: "prochain essai", en: "next attempt" },
    Heading { fr: "dernière réponse", en: "last answer" },
];

fn listing(language: Language, found: &[RelayRow]) -> Listing {
    let at = |at| lists::paris(language, at);
    let mut listing = Listing::of(language, &HEADINGS, &[0, 6]);
    for row in found {
        listing.push(vec![
            row.number.to_string(),
            relay_state(Say(language), row.state),
            row.endpoint.to_string(),
            row.target.to_string(),
            row.order_ref.as_ref().map(ToString::to_string).unwrap_or_default(),
            at(row.received_at),
            row.attempts.to_string(),
            row.next_attempt_at.map(at).unwrap_or_default(),
            row.answer(),
        ]);
    }
    listing
}

fn show(path: &Path, number: Seq, format: ReportFormat) -> Result<Outcome, Failure> {
    let reader = open_reader(path)?;
    let found = reader.relays_of(number)?;
    let language = Here::new(path).language()?;
    if found.is_empty() {
        return Err(unknown(language, number));
    }
    if format == ReportFormat::Json {
        output::json(&found)?;
        return Ok(Outcome::Fine);
    }
    let policy = reader.policy_in_force()?.unwrap_or_default();
    for row in &found {
        tell(language, row, policy.handler(&row.endpoint, &row.target).map(ToString::to_string))?;
    }
    Ok(Outcome::Fine)
}

/// All that is known of one call's way to one handler.
fn tell(language: Language, row: &RelayRow, address: Option<String>) -> Result<(), Failure> {
    let at = |at| lists::paris(language, at);
    let RelayRow { number, endpoint, psp, target, .. } = row;
    let attempts = match (language, row.attempts) {
        (Language::French, n @ 0..=1) => format!("{n} essai"),
        (Language::French, n) => format!("{n} essais"),
        (Language::English, 1) => "1 attempt".to_owned(),
        (Language::English, n) => format!("{n} attempts"),
    };
    let address = address.unwrap_or_else(|| pair(language, "n’est plus configurée", "no longer configured"));
    let lines = [
        ("adresse", "address", Some(address)),
        ("commande", "order", row.order_ref.as_ref().map(ToString::to_string)),
        ("paiement", "payment", row.call_number.as_ref().map(ToString::to_string)),
        ("reçu le", "received", Some(at(row.received_at))),
        ("état", "state", Some(format!("{}, {attempts}", relay_state(Say(language), row.state)))),
        ("dû depuis", "owed since", Some(at(row.owed_at)).filter(|_| row.state == RelayState::Owed)),
        ("prochain essai", "next attempt", row.next_attempt_at.map(at)),
        ("terminé le", "ended", row.done_at.map(at)),
        ("dernière réponse", "last answer", Some(row.answer()).filter(|answer| !answer.is_empty())),
    ];
    output::line(pair(
        language,
        &format!("appel {number} de {endpoint} ({psp}), destinataire {target}"),
        &format!("call {number} of {endpoint} ({psp}), handler {target}"),
    ))?;
    let known =
        lines.into_iter().filter_map(|(fr, en, text)| text.map(|text| (pair(language, fr, en), text)));
    known.into_iter().try_for_each(|(name, text)| output::line(format!("  {name:<18}{text}")))
}

fn unknown(language: Language, number: Seq) -> Failure {
    Failure::Explained(match language {
        Language::French => format!(
            "l’entrée {number} n’est pas un appel à transmettre\u{a0}: `cvco-reconciled relay list --all` donne les numéros"
        ),
        Language::English => {
            format!(
                "entry {number} is no call that is relayed: `cvco-reconciled relay list --all` shows the numbers"
            )
        }
    })
}

pub(super) fn retry(site: &mut dyn Site, Named { numbers, target }: &Named) -> Result<Outcome, Failure> {
    let mut writer = site.writer()?;
    let reader = writer.reader()?;
    let language = site.language()?;
    let policy = reader.policy_in_force()?.unwrap_or_default();
    let numbers: BTreeSet<Seq> = numbers.iter().copied().collect();
    let mut drafts = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let ways = reader.relays_of(*number)?;
        let is_meant = |row: &RelayRow| match target {
            Some(target) => row.target == *target,
            None => row.state != RelayState::Delivered,
        };
        match (ways.is_empty(), ways.iter().any(is_meant)) {
            (true, _) => return Err(unknown(language, *number)),
            (false, true) => {}
            (false, false) => {
                return Err(Failure::Explained(match (language, target) {
                    (Language::French, Some(target)) => {
                        format!("l’appel {number} n’a pas de destinataire {target}")
                    }
                    (Language::French, None) => format!(
                        "chaque destinataire a pris l’appel {number}\u{a0}; --target et le nom d’un destinataire le renvoient"
                    ),
                    (Language::English, Some(target)) => format!("call {number} has no handler {target}"),
                    (Language::English, None) => format!(
                        "every handler has taken call {number}; --target and a handler's id sends it again"
                    ),
                }));
            }
        }
        let is_configured = |row: &RelayRow| policy.handler(&row.endpoint, &row.target).is_some();
        if !ways.iter().any(|row| is_meant(row) && is_configured(row)) {
            return Err(Failure::Explained(match language {
                Language::French => {
                    format!(
                        "le destinataire de l’appel {number} n’est plus dans la configuration ([[shop.endpoint.relay]])"
                    )
                }
                Language::English => {
                    format!(
                        "the handler of call {number} is no longer in the configuration ([[shop.endpoint.relay]])"
                    )
                }
            }));
        }
        let which = Replayed::One { notification: *number, target: target.clone() };
        drafts.push(Draft::new(&LogEntry::Replay(Replay { which, by: site.account() }))?);
    }
    let is_served = writer.is_served();
    writer.append(drafts, || {})?;
    let when = if is_served {
        pair(language, "est renvoyé", "is sent again")
    } else {
        pair(language, "sera renvoyé dès que le service tournera", "is sent when the daemon runs")
    };
    let call = pair(language, "appel", "call");
    numbers.iter().try_for_each(|number| site.line(&format!("{call} {number} {when}")))?;
    Ok(Outcome::Fine)
}

fn give_up(
    path: &Path,
    Named { numbers, target }: &Named,
    note: Option<&String>,
) -> Result<Outcome, Failure> {
    let language = Here::new(path).language()?;
    let mut writer = Writer::open(&ledger_settings(path)?)?;
    let reader = writer.reader()?;
    let numbers: BTreeSet<Seq> = numbers.iter().copied().collect();
    let mut drafts = Vec::new();
    for number in &numbers {
        let ways = reader.relays_of(*number)?;
        if ways.is_empty() {
            return Err(unknown(language, *number));
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
            return Err(Failure::Explained(match language {
                Language::French => {
                    format!(
                        "l’appel {number} n’est ni à transmettre, ni refusé, ni en attente d’une décision"
                    )
                }
                Language::English => format!("call {number} is not owed, refused or parked"),
            }));
        }
    }
    writer.append(drafts, || {})?;
    let given_up = |number: &Seq| {
        let (fr, en) = (format!("appel {number} abandonné"), format!("call {number} is not sent any more"));
        output::line(pair(language, &fr, &en))
    };
    numbers.iter().try_for_each(given_up)?;
    Ok(Outcome::Fine)
}

fn replay(path: &Path, options: &ReplayOptions) -> Result<Outcome, Failure> {
    let ReplayOptions { from, to, failed, endpoint } = options;
    if from >= to {
        return Err(Failure::Usage("--to is not after --from".to_owned()));
    }
    let language = Here::new(path).language()?;
    let mut writer = Writer::open(&ledger_settings(path)?)?;
    let which = Replayed::Between { from: *from, to: *to, failed: *failed, endpoint: endpoint.clone() };
    let count = writer.reader()?.count_replayed(&which)?;
    if count == 0 {
        output::line(pair(language, "aucun appel dans cet intervalle", "no calls of that time"))?;
        return Ok(Outcome::Fine);
    }
    let question = pair(
        language,
        &format!("Renvoyer {count} appels aux modules des boutiques\u{a0}? [o/N]"),
        &format!("Send {count} calls to the shops' handlers again? [y/N]"),
    );
    if !output::confirm(&question)? {
        return Ok(Outcome::Fine);
    }
    let is_served = writer.is_served();
    writer.append_one(Draft::new(&LogEntry::Replay(Replay { which, by: who::account() }))?)?;
    let (fr, en) = if is_served {
        ("renvoyés", "are sent again")
    } else {
        ("à renvoyer dès que le service tournera", "are sent when the daemon runs")
    };
    output::line(pair(language, &format!("{count} appels {fr}"), &format!("{count} calls {en}")))?;
    Ok(Outcome::Fine)
}
