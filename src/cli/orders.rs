//! `orders import`: registers orders from a CSV file, all or none.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, Outcome, load, output};
use crate::admin::RawOrder;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::{Entry, Store, Taken};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register the orders of a CSV file: `shop, reference, total_cents, currency, due`; comma or semicolon.
    Import {
        /// The file, in UTF-8; `-` is standard input.
        file: PathBuf,
    },
}

pub(super) fn run(path: &Path, command: &Command) -> Result<Outcome, Failure> {
    let Command::Import { file } = command;
    let config = load(path)?;
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(Failure::io(file.display().to_string()))?;
    let entries = parse(&text, &config)
        .map_err(|what| Failure::Usage(format!("{}: {what}; nothing was imported", file.display())))?;
    let mut store = Store::open(&config.ledger.path, &config.ledger.payload_key_file)?;
    let taken = store.take_all(Clock::system().now(), &entries)?;
    let unchanged = taken.iter().filter(|taken| **taken == Taken::Unchanged).count();
    output::line(format!(
        "{} orders registered, {unchanged} were registered already",
        taken.len().saturating_sub(unchanged)
    ))?;
    Ok(Outcome::Fine)
}

fn parse(text: &str, config: &Config) -> Result<Vec<Entry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut entries = Vec::new();
    for order in reader.deserialize::<RawOrder>() {
        let line = entries.len().saturating_add(2);
        let order = order.map_err(|error| format!("line {line}: {}", plain(&error)))?;
        let order = order.check(config).map_err(|error| format!("line {line}: {error}"))?;
        entries.push(Entry::Order(order));
    }
    Ok(entries)
}

fn plain(error: &csv::Error) -> String {
    if let csv::ErrorKind::Deserialize { err, .. } = error.kind() {
        err.to_string()
    } else {
        error.to_string()
    }
}
