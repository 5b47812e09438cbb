//! How an order came about: everything that happened, on the line of time.

use cvco_domain::{Event, Instalment, Operation, ReportedState, Seq, Timestamp};
use cvco_ledger::Registered;

use super::OrderPage;
use crate::mark::Mark;
use crate::outside;

/// Something that happened, on the line of time.
pub(crate) struct Happened {
    pub(crate) at: Timestamp,
    pub(crate) seq: Option<Seq>,
    pub(super) mark: Mark,
    pub(crate) what: String,
    pub(crate) says: Vec<String>,
    pub(crate) quiet: Vec<String>,
}

impl OrderPage {
    /// What the shop registered.
    fn registrations(&self) -> Vec<Happened> {
        let t = self.t();
        let happened = |(place, version): (usize, &Registered)| {
            let total = t.money(version.total, version.currency);
            let what = if place == 0 {
                format!("{} {total}", t.say("Commande enregistrée :", "Order registered:"))
            } else {
                format!("{} {total}", t.say("Commande modifiée :", "Order changed:"))
            };
            let by = |due| format!("{} {}", t.say("à payer avant le", "due"), t.paris(due));
            let of_plan = version.instalments.iter().map(|Instalment { cents, due }| {
                let cents = t.money(*cents, version.currency);
                due.map_or(cents.clone(), |due| format!("{cents} {}", by(due)))
            });
            let quiet = version.due.map(by).into_iter().chain(of_plan).collect();
            Happened {
                at: version.at,
                seq: Some(version.seq),
                mark: Mark::Info,
                what,
                says: Vec::new(),
                quiet,
            }
        };
        self.dossier.versions.iter().enumerate().map(happened).collect()
    }

    /// Everything that happened, the earliest first.
    pub(crate) fn story(&self) -> Vec<Happened> {
        let t = self.t();
        let dossier = &self.dossier;
        let plain =
            |at, seq, mark, what| Happened { at, seq, mark, what, says: Vec::new(), quiet: Vec::new() };
        let mut story = self.registrations();
        for report in &dossier.reports {
            let what = format!("{} ({})", capitalised(&self.verdict(report)), report.endpoint);
            let came_to_nothing = |event: &Event| {
                matches!(
                    event.state,
                    ReportedState::Refused
                        | ReportedState::Abandoned
                        | ReportedState::Cancelled
                        | ReportedState::Expired
                )
            };
            let mark = if report.events.iter().any(|event| event.operation != Operation::Debit) {
                Mark::Back
            } else if report.events.iter().all(came_to_nothing) {
                Mark::Nothing
            } else if report.verdict.as_deref() == Some("duplicate") {
                Mark::Waiting
            } else {
                Mark::Good
            };
            let says = report.events.iter().map(|event| self.event(event)).collect();
            let quiet = report.remark.iter().map(outside).collect();
            story.push(Happened { says, quiet, ..plain(report.at, Some(report.seq), mark, what) });
        }
        for item in &self.items {
            let title = self.item_title(item);
            let opened = format!("{} {} : {title}", t.say("Écart n°", "Discrepancy"), item.id);
            let opened = t.say(&opened, &opened.replace(" :", ":"));
            story.push(plain(item.opened_at, None, Mark::of_severity(item.severity), opened));
            if let Some(closed) = item.closed_at {
                let what = format!(
                    "{} {} {}",
                    t.say("Écart n°", "Discrepancy"),
                    item.id,
                    t.say("résolu", "resolved")
                );
                story.push(plain(closed, None, Mark::Good, t.say(&what, &what)));
            }
        }
        for act in &dossier.acts {
            let done = match act.act.as_str() {
                "acknowledged" => t.say("pris en charge par", "acknowledged by"),
                "noted" => t.say("annoté par", "noted by"),
                "snoozed" => t.say("mis en veille par", "snoozed by"),
                _ => t.say("remis à traiter par", "put back by"),
            };
            let what = format!(
                "{} {} {done} {}",
                t.say("Écart n°", "Discrepancy"),
                act.discrepancy,
                outside(&act.by)
            );
            let mut says: Vec<String> = act.note.iter().map(outside).collect();
            says.extend(act.until.map(|until| format!("{} {}", t.say("jusqu'au", "until"), t.paris(until))));
            story.push(Happened { says, ..plain(act.at, Some(act.seq), Mark::Info, t.say(&what, &what)) });
        }
        story.sort_by_key(|happened| (happened.at, happened.seq));
        story
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
