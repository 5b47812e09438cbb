//! What every log promises, whatever it stands on, and what becomes of what is handed to it.

mod appender;
mod entries;
mod stores;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Cents, Currency, OrderRef, ShopId, Timestamp};

use crate::entry::{ClockCorrection, OrderRegistration};
use crate::{Draft, Envelope, LogEntry};

/// So many minutes after the first of March 2026, ten o'clock UTC.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    let start = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
    Timestamp::from_millis(start.millis() + minutes * 60_000)
}

pub(crate) fn draft(entry: &LogEntry) -> Draft {
    Draft::new(entry).expect("a draft")
}

/// An order, told from others by its reference.
pub(crate) fn order(reference: &str) -> Draft {
    draft(&LogEntry::Order(OrderRegistration {
        shop: ShopId::new("camping").expect("a shop"),
        reference: OrderRef::new(reference).expect("a reference"),
        total: Cents::new(10_000),
        currency: Currency::EUR,
        due: None,
        instalments: Vec::new(),
    }))
}

pub(crate) fn time() -> Draft {
    draft(&LogEntry::Time)
}

pub(crate) fn corrected(from: Timestamp) -> Draft {
    draft(&LogEntry::Clock(ClockCorrection { from }))
}

pub(crate) fn seal_key() -> SealKey {
    SealKey::parse(&SealKey::generate().expect("random numbers")).expect("a key")
}

pub(crate) fn call(body: &str) -> Envelope {
    Envelope {
        method: "POST".to_owned(),
        query: Vec::new(),
        body: body.as_bytes().to_vec(),
        peer: "192.0.2.1".to_owned(),
        user_agent: "PSP/1".to_owned(),
        headers: Vec::new(),
    }
}

/// An entry with the call that it was read from.
pub(crate) fn called(key: &SealKey, body: &str) -> Draft {
    let payload = call(body).seal(key, body.as_bytes()).expect("sealed");
    Draft::with_payload(&LogEntry::Time, payload).expect("a draft")
}
