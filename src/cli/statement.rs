//! `statement import`: what ANCV reimbursed, what the bank paid out.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cvco_books::settlement::{self, Given};
use cvco_domain::crypto::sha256;
use cvco_domain::{Day, ShopId, Statement, StatementNumber};
use cvco_log::entry::ImportedStatement;
use cvco_log::{Draft, LogEntry};
use serde::Serialize;

use super::append::Writer;
use super::{Failure, Outcome, ReportFormat, book_settings, known_shop, output};
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

pub(super) fn run(path: &Path, command: &Command) -> Result<Outcome, Failure> {
    let Command::Import(options) = command;
    let settings = book_settings(path)?;
    known_shop(&settings, options.shop.as_ref())?;
    let layout = layout(&settings, options.layout.as_deref())?;
    let shop = options
        .shop
        .clone()
        .or_else(|| layout.profile.shop.clone())
        .or_else(|| if let [only] = settings.shops.as_slice() { Some(only.clone()) } else { None })
        .ok_or_else(|| Failure::Usage("whose statement is it? give --shop".to_owned()))?;
    let bytes = std::fs::read(&options.file).map_err(Failure::io(options.file.display().to_string()))?;
    let stem = options.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let number = options.number.clone().or_else(|| stem.and_then(|stem| StatementNumber::new(stem).ok()));
    let given = Given { shop, number, paid_on: options.paid_on };
    let statements = settlement::read(&bytes, &layout.profile, &given).map_err(|error| {
        Failure::Usage(format!("{}:\n{error}\nnothing was imported", options.file.display()))
    })?;
    let file_sha256 = sha256(&[&bytes]).to_string();
    let imported = import(&mut Writer::open(&settings.ledger)?, statements, &file_sha256)?;
    if options.format == ReportFormat::Json {
        output::json(&imported)?;
    } else if imported.is_empty() {
        output::line("this very file was imported before: nothing changed")?;
    } else {
        for statement in &imported {
            let lines = i64::try_from(statement.lines).unwrap_or(i64::MAX);
            let known = lines.saturating_sub(statement.new);
            output::line(format!(
                "{}: {} lines imported, {known} were known; {} belong to no payment that is known",
                statement.number, statement.new, statement.unknown
            ))?;
        }
    }
    let unknown = imported.iter().any(|statement| statement.unknown > 0);
    Ok(if unknown { Outcome::FoundSomething } else { Outcome::Fine })
}

/// What came of a statement.
#[derive(Debug, Serialize)]
struct Imported {
    number: StatementNumber,
    /// Its lines in the file.
    lines: usize,
    /// How many of them were not known.
    new: i64,
    /// How many lines of the statement belong to no payment that is known.
    unknown: i64,
}

/// Imports the statements of a file, all or none; nothing of a file that was imported before.
fn import(
    writer: &mut Writer,
    statements: Vec<Statement>,
    file_sha256: &str,
) -> Result<Vec<Imported>, Failure> {
    let reader = writer.reader()?;
    if reader.is_statement_file_known(file_sha256)? {
        return Ok(Vec::new());
    }
    let mut drafts = Vec::with_capacity(statements.len());
    let mut known = Vec::with_capacity(statements.len());
    for statement in &statements {
        if let Some(obstacle) = reader.obstacle_to_import(statement)? {
            return Err(Failure::Refused(obstacle));
        }
        known.push(reader.statement_lines(statement)?.lines);
        let imported =
            ImportedStatement { statement: statement.clone(), file_sha256: file_sha256.to_owned() };
        drafts.push(Draft::new(&LogEntry::Statement(imported))?);
    }
    for stamp in writer.append(&drafts, || {})? {
        if let Some(refusal) = reader.refusal(stamp.seq)? {
            return Err(Failure::Refused(refusal));
        }
    }
    let report = |(statement, known): (Statement, i64)| {
        let count = reader.statement_lines(&statement)?;
        Ok(Imported {
            lines: statement.lines.len(),
            new: count.lines.saturating_sub(known),
            unknown: count.unknown,
            number: statement.number,
        })
    };
    statements.into_iter().zip(known).map(report).collect()
}

fn layout<'s>(settings: &'s BookSettings, id: Option<&str>) -> Result<&'s StatementSettings, Failure> {
    let ids = || {
        let ids: Vec<&str> = settings.statements.iter().map(|layout| layout.profile.id.as_str()).collect();
        ids.join(", ")
    };
    match (id, settings.statements.as_slice()) {
        (_, []) => Err(Failure::Usage(
            "the configuration has no [[statement]] that says how such a file is laid out (see config.example.toml)"
                .to_owned(),
        )),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!("which layout? give --layout, one of: {}", ids()))),
        (Some(id), layouts) => layouts
            .iter()
            .find(|layout| layout.profile.id == id)
            .ok_or_else(|| Failure::Usage(format!("there is no layout {id}; there are: {}", ids()))),
    }
}
