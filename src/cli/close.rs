//! `close`: freezes a month. What was booked, and its manifest, never change afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cvco_books::accounting::AccountNumber;
use cvco_books::export::{Balance, Checker, fec_notice};
use cvco_domain::crypto::{Sha256Writer, sha256};
use cvco_domain::{Cents, Day, Period};
use cvco_ledger::{EntryRange, Extract, LedgerError, Obstacle, Reader};
use cvco_log::entry::{Close, Witness};
use cvco_log::{Draft, LogEntry};
use cvco_mail::{Language, lists};
use serde_json::{Value, json};

use super::append::Writer;
use super::extract::{Order, Span, TableFormat, What, write};
use super::output::{Heading, Listing};
use super::site::{self, Place, Site};
use super::{Failure, Outcome, ReportFormat, output};
use crate::clock::Clock;
use crate::config::BookSettings;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The month, 2026-03; the one before it must be closed.
    #[arg(long, value_name = "MONTH", required_unless_present_any = ["through", "due"], conflicts_with_all = ["through", "due"])]
    period: Option<Period>,
    /// Every month that is open, up to this one.
    #[arg(long, value_name = "MONTH")]
    through: Option<Period>,
    /// Every month that is open and has been over for as long as `[accounting] close_after` says; for a timer.
    #[arg(long, conflicts_with = "through")]
    due: bool,
    /// A folder for the exports and the manifest.
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Say what would be booked, and close nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before closing, as a terminal is asked.
    #[arg(long)]
    yes: bool,
    /// The form of the report; as JSON, a month's manifest.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

impl Options {
    /// Whether it closes nothing.
    pub(super) const fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// Where the files go.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        self.output.as_deref().map(Place::Folder)
    }
}

pub(super) fn run(site: &mut dyn Site, options: &Options) -> Result<Outcome, Failure> {
    let settings = site.desk()?.books;
    let language = site.language()?;
    let say = |fr: &'static str, en: &'static str| match language {
        Language::French => fr,
        Language::English => en,
    };
    let reader = Reader::open(&settings.ledger.path)?;
    let through = if options.due {
        let Some(wait) = settings.accounting.close_after else {
            site.line(&say(
                "rien n’est clôturé de soi-même\u{a0}: [accounting] close_after n’est pas réglé",
                "nothing is closed by itself: [accounting] close_after is not set",
            ))?;
            return Ok(Outcome::Fine);
        };
        let due = before(Clock::system().now().before(wait).paris_day().period());
        if reader.first_open()?.is_none_or(|open| open > due) {
            site.line(&say("aucun mois n’est à clôturer", "no month is due"))?;
            return Ok(Outcome::Fine);
        }
        Some(due)
    } else {
        options.through
    };
    let months = months(&reader, options.period, through)?;
    if options.dry_run {
        return dry_run(site, &reader, &settings, &months, options.format);
    }
    let open = reader.extract(|extract| {
        let is_open = |month: &Period| Ok(extract.manifest(*month)?.is_none().then_some(*month));
        months.iter().filter_map(|month| is_open(month).transpose()).collect::<Result<Vec<_>, LedgerError>>()
    })?;
    if let (Some(first), Some(last)) = (open.first(), open.last()) {
        // What the rules do not allow need not be asked.
        let today = Clock::system().now().paris_day();
        refused(obstacle(&reader, *first, *last, today)?, language)?;
        let of = if first == last {
            first.to_string()
        } else if language == Language::French {
            format!("{first} à {last}, {} mois", open.len())
        } else {
            format!("{first} to {last}, {} months", open.len())
        };
        let standing = standing(&reader, language)?;
        let question = match language {
            Language::French => {
                format!("{standing}Un mois clôturé ne change plus jamais. Clôturer {of}\u{a0}? [o/N]")
            }
            Language::English => format!("{standing}A month that is closed never changes. Close {of}? [y/N]"),
        };
        if !options.yes && !site.confirm(&question)? {
            return Err(Failure::Refused(say("rien n’a été clôturé", "nothing was closed").to_owned()));
        }
    }
    let mut manifests = Vec::with_capacity(months.len());
    for month in months {
        manifests.push(close_month(site, &settings, month, options.place())?);
    }
    if options.format == ReportFormat::Json {
        return match (through, manifests.as_slice()) {
            (None, [one]) => site.line(one),
            _ => site::json(site, &manifests.iter().map(|text| parsed(text)).collect::<Result<Vec<_>, _>>()?),
        }
        .map(|()| Outcome::Fine);
    }
    let [.., last] = manifests.as_slice() else { return Ok(Outcome::Fine) };
    if let [earlier @ .., _] = manifests.as_slice() {
        for manifest in earlier {
            tell(site, &parsed(manifest)?, false)?;
        }
    }
    tell(site, &parsed(last)?, true)?;
    site.line(&standing(&reader, language)?.trim_end())?;
    Ok(Outcome::Fine)
}

/// The month before another.
fn before(month: Period) -> Period {
    month.first().start().before(Duration::from_millis(1)).paris_day().period()
}

/// The months to close, in order.
fn months(reader: &Reader, period: Option<Period>, through: Option<Period>) -> Result<Vec<Period>, Failure> {
    let Some(through) = through else { return Ok(period.into_iter().collect()) };
    let first = reader.first_open()?.unwrap_or(through);
    let mut months = vec![first.min(through)];
    while let Some(last) = months.last().copied().filter(|last| *last < through) {
        months.push(last.next());
    }
    Ok(months)
}

/// How many discrepancies are open: a month can be closed with them, and a person should know.
fn standing(reader: &Reader, language: Language) -> Result<String, Failure> {
    let open = reader.open_discrepancies()?;
    Ok(match open {
        0 if language == Language::French => "Aucun écart n’est ouvert. ".to_owned(),
        1 if language == Language::French => "1 écart est ouvert (`alerts list`). ".to_owned(),
        open if language == Language::French => format!("{open} écarts sont ouverts (`alerts list`). "),
        0 => "No discrepancy is open. ".to_owned(),
        1 => "1 discrepancy is open (`alerts list`). ".to_owned(),
        open => format!("{open} discrepancies are open (`alerts list`). "),
    })
}

/// Why a span of months cannot be closed.
fn obstacle(reader: &Reader, first: Period, last: Period, today: Day) -> Result<Option<Obstacle>, Failure> {
    let not_over = (today <= last.last()).then_some(Obstacle::NotOver(last));
    Ok(reader.obstacle_to_close(first, today)?.or(not_over))
}

fn said(obstacle: Obstacle, language: Language) -> String {
    match language {
        Language::French => obstacle.in_french(),
        Language::English => obstacle.to_string(),
    }
}

fn refused(obstacle: Option<Obstacle>, language: Language) -> Result<(), Failure> {
    match obstacle {
        Some(obstacle) => Err(Failure::Hindered(said(obstacle, language))),
        None => Ok(()),
    }
}

/// Closes a month, unless it is closed, and returns its manifest.
fn close_month(
    site: &mut dyn Site,
    settings: &BookSettings,
    month: Period,
    place: Option<Place<'_>>,
) -> Result<String, Failure> {
    let reader = Reader::open(&settings.ledger.path)?;
    if reader.extract(|extract| extract.is_witnessed(month))? {
        return reader.extract(|extract| {
            let manifest = extract.manifest(month)?.unwrap_or_default();
            if let Some(place) = place {
                write_again(site, extract, settings, month, &manifest, place)?;
            }
            Ok(manifest)
        });
    }
    // A close that was interrupted has no witness yet.
    let mut writer = site.writer()?;
    let reader = writer.reader()?;
    if reader.extract(|extract| extract.manifest(month))?.is_none() {
        refused(reader.obstacle_to_close(month, writer.now().paris_day())?, site.language()?)?;
        close(&mut writer, &reader, settings, month, site.account(), site.is_watched())?;
    }
    // Lists that show the present, such as gaps, move on: the files are of the instant of which the manifest speaks.
    let exports = reader.extract(|extract| match place {
        Some(place) => write_all(site, extract, settings, month, place),
        None => digests(extract, month, site.is_watched()),
    })?;
    writer.append_one(Draft::new(&LogEntry::Witness(Witness { period: month, exports }))?)?;
    let manifest = reader.extract(|extract| extract.manifest(month))?.unwrap_or_default();
    if let Some(place) = place {
        put_manifest(site, place, month, &manifest)?;
    }
    Ok(manifest)
}

/// Closes a period. The rules were asked before, so that a close that they do not allow is not even written down; they are
/// asked again when it is folded, and what came in between may have changed the answer.
fn close(
    writer: &mut Writer,
    reader: &Reader,
    settings: &BookSettings,
    period: Period,
    by: String,
    is_watched: bool,
) -> Result<(), Failure> {
    let close = Close { period, books: settings.accounting.books.clone(), by };
    let spinner = output::spinner("closing", is_watched);
    let stamps = writer.append(vec![Draft::new(&LogEntry::Close(close))?], || spinner.tick())?;
    spinner.finish_and_clear();
    match stamps.last() {
        Some(stamp) => match reader.refusal(stamp.seq)? {
            Some(refusal) => Err(Failure::Refused(refusal)),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// What would be booked, by draft entries; and what does not allow it.
fn dry_run(
    site: &mut dyn Site,
    reader: &Reader,
    settings: &BookSettings,
    months: &[Period],
    format: ReportFormat,
) -> Result<Outcome, Failure> {
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(Outcome::Fine) };
    let language = site.language()?;
    let today = Clock::system().now().paris_day();
    let obstacle = obstacle(reader, *first, *last, today)?.map(|obstacle| said(obstacle, language));
    let drafts = Some(settings.accounting.books.clone());
    let range = EntryRange { from: first.first(), to: last.last(), shop: None, drafts };
    let mut checker = Checker::default();
    reader.extract(|extract| {
        extract.each_entry(&range, |entry| {
            checker.entry(&entry).map_err(|flaw| Failure::Other(anyhow::anyhow!("{flaw}")))
        })
    })?;
    let summary = checker.finish(false).map_err(|flaw| Failure::Other(anyhow::anyhow!("{flaw}")))?;
    let account = |(number, (label, balance)): (&AccountNumber, &(String, Balance))| json!({ "account": number, "label": label, "debit_cents": balance.debit, "credit_cents": balance.credit });
    let preview = json!({
        "period": if first == last { first.to_string() } else { format!("{first} - {last}") },
        "dry_run": true,
        "obstacle": obstacle,
        "open_discrepancies": reader.open_discrepancies()?,
        "entries": summary.entries,
        "lines": summary.lines,
        "accounts": summary.accounts.iter().map(account).collect::<Vec<_>>(),
    });
    if format == ReportFormat::Json {
        site::json(site, &preview)?;
    } else {
        tell(site, &preview, true)?;
        site.line(&standing(reader, language)?.trim_end())?;
        let nothing = match language {
            Language::French => "Rien n’a été clôturé\u{a0}: c’était un essai.",
            Language::English => "Nothing was closed: this was a dry run.",
        };
        site.line(&obstacle.as_deref().unwrap_or(nothing))?;
    }
    Ok(if obstacle.is_some() { Outcome::FoundSomething } else { Outcome::Fine })
}

fn parsed(manifest: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_str(manifest).map_err(anyhow::Error::from)?)
}

const ACCOUNTS: [Heading; 4] = [
    Heading { fr: "compte", en: "account" },
    Heading { fr: "intitulé", en: "name" },
    Heading { fr: "débit", en: "debit" },
    Heading { fr: "crédit", en: "credit" },
];

/// A manifest for people: how many entries, and what the accounts come to.
fn tell(site: &mut dyn Site, manifest: &Value, with_accounts: bool) -> Result<(), Failure> {
    let language = site.language()?;
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let count = |name: &str| manifest.get(name).and_then(Value::as_i64).unwrap_or_default();
    let list = |name: &str| manifest.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let series: Vec<String> = list("series")
        .iter()
        .map(|series| {
            let (from, until) = (text(series, "first"), text(series, "last"));
            match language {
                _ if from == until => from,
                Language::French => format!("{from} à {until}"),
                Language::English => format!("{from} to {until}"),
            }
        })
        .collect();
    let numbers = match language {
        _ if series.is_empty() => String::new(),
        Language::French => format!("\u{a0}: {}", series.join(", ")),
        Language::English => format!(": {}", series.join(", ")),
    };
    let (period, entries, lines) = (text(manifest, "period"), count("entries"), count("lines"));
    site.line(&match language {
        Language::French => {
            format!("{period}  écritures\u{a0}: {entries}\u{a0}; lignes\u{a0}: {lines}{numbers}")
        }
        Language::English => format!("{period}  {entries} entries, {lines} lines{numbers}"),
    })?;
    let accounts = list("accounts");
    if !with_accounts || accounts.is_empty() {
        return Ok(());
    }
    let mut listing = Listing::of(language, &ACCOUNTS, &[2, 3]);
    for account in &accounts {
        let money = |name: &str| {
            let cents = account.get(name).and_then(Value::as_i64).unwrap_or_default();
            lists::figure(language, Cents::new(cents))
        };
        listing.push(vec![
            text(account, "account"),
            text(account, "label"),
            money("debit_cents"),
            money("credit_cents"),
        ]);
    }
    site.line(&listing.table())
}

fn order(what: What, period: Period, is_watched: bool) -> Order<'static> {
    let span = Span::of(period);
    Order {
        what,
        span,
        shop: None,
        drafts: None,
        format: TableFormat::Csv,
        with_trials: false,
        is_closing: true,
        // The manifest holds their digests, whatever the configuration says later.
        language: Language::French,
        is_watched,
    }
}

/// SHA-256 of each export.
fn digests(
    extract: Extract<'_>,
    period: Period,
    is_watched: bool,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut digests = BTreeMap::new();
    for what in What::ALL {
        let mut hashed = Sha256Writer::default();
        write(extract, &order(what, period, is_watched), &mut hashed)?;
        digests.insert(what.name().to_owned(), hashed.finish().to_string());
    }
    Ok(digests)
}

/// An export as it is now, its name, and its SHA-256.
fn exported(
    site: &dyn Site,
    extract: Extract<'_>,
    settings: &BookSettings,
    period: Period,
    what: What,
) -> Result<Exported, Failure> {
    let mut bytes = Vec::new();
    write(extract, &order(what, period, site.is_watched()), &mut bytes)?;
    let name = what.file_name(Span::of(period), settings.accounting.siren_of(None), TableFormat::Csv);
    let digest = sha256(&[&bytes]).to_string();
    Ok(Exported { bytes, name, digest })
}

struct Exported {
    bytes: Vec<u8>,
    name: String,
    digest: String,
}

/// Writes the exports; the SHA-256 of each.
fn write_all(
    site: &mut dyn Site,
    extract: Extract<'_>,
    settings: &BookSettings,
    period: Period,
    place: Place<'_>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut digests = BTreeMap::new();
    for what in What::ALL {
        let Exported { bytes, name, digest } = exported(site, extract, settings, period, what)?;
        put(site, place, &name, &bytes)?;
        digests.insert(what.name().to_owned(), digest);
    }
    Ok(digests)
}

/// Writes the exports and the manifest of a month that was closed before. A list that has moved on since is not written, for
/// it would not be what the manifest says.
fn write_again(
    site: &mut dyn Site,
    extract: Extract<'_>,
    settings: &BookSettings,
    period: Period,
    manifest: &str,
    place: Place<'_>,
) -> Result<(), Failure> {
    let stated = parsed(manifest)?;
    let language = site.language()?;
    for what in What::ALL {
        let Exported { bytes, name, digest } = exported(site, extract, settings, period, what)?;
        let stated = stated.pointer(&format!("/exports_sha256/{}", what.name())).and_then(Value::as_str);
        if stated == Some(&digest) {
            put(site, place, &name, &bytes)?;
            continue;
        }
        site.warn(&match language {
            Language::French => format!("{name} a changé depuis la clôture et n’a pas été réécrit"),
            Language::English => format!("{name} has changed since the close, and was not written again"),
        });
    }
    put_manifest(site, place, period, manifest)
}

fn put_manifest(
    site: &mut dyn Site,
    place: Place<'_>,
    period: Period,
    manifest: &str,
) -> Result<(), Failure> {
    put(site, place, &format!("manifeste-{period}.json"), manifest.as_bytes())?;
    put(site, place, "LISEZMOI.txt", fec_notice().as_bytes())
}

fn put(site: &mut dyn Site, place: Place<'_>, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    site.file(place, name, &mut |out| {
        out.write_all(bytes).map_err(Failure::io(name))?;
        Ok(String::new())
    })
}
