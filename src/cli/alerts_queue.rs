//! `alerts queue`: what has not left yet, on any way, and why.

use std::path::Path;

use clap::Args;
use cvco_domain::ShopId;
use cvco_ledger::QueuedMail;
use cvco_mail::{Language, lists};
use cvco_pages::{Say, mail_class, way};
use serde_json::json;

use super::output::{Heading, Listing, pair};
use super::site::{Here, Site};
use super::{Failure, Format, Outcome, open_reader};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

const HEADINGS: [Heading; 8] = [
    Heading { fr: "voie", en: "way" },
    Heading { fr: "nature", en: "kind" },
    Heading { fr: "boutique", en: "shop" },
    Heading { fr: "écarts", en: "discrepancies" },
    Heading { fr: "attend depuis", en: "waits since" },
    Heading { fr: "essais", en: "attempts" },
    Heading { fr: "prochain essai", en: "next attempt" },
    Heading { fr: "dernière erreur", en: "last error" },
];

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let queue = open_reader(path)?.queue()?;
    let mut site = Here::new(path);
    let language = site.language()?;
    let at = |at| lists::paris(language, at);
    let mut listing = Listing::of(language, &HEADINGS, &[5]);
    for queued in &queue {
        listing.push(vec![
            way(Say(language), &queued.way),
            mail_class(Say(language), &queued.class),
            queued.shop.as_ref().map(ShopId::to_string).unwrap_or_default(),
            numbers(language, queued),
            at(queued.since),
            queued.attempts.to_string(),
            queued.again_at.map(at).unwrap_or_default(),
            queued.last_error.clone().unwrap_or_default(),
        ]);
    }
    let values: Vec<_> = queue.iter().map(as_json).collect();
    let none = pair(language, "rien n’attend d’être envoyé", "nothing waits to be sent");
    listing.print(&mut site, options.format, &values, &none)?;
    let is_stuck = queue.iter().any(|queued| queued.last_error.is_some());
    Ok(if is_stuck { Outcome::FoundSomething } else { Outcome::Fine })
}

/// The first of them; a list of hundreds helps nobody.
fn numbers(language: Language, queued: &QueuedMail) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = queued.discrepancies.iter().take(MOST).map(ToString::to_string).collect();
    match queued.discrepancies.len().saturating_sub(MOST) {
        0 => shown.join(" "),
        more => {
            let shown = shown.join(" ");
            pair(language, &format!("{shown} et {more} autres"), &format!("{shown} and {more} more"))
        }
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
