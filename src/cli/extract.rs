//! What `export` and `close` write: entries for accounting software, and lists; each of one moment of the ledger.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use clap::ValueEnum;
use cvco_books::accounting::{Cell, Column, Report};
use cvco_books::export::{
    Beancount, Checker, EntriesCsv, EntryFile, Fec, Headings, JournalFile, Summary, TableCsv, TableFile,
    TableWorkbook, fec_file_name,
};
use cvco_domain::{Books, Cents, Day, Detail, Issuer, Period, Psp, ShopId};
use cvco_ledger::{EntryRange, Extract, ReportRange};
use cvco_mail::{Language, lists};
use indicatif::ProgressBar;

use super::{Failure, output};

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum What {
    /// Entries in the layout of a FEC, for accounting software.
    Fec,
    /// Entries for spreadsheets and other importers.
    Entries,
    /// Entries for hledger and ledger.
    Journal,
    /// Entries for beancount.
    Beancount,
    /// One row for each payment.
    Register,
    /// What does not match.
    Gaps,
    /// What was received and not paid out, at the end of the span.
    Ageing,
    /// What came in, went back and was paid out, by day and month.
    Totals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// For a French Excel: `;` and decimal comma.
    Csv,
    /// A workbook.
    Xlsx,
}

impl What {
    pub(super) const ALL: [Self; 8] = [
        Self::Fec,
        Self::Entries,
        Self::Journal,
        Self::Beancount,
        Self::Register,
        Self::Gaps,
        Self::Ageing,
        Self::Totals,
    ];

    /// The name in a manifest.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fec => "fec",
            Self::Entries => "entries",
            Self::Journal => "journal",
            Self::Beancount => "beancount",
            Self::Register => "register",
            Self::Gaps => "gaps",
            Self::Ageing => "ageing",
            Self::Totals => "totals",
        }
    }

    pub(super) const fn report(self) -> Option<Report> {
        match self {
            Self::Fec | Self::Entries | Self::Journal | Self::Beancount => None,
            Self::Register => Some(Report::Register),
            Self::Gaps => Some(Report::Gaps),
            Self::Ageing => Some(Report::Ageing),
            Self::Totals => Some(Report::Totals),
        }
    }

    /// The usual name of its file.
    pub(super) fn file_name(self, span: Span, siren: Option<&str>, format: TableFormat) -> String {
        let of = span.name();
        let table = match format {
            TableFormat::Csv => "csv",
            TableFormat::Xlsx => "xlsx",
        };
        match self {
            Self::Fec => siren.map_or_else(|| format!("fec-{of}.txt"), |siren| fec_file_name(siren, span.to)),
            Self::Entries => format!("ecritures-{of}.csv"),
            Self::Journal => format!("ecritures-{of}.journal"),
            Self::Beancount => format!("ecritures-{of}.beancount"),
            Self::Register => format!("registre-{of}.{table}"),
            Self::Gaps => format!("ecarts-{of}.{table}"),
            Self::Ageing => format!("balance-agee-{of}.{table}"),
            Self::Totals => format!("totaux-{of}.{table}"),
        }
    }
}

/// The days of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Day,
    pub(super) to: Day,
}

impl Span {
    pub(super) fn of(period: Period) -> Self {
        Self { from: period.first(), to: period.last() }
    }

    fn name(self) -> String {
        let period = self.from.period();
        if self == Self::of(period) { period.to_string() } else { format!("{}-{}", self.from, self.to) }
    }
}

/// What an export depends on beside the ledger.
pub(super) struct Order<'a> {
    pub(super) what: What,
    pub(super) span: Span,
    pub(super) shop: Option<&'a ShopId>,
    pub(super) drafts: Option<&'a Books>,
    pub(super) format: TableFormat,
    pub(super) with_trials: bool,
    /// The period is just being closed.
    pub(super) is_closing: bool,
    /// That of headings and words.
    pub(super) language: Language,
    /// Somebody sees how far it has come.
    pub(super) is_watched: bool,
}

/// Writes a file beside its place and moves it there once it is whole: nobody imports half of one.
pub(super) fn in_place<T>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = || Failure::io(target.display().to_string());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    let mut out = BufWriter::with_capacity(1 << 16, beside);
    let written = write(&mut out)?;
    let beside = out.into_inner().map_err(|error| failed()(error.into_error()))?;
    beside.as_file().sync_all().map_err(failed())?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    fs::set_permissions(beside.path(), mode).map_err(failed())?;
    beside.persist(target).map_err(|error| failed()(error.error))?;
    Ok(written)
}

/// Writes an export, and says what it holds.
pub(super) fn write(extract: Extract<'_>, order: &Order<'_>, out: &mut dyn Write) -> Result<String, Failure> {
    match order.what.report() {
        Some(report) => write_table(extract, report, order, out),
        None => write_entries(extract, order, out),
    }
}

fn write_table(
    extract: Extract<'_>,
    report: Report,
    order: &Order<'_>,
    out: &mut dyn Write,
) -> Result<String, Failure> {
    let range = ReportRange {
        from: order.span.from,
        to: order.span.to,
        shop: order.shop.cloned(),
        with_trials: order.with_trials,
    };
    let failed = || Failure::io("the export");
    let headings = match order.language {
        Language::French => Headings::French,
        Language::English => Headings::Names,
    };
    let mut file: Box<dyn TableFile + '_> = match order.format {
        TableFormat::Csv => Box::new(TableCsv::new(out, report, headings).map_err(failed())?),
        TableFormat::Xlsx => Box::new(TableWorkbook::new(out, report, headings).map_err(failed())?),
    };
    let spinner = output::spinner(order.what.name(), order.is_watched);
    let mut rows = 0_u64;
    extract.each_row(report, &range, |cells| {
        rows = rows.saturating_add(1);
        file.row(&in_words(order.language, report, cells)).map_err(failed())
    })?;
    file.end().map_err(failed())?;
    spinner.finish_and_clear();
    Ok(format!("{rows} rows"))
}

/// The ledger's own words in those that an accountant reads. Where the headings are names for programs, so are the words of
/// all columns but the particulars.
fn in_words(language: Language, report: Report, cells: &[Cell]) -> Vec<Cell> {
    let detail = particulars(report, cells);
    let back = money(report, cells, "refunded").zip(money(report, cells, "taken_back"));
    let is_charged_back = back.is_some_and(|(back, taken)| taken.is_positive() && taken >= back);
    let said = |name: &str, text: &str| -> Option<String> {
        match (language, name) {
            (_, "detail") => lists::detail(language, &detail).or_else(|| Some(String::new())),
            (Language::French, "instrument") => {
                let instrument = text.parse().ok()?;
                let brand = issuer(report, cells).and_then(|issuer| issuer.brands().into_iter().next());
                Some(lists::instrument(language, instrument, brand.as_ref()).to_owned())
            }
            (Language::French, "state") if is_charged_back => {
                Some(lists::payment_state(language, text.parse().ok()?, true).to_owned())
            }
            (Language::French, _) => in_french(name, text, &detail),
            (Language::English, _) => None,
        }
    };
    let cell = |(cell, (name, _, _)): (&Cell, &Column)| match cell {
        Cell::Text(text) => Cell::Text(said(name, text).unwrap_or_else(|| text.clone())),
        Cell::Empty | Cell::Money(_) | Cell::Count(_) | Cell::Day(_) | Cell::Instant(_) => cell.clone(),
    };
    cells.iter().zip(report.columns()).map(cell).collect()
}

/// What a discrepancy of the list says beside its figures.
fn particulars(report: Report, cells: &[Cell]) -> Detail {
    let mut columns = cells.iter().zip(report.columns());
    let Some((Cell::Text(json), _)) = columns.find(|(_, (name, _, _))| *name == "detail") else {
        return Detail::Nothing;
    };
    serde_json::from_str(json).unwrap_or_default()
}

/// An amount of a row.
fn money(report: Report, cells: &[Cell], column: &str) -> Option<Cents> {
    let mut columns = cells.iter().zip(report.columns());
    match columns.find(|(_, (name, _, _))| *name == column)? {
        (Cell::Money(cents), _) => Some(*cents),
        (_, _) => None,
    }
}

/// Who owes the part of a row.
fn issuer(report: Report, cells: &[Cell]) -> Option<Issuer> {
    let mut columns = cells.iter().zip(report.columns());
    match columns.find(|(_, (name, _, _))| *name == "issuer")? {
        (Cell::Text(issuer), _) => issuer.parse().ok(),
        (_, _) => None,
    }
}

fn in_french(column: &str, text: &str, detail: &Detail) -> Option<String> {
    let french = Language::French;
    Some(match column {
        "state" => lists::order_state(french, text, []),
        "kind" => match text.parse() {
            Ok(kind) => lists::kind(french, kind, detail),
            // A payment that lacks something and is no discrepancy yet.
            Err(_) => lists::order_state(french, text, []),
        },
        "level" => match text {
            "day" => "jour".to_owned(),
            "month" => "mois".to_owned(),
            "carried" => "rappels".to_owned(),
            "entries" => "écritures".to_owned(),
            _ => return None,
        },
        "severity" => lists::severity(french, text.parse().ok()?).to_owned(),
        "psp" => text.parse::<Psp>().ok()?.title().to_owned(),
        "issuer" if text == "bank" => "banque".to_owned(),
        "issuer" if text == "ancv" => "ANCV".to_owned(),
        // A name.
        "issuer" => {
            let mut letters = text.chars();
            letters.next()?.to_uppercase().chain(letters).collect()
        }
        _ => return None,
    })
}

fn write_entries(extract: Extract<'_>, order: &Order<'_>, out: &mut dyn Write) -> Result<String, Failure> {
    let range = EntryRange {
        from: order.span.from,
        to: order.span.to,
        shop: order.shop.cloned(),
        drafts: order.drafts.cloned(),
    };
    let closed_through = extract.closed_through()?;
    if !order.is_closing && range.drafts.is_none() && closed_through.is_none_or(|closed| closed < range.to) {
        let open = closed_through.map_or(range.from, |closed| closed.next().max(range.from)).period();
        return Err(Failure::Explained(output::pair(
            order.language,
            &format!(
                "{open} n’est pas clôturé\u{a0}: clôturez-le d’abord (`close --period {open}`), ou prenez un projet avec --draft"
            ),
            &format!(
                "{open} is not closed: close it first (`close --period {open}`), or take drafts with --draft"
            ),
        )));
    }
    let bar = if order.is_watched { output::progress_bar(order.what.name()) } else { ProgressBar::hidden() };
    let lines = u64::try_from(extract.entry_lines(&range)?).unwrap_or(0);
    bar.set_length(lines.saturating_mul(2));
    let summary = checked(extract, &range, &bar)?;
    let failed = || Failure::io("the export");
    let mut file: Box<dyn EntryFile + '_> = match order.what {
        What::Fec => Box::new(Fec::new(out).map_err(failed())?),
        What::Entries => Box::new(EntriesCsv::new(out).map_err(failed())?),
        What::Journal => Box::new(JournalFile::new(out, summary.clone()).map_err(failed())?),
        What::Beancount => Box::new(Beancount::new(out, summary.clone()).map_err(failed())?),
        What::Register | What::Gaps | What::Ageing | What::Totals => {
            return Err(Failure::Usage(format!("{} is no list of entries", order.what.name())));
        }
    };
    extract.each_entry(&range, |entry| {
        bar.inc(entry.lines.len() as u64);
        file.entry(&entry).map_err(failed())
    })?;
    file.end().map_err(failed())?;
    bar.finish_and_clear();
    Ok(format!("{} entries, {} lines", summary.entries, summary.lines))
}

/// Looks at every entry before the first is written.
fn checked(extract: Extract<'_>, range: &EntryRange, bar: &ProgressBar) -> Result<Summary, Failure> {
    let flawed = |flaw: cvco_books::export::Flaw| Failure::Other(anyhow::anyhow!("{flaw}"));
    let mut checker = Checker::default();
    extract.each_entry(range, |entry| {
        bar.inc(entry.lines.len() as u64);
        checker.entry(&entry).map_err(flawed)
    })?;
    checker.finish(false).map_err(flawed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a list with these values; all others are empty.
    fn row(report: Report, values: &[(&str, Cell)]) -> Vec<Cell> {
        let value =
            |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, cell)| cell.clone());
        report.columns().iter().map(|(name, _, _)| value(name).unwrap_or(Cell::Empty)).collect()
    }

    fn said(language: Language, report: Report, column: &str, values: &[(&str, Cell)]) -> String {
        let words = in_words(language, report, &row(report, values));
        let place = report.columns().iter().position(|(name, _, _)| *name == column).expect("a column");
        match words.get(place) {
            Some(Cell::Text(text)) => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_bank_took_back_is_no_refund_in_the_register() {
        let state = |state: &str, refunded, taken_back| {
            let values = [
                ("state", Cell::Text(state.to_owned())),
                ("refunded", Cell::Money(Cents::new(refunded))),
                ("taken_back", Cell::Money(Cents::new(taken_back))),
            ];
            said(Language::French, Report::Register, "state", &values)
        };
        assert_eq!(state("part_refunded", 8000, 8000), "impayé en partie");
        assert_eq!(state("refunded", 8000, 8000), "impayé");
        assert_eq!(state("part_refunded", 8000, 3000), "remboursé en partie");
        assert_eq!(state("balanced", 0, 0), "équilibré");
    }

    #[test]
    fn levels_of_totals_are_in_the_language_of_their_headings() {
        for (level, french) in [
            ("day", "jour"),
            ("month", "mois"),
            ("carried", "rappels"),
            ("total", "total"),
            ("entries", "écritures"),
        ] {
            let values = [("level", Cell::Text(level.to_owned()))];
            assert_eq!(said(Language::French, Report::Totals, "level", &values), french);
            assert_eq!(said(Language::English, Report::Totals, "level", &values), level);
        }
    }
}
