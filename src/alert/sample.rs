//! A discrepancy for the tests of what is sent.

use cvco_domain::{Cents, Currency, Detail, Kind, Mode, News, OrderRef, Timestamp};
use cvco_mail::Item;

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

pub(super) fn item(id: i64, reference: &str) -> Item {
    Item {
        news: News::Opened,
        id,
        kind: Kind::VoucherOrphan,
        severity: Kind::VoucherOrphan.severity(),
        psp: None,
        endpoint: None,
        order_ref: OrderRef::new(reference).ok(),
        call_number: None,
        currency: Currency::EUR,
        expected: Some(Cents::new(123_400)),
        actual: Some(Cents::new(122_400)),
        detail: Detail::Nothing,
        last_error: None,
        mode: Mode::Production,
        opened_at: at("2026-03-01T13:25:09Z"),
        closed_at: None,
        opened_expected: Some(Cents::new(123_400)),
        opened_actual: Some(Cents::new(122_400)),
        reminded_for: None,
        order: None,
        last_note: None,
        records: Vec::new(),
    }
}
