//! `statement import`: what ANCV reimbursed, what the bank paid out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use cvco_books::settlement::{self, Given, Located, StatementFile};
use cvco_domain::crypto::sha256;
use cvco_domain::{
    AuthorisationNumber, Cents, Currency, Day, OrderRef, ShopId, Statement, StatementLine, StatementNumber,
    TenderId,
};
use cvco_ledger::{Reader, Restated};
use cvco_log::entry::ImportedStatement;
use cvco_log::{Draft, LogEntry};
use cvco_mail::{Language, lists};
use serde::Serialize;

use super::append::Writer;
use super::output::pair;
use super::site::{self, Site};
use super::{Failure, Outcome, ReportFormat, known_shop};
use crate::clock::Clock;
use crate::config::{BookSettings, StatementSettings};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take a statement of ANCV or of the bank, laid out as a [[statement]] of the configuration says.
    Import(Options),
}

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The file.
    file: PathBuf,
    /// The id of its [[statement]]; needed where the configuration has several.
    #[arg(long, value_name = "ID")]
    layout: Option<String>,
    /// Whose it is; needed where neither the layout nor the configuration leaves but one.
    #[arg(long, value_name = "ID")]
    shop: Option<ShopId>,
    /// Its number, where no column has it; without it, the file's name.
    #[arg(long, value_name = "NUMBER")]
    number: Option<StatementNumber>,
    /// When the money came, where no column has it.
    #[arg(long, value_name = "DATE")]
    paid_on: Option<Day>,
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

impl Command {
    /// The file that it reads.
    pub(super) fn input(&self) -> &Path {
        let Self::Import(options) = self;
        &options.file
    }
}

pub(super) fn run(site: &mut dyn Site, command: &Command) -> Result<Outcome, Failure> {
    let Command::Import(options) = command;
    let desk = site.desk()?;
    let settings = desk.books;
    let language = site.language()?;
    known_shop(&settings, options.shop.as_ref(), language)?;
    let layout = layout(&settings, options.layout.as_deref(), language)?;
    let shop = options
        .shop
        .clone()
        .or_else(|| layout.profile.shop.clone())
        .or_else(|| if let [only] = settings.shops.as_slice() { Some(only.clone()) } else { None })
        .ok_or_else(|| Failure::Explained(whose(language)))?;
    let bytes = site.input(&options.file)?;
    let stem = options.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let file_name = stem.and_then(|stem| StatementNumber::new(stem).ok());
    let given = Given { shop, number: options.number.clone(), file_name, paid_on: options.paid_on };
    let mut file = settlement::read(&bytes, &layout.profile, &given).map_err(|error| {
        let (what, nothing) = match language {
            Language::French => (error.in_french(), "rien n’a été importé"),
            Language::English => (error.to_string(), "nothing was imported"),
        };
        Failure::Explained(format!("{}:\n{what}\n{nothing}", options.file.display()))
    })?;
    may_have_come(&file, language)?;
    if let Some(shop) = desk.shops.iter().find(|known| known.id == given.shop) {
        file.shorten_references(|reference| shop.references.order(reference));
    }
    let file_sha256 = sha256(&[&bytes]).to_string();
    let report = import(&mut site.writer()?, file, &Source { file_sha256, by: site.account() }, language)?;
    if options.format == ReportFormat::Json {
        site::json(site, &report)?;
    } else {
        tell(site, &report)?;
    }
    let is_odd = |statement: &Imported| statement.unknown > 0 || !statement.restated.is_empty();
    Ok(if report.statements.iter().any(is_odd) { Outcome::FoundSomething } else { Outcome::Fine })
}

/// Value dates lie a few days ahead. One of another year is a slip, and its payment would count as paid out for good.
const AHEAD: Duration = Duration::from_hours(60 * 24);

fn may_have_come(file: &StatementFile, language: Language) -> Result<(), Failure> {
    let last = Clock::system().now().after(AHEAD).paris_day();
    let Some(Located { statement, .. }) = file.statements.iter().find(|found| found.statement.paid_on > last)
    else {
        return Ok(());
    };
    let (number, day) = (&statement.number, statement.paid_on);
    Err(Failure::Explained(match language {
        Language::French => format!(
            "relevé {number}\u{a0}: sa date de versement, {day}, est trop loin dans l’avenir\u{a0}: corrigez-la\u{a0}; rien n’a été importé"
        ),
        Language::English => format!(
            "statement {number}: the day on which it was paid, {day}, lies too far ahead: correct it; nothing was imported"
        ),
    }))
}

/// What came of a file.
#[derive(Debug, Serialize)]
struct Report {
    /// Its lines that pay something out, or take it back.
    lines: usize,
    /// What they come to, before commission.
    sum_cents: Cents,
    /// Lines that say nothing which is looked for.
    passed_over: Vec<u64>,
    /// Whether this very file was imported before.
    known: bool,
    /// Its statements.
    statements: Vec<Imported>,
}

/// What came of a statement.
#[derive(Debug, Serialize)]
struct Imported {
    number: StatementNumber,
    /// Its lines in the file.
    lines: usize,
    /// What they come to, before commission.
    sum_cents: Cents,
    /// How many of them were not known.
    new: i64,
    /// Commissions that it states otherwise than before: of known lines, and of the whole.
    commissions_corrected: usize,
    /// New lines that name the same payment as a known one that the file does not have any more, with another amount.
    restated: Vec<Restated>,
    /// How many lines of the statement belong to no payment that is known.
    unknown: i64,
    /// Those of them that stand in this file.
    unknown_lines: Vec<Unknown>,
}

/// A line that belongs to no payment that is known.
#[derive(Debug, Serialize)]
struct Unknown {
    /// Its number in the file, as an editor counts.
    line: u64,
    #[serde(flatten)]
    says: StatementLine,
}

fn tell(site: &mut dyn Site, report: &Report) -> Result<(), Failure> {
    let language = site.language()?;
    let money = |cents: Cents| match language {
        Language::French => lists::amount(language, cents, Currency::EUR),
        Language::English => cents.to_string(),
    };
    let said = |french: String, english: String| match language {
        Language::French => french,
        Language::English => english,
    };
    let sum = money(report.sum_cents);
    site.line(&said(
        format!("{} dans le fichier, pour {sum}", lines_in_french(report.lines)),
        format!("{} lines in the file, which come to {sum}", report.lines),
    ))?;
    if !report.passed_over.is_empty() {
        let lines = report.passed_over.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        site.line(&said(
            format!("laissées de côté, car elles ne nomment ni paiement ni montant\u{a0}: lignes {lines} du fichier"),
            format!("passed over, for they name neither a payment nor an amount: lines {lines} of the file"),
        ))?;
    }
    if report.known {
        site.line(&said(
            "ce fichier a déjà été importé\u{a0}: rien n’a changé".to_owned(),
            "this very file was imported before: nothing changed".to_owned(),
        ))?;
    }
    for Imported { number, lines, sum_cents, new, commissions_corrected, restated, unknown, unknown_lines } in
        &report.statements
    {
        let known = i64::try_from(*lines).unwrap_or(i64::MAX).saturating_sub(*new);
        let sum = money(*sum_cents);
        site.line(&said(
            format!(
                "relevé {number}\u{a0}: {} de plus\u{a0}; déjà connues\u{a0}: {known}\u{a0}; sans paiement connu\u{a0}: \
                 {unknown}\u{a0}; total {sum}",
                lines_in_french(usize::try_from(*new).unwrap_or_default())
            ),
            format!(
                "{number}: {new} {} imported, {known} were known; {unknown} belong to no payment that is known; they \
                 come to {sum}",
                if *new == 1 { "line" } else { "lines" }
            ),
        ))?;
        if let Some(corrected) = match commissions_corrected {
            0 => None,
            1 => Some(said("  1 commission corrigée".to_owned(), "  1 commission corrected".to_owned())),
            many => Some(said(
                format!("  {many} commissions corrigées"),
                format!("  {many} commissions corrected"),
            )),
        } {
            site.line(&corrected)?;
        }
        for Restated { known, new } in restated {
            let (named, before, now) = (named(known), money(known.amount), money(new.amount));
            let back = money(Cents::ZERO.minus(known.amount));
            site.line(&said(
                format!(
                    "  {named} figurait dans ce relevé pour {before}, et y figure maintenant pour {now}\u{a0}: les deux sont \
                     comptés. Si la nouvelle ligne remplace l’autre, importez une ligne de {back} sous ce numéro de relevé"
                ),
                format!(
                    "  {named} stood in this statement with {before}, and stands there with {now} now: both count. If the new \
                     line takes the place of the other, import a line of {back} under this statement's number"
                ),
            ))?;
        }
        for Unknown { line, says } in unknown_lines {
            let named = named(says);
            let amount = money(says.amount);
            site.line(&said(
                format!("  ligne {line} du fichier\u{a0}: aucun paiement connu pour {named}, {amount}"),
                format!("  line {line} of the file: no payment known for {named}, {amount}"),
            ))?;
        }
    }
    Ok(())
}

/// The payment that a line names.
fn named(line: &StatementLine) -> String {
    let named = [
        line.reference.as_ref().map(OrderRef::as_str),
        line.transaction.as_ref().map(TenderId::as_str),
        line.authorisation.as_ref().map(AuthorisationNumber::as_str),
    ];
    named.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn lines_in_french(lines: usize) -> String {
    if lines == 1 { "1 ligne".to_owned() } else { format!("{lines} lignes") }
}

/// Where statements come from.
#[derive(Clone)]
struct Source {
    file_sha256: String,
    /// The account of whoever brings them.
    by: String,
}

/// Imports the statements of a file, all or none; nothing of a file that was imported before.
fn import(
    writer: &mut Writer,
    mut file: StatementFile,
    source: &Source,
    language: Language,
) -> Result<Report, Failure> {
    let reader = writer.reader()?;
    let known = reader.is_statement_file_known(&source.file_sha256)?;
    for Located { statement, .. } in &mut file.statements {
        reader.tell_years_apart(statement)?;
    }
    let mut report = Report {
        lines: file.lines(),
        sum_cents: file.total(),
        passed_over: file.passed_over,
        known,
        statements: Vec::new(),
    };
    if !known {
        let before = append(writer, &reader, &file.statements, source, language)?;
        report.statements = file
            .statements
            .into_iter()
            .zip(before)
            .map(|(located, before)| imported(&reader, located, before))
            .collect::<Result<_, _>>()?;
    }
    Ok(report)
}

/// What was known of a statement before its file came.
struct Before {
    lines: i64,
    commissions_corrected: usize,
    restated: Vec<Restated>,
}

/// Appends the statements, and returns what of each was known before.
fn append(
    writer: &mut Writer,
    reader: &Reader,
    statements: &[Located],
    source: &Source,
    language: Language,
) -> Result<Vec<Before>, Failure> {
    let mut drafts = Vec::with_capacity(statements.len());
    let mut known = Vec::with_capacity(statements.len());
    for Located { statement, .. } in statements {
        if let Some(known) = reader.known_with_another_day(statement)? {
            return Err(Failure::Hindered(known_with_another_day(language, statement, known)));
        }
        known.push(Before {
            lines: reader.statement_lines(statement)?.lines,
            commissions_corrected: reader.commissions_corrected_by(statement)?,
            restated: reader.restated_in(statement)?,
        });
        let Source { file_sha256, by } = source.clone();
        let imported = ImportedStatement { statement: statement.clone(), file_sha256, by };
        drafts.push(Draft::new(&LogEntry::Statement(imported))?);
    }
    for stamp in writer.append(drafts, || {})? {
        if let Some(refusal) = reader.refusal(stamp.seq)? {
            return Err(Failure::Refused(refusal));
        }
    }
    Ok(known)
}

fn imported(reader: &Reader, located: Located, before: Before) -> Result<Imported, Failure> {
    let Located { statement, lines } = located;
    let count = reader.statement_lines(&statement)?;
    let mut unknown = reader.unknown_lines(&statement)?;
    let mut unknown_lines = Vec::with_capacity(unknown.len());
    for (line, says) in lines.iter().zip(&statement.lines) {
        if let Some(place) = unknown.iter().position(|unknown| unknown == says) {
            unknown_lines.push(Unknown { line: *line, says: unknown.swap_remove(place) });
        }
    }
    Ok(Imported {
        lines: lines.len(),
        sum_cents: statement.total(),
        new: count.lines.saturating_sub(before.lines),
        commissions_corrected: before.commissions_corrected,
        restated: before.restated,
        unknown: count.unknown,
        unknown_lines,
        number: statement.number,
    })
}

fn known_with_another_day(language: Language, statement: &Statement, known: Day) -> String {
    let Statement { number, paid_on, .. } = statement;
    match language {
        Language::French => format!(
            "le relevé {number} est déjà connu avec la date {known}, et le fichier donne {paid_on}\u{a0}: corrigez le \
             fichier ou le numéro du relevé\u{a0}; rien n’a été importé"
        ),
        Language::English => format!(
            "statement {number} is known with the day {known}, and the file says {paid_on}: correct the file or the \
             number; nothing was imported"
        ),
    }
}

fn whose(language: Language) -> String {
    match language {
        Language::French => {
            "à quelle boutique est ce relevé\u{a0}? Indiquez-la par shop dans son [[statement]], ou par --shop"
        }
        Language::English => "whose statement is it? Say so by shop in its [[statement]], or by --shop",
    }
    .to_owned()
}

fn layout<'s>(
    settings: &'s BookSettings,
    id: Option<&str>,
    language: Language,
) -> Result<&'s StatementSettings, Failure> {
    let ids: Vec<&str> = settings.statements.iter().map(|layout| layout.profile.id.as_str()).collect();
    let ids = ids.join(", ");
    let explained = |french: &str, english: &str| Failure::Explained(pair(language, french, english));
    match (id, settings.statements.as_slice()) {
        (_, []) => Err(explained(
            "la configuration n’a pas de [[statement]] qui dise comment un tel fichier est fait (voir config.example.toml)",
            "the configuration has no [[statement]] that says how such a file is laid out (see config.example.toml)",
        )),
        (None, [only]) => Ok(only),
        (None, _) => Err(explained(
            &format!("quelle présentation\u{a0}? Indiquez --layout, parmi\u{a0}: {ids}"),
            &format!("which layout? give --layout, one of: {ids}"),
        )),
        (Some(id), layouts) => layouts.iter().find(|layout| layout.profile.id == id).ok_or_else(|| {
            explained(
                &format!("il n’y a pas de présentation {id}\u{a0}; il y a\u{a0}: {ids}"),
                &format!("there is no layout {id}; there are: {ids}"),
            )
        }),
    }
}
