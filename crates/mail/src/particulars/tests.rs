use cvco_domain::{
    Brand, CallNumber, Currency, HandlerAddress, Issuer, Noted, OrderRef, Psp, Seq, StatementNumber, StoryOf,
    Subject, TenderId,
};

use super::super::samples::{at, record, refused_card, voucher};
use super::*;

fn part(transaction: &str, instrument: Instrument, brand: &str) -> PartName {
    PartName {
        transaction: TenderId::new(transaction).ok(),
        instrument,
        brand: Brand::new(brand).expect("valid"),
        elsewhere: None,
    }
}

fn connect() -> PartName {
    part("24345585831757", Instrument::Voucher, "ANCV_CONNECT")
}

fn said(language: Language, detail: &Detail) -> String {
    in_words(language, detail, &[]).unwrap_or_default().replace('\u{a0}', " ")
}

fn verdicts(source: Source, code: &str) -> Vec<Verdict> {
    vec![Verdict { source, code: code.to_owned() }]
}

fn calls_to_shop(calls: u32, parked: u32, orders: &[&str]) -> ShopCalls {
    ShopCalls {
        address: HandlerAddress::new("https://shop.example/ipn.php").ok(),
        calls,
        parked,
        since: at("2026-03-01T13:05:09Z"),
        orders: orders.iter().filter_map(|order| OrderRef::new(*order).ok()).collect(),
        why: Noted::new("it answered 503", None),
    }
}

#[test]
fn each_is_said_in_the_language_of_its_reader() {
    let awaited =
        |count, topic| Detail::Awaited { count, topic, subject: Subject::new("16RjW").expect("valid") };
    let payment = |psp, call: &str| PaymentName { psp, call_number: CallNumber::new(call).expect("valid") };
    let usd = Currency::parse("USD").expect("valid");
    for (detail, french, english) in [
        (
            awaited(1, Topic::Transaction),
            "1 question en attente : transaction 16RjW",
            "1 question waiting: transaction 16RjW",
        ),
        (
            Detail::RefusedFor {
                refusal: Refusal::Address,
                calls: 12,
                signed: true,
                caller: Some("194.2.122.190".to_owned()),
                why: Noted::new("genuine, but its address is outside allow_from", None),
            },
            "au moins 12 appels authentiques refusés en un jour pour leur adresse d’origine, qui n’est pas dans \
             allow_from, le dernier venu de 194.2.122.190",
            "at least 12 genuine calls refused in a day for their address of origin, which is not in allow_from, the \
             last one from 194.2.122.190",
        ),
        (
            awaited(3, Topic::Payment),
            "3 questions en attente, dont la première : paiement 16RjW",
            "3 questions waiting, the first: payment 16RjW",
        ),
        (
            Detail::Parts(vec![connect()]),
            "chèque-vacances (ANCV_CONNECT), transaction 24345585831757",
            "voucher (ANCV_CONNECT), transaction 24345585831757",
        ),
        (
            Detail::Payments(vec![payment(Psp::Up2pay, "7001"), payment(Psp::Sogecommerce, "abc-1")]),
            "Up2pay e-Transactions, numéro d’appel 7001 ; Sogecommerce, paiement abc-1",
            "Up2pay e-Transactions, call number 7001; Sogecommerce, payment abc-1",
        ),
        (
            Detail::Currencies { found: vec![usd], expected: Currency::EUR },
            "payé en USD, commande en EUR",
            "paid in USD, order in EUR",
        ),
        (
            Detail::Authorisation { part: connect(), number: None },
            "chèque-vacances (ANCV_CONNECT), transaction 24345585831757 : sans numéro d’autorisation",
            "voucher (ANCV_CONNECT), transaction 24345585831757: without an authorisation number",
        ),
        (
            Detail::Dispute {
                part: part("V1", Instrument::Card, "VISA"),
                of: StoryOf::Payment,
                differences: vec![Difference::Outcome {
                    accepted_by: verdicts(Source::Confirmation, "00000"),
                    failed_by: verdicts(Source::Notification, "00105"),
                }],
            },
            "carte (VISA), transaction V1 : refusé ou annulé selon une notification (statut « 00105 »), accepté selon le \
             prestataire interrogé (statut « 00000 »)",
            "card (VISA), transaction V1: refused or cancelled by a notification (status “00105”), accepted by the provider when \
             asked (status “00000”)",
        ),
        (
            Detail::LastCall(at("2026-03-01T13:05:00Z")),
            "dernière notification le 01/03/2026 14:05",
            "last notification 2026-03-01 14:05",
        ),
        (
            Detail::Refused { calls: 240, diagnosis: Noted::new("the key of the test mode fits", None) },
            "au moins 240 appels refusés",
            "at least 240 calls refused",
        ),
    ] {
        assert_eq!(said(French, &detail), french);
        assert_eq!(said(English, &detail), english);
    }
}

#[test]
fn parts_that_are_all_listed_as_payments_are_not_named_twice() {
    let record = record(2500, vec![voucher(1500), refused_card(1000)]);
    let (voucher, card) =
        (part("722487980", Instrument::Voucher, "CVCONNECT"), part("722487981", Instrument::Card, "LIMOCB"));
    let all = Detail::Parts(vec![voucher.clone(), card]);
    assert_eq!(in_words(French, &all, std::slice::from_ref(&record)), None);
    assert!(in_words(French, &Detail::Parts(vec![voucher]), &[record]).is_some());
}

#[test]
fn technical_words_stand_apart() {
    let refused = Detail::Refused { calls: 2, diagnosis: Noted::new("another key", None) };
    assert_eq!(technical(French, &refused, None).as_deref(), Some("another key"));
    let in_both = Detail::Refused { calls: 2, diagnosis: Noted::new("another key", Some("une autre clé")) };
    assert_eq!(technical(French, &in_both, None).as_deref(), Some("une autre clé"));
    assert_eq!(technical(English, &in_both, None).as_deref(), Some("another key"));
    assert_eq!(technical(French, &Detail::Nothing, Some("HTTP 503\n")).as_deref(), Some("HTTP 503"));
    assert_eq!(technical(French, &Detail::Nothing, None), None);
}

#[test]
fn calls_to_a_shop_are_counted_with_the_handler_in_front() {
    for (detail, french, english) in [
        (
            Detail::NotTaken(calls_to_shop(12, 2, &["CMD-1", "CMD-2"])),
            "https://shop.example/ipn.php : 12 appels attendent, le premier depuis le 01/03/2026 14:05, dont 2 qui ne sont plus tentés ; commandes CMD-1, CMD-2",
            "https://shop.example/ipn.php: 12 calls wait, the first since 2026-03-01 14:05, 2 of them no longer tried; orders CMD-1, CMD-2",
        ),
        (
            Detail::RefusedByShop(calls_to_shop(1, 0, &["CMD-1"])),
            "https://shop.example/ipn.php : 1 appel refusé le 01/03/2026 14:05 ; commande CMD-1",
            "https://shop.example/ipn.php: 1 call refused 2026-03-01 14:05; order CMD-1",
        ),
    ] {
        assert_eq!(said(French, &detail), french);
        assert_eq!(said(English, &detail), english);
    }
}

#[test]
fn a_time_span_is_said_in_paris() {
    let span = Detail::Awaited {
        count: 1,
        topic: Topic::Window,
        subject: Subject::new("2026-03-10T07:50/2026-03-10T09:01/CVCO1").expect("a subject"),
    };
    let said = |language| in_words(language, &span, &[]).map(|said| said.replace('\u{a0}', " "));
    assert_eq!(
        said(French).as_deref(),
        Some("1 question en attente : paiements du 10/03/2026 08:50 au 10/03/2026 10:01, contrat CVCO1")
    );
    assert_eq!(
        said(English).as_deref(),
        Some("1 question waiting: payments from 2026-03-10 08:50 to 2026-03-10 10:01, contract CVCO1")
    );
}

#[test]
fn an_order_that_nobody_registered_is_in_no_currency() {
    let chf = Currency::parse("756").expect("a currency");
    let detail = Detail::Currencies { found: vec![chf], expected: chf };
    assert_eq!(in_words(French, &detail, &[]).as_deref(), Some("payé en CHF, et non en euros"));
}

#[test]
fn one_call_that_was_refused_is_spoken_of_as_one_and_without_english_beside_it() {
    let one = |refusal| Detail::RefusedFor {
        refusal,
        calls: 1,
        signed: refusal == Refusal::Address,
        caller: Some("194.2.122.190".to_owned()),
        why: Noted::new("in English", None),
    };
    assert_eq!(
        said(French, &one(Refusal::Address)),
        "1 appel authentique refusé pour son adresse d’origine, qui n’est pas dans allow_from, venu de 194.2.122.190"
    );
    assert_eq!(
        said(English, &one(Refusal::Size)),
        "1 call refused for its size (over 512 KiB), from 194.2.122.190"
    );
    for refusal in [Refusal::Size, Refusal::Incomplete, Refusal::Address, Refusal::Flood, Refusal::Loop] {
        assert_eq!(technical(French, &one(refusal), None), None, "{refusal:?}");
    }
    assert!(technical(French, &one(Refusal::Form), None).is_some(), "what the adapter has found");
}

#[test]
fn a_line_is_named_by_its_place_in_the_statement_and_not_in_the_file() {
    let lines = |position| {
        let statement = StatementNumber::new("RH").expect("valid");
        Detail::Lines(vec![LineId { issuer: Issuer::Bank, statement, position }])
    };
    assert_eq!(said(French, &lines(1)), "1re ligne du relevé RH (banque)");
    assert_eq!(said(French, &lines(4)), "4e ligne du relevé RH (banque)");
    for (position, english) in
        [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (113, "113th"), (121, "121st")]
    {
        assert_eq!(said(English, &lines(position)), format!("{english} line of statement RH (bank)"));
    }
}

#[test]
fn an_entry_that_stands_aside_is_named_with_how_many_others_do() {
    let of = |others| Detail::Entry {
        seq: Seq::new(12),
        others,
        kind: None,
        reason: Noted::new("vads_amount", None),
    };
    assert_eq!(said(French, &of(0)), "entrée n° 12 du journal");
    assert_eq!(said(French, &of(1)), "entrée n° 12 du journal, et une autre");
    assert_eq!(said(French, &of(7)), "entrée n° 12 du journal, et 7 autres");
    assert_eq!(said(English, &of(7)), "log entry 12 and 7 others");
}
