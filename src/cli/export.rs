//! `export`: files for the accountant. Everything in one file is of one moment of the ledger.

use std::path::PathBuf;

use clap::Args;
use cvco_domain::{Day, Period, ShopId};
use cvco_ledger::Reader;

use super::extract::{Order, Span, TableFormat, What, write};
use super::site::{Place, Site};
use super::{Failure, Outcome, known_shop};

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
    /// The file, or a folder for it (`mars/`), which is made if it is missing; without it, standard output.
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

impl Options {
    /// Where the file goes.
    pub(super) fn place(&self) -> Place<'_> {
        Place::of(self.output.as_deref())
    }
}

pub(super) fn run(site: &mut dyn Site, options: &Options) -> Result<Outcome, Failure> {
    let settings = site.desk()?.books;
    known_shop(&settings, options.shop.as_ref(), site.language()?)?;
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
        language: settings.language,
        is_watched: site.is_watched(),
    };
    let is_table = options.what.report().is_some();
    if options.format == TableFormat::Xlsx && !is_table {
        return Err(Failure::Usage("only register, gaps, ageing and totals come as workbooks".to_owned()));
    }
    let reader = Reader::open(&settings.ledger.path)?;
    let siren = settings.accounting.siren_of(options.shop.as_ref());
    let name = options.what.file_name(span, siren, options.format);
    reader.extract(|extract| {
        site.file(options.place(), &name, &mut |out| write(extract, &order, out))?;
        Ok(Outcome::Fine)
    })
}
