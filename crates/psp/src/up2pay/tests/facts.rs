//! What a proven call says, field by field.

use proptest::prelude::*;

use super::*;

/// The query of a signed call, after a change to the signed bytes.
pub(super) fn changed(call: &Call, from: &str, to: &str) -> String {
    let query = own_query(call);
    let (signed, _) = query.rsplit_once('&').expect("pairs");
    assert!(signed.contains(from), "{from} in {signed}");
    sign(&signed.replacen(from, to, 1))
}

fn adapter() -> Up2pay {
    own(Mode::Production)
}

#[test]
fn every_voucher_and_the_complement_are_known_in_any_case() {
    for brand in ["CVCONNECT", "APETIZ", "SODEXO", "UPCHEQUDEJ", "ANCV", "cvconnect"] {
        let event = event(&adapter(), &own_query(&Call { brand: brand.into(), ..call() }));
        assert_eq!(event.brand.as_str(), brand.to_uppercase());
        assert_eq!((event.instrument, event.complement), (Instrument::Voucher, false), "{brand}");
    }
    let event = event(&adapter(), &own_query(&Call { brand: "Limocb".into(), ..call() }));
    assert_eq!(
        (event.brand.as_str(), event.instrument, event.complement),
        ("LIMOCB", Instrument::Card, true)
    );
    let page = changed(&call(), "LIMONETIK", "limonetik");
    assert_eq!(super::event(&adapter(), &page), voucher());
}

/// An accepted payment by an ordinary card.
fn card() -> Call {
    Call { brand: "Visa".into(), authorisation: Some("292615".into()), ..call() }
}

#[test]
fn an_ordinary_card_is_a_part_like_any_other() {
    let event = event(&own(Mode::Production), &own_query(&card()));
    let expected = Event {
        tender_id: voucher().tender_id,
        amount: voucher().amount,
        brand: Brand::new("VISA").expect("valid"),
        complement: false,
        ..complement()
    };
    assert_eq!(event, expected);
    let refused = Call { error: "00151".into(), ..card() };
    let event = super::event(&own(Mode::Production), &own_query(&refused));
    assert_eq!((event.instrument, event.state), (Instrument::Card, ReportedState::Refused));
}

#[test]
fn other_products_are_genuine_without_facts() {
    for query in [
        changed(&card(), "CARTE", "PAYPAL"),
        changed(&card(), "CARTE", "PREPAYEE"),
        changed(&card(), "CARTE", "LIMONETIK"),
        changed(&call(), "LIMONETIK", "CARTE"),
        changed(&call(), "ChoixPaiement=LIMONETIK&", ""),
        changed(&call(), "ChoixCarte=CVCONNECT", "ChoixCarte="),
    ] {
        let reading = prove_and_read(&own(Mode::Production), &get(&query));
        let Ok(Reading::Nothing { why }) = reading else { panic!("{query}: {reading:?}") };
        assert!(why.starts_with("neither a voucher nor a card"), "{query}");
    }
}

#[test]
fn a_trial_card_is_not_money_either() {
    let trial = Call { authorisation: Some("XXXXXX".into()), ..card() };
    let event = event(&own(Mode::Production), &own_query(&trial));
    assert_eq!((event.mode, event.state), (Some(Mode::Test), ReportedState::Refused));
}

#[test]
fn the_response_code_decides_the_state() {
    use ReportedState::{Abandoned, Authorised, Pending, Refused};
    use StatusReading::{Attention, Known, Unknown};
    for (code, state, reading) in [
        ("00000", Authorised, Known),
        ("99999", Pending, Known),
        ("00030", Abandoned, Known),
        ("00151", Refused, Known),
        ("00006", Refused, Attention),
        ("00201", Refused, Unknown),
    ] {
        let event = event(&adapter(), &own_query(&Call { error: code.into(), ..call() }));
        assert_eq!(event.state, state, "{code}");
        assert_eq!(event.status, StatusCode { code: code.into(), reading });
    }
}

#[test]
fn numbers_lose_their_leading_zeros() {
    let padded = Call { call_number: "0002310165".into(), transaction: "0722487980".into(), ..call() };
    assert_eq!(event(&adapter(), &own_query(&padded)), voucher());
    assert_eq!(event(&adapter(), &changed(&call(), "Mt=1500", "Mt=0000001500")), voucher());
}

#[test]
fn an_attempt_may_end_before_it_has_a_transaction() {
    let cancelled = Call { error: "00001".into(), ..call() };
    for query in [
        changed(&cancelled, "Transaction=722487980", "Transaction=0"),
        changed(&cancelled, "&Transaction=722487980", ""),
    ] {
        let event = event(&adapter(), &query);
        assert_eq!((event.tender_id, event.state), (None, ReportedState::Abandoned), "{query}");
    }
}

#[test]
fn an_attempt_that_cannot_be_placed_is_no_fact_unless_it_is_money() {
    for (variable, letter) in [
        ("Mt=1500&", 'M'),
        ("Ref=CMD9542124-01A5G&", 'R'),
        ("Appel=2310165&", 'T'),
        ("Transaction=722487980&", 'S'),
    ] {
        let refused = Call { error: "00151".into(), ..call() };
        let empty = format!("{}=&", variable.split_once('=').expect("a pair").0);
        for query in [changed(&refused, variable, ""), changed(&refused, variable, &empty)] {
            let reading = prove_and_read(&adapter(), &get(&query)).expect("genuine");
            assert_eq!(reading.events().len(), usize::from(letter == 'S'), "{query}");
        }

        let expected = format!("an accepted part without the variable of letter {letter}");
        assert_eq!(not_understood(&adapter(), &changed(&call(), variable, "")), expected);
    }
    for zero in ["Appel=2310165", "Transaction=722487980"] {
        let name = zero.split_once('=').expect("a pair").0;
        not_understood(&adapter(), &changed(&call(), zero, &format!("{name}=0")));
    }
}

#[test]
fn wrong_shapes_are_not_guessed_at() {
    for (from, to) in [
        ("Mt=1500", "Mt=15.00"),
        ("Mt=1500", "Mt=-1500"),
        ("Mt=1500", "Mt=00000001500"),
        ("Mt=1500", "Mt=%D9%A1"),
        ("Appel=2310165", "Appel=2310165a"),
        ("Appel=2310165", "Appel=231016523101652310165"),
        ("Transaction=722487980", "Transaction=722 487"),
        ("Erreur=00000", "Erreur=0000"),
        ("Erreur=00000", "Erreur=000000"),
        ("Erreur=00000", "Erreur=0000O"),
        ("Erreur=00000", "Erreur="),
        ("&Erreur=00000", ""),
    ] {
        not_understood(&adapter(), &changed(&call(), from, to));
    }
}

#[test]
fn a_reference_that_cannot_be_shown_is_kept_escaped() {
    let reference = |changed_to: &str| {
        event(&adapter(), &changed(&call(), "CMD9542124", changed_to)).order_ref.map(String::from)
    };
    assert_eq!(reference("CMD%0A9542124").as_deref(), Some(r"CMD\u{a}9542124-01A5G"));
    assert!(reference(&"x".repeat(300)).is_some_and(|long| long.starts_with("xxx")));
}

#[test]
fn a_variable_that_stands_twice_is_refused() {
    let injected = changed(&call(), "Ref=CMD9542124", "Ref=CMD9542124&Mt=9999");
    assert_eq!(not_understood(&adapter(), &injected), "a variable stands twice");
    let outside = changed(&call(), "Ref=", "Abo=0&Abo=1&Ref=");
    assert_eq!(not_understood(&adapter(), &outside), "a variable stands twice");
}

#[test]
fn an_ampersand_in_a_reference_is_no_variable() {
    let query = changed(&call(), "Ref=CMD9542124", "Ref=CMD9542124%26Mt=9999");
    let event = event(&adapter(), &query);
    assert_eq!(event.order_ref, OrderRef::new("CMD9542124&Mt=9999-01A5G").ok());
    assert_eq!(event.amount, Cents::new(1500));
}

#[test]
fn latin1_references_stay_readable() {
    for escape in ["%E9", "%C3%A9"] {
        let event = event(&adapter(), &changed(&call(), "CMD", &format!("R{escape}s")));
        assert_eq!(event.order_ref, OrderRef::new("Rés9542124-01A5G").ok());
    }
}

#[test]
fn a_call_encoded_once_more_on_its_way_says_the_same() {
    let (signed, signature) = sign(
        "Mt=1500&Ref=a%20b&Appel=1&ChoixPaiement=LIMONETIK&ChoixCarte=CVCONNECT&Erreur=00000&Transaction=2",
    )
    .rsplit_once('&')
    .map(|(signed, signature)| (signed.to_owned(), signature.to_owned()))
    .expect("pairs");
    let encoded_again = format!("{}&{signature}", signed.replace('%', "%25"));
    assert_eq!(event(&adapter(), &encoded_again).order_ref, OrderRef::new("a b").ok());
}

#[test]
fn an_authorisation_is_missed_only_where_it_would_have_been_stated() {
    let authorisation = |adapter: &Up2pay, query: &str| event(adapter, query).authorisation;
    let refused = Call { error: "00151".into(), ..call() };
    assert_eq!(authorisation(&adapter(), &own_query(&call())), Authorisation::Absent);
    assert_eq!(authorisation(&adapter(), &own_query(&refused)), Authorisation::NotStated);
    assert_eq!(authorisation(&adapter(), &changed(&call(), "Appel", "Auto=&Appel")), Authorisation::Absent);

    let silent = Template::parse(&OWN.replace("Auto:A;", "")).expect("strict");
    let silent = Up2pay::new(Settings {
        mode: Mode::Production,
        template: silent,
        keys: vec![own_public_key()],
        api: None,
    });
    assert_eq!(authorisation(&silent, &own_query(&call())), Authorisation::NotStated);
}

#[test]
fn the_authorisation_number_tells_trials_from_real_payments() {
    let mode = |authorisation: Option<&str>, brand: &str, error: &str| {
        let authorisation = authorisation.map(str::to_owned);
        let call = Call { authorisation, brand: brand.into(), error: error.into(), ..call() };
        event(&own(Mode::Test), &own_query(&call)).mode
    };
    assert_eq!(mode(Some("XXXXXX"), "LIMOCB", "00000"), Some(Mode::Test));
    assert_eq!(mode(Some("XXXXXX"), "CVCONNECT", "00000"), Some(Mode::Test));
    assert_eq!(mode(Some("292615"), "LIMOCB", "00000"), Some(Mode::Production));
    assert_eq!(mode(Some("292615"), "LIMOCB", "00151"), None);
    assert_eq!(mode(Some("292615"), "CVCONNECT", "00000"), None);
    assert_eq!(mode(None, "LIMOCB", "00000"), None);
}

#[test]
fn the_trial_platforms_money_is_none_in_production() {
    let query = own_query(&Call { authorisation: Some("XXXXXX".into()), brand: "LIMOCB".into(), ..call() });
    let reading = prove_and_read(&own(Mode::Production), &get(&query)).expect("genuine");
    let [refused] = reading.events() else { panic!("one event") };
    assert_eq!((refused.state, refused.mode), (ReportedState::Refused, Some(Mode::Test)));
    assert_eq!(refused.status, StatusCode { code: "00000".into(), reading: StatusReading::Known });
    assert!(reading.remark().is_some_and(|remark| remark.contains("trial platform")));

    let reading = prove_and_read(&own(Mode::Test), &get(&query)).expect("genuine");
    assert_eq!(reading.events().first().map(|event| event.state), Some(ReportedState::Authorised));
    assert_eq!(reading.remark(), None);
}

#[test]
fn parts_are_announced_by_the_index() {
    for (index, expected) in [
        ("1-2", Some(2)),
        ("2-2", Some(2)),
        ("9-9", Some(9)),
        ("3-2", None),
        ("1-10", None),
        ("0-0", None),
        ("2", None),
        ("a-b", None),
    ] {
        let query = own_query(&Call { index: Some(index.into()), ..call() });
        assert_eq!(event(&adapter(), &query).parts_announced, expected, "{index}");
    }
}

#[test]
fn an_instant_that_is_none_costs_no_payment() {
    let query = own_query(&Call { date_time: Some(("31022021".into(), "14:05:09".into())), ..call() });
    assert_eq!(event(&adapter(), &query), Event { occurred_at: None, ..voucher() });
}

prop_compose! {
    fn calls()(
        amount in 1_i64..=9_999_999_999,
        // Blanks around a reference are none of it.
        reference in "[!-~é€]([ -~é€]{0,39}[!-~])?",
        authorisation in proptest::option::of("[A-Z0-9+/]{6}"),
        call_number in 1_u64..,
        voucher in any::<bool>(),
        error in "0000[0-9]|001[0-9]{2}|[0-9]{5}",
        transaction in 1_u64..,
        parts in proptest::option::of(1_u8..=9),
    ) -> Call {
        Call {
            amount: Cents::new(amount),
            reference,
            authorisation,
            call_number: call_number.to_string(),
            brand: if voucher { "CVCONNECT" } else { "LIMOCB" }.into(),
            error,
            transaction: transaction.to_string(),
            date_time: Some(("29032026".into(), "03:00:00".into())),
            index: parts.map(|parts| format!("1-{parts}")),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_read_back(call in calls(), behind in any::<bool>()) {
        let template = lenient(OWN);
        let message =
            if behind { call.signed_behind("shop=12&status=ipn", &template, &KEY) } else { call.signed_post(&template, &KEY) };
        let reading = prove_and_read(&own(Mode::Test), &message.as_request()).expect("genuine");
        let [event] = reading.events() else { panic!("one event: {reading:?}") };
        prop_assert_eq!(event.amount, call.amount);
        prop_assert_eq!(event.order_ref.as_ref().map(OrderRef::as_str), Some(call.reference.as_str()));
        prop_assert_eq!(event.authorisation.number().map(AuthorisationNumber::as_str), call.authorisation.as_deref());
        prop_assert_eq!(event.call_number.as_str(), &call.call_number);
        prop_assert_eq!(event.brand.as_str(), &call.brand);
        prop_assert_eq!(&event.status.code, &call.error);
        prop_assert_eq!(event.tender_id.as_ref().map(TenderId::as_str), Some(call.transaction.as_str()));
        prop_assert_eq!(event.occurred_at, Timestamp::parse("2026-03-29T01:00:00Z").ok());
        prop_assert_eq!(event.parts_announced.map(|parts| format!("1-{parts}")), call.index);
    }
}

#[test]
fn a_call_about_an_amount_of_nothing_tells_of_no_payment() {
    for amount in ["0", "000"] {
        let call = changed(&call(), "Mt=1500", &format!("Mt={amount}"));
        assert_eq!(
            prove_and_read(&adapter(), &get(&call)),
            Ok(Reading::nothing("an amount of nothing (00000): no money moves")),
            "{amount}"
        );
    }
}
