//! Mails as they are kept, in every dress.

use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/", $name))
    };
}

const URL: &str = "https://boutique.example/n/camping-up2pay/TOKEN";

/// The call of a recorded request, without the shop's own parameters in front.
fn query(http: &[u8]) -> String {
    let http = std::str::from_utf8(http).expect("ASCII");
    let target = http.split(' ').nth(1).expect("a target");
    let (_, query) = target.split_once('?').expect("a query");
    query.strip_prefix("wc-api=X&status=ipn&").unwrap_or(query).to_owned()
}

fn s1() -> String {
    query(fixture!("s1-voucher.http"))
}

fn s2() -> String {
    query(fixture!("s2-card-complement.http"))
}

fn s4() -> String {
    query(fixture!("s4-voucher-behind-merchant-parameters.http"))
}

/// Address and call of every quotation, mail by mail.
fn quoted(file: &[u8]) -> Vec<Vec<(Option<String>, String)>> {
    let text = |quotation: Quotation| (quotation.url, String::from_utf8(quotation.query).expect("ASCII"));
    read(file).into_iter().map(|mail| mail.quotations.into_iter().map(text).collect()).collect()
}

fn one(url: &str, query: String) -> Vec<Vec<(Option<String>, String)>> {
    vec![vec![(Some(url.to_owned()), query)]]
}

#[test]
fn the_older_form_is_read() {
    let v10 = query(fixture!("v10-card-production.http"));
    let file = fixture!("warning-v10-older-form.eml");
    assert_eq!(quoted(file), one("http://boutique.example/paybox_autoresponse", v10));
}

#[test]
fn typographic_marks_and_soft_line_ends_are_read() {
    assert_eq!(quoted(fixture!("warning-s1-quoted-printable.eml")), one(URL, s1()));
}

#[test]
fn html_in_base64_is_read() {
    assert_eq!(quoted(fixture!("warning-s2-html-base64.eml")), one(URL, s2()));
}

#[test]
fn latin1_with_guillemets_is_read() {
    assert_eq!(quoted(fixture!("warning-s4-latin1.eml")), one(URL, s4()));
}

#[test]
fn a_mailbox_is_read_mail_by_mail() {
    let quoted = quoted(fixture!("warning-mailbox.mbox"));
    assert_eq!(quoted, [one(URL, s2()), one(URL, s1()), vec![vec![]]].concat());
}

#[test]
fn a_text_alone_is_read_under_any_marks() {
    for (begin, end) in [
        ("", ""),
        ("<", ">"),
        ("\"", "\""),
        ("'", "'"),
        ("“", "”"),
        ("« ", " »"),
        ("«\u{a0}", "\u{a0}»"),
        ("„", "“"),
    ] {
        for rest in
            [" (404-0)", " Erreur : code HTTP: 404", "\r\n(0-28)", "\n\nCordialement", "\nCordialement", ""]
        {
            let text = format!(
                "WARNING: Impossible de joindre {URL} {URL} pour le paiement {begin}{}{end}{rest}",
                s1()
            );
            assert_eq!(quoted(text.as_bytes()), one(URL, s1()), "{text}");
        }
    }
}

#[test]
fn lines_broken_anywhere_do_no_harm() {
    let call = s2();
    for width in 1..call.len() {
        let (first, second) = call.split_at(width);
        for (gap, begin, end) in [("\r\n", "<", ">"), (" \n", "“", "”"), ("\n> ", "\"", "\"")] {
            let text =
                format!("joindre {URL} pour le\r\npaiement\r\n{begin}{first}{gap}{second}{end} (404-0)");
            assert_eq!(quoted(text.as_bytes()), one(URL, call.clone()), "{text}");
        }
    }
    let (host, path) = URL.split_at(30);
    let text = format!("joindre {host}\n{path} pour le paiement {}", s1());
    assert_eq!(quoted(text.as_bytes()), one(URL, s1()), "{text}");
}

#[test]
fn every_call_of_a_text_is_found_once() {
    let warning = |call: String| format!("Impossible de joindre {URL} pour le paiement {call} (404-0)\n");
    let text = [warning(s1()), warning(s2()), warning(s1())].concat();
    let calls: Vec<_> = quoted(text.as_bytes()).concat().into_iter().map(|(_, call)| call).collect();
    assert_eq!(calls, [s1(), s2()]);
}

#[test]
fn a_mail_sent_on_as_an_attachment_is_read() {
    let inner = String::from_utf8(fixture!("warning-s1-quoted-printable.eml").to_vec()).expect("ASCII");
    let outer = format!(
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n\
         --cut\r\n\r\nvoir ci-joint\r\n--cut\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--cut--\r\n"
    );
    assert_eq!(quoted(outer.as_bytes()), one(URL, s1()));
}

/// A mail that says nothing itself and has one attachment.
fn with_attachment(content_type: &str, content: &[u8]) -> Vec<u8> {
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, content);
    format!(
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n\
         --cut\r\n\r\nvoir ci-joint\r\n--cut\r\nContent-Type: {content_type}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--cut--\r\n"
    )
    .into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn an_attachment_that_is_called_a_stream_of_bytes_is_read() {
    let inner = fixture!("warning-s1-quoted-printable.eml");
    for name in ["application/octet-stream; name=\"WARNING.eml\"", "message/rfc822"] {
        assert_eq!(quoted(&with_attachment(name, inner)), one(URL, s1()), "{name}");
    }
    let text = format!("Impossible de joindre {URL} pour le paiement {} (404-0)", s1());
    assert_eq!(quoted(&with_attachment("application/octet-stream", text.as_bytes())), one(URL, s1()));
    assert_eq!(quoted(&with_attachment("application/octet-stream", &utf16(&text))), one(URL, s1()));
}

#[test]
fn what_windows_programs_save_is_read() {
    let text = format!("Impossible de joindre {URL} pour le paiement {} (404-0)", s1());
    assert_eq!(quoted(&utf16(&text)), one(URL, s1()));
    assert_eq!(quoted(format!("\u{feff}{text}").as_bytes()), one(URL, s1()));
    assert_eq!(quoted(&with_attachment("text/plain; charset=utf-16", &utf16(&text))), one(URL, s1()));
    assert_eq!(quoted(&with_attachment("text/html; charset=utf-16", &utf16(&text))), one(URL, s1()));
    let eml = String::from_utf8(fixture!("warning-s1-quoted-printable.eml").to_vec()).expect("ASCII");
    assert_eq!(quoted(&utf16(&eml)), one(URL, s1()));
}

#[test]
fn a_mail_in_outlooks_own_form_is_called_what_it_is() {
    let message = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0";
    let attached = with_attachment("application/vnd.ms-outlook; name=\"x.msg\"", message);
    let unnamed = with_attachment("application/octet-stream", message);
    for file in [&message[..], &attached, &unnamed] {
        let mails = read(file);
        assert_eq!(mails[0].unreadable, Some(Unreadable::OutlookMessage));
        assert!(mails[0].quotations.is_empty());
    }
    let wrapped = with_attachment("application/ms-tnef; name=\"winmail.dat\"", b"\x78\x9f\x3e\x22\0");
    assert_eq!(read(&wrapped)[0].unreadable, Some(Unreadable::WinMail));
}

#[test]
fn headers_and_text_in_one_paragraph_are_read() {
    let text = format!("Subject: x\nWARNING: Impossible de joindre {URL} pour le paiement {} (404-0)", s1());
    assert_eq!(quoted(text.as_bytes()), one(URL, s1()));
}

#[test]
fn without_an_address_the_call_is_read_all_the_same() {
    let text = format!("pour le paiement {}", s1());
    assert_eq!(quoted(text.as_bytes()), [[(None, s1())]]);
}

#[test]
fn other_mails_quote_nothing() {
    for text in
        ["", "From ", "pour le paiement", "pour le paiement de votre commande", "pour le paiement <", "\0"]
    {
        assert_eq!(read(text.as_bytes()).iter().flat_map(|mail| &mail.quotations).count(), 0, "{text}");
    }
    let endless = format!("pour le paiement \"{}", "a=1 ".repeat(10_000));
    assert_eq!(quoted(endless.as_bytes()), [[]]);
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0_usize..2000, at in 0_usize..2000) {
        prop_assert!(!read(&bytes).is_empty());
        let mut damaged = fixture!("warning-s2-html-base64.eml").to_vec();
        let at = at.min(damaged.len());
        damaged.splice(at..(at + cut).min(fixture!("warning-s2-html-base64.eml").len()).max(at), bytes);
        prop_assert_eq!(read(&damaged).len(), 1);
    }
}
