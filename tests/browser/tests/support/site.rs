//! The dashboard as a person finds it: one who signs in, and goes where its links lead.

use std::collections::BTreeMap;

use super::{Browser, Chrome, Daemon, PASSWORD};

/// A daemon and a window on its dashboard.
pub struct Site {
    pub browser: Browser,
    _daemon: Daemon,
}

impl Site {
    /// `None` where there is no browser.
    pub async fn open() -> Option<Self> {
        let chrome = Chrome::find()?;
        let daemon = Daemon::start().await;
        let browser = Browser::open(&chrome, format!("http://{}", daemon.admin)).await;
        Some(Self { browser, _daemon: daemon })
    }

    /// The same, where somebody has signed in.
    pub async fn signed_in(name: &str) -> Option<Self> {
        let site = Self::open().await?;
        site.signs_in(name).await;
        Some(site)
    }

    pub async fn signs_in(&self, name: &str) {
        self.browser.goes("/sign-in").await;
        self.browser.writes("#name", name).await;
        self.browser.writes("#password", PASSWORD).await;
        self.browser.presses(".sign-in button.main").await;
        assert_eq!(self.browser.is_at().await, "/", "{}", self.browser.text().await);
    }

    /// A page of each sort that links lead to from the first one on, and one that is not there. Pages that differ in a number
    /// or in what a query says are of one sort.
    pub async fn pages(&self) -> Vec<String> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let mut next = vec!["/".to_owned(), "/nothing".to_owned()];
        while let Some(page) = next.pop() {
            if found.contains_key(&sort(&page)) {
                continue;
            }
            self.browser.goes(&page).await;
            let links = self
                .browser
                .runs(
                    "return [...document.querySelectorAll('a[href]:not([download])')].map(a => a.href)
                         .filter(h => h.startsWith(location.origin)).map(h => h.slice(location.origin.length).split('#')[0])",
                    vec![],
                )
                .await;
            let links = links.as_array().expect("links").iter().filter_map(serde_json::Value::as_str);
            // The first of a sort is taken first.
            next.extend(links.rev().map(str::to_owned));
            found.insert(sort(&page), page);
        }
        found.into_values().collect()
    }

    pub async fn closes(self) {
        self.browser.closes().await;
    }
}

/// A path without its numbers, and the names in its query.
fn sort(page: &str) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let mut path: Vec<&str> = path.split('/').collect();
    for part in &mut path {
        if part.starts_with(|first: char| first.is_ascii_digit()) {
            *part = "#";
        }
    }
    // Other orders and filters of one list are one sort of page.
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    let mut names: Vec<&str> =
        names.filter(|name| !matches!(*name, "sort" | "dir" | "after" | "shop")).collect();
    names.sort_unstable();
    format!("{}?{}", path.join("/"), names.join("&"))
}
