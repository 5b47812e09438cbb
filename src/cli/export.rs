//! `export`: files for the accountant. Everything in one file is of one moment of the ledger.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use cvco_domain::{Day, Period, ShopId};
use cvco_ledger::Reader;

use super::extract::{Order, Span, TableFormat, What, in_place, write};
use super::{Failure, Outcome, book_settings, known_shop, output};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What to export.
    what: What,
    /// A whole month, 2026-03.
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    period: Option<Period>,
    /// From this day on, 2026-03-01.
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Day>,
    /// To this day.
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Day>,
    /// Only this shop's.
    #[arg(long, value_name = "ID")]
    shop: Option<ShopId>,
    /// The file, or a folder for it; without it, standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With entries of periods that are not closed: provisional numbers that begin with D, and no date of validation.
    #[arg(long)]
    draft: bool,
    /// The form of register, gaps, ageing and totals.
    #[arg(long, default_value = "csv")]
    format: TableFormat,
    /// With trials, in the register.
    #[arg(long)]
    with_trials: bool,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let settings = book_settings(path)?;
    known_shop(&settings, options.shop.as_ref())?;
    let span = match (options.period, options.from, options.to) {
        (Some(period), _, _) => Span::of(period),
        (None, Some(from), Some(to)) if from <= to => Span { from, to },
        _ => return Err(Failure::Usage("--to is before --from".to_owned())),
    };
    let order = Order {
        what: options.what,
        span,
        shop: options.shop.as_ref(),
        drafts: options.draft.then_some(&settings.accounting.books),
        format: options.format,
        with_trials: options.with_trials,
        is_closing: false,
    };
    let is_table = options.what.report().is_some();
    if options.format == TableFormat::Xlsx && !is_table {
        return Err(Failure::Usage("only register, gaps, ageing and totals come as workbooks".to_owned()));
    }
    let reader = Reader::open(&settings.ledger.path)?;
    let siren = settings.accounting.siren_of(options.shop.as_ref());
    let name = options.what.file_name(span, siren, options.format);
    let target = options
        .output
        .as_deref()
        .filter(|file| *file != Path::new("-"))
        .map(|file| if file.is_dir() { file.join(&name) } else { file.to_owned() });
    let Some(target) = target else {
        let mut out = BufWriter::new(io::stdout().lock());
        reader.extract(|extract| write(extract, &order, &mut out))?;
        out.flush().map_err(Failure::io("standard output"))?;
        return Ok(Outcome::Fine);
    };
    let written = in_place(&target, |out| reader.extract(|extract| write(extract, &order, out)))?;
    output::line(format!("{}: {written}", target.display()))?;
    Ok(Outcome::Fine)
}
