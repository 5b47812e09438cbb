//! What genuine webhooks say.

use cvco_domain::{Asking, Question, Subject, Topic};

use super::*;

#[test]
fn an_order_paid_by_vouchers_alone() {
    let event = only(events(&fixture!("S1-voucher-only")));
    let expected = Event {
        order_ref: OrderRef::new("CMD-2026-0042").ok(),
        call_number: CallNumber::new("10083980755").expect("valid"),
        tender_id: tender("10083980755_0"),
        amount: Cents::new(14000),
        amount_from: AmountFrom::OrderTotal,
        running_total: Some(Cents::new(14000)),
        occurred_at: at("2026-05-04T08:15:27.952Z"),
        ..voucher_part()
    };
    assert_eq!(event, expected);
}

#[test]
fn a_split_order_comes_in_two_messages() {
    assert_eq!(events(&fixture!("S2-split-voucher")), [voucher_part()]);
    assert_eq!(events(&fixture!("S3-split-card")), [card_part()]);
}

#[test]
fn a_refused_complement_leaves_the_voucher_behind() {
    let refused = Event {
        state: ReportedState::Refused,
        status: status("2"),
        running_total: Some(Cents::new(5000)),
        ..card_part()
    };
    assert_eq!(events(&fixture!("S8-split-card-refused")), [refused]);
}

#[test]
fn a_list_and_the_new_form_of_ids_say_the_same() {
    let event = only(events(&fixture!("S7-list-and-new-id")));
    let old = only(events(&fixture!("S1-voucher-only")));
    assert_eq!(event, Event { occurred_at: at("2026-06-02T08:15:27.952Z"), ..old });
}

#[test]
fn every_event_of_a_list_counts() {
    let (voucher, card) = (fixture!("S2-split-voucher").body, fixture!("S3-split-card").body);
    assert_eq!(events(&signed(format!("[{voucher},{card}]"))), [voucher_part(), card_part()]);
    assert_eq!(not_understood(&signed("[]")), "a webhook holds 1 to 50 events, this one 0");
    let many = vec![fixture!("S9-test-event").body; 51].join(",");
    assert_eq!(not_understood(&signed(format!("[{many}]"))), "a webhook holds 1 to 50 events, this one 51");
    let foreign = card.replace(MERCHANT, "ANOTHER");
    assert_eq!(read(&signed(format!("[{voucher},{foreign}]"))), super::foreign("merchantId"));
}

#[test]
fn without_a_part_of_its_own_the_card_states_the_whole_order() {
    let body = fixture!("S3-split-card").body;
    let mut event: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    event["payment"].as_object_mut().expect("an object").remove("operationOutput");
    let whole = Event {
        amount: Cents::new(14000),
        amount_from: AmountFrom::OrderTotal,
        complement: false,
        ..card_part()
    };
    assert_eq!(events(&signed(event.to_string())), [whole]);

    // While it is refused, what was paid so far is the voucher's money.
    let status = serde_json::json!({ "statusCode": 2 });
    event["payment"]["statusOutput"] = status;
    event["payment"]["paymentOutput"]["acquiredAmount"]["amount"] = 5000.into();
    let refused = only(events(&signed(event.to_string())));
    assert_eq!((refused.amount, refused.amount_from), (Cents::new(14000), AmountFrom::OrderTotal));
    assert_eq!(refused.running_total, Some(Cents::new(5000)));
}

#[test]
fn a_surcharge_belongs_to_the_order_and_is_no_other_part() {
    let surcharge = format!(
        r#""surchargeSpecificOutput":{},"paymentMethod":"card"}},"operationOutput""#,
        r#"{"surchargeAmount":{"amount":280,"currencyCode":"EUR"}}"#
    );
    let card =
        altered(&fixture!("S3-split-card"), r#""paymentMethod":"card"},"operationOutput""#, &surcharge);
    let card = altered(&card, r#""acquiredAmount":{"amount":14000"#, r#""acquiredAmount":{"amount":14280"#);
    let alone = only(events(&altered(&card, r#"{"amount":9000"#, r#"{"amount":14000"#)));
    assert_eq!(alone.order_total, Some(Cents::new(14280)));
    assert!(!alone.complement, "a card that pays the whole order");
    assert!(only(events(&card)).complement);
}

#[test]
fn a_refund_is_asked_for_and_then_done() {
    let asked = Event {
        state: ReportedState::Pending,
        status: status("81"),
        running_total: None,
        occurred_at: at("2026-05-04T09:00:00.500Z"),
        ..card_refund()
    };
    assert_eq!(events(&fixture!("S5-refund-requested")), [asked]);
    assert_eq!(events(&fixture!("S6-refunded")), [card_refund()]);
}

#[test]
fn a_refund_of_the_vouchers_part_is_theirs() {
    let refund = fixture!("S6-refunded")
        .body
        .replace("cardRefund", "redirectRefund")
        .replace("\"card\"", "\"redirect\"");
    let event = only(events(&signed(refund)));
    assert_eq!((event.instrument, event.brand.as_str()), (Instrument::Voucher, "CVCO"));
    assert_eq!(event.tender_id, tender("10083980800_2/redirect"));
}

#[test]
fn a_refund_under_the_names_of_the_magento_plugin() {
    let refund = altered(&fixture!("S6-refunded"), "cardRefundMethod", "cardPaymentMethod");
    let refund = altered(&refund, r#""paymentMethod":"card""#, r#""paymentMethod":null"#);
    assert_eq!(only(events(&refund)).running_total, Some(Cents::new(9000)));
    let asked = altered(&refund, r#""status":"REFUNDED""#, r#""status":"REFUND_REQUESTED""#);
    assert_eq!(only(events(&asked)).state, ReportedState::Pending, "8 while it is only asked for");
}

/// The codes of a refused refund, or deletion, come with the refund, or with the payment that stays captured.
#[test]
fn a_refused_refund_takes_nothing_from_the_payment_and_adds_nothing_to_it() {
    let of_refund = |code: &str| altered(&fixture!("S6-refunded"), r#""statusCode":8"#, code);
    let of_payment = |code: &str| altered(&fixture!("S3-split-card"), r#""statusCode":9"#, code);
    for number in [73, 74, 83, 84] {
        let code = format!(r#""statusCode":{number}"#);
        for message in [of_refund(&code), of_payment(&code)] {
            let event = only(events(&message));
            assert_eq!((event.operation, event.amount), (Operation::Credit { of: None }, Cents::new(9000)));
            assert_eq!(event.state, ReportedState::Refused, "{number}");
            assert_eq!(
                event.status,
                StatusCode { code: number.to_string(), reading: StatusReading::Attention }
            );
        }
    }
}

#[test]
fn a_refund_told_by_a_payment_without_the_operations_amount_is_of_an_unknown_one() {
    use ReportedState::{Captured, Pending, Refused};
    use StatusReading::{Attention, Known};
    let codes = [
        (7, Captured, Attention),
        (71, Pending, Known),
        (72, Pending, Known),
        (73, Refused, Attention),
        (74, Refused, Attention),
        (75, Captured, Attention),
        (8, Captured, Attention),
        (81, Pending, Known),
        (82, Pending, Known),
        (83, Refused, Attention),
        (84, Refused, Attention),
        (85, Captured, Attention),
    ];
    for (number, state, reading) in codes {
        let code = format!(r#""statusCode":{number}"#);
        let event = only(events(&altered(&fixture!("S1-voucher-only"), r#""statusCode":9"#, &code)));
        assert_eq!((event.operation, event.state), (Operation::Credit { of: None }, state), "{number}");
        assert_eq!((event.amount, event.amount_from), (Cents::ZERO, AmountFrom::Before), "{number}");
        assert_eq!(event.status.reading, reading, "{number}");
    }
}

#[test]
fn a_refused_capture_leaves_the_authorisation() {
    let refused = altered(&fixture!("S3-split-card"), r#""statusCode":9"#, r#""statusCode":93"#);
    let event = only(events(&refused));
    assert_eq!((event.state, event.status.reading), (ReportedState::Authorised, StatusReading::Attention));
}

#[test]
fn a_payment_that_tells_of_a_refund_gives_back_the_operations_amount() {
    let told = altered(&fixture!("S3-split-card"), r#""statusCode":9"#, r#""statusCode":8"#);
    let event = only(events(&told));
    assert_eq!((event.operation, event.amount), (Operation::Credit { of: None }, Cents::new(9000)));
    assert_eq!(event.status.reading, StatusReading::Known);
}

#[test]
fn an_operation_counts_under_its_own_number() {
    let card = altered(
        &fixture!("S3-split-card"),
        r#""id":"10083980800_1"},"type""#,
        r#""id":"10083980800_0"},"type""#,
    );
    assert_eq!(events(&card), [card_part()]);
}

#[test]
fn what_is_not_there_has_many_spellings() {
    for nothing in ["null", "{}"] {
        let with_refund = altered(
            &fixture!("S2-split-voucher"),
            r#""type":"#,
            &format!(r#""refund":{nothing},"token":{nothing},"containsAnOperation":true,"type":"#),
        );
        assert_eq!(events(&with_refund), [voucher_part()], "{nothing}");
        let body = format!(r#"{{"apiVersion":"v1","payment":{nothing},"type":"payment.rejected"}}"#);
        let why = "payment.rejected: neither a payment nor a refund in it";
        assert_eq!(read(&signed(body)), Ok(Reading::nothing(why)), "{nothing}");
    }
}

#[test]
fn a_date_is_never_the_reason_to_lose_an_event() {
    for odd in ["\"yesterday\"", "null", "17", "[1]", "{\"a\":{}}"] {
        let event = only(events(&altered(
            &fixture!("S2-split-voucher"),
            r#""2026-05-04T10:20:00.1234567+02:00""#,
            odd,
        )));
        assert_eq!(event, Event { occurred_at: None, ..voucher_part() }, "{odd}");
    }
}

#[test]
fn what_is_no_payment_is_kept_with_a_remark() {
    let remark = |message: &WireMessage| match read(message) {
        Ok(Reading::Nothing { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(remark(&fixture!("S9-test-event")), "payment.test: a trial of the webhook");
    let of = |body: &str| signed(format!(r#"{{"apiVersion":"v1",{body}}}"#));
    assert_eq!(
        remark(&of(r#""type":"paymentlink.paid","paymentLink":{"paymentLinkId":"x"}"#)),
        "paymentlink.paid: neither a payment nor a refund in it"
    );
    assert_eq!(
        remark(&of(r#""type":"payment.created","payment":{"id":"1_0","status":"CREATED"}"#)),
        "payment.created: a payment without a method: nothing was chosen yet"
    );
    assert_eq!(
        remark(&of(r#""payment":{"id":"1_0"}"#)),
        "an event without a type: a payment without a status"
    );
}

/// What says that money moved, and not how much or for what, is kept as evidence and told: it is more than nothing.
#[test]
fn money_of_which_too_little_is_told_is_not_understood() {
    let without = |message: &WireMessage, property: &str| {
        altered(message, &format!(r#""{property}":"#), &format!(r#""x-{property}":"#))
    };
    for (message, why) in [
        (without(&fixture!("S2-split-voucher"), "paymentOutput"), "payment.captured: "),
        (
            without(&fixture!("S2-split-voucher"), "payment"),
            "payment.captured: neither a payment nor a refund in it",
        ),
    ] {
        let said = not_understood(&message);
        assert!(said.starts_with(why) && said.ends_with("and money moved"), "{said}");
    }
    let refund = signed(
        r#"{"apiVersion":"v1","type":"payment.refunded","refund":{"id":"10_2","status":"REFUNDED","statusOutput":{"statusCode":8},
            "refundOutput":{"cardRefundMethodSpecificOutput":{"totalAmountRefunded":3000}}}}"#,
    );
    assert_eq!(not_understood(&refund), "payment.refunded: a refund without a currency, and money moved");
}

#[test]
fn an_unknown_status_is_stored_and_never_paid() {
    let odd = altered(&fixture!("S2-split-voucher"), r#""statusCode":9"#, r#""statusCode":777"#);
    let odd = altered(&odd, r#""status":"CAPTURED""#, r#""status":"TELEPORTED""#);
    let odd = altered(&odd, r#""statusCategory":"COMPLETED""#, r#""statusCategory":"ELSEWHERE""#);
    let event = only(events(&odd));
    assert_eq!((event.state, event.status.reading), (ReportedState::Pending, StatusReading::Unknown));
    assert_eq!(event.status.code, "777");
}

#[test]
fn the_api_is_asked_once_about_each_payment() {
    let both = format!("[{},{}]", fixture!("S2-split-voucher").body, fixture!("S3-split-card").body);
    let asked =
        prove_and_read(&Worldline::new(with_api()), &signed(both.as_str()).as_request()).expect("genuine");
    let question = Question {
        topic: Topic::Payment,
        subject: Subject::new("10083980800").expect("valid"),
        asking: Asking::Again,
    };
    assert_eq!(asked.questions(), [question]);
    assert_eq!(read(&signed(both)).expect("genuine").questions(), [], "without an API");
}

#[test]
fn a_chargeback_takes_the_card_back_and_is_no_second_card() {
    let charged = |status: &str| {
        let body = fixture!("S3-split-card").body;
        let payment = body.replace("\"status\":\"CAPTURED\"", &format!("\"status\":\"{status}\""));
        assert_ne!(payment, body);
        only(events(&signed(payment)))
    };
    let chargeback = charged("CHARGEBACKED");
    assert_eq!(chargeback.operation, Operation::Chargeback { of: card_part().tender_id });
    assert_eq!((chargeback.instrument, chargeback.state), (Instrument::Card, ReportedState::Captured));
    let id = format!("{}/chargeback", card_part().tender_id.expect("an id"));
    assert_eq!(chargeback.tender_id, tender(&id));
    assert_eq!(chargeback.status, status("CHARGEBACKED"));
    assert_eq!(chargeback.occurred_at, card_part().occurred_at, "the day of the message");
    assert_eq!(charged("CHARGEBACK_NOTIFICATION").state, ReportedState::Pending);
}
