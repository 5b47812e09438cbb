//! `POST /api/v1/sessions`: the shop hands over the token of a payment session. Payline drops its notification once
//! the shop has fetched the result itself.

use axum::extract::Request;
use cvco_log::entry::{Hint, Origin};
use cvco_log::{Draft, Envelope, LogEntry};
use cvco_psp::Rejection;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use serde::Deserialize;

use super::{Admin, Answer, BODY, is_json};

/// The largest body that is read.
const BODY_BYTES: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSession {
    shop: String,
    endpoint: String,
    token: String,
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

impl Admin {
    /// Takes a token: it is stored, and the PSP is asked about it.
    pub(super) async fn take_session(&self, request: Request) -> Answer {
        if !is_json(request.headers()) {
            return Answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
        }
        let body = Limited::new(request.into_body(), BODY_BYTES).collect();
        let Ok(Ok(body)) = tokio::time::timeout(BODY, body).await else {
            return Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too large, or too slow");
        };
        let body = body.to_bytes();
        let session: RawSession = match serde_json::from_slice(&body) {
            Ok(session) => session,
            Err(error) => return Answer::error(StatusCode::BAD_REQUEST, format!("not a session: {error}")),
        };
        let settings = std::sync::Arc::clone(&self.settings.borrow());
        let endpoint = settings.endpoints.iter().find(|endpoint| {
            endpoint.id.as_str() == session.endpoint && endpoint.shop.as_str() == session.shop
        });
        let Some(endpoint) = endpoint else {
            let (shop, endpoint) = (shortened(&session.shop), shortened(&session.endpoint));
            let message = format!("the configuration has no endpoint {endpoint:?} of a shop {shop:?}");
            return Answer::error(StatusCode::BAD_REQUEST, message);
        };
        let question = match endpoint.adapter.session(&session.token) {
            Ok(question) => question,
            Err(Rejection::Malformed { psp, what }) => {
                return Answer::error(StatusCode::BAD_REQUEST, format!("token, at {psp}: {what}"));
            }
            Err(rejection) => return Answer::error(StatusCode::BAD_REQUEST, format!("token: {rejection}")),
        };
        let hint = LogEntry::Hint(Hint {
            endpoint: endpoint.reference(),
            origin: Origin::Shop,
            questions: vec![question],
            remark: None,
        });
        let envelope = Envelope {
            method: "POST".to_owned(),
            query: Vec::new(),
            body: body.to_vec(),
            peer: String::new(),
            user_agent: String::new(),
            headers: Vec::new(),
        };
        let draft = envelope.seal(&self.key, &body).and_then(|payload| Draft::with_payload(&hint, payload));
        let stored = match draft {
            Ok(draft) => self.log.append(draft).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(_) => Answer::json(StatusCode::ACCEPTED, &serde_json::json!({ "taken": true })),
            Err(error) => {
                tracing::error!(endpoint.id = %endpoint.id, %error, "session not stored");
                Answer::error(StatusCode::SERVICE_UNAVAILABLE, "not stored, please send again")
            }
        }
    }
}
