//! What every page keeps to.

use serde_json::{Value, json};

use crate::support::{Look, PHONE, Site, Users, WIDE};

/// What of a page is loaded from elsewhere or leads there, what moves it sideways, and what stands out of its window.
const LOOK: &str = "
    const own = u => { try { return new URL(u, location.href).origin === location.origin; } catch { return false; } };
    const found = [];
    for (const el of document.querySelectorAll('[href], [src], [action], [data], [poster]'))
        for (const name of ['href', 'src', 'action', 'data', 'poster'])
            if (el.hasAttribute(name) && !own(el.getAttribute(name))) found.push(`elsewhere: ${name}=${el.getAttribute(name)}`);
    for (const entry of performance.getEntriesByType('resource')) if (!own(entry.name)) found.push(`loaded: ${entry.name}`);
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
        found.push(`${document.documentElement.scrollWidth} px in a window of ${width}`);
        const scrolls = el => { for (let e = el.parentElement; e; e = e.parentElement)
            if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)) return true; return false; };
        for (const el of document.querySelectorAll('body *'))
            if (el.getBoundingClientRect().right > width + 1 && !scrolls(el)) found.push(`sticks out: <${el.localName} class='${el.getAttribute('class') ?? ''}'> ${el.textContent.trim().slice(0, 40)}`);
    }
    return found;";

/// Every control that can be seen, in the order of the page.
const CONTROLS: &str = "
    window.controls = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
        .filter(el => el.checkVisibility({ visibilityProperty: true }) && !el.closest('dialog:not([open])') && !el.disabled);
    return window.controls.length;";

/// Which of them has the focus, and whether that can be seen; nothing once the page is left.
const FOCUSED: &str = "
    const el = document.activeElement;
    if (!el || el === document.body) return null;
    const style = getComputedStyle(el);
    return { at: window.controls.indexOf(el), name: `<${el.localName}> ${(el.textContent || el.name || '').trim().slice(0, 40)}`,
             seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };";

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_in_their_window_and_load_nothing_from_elsewhere() {
    let Some(site) = Site::signed_in(Users::ADMIN).await else { return };
    let mut found = Vec::new();
    for width in [PHONE, WIDE] {
        site.browser.looks(Look { language: "fr", dark: false, width }).await;
        for page in site.pages().await {
            site.browser.goes(&page).await;
            site.browser
                .runs("document.querySelectorAll('details').forEach(d => { d.open = true; })", vec![])
                .await;
            let seen = site.browser.runs(LOOK, vec![]).await;
            found.extend(
                seen.as_array().expect("a list").iter().map(|what| format!("{page} at {width}: {what}")),
            );
            let complaints = site.browser.complaints().await;
            let unexpected =
                complaints.iter().filter(|complaint| !complaint.contains("/nothing - Failed to load"));
            found.extend(unexpected.map(|complaint| format!("{page} at {width}: {complaint}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    site.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_reaches_every_control_in_order_and_shows_where_it_is() {
    let Some(site) = Site::signed_in(Users::ADMIN).await else { return };
    site.browser.looks(Look { language: "fr", dark: false, width: WIDE }).await;
    let mut found = Vec::new();
    for page in site.pages().await {
        site.browser.goes(&page).await;
        let count = site.browser.runs(CONTROLS, vec![]).await.as_u64().expect("a count");
        let mut reached = vec![false; usize::try_from(count).expect("few")];
        let mut last = -1;
        // A date has three fields of its own.
        for _ in 0..count * 2 + 20 {
            site.browser.tells("Input.dispatchKeyEvent", tab("rawKeyDown")).await;
            site.browser.tells("Input.dispatchKeyEvent", tab("keyUp")).await;
            let focused = site.browser.runs(FOCUSED, vec![]).await;
            if focused.is_null() {
                break;
            }
            let at = focused["at"].as_i64().expect("a number");
            // What scrolls sideways can be reached too.
            let Ok(place) = usize::try_from(at) else { continue };
            if at < last {
                found.push(format!("{page}: {} comes back", focused["name"]));
                break;
            }
            if focused["seen"] != Value::Bool(true) {
                found.push(format!("{page}: {} does not show that it has the focus", focused["name"]));
            }
            reached[place] = true;
            last = at;
        }
        if let Some(missed) = reached.iter().position(|is_reached| !is_reached) {
            let name = site
                .browser
                .runs("return window.controls[arguments[0]].outerHTML", vec![json!(missed)])
                .await;
            found.push(format!("{page}: {missed} of {count} is not reached: {name}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    site.closes().await;
}

fn tab(kind: &str) -> Value {
    json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9})
}
