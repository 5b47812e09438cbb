//! The adapter against messages as they are on the wire (`fixtures/sogecommerce/`).

mod asking;
mod diagnosing;
mod hostile;
mod reading;
mod recorded;
mod sending;

use super::settings::trimmed;
use super::submission::Submission;
use super::verify::sign;
use super::*;

/// The body of a fixture.
macro_rules! fixture {
    ($name:literal) => {
        $crate::sogecommerce::tests::body_of(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/sogecommerce/",
            $name,
            ".http"
        )))
    };
}
use cvco_domain::{
    Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Event, Instrument,
    Operation, OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Timestamp,
};
use fixture;

use crate::Method;
use crate::testing::{Stopped, facts, prove_and_read};

fn body_of(message: &'static [u8]) -> &'static [u8] {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n").expect("an HTTP message");
    let body = &message[head + 4..];
    let head = std::str::from_utf8(&message[..head]).expect("ASCII");
    assert!(head.lines().any(|line| line == format!("Content-Length: {}", body.len())), "whole");
    body
}

const KEY: &str = "1122334455667788";
const PASSWORD: &str = "testpassword_DEMOPRIVATEKEY23G4475zXZQ2UA5x7M";

fn settings() -> Settings {
    Settings {
        mode: Mode::Test,
        site_id: SiteId::new("12345678").expect("valid"),
        keys: vec![KEY.to_owned().into()],
        algorithm: Algorithm::HmacSha256,
        rest_passwords: vec![PASSWORD.to_owned().into()],
        api: None,
    }
}

fn post(body: &[u8]) -> Request<'_> {
    Request { method: Method::Post, query: b"", body, headers: &[] }
}

fn read(body: &[u8]) -> Result<Reading, Stopped> {
    prove_and_read(&Sogecommerce::new(settings()), &post(body))
}

fn events(body: &[u8]) -> Vec<Event> {
    read(body).expect("a genuine notification").events().to_vec()
}

/// What is wrong with a genuine body that cannot be read.
fn not_understood(body: &[u8]) -> String {
    match read(body) {
        Err(Stopped::NotUnderstood(what)) => what,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with a body that nothing proves.
fn malformed(body: &[u8]) -> String {
    match read(body) {
        Err(Stopped::Rejected(Rejection::Malformed { psp: Psp::Sogecommerce, what })) => what,
        other => panic!("{other:?}"),
    }
}

/// The field by which a genuine body is another account's.
fn foreign(body: &[u8]) -> &'static str {
    match read(body) {
        Err(Stopped::Rejected(Rejection::Foreign { psp: Psp::Sogecommerce, what })) => what,
        other => panic!("{other:?}"),
    }
}

/// The decoded `vads_` fields of a body.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).expect("a form");
    pairs.into_iter().filter(|(name, _)| name.starts_with("vads_")).collect()
}

/// The body of these fields with a genuine signature.
fn signed(fields: &[(String, String)]) -> Vec<u8> {
    let signature = sign(fields, &trimmed(&KEY.to_owned().into()), Algorithm::HmacSha256);
    let signature = [("signature".to_owned(), signature)];
    serde_urlencoded::to_string([fields, &signature].concat()).expect("a form").into_bytes()
}

/// A fixture with some fields changed (`None`: removed) or added, signed again.
fn altered(body: &[u8], changes: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut fields = fields(body);
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    signed(&fields)
}

/// The same body with another signature.
fn with_signature(body: &[u8], signature: &str) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).expect("ASCII");
    let (fields, _) = text.rsplit_once("&signature=").expect("a signature, last");
    let signature = serde_urlencoded::to_string([("signature", signature)]).expect("a form");
    format!("{fields}&{signature}").into_bytes()
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

const VOUCHER: &str = "5f4a1c6a0a4b4c3fb6f3d1a2b3c4d5e6";
const VISA: &str = "6a5b2d7b1b5c4d4fa7a4e2b3c4d5e6f7";

/// The accepted voucher of 60.00 in the order of 99.90 that most fixtures tell of.
fn voucher_part() -> Event {
    Event {
        order_ref: Some(OrderRef::new("CDE-fr-04_2020").expect("valid")),
        call_number: CallNumber::new("xrt15p-20200408-12345678-test").expect("valid"),
        tender_id: tender(VOUCHER),
        instrument: Instrument::Voucher,
        brand: Brand::new("CVCO").expect("valid"),
        operation: Operation::Debit,
        amount: Cents::new(6000),
        amount_from: cvco_domain::AmountFrom::Part,
        running_total: None,
        currency: Currency::EUR,
        state: ReportedState::Authorised,
        status: status("AUTHORISED"),
        authorisation: Authorisation::Absent,
        contract: Some(Contract::new("5785350").expect("valid")),
        mode: Some(Mode::Test),
        complement: false,
        order_total: Some(Cents::new(9990)),
        itemised: true,
        parts_announced: None,
        // A cascade is dated by its form alone.
        occurred_at: at("2020-04-08T14:56:00Z"),
        accepted_at: None,
        revised: false,
    }
}

/// Its card complement of 39.90.
fn card_part() -> Event {
    Event {
        tender_id: tender(VISA),
        instrument: Instrument::Card,
        brand: Brand::new("VISA").expect("valid"),
        amount: Cents::new(3990),
        authorisation: Authorisation::Number(AuthorisationNumber::new("949478").expect("valid")),
        contract: Some(Contract::new("5249685").expect("valid")),
        complement: true,
        ..voucher_part()
    }
}

/// A part with the date of its registration, which a cascade does not tell.
fn registered(event: Event) -> Event {
    Event { occurred_at: at("2020-04-08T14:56:48Z"), ..event }
}

/// The same order paid by voucher alone.
fn full_voucher() -> Event {
    registered(Event { amount: Cents::new(9990), itemised: false, ..voucher_part() })
}
