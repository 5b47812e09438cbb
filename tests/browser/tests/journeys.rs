//! What people do, from the first page to the end.

use fantoccini::key::Key;

use crate::support::{Look, PHONE, Site, Users, WIDE};

const DESK: Look = Look { language: "fr", dark: false, width: WIDE };
const TELEPHONE: Look = Look { width: PHONE, ..DESK };

/// Somebody signs in, finds the order that something is wrong with, and reads its story.
async fn finds_an_order(site: &Site) {
    let browser = &site.browser;
    browser.goes("/orders?open=1").await;
    assert!(browser.is_at().await.starts_with("/sign-in"), "who is not known is asked");
    browser.writes("#name", Users::ACCOUNTANT).await;
    browser.writes("#password", crate::support::PASSWORD).await;
    browser.presses(".sign-in button.main").await;
    assert_eq!(browser.is_at().await, "/orders?open=1", "and gets to where they wanted to go");

    let name = browser.one(".rows tbody .c-name a").await.text().await.expect("a name");
    browser.presses(".top nav a[href='/orders']").await;
    browser.writes("#q", &name).await;
    browser.presses(".filter button.main").await;
    assert!(browser.is_at().await.contains("q="), "a list can be sent as a link");
    browser.presses(".rows tbody .c-name a").await;
    let story = browser.text().await;
    for words in [name.as_str(), "Déroulement", "Preuves", "Que faire maintenant", "notification authentique"]
    {
        assert!(story.contains(words), "{words} in {story}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_finds_an_order_at_a_desk() {
    let Some(site) = Site::open().await else { return };
    site.browser.looks(DESK).await;
    finds_an_order(&site).await;
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_finds_an_order_on_a_telephone() {
    let Some(site) = Site::open().await else { return };
    site.browser.looks(TELEPHONE).await;
    finds_an_order(&site).await;
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_finds_an_order_without_scripts() {
    let Some(site) = Site::open().await else { return };
    site.browser.looks(DESK).await;
    site.browser.without_scripts().await;
    finds_an_order(&site).await;
    assert!(!site.browser.has("html.js").await, "no script ran");
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_lead_through_the_pages_until_they_are_switched_off() {
    let Some(site) = Site::signed_in(Users::VIEWER).await else { return };
    let browser = &site.browser;
    browser.looks(DESK).await;
    browser.goes("/").await;
    browser.types("go").await;
    assert_eq!(browser.is_at().await, "/orders");
    browser.types("j").await;
    browser.types("j").await;
    let second = browser
        .runs("return document.activeElement === document.querySelectorAll('.rows tbody a')[1]", vec![]);
    assert_eq!(second.await, true);
    browser.types("/").await;
    assert_eq!(browser.runs("return document.activeElement.id", vec![]).await, "q");
    browser.types("?").await;
    assert!(!browser.has("dialog[open]").await, "in a field it is a letter");
    browser.goes("/").await;
    browser.types("?").await;
    assert!(browser.has("dialog[open]").await);
    browser.types(&String::from(char::from(Key::Escape))).await;
    assert!(!browser.has("dialog[open]").await);

    browser.presses("button[name=keys]").await;
    browser.types("?").await;
    assert!(!browser.has("dialog[open]").await, "switched off");
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_tab_leads_past_the_navigation() {
    let Some(site) = Site::signed_in(Users::VIEWER).await else { return };
    let browser = &site.browser;
    browser.looks(DESK).await;
    browser.goes("/orders").await;
    browser.types(&String::from(char::from(Key::Tab))).await;
    let skip = browser.runs(
        "return document.activeElement.getBoundingClientRect().left >= 0 && document.activeElement.className",
        vec![],
    );
    assert_eq!(skip.await, "skip");
    browser.types(&String::from(char::from(Key::Enter))).await;
    assert_eq!(browser.runs("return document.activeElement.id", vec![]).await, "main");
    site.closes().await;
}
