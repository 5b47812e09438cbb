//! A PSP's API is down for an hour, answers nonsense, and comes back: nothing is lost, nothing doubled, and a person
//! is told once. The hour is played on a clock of its own.

use std::time::Duration;

use cvco_domain::{Cents, Timestamp};
use cvco_psp::monext::answers::{ACCEPTED, Leg, Payment, Prefixes};
use cvco_psp::monext::sender;
use cvco_reconciled::app::{self, Listeners, Setup};
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_trial::mail_sink::MailSink;
use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};
use cvco_trial::simulate::empty_books;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{TOKEN, follows, ledger_rows, send_raw};

fn configuration(soap: &str, smtp: &str) -> String {
    format!(
        r#"[listener]
public = "127.0.0.1:0"
admin = "127.0.0.1:0"
[ledger]
path = "ledger.sqlite"
[confirm]
calls_per_second = 1000
timeout = "2s"
[alerts]
language = "en"
from = "cvco@camping.example"
to = ["compta@camping.example"]
smtp = "smtp://{smtp}"
digest = "0s"
[[shop]]
id = "camping"
[[shop.endpoint]]
id = "monext"
psp = "monext"
mode = "test"
token = "{TOKEN}"
merchant_id = "12345678901234"
access_key = "key"
voucher_contracts = ["CVCO1"]
card_contracts = ["CB1"]
api = {{ base_url = "{soap}" }}
"#
    )
}

fn payment(n: usize, at: Timestamp) -> Payment {
    let leg = |kind: &str, cents: i64, contract: &str| Leg {
        id: format!("{kind}{n}"),
        amount: Cents::new(cents),
        action: "101",
        contract: contract.to_owned(),
        method: if contract == "CVCO1" { "ANCV_CONNECT" } else { "CB" }.to_owned(),
        at,
        authorisation: None,
    };
    Payment {
        result: ACCEPTED,
        order: Some((format!("CMD-{n}"), Cents::new(10_000))),
        legs: vec![leg("v", 6000, "CVCO1"), leg("c", 4000, "CB1")],
        history: Vec::new(),
    }
}

/// Sessions that end while nobody answers.
const SESSIONS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
async fn an_hour_without_answers_costs_nothing_but_one_alert() {
    let any = "127.0.0.1:0".parse().expect("address");
    let sandbox = Sandbox::start(any).await.expect("sandbox");
    for laid in empty_books() {
        sandbox.answer_in_turn(laid.calls, laid.answers);
    }
    let mailbox = MailSink::start(any).await.expect("mailbox");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, configuration(&sandbox.url("/V4/services"), &mailbox.address().to_string()))
        .expect("configuration");
    let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
    let listeners = Listeners::open(&config).await.expect("listeners");
    let (public, admin) =
        (listeners.public.local_addr().expect("bound"), listeners.admin.local_addr().expect("bound"));
    let start = Timestamp::parse("2026-07-14T10:00:00Z").expect("a time");
    let clock = Clock::manual(start);
    let stop = CancellationToken::new();
    let (_reload, reloads) = mpsc::channel(1);
    let errands = cvco_reconciled::cli::errands();
    let setup = Setup { config, config_path: None, listeners, clock: clock.clone(), errands };
    let daemon = tokio::spawn(app::run(setup, reloads, stop.clone()));
    let ledger = folder.path().join("ledger.sqlite");
    let log = folder.path().join("log.sqlite");
    let rows = |query: &str| {
        follows(&log, &ledger);
        ledger_rows(&ledger, query)
    };

    for n in 0..SESSIONS {
        let answer = Canned::xml(payment(n, start).as_session(Prefixes::Both));
        sandbox.answer(Match::post("/V4/services/WebPaymentAPI").holding(format!("token{n}<")), answer);
    }
    // What the daemon asks when it starts is answered before the outage begins.
    sandbox.wait_for_calls(1).await;
    while rows("SELECT state FROM acct_confirmations") != ["settled"] {
        tokio::task::yield_now().await;
    }
    sandbox.fail(Failure::Drop);
    for n in 0..SESSIONS {
        let target = format!("/n/monext/{TOKEN}?{}", sender::session(&format!("token{n}")).query);
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = tokio::task::spawn_blocking(move || send_raw(public, request.as_bytes()));
        assert_eq!(
            answer.await.expect("sent").expect("an answer").status,
            200,
            "stored, whatever the API does"
        );
    }
    // Something else happens each minute: the daemon is alive, and time is applied.
    let minute_passes = |minute: u64| {
        clock.set(start.after(Duration::from_mins(minute)));
        // One order whose total changes: each new order would be asked about as well.
        let order = format!(r#"{{"shop":"camping","reference":"OTHER","total_cents":{}}}"#, 1000 + minute);
        let request = format!(
            "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{order}",
            order.len()
        );
        tokio::task::spawn_blocking(move || send_raw(admin, request.as_bytes()).expect("an answer").status)
    };
    for minute in 1..=60_u64 {
        sandbox.fail(match minute % 4 {
            0 => Failure::Status(503),
            1 => Failure::Garbage,
            2 => Failure::MalformedXml,
            _ => Failure::Drop,
        });
        assert_eq!(minute_passes(minute).await.expect("registered"), 200);
        if minute % 10 == 0 {
            // Long enough since the last attempts that there must be another.
            sandbox.wait_for_calls(sandbox.calls().len() + 1).await;
        }
    }
    let told = mailbox.wait_for(1).await;
    assert!(told[0].subject().contains("CVCo"), "{}", told[0].subject());
    let opened = rows("SELECT kind, opened_at FROM acct_discrepancies");
    assert_eq!(opened, ["unconfirmed|2026-07-14T10:15:00.000Z"], "after the grace of a quarter of an hour");
    assert_eq!(rows("SELECT COUNT(*) FROM acct_register"), ["0"]);

    sandbox.recover();
    let mut minute = 60;
    while rows("SELECT COUNT(*) FROM acct_register WHERE state = 'balanced'") != [SESSIONS.to_string()] {
        minute += 1;
        assert!(minute < 100_000, "{:?}", rows("SELECT * FROM acct_confirmations"));
        assert_eq!(minute_passes(minute).await.expect("registered"), 200);
    }
    let mails = mailbox.wait_for(2).await;
    assert_eq!(mails[1].in_reply_to(), mails[0].message_id());
    assert_eq!(
        rows("SELECT SUM(voucher_cents), SUM(card_cents), COUNT(*) FROM acct_register"),
        ["30000|20000|5"],
        "each once"
    );
    assert_eq!(rows("SELECT COUNT(*) FROM acct_discrepancies WHERE closed_at IS NULL"), ["0"]);
    assert_eq!(
        ledger_rows(
            &folder.path().join("log.sqlite"),
            "SELECT COUNT(*) FROM log WHERE kind = 'answer' AND content LIKE '%\"session\"%'"
        ),
        [SESSIONS.to_string()]
    );

    stop.cancel();
    daemon.await.expect("ended").expect("in good order");
    assert_eq!(mailbox.mails().len(), 2, "one alert, and its closing");
}
