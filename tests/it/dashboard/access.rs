//! Who gets in, what they may do, and whose forms are taken.

use crate::support::{Browser, Daemon, Settings, TOKEN, Users, send_raw};

#[tokio::test(flavor = "multi_thread")]
async fn without_users_and_token_it_is_read_on_this_machine_and_nothing_is_done() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut browser = Browser::at(daemon.admin);
    assert!(browser.page("/").contains("Lecture seule"));
    assert_eq!(browser.submit("/sign-out", "").status, 403);
    // A name that somebody else made to point here.
    let foreign = "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept-Language: fr\r\nConnection: close\r\n\r\n";
    assert_eq!(send_raw(daemon.admin, foreign.as_bytes()).expect("an answer").status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_users_everybody_signs_in_and_goes_out_again() {
    let daemon = Users::daemon(&Settings::default()).await;
    let mut browser = Browser::at(daemon.admin);
    let answer = browser.get("/orders?state=balanced");
    assert_eq!(answer.status, 303);
    assert!(answer.head.contains("location: /sign-in?back=%2forders%3fstate%3dbalanced"), "{}", answer.head);
    let programs =
        send_raw(daemon.admin, b"GET /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(programs.expect("an answer").status, 401, "what is no browser is told so");

    for (name, password) in [("anne", "wrong"), ("nobody", Users::PASSWORD), ("", Users::PASSWORD)] {
        let answer = browser.sign_in(name, password);
        assert_eq!((answer.status, answer.cookies.len()), (401, 0), "{name}");
    }
    let answer = browser.sign_in("anne", Users::PASSWORD);
    assert_eq!(answer.status, 303);
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(answer.cookies[0].contains(part), "{part}: {:?}", answer.cookies);
    }
    assert!(browser.page("/").contains(">anne</span>"));
    let answer = browser.send_form("/", "/sign-out", &[]);
    assert_eq!(answer.status, 303);
    assert_eq!(browser.get("/").status, 303, "out");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_https_secures_the_cookie() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.rewrite_configuration(|text| {
        text.replace("digest = ", "dashboard_url = \"https://cvco.camping.example\"\ndigest = ")
            + &Users::lines()
    });
    daemon.kill();
    daemon.restart();
    let answer = Browser::at(daemon.admin).sign_in("vera", Users::PASSWORD);
    assert!(answer.cookies[0].starts_with("__Host-cvco=") && answer.cookies[0].contains("; Secure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_waits() {
    let daemon = Users::daemon(&Settings::default()).await;
    let mut browser = Browser::at(daemon.admin);
    for _ in 0..5 {
        assert_eq!(browser.sign_in("anne", "wrong password").status, 401);
    }
    let answer = browser.sign_in("anne", Users::PASSWORD);
    assert_eq!(answer.status, 429, "even with the right one");
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_is_not_taken() {
    let daemon = Users::daemon(&Settings::default()).await;
    let mut browser = Browser::signed_in(daemon.admin, "anne");
    let token = browser.token("/");
    let form = format!("form_token={token}");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (origin, status) in [
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Site: none\r\n", 403),
        ("Origin: https://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("", 403),
        ("Origin: http://localhost\r\n", 303),
    ] {
        let answer = browser.send("POST", "/sign-out", &format!("{kind}{origin}"), &form);
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(browser.submit("/sign-out", "form_token=x").status, 403, "another token");
    assert_eq!(browser.submit("/sign-out", "").status, 403, "none");
    let other = Browser::signed_in(daemon.admin, "vera").token("/");
    assert_eq!(browser.submit("/sign-out", &format!("form_token={other}")).status, 403, "somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let daemon = Daemon::start(&Settings::default()).await;
    let browser = Browser::at(daemon.admin);
    let style = browser.page("/");
    let style = style
        .split("stylesheet\" href=\"")
        .nth(1)
        .expect("a style")
        .split('"')
        .next()
        .expect("an address")
        .to_owned();
    for target in ["/", "/orders", "/orders.csv", "/order?shop=x", "/nothing", "/healthz", "/metrics", &style]
    {
        let answer = browser.get(target);
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(answer.head.contains(header), "{target}: {header} in {}", answer.head);
        }
        let kept = if target == style { "immutable" } else { "cache-control: no-store" };
        assert!(answer.head.contains(kept), "{target}: {}", answer.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn language_and_keys_are_as_a_person_prefers() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut browser = Browser::at(daemon.admin);
    assert!(browser.page("/").contains("<html lang=\"fr\">"));
    browser.language = "en-GB,en;q=0.9";
    assert!(browser.page("/").contains("<html lang=\"en\">"));
    let answer = browser.submit("/preferences", "language=fr&back=%2Forders");
    assert!(answer.head.contains("location: /orders"));
    assert!(browser.page("/").contains("<html lang=\"fr\">"), "what was chosen counts");
    browser.submit("/preferences", "keys=off&back=//evil.example");
    assert!(browser.page("/").contains("<html lang=\"fr\" data-keys=\"off\">"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_an_address_is_shown_to_an_administrator_who_asks() {
    let daemon = Users::daemon(&Settings::default()).await;
    let ask = [("endpoint", "up2pay")];
    for (name, status) in [("vera", 403), ("anne", 403), ("adam", 200)] {
        let mut browser = Browser::signed_in(daemon.admin, name);
        let today = browser.page("/");
        assert!(!today.contains(TOKEN), "{name}: nobody sees it unasked");
        assert_eq!(today.contains("action=\"/endpoints/address\""), status == 200, "{name}");
        let shown = browser.send_form("/", "/endpoints/address", &ask);
        assert_eq!((shown.status, shown.body.contains(TOKEN)), (status, status == 200), "{name}: {shown:?}");
    }
    let mut adam = Browser::signed_in(daemon.admin, "adam");
    let shown = adam.send_form("/", "/endpoints/address", &ask);
    assert!(shown.body.contains(&format!("/n/up2pay/{TOKEN}<")), "{}", shown.body);
    assert!(shown.head.contains("cache-control: no-store") && !shown.head.contains("etag"), "{}", shown.head);
    assert_eq!(
        adam.get("/endpoints/address?endpoint=up2pay").status,
        405,
        "an address in a link would stay in histories"
    );
    assert_eq!(adam.send_form("/", "/endpoints/address", &[("endpoint", "nothing")]).status, 404);
    assert_eq!(adam.submit("/endpoints/address", "endpoint=up2pay").status, 403, "no page of ours asks so");
    let said = daemon.log_text();
    let noted = said.lines().filter(|line| line.contains("the secret address of an endpoint was shown"));
    assert!(noted.clone().count() == 2 && noted.clone().all(|line| line.contains("adam")), "{said}");
    assert!(!said.contains(TOKEN), "and the log does not tell it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_in_force_is_not_shown() {
    let daemon = Users::daemon(&Settings::default()).await;
    let other = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    daemon.rewrite_configuration(|text| text.replace(TOKEN, other));
    let mut adam = Browser::signed_in(daemon.admin, "adam");
    let refused = adam.send_form("/", "/endpoints/address", &[("endpoint", "up2pay")]);
    assert_eq!((refused.status, refused.body.contains(other)), (400, false), "{refused:?}");
    assert!(refused.body.contains("reload"), "{refused:?}");
}
