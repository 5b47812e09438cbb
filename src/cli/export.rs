//! `export`: files for the accountant. Everything in one file is of one moment of the ledger.

use std::fs;
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
        language: settings.language,
    };
    let is_table = options.what.report().is_some();
    if options.format == TableFormat::Xlsx && !is_table {
        return Err(Failure::Usage("only register, gaps, ageing and totals come as workbooks".to_owned()));
    }
    let reader = Reader::open(&settings.ledger.path)?;
    let siren = settings.accounting.siren_of(options.shop.as_ref());
    let name = options.what.file_name(span, siren, options.format);
    let target = match options.output.as_deref().filter(|file| *file != Path::new("-")) {
        Some(output) => Some(target(output, &name)?),
        None => None,
    };
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

/// The file that is written. What could be meant for a folder must not become a file that the next export overwrites.
fn target(output: &Path, name: &str) -> Result<PathBuf, Failure> {
    let make = |folder: &Path| {
        fs::create_dir_all(folder).map_err(Failure::io(format!("the folder {}", folder.display())))
    };
    if output.is_dir() {
        return Ok(output.join(name));
    }
    if output.as_os_str().as_encoded_bytes().ends_with(b"/") {
        make(output)?;
        return Ok(output.join(name));
    }
    if output.extension().is_none() {
        let shown = output.display();
        return Err(Failure::Usage(if output.exists() {
            format!("{shown} is a file, and its name has no ending: name a folder, or a file such as {name}")
        } else {
            format!(
                "there is no folder {shown}: write {shown}/ to have it made; or name a file with its ending, such as {name}"
            )
        }));
    }
    if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make(folder)?;
    }
    Ok(output.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_or_refused_and_never_becomes_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let target = |path: PathBuf| target(&path, "registre.csv").map_err(|failure| failure.to_string());
        assert_eq!(target(folder.path().to_owned()), Ok(at("registre.csv")));
        assert_eq!(target(at("mars/")), Ok(at("mars/registre.csv")));
        assert!(at("mars").is_dir());
        assert_eq!(target(at("mars")), Ok(at("mars/registre.csv")));
        assert_eq!(target(at("a/b/r.csv")), Ok(at("a/b/r.csv")));
        assert!(at("a/b").is_dir());
        let told = target(at("avril")).expect_err("ambiguous");
        assert!(told.contains("there is no folder") && told.contains("avril/"), "{told}");
        assert!(!at("avril").exists());
        fs::write(at("mai"), "").expect("a file");
        assert!(target(at("mai")).expect_err("a file").contains("is a file"));
    }
}
