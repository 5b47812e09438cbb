//! The body of a webhook: one event, or a list of them. The vendor's guide shows a list of one, its libraries
//! parse a bare event; both are taken.

use std::collections::BTreeSet;

use cvco_domain::crypto::Verified;
use cvco_domain::{Psp, Timestamp};
use serde::Deserialize;

use super::format::{Lenient, Loose, Text, Word, or_empty};
use super::objects::{Payment, Refund};
use super::{refund, tender};
use crate::wire::json;
use crate::{Facts, Rejection};

/// More events than this in one body are no webhook.
const MOST_EVENTS: usize = 50;

/// Genuine, but not in the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

impl From<Malformed> for Rejection {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed { psp: Psp::Worldline, what }
    }
}

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

/// Reads a verified body. Without a `merchant`, as on the command line, any will do.
pub(super) fn read(body: &Verified<Vec<u8>>, merchant: Option<&str>) -> Result<Facts, Rejection> {
    let notices: Vec<Notice> = if body.trim_ascii_start().first() == Some(&b'[') {
        json(body).map_err(Malformed)?
    } else {
        vec![json(body).map_err(Malformed)?]
    };
    if !(1..=MOST_EVENTS).contains(&notices.len()) {
        return Err(Malformed(format!(
            "a webhook holds 1 to {MOST_EVENTS} events, this one {}",
            notices.len()
        ))
        .into());
    }
    notices.iter().try_for_each(|notice| notice.check(merchant))?;
    let mut reading = Facts::default();
    let mut remarks = BTreeSet::new();
    for told in notices.iter().flat_map(Notice::events) {
        match told {
            Ok(event) => reading.events.push(event),
            Err(remark) => {
                remarks.insert(remark);
            }
        }
    }
    reading.remark = (!remarks.is_empty()).then(|| remarks.into_iter().collect::<Vec<_>>().join("; "));
    Ok(reading)
}

impl Notice {
    fn check(&self, merchant: Option<&str>) -> Result<(), Rejection> {
        if self.api_version.0.as_ref().is_none_or(|version| version.0 != "v1") {
            return Err(Malformed(
                "apiVersion is not v1: a version of the webhooks that is not known".to_owned(),
            )
            .into());
        }
        match (&self.merchant_id.0, merchant) {
            (Some(told), Some(own)) if told.0 != own => {
                Err(Rejection::Foreign { psp: Psp::Worldline, what: "merchantId" })
            }
            _ => Ok(()),
        }
    }

    fn events(&self) -> Vec<Result<cvco_domain::Event, String>> {
        let kind = self.kind.0.as_ref().map_or("an event without a type", |kind| kind.0.as_str());
        let named = |result: Result<_, &str>| result.map_err(|why| format!("{kind}: {why}"));
        if kind == "payment.test" {
            return vec![Err("payment.test: a trial of the webhook".to_owned())];
        }
        let mut told = Vec::new();
        if self.payment.is_there() {
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
}
