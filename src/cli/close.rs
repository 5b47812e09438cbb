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
use super::exporting::{Order, Span, TableFormat, What, books, in_place, write};
use super::{Failure, Outcome, output};
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
    let settings = books(path)?;
    if let Some(folder) = &options.output {
        fs::create_dir_all(folder).map_err(Failure::io(folder.display().to_string()))?;
    }
    let reader = Reader::open(&settings.ledger.path)?;
    if !reader.has_witness(options.period)? {
        close(&settings, options.period)?;
    }
    let manifest = reader.extract(|extract| {
        let manifest = extract.manifest(options.period)?.unwrap_or_default();
        if let Some(folder) = &options.output {
            write_all(extract, &settings, options.period, &manifest, folder)?;
        }
        Ok::<_, Failure>(manifest)
    })?;
    output::line(manifest)?;
    Ok(Outcome::Fine)
}

/// Closes a period, and then says in the log what its exports are, byte for byte. A close that was interrupted between the
/// two goes on where it stopped.
fn close(settings: &BookSettings, period: Period) -> Result<(), Failure> {
    let mut writer = Writer::open(&settings.ledger)?;
    let reader = writer.reader()?;
    let is_closed = reader.extract(|extract| extract.manifest(period).map_err(Failure::from))?.is_some();
    if !is_closed {
        if let Some(obstacle) = reader.obstacle_to_close(period, writer.now().paris_day())? {
            return Err(Failure::Refused(obstacle));
        }
        let spinner = output::spinner("closing the month");
        let entry = LogEntry::Close(Close { period, books: settings.accounting.books.clone() });
        let stamps = writer.append(&[Draft::new(&entry)?], || spinner.tick())?;
        spinner.finish_and_clear();
        for stamp in stamps {
            if let Some(reason) = reader.refusal(stamp.seq)? {
                return Err(Failure::Refused(reason));
            }
        }
    }
    let exports = reader.extract(|extract| digests(extract, period))?;
    writer.append_one(Draft::new(&LogEntry::Witness(Witness { period, exports }))?)?;
    Ok(())
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
