//! `orders import`: registers orders from a CSV file; none if any line is wrong.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use cvco_domain::{OrderRef, ShopId};
use cvco_ledger::{LedgerError, Reader};
use cvco_log::entry::OrderRegistration;
use cvco_log::{Draft, LogEntry};

use super::append::Writer;
use super::{Failure, Outcome, load, output};
use crate::admin::RawOrder;
use crate::config::Shop;

/// So many orders are one group in the log, so that the daemon's notifications get in between.
const PORTION: usize = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register the orders of a CSV file: `shop, reference, total_cents, currency, due, instalments`; comma or semicolon.
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
    let text = text.map_err(|error| {
        if error.kind() == ErrorKind::InvalidData {
            Failure::Usage(format!("{}: not UTF-8; a spreadsheet calls it \"CSV UTF-8\"", file.display()))
        } else {
            Failure::io(file.display().to_string())(error)
        }
    })?;
    let orders = parse(&text, &config.shops)
        .map_err(|what| Failure::Usage(format!("{}: {what}; nothing was imported", file.display())))?;
    let mut writer = Writer::open(&config.ledger)?;
    let reader = writer.reader()?;
    let mut registered = 0_usize;
    for portion in orders.chunks(PORTION) {
        let new = new_ones(&reader, portion)?;
        registered = registered.saturating_add(new.len());
        let drafts = new.into_iter().map(|order| Draft::new(&LogEntry::Order(order.clone())));
        writer.append(&drafts.collect::<Result<Vec<_>, _>>()?, || {})?;
    }
    output::line(format!(
        "{registered} orders registered, {} were registered already",
        orders.len().saturating_sub(registered)
    ))?;
    Ok(Outcome::Fine)
}

/// The orders that the ledger does not know as they are registered here; a file may also name one twice.
fn new_ones<'o>(
    reader: &Reader,
    orders: &'o [OrderRegistration],
) -> Result<Vec<&'o OrderRegistration>, LedgerError> {
    let mut new: Vec<&OrderRegistration> = Vec::new();
    let mut last: BTreeMap<(&ShopId, &OrderRef), &OrderRegistration> = BTreeMap::new();
    for order in orders {
        let is_known = match last.insert((&order.shop, &order.reference), order) {
            Some(before) => before == order,
            None => reader.is_current(order)?,
        };
        if !is_known {
            new.push(order);
        }
    }
    Ok(new)
}

fn parse(text: &str, shops: &[Shop]) -> Result<Vec<OrderRegistration>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut orders = Vec::new();
    for order in reader.deserialize::<RawOrder>() {
        let line = orders.len().saturating_add(2);
        let order = order.map_err(|error| format!("line {line}: {}", plain(&error, &columns)))?;
        let order = order.check(shops).map_err(|error| format!("line {line}: {error}"))?;
        orders.push(order);
    }
    Ok(orders)
}

/// The library's words, with the column's name instead of its number, and what would be right.
fn plain(error: &csv::Error, columns: &csv::StringRecord) -> String {
    if let csv::ErrorKind::Deserialize { err, .. } = error.kind() {
        let column = err.field().and_then(|n| usize::try_from(n).ok()).and_then(|n| columns.get(n));
        match column {
            Some("total_cents") => "total_cents: write whole cents in digits, as 10000 for 100.00".to_owned(),
            Some(column) => format!("{column}: {}", err.kind()),
            None => err.kind().to_string(),
        }
    } else if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        format!("{len} fields under {expected_len} columns")
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(line: &str) -> String {
        let text = format!("shop;reference;total_cents\n{line}\n");
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
        let columns = reader.headers().expect("headers").clone();
        let error = reader.deserialize::<RawOrder>().next().expect("a line").expect_err("wrong");
        plain(&error, &columns)
    }

    #[test]
    fn a_wrong_line_is_explained_by_the_column() {
        assert_eq!(
            complaint("camping;A1;12,50"),
            "total_cents: write whole cents in digits, as 10000 for 100.00"
        );
        assert_eq!(complaint("camping;A1"), "2 fields under 3 columns");
    }
}
