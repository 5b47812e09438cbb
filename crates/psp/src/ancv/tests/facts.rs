//! What an answer says.

use super::*;

#[test]
fn an_authorised_voucher() {
    let answer = ask(AUTHORIZED).expect("an answer");
    assert_eq!((answer.standing, answer.remark.as_deref()), (Standing::Settled, None));
    let event = event(Ok(answer));
    assert_eq!((event.instrument, event.brand.as_str()), (Instrument::Voucher, "CVCO"));
    assert_eq!(event.tender_id.clone().map(String::from).as_deref(), Some(ID));
    assert_eq!(event.call_number.as_str(), ID);
    assert_eq!(event.order_ref.map(String::from).as_deref(), Some("CMD9542124-01A5G"));
    assert_eq!((event.amount, event.amount_from), (Cents::new(1500), AmountFrom::Part));
    assert_eq!((event.order_total, event.currency), (Some(Cents::new(2500)), Currency::EUR));
    assert_eq!((event.state, event.status.code.as_str()), (ReportedState::Authorised, "AUTHORIZED"));
    assert_eq!(event.authorisation, Authorisation::NotStated, "a voucher's number would raise an alarm");
    assert_eq!(event.occurred_at, Timestamp::parse("2026-03-01T13:06:31.070Z").ok());
}

#[test]
fn all_that_was_authorised_in_vouchers_is_the_amount_and_nothing_else() {
    let answer = ask(fixture!("validated-in-two-parts")).expect("an answer");
    assert!(answer.remark.as_deref().is_some_and(|remark| remark.starts_with("not counted: 1 ")));
    let event = event(Ok(answer));
    assert_eq!((event.amount, event.state), (Cents::new(1500), ReportedState::Captured));
}

#[test]
fn the_state_decides() {
    use ReportedState::{Authorised, Cancelled, Captured, Expired, Pending, Refused};
    use Standing::{Settled, Unsettled};
    for (state, expected, standing) in [
        ("INITIALIZED", Pending, Unsettled),
        ("PROCESSING", Pending, Unsettled),
        ("AUTHORIZED", Authorised, Settled),
        ("VALIDATED", Captured, Settled),
        ("CONSIGNED", Captured, Settled),
        ("PAID", Captured, Settled),
        ("REJECTED", Refused, Settled),
        ("ABORTED", ReportedState::Abandoned, Settled),
        ("CANCELLED", Cancelled, Settled),
        ("EXPIRED", Expired, Settled),
        ("SUSPENDED", Pending, Unsettled),
        ("authorized", Pending, Unsettled),
    ] {
        let answer = ask_changed(AUTHORIZED, "AUTHORIZED", state).expect(state);
        assert_eq!(answer.standing, standing, "{state}");
        let event = event(Ok(answer));
        let reading = event.status.reading;
        assert_eq!((event.state, event.status.code.as_str()), (expected, state));
        let unknown = matches!(state, "SUSPENDED" | "authorized");
        assert_eq!(reading == StatusReading::Unknown, unknown, "{state}");
    }
}

#[test]
fn undecided_the_whole_order_is_all_that_is_sure() {
    for http in [fixture!("processing"), &AUTHORIZED.replace("AUTHORIZED", "PROCESSING")] {
        let event = event(ask(http));
        assert_eq!((event.amount, event.amount_from), (Cents::new(2500), AmountFrom::OrderTotal));
    }
    let nothing = ask_changed(
        fixture!("processing"),
        r#""amount":{"total":2500,"currency":"978"}},"pay"#,
        r#""x":0},"pay"#,
    );
    assert!(nothing.is_ok_and(|answer| answer.events.is_empty() && answer.standing == Standing::Unsettled));
}

#[test]
fn a_refusal_shows_its_sub_state() {
    let event = event(ask(fixture!("rejected")));
    assert_eq!(
        (event.state, event.status.code.as_str()),
        (ReportedState::Refused, "REJECTED.SECURITY_CHECK")
    );
    assert_eq!((event.amount, event.amount_from), (Cents::new(2500), AmountFrom::OrderTotal));
}

#[test]
fn a_cancellation_happened_when_it_was_made() {
    let event = event(ask(fixture!("cancelled")));
    assert_eq!((event.state, event.amount), (ReportedState::Cancelled, Cents::new(1500)));
    assert_eq!(event.occurred_at, Timestamp::parse("2026-03-01T15:00:00Z").ok());
}

#[test]
fn expired_means_a_lapsed_promise_only_where_one_was_made() {
    let expired = fixture!("expired");
    assert_eq!(event(ask(expired)).state, ReportedState::Abandoned);
    let known = [event(ask(AUTHORIZED))];
    let after = ask_knowing(&known, 200, body(expired).as_bytes());
    assert_eq!(event(after).state, ReportedState::Expired);
    let pending = [event(ask(fixture!("processing")))];
    let after = ask_knowing(&pending, 200, body(expired).as_bytes());
    assert_eq!(event(after).state, ReportedState::Abandoned);
}

#[test]
fn types_may_drift() {
    let expected = event(ask(AUTHORIZED));
    for (from, to) in [
        (r#""shopId":10000651"#, r#""shopId":"10000651""#),
        (r#""serviceProviderId":100016"#, r#""serviceProviderId":"100016""#),
        (r#""currency":"978""#, r#""currency":978"#),
        (r#""currency":"978"}},"paymentMethod""#, r#""currency":"EUR"}},"paymentMethod""#),
        (r#""total":1500"#, r#""total":"1500""#),
        (r#""total":1500,"currency":"978""#, r#""total":1500"#),
        (r#""type":"CVCo""#, r#""type":"CVCO""#),
        (r#""merchant":{"shopId":10000651,"serviceProviderId":100016}"#, r#""merchant":null"#),
        (r#""updateDate":"2026-03-01T14:07:02.511+01:00""#, r#""updateDate":1772370422511"#),
        (r#""beneficiaryId":"11111111111""#, r#""beneficiaryId":{"any":["thing"]}"#),
    ] {
        assert_eq!(event(ask_changed(AUTHORIZED, from, to)), expected, "{to}");
    }
    let number = event(ask_changed(AUTHORIZED, r#""CMD9542124-01A5G""#, "9542124"));
    assert_eq!(number.order_ref.map(String::from).as_deref(), Some("9542124"));
}

#[test]
fn no_personal_data_gets_into_an_answer() {
    let answer = format!("{:?}", ask(AUTHORIZED).expect("an answer"));
    for private in ["11111111111", "11*****1111", "A1B2C3D4E5"] {
        assert!(AUTHORIZED.contains(private) && !answer.contains(private), "{private} in {answer}");
    }
}
