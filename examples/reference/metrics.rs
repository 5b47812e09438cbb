//! docs/metrics.md, from the catalogue of figures.

use cvco_reconciled::telemetry::catalogue::FIGURES;

/// The whole page.
pub(crate) fn page() -> String {
    let mut page = String::from(HEAD);
    for figure in FIGURES {
        let labels: Vec<String> = figure.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (figure.full_name(), figure.shape.as_str());
        let row =
            format!("| `{name}` | {kind} | {} | {} | {} |\n", labels.join(", "), figure.help, figure.reading);
        page.push_str(&row);
    }
    page
}

const HEAD: &str = "\
# Metrics

Made by `make docs` from the program itself; `GET /metrics` on the admin address shows them ([api.md](api.md)).

```yaml
scrape_configs:
  - job_name: cvco-reconciled
    static_configs: [{targets: [\"127.0.0.1:8081\"]}]
    # authorization: {credentials_file: admin.token}    where [listener] admin_token is set
```

Alert rules for Prometheus and a dashboard for Grafana are in the package, under `/usr/share/cvco-reconciled/`: \
`prometheus/cvco-reconciled.rules.yml`, `grafana/cvco-reconciled.json` and `grafana/provisioning.yml` (in the source: \
[packaging](../packaging/prometheus/cvco-reconciled.rules.yml)). Tests hold every expression against a real `/metrics`, and \
promtool plays the rules.

No label holds an order, an amount or an address. Ages are in seconds, sizes in bytes, and counts begin at nought with the \
daemon. What is read from the ledger is left out while the ledger cannot be read.

| name | kind | labels | what it is | what to make of it |
|---|---|---|---|---|
";
