//! `close`: freezes a month. What was booked, and its manifest, never change afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use cvco_books::export::fec_notice;
use cvco_domain::Period;
use cvco_domain::crypto::{Sha256Writer, sha256};
use cvco_ledger::{Extract, Reader};
use cvco_log::entry::{Close, Witness};
use cvco_log::{Draft, LogEntry};

use super::append::Writer;
use super::extract::{Order, Span, TableFormat, What, in_place, write};
use super::{Failure, Outcome, book_settings, output};
use crate::config::BookSettings;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The month, 2026-03.
    #[arg(long, value_name = "MONTH")]
    period: Period,
    /// A folder for the exports and the manifest.
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let settings = book_settings(path)?;
    let period = options.period;
    if let Some(folder) = &options.output {
        fs::create_dir_all(folder).map_err(Failure::io(folder.display().to_string()))?;
    }
    let reader = Reader::open(&settings.ledger.path)?;
    // A close that was interrupted has no witness yet.
    if !reader.extract(|extract| extract.is_witnessed(period))? {
        let mut writer = Writer::open(&settings.ledger)?;
        let reader = writer.reader()?;
        if reader.extract(|extract| extract.manifest(period))?.is_none() {
            close(&mut writer, &reader, &settings, period)?;
        }
        let exports = reader.extract(|extract| digests(extract, period))?;
        writer.append_one(Draft::new(&LogEntry::Witness(Witness { period, exports }))?)?;
    }
    let manifest = reader.extract(|extract| {
        let manifest = extract.manifest(period)?.unwrap_or_default();
        if let Some(folder) = &options.output {
            write_all(extract, &settings, period, &manifest, folder)?;
        }
        Ok::<_, Failure>(manifest)
    })?;
    output::line(manifest)?;
    Ok(Outcome::Fine)
}

/// Closes a period. The rules are asked before, so that a close that they do not allow is not even written down; they are
/// asked again when it is folded, and what came in between may have changed the answer.
fn close(
    writer: &mut Writer,
    reader: &Reader,
    settings: &BookSettings,
    period: Period,
) -> Result<(), Failure> {
    let refused = |obstacle: Option<String>| match obstacle {
        Some(obstacle) => Err(Failure::Refused(obstacle)),
        None => Ok(()),
    };
    refused(reader.obstacle_to_close(period, writer.now().paris_day())?)?;
    let close = Close { period, books: settings.accounting.books.clone() };
    let spinner = output::spinner("closing");
    let stamps = writer.append(&[Draft::new(&LogEntry::Close(close))?], || spinner.tick())?;
    spinner.finish_and_clear();
    match stamps.last() {
        Some(stamp) => refused(reader.refusal(stamp.seq)?),
        None => Ok(()),
    }
}

fn order(what: What, period: Period) -> Order<'static> {
    let span = Span::of(period);
    Order {
        what,
        span,
        shop: None,
        drafts: None,
        format: TableFormat::Csv,
        with_trials: false,
        is_closing: true,
    }
}

/// SHA-256 of each export.
fn digests(extract: Extract<'_>, period: Period) -> Result<BTreeMap<String, String>, Failure> {
    let mut digests = BTreeMap::new();
    for what in What::ALL {
        let mut hashed = Sha256Writer::default();
        write(extract, &order(what, period), &mut hashed)?;
        digests.insert(what.name().to_owned(), hashed.finish().to_string());
    }
    Ok(digests)
}

/// Writes the exports and the manifest. Lists that show the present, such as gaps, may have moved on since the close: such
/// a one is not written, for it would not be what the manifest says.
fn write_all(
    extract: Extract<'_>,
    settings: &BookSettings,
    period: Period,
    manifest: &str,
    folder: &Path,
) -> Result<(), Failure> {
    let stated: serde_json::Value = serde_json::from_str(manifest).map_err(anyhow::Error::from)?;
    let siren = settings.accounting.siren_of(None);
    for what in What::ALL {
        let mut bytes = Vec::new();
        write(extract, &order(what, period), &mut bytes)?;
        let name = what.file_name(Span::of(period), siren, TableFormat::Csv);
        let digest = sha256(&[&bytes]).to_string();
        if stated.pointer(&format!("/exports_sha256/{}", what.name())).and_then(|s| s.as_str())
            == Some(&digest)
        {
            put(&folder.join(name), &bytes)?;
        } else {
            tracing::warn!(export = what.name(), "has changed since the close, and was not written again");
        }
    }
    put(&folder.join(format!("manifeste-{period}.json")), manifest.as_bytes())?;
    put(&folder.join("LISEZMOI.txt"), fec_notice().as_bytes())
}

fn put(target: &Path, bytes: &[u8]) -> Result<(), Failure> {
    in_place(target, |out| out.write_all(bytes).map_err(Failure::io(target.display().to_string())))
}
