//! The adapter against messages as they are on the wire (`fixtures/worldline/`).

mod confirming;
mod diagnosing;
mod hostile;
mod proving;
mod reading;
mod recorded;
mod sending;

use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Currency, Event, Instrument,
    Operation, OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Timestamp,
};
use secrecy::SecretString;

use super::*;
use crate::Method;
use crate::WireMessage;
use crate::api::BaseUrl;
use crate::testing::{Stopped, prove_and_read};

/// A fixture as a message: its verb, the headers that the adapter reads, its body.
macro_rules! fixture {
    ($name:literal) => {
        $crate::worldline::tests::message_of(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/worldline/",
            $name,
            ".http"
        )))
    };
}
use fixture;

fn message_of(bytes: &[u8]) -> WireMessage {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP message");
    let mut lines = head.lines();
    let method =
        if lines.next().expect("a first line").starts_with("GET") { Method::Get } else { Method::Post };
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        if name == "Content-Length" {
            assert_eq!(value, body.len().to_string(), "whole");
        }
        let known = HEADERS.iter().find(|known| known.eq_ignore_ascii_case(name));
        headers.extend(known.map(|known| (*known, value.as_bytes().to_vec())));
    }
    WireMessage { method, query: String::new(), body: body.to_owned(), headers }
}

const MERCHANT: &str = "PSPIDTEST";
const KEY_ID: &str = "dummy-key-id";
const SECRET: &str = "hello+world";

fn key(id: &str, secret: &str) -> WebhookKey {
    WebhookKey { id: id.to_owned(), secret: SecretString::from(secret.to_owned()) }
}

fn settings() -> Settings {
    Settings {
        mode: Mode::Test,
        merchant_id: MERCHANT.to_owned(),
        webhook_keys: vec![key("next-key-id", "another secret"), key(KEY_ID, SECRET)],
        api: None,
    }
}

fn with_api() -> Settings {
    let api = ApiSettings {
        base_url: BaseUrl::parse("https://payment.preprod.example").expect("an address"),
        key_id: "API-KEY".to_owned(),
        secret: SecretString::from("api secret".to_owned()),
    };
    Settings { api: Some(api), ..settings() }
}

fn read(message: &WireMessage) -> Result<Reading, Stopped> {
    prove_and_read(&Worldline::new(settings()), &message.as_request())
}

/// A body, signed with the endpoint's key.
fn signed(body: impl Into<String>) -> WireMessage {
    verify::sign(body.into(), &key(KEY_ID, SECRET))
}

/// The events of a genuine message.
fn events(message: &WireMessage) -> Vec<Event> {
    read(message).expect("a genuine webhook").events().to_vec()
}

fn only(events: Vec<Event>) -> Event {
    let [event] = <[Event; 1]>::try_from(events).expect("one event");
    event
}

/// A body of which one text stands for another, signed again.
fn altered(message: &WireMessage, from: &str, to: &str) -> WireMessage {
    assert!(message.body.contains(from), "{from} is in the message");
    signed(message.body.replace(from, to))
}

/// What is wrong with a genuine message that cannot be read.
fn not_understood(message: &WireMessage) -> String {
    match read(message) {
        Err(Stopped::NotUnderstood(what)) => what,
        other => panic!("{other:?}"),
    }
}

fn foreign(what: &'static str) -> Result<Reading, Stopped> {
    Err(Rejection::Foreign { psp: Psp::Worldline, what }.into())
}

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok()
}

fn tender(text: &str) -> Option<TenderId> {
    TenderId::new(text).ok()
}

fn status(code: &str) -> StatusCode {
    StatusCode { code: code.to_owned(), reading: StatusReading::Known }
}

/// The voucher part of the split order `CMD-2026-0043`, 50.00 of 140.00, as `S2` tells of it.
fn voucher_part() -> Event {
    Event {
        order_ref: OrderRef::new("CMD-2026-0043").ok(),
        call_number: CallNumber::new("10083980800").expect("valid"),
        tender_id: tender("10083980800_0"),
        instrument: Instrument::Voucher,
        brand: Brand::new("CVCO").expect("valid"),
        operation: Operation::Debit,
        amount: Cents::new(5000),
        amount_from: AmountFrom::RunningTotal,
        running_total: Some(Cents::new(5000)),
        currency: Currency::EUR,
        state: ReportedState::Captured,
        status: status("9"),
        authorisation: Authorisation::NotStated,
        contract: None,
        mode: None,
        complement: false,
        order_total: Some(Cents::new(14000)),
        itemised: false,
        parts_announced: None,
        occurred_at: at("2026-05-04T08:20:00.123Z"),
        accepted_at: None,
        revised: false,
    }
}

/// Its card complement of 90.00, as `S3` tells of it.
fn card_part() -> Event {
    Event {
        tender_id: tender("10083980800_1"),
        instrument: Instrument::Card,
        brand: Brand::new("CB").expect("valid"),
        amount: Cents::new(9000),
        amount_from: AmountFrom::Part,
        running_total: Some(Cents::new(14000)),
        authorisation: Authorisation::Number(AuthorisationNumber::new("test123").expect("valid")),
        complement: true,
        occurred_at: at("2026-05-04T08:21:10Z"),
        ..voucher_part()
    }
}

/// The refund of the card part, as `S6` tells of it.
fn card_refund() -> Event {
    Event {
        tender_id: tender("10083980800_2/card"),
        instrument: Instrument::Card,
        brand: Brand::new("CARD").expect("valid"),
        operation: Operation::Credit { of: None },
        amount: Cents::new(9000),
        amount_from: AmountFrom::Part,
        running_total: Some(Cents::new(9000)),
        status: status("8"),
        order_total: None,
        occurred_at: at("2026-05-04T09:05:00.500Z"),
        ..voucher_part()
    }
}
