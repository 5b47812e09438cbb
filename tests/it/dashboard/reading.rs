//! What the pages say of payments.

use crate::support::{Browser, Daemon, Settings, Sogecommerce, Up2pay};

/// A page with narrow blanks as plain ones, for the eye.
fn plain(page: &str) -> String {
    page.replace(['\u{a0}', '\u{202f}'], " ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_on_the_first_page_in_the_list_and_has_a_page_of_its_own() {
    let daemon = Daemon::start(&Settings { complement_grace: "0s", ..Settings::default() }).await;
    daemon.expect_order("CMD-1", 9990);
    daemon.expect_order("CMD-2", 20000);
    daemon.expect_order("CMD-9", 7000);
    daemon.sogecommerce(&Sogecommerce::split("CMD-1", "abc123", 6000, 3990));
    daemon.up2pay(&Up2pay::voucher("CMD-2", 7, 123_456));
    daemon.up2pay(&Up2pay::card("CMD-2", 7, 1000).refused());
    daemon.until("SELECT COUNT(*) FROM acct_discrepancies WHERE closed_at IS NULL", &["1"]).await;
    let browser = Browser::at(daemon.admin);

    let today = plain(&browser.page("/"));
    assert!(today.contains("1 334,46 €"), "what was received: {today}");
    assert!(today.len() < 60 * 1024, "{} bytes", today.len());

    let orders = plain(&browser.page("/orders"));
    assert!(orders.contains("2 paiements, 1 commande sans paiement"), "{orders}");
    assert!(orders.contains("1 234,56") && orders.contains("enregistrée, rien de payé"), "{orders}");
    for (query, found) in [
        ("q=CMD-1", 1),
        ("q=CMD", 3),
        ("q=CMD-9", 1),
        ("state=awaited", 1),
        ("state=awaited&psp=up2pay", 0),
        ("q=abc123-20260301-12345678", 1),
        ("q=71", 1),
        ("q=60,00", 1),
        ("q=1%20234,56", 1),
        ("q=nothing", 0),
        ("state=balanced", 1),
        ("open=1", 1),
        ("psp=up2pay", 1),
        ("from=2020-01-01&to=2020-12-31", 0),
        ("sort=paid", 3),
        ("sort=order&dir=asc", 3),
    ] {
        let page = browser.page(&format!("/orders?{query}"));
        assert_eq!(page.matches("<th scope=\"row\" class=\"c-name\"><a").count(), found, "{query}");
        let file = browser.page(&format!("/orders.csv?{query}"));
        assert_eq!(file.matches("\ncamping;").count(), found, "{query}: {file}");
    }
    assert_eq!(browser.get("/orders?state=nonsense").status, 400);
    assert_eq!(browser.get("/orders?after=nonsense").status, 400);

    let awaited = plain(&browser.page("/orders?state=awaited"));
    let total = awaited.split("<tfoot>").nth(1).expect("a total");
    assert!(total.contains(">70,00<") && total.contains(">−70,00<") && total.contains(">0,00<"), "{total}");
    assert!(browser.page("/order?shop=camping&reference=CMD-9").contains("enregistrée, rien de payé"));

    let order = plain(&browser.page("/order?shop=camping&reference=CMD-2"));
    for words in
        ["1 234,56 €", "En trop", "Que faire maintenant", "notification authentique", "Commande enregistrée"]
    {
        assert!(order.contains(words), "{words} in {order}");
    }
    let file = browser.get("/order.html?shop=camping&reference=CMD-2");
    assert!(
        file.head.contains("attachment") && file.body.contains("<style>") && !file.body.contains("<script")
    );
    assert_eq!(browser.get("/order?shop=camping&reference=CMD-3").status, 404);
    assert_eq!(browser.get("/order?shop=camping&psp=up2pay&payment=7").status, 200, "by its payment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let daemon = Daemon::start(&Settings::default()).await;
    let browser = Browser::at(daemon.admin);
    let tag = |answer: &crate::support::Answer| {
        let line = answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
        line.to_owned()
    };
    // Minutes are shown: where one begins between two calls the page is another.
    let is_known = (0..3).any(|_| {
        let tag = tag(&browser.get("/orders"));
        browser.send("GET", "/orders", &format!("If-None-Match: {tag}\r\n"), "").status == 304
    });
    assert!(is_known);
}
