//! The shop says what it expects: by the API, or by a file.

use crate::support::{Daemon, Settings, Up2pay};

#[tokio::test(flavor = "multi_thread")]
async fn registering_again_changes_nothing_unless_the_total_does() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    daemon.expect_order("A", 2500);
    assert_eq!(daemon.rows("SELECT version, total_cents, state FROM acct_orders"), ["1|2500|unpaid"]);
    daemon.up2pay(&Up2pay::voucher("A", 1, 2500));
    daemon.expect_order("A", 2600);
    assert_eq!(daemon.rows("SELECT version, total_cents FROM acct_orders"), ["2|2600"]);
    let kinds = daemon.rows("SELECT kind FROM acct_discrepancies ORDER BY 1");
    assert!(kinds.contains(&"total_changed".to_owned()), "{kinds:?}");
}

/// A shop's list holds free orders too; one of them must not keep the others out.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_nothing_is_registered_and_whatever_is_paid_for_it_is_too_much() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("FREE", 0);
    assert_eq!(daemon.rows("SELECT total_cents, gap_cents FROM acct_orders"), ["0|0"]);
    daemon.up2pay(&Up2pay::voucher("FREE", 1, 2500));
    assert_eq!(daemon.rows("SELECT gap_cents FROM acct_orders"), ["2500"]);
    let surplus = daemon
        .rows("SELECT kind, expected_cents, actual_cents FROM acct_discrepancies WHERE closed_at IS NULL");
    assert_eq!(surplus, ["amount_over|0|2500"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_an_order_is_registered_and_raised_and_no_more() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    let order = |more: &str| format!(r#"{{"shop":"camping","reference":"A",{more}}}"#);
    let post = |body: &str| daemon.admin_post("/api/v1/orders", body);
    for other in [
        r#""total_cents":2400"#,
        r#""total_cents":2500,"currency":"USD""#,
        r#""total_cents":2600,"due":"2030-07-01T10:00:00Z""#,
    ] {
        let answer = post(&order(other));
        assert_eq!(answer.status, 403, "{other}");
        assert!(answer.body.contains("admin_token"), "{}", answer.body);
    }
    // One of many that is refused keeps the others out.
    let both =
        format!(r#"[{},{{"shop":"camping","reference":"B","total_cents":1}}]"#, order(r#""total_cents":1"#));
    assert_eq!(post(&both).status, 403);
    assert_eq!(post(&order(r#""total_cents":2600"#)).status, 200);
    assert_eq!(daemon.rows("SELECT reference, version, total_cents FROM acct_orders"), ["A|2|2600"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_are_taken_all_or_none() {
    let daemon = Daemon::start(&Settings::default()).await;
    let two = r#"[{"shop":"camping","reference":"A","total_cents":100},{"shop":"camping","reference":"B","total_cents":200,"currency":"EUR","due":"2026-07-01T10:00:00+02:00"}]"#;
    assert_eq!(daemon.admin_post("/api/v1/orders", two).status, 200);
    assert_eq!(
        daemon.rows("SELECT reference, due FROM acct_orders ORDER BY 1"),
        ["A|", "B|2026-07-01T08:00:00.000Z"]
    );
    for (wrong, says) in [
        (r#"{"shop":"nobody","reference":"C","total_cents":1}"#, "nobody"),
        (r#"{"shop":"camping","reference":"C","total_cents":-1}"#, "total_cents"),
        (r#"{"shop":"camping","reference":"","total_cents":1}"#, "order reference"),
        (r#"[{"shop":"camping","reference":"C","total_cents":1},{"shop":"camping"}]"#, "reference"),
        (r#"{"shop":"camping","reference":"C","total_cents":1,"totall":2}"#, "totall"),
        ("{", "JSON"),
    ] {
        let answer = daemon.admin_post("/api/v1/orders", wrong);
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.body.contains(says), "{wrong}: {}", answer.body);
    }
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_orders"), ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_orders_is_imported_beside_the_running_daemon() {
    let daemon = Daemon::start(&Settings::default()).await;
    let file = daemon.path("orders.csv");
    std::fs::write(
        &file,
        "\u{feff}shop;reference;total_cents;currency;due\r\ncamping;É-1;2500;EUR;\r\ncamping;B;100;;\r\n",
    )
    .expect("file");
    let path = file.to_str().expect("path");
    assert!(daemon.out(&["orders", "import", path]).contains("commandes enregistrées\u{a0}: 2\u{a0};"));
    assert!(daemon.out(&["orders", "import", path]).contains("déjà connues\u{a0}: 2"));
    assert_eq!(daemon.rows("SELECT reference FROM acct_orders ORDER BY 1"), ["B", "É-1"]);
    daemon.up2pay(&Up2pay::voucher("B", 1, 100));
    assert_eq!(daemon.rows("SELECT state FROM acct_register"), ["balanced"]);

    std::fs::write(&file, "shop,reference,total_cents\ncamping,C,100\ncamping,D,12.50\n").expect("file");
    let refused = daemon.run(&["orders", "import", path]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 3"));
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_orders"), ["2"], "all or none");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_while_the_daemon_is_away_lets_no_grace_end() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1000));
    daemon.kill();
    let log = rusqlite::Connection::open(daemon.path("log.sqlite")).expect("log");
    log.execute("UPDATE meta SET alive_at = '2026-01-05T10:00:00.000Z'", []).expect("it died long ago");
    let file = daemon.path("orders.csv");
    std::fs::write(&file, "shop;reference;total_cents\ncamping;B;100\n").expect("file");
    assert!(
        daemon
            .out(&["orders", "import", file.to_str().expect("path")])
            .contains("commandes enregistrées\u{a0}: 1\u{a0};")
    );
    let mut kinds = log.prepare("SELECT kind FROM log ORDER BY seq DESC LIMIT 2").expect("query");
    let kinds: Vec<String> = kinds.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("rows");
    assert_eq!(kinds, ["order", "pause"], "calls that found nobody are heard before rules of time");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_orders_are_required_an_unknown_one_is_a_discrepancy() {
    let daemon = Daemon::start(&Settings { require_orders: true, ..Settings::default() }).await;
    daemon.up2pay(&Up2pay::voucher("A", 1, 2500));
    let mail = daemon.mailbox.wait_for(1).await.remove(0);
    assert!(mail.subject().contains(" A"));
    assert_eq!(daemon.rows("SELECT kind FROM acct_discrepancies"), ["order_unknown"]);
    daemon.expect_order("A", 2500);
    daemon.mailbox.wait_for(2).await;
    assert_eq!(daemon.rows("SELECT state FROM acct_register"), ["balanced"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_and_its_balance_are_one_order_without_an_alert() {
    let daemon = Daemon::start(&Settings { complement_grace: "20m", ..Settings::default() }).await;
    let plan = r#"{"shop":"camping","reference":"STAY","total_cents":50000,
        "instalments":[{"cents":15000,"due":"2099-03-15"},{"cents":35000,"due":"2099-06-15T18:00:00+02:00"}]}"#;
    assert_eq!(daemon.admin_post("/api/v1/orders", plan).status, 200);
    daemon.up2pay(&Up2pay::voucher("STAY", 1, 15_000));
    let order = "SELECT state, paid_cents, gap_cents FROM acct_orders";
    assert_eq!(daemon.rows(order), ["part_paid|15000|-35000"]);
    let payment = "SELECT order_ref, gap_cents FROM acct_register WHERE state = 'part_paid'";
    assert_eq!(daemon.rows(payment), ["STAY|0"], "the deposit lacks nothing, the order does");
    let story = daemon.out(&["record", "STAY"]);
    assert!(story.contains("payé en partie"), "{story}");
    let by = |day| format!("à payer avant le {day}");
    assert!(story.contains(&by("15/03/2099")) && story.contains(&by("15/06/2099")), "{story}");
    daemon.up2pay(&Up2pay::voucher("STAY", 2, 20_000));
    daemon.up2pay(&Up2pay::card("STAY", 2, 15_000));
    assert_eq!(daemon.rows(order), ["balanced|50000|0"]);
    assert_eq!(daemon.rows("SELECT state, gap_cents FROM acct_register"), ["balanced|0", "balanced|0"]);
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_discrepancies"), ["0"]);

    let wrong = plan.replace("35000", "34000");
    let answer = daemon.admin_post("/api/v1/orders", &wrong);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("together 49000 cents, and total_cents is 50000"), "{}", answer.body);
}
