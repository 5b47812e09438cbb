//! What the sender makes reads back as described.

use super::codes::{Source, TransStatus};
use super::sender::{Call, Part};
use super::*;

pub(super) fn voucher(amount: i64) -> Part {
    Part {
        brand: "CVCO".to_owned(),
        amount: Cents::new(amount),
        status: TransStatus::Authorised,
        auth_result: "0".to_owned(),
        uuid: Some(VOUCHER.to_owned()),
        auth_number: None,
        contract: "5785350".to_owned(),
        refund: false,
    }
}

pub(super) fn visa() -> Part {
    Part {
        brand: "VISA".to_owned(),
        amount: Cents::new(3990),
        auth_result: "00".to_owned(),
        uuid: Some(VISA.to_owned()),
        auth_number: Some("949478".to_owned()),
        contract: "5249685".to_owned(),
        ..voucher(0)
    }
}

pub(super) fn call(parts: Vec<Part>) -> Call {
    Call {
        site_id: settings().site_id,
        mode: Mode::Test,
        trans_id: "xrT15p".to_owned(),
        trans_date: Timestamp::parse("2020-04-08T14:56:48Z").expect("valid"),
        order_ref: Some("CDE-fr-04_2020".to_owned()),
        total: Cents::new(9990),
        source: Source::Payment,
        attempt: 1,
        parts,
    }
}

fn form(call: &Call) -> crate::WireMessage {
    call.form(&settings().keys[0], Algorithm::HmacSha256)
}

fn told(message: &crate::WireMessage) -> Vec<Event> {
    prove_and_read(&Sogecommerce::new(settings()), &message.as_request()).expect("genuine").events().to_vec()
}

#[test]
fn a_cascade_reads_back() {
    // The form of `call` bears the date at which the payment is registered.
    let parts = [registered(voucher_part()), registered(card_part())];
    assert_eq!(told(&form(&call(vec![voucher(6000), visa()]))), parts);
}

#[test]
fn a_single_payment_reads_back() {
    assert_eq!(told(&form(&call(vec![voucher(9990)]))), [full_voucher()]);
}

#[test]
fn rest_and_form_tell_the_same() {
    for parts in [vec![voucher(6000), visa()], vec![voucher(9990)]] {
        let call = call(parts);
        assert_eq!(told(&call.rest(&PASSWORD.to_owned().into())), told(&form(&call)));
    }
}

#[test]
fn a_retry_has_other_bytes_and_fewer_fields() {
    let first = call(vec![voucher(6000), visa()]);
    let retry = Call { source: Source::Retry, ..first.clone() };
    let again = Call { attempt: 2, ..retry.clone() };
    assert!(
        form(&first).body.contains("vads_page_action") && !form(&retry).body.contains("vads_page_action")
    );
    assert_ne!(form(&retry).body, form(&again).body);
    assert_eq!(told(&form(&retry)), told(&form(&first)));
    assert_eq!(told(&form(&again)), told(&form(&first)));
}

#[test]
fn operations_in_the_back_office_read_back() {
    let source = Source::MerchantOperation;
    let cancelled = Part { status: TransStatus::Cancelled, ..voucher(9990) };
    let event = Event {
        state: ReportedState::Cancelled,
        status: status("CANCELLED"),
        order_total: None,
        occurred_at: None,
        ..full_voucher()
    };
    assert_eq!(told(&form(&Call { source: source.clone(), ..call(vec![cancelled]) })), [event]);
    let refund = Part { refund: true, uuid: Some("7".repeat(32)), ..voucher(9990) };
    let event = Event {
        tender_id: tender(&"7".repeat(32)),
        operation: Operation::Credit { of: None },
        order_total: None,
        ..full_voucher()
    };
    assert_eq!(told(&form(&Call { source, ..call(vec![refund]) })), [event]);
}

#[test]
fn an_abandoned_complement_reads_back() {
    let abandoned =
        Part { status: TransStatus::Abandoned, auth_result: "1013".to_owned(), uuid: None, ..voucher(9990) };
    let call = call(vec![abandoned]);
    assert_eq!(told(&form(&call)), events(fixture!("S9-abandoned")));
    let by_rest = told(&call.rest(&PASSWORD.to_owned().into()));
    assert_eq!(by_rest[0].status, status("ABANDONED/1013"));
    assert!(by_rest[0].complement && by_rest[0].tender_id.is_none());
}

#[test]
fn sha1_is_signed_where_the_shop_is_set_to_it() {
    let message = call(vec![voucher(9990)]).form(&settings().keys[0], Algorithm::Sha1);
    let adapter = Sogecommerce::new(Settings { algorithm: Algorithm::Sha1, ..settings() });
    assert_eq!(prove_and_read(&adapter, &message.as_request()), Ok(facts(vec![full_voucher()])));
}
