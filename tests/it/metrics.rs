//! What is shown to a monitoring system is what the catalogue, the page, the alert rules and the dashboard speak of.

use std::collections::{BTreeMap, BTreeSet};

use cvco_reconciled::telemetry::catalogue::{FIGURES, Shape};
use serde_json::Value;

use crate::others;
use crate::support::{Daemon, Settings, Sogecommerce, Up2pay};
use crate::tls;

#[path = "../../examples/reference/metrics.rs"]
mod page;

const RULES: &str = "packaging/prometheus/cvco-reconciled.rules.yml";
const RULE_TESTS: &str = "packaging/prometheus/cvco-reconciled.rules.test.yml";
const DASHBOARD: &str = "packaging/grafana/cvco-reconciled.json";

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One series of `/metrics`.
#[derive(Debug)]
struct Series {
    labels: BTreeSet<String>,
    value: String,
}

/// The samples of `/metrics`, by name.
fn samples(text: &str) -> BTreeMap<String, Vec<Series>> {
    let mut found: BTreeMap<String, Vec<Series>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split('=').next());
        let labels = labels.filter(|label| !label.is_empty() && *label != "le").map(str::to_owned).collect();
        found.entry(name.to_owned()).or_default().push(Series { labels, value: value.to_owned() });
    }
    found
}

/// Its PSP is asked; nobody answers.
const MONEXT: &str = r#"
[[shop.endpoint]]
id = "monext"
psp = "monext"
mode = "production"
token = "b4f1c0a5be9d24c7f8a3b2c1d0e9f8a7"
merchant_id = "12345678901234"
access_key = "an access key"
voucher_contracts = ["CVCO1"]
card_contracts = ["CB1"]
api = { base_url = "http://127.0.0.1:9/" }
"#;

/// A daemon that has seen all that is counted: calls, a refused one, a handler of the shop, a proof; and of
/// another one what it says of its certificate.
async fn seen() -> (Daemon, String) {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    daemon.rewrite_configuration(|text| {
        let relay = "[[shop.endpoint.relay]]\nurl = \"http://127.0.0.1:9/ipn\"\nallow_private = true\n";
        format!("{text}{relay}{MONEXT}")
    });
    daemon.restart();
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("A2", "abc122", 6000, 3990)), 200);
    let forged = Sogecommerce::split("B", "abc123", 6000, 3990).wire().body.replace("6000", "6001");
    assert_eq!(daemon.post(&Sogecommerce::target(), &forged).status, 403);
    daemon.until("SELECT COUNT(*) FROM attempts WHERE what LIKE 'relay%'", &["1"]).await;
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    let text = daemon.admin_get("/metrics").body;
    let secured = tls::secured("good.pem").await.admin_get("/metrics").body;
    let own = |line: &&str| line.contains("cvco_certificate");
    let secured: Vec<&str> = secured.lines().filter(own).collect();
    (daemon, secured.join("\n") + "\n" + &text)
}

/// The names of figures in an expression.
fn names(expression: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    expression.split(|c| !is_word(c)).filter(|word| word.starts_with("cvco_")).map(str::to_owned).collect()
}

/// The expressions of the alert rules.
fn rules() -> Vec<String> {
    let lines = read(RULES);
    lines.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect()
}

/// The expressions of the dashboard, its variables filled in.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.map(|target| target["expr"].as_str().expect("an expression"));
    expressions.map(|text| text.replace("$__rate_interval", "5m").replace("$instance", ".*")).collect()
}

#[test]
fn the_page_is_what_the_program_says() {
    assert!(
        read("docs/metrics.md") == page::page(),
        "docs/metrics.md is not what the program says: run `make docs`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_of_the_catalogue_is_shown_with_its_labels_and_no_other() {
    let (_daemon, text) = seen().await;
    let types: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let samples = samples(&text);
    for figure in FIGURES {
        let name = format!("cvco_{}", figure.name);
        assert_eq!(types.get(name.as_str()), Some(&figure.shape.as_str()), "{name}");
        let sample =
            if figure.shape == Shape::Histogram { format!("{name}_bucket") } else { figure.full_name() };
        let series = samples.get(&sample).unwrap_or_else(|| panic!("{sample} has no series:\n{text}"));
        let labels: BTreeSet<String> = figure.labels.iter().map(|label| (*label).to_owned()).collect();
        assert!(series.iter().all(|series| series.labels == labels), "{sample}: {series:?}");
    }
    let known: BTreeSet<String> = FIGURES.iter().map(|figure| format!("cvco_{}", figure.name)).collect();
    let unknown: Vec<_> = types.keys().filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty(), "not in the catalogue: {unknown:?}");
    assert!(FIGURES.iter().all(|figure| !figure.help.is_empty() && !figure.reading.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_say_what_happened() {
    let (daemon, text) = seen().await;
    let has = |line: &str| text.lines().any(|known| known == line);
    for line in [
        "cvco_ready 1",
        r#"cvco_notifications_total{endpoint="up2pay",verdict="genuine"} 1"#,
        r#"cvco_notifications_total{endpoint="sogecommerce",verdict="genuine"} 1"#,
        r#"cvco_notifications_total{endpoint="monext",verdict="genuine"} 0"#,
        r#"cvco_rejections_total{endpoint="sogecommerce",reason="signature"} 1"#,
        "cvco_append_failures_total 0",
        "cvco_fold_lag_entries 0",
        "cvco_fold_lag_seconds 0",
        "cvco_entries_set_aside 0",
        "cvco_verify_flaws{} 0",
        r#"cvco_owed{what="relay"} 1"#,
        r#"cvco_owed{what="decision"} 0"#,
        r#"cvco_relay_calls_total{endpoint="sogecommerce",target="shop",outcome="failed"} 1"#,
    ] {
        assert!(has(line), "{line}\n{text}");
    }
    let samples = samples(&text);
    let value = |name: &str| samples[name][0].value.parse::<i64>().expect("a number");
    assert!(value("cvco_disk_free_bytes") > 0 && value("cvco_disk_bytes") > value("cvco_disk_free_bytes"));
    let entries: i64 = daemon.rows("SELECT seq FROM progress")[0].parse().expect("a number");
    assert!(value("cvco_log_entries") <= entries && value("cvco_log_entries") > 0);
    assert!(text.contains(r#"cvco_key_age_seconds{file="sogecommerce.key"}"#), "{text}");
    assert!(text.contains(r#"cvco_endpoint_silent_seconds{endpoint="up2pay"}"#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_in_a_rule_or_a_panel_is_shown() {
    let (_daemon, text) = seen().await;
    let samples = samples(&text);
    for expression in rules().into_iter().chain(panels()) {
        let names = names(&expression);
        assert!(!names.is_empty(), "{expression}");
        for name in names {
            assert!(samples.contains_key(&name), "{expression}: nothing shows {name}");
        }
    }
}

#[test]
fn prometheus_takes_rules_and_panels_and_alerts_as_it_should() {
    let rules = path(RULES);
    others::accepts("promtool", &["check", "rules", "--lint-fatal", &rules]);
    others::accepts("promtool", &["test", "rules", &path(RULE_TESTS)]);
    let folder = tempfile::tempdir().expect("a folder");
    let as_rules = folder.path().join("panels.yml");
    let rule = |(n, expression): (usize, String)| {
        let quoted = serde_json::to_string(&expression).expect("text");
        format!("      - {{record: \"panel:{n}\", expr: {quoted}}}\n")
    };
    let text: String = panels().into_iter().enumerate().map(rule).collect();
    let text = format!("groups:\n  - name: panels\n    rules:\n{text}");
    std::fs::write(&as_rules, text).expect("written");
    others::accepts("promtool", &["check", "rules", as_rules.to_str().expect("a path")]);
}

/// Sees to it that a daemon says in words what keeps it from its work.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_in_words_what_is_wrong() {
    let daemon = Daemon::start(&Settings::default()).await;
    let ready = daemon.admin_get("/readyz");
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready; 0 entries to fold, 0 set aside\n"));
    // Another process holds the log for longer than the appender waits for it.
    let holder = rusqlite::Connection::open(daemon.path("log.sqlite")).expect("the log");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let ready = daemon.admin_get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.starts_with("not ready: notifications "), "{ready:?}");
    assert!(daemon.admin_get("/metrics").body.contains("\ncvco_ready 0\n"));
}
