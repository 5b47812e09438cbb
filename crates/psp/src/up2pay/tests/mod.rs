//! The adapter as a whole: published calls, made-up calls, damaged calls.

mod asking;
mod damage;
mod diagnoses;
mod facts;
mod genuine;
mod recorded;

use std::sync::LazyLock;

use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::{
    Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Currency, Event, Instrument, Mode,
    Operation, OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Timestamp,
};

use super::{Call, Settings, Template, TrialKey, Up2pay};
use crate::testing::{Stopped, prove_and_read};
use crate::{Adapter, Message, Method, Reading, Rejection, Request, WireMessage};

/// One recorded HTTP request.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/", $name, ".http"))
    };
}

const V1: &str = fixture!("v1-card-test-platform");
const V3: &str = fixture!("v3-card-commas");
const V5: &str = fixture!("v5-card-space");
const V10: &str = fixture!("v10-card-production");
const S1: &str = fixture!("s1-voucher");
const S2: &str = fixture!("s2-card-complement");
const S3: &str = fixture!("s3-card-complement-refused");
const S4: &str = fixture!("s4-voucher-behind-merchant-parameters");

const V1_TEMPLATE: &str = "Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K";
const V3_TEMPLATE: &str = "amount:M;cmd:R;auto:A;trans:S;type:P;card:C;error:E;country:Y;Sign:K";
const V5_TEMPLATE: &str = "amount:M;reference:R;autorization:A;error:E;sign:K";
const V10_TEMPLATE: &str = "order:R;erreur:E;carte:C;numauto:A;numtrans:S;numabo:B;montantbanque:M;sign:K";

/// The template of S1 to S4.
const FULL: &str = "Mt:M;Ref:R;Auto:A;Appel:T;Abo:B;ChoixPaiement:P;ChoixCarte:C;Erreur:E;Transaction:S;\
                    Pays:Y;Date:W;Heure:Q;Signature:K";

/// The template of the calls that tests make.
const OWN: &str = "Mt:M;Ref:R;Auto:A;Appel:T;ChoixPaiement:P;ChoixCarte:C;Erreur:E;Transaction:S;\
                   Date:W;Heure:Q;Index:Z;Signature:K";

static KEY: LazyLock<TrialKey> = LazyLock::new(TrialKey::published);

/// The recorded request's message: query or body.
fn message(http: &str) -> WireMessage {
    let (head, body) = http.split_once("\r\n\r\n").expect("head and body");
    let target = head.split(' ').nth(1).expect("a target");
    let query = target.split_once('?').map_or("", |(_, query)| query).to_owned();
    let method = if http.starts_with("POST ") { Method::Post } else { Method::Get };
    WireMessage { method, query, body: body.to_owned(), headers: Vec::new() }
}

fn payload(http: &str) -> String {
    String::from_utf8(message(http).as_request().payload().to_vec()).expect("ASCII")
}

fn get(query: &str) -> Request<'_> {
    Request { method: Method::Get, query: query.as_bytes(), body: b"", headers: &[] }
}

fn lenient(template: &str) -> Template {
    Template::parse_lenient(template).expect(template)
}

fn synthetic_key() -> RsaPublicKey {
    let pem = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/up2pay/synthetic-public-key.pem"
    ));
    RsaPublicKey::from_pem(pem).expect("a key")
}

fn own_public_key() -> RsaPublicKey {
    RsaPublicKey::from_pem(KEY.public_pem().as_bytes()).expect("a key")
}

/// An endpoint that takes S1 to S4.
fn synthetic(template: &str) -> Up2pay {
    let template = Template::parse(template).expect(template);
    Up2pay::new(Settings { mode: Mode::Production, template, keys: vec![synthetic_key()], api: None })
}

/// An endpoint that takes what [`Call`] makes under [`KEY`].
fn own(mode: Mode) -> Up2pay {
    let template = Template::parse(OWN).expect(OWN);
    Up2pay::new(Settings {
        mode,
        template,
        keys: vec![Settings::platform_key(), own_public_key()],
        api: None,
    })
}

/// Signs whatever a test wants signed.
fn sign(signed: &str) -> String {
    use base64::Engine;
    let signature = base64::engine::general_purpose::STANDARD.encode(KEY.sign_sha1(signed.as_bytes()));
    let signature = percent_encoding::utf8_percent_encode(&signature, super::RFC_3986);
    format!("{signed}&Signature={signature}")
}

/// The one fact of a query.
fn event(adapter: &Up2pay, query: &str) -> Event {
    let reading = prove_and_read(adapter, &get(query)).expect(query);
    let [event] = reading.events() else { panic!("one event: {reading:?}") };
    event.clone()
}

/// What is wrong with a genuine call that cannot be read.
fn not_understood(adapter: &Up2pay, query: &str) -> String {
    match prove_and_read(adapter, &get(query)) {
        Err(Stopped::NotUnderstood(what)) => what,
        other => panic!("{query}: {other:?}"),
    }
}

/// S1 as a fact.
fn voucher() -> Event {
    Event {
        order_ref: OrderRef::new("CMD9542124-01A5G").ok(),
        call_number: CallNumber::new("2310165").expect("valid"),
        tender_id: TenderId::new("722487980").ok(),
        instrument: Instrument::Voucher,
        brand: Brand::new("CVCONNECT").expect("valid"),
        operation: Operation::Debit,
        amount: Cents::new(1500),
        amount_from: cvco_domain::AmountFrom::Part,
        running_total: None,
        currency: Currency::EUR,
        state: ReportedState::Authorised,
        status: StatusCode { code: "00000".into(), reading: StatusReading::Known },
        authorisation: Authorisation::Absent,
        contract: None,
        mode: None,
        complement: false,
        order_total: None,
        itemised: false,
        parts_announced: None,
        occurred_at: Timestamp::parse("2021-03-01T13:05:09Z").ok(),
        accepted_at: None,
        revised: false,
    }
}

/// S2 as a fact.
fn complement() -> Event {
    Event {
        tender_id: TenderId::new("722487981").ok(),
        instrument: Instrument::Card,
        brand: Brand::new("LIMOCB").expect("valid"),
        amount: Cents::new(1000),
        authorisation: Authorisation::Number(AuthorisationNumber::new("292615").expect("valid")),
        mode: Some(Mode::Production),
        complement: true,
        ..voucher()
    }
}

/// An accepted voucher part as a call.
fn call() -> Call {
    Call {
        amount: Cents::new(1500),
        reference: "CMD9542124-01A5G".into(),
        authorisation: None,
        call_number: "2310165".into(),
        brand: "CVCONNECT".into(),
        error: "00000".into(),
        transaction: "722487980".into(),
        date_time: Some(("01032021".into(), "14:05:09".into())),
        index: None,
    }
}

fn own_query(call: &Call) -> String {
    call.signed(&lenient(OWN), &KEY).query
}
