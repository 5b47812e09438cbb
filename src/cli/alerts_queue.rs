//! `alerts queue`: what has not left yet, on any way, and why.

use std::path::Path;

use clap::Args;
use cvco_domain::{ShopId, Timestamp};
use cvco_ledger::QueuedMail;
use serde_json::json;

use super::output::Listing;
use super::site::Here;
use super::{Failure, Format, Outcome, open_reader};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let queue = open_reader(path)?.queue()?;
    let headers =
        ["way", "kind", "shop", "discrepancies", "waits since", "attempts", "next attempt", "last error"];
    let mut listing = Listing::new(&headers, &[5]);
    for queued in &queue {
        listing.push(vec![
            queued.way.to_string(),
            queued.class.clone(),
            queued.shop.as_ref().map(ShopId::to_string).unwrap_or_default(),
            numbers(queued),
            queued.since.paris_text(),
            queued.attempts.to_string(),
            queued.again_at.map(Timestamp::paris_text).unwrap_or_default(),
            queued.last_error.clone().unwrap_or_default(),
        ]);
    }
    let values: Vec<_> = queue.iter().map(as_json).collect();
    listing.print(&mut Here::new(path), options.format, &values, "nothing waits to be sent")?;
    let is_stuck = queue.iter().any(|queued| queued.last_error.is_some());
    Ok(if is_stuck { Outcome::FoundSomething } else { Outcome::Fine })
}

/// The first of them; a list of hundreds helps nobody.
fn numbers(queued: &QueuedMail) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = queued.discrepancies.iter().take(MOST).map(ToString::to_string).collect();
    match queued.discrepancies.len().saturating_sub(MOST) {
        0 => shown.join(" "),
        more => format!("{} and {more} more", shown.join(" ")),
    }
}

fn as_json(queued: &QueuedMail) -> serde_json::Value {
    json!({
        "way": queued.way,
        "message_id": queued.message_id,
        "kind": queued.class,
        "shop": queued.shop,
        "discrepancies": queued.discrepancies,
        "since": queued.since,
        "attempts": queued.attempts,
        "again_at": queued.again_at,
        "last_error": queued.last_error,
    })
}
