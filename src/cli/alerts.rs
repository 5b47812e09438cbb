//! `alerts`: what does not match, and what a person has to say of it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::output::Listing;
use super::{Failure, Format, Outcome, ledger_settings, open_reader, output};
use crate::clock::Clock;
use crate::domain::{Cents, Timestamp};
use crate::ledger::{Acknowledgement, DiscrepancyRow, Entry, Store};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the open discrepancies.
    List {
        /// Also those that have closed.
        #[arg(long)]
        all: bool,
        /// No more than so many, the latest first.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// The form of the listing.
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Note that a person has seen a discrepancy; kept for ever in the log.
    Ack {
        /// Its number, as in the list and in the e-mail.
        id: i64,
        /// What was found or done.
        #[arg(long)]
        note: String,
    },
}

pub(super) fn run(path: &Path, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::List { all, limit, format } => list(path, *all, *limit, *format),
        Command::Ack { id, note } => acknowledge(path, *id, note),
    }
}

fn list(path: &Path, all: bool, limit: u32, format: Format) -> Result<Outcome, Failure> {
    let reader = open_reader(path)?;
    let found = reader.discrepancies(!all, limit)?;
    let values: Vec<_> = found.iter().map(as_json).collect();
    listing(&found).print(format, &values, if all { "no discrepancies" } else { "no open discrepancies" })?;
    if let (waiting, Some(error)) = reader.mails_waiting()? {
        output::complain(&Failure::Usage(format!("{waiting} e-mails wait to be sent; last error: {error}")));
    }
    Ok(Outcome::Fine)
}

/// Discrepancies as a table; shared with `demo`.
pub(super) fn listing(found: &[DiscrepancyRow]) -> Listing {
    let headers = [
        "id",
        "severity",
        "kind",
        "shop",
        "endpoint",
        "order",
        "call number",
        "expected",
        "found",
        "since",
        "until",
        "note",
    ];
    let mut listing = Listing::new(&headers, &[0, 7, 8]);
    let money = |cents: Option<Cents>| cents.map(|c| c.to_string()).unwrap_or_default();
    for row in found {
        listing.push(vec![
            row.id.to_string(),
            row.kind.severity().to_string(),
            row.kind.to_string(),
            row.shop.to_string(),
            row.endpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.order_ref.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.call_number.as_ref().map(ToString::to_string).unwrap_or_default(),
            money(row.expected),
            money(row.actual),
            row.opened_at.paris_text(),
            row.closed_at.map(Timestamp::paris_text).unwrap_or_default(),
            row.acked.as_ref().map(|(_, _, note)| note.clone()).unwrap_or_default(),
        ]);
    }
    listing
}

fn as_json(row: &DiscrepancyRow) -> serde_json::Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "severity": row.kind.severity(),
        "shop": row.shop,
        "psp": row.psp,
        "endpoint": row.endpoint,
        "order_ref": row.order_ref,
        "call_number": row.call_number,
        "expected_cents": row.expected,
        "actual_cents": row.actual,
        "detail": row.particulars(),
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "acked_at": row.acked.as_ref().map(|(at, _, _)| at),
        "acked_by": row.acked.as_ref().map(|(_, by, _)| by),
        "acked_note": row.acked.as_ref().map(|(_, _, note)| note),
    })
}

fn acknowledge(path: &Path, id: i64, note: &str) -> Result<Outcome, Failure> {
    let note = note.trim();
    if note.is_empty() || note.chars().count() > 2000 || note.contains(char::is_control) {
        return Err(Failure::Usage("--note wants 1 to 2000 characters on one line".to_owned()));
    }
    let settings = ledger_settings(path)?;
    let mut store = Store::open_existing(&settings.path, &settings.payload_key_file)?;
    let ack = Acknowledgement { discrepancy: id, note: note.to_owned(), by: account() };
    store.take_all(Clock::system().now(), &[Entry::Acknowledgement(ack)])?;
    output::line(format!("discrepancy {id} acknowledged"))?;
    Ok(Outcome::Fine)
}

/// The account behind the command: the one before `sudo`, else the one that runs it.
fn account() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(std::env::var_os);
    let name = named.map(|name| name.to_string_lossy().into_owned()).or_else(|| {
        let own = std::fs::metadata("/proc/self").ok()?;
        Some(format!("uid {}", own.uid()))
    });
    name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(64).collect()
}
