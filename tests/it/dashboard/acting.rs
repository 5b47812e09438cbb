//! What people do on the pages: each act is in the log under their name.

use crate::support::{BOOKS, Browser, Daemon, Settings, Sogecommerce, Up2pay, Users};

/// A daemon with an urgent discrepancy, number 1, and the books of these tests.
pub(super) async fn in_trouble() -> Daemon {
    let mut daemon = Daemon::start(&Settings { complement_grace: "0s", ..Settings::default() }).await;
    daemon.rewrite_configuration(|text| text + &Users::lines() + BOOKS);
    daemon.kill();
    daemon.restart();
    daemon.expect_order("CMD-2", 20000);
    daemon.up2pay(&Up2pay::voucher("CMD-2", 7, 15000));
    daemon.up2pay(&Up2pay::card("CMD-2", 7, 5000).refused());
    daemon.until("SELECT kind FROM acct_discrepancies WHERE closed_at IS NULL", &["voucher_orphan"]).await;
    daemon
}

const ACTS: &str = "SELECT act, by, note FROM acct_acknowledgements ORDER BY seq";

#[tokio::test(flavor = "multi_thread")]
async fn a_discrepancy_is_noted_acknowledged_snoozed_and_put_back() {
    let daemon = in_trouble().await;
    let id = daemon.rows("SELECT id FROM acct_discrepancies WHERE closed_at IS NULL").remove(0);
    let page = format!("/discrepancies/{id}");
    let mut browser = Browser::signed_in(daemon.admin, "anne");
    let shown = browser.page(&page);
    assert!(shown.contains("Que faire maintenant") && shown.contains("Prendre en charge"), "{shown}");

    let note = "=cmd <b>rappelé</b> le client";
    let answer = browser.send_form(&page, &page, &[("do", "note"), ("note", note), ("seen", "0")]);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.head.contains(&format!("location: {page}?done=note")), "{}", answer.head);
    assert_eq!(daemon.rows(ACTS), [format!("noted|anne|{note}")]);
    let shown = browser.page(&page);
    assert!(shown.contains("&#60;b&#62;rappelé") && !shown.contains("<b>rappelé"), "{shown}");

    let file = browser.page("/discrepancies.csv");
    assert!(file.contains("\"'=cmd <b>rappelé</b> le client\""), "no formula: {file}");

    // A second press of the same button, and a page that somebody else has acted on since.
    let again = browser.send_form(&page, &page, &[("do", "ack"), ("note", "vu"), ("seen", "0")]);
    assert_eq!(again.status, 409, "{again:?}");
    let seen = |browser: &Browser| {
        let page = browser.page(&page);
        let rest = page.split("name=\"seen\" value=\"").nth(1).expect("a form");
        rest.split('"').next().expect("a number").to_owned()
    };
    let now = seen(&browser);
    assert_eq!(browser.send_form(&page, &page, &[("do", "ack"), ("note", ""), ("seen", &now)]).status, 400);
    assert_eq!(browser.send_form(&page, &page, &[("do", "ack"), ("note", "vu"), ("seen", &now)]).status, 303);
    let now = seen(&browser);
    let snooze = [("do", "snooze"), ("until", "2020-01-01"), ("seen", now.as_str())];
    assert_eq!(browser.send_form(&page, &page, &snooze).status, 400, "in the past");
    assert_eq!(browser.send_form(&page, &page, &[("do", "withdraw"), ("seen", &now)]).status, 303);
    let is_open = format!("SELECT acked_at IS NULL FROM acct_discrepancies WHERE id = {id}");
    assert_eq!(daemon.rows(&is_open), ["1"]);

    assert!(browser.page("/order?shop=camping&reference=CMD-2").contains("annoté par anne"));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_filter_matches_are_acknowledged_after_a_question() {
    let daemon = in_trouble().await;
    let mut browser = Browser::signed_in(daemon.admin, "anne");
    let list = browser.page("/discrepancies");
    let link = list.split("href=\"/discrepancies/acknowledge").nth(1).expect("a link");
    let link = format!(
        "/discrepancies/acknowledge{}",
        link.split('"').next().expect("an address").replace("&#38;", "&")
    );
    assert!(browser.page(&link).contains("1\u{a0}écart"));
    let answer = browser.send_form(&link, &link, &[("note", "tous vus")]);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(daemon.rows(ACTS), ["acknowledged|anne|tous vus"]);
    assert!(browser.page("/discrepancies?unacked=1").contains("Rien ne correspond"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_does_what_is_its_own_and_nothing_more() {
    let daemon = in_trouble().await;
    let id = daemon.rows("SELECT id FROM acct_discrepancies").remove(0);
    let page = format!("/discrepancies/{id}");
    let entry = daemon.rows("SELECT MIN(seq) FROM acct_notifications").remove(0);
    let raw = format!("/payload?entry={entry}");
    let act = [("do", "ack"), ("note", "vu"), ("seen", "0")];

    let mut vera = Browser::signed_in(daemon.admin, "vera");
    assert!(!vera.page(&page).contains("name=\"note\""), "no form to act with");
    assert_eq!(vera.send_form("/", &page, &act).status, 403);
    assert_eq!(vera.get("/accounting/close?period=2026-03").status, 403);
    assert_eq!(vera.get(&raw).status, 403);
    let mut anne = Browser::signed_in(daemon.admin, "anne");
    assert_eq!(anne.get(&raw).status, 403);
    assert_eq!(
        anne.send_form("/", "/operations/diagnose", &[("endpoint", "up2pay"), ("message", "x")]).status,
        403
    );
    assert_eq!(anne.send_form("/", "/relays/retry", &[("number", &entry), ("target", "x")]).status, 403);
    let mut adam = Browser::signed_in(daemon.admin, "adam");
    assert!(adam.page(&raw).contains("Mt=15000"));
    let genuine = Up2pay::voucher("CMD-9", 9, 100).wire().query;
    let told = adam.send_form("/", "/operations/diagnose", &[("endpoint", "up2pay"), ("message", &genuine)]);
    assert!(told.body.contains("Message authentique"), "{told:?}");
    let changed = genuine.replace("Mt=100", "Mt=101");
    let told = adam.send_form("/", "/operations/diagnose", &[("endpoint", "up2pay"), ("message", &changed)]);
    assert!(told.body.contains("Message non authentique"), "{told:?}");
    assert!(
        told.body.contains("<p>pas authentique\u{a0}: la signature ne convient ni à ces octets"),
        "{told:?}"
    );
    assert!(daemon.rows(ACTS).is_empty(), "nobody has acted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accountant_exports_and_is_told_what_a_close_would_book() {
    let daemon = in_trouble().await;
    daemon.sogecommerce(&Sogecommerce::split("CMD-1", "abc123", 6000, 3990));
    let anne = Browser::signed_in(daemon.admin, "anne");
    let accounting = anne.page("/accounting");
    assert!(accounting.contains("Reste à verser"), "{accounting}");
    let month = daemon.rows("SELECT substr(MIN(day), 1, 7) FROM acct_totals").remove(0);
    let register = anne.get(&format!("/accounting/export?what=register&period={month}"));
    assert_eq!(register.status, 200, "{register:?}");
    assert!(register.head.contains("attachment; filename=\"registre-") && register.body.contains("CMD-1"));
    let fec = anne.get(&format!("/accounting/export?what=fec&period={month}"));
    assert_eq!(fec.status, 422, "not closed, and no draft: {fec:?}");
    let fec = anne.get(&format!("/accounting/export?what=fec&period={month}&draft=1"));
    assert!(fec.status == 200 && fec.body.contains("JournalCode"), "{fec:?}");
    let close = anne.page(&format!("/accounting/close?period={month}"));
    assert!(close.contains("Débit") && close.contains("ne change plus jamais"), "{close}");
    let current = daemon.rows("SELECT substr(MAX(day), 1, 7) FROM acct_totals").remove(0);
    let close = anne.page(&format!("/accounting/close?period={current}"));
    assert!(close.contains("ne peut pas être clos"), "another month comes first: {close}");
    assert_eq!(anne.page("/operations").matches("<h1>").count(), 1);
}

/// A form with a file, as a browser lays it out.
fn with_file(fields: &[(&str, &str)], name: &str, content: &str) -> String {
    let field = |(field, value): &(&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
    };
    let file = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n{content}\r\n--edge--\r\n"
    );
    fields.iter().map(field).chain([file]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_uploaded_and_shows_what_no_payment_explains() {
    let daemon = in_trouble().await;
    let anne = Browser::signed_in(daemon.admin, "anne");
    let content = "reference,autorisation,contrat,montant_brut,montant_net,date_operation,date_remise\r\n\
                   NOBODY,123456,,10.00,9.80,2026-03-12,2026-03-13\r\n";
    let headers = "Content-Type: multipart/form-data; boundary=edge\r\nSec-Fetch-Site: same-origin\r\n";
    let upload = |token: &str| {
        let fields = [("form_token", token), ("layout", "bank"), ("number", "B-1")];
        let body = with_file(&fields, "--help\".csv", content);
        anne.send("POST", "/accounting/statements", headers, &body)
    };
    assert_eq!(upload("x").status, 403, "a form of somebody else");
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM statements"), ["0"]);
    let told = upload(&anne.token("/"));
    assert!(
        told.status == 200 && told.body.contains("1\u{a0}ligne importée. Sans paiement connu"),
        "{told:?}"
    );
    assert_eq!(daemon.rows("SELECT number, paid_on FROM statements"), ["B-1|2026-03-13"]);
    assert!(anne.page("/accounting/statement?id=1").contains("aucun paiement connu"));
    let again = upload(&anne.token("/"));
    assert!(again.body.contains("déjà été importé"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_cannot_be_read_is_explained_in_the_language_of_the_page() {
    let daemon = in_trouble().await;
    let mut anne = Browser::signed_in(daemon.admin, "anne");
    let content = "reference,autorisation,contrat,montant_brut,montant_net,date_operation,date_remise\r\n\
                   CMD-2,123456,,dix,9.80,2026-03-12,2026-03-13\r\n";
    let headers = "Content-Type: multipart/form-data; boundary=edge\r\nSec-Fetch-Site: same-origin\r\nAccept: text/html\r\n";
    for (language, line, other) in [
        ("fr", "<li>ligne 2\u{a0}: «\u{a0}dix\u{a0}» n’est pas un montant", "en anglais"),
        ("en", "<li>line 2: &#34;dix&#34; is not an amount", "ligne"),
    ] {
        anne.language = language;
        let token = anne.token("/");
        let fields = [("form_token", token.as_str()), ("layout", "bank"), ("number", "B-1")];
        let told =
            anne.send("POST", "/accounting/statements", headers, &with_file(&fields, "b.csv", content));
        assert_eq!(told.status, 422, "{told:?}");
        let apology = told.body.split("class=\"card apology\"").nth(1).expect("an apology");
        assert!(apology.contains(line) && !apology.contains(other), "{apology}");
    }
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM statements"), ["0"]);
}
