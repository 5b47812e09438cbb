//! Bytes from outside are hostile: a refusal for each, never a 5xx, never a row that they do not justify.

use cvco_psp::sogecommerce::Algorithm;

use crate::support::{Daemon, Settings, Sogecommerce, TOKEN, Up2pay, send_raw, signed_by_up2pay};

/// Modules that put the customer's name into the reference have it sent as it is, in ISO 8859-1 perhaps: what reads HTTP would
/// refuse such a call before anybody could see that it is a payment.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_the_reference_loses_no_payment_whatever_its_encoding() {
    let daemon = Daemon::start(&Settings::default()).await;
    for (number, name) in [(1, &b"Zo\xe9"[..]), (2, "Zoé".as_bytes()), (3, b"Zo%E9"), (4, b"Zo%C3%A9")] {
        let before = format!("Mt=1500&Ref={number}%20-%20");
        let after = format!(
            "&Appel={number}&ChoixPaiement=LIMONETIK&ChoixCarte=CVCONNECT&Erreur=00000&Transaction=7{number}"
        );
        let query = signed_by_up2pay(&[before.as_bytes(), name, after.as_bytes()].concat());
        let head = format!("GET /n/up2pay/{TOKEN}?");
        let request =
            [head.as_bytes(), &query, b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"].concat();
        assert_eq!(send_raw(daemon.public, &request).expect("an answer").status, 200, "{number}");
    }
    let references = ["1 - Zoé", "2 - Zoé", "3 - Zoé", "4 - Zoé"];
    daemon.until("SELECT order_ref FROM acct_register ORDER BY order_ref", &references).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_wrong_call_has_its_answer() {
    let daemon = Daemon::start(&Settings::default()).await;
    let good = Up2pay::voucher("A", 1, 1500).wire().query;
    let form = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let forged = Sogecommerce::split("A", "abc123", 6000, 3990)
        .0
        .form(&"another-key-0000".to_owned().into(), Algorithm::HmacSha256)
        .body;

    let unknown_endpoint = daemon.get(&format!("/n/nobody/{TOKEN}?{good}"));
    let wrong_token = daemon.get(&format!("/n/up2pay/{}?{good}", TOKEN.replace('6', "7")));
    assert_eq!(unknown_endpoint, wrong_token, "they look alike");
    assert_eq!(wrong_token.status, 403);

    for path in
        ["/", "/n", "/n/", "/n/up2pay", "/n/up2pay/", "/N/up2pay/x", "/metrics", "/healthz", "/api/v1/orders"]
    {
        assert_eq!(daemon.get(path).status, 404, "{path}");
    }
    assert_eq!(daemon.get(&format!("/n/up2pay/{TOKEN}/x?{good}")).status, 404);
    let put = |token: &str| {
        daemon.raw(&format!("PUT /n/up2pay/{token} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).status
    };
    assert_eq!(put("x"), 404);
    assert_eq!(put(TOKEN), 405);

    let target = format!("/n/up2pay/{TOKEN}");
    assert_eq!(daemon.get(&target).status, 400, "nothing");
    assert_eq!(daemon.get(&format!("{target}?{}", good.replace("1500", "1501"))).status, 403, "changed");
    assert_eq!(daemon.get(&format!("{target}?{}", &good[..good.len() - 20])).status, 403, "cut");
    assert_eq!(daemon.get(&format!("{target}?Mt=1&{good}")).status, 403, "an amount in front");

    assert_eq!(daemon.post(&Sogecommerce::target(), "").status, 400, "nothing");
    assert_eq!(daemon.post(&Sogecommerce::target(), &forged).status, 403, "another key");
    assert_eq!(daemon.post(&Sogecommerce::target(), &format!("{form}&vads_amount=1")).status, 400, "twice");
    assert_eq!(daemon.get(&format!("{}?{form}", Sogecommerce::target())).status, 400, "by GET");
    assert_eq!(daemon.post(&Sogecommerce::target(), &form.replace("6000", "6001")).status, 403, "changed");

    let large = "x".repeat(512 * 1024 + 1);
    assert_eq!(daemon.post(&Sogecommerce::target(), &large).status, 413);
    let chunks = |count: usize| {
        format!(
            "POST {} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            Sogecommerce::target(),
            format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(count)
        )
    };
    let large = format!("{}0\r\n\r\n", chunks(160));
    assert_eq!(send_raw(daemon.public, large.as_bytes()).expect("an answer").status, 413);
    // Who goes on sending may not see the answer, but is cut off.
    let endless = send_raw(daemon.public, chunks(400).as_bytes()).map(|answer| answer.status);
    assert!(matches!(endless, None | Some(413)), "{endless:?}");
    let head = format!("GET /n/up2pay/{TOKEN}?{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(100_000));
    let status = send_raw(daemon.public, head.as_bytes()).map(|answer| answer.status);
    assert!(matches!(status, None | Some(414 | 431)), "{status:?}");

    assert!(daemon.rows("SELECT * FROM acct_tenders").is_empty());
    assert_eq!(daemon.get(&format!("{target}?{good}")).status, 200);
    // Refused calls are noted beside the log, whenever the follower comes to it.
    daemon
        .until("SELECT DISTINCT verdict FROM acct_notifications ORDER BY 1", &["genuine", "rejected"])
        .await;
}

/// The PSP's addresses have changed; the filter still has the old ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_call_from_an_unexpected_address_is_told_at_once() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    daemon.rewrite_configuration(|text| {
        text.replace("[ledger]", "trusted_proxies = [\"127.0.0.1/32\"]\n[ledger]")
            .replace("psp = \"up2pay\"", "psp = \"up2pay\"\nallow_from = [\"194.2.122.158/32\"]")
    });
    daemon.restart();
    let call = |from: &str, target: &str| {
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {from}\r\nConnection: close\r\n\r\n"
        );
        daemon.raw(&head).status
    };
    let target = Up2pay::voucher("A", 1, 1500).target();
    assert_eq!(call("194.2.122.158:51612", &target), 200, "with its port");
    assert_eq!(call("194.2.122.190", &target.replace("1500", "1501")), 403);
    assert!(
        daemon.rows("SELECT * FROM acct_discrepancies WHERE kind = 'calls_refused'").is_empty(),
        "a forgery"
    );
    assert_eq!(call("194.2.122.190", &target), 403);
    assert_eq!(
        daemon.rows("SELECT severity, detail FROM acct_discrepancies WHERE kind = 'calls_refused'"),
        [
            "urgent|2 calls refused (address), the last from 194.2.122.190; genuine, but its address is outside allow_from"
        ]
    );
    assert_eq!(
        daemon.rows("SELECT DISTINCT caller FROM acct_notifications WHERE verdict = 'rejected'"),
        ["194.2.122.190"]
    );
}

/// An address that a browser or a proxy has spoiled: the library answers before the program sees it.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_http_at_a_secret_address_is_counted_and_told() {
    let daemon = Daemon::start(&Settings::default()).await;
    for _ in 0..5 {
        let head = format!("GET /n/up2pay/{TOKEN}?Mt=15 00&Ref=<A> HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(send_raw(daemon.public, head.as_bytes()).expect("an answer").status, 400);
        let strange = send_raw(daemon.public, b"GET /n/up2pay/x?a b HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(strange.expect("an answer").status, 400);
    }
    daemon
        .until("SELECT kind, severity, endpoint FROM discrepancies", &["calls_refused|warning|up2pay"])
        .await;
    for endpoint in ["up2pay", ""] {
        daemon
            .until_figure(&format!("cvco_rejections_total{{endpoint=\"{endpoint}\",reason=\"http\"}} 5"))
            .await;
    }
}

/// A field that nobody knows, an amount in another form: genuine, so never lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_message_that_is_not_understood_is_kept_and_told_once() {
    let daemon = Daemon::start(&Settings::default()).await;
    let key = Sogecommerce::KEY.to_owned().into();
    let body = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let with = |name: &str, value: &str| {
        let mut fields: Vec<(String, String)> = serde_urlencoded::from_str(&body).expect("a form");
        fields.retain(|(known, _)| known != name && known != "signature");
        fields.push((name.to_owned(), value.to_owned()));
        cvco_psp::sogecommerce::sender::sign_form(fields, &key, Algorithm::HmacSha256).body
    };
    for _ in 0..30 {
        assert_eq!(daemon.post(&Sogecommerce::target(), &with("vads_amount", "99.90")).status, 200);
    }
    assert!(daemon.rows("SELECT * FROM acct_tenders").is_empty());
    assert_eq!(daemon.rows("SELECT kind, severity FROM acct_discrepancies"), ["set_aside|urgent"]);
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_set_aside"), ["3"], "repetitions add nothing");
    assert_eq!(daemon.post(&Sogecommerce::target(), &with("vads_channel", "WEB")).status, 200);
    assert_eq!(daemon.rows("SELECT paid_cents FROM acct_register"), ["9990"], "a new field hides nothing");
}

/// Whoever has seen one message can write it in other bytes without end: with unsigned fields, other escapes.
#[tokio::test(flavor = "multi_thread")]
async fn one_message_in_many_bytes_is_one_message() {
    let daemon = Daemon::start(&Settings::default()).await;
    let body = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let query = Up2pay::voucher("B", 1, 1500).target();
    for n in 0..20 {
        assert_eq!(daemon.post(&Sogecommerce::target(), &format!("{body}&x{n}=1")).status, 200);
        assert_eq!(daemon.get(&format!("{query}&x{n}=1")).status, 200);
    }
    assert_eq!(
        daemon.rows("SELECT endpoint, COUNT(*) FROM notifications GROUP BY 1"),
        ["sogecommerce|3", "up2pay|3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_cut_is_never_acknowledged() {
    let daemon = Daemon::start(&Settings::default()).await;
    let body = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}",
        Sogecommerce::target(),
        body.len(),
        &body[..body.len() - 1]
    );
    {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(daemon.public).expect("connected");
        stream.write_all(request.as_bytes()).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("cut");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("closed");
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
    // The next call on the same daemon is served, and nothing of the cut one is there.
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("B", "bcd234", 6000, 3990)), 200);
    assert_eq!(daemon.rows("SELECT DISTINCT order_ref FROM acct_tenders"), ["B"]);
}

/// A trial payment must never count as money: `XXXXXX` is the trial platform's authorisation number.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_payment_in_production_is_no_money() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut trial = Up2pay::card("A", 1, 1000);
    trial.0.authorisation = Some("XXXXXX".to_owned());
    assert_eq!(daemon.up2pay(&trial), 200);
    assert_eq!(daemon.rows("SELECT mode, paid_cents FROM acct_register"), ["test|0"]);
    assert_eq!(daemon.rows("SELECT kind FROM acct_discrepancies"), ["test_in_production"]);
}

/// Sogecommerce signs the values of a form, not their names: under another name, `CREDIT` is signed as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_operation_type_was_renamed_is_no_payment() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut refund = Sogecommerce::split("A", "abc123", 6000, 3990);
    refund.0.parts.truncate(1);
    refund.0.parts[0].refund = true;
    let body = refund.wire().body;
    let renamed = body.replace("vads_operation_type=CREDIT", "vads_operation_typf=CREDIT");
    assert_ne!(renamed, body);
    assert_eq!(
        daemon.post(&Sogecommerce::target(), &renamed).status,
        200,
        "signed: kept for a person to read"
    );
    assert!(daemon.rows("SELECT * FROM acct_tenders").is_empty());
    assert_eq!(daemon.rows("SELECT kind FROM acct_discrepancies"), ["set_aside"]);
    assert_eq!(daemon.form(&refund.wire()), 200, "under its own name it is a refund");
}
