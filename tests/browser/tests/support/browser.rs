//! One window of Chromium.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Chrome;

/// The width of a small telephone, and of a desk's screen, in CSS pixels.
pub const PHONE: u32 = 360;
pub const WIDE: u32 = 1280;

/// How long a page may take on a machine that has more to do.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a person looks at pages.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub language: &'static str,
    pub dark: bool,
    pub width: u32,
}

/// A window with a profile of its own.
pub struct Browser {
    client: Client,
    driver: Child,
    base: String,
    _profile: TempDir,
    _log: std::thread::JoinHandle<()>,
}

impl Browser {
    /// Opens one that knows this address.
    pub async fn open(chrome: &Chrome, base: String) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut driver = Command::new(&chrome.driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver");
        let mut said = BufReader::new(driver.stdout.take().expect("its words")).lines().map_while(Result::ok);
        let port: u16 = said
            .by_ref()
            .find_map(|line| line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok())
            .expect("a port");
        let log = std::thread::spawn(move || said.for_each(drop));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(chrome, profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a session");
        let patience = Some(PATIENCE);
        let timeouts = TimeoutConfiguration::new(patience, patience, None);
        client.update_timeouts(timeouts).await.expect("taken");
        let browser = Self { client, driver, base, _profile: profile, _log: log };
        browser.tells("Network.enable", json!({})).await;
        browser
    }

    /// A command of Chromium's own.
    pub async fn tells(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.client.issue_cmd(Extra { path: "goog/cdp/execute", body }).await.expect("done")
    }

    pub async fn looks(&self, look: Look) {
        let Look { language, dark, width } = look;
        let height = if width == PHONE { 740 } else { 900 };
        self.tells(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == PHONE}),
        )
        .await;
        let scheme = if dark { "dark" } else { "light" };
        // Colours that still change have a contrast of their own.
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.tells("Emulation.setEmulatedMedia", json!({"features": features})).await;
        let headers = json!({"Accept-Language": language});
        self.tells("Network.setExtraHTTPHeaders", json!({"headers": headers})).await;
    }

    /// Pages run no script from here on; these tests still may.
    pub async fn without_scripts(&self) {
        self.tells("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    pub async fn goes(&self, target: &str) {
        self.opens(&format!("{}{target}", self.base)).await;
    }

    /// Goes to an address that need not be the daemon's.
    pub async fn opens(&self, address: &str) {
        self.client.goto(address).await.expect("a page");
    }

    /// The path and query that it shows.
    pub async fn is_at(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.as_str().strip_prefix(&self.base).unwrap_or_else(|| panic!("elsewhere: {url}")).to_owned()
    }

    #[track_caller]
    pub fn one<'b>(&'b self, selector: &'b str) -> impl Future<Output = Element> + 'b {
        let place = std::panic::Location::caller();
        async move {
            match self.client.find(Locator::Css(selector)).await {
                Ok(element) => element,
                Err(error) => {
                    let page = self.text().await;
                    panic!("{place}: {selector} at {}: {error}\n{page}", self.is_at().await)
                }
            }
        }
    }

    pub async fn has(&self, selector: &str) -> bool {
        !self.client.find_all(Locator::Css(selector)).await.expect("looked").is_empty()
    }

    /// Presses what leads to another page, and waits for that.
    #[track_caller]
    pub fn presses<'b>(&'b self, selector: &'b str) -> impl Future<Output = ()> + 'b {
        let pressed = self.one(selector);
        async move {
            let pressed = pressed.await;
            // The driver waits for a page that is on its way, but a press may return before it is.
            self.runs("document.documentElement.dataset.pressed = ''", vec![]).await;
            pressed.click().await.expect("pressed");
            let another =
                self.client.wait().at_most(PATIENCE).for_element(Locator::Css("html:not([data-pressed])"));
            another.await.unwrap_or_else(|error| panic!("{selector} leads nowhere: {error}"));
        }
    }

    /// Writes into a field in place of what is there.
    pub async fn writes(&self, selector: &str, text: &str) {
        let field = self.one(selector).await;
        field.clear().await.expect("emptied");
        field.send_keys(text).await.expect("written");
    }

    /// Gives keys to what has the focus.
    pub async fn types(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("typed");
    }

    /// What a person reads, with narrow blanks as plain ones.
    pub async fn text(&self) -> String {
        let text = self.runs("return document.body.innerText", vec![]).await;
        text.as_str().expect("text").replace(['\u{a0}', '\u{202f}'], " ")
    }

    pub async fn runs(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    pub async fn runs_to_end(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client
            .execute_async(script, arguments)
            .await
            .unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// What the browser complained of since it was last asked.
    pub async fn complaints(&self) -> Vec<String> {
        let log = Extra { path: "se/log", body: json!({"type": "browser"}) };
        let entries = self.client.issue_cmd(log).await.expect("a log");
        let entries = entries.as_array().expect("entries");
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The window as PNG, or with `whole` the whole page.
    pub async fn picture(&self, whole: bool) -> Vec<u8> {
        let picture = json!({"format": "png", "captureBeyondViewport": whole});
        let answer = self.tells("Page.captureScreenshot", picture).await;
        let text = answer["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    }

    /// Ends the session, so that no window stays.
    pub async fn closes(self) {
        self.client.clone().close().await.expect("closed");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with the session; after a test that failed there is one still, and its driver ends it when asked.
        let pid = self.driver.id().to_string();
        drop(Command::new("kill").arg(pid).status());
        drop(self.driver.wait());
    }
}

fn capabilities(chrome: &Chrome, profile: &Path) -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        &format!("--user-data-dir={}", profile.display()),
    ];
    let options = json!({"binary": chrome.browser, "args": arguments});
    Capabilities::from_iter([
        ("browserName".to_owned(), json!("chrome")),
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
    ])
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
