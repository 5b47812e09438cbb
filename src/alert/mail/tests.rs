use cvco_domain::{Cents, Currency, Kind, Mode};
use cvco_mail::{Item, Language, Letter, render};
use cvco_trial::mail_sink::{Behaviour, MailSink};

use super::*;
use crate::alert::sample::{at, item};

fn settings(smtp_url: &str) -> MailSettings {
    MailSettings {
        from: "CVCo <cvco@camping.example>".to_owned(),
        to: vec!["compta@camping.example".to_owned(), "gerant@camping.example".to_owned()],
        servers: vec![server("alerts", smtp_url)],
    }
}

fn server(table: &str, smtp_url: &str) -> ServerSettings {
    ServerSettings { table: table.to_owned(), smtp_url: smtp_url.to_owned(), password: None }
}

fn with_password(smtp_url: &str) -> MailSettings {
    let password = Some(SecretString::from("correct horse"));
    MailSettings {
        servers: vec![ServerSettings { password, ..server("alerts", smtp_url) }],
        ..settings(smtp_url)
    }
}

fn alert() -> RenderedMail {
    let item = item(17, "CMD9542124-01A5G");
    let (shop_name, host) = ("Camping des Pins".to_owned(), "pins.example".to_owned());
    render(&Letter { language: Language::French, shop_name, host, dashboard: None, items: vec![item] })
        .expect("renders")
}

async fn sink_and_mailer() -> (MailSink, Mailer) {
    let sink = MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let mailer = Mailer::try_from(&settings(&format!("smtp://{}", sink.address()))).expect("valid");
    (sink, mailer)
}

async fn send(mailer: &Mailer) -> Result<(), SendError> {
    mailer
        .send(&alert(), "alert-17@pins.example", None, at("2026-03-01T13:30:00Z"), &mut Delivery::default())
        .await
}

fn refusal(settings: &MailSettings) -> String {
    Mailer::try_from(settings).expect_err("refused").to_string()
}

#[test]
fn what_is_wrong_with_the_settings_is_said_by_key() {
    let good = settings("smtp://127.0.0.1");
    let from = MailSettings { from: "camping".to_owned(), ..good.clone() };
    assert_eq!(
        refusal(&from),
        "alerts.from: \"camping\" is not an e-mail address; write for instance cvco@camping.example"
    );
    let to = MailSettings { to: vec!["compta@camping.example".to_owned(), "x y".to_owned()], ..good.clone() };
    assert!(refusal(&to).starts_with("alerts.to: \"x y\" is not"));
    assert!(refusal(&MailSettings { to: Vec::new(), ..good }).starts_with("alerts.to: empty"));
    assert!(refusal(&settings("mail.example")).starts_with("alerts.smtp: it must begin with smtp://"));
    assert!(refusal(&settings("smtps://u@mail.example")).contains("no alerts.password_file"));
    assert!(refusal(&with_password("smtps://mail.example")).contains("names no user"));
}

#[test]
fn a_password_is_never_sent_readable_over_a_network() {
    for exposed in ["smtp://u@mail.example", "smtp://u@mail.example?starttls=opportunistic"] {
        let text = refusal(&with_password(exposed));
        assert!(text.contains("smtps://user@host"), "{text}");
    }
    for safe in ["smtp://u@127.0.0.1", "smtps://u@mail.example", "smtp://u@mail.example?starttls=required"] {
        assert!(Mailer::try_from(&with_password(safe)).is_ok(), "{safe}");
    }
}

#[test]
fn a_mailer_does_not_show_its_password() {
    let mailer = Mailer::try_from(&with_password("smtps://u@mail.example")).expect("valid");
    assert!(!format!("{mailer:?}").contains("horse"));
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let (sink, mailer) = sink_and_mailer().await;
    send(&mailer).await.expect("accepted");
    let mails = sink.wait_for(1).await;
    let [mail] = mails.as_slice() else { panic!("one mail, not {}", mails.len()) };

    assert_eq!(mail.from, "cvco@camping.example");
    assert_eq!(mail.to, ["compta@camping.example", "gerant@camping.example"]);
    assert_eq!(mail.subject(), alert().subject);
    assert_eq!(mail.message_id(), Some("<alert-17@pins.example>"));
    assert_eq!((mail.in_reply_to(), mail.header("References")), (None, None));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!((mail.header("X-Priority"), mail.header("Importance")), (Some("1"), Some("high")));
    assert_eq!(mail.header("Date"), Some("Sun, 01 Mar 2026 13:30:00 +0000"));
    assert_eq!(mail.text.as_deref().map(str::trim_end), Some(alert().text.trim_end()));
    assert_eq!(mail.html.as_deref().map(str::trim_end), Some(alert().html.trim_end()));
}

#[tokio::test]
async fn what_can_wait_has_no_header_that_says_otherwise() {
    let (sink, mailer) = sink_and_mailer().await;
    let mail = RenderedMail { urgent: false, ..alert() };
    let now = at("2026-03-01T13:30:00Z");
    mailer.send(&mail, "alert-17@pins.example", None, now, &mut Delivery::default()).await.expect("accepted");
    let mails = sink.wait_for(1).await;
    assert_eq!((mails[0].header("X-Priority"), mails[0].header("Importance")), (None, None));
}

#[tokio::test]
async fn a_later_mail_joins_the_thread() {
    let (sink, mailer) = sink_and_mailer().await;
    let at = at("2026-03-01T14:00:00Z");
    mailer
        .send(&alert(), "closed-17@pins.example", Some("alert-17@pins.example"), at, &mut Delivery::default())
        .await
        .expect("accepted");
    let mails = sink.wait_for(1).await;
    assert_eq!(mails[0].message_id(), Some("<closed-17@pins.example>"));
    assert_eq!(mails[0].in_reply_to(), Some("<alert-17@pins.example>"));
    assert_eq!(mails[0].header("References"), Some("<alert-17@pins.example>"));
}

#[tokio::test]
async fn refusals_for_good_for_now_and_at_first_are_told_apart() {
    let (sink, mailer) = sink_and_mailer().await;
    for (behaviour, what, kept) in [
        (Behaviour::TemporaryFailure, "refused for now", 0),
        (Behaviour::Greylist, "greylisted", 0),
        (Behaviour::RefuseConnections, "the server cannot be used", 0),
        (Behaviour::PermanentFailure, "refused for good", 0),
        (Behaviour::CutAfterData, "the server cannot be used", 1),
    ] {
        sink.set_behaviour(behaviour.clone());
        let error = send(&mailer).await.expect_err("refused");
        assert!(error.to_string().starts_with(what), "{behaviour:?}: {error}");
        assert_eq!(sink.mails().len(), kept, "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_mail_sent_again_after_a_cut_is_recognised_by_its_id() {
    let (sink, mailer) = sink_and_mailer().await;
    sink.set_behaviour(Behaviour::CutAfterData);
    assert!(send(&mailer).await.is_err());
    sink.set_behaviour(Behaviour::Accept);
    send(&mailer).await.expect("accepted");
    let mails = sink.wait_for(2).await;
    assert_eq!(mails[0].message_id(), mails[1].message_id());
}

#[tokio::test]
async fn a_refused_recipient_does_not_keep_the_other_from_the_mail() {
    let (sink, mailer) = sink_and_mailer().await;
    sink.set_behaviour(Behaviour::RefuseRecipient("compta@camping.example".to_owned()));
    let mut delivery = Delivery::default();
    mailer.send(&alert(), "a@h", None, at("2026-03-01T13:30:00Z"), &mut delivery).await.expect("one of two");
    assert_eq!(sink.wait_for(1).await[0].to, ["gerant@camping.example"]);
    assert!(delivery.refused["compta@camping.example"].contains("no such mailbox"), "{delivery:?}");
}

#[tokio::test]
async fn the_only_recipient_refused_is_permanent() {
    let sink = MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let one = vec!["compta@camping.example".to_owned()];
    let settings = MailSettings { to: one, ..settings(&format!("smtp://{}", sink.address())) };
    sink.set_behaviour(Behaviour::RefuseRecipient("compta@camping.example".to_owned()));
    let error = send(&Mailer::try_from(&settings).expect("valid")).await.expect_err("refused");
    assert!(matches!(&error, SendError::Permanent(text) if text.contains("no such mailbox")), "{error}");
}

#[tokio::test]
async fn a_login_is_used_and_its_refusal_is_not_for_good() {
    let sink = MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let url = format!("smtp://cvco%40camping.example@{}", sink.address());
    let mailer = Mailer::try_from(&with_password(&url)).expect("valid");
    sink.set_behaviour(Behaviour::RefuseLogin);
    assert!(matches!(send(&mailer).await, Err(SendError::Unreachable(_))));
    sink.set_behaviour(Behaviour::Accept);
    send(&mailer).await.expect("accepted");
    assert_eq!(sink.wait_for(1).await[0].login.as_deref(), Some("cvco@camping.example"));
}

#[tokio::test]
async fn a_connection_can_be_tried_without_a_mail() {
    let (sink, mailer) = sink_and_mailer().await;
    assert_eq!(mailer.test_connections().await, [(sink.address().to_string(), Ok(()))]);
    assert_eq!(sink.mails(), []);
    sink.set_behaviour(Behaviour::RefuseConnections);
    assert!(matches!(mailer.test_connections().await[..], [(_, Err(SendError::Unreachable(_)))]));
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_where_it_is_required() {
    let sink = MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let mailer = settings(&format!("smtp://{}?starttls=required", sink.address()));
    let error = send(&Mailer::try_from(&mailer).expect("valid")).await.expect_err("no STARTTLS");
    assert!(error.to_string().contains("STARTTLS"), "{error}");
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_recipient_who_is_refused_for_now_gets_the_mail_later_and_the_others_once() {
    let (sink, mailer) = sink_and_mailer().await;
    let mut delivery = Delivery::default();
    let mail = alert();
    let now = at("2026-03-01T13:30:00Z");
    sink.set_behaviour(Behaviour::DeferRecipient("compta@camping.example".to_owned()));
    for _ in 0..2 {
        let error = mailer.send(&mail, "a@h", None, now, &mut delivery).await.expect_err("one is missing");
        assert!(matches!(error, SendError::Temporary(_)), "{error}");
    }
    sink.set_behaviour(Behaviour::Accept);
    mailer.send(&mail, "a@h", None, now, &mut delivery).await.expect("the other one");
    let to: Vec<Vec<String>> = sink.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [["gerant@camping.example"], ["compta@camping.example"]]);
}

#[tokio::test]
async fn the_next_server_takes_what_the_first_does_not() {
    let (first, second) = (
        MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port"),
        MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port"),
    );
    let servers =
        [&first, &second].map(|sink| server("alerts", &format!("smtp://{}", sink.address()))).to_vec();
    let mailer = Mailer::try_from(&MailSettings { servers, ..settings("smtp://h") }).expect("valid");
    for (behaviour, taken) in [
        (Behaviour::Accept, (1, 0)),
        (Behaviour::RefuseConnections, (1, 1)),
        (Behaviour::TemporaryFailure, (1, 2)),
        (Behaviour::PermanentFailure, (1, 3)),
    ] {
        first.set_behaviour(behaviour.clone());
        send(&mailer).await.expect("one of both");
        assert_eq!((first.mails().len(), second.mails().len()), taken, "{behaviour:?}");
    }
    second.set_behaviour(Behaviour::TemporaryFailure);
    assert!(matches!(send(&mailer).await, Err(SendError::Temporary(_))), "what gives most hope");
}

/// Gmail cuts a mail off at 102 KB.
#[test]
fn a_digest_of_hundreds_is_under_90_kilobytes_as_it_leaves() {
    let mut records = Vec::new();
    let tender = |id: usize| cvco_domain::Tender {
        id: cvco_domain::TenderId::new(format!("7224879{id:05}")).ok(),
        instrument: cvco_domain::Instrument::Voucher,
        brand: cvco_domain::Brand::new("CVCONNECT").expect("a brand"),
        issuer: cvco_domain::Issuer::Ancv,
        state: cvco_domain::TenderState::Authorised,
        amount: Cents::new(12_300),
        currency: Currency::EUR,
        refunded: Cents::ZERO,
        taken_back: Cents::ZERO,
        authorisation: None,
        contract: None,
        endpoint: cvco_domain::EndpointId::new("camping-up2pay").expect("an id"),
        complement: false,
        first_seen_at: at("2026-03-01T13:05:09Z"),
        authorised_at: None,
        captured_at: None,
        refunded_at: None,
        booked: cvco_domain::Booked::default(),
    };
    records.push(cvco_domain::Record {
        psp: cvco_domain::Psp::Up2pay,
        call_number: cvco_domain::CallNumber::new("9782013").expect("valid"),
        endpoint: cvco_domain::EndpointId::new("camping-up2pay").expect("valid"),
        mode: Mode::Production,
        currency: Currency::EUR,
        expected: None,
        state: cvco_domain::RecordState::Unbalanced,
        tenders: (0..6).map(tender).collect(),
        refunding: Cents::ZERO,
        counts: true,
    });
    let one = |id: i64| Item {
        kind: Kind::ALL[usize::try_from(id).expect("small") % Kind::ALL.len()],
        severity: cvco_domain::Severity::Warning,
        psp: Some(cvco_domain::Psp::Up2pay),
        records: records.clone(),
        ..item(id * 2, &format!("réf-{}-{id}", "é".repeat(200)))
    };
    let mailer = Mailer::try_from(&settings("smtp://h")).expect("valid");
    for (language, count) in [(Language::French, 500), (Language::English, 500), (Language::French, 16)] {
        let items: Vec<Item> = (1..=count).map(one).collect();
        let (shop_name, host) = ("Camping des Pins".to_owned(), "pins.example".to_owned());
        let mail = render(&Letter { language, shop_name, host, dashboard: None, items }).expect("renders");
        let sent = mailer.message(&mail, "a@h", None, at("2026-03-01T13:30:00Z")).expect("a message");
        let size = sent.formatted().len();
        assert!((20_000..90_000).contains(&size), "{size} bytes of {count}");
        for id in 1..=count {
            let numbers = mail.text.split_once("\n----").expect("a summary").0;
            assert!(numbers.contains(&(id * 2).to_string()), "{id} is not named");
        }
    }
}
