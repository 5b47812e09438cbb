//! References that ask for trouble.

use crate::support::{Browser, Daemon, Settings};

/// Markup, entities, signs that turn a line around or cannot be seen, formulas, and length.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'; alert(1)//",
        "&lt;b&gt;&amp;",
        "javascript:alert(1)",
        "{{ 7*7 }}${7*7}",
        "a\u{202e}b\u{2066}c\u{200b}d",
        "=HYPERLINK(\"http://evil.example\")",
        "+33",
        "-1",
        "@SUM(A1)",
        "é è € 😀",
        "a&b=c#d?e/../f%00",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    all.push("x".repeat(250));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reference_breaks_a_page_or_runs_in_it() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut taken = Vec::new();
    for reference in hostile() {
        let order = serde_json::json!({"shop": "camping", "reference": reference, "total_cents": 100});
        if daemon.admin_post("/api/v1/orders", &order.to_string()).status == 200 {
            taken.push(reference);
        }
    }
    assert!(taken.len() > 8, "{taken:?}");
    let browser = Browser::at(daemon.admin);
    for reference in &taken {
        let query =
            serde_urlencoded::to_string([("shop", "camping"), ("reference", reference)]).expect("a query");
        for target in [
            format!("/order?{query}"),
            format!("/order.html?{query}"),
            format!("/orders?{}", serde_urlencoded::to_string([("q", reference)]).expect("a query")),
            format!("/sign-in?{}", serde_urlencoded::to_string([("back", reference)]).expect("a query")),
        ] {
            let page = browser.page(&target);
            let harmless = page.replace(reference.as_str(), "");
            for markup in ["<script>alert", "<img", "onerror=alert(1)>"] {
                assert!(!page.contains(markup), "{markup} in {target}");
            }
            assert!(
                !page.contains('\u{202e}') && !page.contains('\u{200b}') || target.contains("?q="),
                "{target}"
            );
            assert!(harmless.contains("</html>"), "{target}");
        }
    }
}
