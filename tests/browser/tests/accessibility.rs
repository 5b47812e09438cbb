//! What axe-core finds against the Web Content Accessibility Guidelines 2.2, levels A and AA.

use crate::support::{Axe, Look, PHONE, Site, Users, WIDE};

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'], resultTypes: ['violations'] })
        .then(r => done(r.violations.flatMap(v => v.nodes.map(n =>
            `${v.id} at ${n.target.join(' ')}: ${n.failureSummary.replace(/\\s+/g, ' ')}`))), e => done([String(e)]));";

async fn violations(site: &Site, axe: &Axe, pages: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for language in ["fr", "en"] {
        for page in pages {
            site.browser.looks(Look { language, dark: false, width: WIDE }).await;
            site.browser.goes(page).await;
            found.extend(here(site, axe, language).await);
        }
    }
    found
}

/// What is found on the page that is open.
async fn here(site: &Site, axe: &Axe, language: &'static str) -> Vec<String> {
    let mut found = Vec::new();
    let page = site.browser.is_at().await;
    // What is folded away is looked at too.
    site.browser.runs("document.querySelectorAll('details').forEach(d => { d.open = true; })", vec![]).await;
    site.browser.runs(&axe.0, vec![]).await;
    for (dark, width) in [(false, WIDE), (true, WIDE), (true, PHONE), (false, PHONE)] {
        let look = Look { language, dark, width };
        site.browser.looks(look).await;
        let violations = site.browser.runs_to_end(RUN, vec![]).await;
        let violations = violations.as_array().expect("a list");
        found.extend(violations.iter().map(|violation| format!("{page} {look:?}: {violation}")));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_keeps_anybody_out() {
    let (Some(axe), Some(site)) = (Axe::find(), Site::open().await) else { return };
    let mut found = violations(&site, &axe, &["/sign-in".to_owned()]).await;
    site.signs_in(Users::ADMIN).await;
    let pages = site.pages().await;
    assert!(pages.len() > 6, "{pages:?}");
    found.extend(violations(&site, &axe, &pages).await);
    // A page that only a button leads to.
    site.browser.looks(Look { language: "fr", dark: false, width: WIDE }).await;
    site.browser.goes("/").await;
    site.browser.presses("form[action='/endpoints/address'] button").await;
    found.extend(here(&site, &axe, "fr").await);
    assert!(found.is_empty(), "{} pages, {} violations:\n{}", pages.len(), found.len(), found.join("\n"));
    site.closes().await;
}
