//! The body of a webhook: one event, or a list of them. The vendor's guide shows a list of one, its libraries
//! parse a bare event; both are taken.

use std::collections::BTreeSet;

use cvco_domain::crypto::Verified;
use cvco_domain::{Event, Psp, ReportedState, Timestamp};
use serde::Deserialize;

use super::codes::Meaning;
use super::format::{Lenient, Loose, Text, Word, or_empty};
use super::objects::{Payment, Refund};
use super::{refund, tender};
use crate::wire::json;
use crate::{NotUnderstood, Reading, Rejection};

/// More events than this in one body are no webhook.
const MOST_EVENTS: usize = 50;

/// `WebhooksEvent`. Other objects than payments and refunds (tokens, payment links, payouts) move no money
/// here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notice {
    api_version: Loose<Text>,
    created: Loose<Timestamp>,
    merchant_id: Lenient<Text>,
    #[serde(rename = "type")]
    kind: Loose<Word>,
    #[serde(deserialize_with = "or_empty")]
    payment: Payment,
    #[serde(deserialize_with = "or_empty")]
    refund: Refund,
}

/// Refuses a body that names another account. A body that cannot be parsed passes, but [`read`] refuses it, so it
/// yields no facts.
pub(super) fn check_account(body: &Verified<Vec<u8>>, merchant: &str) -> Result<(), Rejection> {
    let foreign = |notice: &Notice| notice.merchant_id.0.as_ref().is_some_and(|named| named.0 != merchant);
    if notices(body).is_ok_and(|notices| notices.iter().any(foreign)) {
        return Err(Rejection::Foreign { psp: Psp::Worldline, what: "merchantId" });
    }
    Ok(())
}

/// Reads a verified body.
pub(super) fn read(body: &Verified<Vec<u8>>) -> Result<Reading, NotUnderstood> {
    let notices = notices(body)?;
    if !(1..=MOST_EVENTS).contains(&notices.len()) {
        let count = notices.len();
        return Err(NotUnderstood::new((
            format!("un webhook contient de 1 à {MOST_EVENTS} événements, celui-ci {count}"),
            format!("a webhook holds 1 to {MOST_EVENTS} events, this one {count}"),
        )));
    }
    let is_v1 = |notice: &Notice| notice.api_version.0.as_ref().is_some_and(|version| version.0 == "v1");
    if !notices.iter().all(is_v1) {
        return Err(NotUnderstood::new((
            "apiVersion n’est pas v1\u{a0}: une version des webhooks qui n’est pas connue",
            "apiVersion is not v1: a version of the webhooks that is not known",
        )));
    }
    let mut events = Vec::new();
    let mut remarks = BTreeSet::new();
    for told in notices.iter().flat_map(Notice::events) {
        match told {
            Ok(event) => events.push(event),
            Err(Untold { what, moved_money: true }) => {
                return Err(NotUnderstood::new((
                    format!("de l’argent a bougé, mais le message ne se lit pas (en anglais\u{a0}: {what})"),
                    format!("{what}, and money moved"),
                )));
            }
            Err(Untold { what, moved_money: false }) => {
                remarks.insert(what);
            }
        }
    }
    let remark = remarks.into_iter().collect::<Vec<_>>().join("; ");
    Ok(if events.is_empty() {
        Reading::nothing(remark)
    } else {
        Reading::facts(body, events, Vec::new(), Some(remark).filter(|remark| !remark.is_empty()))
    })
}

fn notices(body: &Verified<Vec<u8>>) -> Result<Vec<Notice>, NotUnderstood> {
    let notices = if body.trim_ascii_start().first() == Some(&b'[') {
        json(body)
    } else {
        json(body).map(|notice| vec![notice])
    };
    notices.map_err(NotUnderstood::new)
}

/// Why an object yields no event.
struct Untold {
    what: String,
    /// By its state something was paid or went back: it is more than nothing.
    moved_money: bool,
}

/// The types of events that tell of money, where the object has no status of its own.
const OF_MONEY: [&str; 6] = [
    "payment.pending_capture",
    "payment.capture_requested",
    "payment.captured",
    "payment.refunded",
    "payment.chargebacked",
    "refund.refund_requested",
];

impl Notice {
    fn events(&self) -> Vec<Result<Event, Untold>> {
        let kind = self.kind.0.as_ref().map_or("an event without a type", |kind| kind.0.as_str());
        let moved_money = self.moves_money(kind);
        let named = |result: Result<Event, &str>| {
            result.map_err(|why| Untold { what: format!("{kind}: {why}"), moved_money })
        };
        if kind == "payment.test" {
            let what = "payment.test: a trial of the webhook".to_owned();
            return vec![Err(Untold { what, moved_money: false })];
        }
        let mut told = Vec::new();
        if self.payment.is_there() && kind == "payment.chargebacked" {
            let amount = self.payment.operation_output.amount_of_money.positive();
            let state = ReportedState::Captured;
            told.push(named(refund::chargeback(&self.payment, amount, state, self.created.0)));
        } else if self.payment.is_there() {
            told.push(named(tender::event(&self.payment, self.created.0)));
        }
        if self.refund.is_there() {
            told.push(named(refund::event(&self.refund, self.created.0)));
        }
        if told.is_empty() {
            told.push(named(Err("neither a payment nor a refund in it")));
        }
        told
    }

    /// Whether something was paid, or went back, by the state of what it is about.
    fn moves_money(&self, kind: &str) -> bool {
        let is_accepting = |state| matches!(state, ReportedState::Authorised | ReportedState::Captured);
        let moves = |meaning| match meaning {
            Meaning::Payment(state, _) | Meaning::Refund(state, _) => is_accepting(state),
            Meaning::Chargeback(_) => true,
        };
        let stated = [self.payment.status_of_operation().meaning(), self.refund.status().meaning()];
        let mut stated = stated.into_iter().flatten().peekable();
        if stated.peek().is_none() { OF_MONEY.contains(&kind) } else { stated.any(moves) }
    }
}
