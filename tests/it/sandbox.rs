//! The sandbox that plays the PSPs' APIs gives the answers laid out for it, and fails as it is told. It is asked with
//! the client of the daemon.

use std::time::Duration;

use cvco_psp::Method;
use cvco_psp::api::{ApiRequest, ApiResponse, CallFailure};

use cvco_reconciled::outbound::Client;
use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

/// Longer than anything here takes; who waits for it has failed.
const PATIENCE: Duration = Duration::from_mins(1);

async fn sandbox() -> Sandbox {
    Sandbox::start(([127, 0, 0, 1], 0).into()).await.expect("a free port")
}

async fn carry(timeout: Duration, request: &ApiRequest) -> Result<ApiResponse, CallFailure> {
    Client::new(None, timeout).carry(request).await
}

fn get(sandbox: &Sandbox, target: &str) -> ApiRequest {
    ApiRequest { method: Method::Get, url: sandbox.url(target), headers: Vec::new(), body: Vec::new() }
}

async fn said(request: &ApiRequest) -> (u16, String) {
    let answer = carry(PATIENCE, request).await.expect("an answer");
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

#[tokio::test]
async fn the_latest_answer_that_fits_is_given() {
    let sandbox = sandbox().await;
    let soap = |token: &str| ApiRequest {
        method: Method::Post,
        body: format!("<token>{token}</token>").into_bytes(),
        ..get(&sandbox, "/soap")
    };
    sandbox.answer(Match::post("/soap"), Canned::xml("<unknown/>"));
    sandbox.answer(Match::post("/soap").holding("<token>T1<"), Canned::xml("<paid/>"));
    sandbox.answer(Match::get("/status").holding("id=7"), Canned::json("{}").with_status(202));

    assert_eq!(said(&soap("T1")).await, (200, "<paid/>".to_owned()));
    assert_eq!(said(&soap("T2")).await, (200, "<unknown/>".to_owned()));
    assert_eq!(said(&get(&sandbox, "/status?id=7")).await, (202, "{}".to_owned()));
    assert_eq!(said(&get(&sandbox, "/status?id=8")).await.0, 404);
    assert_eq!(said(&get(&sandbox, "/soap")).await.0, 404, "another verb");

    sandbox.answer(Match::post("/soap").holding("<token>T1<"), Canned::xml("<refunded/>"));
    assert_eq!(said(&soap("T1")).await.1, "<refunded/>", "replaced while it runs");
}

#[tokio::test]
async fn answers_in_turn_end_with_the_last_one() {
    let sandbox = sandbox().await;
    let pending_then_paid = [Canned::text("pending"), Canned::text("pending"), Canned::text("paid")];
    sandbox.answer_in_turn(Match::get("/"), pending_then_paid);
    for expected in ["pending", "pending", "paid", "paid"] {
        assert_eq!(said(&get(&sandbox, "/")).await.1, expected);
    }
    sandbox.answer_in_turn(Match::get("/"), []);
    assert_eq!(said(&get(&sandbox, "/")).await.0, 404, "taken back");
}

#[tokio::test]
async fn calls_are_kept_as_they_came() {
    let sandbox = sandbox().await;
    let call = ApiRequest {
        method: Method::Post,
        headers: vec![("Authorization", "Basic abc".to_owned())],
        body: b"TYPE=00017".to_vec(),
        ..get(&sandbox, "/PPPS.php?a=b")
    };
    let (calls, answer) = tokio::join!(sandbox.wait_for_calls(1), said(&call));
    assert_eq!(answer.0, 404);
    assert_eq!(calls.len(), 1);
    let seen = &calls[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.query.as_str()), ("POST", "/PPPS.php", "a=b"));
    assert_eq!((seen.header("authorization"), &*seen.body_text()), (Some("Basic abc"), "TYPE=00017"));
}

#[tokio::test]
async fn a_required_header_is_required_as_it_is() {
    let sandbox = sandbox().await;
    sandbox.answer(Match::get("/"), Canned::text("welcome"));
    sandbox.require("Authorization", "Basic right");
    let with =
        |value: &str| ApiRequest { headers: vec![("authorization", value.to_owned())], ..get(&sandbox, "/") };
    assert_eq!(said(&with("Basic wrong")).await.0, 401);
    assert_eq!(said(&get(&sandbox, "/")).await.0, 401);
    assert_eq!(said(&with("Basic right")).await, (200, "welcome".to_owned()));
}

#[tokio::test]
async fn it_fails_as_told_until_it_recovers() {
    let sandbox = sandbox().await;
    sandbox.answer(Match::get("/"), Canned::text("well"));
    let call = get(&sandbox, "/");
    let status = |outcome: Result<ApiResponse, CallFailure>| outcome.map(|answer| answer.status);

    sandbox.fail(Failure::Status(503));
    assert_eq!(status(carry(PATIENCE, &call).await), Ok(503));
    sandbox.fail(Failure::WrongCredentials);
    assert_eq!(status(carry(PATIENCE, &call).await), Ok(401));
    sandbox.fail(Failure::MalformedXml);
    let torn = said(&call).await;
    assert!(torn.0 == 200 && torn.1.starts_with("<?xml") && torn.1.ends_with("<co"), "{torn:?}");
    for broken in [Failure::Garbage, Failure::Drop] {
        sandbox.fail(broken);
        let outcome = carry(PATIENCE, &call).await;
        assert!(matches!(outcome, Err(CallFailure::Cut { .. })), "{broken:?}: {outcome:?}");
    }
    sandbox.fail(Failure::Huge);
    let outcome = carry(PATIENCE, &call).await;
    assert!(matches!(outcome, Err(CallFailure::TooLarge { .. })), "{outcome:?}");
    for slow in [Failure::Timeout, Failure::Slow] {
        sandbox.fail(slow);
        let outcome = carry(Duration::from_millis(300), &call).await;
        assert!(matches!(outcome, Err(CallFailure::Timeout { .. })), "{slow:?}: {outcome:?}");
    }
    sandbox.recover();
    assert_eq!(said(&call).await, (200, "well".to_owned()));
    assert_eq!(sandbox.calls().len(), 9, "calls that fail are noted too");
}

#[tokio::test]
async fn a_sandbox_that_is_dropped_listens_no_more() {
    let sandbox = sandbox().await;
    let call = get(&sandbox, "/");
    drop(sandbox);
    // The listener goes when the aborted task is next looked at.
    while carry(PATIENCE, &call).await.is_ok() {}
    let failure = carry(PATIENCE, &call).await.expect_err("nobody there");
    assert!(matches!(failure, CallFailure::Connect { .. }), "{failure}");
}
