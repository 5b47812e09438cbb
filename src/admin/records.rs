//! `GET /api/v1/records?state=…&shop=…&order_ref=…&limit=…`: the register, as JSON.

use cvco_ledger::RecordFilter;
use hyper::StatusCode;
use serde::Deserialize;

use super::{Admin, Answer};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    state: Option<String>,
    shop: Option<String>,
    order_ref: Option<String>,
    limit: Option<String>,
}

impl Admin {
    pub(super) async fn list_records(&self, query: Option<&str>) -> Answer {
        let query: Query = match serde_urlencoded::from_str(query.unwrap_or_default()) {
            Ok(query) => query,
            Err(error) => return Answer::error(StatusCode::BAD_REQUEST, error.to_string()),
        };
        let state = match query.state.map(|state| state.parse()).transpose() {
            Ok(state) => state,
            Err(error) => return Answer::error(StatusCode::BAD_REQUEST, format!("state: {error}")),
        };
        let limit = match query.limit.map(|limit| limit.parse::<u32>()).transpose() {
            Ok(limit) => limit.unwrap_or(100).min(1000),
            Err(_) => {
                return Answer::error(StatusCode::BAD_REQUEST, "limit: a number from 0 to 1000 is wanted");
            }
        };
        let filter = RecordFilter { state, shop: query.shop, order_ref: query.order_ref, limit };
        match self.readers.read(move |reader| reader.records(&filter)).await {
            Ok(records) => Answer::json(StatusCode::OK, &serde_json::json!(records)),
            Err(error) => {
                tracing::error!(%error, "records could not be read");
                Answer::error(StatusCode::SERVICE_UNAVAILABLE, "the ledger could not be read; see the log")
            }
        }
    }
}
