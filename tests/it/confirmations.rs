//! The PSPs' own APIs are asked, whatever becomes of the daemon and of them meanwhile.

use cvco_domain::{Cents, Timestamp};
use cvco_psp::monext::answers::{ACCEPTED, Leg, Payment, Prefixes, session_result};
use cvco_psp::monext::sender;
use cvco_psp::worldline::sender::{Happening, IdForm, Part, Webhook};
use cvco_psp::worldline::{self, WebhookKey};
use cvco_psp::{ancv, up2pay};
use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};
use cvco_trial::simulate::empty_books;

use crate::support::{Daemon, Settings, TOKEN, Up2pay};

const SOAP: &str = "/V4/services/WebPaymentAPI";

/// A daemon that asks a sandbox in the place of Monext, Worldline and ANCV.
async fn asking() -> (Daemon, Sandbox) {
    let sandbox = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("sandbox");
    for laid in empty_books() {
        sandbox.answer_in_turn(laid.calls, laid.answers);
    }
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    let url = |path: &str| sandbox.url(path);
    let (soap, worldline, ancv) = (url("/V4/services"), url(""), url("/acquisition/api/public/v1"));
    daemon.rewrite_configuration(|text| {
        let text = text.replace(
            "[reconcile]",
            "[confirm]\ncalls_per_second = 100\ntimeout = \"2s\"\n[reconcile]\nconfirmation_grace = \"1s\"",
        );
        format!(
            r#"{text}
[[shop.endpoint]]
id = "monext"
psp = "monext"
mode = "test"
token = "{TOKEN}"
merchant_id = "12345678901234"
access_key = "abCdeFgHiJKLmNoPqrst"
voucher_contracts = ["CVCO1"]
card_contracts = ["CB1"]
api = {{ base_url = "{soap}" }}
[[shop.endpoint]]
id = "worldline"
psp = "worldline"
mode = "test"
token = "{TOKEN}"
merchant_id = "PSPIDTEST"
webhook_keys = [{{ id = "old", secret = "retired" }}, {{ id = "key", secret = "hello+world" }}]
api = {{ base_url = "{worldline}", key_id = "api", secret = "secret" }}
[[shop.endpoint]]
id = "ancv"
psp = "ancv"
mode = "production"
token = "{TOKEN}"
shop_id = "10000651"
service_provider_id = "100016"
api = {{ base_url = "{ancv}", key_id = "ver001", secret = "0123456789abcdef0123456789abcdef" }}
"#
        )
    });
    daemon.restart();
    (daemon, sandbox)
}

fn noon() -> Timestamp {
    Timestamp::parse("2026-05-04T10:00:00Z").expect("a time")
}

fn leg(id: &str, cents: i64, contract: &str) -> Leg {
    Leg {
        id: id.to_owned(),
        amount: Cents::new(cents),
        action: "101",
        contract: contract.to_owned(),
        method: if contract == "CVCO1" { "ANCV_CONNECT" } else { "CB" }.to_owned(),
        at: noon(),
        authorisation: None,
    }
}

/// 60.00 of vouchers and 40.00 by card.
fn split(reference: &str) -> Payment {
    Payment {
        result: ACCEPTED,
        order: Some((reference.to_owned(), Cents::new(10_000))),
        legs: vec![
            leg(&format!("{reference}-v"), 6000, "CVCO1"),
            leg(&format!("{reference}-c"), 4000, "CB1"),
        ],
        history: Vec::new(),
    }
}

fn lay_out(sandbox: &Sandbox, token: &str, payment: &Payment) {
    sandbox.answer(Match::post(SOAP).holding(token), Canned::xml(payment.as_session(Prefixes::Both)));
}

fn ping(daemon: &Daemon, token: &str) -> u16 {
    daemon.get(&format!("/n/monext/{TOKEN}?{}", sender::session(token).query)).status
}

const REGISTER: &str =
    "SELECT psp, order_ref, voucher_cents, card_cents, state FROM acct_register ORDER BY order_ref";

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_acknowledged_at_once_and_the_truth_is_fetched() {
    let (daemon, sandbox) = asking().await;
    daemon.expect_order("CMD-1", 10_000);
    lay_out(&sandbox, "token1", &split("CMD-1"));
    assert_eq!(ping(&daemon, "token1"), 200);
    daemon.until(REGISTER, &["monext|CMD-1|6000|4000|balanced"]).await;

    let calls = sandbox.calls();
    let asked = calls.iter().find(|call| call.path == SOAP).expect("a call");
    assert_eq!(asked.header("soapaction"), Some("\"getWebPaymentDetails\""));
    assert_eq!(
        asked.header("authorization"),
        Some("Basic MTIzNDU2Nzg5MDEyMzQ6YWJDZGVGZ0hpSktMbU5vUHFyc3Q="),
        "the published pair"
    );
    assert_eq!(ping(&daemon, "token1"), 200);
    assert_eq!(daemon.rows("SELECT verdict, origin FROM acct_notifications"), ["hint|call", "hint|call"]);
    daemon.until(REGISTER, &["monext|CMD-1|6000|4000|balanced"]).await;
    daemon.out(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_a_crash_is_answered_after_it() {
    let (mut daemon, sandbox) = asking().await;
    lay_out(&sandbox, "token1", &split("CMD-1"));
    lay_out(&sandbox, "token2", &split("CMD-2"));
    sandbox.fail(Failure::Status(503));
    assert_eq!(ping(&daemon, "token1"), 200);
    assert_eq!(ping(&daemon, "token2"), 200);
    let alert = daemon.mailbox.wait_for(1).await.remove(0);
    let text = alert.text.as_deref().expect("text");
    assert!(text.contains("monext") && text.contains("503"), "{text}");

    daemon.kill();
    daemon.restart();
    for failure in [Failure::Garbage, Failure::MalformedXml] {
        sandbox.fail(failure);
        sandbox.wait_for_calls(sandbox.calls().len() + 1).await;
    }
    sandbox.recover();
    daemon.until(REGISTER, &["monext|CMD-1|6000|4000|balanced", "monext|CMD-2|6000|4000|balanced"]).await;
    // The kill may have repeated the alert, under its own name; then comes its closing.
    let mails = daemon
        .mailbox
        .wait_until(|mails| mails.iter().any(|mail| mail.in_reply_to() == alert.message_id()))
        .await;
    assert!(mails.iter().all(|mail| mail.in_reply_to().is_some() || mail.message_id() == alert.message_id()));
    assert_eq!(daemon.rows("SELECT kind, closed_at IS NOT NULL FROM acct_discrepancies"), ["unconfirmed|1"]);
    daemon.out(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_hands_a_session_over() {
    let (daemon, sandbox) = asking().await;
    lay_out(&sandbox, "token1", &split("CMD-1"));
    let hand_over = |token: &str| {
        let body = format!(r#"{{"shop":"camping","endpoint":"monext","token":"{token}"}}"#);
        daemon.admin_post("/api/v1/sessions", &body).status
    };
    assert_eq!(hand_over("no token!"), 400);
    assert_eq!(hand_over("token1"), 202);
    assert_eq!(hand_over("token1"), 202, "as often as the shop likes");
    daemon.until(REGISTER, &["monext|CMD-1|6000|4000|balanced"]).await;
    assert_eq!(daemon.rows("SELECT verdict, origin FROM acct_notifications"), ["hint|shop", "hint|shop"]);
    let other = r#"{"shop":"camping","endpoint":"up2pay","token":"token1"}"#;
    assert_eq!(daemon.admin_post("/api/v1/sessions", other).status, 400, "no sessions there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_pending_is_asked_about_until_it_is_decided() {
    let (daemon, sandbox) = asking().await;
    let pending = session_result(("02306", "INPROGRESS"), Prefixes::Both);
    let paid = split("CMD-1").as_session(Prefixes::ObjectsOnly);
    sandbox.answer_in_turn(Match::post(SOAP).holding("token1"), [Canned::xml(pending), Canned::xml(paid)]);
    assert_eq!(ping(&daemon, "token1"), 200);
    daemon.until("SELECT state FROM acct_confirmations WHERE topic = 'session'", &["unsettled"]).await;
    daemon.until(REGISTER, &["monext|CMD-1|6000|4000|balanced"]).await;
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_discrepancies"), ["0"], "a customer may take his time");
}

/// A webhook about order CMD-9 of 140.00.
fn webhook(operation: u32, part: Part, amount: i64, acquired: i64) -> Webhook {
    Webhook {
        merchant_id: "PSPIDTEST".to_owned(),
        payment: "4375008553".to_owned(),
        operation,
        ids: IdForm::Wrapped,
        order_ref: "CMD-9".to_owned(),
        order_total: Cents::new(14_000),
        acquired: Cents::new(acquired),
        part,
        amount: Cents::new(amount),
        states_amount: false,
        happening: Happening::Captured,
        at: noon(),
    }
}

fn post_webhook(daemon: &Daemon, webhook: &Webhook, key: &str, secret: &str) -> u16 {
    let message = webhook.message(&WebhookKey { id: key.to_owned(), secret: secret.to_owned().into() });
    let lines = message
        .headers
        .iter()
        .map(|(name, value)| [*name, ": ", &String::from_utf8_lossy(value), "\r\n"].concat());
    let headers: String = lines.collect();
    daemon
        .raw(&format!(
            "POST /n/worldline/{TOKEN} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             Content-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{}",
            message.body.len(),
            message.body
        ))
        .status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_worldlines_messages_leave_open_is_settled_by_its_api() {
    let (mut daemon, sandbox) = asking().await;
    let voucher = webhook(0, Part::Voucher(5412), 5000, 14_000);
    let card = webhook(1, Part::Card(130, "A1".to_owned()), 9000, 14_000);
    sandbox.fail(Failure::Timeout);
    assert_eq!(post_webhook(&daemon, &voucher, "key", "hello+world"), 200);
    assert_eq!(post_webhook(&daemon, &card, "key", "hello+world"), 200);
    assert_eq!(daemon.rows("SELECT state FROM acct_register"), ["pending"]);
    daemon.until("SELECT kind FROM acct_discrepancies WHERE closed_at IS NULL", &["unconfirmed"]).await;

    let operations = [voucher.clone(), card.clone()];
    for operation in &operations {
        let path = format!("/v2/PSPIDTEST/payments/{}", operation.id());
        sandbox.answer(Match::get(path), Canned::json(worldline::answers::payment(operation)));
    }
    let details = worldline::answers::details(&operations).expect("details");
    for id in ["4375008553_0", "9000004375008553000"] {
        let path = format!("/v2/PSPIDTEST/payments/{id}/details");
        sandbox.answer(Match::get(path), Canned::json(details.clone()));
    }
    sandbox.fail(Failure::Drop);
    daemon.kill();
    daemon.restart();
    sandbox.recover();
    daemon.out(&["catch-up", "--since", "2026-01-01"]);
    daemon.until(REGISTER, &["worldline|CMD-9|5000|9000|balanced"]).await;
    daemon.until("SELECT COUNT(*) FROM acct_discrepancies WHERE closed_at IS NULL", &["0"]).await;
    daemon.out(&["verify"]);
}

/// Up2pay never calls about a refund, and a webhook may be lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_in_the_back_office_long_ago_is_found() {
    let (daemon, sandbox) = asking().await;
    let voucher = webhook(0, Part::Voucher(5412), 5000, 14_000);
    let card = webhook(1, Part::Card(130, "A1".to_owned()), 9000, 14_000);
    let books = |operations: &[Webhook]| {
        for operation in operations.iter().filter(|operation| !operation.happening.is_refund()) {
            let path = format!("/v2/PSPIDTEST/payments/{}", operation.id());
            sandbox.answer(Match::get(path), Canned::json(worldline::answers::payment(operation)));
        }
        let details = worldline::answers::details(operations).expect("details");
        for id in ["4375008553_0", "9000004375008553000"] {
            let path = format!("/v2/PSPIDTEST/payments/{id}/details");
            sandbox.answer(Match::get(path), Canned::json(details.clone()));
        }
    };
    books(&[voucher.clone(), card.clone()]);
    for call in [&voucher, &card] {
        assert_eq!(post_webhook(&daemon, call, "key", "hello+world"), 200);
    }
    daemon.until(REGISTER, &["worldline|CMD-9|5000|9000|balanced"]).await;
    daemon.until("SELECT DISTINCT state FROM questions WHERE psp = 'worldline'", &["settled"]).await;
    let answered_at = daemon.rows("SELECT MAX(answered_at) FROM questions").remove(0);

    let refund =
        Webhook { operation: 2, happening: Happening::Refunded, acquired: Cents::new(9000), ..card.clone() };
    books(&[voucher, card, refund]);
    let later = Timestamp::from_millis(Timestamp::parse(&answered_at).expect("a time").millis() + 1);
    daemon.out(&["catch-up", "--since", &later.to_string()]);
    daemon.until("SELECT refunded_cents || ' ' || state FROM acct_register", &["9000 part_refunded"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_names_another_order_moves_no_money_there() {
    let (daemon, sandbox) = asking().await;
    let voucher = webhook(0, Part::Voucher(5412), 14_000, 14_000);
    let elsewhere = Webhook { order_ref: "OTHER".to_owned(), ..voucher.clone() };
    let details = worldline::answers::details(std::slice::from_ref(&elsewhere)).expect("details");
    for (path, body) in [("", worldline::answers::payment(&elsewhere)), ("/details", details)] {
        for id in ["4375008553_0", "9000004375008553000"] {
            let page = format!("/v2/PSPIDTEST/payments/{id}{path}");
            sandbox.answer(Match::get(page), Canned::json(body.clone()));
        }
    }
    assert_eq!(post_webhook(&daemon, &voucher, "key", "hello+world"), 200);
    daemon.until("SELECT state FROM acct_confirmations WHERE topic = 'payment'", &["settled"]).await;
    assert_eq!(daemon.rows(REGISTER), ["worldline|CMD-9|14000|0|balanced"]);
    daemon.out(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn worldlines_keys_are_told_apart_and_its_test_of_the_address_is_answered() {
    let (daemon, _sandbox) = asking().await;
    let voucher = webhook(0, Part::Voucher(5412), 14_000, 14_000);
    assert_eq!(
        post_webhook(&daemon, &voucher, "old", "retired"),
        200,
        "both keys count while one is replaced"
    );
    assert_eq!(post_webhook(&daemon, &voucher, "key", "retired"), 401);
    assert_eq!(post_webhook(&daemon, &voucher, "unheard-of", "hello+world"), 401);
    let reasons = "SELECT reason FROM acct_notifications WHERE verdict = 'rejected' ORDER BY reason";
    let told_apart =
        ["it names a signing key that the endpoint does not have", "the signature does not verify"];
    daemon.until(reasons, &told_apart).await;
    let get = |token: &str| {
        daemon.raw(&format!(
            "GET /n/worldline/{token} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             X-GCS-Webhooks-Endpoint-Verification: 0123-abcd\r\n\r\n"
        ))
    };
    let echo = get(TOKEN);
    assert_eq!((echo.status, echo.body.as_str()), (200, "0123-abcd"));
    assert_eq!(get("wrong").status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_taken_at_ancv_is_completed_by_a_card_of_another_psp() {
    let (daemon, sandbox) = asking().await;
    daemon.expect_order("CMD-7", 10_000);
    let voucher = ancv::Transaction {
        id: "fiawa31zot".to_owned(),
        state: "VALIDATED".to_owned(),
        sub_state: None,
        shop_id: "10000651".to_owned(),
        service_provider_id: "100016".to_owned(),
        order_ref: "CMD-7".to_owned(),
        order_total: Cents::new(10_000),
        vouchers: vec![Cents::new(6000)],
        at: noon(),
    };
    let page = "/acquisition/api/public/v1/payment-transactions/fiawa31zot/";
    sandbox.answer(Match::get(page), Canned::json(voucher.body()));
    assert_eq!(daemon.post(&format!("/n/ancv/{TOKEN}"), &voucher.automatic_response().body).status, 200);
    let card = up2pay::Call { brand: "VISA".to_owned(), ..Up2pay::card("CMD-7", 5, 4000).0 };
    assert_eq!(daemon.up2pay(&Up2pay(card)), 200);
    daemon.until(REGISTER, &["ancv|CMD-7|6000|4000|balanced"]).await;
    assert_eq!(daemon.rows("SELECT kind FROM acct_discrepancies"), [""; 0]);
    assert!(
        sandbox.calls().iter().any(|call| call.path == page
            && call.header("ancv-security")
                == Some("HmacSHA256.ver001.5vGKr4grBI9FAGepR9otI0uxS7V0s62GZIuzzqzewHg")),
        "asked under the seal"
    );
    daemon.out(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_each_api_and_says_what_to_change() {
    let (daemon, sandbox) = asking().await;
    sandbox.fail(Failure::WrongCredentials);
    let output = daemon.run(&["check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for (endpoint, key) in [("monext", "access_key"), ("worldline", "api.key_id")] {
        let line = text.lines().find(|line| line.contains(&format!("API de {endpoint}"))).expect("a line");
        assert!(line.starts_with("FAUX") && line.contains(key), "{line}");
    }
    assert!(
        text.contains("FAUX  API de monext\u{a0}: Monext refuse les identifiants (HTTP 401)\u{a0}: vérifiez merchant_id et access_key, "),
        "{text}"
    );

    sandbox.recover();
    let unknown = session_result(("02317", "ERROR"), Prefixes::Both);
    sandbox.answer(Match::post(SOAP), Canned::xml(unknown));
    sandbox.answer(
        Match::get("/v2/PSPIDTEST/services/testconnection"),
        Canned::json(worldline::answers::connection()),
    );
    let text = String::from_utf8_lossy(&daemon.run(&["check"]).stdout).into_owned();
    for endpoint in ["monext", "worldline"] {
        assert!(text.contains(&format!("ok    API de {endpoint}")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_any_size_or_shape_costs_nothing_but_time() {
    let (daemon, sandbox) = asking().await;
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>";
    let deep = "<a>".repeat(100_000);
    for (token, body) in
        [("bomb", bomb), ("deep", &deep), ("empty", ""), ("html", "<html><body>Sorry</body>")]
    {
        sandbox.answer(Match::post(SOAP).holding(format!("token{token}")), Canned::xml(body));
        assert_eq!(ping(&daemon, &format!("token{token}")), 200);
        let failed = format!(
            "SELECT COUNT(*) FROM acct_confirmations WHERE subject = 'token{token}' AND attempts > 0 AND last_error IS NOT NULL"
        );
        daemon.until(&failed, &["1"]).await;
    }
    sandbox.fail(Failure::Huge);
    assert_eq!(ping(&daemon, "tokenhuge"), 200);
    daemon
        .until(
            "SELECT last_error LIKE '%larger than%' FROM acct_confirmations WHERE subject = 'tokenhuge'",
            &["1"],
        )
        .await;
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_register"), ["0"]);
}
