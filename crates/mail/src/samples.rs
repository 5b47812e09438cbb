//! Letters for tests.

use cvco_domain::News;
use cvco_domain::{
    Booked, Brand, CallNumber, Cents, Currency, Detail, EndpointId, ExpectedFrom, Instrument, Issuer, Kind,
    Mode, OrderNow, OrderRef, Psp, Record, RecordState, Tender, TenderId, TenderState, Timestamp,
};

use super::{Item, Language, Letter};

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

pub(super) fn voucher(cents: i64) -> Tender {
    Tender {
        id: Some(TenderId::new("722487980").expect("valid")),
        instrument: Instrument::Voucher,
        brand: Brand::new("CVCONNECT").expect("valid"),
        issuer: Issuer::Ancv,
        state: TenderState::Authorised,
        amount: Cents::new(cents),
        currency: Currency::EUR,
        refunded: Cents::ZERO,
        taken_back: Cents::ZERO,
        authorisation: None,
        contract: None,
        endpoint: EndpointId::new("camping-up2pay").expect("valid"),
        complement: false,
        first_seen_at: at("2026-03-01T13:05:09Z"),
        authorised_at: Some(at("2026-03-01T13:05:00Z")),
        captured_at: None,
        refunded_at: None,
        booked: Booked::default(),
    }
}

pub(super) fn refused_card(cents: i64) -> Tender {
    Tender {
        id: Some(TenderId::new("722487981").expect("valid")),
        instrument: Instrument::Card,
        brand: Brand::new("LIMOCB").expect("valid"),
        issuer: Issuer::Bank,
        state: TenderState::Refused,
        complement: true,
        authorised_at: None,
        ..voucher(cents)
    }
}

pub(super) fn record(expected: i64, tenders: Vec<Tender>) -> Record {
    Record {
        psp: Psp::Up2pay,
        call_number: CallNumber::new("9782013").expect("valid"),
        endpoint: EndpointId::new("camping-up2pay").expect("valid"),
        mode: Mode::Production,
        currency: Currency::EUR,
        expected: Some((Cents::new(expected), ExpectedFrom::Order)),
        state: RecordState::Unbalanced,
        tenders,
        refunding: Cents::ZERO,
        counts: true,
    }
}

pub(super) fn item(kind: Kind) -> Item {
    Item {
        news: News::Opened,
        id: 17,
        kind,
        severity: kind.severity(),
        psp: Some(Psp::Up2pay),
        endpoint: Some(EndpointId::new("camping-up2pay").expect("valid")),
        order_ref: Some(OrderRef::new("CMD9542124-01A5G").expect("valid")),
        call_number: Some(CallNumber::new("9782013").expect("valid")),
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
        order: Some(OrderNow {
            total: None,
            paid: Cents::new(122_400),
            refunded: Cents::ZERO,
            gap: None,
            demands: Vec::new(),
            at: at("2026-03-01T13:30:00Z"),
            others_open: 0,
            same_call: None,
        }),
        last_note: None,
        records: vec![record(123_400, vec![voucher(122_400), refused_card(1000)])],
    }
}

pub(super) fn letter(language: Language, items: Vec<Item>) -> Letter {
    Letter {
        language,
        shop_name: "Camping des Pins".to_owned(),
        host: "pins.example".to_owned(),
        dashboard: None,
        items,
    }
}
