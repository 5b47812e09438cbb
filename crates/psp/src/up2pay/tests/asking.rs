//! Consultations: what is asked, and what the answers state.

use cvco_domain::{AmountFrom, Asking, Operation, Question, Standing, Subject, Topic};
use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::api::{
    Answer, ApiRequest, ApiResponse, BaseUrl, CallFailure, Exchange, Inquiry, NoAnswer, ProbeStep, Step,
};
use crate::up2pay::{ApiKey, ApiSettings, answers};
use crate::wire::latin1_or_utf8;

fn api_settings() -> ApiSettings {
    let key: SecretString = "0123456789ABCDEF".repeat(8).into();
    let (base, backup) = ApiSettings::usual_addresses(Mode::Production);
    ApiSettings {
        base_url: BaseUrl::parse(base).expect("an address"),
        backup_url: backup.and_then(|url| BaseUrl::parse(url).ok()),
        site: "1666666".into(),
        rang: "16".into(),
        key: ApiKey::from_hex(&key).expect("a key"),
    }
}

fn endpoint(api: Option<ApiSettings>) -> Up2pay {
    Up2pay::new(Settings {
        mode: Mode::Production,
        template: Template::parse(FULL).expect(FULL),
        keys: vec![synthetic_key()],
        api,
    })
}

fn asked() -> Up2pay {
    endpoint(Some(api_settings()))
}

/// When the questions are asked.
fn now() -> Timestamp {
    Timestamp::parse("2021-03-01T13:06:00Z").expect("valid")
}

fn question(subject: &str) -> Question {
    Question {
        topic: Topic::Transaction,
        subject: Subject::new(subject).expect("valid"),
        asking: Asking::Again,
    }
}

fn about_voucher() -> Question {
    question("722487980/2310165/CVCONNECT")
}

fn next(adapter: &Up2pay, known: &[Event], said: &[Exchange]) -> Step {
    let question = about_voucher();
    adapter.api().expect("on").next(&Inquiry { question: &question, known }, said, now())
}

fn request(adapter: &Up2pay, said: &[Exchange]) -> ApiRequest {
    let Step::Call(request) = next(adapter, &[], said) else { panic!("no call") };
    request
}

/// The first exchange, answered by what is made of its request.
fn answered(adapter: &Up2pay, body: impl FnOnce(&[u8]) -> Vec<u8>) -> Exchange {
    let request = request(adapter, &[]);
    let body = body(&request.body);
    Exchange { request, outcome: Ok(ApiResponse { status: 200, body }) }
}

/// What an answer without backup comes to.
fn end(known: &[Event], body: impl FnOnce(&[u8]) -> Vec<u8>) -> Step {
    let adapter = endpoint(Some(ApiSettings { backup_url: None, ..api_settings() }));
    let said = [answered(&adapter, body)];
    next(&adapter, known, &said)
}

fn answer(known: &[Event], status: &str) -> Answer {
    let step = end(known, |question| answers::found(question, status));
    let Step::Answered(answer) = step else { panic!("{status}: {step:?}") };
    answer
}

#[test]
fn the_api_is_on_only_where_it_can_be_asked() {
    assert!(asked().api().is_some());
    assert!(endpoint(None).api().is_none());
}

#[test]
fn a_question_is_signed_in_its_order() {
    let request = request(&asked(), &[]);
    assert_eq!(request.url, "https://ppps.e-transactions.fr/PPPS.php");
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.headers, [("content-type", "application/x-www-form-urlencoded".to_owned())]);
    let body = String::from_utf8(request.body.clone()).expect("ASCII");
    let (signed, hmac) = body.split_once("&HMAC=").expect("a signature");
    assert_eq!(
        signed,
        "VERSION=00104&TYPE=00017&SITE=1666666&RANG=16&NUMQUESTION=0047160001&DATEQ=01032021140600&\
         NUMAPPEL=2310165&NUMTRANS=722487980&ACQUEREUR=CVCONNECT&HASH=SHA512"
    );
    assert!(hmac.len() == 128 && hmac.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
    assert!(!format!("{request:?}").contains("HMAC"));
}

/// The tag was computed with other tools than this program.
#[test]
fn the_published_test_key_signs_as_elsewhere() {
    let message = "VERSION=00104&TYPE=00017&SITE=1666666&RANG=16&NUMQUESTION=0000000017&DATEQ=01032021140600&\
                   NUMAPPEL=2310165&NUMTRANS=722487980&ACQUEREUR=CVCONNECT&HASH=SHA512";
    let key: SecretString = "0123456789ABCDEF".repeat(8).into();
    let key = cvco_domain::crypto::HmacSha512Key::from_hex(&key).expect("a key");
    assert_eq!(
        hex::encode_upper(key.tag(message.as_bytes())),
        "AF5CD7A2C229E6BDBC73DB741F896267E0CC795EC00EA404A5CB5C24A18344ED\
         3CA93C3984C23D0023ACB43C9273237DF67F49EA3D42838FC0E64E5EADA54984"
    );
    // The 17th millisecond of a day makes the 17th number, so the program says the very same.
    let early = Timestamp::parse("2021-03-01T00:00:00.016Z").expect("valid");
    let question = about_voucher();
    let adapter = asked();
    let step = adapter.api().expect("on").next(&Inquiry { question: &question, known: &[] }, &[], early);
    let Step::Call(request) = step else { panic!("a call") };
    let body = String::from_utf8(request.body).expect("ASCII");
    let (signed, hmac) = body.split_once("&HMAC=").expect("a signature");
    assert_eq!(signed, message.replace("DATEQ=01032021140600", "DATEQ=01032021010000"));
    assert_eq!(hmac, hex::encode_upper(key.tag(signed.as_bytes())));
}

#[test]
fn a_call_raises_a_question_about_its_part() {
    let questions = |adapter: &Up2pay, http| {
        prove_and_read(adapter, &message(http).as_request()).expect("genuine").questions().to_vec()
    };
    assert_eq!(questions(&asked(), S1), [about_voucher()]);
    assert_eq!(questions(&asked(), S2), [question("722487981/2310165/LIMOCB")]);
    assert_eq!(questions(&endpoint(None), S1), [], "the API is off");
    let adapter = asked();
    let api = adapter.api().expect("on");
    assert_eq!(api.again(&voucher()), Some(about_voucher()));
    assert_eq!(api.again(&Event { tender_id: None, ..voucher() }), None);
    assert_eq!(api.order(&OrderRef::new("CMD").expect("valid")), None);
}

#[test]
fn an_answer_states_the_notified_event_in_its_present_state() {
    use ReportedState::{Authorised, Cancelled, Captured, Refused};
    use StatusReading::{Attention, Known};
    let known = [complement(), voucher()];
    for (status, state, reading) in [
        ("Autorisé", Authorised, Known),
        ("Capturé", Captured, Known),
        ("Annulé", Cancelled, Known),
        ("Refusé", Refused, Known),
        ("Rejet support", Refused, Known),
        ("Remboursé", Captured, Attention),
        ("Crédit", Authorised, Attention),
        ("Téléporté", Authorised, Attention),
    ] {
        let answer = answer(&known, status);
        let stated = Event {
            state,
            status: StatusCode { code: status.into(), reading },
            amount_from: AmountFrom::Before,
            authorisation: Authorisation::NotStated,
            occurred_at: None,
            ..voucher()
        };
        assert_eq!((answer.events.first(), answer.standing), (Some(&stated), Standing::Settled), "{status}");
        assert_eq!(answer.events.len(), if status == "Remboursé" { 2 } else { 1 }, "{status}");
    }
}

#[test]
fn a_refund_of_unknown_amount_claims_none_and_calls_for_a_person() {
    let answer = answer(&[voucher()], "Remboursé");
    let refund = answer.events.last().expect("a refund");
    assert_eq!(refund.operation, Operation::Credit { of: voucher().tender_id });
    assert_eq!((refund.amount, refund.amount_from), (Cents::ZERO, AmountFrom::Before));
    assert_eq!(refund.status.reading, StatusReading::Attention);
    assert_ne!(refund.tender_id, voucher().tender_id);
}

#[test]
fn a_part_that_is_not_decided_is_asked_about_again() {
    let pending = [Event { state: ReportedState::Pending, ..voucher() }];
    assert_eq!(answer(&pending, "Téléporté").standing, Standing::Unsettled);
    assert_eq!(answer(&pending, "Capturé").standing, Standing::Settled);
}

#[test]
fn a_part_of_which_no_call_told_states_nothing() {
    let other_call = Event { call_number: CallNumber::new("2310166").expect("valid"), ..voucher() };
    for known in [vec![], vec![complement()], vec![other_call]] {
        let answer = answer(&known, "Capturé");
        assert_eq!((answer.events.len(), answer.standing), (0, Standing::Settled));
        assert!(answer.remark.is_some());
    }
}

#[test]
fn trial_money_stays_none() {
    let trial = Event { mode: Some(Mode::Test), state: ReportedState::Refused, ..voucher() };
    assert_eq!(answer(&[trial], "Capturé").events[0].state, ReportedState::Refused);
}

#[test]
fn a_recorded_answer_reads() {
    let http = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/up2pay/consultation-captured.http"
    ));
    let at = http.windows(4).position(|window| window == b"\r\n\r\n").expect("a body");
    let Step::Answered(answer) = end(&[voucher()], |_| http[at + 4..].to_vec()) else { panic!("an answer") };
    assert_eq!(answer.events[0].state, ReportedState::Captured);
    assert_eq!(answer.events[0].status.code, "Capturé");
}

#[test]
fn what_is_not_found_is_unknown() {
    for code in ["00018", "00015"] {
        let step = end(&[voucher()], |question| answers::refusal(question, code, "Transaction non trouvée"));
        assert!(
            matches!(&step, Step::Answered(Answer { standing: Standing::Unknown, events, .. }) if events.is_empty()),
            "{step:?}"
        );
    }
    let bare = end(&[], |_| b"CODEREPONSE=00015&COMMENTAIRE=PAYBOX : Transaction non trouv\xe9e".to_vec());
    assert!(matches!(bare, Step::Answered(Answer { standing: Standing::Unknown, .. })));
    let by_status = end(&[voucher()], |question| answers::found(question, "Transaction non trouvée"));
    assert!(matches!(by_status, Step::Answered(Answer { standing: Standing::Unknown, .. })));
}

#[test]
fn a_wrong_setting_says_what_to_change() {
    for code in ["00006", "00002", "00014"] {
        let step = end(&[], |question| answers::refusal(question, code, "Accès refusé"));
        let Step::Failed(NoAnswer::Setting(what)) = step else { panic!("{code}: {step:?}") };
        assert!(
            ["api.site", "api.rang", "api.secret", "GAE", code]
                .iter()
                .all(|word| what.english.contains(word)),
            "{what}"
        );
    }
}

#[test]
fn an_answer_to_another_question_is_trouble() {
    for (field, other) in
        [("SITE=1666666", "SITE=1666667"), ("RANG=16", "RANG=17"), ("NUMQUESTION=00", "NUMQUESTION=90")]
    {
        let step = end(&[voucher()], |question| {
            let answer = latin1_or_utf8(&answers::found(question, "Capture")).into_owned();
            assert!(answer.contains(field));
            answer.replace(field, other).into_bytes()
        });
        assert!(matches!(step, Step::Failed(NoAnswer::Trouble(_))), "{field}: {step:?}");
    }
}

#[test]
fn other_failures_are_worth_asking_again() {
    type Failure = fn(&[u8]) -> Vec<u8>;
    let failures: [Failure; 8] = [
        |question| answers::refusal(question, "00001", "x"),
        |question| answers::refusal(question, "00005", "x"),
        |question| answers::refusal(question, "00039", "x"),
        |question| answers::refusal(question, "<b>\u{202e}", "<b>"),
        |question| answers::found(question, ""),
        |_| b"<html><body>maintenance</body></html>".to_vec(),
        |_| Vec::new(),
        |_| "a=1&".repeat(100).into_bytes(),
    ];
    for failure in failures {
        let step = end(&[voucher()], failure);
        assert!(
            matches!(&step, Step::Failed(NoAnswer::Trouble(why)) if !why.english.contains(['<', '\u{202e}'])),
            "{step:?}"
        );
    }
}

#[test]
fn a_server_out_of_order_has_a_backup_that_is_asked_once() {
    let adapter = asked();
    let first = request(&adapter, &[]);
    let timeout = || Err(CallFailure::Timeout { host: "ppps.e-transactions.fr".into() });
    let busy = answers::refusal(&first.body, "00097", "x");
    for outcome in [
        timeout(),
        Ok(ApiResponse { status: 503, body: Vec::new() }),
        Ok(ApiResponse { status: 200, body: busy }),
        Ok(ApiResponse { status: 200, body: b"<html>".to_vec() }),
    ] {
        let said = [Exchange { request: first.clone(), outcome }];
        let second = request(&adapter, &said);
        assert_eq!(second.url, "https://ppps1.e-transactions.fr/PPPS.php");
        assert_ne!(second.body, first.body, "a question has a number of its own");

        let [lost] = said;
        let found = Ok(ApiResponse { status: 200, body: answers::found(&second.body, "Capturé") });
        let said = [lost.clone(), Exchange { request: second.clone(), outcome: found }];
        assert!(
            matches!(next(&adapter, &[voucher()], &said), Step::Answered(answer) if answer.events.len() == 1)
        );
        let said = [lost, Exchange { request: second, outcome: timeout() }];
        assert!(matches!(next(&adapter, &[voucher()], &said), Step::Failed(NoAnswer::Trouble(_))));
    }
    let wrong = answered(&adapter, |question| answers::refusal(question, "00006", "x"));
    assert!(
        matches!(next(&adapter, &[], &[wrong]), Step::Failed(NoAnswer::Setting(_))),
        "no use asking the backup"
    );
}

#[test]
fn a_subject_of_another_kind_is_not_asked_about() {
    let adapter = asked();
    for question in [
        question("CMD9542124-01A5G"),
        question("0/1/CVCONNECT"),
        Question { topic: Topic::Order, ..about_voucher() },
    ] {
        let step = adapter.api().expect("on").next(&Inquiry { question: &question, known: &[] }, &[], now());
        assert!(matches!(step, Step::Answered(Answer { standing: Standing::Unknown, .. })), "{question}");
    }
}

#[test]
fn the_probe_asks_about_what_cannot_be() {
    let adapter = asked();
    let api = adapter.api().expect("on");
    let ProbeStep::Call(request) = api.probe(&[], now()) else { panic!("a call first") };
    assert!(String::from_utf8_lossy(&request.body).contains("&NUMAPPEL=1&NUMTRANS=1&"));
    let probe = |code: &str| {
        let body = answers::refusal(&request.body, code, "x");
        let outcome = Ok(ApiResponse { status: 200, body });
        api.probe(&[Exchange { request: request.clone(), outcome }], now())
    };
    assert!(matches!(probe("00018"), ProbeStep::Good(_)));
    assert!(matches!(probe("00015"), ProbeStep::Good(_)));
    assert!(matches!(probe("00006"), ProbeStep::Bad(NoAnswer::Setting(_))));
    assert!(matches!(probe("00039"), ProbeStep::Bad(NoAnswer::Trouble(_))));
    assert!(matches!(probe("00098"), ProbeStep::Call(_)), "the backup");
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(junk in proptest::collection::vec(any::<u8>(), 0..60), at in 0_usize..300, cut in 0_usize..60) {
        let step = end(&[voucher()], |question| {
            let mut body = answers::found(question, "Capturé");
            let at = at.min(body.len());
            let end = (at + cut).min(body.len());
            body.splice(at..end, junk);
            body
        });
        prop_assert!(!matches!(step, Step::Call(_)));
    }
}
