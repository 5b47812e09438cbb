//! `alerts`: what does not match, and what a person has to say of it.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use cvco_domain::{Cents, DiscrepancyId, Kind, News, Severity, ShopId, Timestamp};
use cvco_ledger::{DiscrepancyFilter, DiscrepancyRow, LedgerError, Reader};
use cvco_log::entry::{Act, Deed};
use cvco_log::{Draft, LogEntry};
use cvco_mail::{Language, Letter, lists, render};
use serde_json::json;

use super::output::{Heading, Listing};
use super::site::Site;
use super::{Failure, Format, Outcome, alerts_queue, alerts_test, known_shop};
use crate::alert::desk::item as alert_item;
use crate::app::host_name;

const HEADINGS: [Heading; 14] = [
    Heading { fr: "n°", en: "id" },
    Heading { fr: "gravité", en: "severity" },
    Heading { fr: "écart", en: "discrepancy" },
    Heading { fr: "boutique", en: "shop" },
    Heading { fr: "point d’entrée", en: "endpoint" },
    Heading { fr: "commande", en: "order" },
    Heading { fr: "paiement", en: "payment" },
    Heading { fr: "attendu", en: "expected" },
    Heading { fr: "constaté", en: "found" },
    Heading { fr: "depuis", en: "since" },
    Heading { fr: "jusqu’au", en: "until" },
    Heading { fr: "note", en: "note" },
    Heading { fr: "traité le", en: "acknowledged" },
    Heading { fr: "en veille jusqu’au", en: "snoozed until" },
];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the open discrepancies, but for those that are snoozed.
    List(ListOptions),
    /// Show a discrepancy as its e-mail does: what is wrong, the figures, the payments, what to do.
    Show {
        /// Its number, as in the list and in the e-mail.
        #[arg(value_name = "ID")]
        id: DiscrepancyId,
    },
    /// Note that a person has seen discrepancies; kept forever in the log.
    Ack {
        #[command(flatten)]
        named: Named,
        /// What was found or done.
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        note: String,
    },
    /// Add a note to a discrepancy, open or closed, and change nothing else.
    Note {
        /// Its number, as in the list and in the e-mail.
        #[arg(value_name = "ID")]
        id: DiscrepancyId,
        /// What was found or done.
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        note: String,
    },
    /// Put discrepancies aside; one that is still open on that date is listed and mailed again.
    ///
    /// So is one whose amounts change before. Of two snoozes the one given last counts.
    Snooze {
        #[command(flatten)]
        named: Named,
        /// Until when, as 2026-12-24 (midnight in Paris) or RFC 3339.
        #[arg(long, value_name = "DATE", value_parser = Timestamp::parse_since)]
        until: Timestamp,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        note: Option<String>,
    },
    /// Take back an acknowledgement or a snooze that was given by mistake; both stay in the log.
    Withdraw {
        #[command(flatten)]
        named: Named,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        note: Option<String>,
    },
    /// List what has not left yet, by e-mail or on a channel, and why.
    Queue(alerts_queue::Options),
    /// Send a test message to everybody whom alerts go to, or to some of them.
    Test(alerts_test::Options),
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// Their numbers, as in the list and in the e-mail: all are taken, or none.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<DiscrepancyId>,
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Also those that are snoozed or have closed.
    #[arg(long, conflicts_with = "snoozed")]
    all: bool,
    /// Only those that nobody has acknowledged.
    #[arg(long)]
    unacked: bool,
    /// Only those that are snoozed.
    #[arg(long)]
    snoozed: bool,
    /// Only those of this kind, such as `complement_missing`.
    #[arg(long)]
    kind: Option<Kind>,
    /// Only those of this severity: info, warning, urgent.
    #[arg(long)]
    severity: Option<Severity>,
    /// Only this shop's.
    #[arg(long, value_name = "ID")]
    shop: Option<ShopId>,
    /// No more than so many, the latest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

impl Command {
    /// Whether it writes into the log.
    pub(super) const fn writes(&self) -> bool {
        matches!(self, Self::Ack { .. } | Self::Note { .. } | Self::Snooze { .. } | Self::Withdraw { .. })
    }
}

pub(super) fn run(site: &mut dyn Site, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::List(options) => list(site, options),
        Command::Show { id } => show(site, *id),
        Command::Queue(options) => alerts_queue::run(site.config()?, options),
        Command::Test(options) => alerts_test::run(site.config()?, options),
        Command::Ack { named, note } => take(site, &named.ids, Deed::Acknowledged, Some(note)),
        Command::Note { id, note } => take(site, &[*id], Deed::Noted, Some(note)),
        Command::Snooze { named, until, note } => {
            take(site, &named.ids, Deed::Snoozed { until: *until }, note.as_ref())
        }
        Command::Withdraw { named, note } => take(site, &named.ids, Deed::Withdrawn, note.as_ref()),
    }
}

fn list(site: &mut dyn Site, options: &ListOptions) -> Result<Outcome, Failure> {
    let reader = Reader::open(&site.ledger()?.path)?;
    let filter = DiscrepancyFilter {
        open: !options.all,
        unacked: options.unacked,
        snoozed: (!options.all).then_some(options.snoozed),
        kind: options.kind,
        severity: options.severity,
        shop: options.shop.as_ref().map(ToString::to_string),
        limit: options.limit,
    };
    let found = reader.discrepancies(&filter)?;
    // One that is no longer configured has its discrepancies still.
    if found.is_empty() {
        known_shop(&site.desk()?.books, options.shop.as_ref(), site.language()?)?;
    }
    let values: Vec<_> = found.iter().map(as_json).collect();
    let aside = if filter.snoozed == Some(false) { reader.snoozed(&filter)? } else { 0 };
    let language = site.language()?;
    let none = match (options.all, options.snoozed, aside) {
        (true, _, _) => Heading { fr: "aucun écart", en: "no discrepancies" },
        (_, true, _) => Heading { fr: "aucun écart en veille", en: "no snoozed discrepancies" },
        (_, _, 0) => Heading { fr: "aucun écart ouvert", en: "no open discrepancies" },
        _ => Heading {
            fr: "aucun écart ouvert, hormis ceux qui sont en veille",
            en: "no open discrepancies beside those that are snoozed",
        },
    };
    listing(language, &found).print(site, options.format, &values, none.in_language(language))?;
    if aside > 0 && options.format == Format::Table {
        site.line(&match language {
            Language::French => format!("{aside} en veille\u{a0}: `alerts list --snoozed` les montre"),
            Language::English => format!("{aside} snoozed: `alerts list --snoozed` shows them"),
        })?;
    }
    if let (waiting, Some(error)) = reader.mails_waiting()? {
        site.warn(&format!(
            "{waiting} e-mails wait to be sent; last error: {error} (`alerts queue` shows all)"
        ));
    }
    Ok(Outcome::Fine)
}

fn show(site: &mut dyn Site, id: DiscrepancyId) -> Result<Outcome, Failure> {
    let settings = site.desk()?;
    let row = Reader::open(&settings.books.ledger.path)?
        .discrepancy(id)?
        .ok_or(LedgerError::NoDiscrepancy(id.get()))?;
    let name = |id: &ShopId| {
        let shop = settings.shops.iter().find(|shop| shop.id == *id);
        shop.map_or_else(|| id.to_string(), |shop| shop.name.clone())
    };
    let host = host_name();
    let letter = Letter {
        language: settings.language,
        shop_name: row.shop.as_ref().map_or_else(|| host.clone(), name),
        host,
        dashboard: None,
        items: vec![alert_item(&settings.trial_endpoints, news_of(&row), row)],
    };
    let mail = render(&letter).map_err(anyhow::Error::from)?;
    site.line(&format!("{}\n\n{}", mail.subject, mail.text.trim_end()))?;
    Ok(Outcome::Fine)
}

fn news_of(row: &DiscrepancyRow) -> News {
    if row.closed_at.is_some() { News::Closed } else { News::Opened }
}

/// Discrepancies as a table; shared with `demo`.
pub(super) fn listing(language: Language, found: &[DiscrepancyRow]) -> Listing {
    let mut listing = Listing::of(language, &HEADINGS, &[0, 7, 8]);
    let money = |cents: Option<Cents>| cents.map(|cents| lists::figure(language, cents)).unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map(|at| lists::paris(language, at)).unwrap_or_default();
    for row in found {
        listing.push(vec![
            row.id.to_string(),
            lists::severity(language, row.severity).to_owned(),
            lists::kind(language, row.kind, &row.detail),
            row.shop.as_ref().map(ShopId::to_string).unwrap_or_default(),
            row.endpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.order_ref.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.call_number.as_ref().map(ToString::to_string).unwrap_or_default(),
            money(row.expected),
            money(row.actual),
            time(Some(row.opened_at)),
            time(row.closed_at),
            row.last_note.clone().unwrap_or_default(),
            time(row.acked.as_ref().map(|(at, ..)| *at)),
            time(row.snoozed_until),
        ]);
    }
    listing
}

fn as_json(row: &DiscrepancyRow) -> serde_json::Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "severity": row.severity,
        "shop": row.shop,
        "psp": row.psp,
        "endpoint": row.endpoint,
        "order_ref": row.order_ref,
        "call_number": row.call_number,
        "expected_cents": row.expected,
        "actual_cents": row.actual,
        "detail": row.particulars(),
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "acked_at": row.acked.as_ref().map(|(at, _, _)| at),
        "acked_by": row.acked.as_ref().map(|(_, by, _)| by),
        "acked_note": row.acked.as_ref().map(|(_, _, note)| note),
        "snoozed_until": row.snoozed_until,
        "last_note": row.last_note,
    })
}

/// Does the same about each of the discrepancies, or nothing.
fn take(
    site: &mut dyn Site,
    ids: &[DiscrepancyId],
    deed: Deed,
    note: Option<&String>,
) -> Result<Outcome, Failure> {
    let language = site.language()?;
    let mut writer = site.writer()?;
    let now = writer.now();
    if let Deed::Snoozed { until } = deed
        && !Deed::may_snooze(until, now)
    {
        let wants = match language {
            Language::French => "--until attend une date à venir, dans deux ans au plus",
            Language::English => "--until wants a date ahead, at most two years",
        };
        return Err(Failure::Usage(wants.to_owned()));
    }
    let ids: BTreeSet<DiscrepancyId> = ids.iter().copied().collect();
    let (by, reader) = (site.account(), writer.reader()?);
    let mut drafts = Vec::with_capacity(ids.len());
    for id in &ids {
        let (of, is_open) = reader.identity(*id)?;
        if matches!(deed, Deed::Snoozed { .. }) && !is_open {
            return Err(LedgerError::HasClosed(id.get()).into());
        }
        let act = Act { discrepancy: *id, of, by: by.clone(), note: note.cloned(), deed };
        drafts.push(Draft::new(&LogEntry::Act(act))?);
    }
    writer.append(drafts, || {})?;
    ids.iter().try_for_each(|id| site.line(&done(language, *id, deed)))?;
    Ok(Outcome::Fine)
}

fn done(language: Language, id: DiscrepancyId, deed: Deed) -> String {
    match (language, deed) {
        (Language::English, Deed::Acknowledged) => format!("discrepancy {id} acknowledged"),
        (Language::English, Deed::Noted) => format!("discrepancy {id} noted"),
        (Language::English, Deed::Snoozed { until }) => {
            format!("discrepancy {id} snoozed until {}", until.paris_text())
        }
        (Language::English, Deed::Withdrawn) => {
            format!("discrepancy {id} neither acknowledged nor snoozed")
        }
        (Language::French, Deed::Acknowledged) => format!("écart {id} pris en charge"),
        (Language::French, Deed::Noted) => format!("écart {id} annoté"),
        (Language::French, Deed::Snoozed { until }) => {
            format!("écart {id} mis en veille jusqu’au {}", until.paris_text())
        }
        (Language::French, Deed::Withdrawn) => format!("écart {id} remis à traiter"),
    }
}

/// A note as other people's terminals may show it.
pub(super) fn one_line(text: &str) -> Result<String, String> {
    let note = text.trim();
    if note.is_empty() || note.chars().count() > 2000 || note.contains(char::is_control) {
        return Err("it wants 1 to 2000 characters on one line".to_owned());
    }
    Ok(note.to_owned())
}
