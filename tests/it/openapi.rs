//! docs/openapi.json describes the admin address as it is.

use std::collections::BTreeSet;

use cvco_domain::RecordState;
use cvco_reconciled::admin::ROUTES;
use serde_json::Value;

use crate::support::{Daemon, Settings, Up2pay, send_raw};

fn description() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the file")).expect("JSON")
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let description = description();
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| keys(methods).into_iter().map(move |method| format!("{method} {path}")))
        .collect();
    let routes =
        ROUTES.iter().map(|route| format!("{} {}", route.method.as_str().to_lowercase(), route.path));
    assert_eq!(described, routes.collect());
    for route in ROUTES {
        let operation = &description["paths"][route.path][route.method.as_str().to_lowercase()];
        let wants_token =
            operation["security"].as_array().expect("security").iter().any(|way| !keys(way).is_empty());
        assert_eq!(wants_token, !route.is_open, "{}", route.path);
    }
    let states: Vec<&str> = RecordState::ALL.into_iter().map(RecordState::as_str).collect();
    assert_eq!(description["components"]["schemas"]["RecordState"]["enum"], serde_json::json!(states));
}

#[test]
fn every_reference_of_it_leads_somewhere() {
    let description = description();
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(description.pointer(reference).is_some(), "{reference}");
    }
}

/// The answer's status and fields, as an operation describes them.
fn assert_described(operation: &Value, status: u16, body: &str) {
    let description = description();
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{status} is not described: {body}");
    let schema = &response["content"]["application/json"]["schema"];
    let resolve = |schema: &Value| match schema["$ref"].as_str() {
        Some(reference) => description.pointer(&reference[1..]).expect("a schema").clone(),
        None => schema.clone(),
    };
    let body: Value = serde_json::from_str(body).expect("JSON");
    let schema = resolve(schema);
    let is_list = body.is_array();
    let schema = if is_list { resolve(&schema["items"]) } else { schema };
    let objects = if is_list { body.as_array().cloned().unwrap_or_default() } else { vec![body] };
    for object in objects {
        let required = schema["required"].as_array().expect("required").iter().filter_map(Value::as_str);
        assert_eq!(keys(&object), keys(&schema["properties"]), "{object}");
        assert_eq!(keys(&object), required.collect(), "nothing is left out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_takes_its_examples_and_answers_as_it_says() {
    let description = description();
    let daemon = Daemon::start(&Settings::default()).await;
    let orders = &description["paths"]["/api/v1/orders"]["post"];
    for (name, example) in
        orders["requestBody"]["content"]["application/json"]["examples"].as_object().expect("examples")
    {
        let answer = daemon.admin_post("/api/v1/orders", &example["value"].to_string());
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_described(orders, answer.status, &answer.body);
    }
    for wrong in [r#"{"shop":"camping"}"#, "nonsense", r#"{"shop":"x","reference":"A","total_cents":1}"#] {
        let answer = daemon.admin_post("/api/v1/orders", wrong);
        assert_eq!(answer.status, 400);
        assert_described(orders, answer.status, &answer.body);
    }
    // Each field that is described is taken, and no other.
    let order = &description["components"]["schemas"]["Order"];
    let all = serde_json::json!({
        "shop": "camping", "reference": "ALL", "total_cents": 1, "currency": "EUR", "due": "2026-07-04",
        "instalments": [{"cents": 1, "due": "2026-07-04"}]
    });
    assert_eq!(keys(&all), keys(&order["properties"]));
    assert_eq!(daemon.admin_post("/api/v1/orders", &all.to_string()).status, 200);
    let mut more = all;
    more["more"] = Value::Null;
    assert_eq!(daemon.admin_post("/api/v1/orders", &more.to_string()).status, 400);

    let sessions = &description["paths"]["/api/v1/sessions"]["post"];
    let session = &sessions["requestBody"]["content"]["application/json"]["examples"]["one"]["value"];
    let answer = daemon.admin_post("/api/v1/sessions", &session.to_string());
    assert_eq!(answer.status, 400, "the test's shop has no Monext");
    assert_described(sessions, answer.status, &answer.body);

    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_register"), ["1"]);
    let records = &description["paths"]["/api/v1/records"]["get"];
    let wanted: Vec<&str> = records["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .filter_map(|p| p["name"].as_str())
        .collect();
    assert_eq!(wanted, ["state", "shop", "order_ref", "limit"]);
    for query in ["", "?state=part_paid&shop=camping&order_ref=A&limit=1", "?shop=camping"] {
        let answer = daemon.admin_get(&format!("/api/v1/records{query}"));
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert_described(records, answer.status, &answer.body);
    }
    let answer = daemon.admin_get("/api/v1/records?more=1");
    assert_described(records, answer.status, &answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_there_and_takes_no_other_verb() {
    let daemon = Daemon::start(&Settings::default()).await;
    let ask = |method: &str, path: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        send_raw(daemon.admin, request.as_bytes()).expect("an answer").status
    };
    for route in ROUTES {
        let there = ask(route.method.as_str(), route.path);
        assert!(![404, 405].contains(&there), "{} {}: {there}", route.method, route.path);
        assert_eq!(ask("DELETE", route.path), 405, "{}", route.path);
    }
    assert_eq!(ask("GET", "/api/v1"), 404);
}
