//! What each fixture says, and the rules that no fixture shows.

use super::*;

#[test]
fn a_cascade_is_one_event_per_part() {
    assert_eq!(read(fixture!("S1-cascade-ok")), Ok(facts(vec![voucher_part(), card_part()])));
}

#[test]
fn numbers_in_the_sequence_read_like_text() {
    assert_eq!(events(fixture!("S5-cascade-numeric-types")), events(fixture!("S1-cascade-ok")));
}

#[test]
fn a_refused_attempt_stands_beside_the_accepted_one() {
    let refused = Event {
        tender_id: tender("00000000000000000000000000000001"),
        state: ReportedState::Refused,
        status: status("REFUSED/51"),
        occurred_at: None,
        ..card_part()
    };
    let accepted = Event { tender_id: tender("00000000000000000000000000000002"), ..card_part() };
    assert_eq!(events(fixture!("S2-cascade-second-card")), [voucher_part(), refused, accepted]);
}

#[test]
fn parts_that_do_not_come_to_the_total_are_told_as_they_are() {
    let events = events(fixture!("S4-cascade-mismatch"));
    assert_eq!(events, [voucher_part(), Event { amount: Cents::new(3989), ..card_part() }]);
    assert_eq!(events.iter().map(|event| event.amount).sum::<Cents>(), Cents::new(9989));
    assert!(events.iter().all(|event| event.order_total == Some(Cents::new(9990)) && event.itemised));
}

#[test]
fn a_voucher_alone_is_one_event() {
    assert_eq!(events(fixture!("S7-cvco-full")), [full_voucher()]);
}

#[test]
fn a_refusal_keeps_its_reason() {
    let refused = Event { state: ReportedState::Refused, status: status("REFUSED/1216"), ..full_voucher() };
    assert_eq!(events(fixture!("S8-cvco-refused")), [refused]);
}

#[test]
fn an_abandoned_complement_is_the_failure_of_a_card() {
    let abandoned = Event {
        tender_id: None,
        instrument: Instrument::Card,
        complement: true,
        state: ReportedState::Abandoned,
        status: status("ABANDONED/1013"),
        authorisation: Authorisation::NotStated,
        contract: None,
        occurred_at: None,
        ..full_voucher()
    };
    assert_eq!(read(fixture!("S9-abandoned")), Ok(facts(vec![abandoned])));
}

#[test]
fn a_cancellation_is_about_the_same_tender_and_states_no_total() {
    let cancelled = Event {
        state: ReportedState::Cancelled,
        status: status("CANCELLED"),
        order_total: None,
        occurred_at: None,
        ..full_voucher()
    };
    assert_eq!(events(fixture!("S11-merch-bo-cancel")), [cancelled]);
}

#[test]
fn a_refund_is_a_tender_of_its_own() {
    let refund = Event {
        tender_id: tender("7c6d3e8c2c6d4e5fb8b5f3c4d5e6f7a8"),
        operation: Operation::Credit { of: None },
        order_total: None,
        ..full_voucher()
    };
    assert_eq!(events(fixture!("S12-merch-bo-refund")), [refund]);
}

#[test]
fn a_real_notification_of_a_card_reads() {
    let adapter = Sogecommerce::new(Settings {
        site_id: SiteId::new("49808206").expect("valid"),
        keys: vec![" PLtsY7IpnYMBadb5\n".to_owned().into()],
        ..settings()
    });
    let card = Event {
        order_ref: None,
        call_number: CallNumber::new("9c20f0-20200801-49808206-test").expect("valid"),
        tender_id: tender("192ee2d72bfc4ab3a9b1230a4eb301cf"),
        brand: Brand::new("CB").expect("valid"),
        amount: Cents::new(19999),
        authorisation: Authorisation::Number(AuthorisationNumber::new("3fe85c").expect("valid")),
        complement: false,
        order_total: Some(Cents::new(19999)),
        itemised: false,
        occurred_at: at("2020-08-01T13:47:15Z"),
        ..card_part()
    };
    assert_eq!(prove_and_read(&adapter, &post(fixture!("P5-khalyomede-real-ipn"))), Ok(facts(vec![card])));
}

#[test]
fn a_rest_notification_tells_of_the_same_tenders_as_the_form() {
    let events = events(fixture!("R9-synthetic-rest-cascade"));
    let visa =
        Event { authorisation: Authorisation::NotStated, contract: voucher_part().contract, ..card_part() };
    assert_eq!(events, [registered(voucher_part()), registered(visa)]);
}

#[test]
fn sha1_is_read_only_where_it_is_configured() {
    let body = with_signature(fixture!("S1-cascade-ok"), "41ed1c3eadbef4c729a4a4b11e8b86d00275f072");
    let sha1 = Sogecommerce::new(Settings { algorithm: Algorithm::Sha1, ..settings() });
    assert_eq!(prove_and_read(&sha1, &post(&body)), read(fixture!("S1-cascade-ok")));
    assert_eq!(sha1.prove(&post(fixture!("S1-cascade-ok"))), Err(Rejection::Signature));
    assert_eq!(read(&body), Err(Rejection::Signature.into()));
}

#[test]
fn a_replay_has_other_bytes_and_the_same_facts() {
    let replay = altered(
        fixture!("S1-cascade-ok"),
        &[
            ("vads_url_check_src", Some("RETRY")),
            ("vads_hash", Some(&"9".repeat(64))),
            ("vads_page_action", None),
            ("vads_payment_config", None),
            ("vads_action_mode", None),
        ],
    );
    assert_eq!(events(&replay), events(fixture!("S1-cascade-ok")));
}

#[test]
fn an_amount_lowered_in_the_back_office_is_followed_and_never_a_raised_one() {
    let amount = |effective: &str, currency: &str| {
        let changes =
            [("vads_effective_amount", Some(effective)), ("vads_effective_currency", Some(currency))];
        let reading = read(&altered(fixture!("S7-cvco-full"), &changes)).expect("genuine");
        (reading.events()[0].amount.get(), reading.remark().is_some())
    };
    assert_eq!(amount("5000", "978"), (5000, false));
    assert_eq!(amount("5000", "840"), (9990, false));
    assert_eq!(amount("999900", "978"), (9990, true));
}

#[test]
fn a_failed_cascade_without_parts_is_one_attempt() {
    let without_parts = |status: &str| {
        altered(
            fixture!("S1-cascade-ok"),
            &[
                ("vads_payment_seq", None),
                ("vads_trans_status", Some(status)),
                ("vads_sequence_number", None),
            ],
        )
    };
    let attempt = Event {
        tender_id: None,
        brand: Brand::new("MULTI").expect("valid"),
        state: ReportedState::Abandoned,
        status: status("ABANDONED"),
        contract: None,
        occurred_at: None,
        ..full_voucher()
    };
    assert_eq!(events(&without_parts("ABANDONED")), [attempt]);
    assert_eq!(
        not_understood(&without_parts("AUTHORISED")),
        "vads_payment_seq lists no parts of an accepted MULTI payment"
    );
}

#[test]
fn a_message_without_a_brand_tells_of_its_parts_or_of_nothing() {
    let abandoned = [("vads_card_brand", None), ("vads_trans_status", Some("ABANDONED"))];
    let listed = altered(fixture!("S1-cascade-ok"), &abandoned);
    assert_eq!(events(&listed), [voucher_part(), card_part()]);
    let nothing = read(&altered(fixture!("S9-abandoned"), &abandoned));
    assert!(matches!(nothing, Ok(Reading::Nothing { .. })), "{nothing:?}");
}

#[test]
fn a_transaction_without_uuid_is_named_by_its_place() {
    let id = |changes: &[(&str, Option<&str>)]| {
        events(&altered(fixture!("S7-cvco-full"), changes))[0].tender_id.as_ref().map(ToString::to_string)
    };
    let no_uuid = ("vads_trans_uuid", None);
    assert_eq!(id(&[no_uuid]).as_deref(), Some("xrt15p-20200408-12345678-test/1"));
    assert_eq!(
        id(&[no_uuid, ("vads_operation_type", Some("CREDIT"))]).as_deref(),
        Some("xrt15p-20200408-12345678-test/1/credit")
    );
    assert_eq!(id(&[no_uuid, ("vads_sequence_number", None)]), None);
    assert_eq!(id(&[("vads_trans_uuid", Some(&VOUCHER.to_uppercase()))]).as_deref(), Some(VOUCHER));
}

#[test]
fn the_two_worlds_have_two_sequences() {
    let body = altered(fixture!("S7-cvco-full"), &[("vads_ctx_mode", Some("PRODUCTION"))]);
    let event = &events(&body)[0];
    assert_eq!(event.call_number.as_str(), "xrt15p-20200408-12345678");
    assert_eq!(event.mode, Some(Mode::Production), "the endpoint's own mode is compared elsewhere");
}

#[test]
fn what_is_outside_the_tables_is_kept_for_a_person() {
    let status_of = |status: &str, result: &str| {
        let changes = [("vads_trans_status", Some(status)), ("vads_auth_result", Some(result))];
        let event = events(&altered(fixture!("S7-cvco-full"), &changes)).remove(0);
        (event.state, event.status)
    };
    let code = |code: &str, reading| StatusCode { code: code.to_owned(), reading };
    assert_eq!(
        status_of("TELEPORTED", "0"),
        (ReportedState::Pending, code("TELEPORTED", StatusReading::Unknown))
    );
    assert_eq!(
        status_of("REFUSED", "1777"),
        (ReportedState::Refused, code("REFUSED/1777", StatusReading::Unknown))
    );
    assert_eq!(
        status_of("CAPTURE_FAILED", "0"),
        (ReportedState::Cancelled, code("CAPTURE_FAILED", StatusReading::Attention))
    );
}

#[test]
fn a_verification_moves_no_money() {
    let body = altered(
        fixture!("S7-cvco-full"),
        &[("vads_operation_type", Some("VERIFICATION")), ("vads_trans_status", Some("ACCEPTED"))],
    );
    assert_eq!(read(&body), Ok(Reading::nothing("a VERIFICATION moves no money")));
}

#[test]
fn a_missing_operation_of_an_accepted_payment_is_remarked() {
    let reading =
        read(&altered(fixture!("S7-cvco-full"), &[("vads_operation_type", None)])).expect("genuine");
    assert_eq!(reading.events(), [full_voucher()]);
    assert_eq!(reading.remark(), Some("no vads_operation_type: read as DEBIT"));
}

#[test]
fn a_payment_is_accepted_when_it_is_registered_and_never_when_its_capture_is_wished_for() {
    let when = |created: Option<&str>, presented: Option<&str>| {
        let changes = [("vads_effective_creation_date", created), ("vads_presentation_date", presented)];
        events(&altered(fixture!("S7-cvco-full"), &changes))[0].occurred_at
    };
    let (first, later) = (Some("20200408145648"), Some("20200411000000"));
    assert_eq!(when(first, later), at("2020-04-08T14:56:48Z"));
    for not_told in [None, Some("soon"), Some("")] {
        assert_eq!(when(not_told, later), at("2020-04-08T14:56:00Z"), "the date of the form");
    }
}

/// A card that is to be captured after more than a week is authorised the day before: no date of the message tells when.
#[test]
fn what_is_authorised_later_is_not_accepted_when_it_is_registered() {
    let when = |source: &str, presented: &str| {
        let changes = [("vads_url_check_src", Some(source)), ("vads_presentation_date", Some(presented))];
        let event = &events(&altered(fixture!("S7-cvco-full"), &changes))[0];
        (event.state, event.occurred_at)
    };
    let registered = at("2020-04-08T14:56:48Z");
    assert_eq!(when("PAY", "20200415000000"), (ReportedState::Authorised, registered));
    assert_eq!(when("RETRY", "20200428000000"), (ReportedState::Authorised, None));
    assert_eq!(when("BATCH_AUTO", "20200415000000"), (ReportedState::Authorised, None));
    let waiting = [("vads_trans_status", Some("WAITING_AUTHORISATION")), ("vads_auth_result", None)];
    let event = &events(&altered(fixture!("S7-cvco-full"), &waiting))[0];
    assert_eq!((event.state, event.status.reading), (ReportedState::Pending, StatusReading::Planned));
}

#[test]
fn a_cascade_with_a_delay_is_accepted_at_once() {
    let delayed =
        String::from_utf8_lossy(fixture!("S1-cascade-ok")).replace("2020-04-08T14", "2020-04-11T14");
    assert_ne!(delayed.as_bytes(), fixture!("S1-cascade-ok"), "the presentation dates of the parts");
    let events = events(&altered(delayed.as_bytes(), &[]));
    assert!(events.iter().all(|event| event.occurred_at == at("2020-04-08T14:56:00Z")), "{events:?}");
}

#[test]
fn a_capture_is_not_dated_by_the_payment() {
    let body = altered(fixture!("S7-cvco-full"), &[("vads_trans_status", Some("CAPTURED"))]);
    let event = &events(&body)[0];
    assert_eq!((event.accepted_at, event.occurred_at), (at("2020-04-08T14:56:48Z"), None));
}

#[test]
fn a_change_in_the_back_office_is_a_revision() {
    let revised = |source: &str, effective: &str| {
        let changes = [
            ("vads_url_check_src", Some(source)),
            ("vads_effective_amount", Some(effective)),
            ("vads_effective_currency", Some("978")),
        ];
        let event = &events(&altered(fixture!("S7-cvco-full"), &changes))[0];
        (event.amount.get(), event.revised)
    };
    assert_eq!(revised("PAY", "9990"), (9990, false));
    assert_eq!(revised("MERCH_BO", "5000"), (5000, true));
    assert_eq!(revised("RETRY", "5000"), (5000, true), "a repetition tells the present amount");
}

#[test]
fn an_order_reference_is_optional() {
    let body = altered(fixture!("S7-cvco-full"), &[("vads_order_id", None)]);
    assert_eq!(events(&body), [Event { order_ref: None, ..full_voucher() }]);
}

/// `vads_payment_config` MULTI is a payment in instalments: each is told by itself, and none states the total.
#[test]
fn an_instalment_states_no_total() {
    for changes in [
        [
            ("vads_payment_config", Some("MULTI:first=5000;count=3;period=30")),
            ("vads_sequence_number", Some("1")),
        ],
        [("vads_payment_config", Some("SINGLE")), ("vads_sequence_number", Some("2"))],
        [("vads_payment_config", None), ("vads_sequence_number", Some("3"))],
    ] {
        let told = events(&altered(fixture!("S7-cvco-full"), &changes));
        assert_eq!(told.iter().map(|event| event.order_total).collect::<Vec<_>>(), [None], "{changes:?}");
    }
}
