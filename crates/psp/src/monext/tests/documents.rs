//! Answers as bytes: what is not XML as Monext sends it.

use proptest::prelude::*;

use super::super::api::soap::{SoapError, response};
use super::super::api::xml::{Element, Space, XmlError, parse};
use super::*;

fn child(xml: &str) -> Option<String> {
    let root = parse(xml.as_bytes()).expect(xml);
    root.text(Space::None, "a").map(str::to_owned)
}

fn latin1(xml: &str) -> Vec<u8> {
    xml.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
}

#[test]
fn names_are_compared_by_namespace() {
    let plain = r#"<x xmlns="http://impl.ws.payline.experian.com"><a xmlns="http://obj.ws.payline.experian.com">1</a></x>"#;
    let prefixed = r#"<p:x xmlns:p="http://impl.ws.payline.experian.com" xmlns:q="http://obj.ws.payline.experian.com"><q:a>1</q:a></p:x>"#;
    assert_eq!(parse(plain.as_bytes()), parse(prefixed.as_bytes()));
    let swapped = r#"<p:x xmlns:p="http://obj.ws.payline.experian.com" xmlns:q="http://impl.ws.payline.experian.com"><q:a>1</q:a></p:x>"#;
    assert_ne!(parse(plain.as_bytes()), parse(swapped.as_bytes()));
    assert!(matches!(parse(b"<p:x/>"), Err(XmlError::Malformed(_))));
}

#[test]
fn a_text_is_what_it_says_and_empty_is_none() {
    assert_eq!(
        child("<x><a> 1&amp;2&#233;&#x21;<![CDATA[<3>]]><!-- 4 -->5 </a></x>").as_deref(),
        Some("1&2é!<3>5")
    );
    let nil = r#"<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><a i:nil="true">1</a></x>"#;
    for none in ["<x/>", "<x><a/></x>", "<x><a> </a></x>", "<x><a><b>1</b></a></x>", nil] {
        assert_eq!(child(none), None, "{none}");
    }
}

#[test]
fn two_encodings_are_read() {
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><x><a>é</a></x>");
    assert_eq!(child(&declared("UTF-8")).as_deref(), Some("é"));
    let root = parse(&latin1(&declared("ISO-8859-1"))).expect("Latin-1");
    assert_eq!(root.text(Space::None, "a"), Some("é"));
    let with_mark = [b"\xef\xbb\xbf".as_slice(), declared("utf-8").as_bytes()].concat();
    assert!(parse(&with_mark).is_ok());
    for bytes in
        [latin1(&declared("UTF-8")), declared("UTF-16").into_bytes(), declared("windows-1252").into_bytes()]
    {
        assert_eq!(parse(&bytes), Err(XmlError::Encoding));
    }
    let wide: Vec<u8> = "<x/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse(&wide).is_err());
    assert!(parse(&[b"\xff\xfe".as_slice(), &wide].concat()).is_err());
}

#[test]
fn entities_and_document_types_are_refused_unread() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>"#;
    assert_eq!(parse(bomb.as_bytes()), Err(XmlError::Doctype));
    let outside = r#"<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>"#;
    assert_eq!(parse(outside.as_bytes()), Err(XmlError::Doctype));
    for reference in ["&b;", "&nbsp;", "&#1;"] {
        assert_eq!(parse(format!("<x>{reference}</x>").as_bytes()), Err(XmlError::Entity), "{reference}");
    }
    for damaged in ["<x>&#0;</x>", "<x>&#xD800;</x>", "<x>&amp</x>", "<x>\u{1}</x>"] {
        assert!(parse(damaged.as_bytes()).is_err(), "{damaged}");
    }
}

#[test]
fn depth_and_mass_are_bounded() {
    let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    assert!(parse(deep(64).as_bytes()).is_ok());
    assert_eq!(parse(deep(65).as_bytes()), Err(XmlError::TooMuch("levels")));
    assert_eq!(parse("<a>".repeat(1_000_000).as_bytes()), Err(XmlError::TooMuch("levels")));

    let wide = format!("<x>{}</x>", "<a/>".repeat(250_000));
    assert_eq!(parse(wide.as_bytes()), Err(XmlError::TooMuch("elements")));
    let long = format!("<x>{}</x>", "1".repeat(10_000_000));
    assert_eq!(parse(long.as_bytes()), Err(XmlError::TooMuch("text")));
    let pieces = format!("<x>{}</x>", "&amp;".repeat(100_000));
    assert_eq!(parse(pieces.as_bytes()), Err(XmlError::TooMuch("text")));

    let many = |name: &str| (0..200_000).map(|n| format!(" {name}{n}='u'")).collect::<Vec<_>>().concat();
    let attributes = many("a");
    assert_eq!(parse(format!("<x{attributes}/>").as_bytes()), Err(XmlError::TooMuch("attributes")));
    let spaces = many("xmlns:a");
    assert_eq!(parse(format!("<x{spaces}/>").as_bytes()), Err(XmlError::TooMuch("namespaces")));
}

#[test]
fn what_is_not_one_document_is_refused() {
    for wrong in [
        "",
        " ",
        "text",
        "<x>",
        "</x>",
        "<x></y>",
        "<x/><y/>",
        "<x/>text",
        "<x a=1/>",
        "<x a='1' a='2'/>",
        "<x/><?xml version='1.0'?>",
        "<!x>",
        "<>",
    ] {
        assert!(parse(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_answer_cut_anywhere_is_no_answer() {
    let whole = body(fixture!("d2-split")).trim_end();
    assert!(response(whole.as_bytes(), "getWebPaymentDetails").is_ok());
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        let error = response(cut, "getWebPaymentDetails").expect_err("cut short");
        assert!(matches!(error, SoapError::Xml(_)), "{end}: {error}");
        let step = session(std::str::from_utf8(cut).expect("ASCII"));
        assert!(matches!(step, Step::Failed(NoAnswer::Trouble(_))), "{end}");
    }
}

/// Whether two documents say the same.
fn same(left: &str, right: &str) -> bool {
    let read = |text: &str| -> Element { parse(text.as_bytes()).expect("XML") };
    read(left) == read(right)
}

#[test]
fn the_calls_are_those_of_monexts_own_library() {
    let session = called(monext().next(
        &Inquiry { question: &question(Topic::Session, "xxxxxtokenxxxxxx"), known: &[] },
        &[],
        now(),
    ));
    assert!(same(
        std::str::from_utf8(&session.body).expect("UTF-8"),
        body(fixture!("c-get-web-payment-details"))
    ));
    let details = called(monext().next(
        &Inquiry { question: &question(Topic::Transaction, CARD), known: &[] },
        &[],
        now(),
    ));
    assert!(same(
        std::str::from_utf8(&details.body).expect("UTF-8"),
        body(fixture!("e1-get-transaction-details"))
    ));

    for (request, recorded) in
        [(session, fixture!("c-get-web-payment-details")), (details, fixture!("e1-get-transaction-details"))]
    {
        let path = recorded.split(' ').nth(1).expect("a target");
        assert_eq!(request.url, format!("https://homologation.payline.com{path}"));
        for (name, value) in &request.headers {
            let sent = recorded.lines().filter_map(|line| line.split_once(": "));
            let mut sent = sent.filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
            assert_eq!(sent.next().map(|(_, value)| value), Some(value.as_str()), "{name}");
        }
        assert_eq!(request.headers.len(), 3);
    }
}

#[test]
fn an_order_reference_is_escaped() {
    let order = question(Topic::Order, "A&B <1>\"'");
    let request = called(monext().next(&Inquiry { question: &order, known: &[] }, &[], now()));
    let asked = answers::asked(&request.body).expect("a search");
    assert_eq!(asked, answers::Asked::Search { order: Some("A&B <1>\"'".to_owned()), contract: None });
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[<>/a-z&;#!\\[\\]\"'= ?-]{0,80}") {
        let _either = (parse(&bytes), parse(text.as_bytes()));
    }

    #[test]
    fn one_damaged_byte_never_panics_and_never_adds_a_part(place in 0_usize..2000, byte in any::<u8>()) {
        let mut damaged = body(fixture!("d2-split")).as_bytes().to_vec();
        let place = place % damaged.len();
        damaged[place] = byte;
        let adapter = Monext::new(Settings { directory_url: None, ..settings() });
        let reply = Ok(ApiResponse { status: 200, body: damaged });
        if let Step::Answered(answer) = step(&adapter, &question(Topic::Session, TOKEN), &[], &[reply]) {
            prop_assert!(answer.events.len() <= 2);
        }
    }
}
