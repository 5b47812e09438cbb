//! What an accountant does in a month.

use serde_json::{Value, json};

use crate::support::{Look, PHONE, Site, Users, WIDE};

const DESK: Look = Look { language: "fr", dark: false, width: WIDE };

/// The file that a link leads to: its name as the server gives it, and its text.
const DOWNLOAD: &str = "
    const [selector, done] = arguments;
    fetch(document.querySelector(selector).href).then(
        async answer => done({ name: answer.headers.get('content-disposition'), text: await answer.text() }),
        error => done(String(error)));";

/// The first order that was paid with vouchers and a card, and in full: its name and its vouchers, as the list shows them.
const SPLIT: &str = "
    for (const row of document.querySelectorAll('.rows tbody tr')) {
        const [voucher, card] = [...row.querySelectorAll('.c-part')].map(cell => cell.textContent.replace(/[^0-9,]/g, ''));
        if (parseFloat(voucher) > 0 && parseFloat(card) > 0) return { name: row.querySelector('.c-name bdi').textContent, voucher };
    }";

#[tokio::test(flavor = "multi_thread")]
async fn takes_a_discrepancy_in_charge_on_a_telephone() {
    let Some(site) = Site::signed_in(Users::ACCOUNTANT).await else { return };
    let browser = &site.browser;
    browser.looks(Look { width: PHONE, ..DESK }).await;
    browser.goes("/").await;
    browser.presses(".work a").await;
    let discrepancy = browser.is_at().await;
    assert!(discrepancy.starts_with("/discrepancies/"), "{discrepancy}");
    browser.writes("#ack-note", "client rappelé, il paie samedi").await;
    browser.presses("form:has(#ack-note) button.main").await;
    let page = browser.text().await;
    assert!(page.contains("client rappelé, il paie samedi") && page.contains(Users::ACCOUNTANT), "{page}");
    assert!(!browser.has("#ack-note").await, "it is taken in charge once");

    // Who only looks reads the note, and finds nothing to press.
    browser.presses("form[action='/sign-out'] button").await;
    site.signs_in(Users::VIEWER).await;
    browser.goes(&discrepancy).await;
    let page = browser.text().await;
    assert!(page.contains("client rappelé, il paie samedi"), "{page}");
    assert!(!browser.has("form.act").await, "{page}");
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_a_statement_and_finds_the_order_that_it_pays() {
    let Some(site) = Site::signed_in(Users::ACCOUNTANT).await else { return };
    let browser = &site.browser;
    browser.looks(DESK).await;
    browser.goes("/orders?state=balanced").await;
    let order = browser.runs(SPLIT, vec![]).await;
    let (name, voucher) = (text(&order["name"]), text(&order["voucher"]));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("releve.csv");
    let day = today();
    let lines = format!(
        "Référence;Montant;Commission;Date;Relevé;Versé le\n{name};{voucher};1,00;{day};R-77;{day}\n"
    );
    std::fs::write(&file, lines).expect("written");

    browser.goes("/accounting").await;
    browser.one("#file").await.send_keys(&file.display().to_string()).await.expect("chosen");
    browser.presses("form[action='/accounting/statements'] button.main").await;
    browser.presses("a[href^='/accounting/statement?']").await;
    let statement = browser.text().await;
    assert!(statement.contains("importé par marie"), "{statement}");
    assert!(statement.contains(&name) && !statement.contains("aucun paiement connu"), "{statement}");
    browser.presses("tbody th a").await;
    let order = browser.text().await;
    assert!(order.contains("R-77"), "the order says which statement paid it: {order}");
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_a_month_and_downloads_its_entries() {
    let Some(site) = Site::signed_in(Users::ACCOUNTANT).await else { return };
    let browser = &site.browser;
    browser.looks(DESK).await;
    browser.goes("/accounting").await;
    browser.presses("a[href^='/accounting/close']").await;
    let month =
        browser.one("form.act input[name=period]").await.attr("value").await.expect("read").expect("a month");
    browser.presses("form.act button.main").await;
    let page = browser.text().await;
    assert!(page.contains(&month) && page.contains("par marie"), "{page}");
    browser.goes(&format!("/accounting/close?period={month}")).await;
    assert!(!browser.has("form.act").await, "a month is closed once");

    browser.goes("/accounting").await;
    let link = format!("a[download][href*='what=fec'][href*='period={month}']");
    let fec = browser.runs_to_end(DOWNLOAD, vec![json!(link)]).await;
    let name = text(&fec["name"]);
    assert!(name.contains("732829320FEC"), "as the tax administration wants it named: {name}");
    let text = text(&fec["text"]);
    let header = text.lines().next().unwrap_or_default();
    assert!(header.trim_start_matches('\u{feff}').starts_with("JournalCode"), "{header}");
    let compact = month.replace('-', "");
    let days = text.lines().skip(1).filter_map(|line| line.split(['\t', '|']).nth(3));
    assert!(text.lines().count() > 2 && days.into_iter().all(|day| day.starts_with(&compact)), "{text}");
    site.closes().await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{}", json!(value))).to_owned()
}

/// As a statement writes it.
fn today() -> String {
    let day = cvco_reconciled::clock::Clock::system().now().paris_day().to_string();
    let [year, month, day] = day.split('-').collect::<Vec<_>>()[..] else { panic!("{day}") };
    format!("{day}/{month}/{year}")
}
