//! Diagnoses a notification, which carries no signature.

use super::notification::Ping;
use crate::{Diagnosis, Method, Request};

/// Says what a notification asks for. No notification counts as genuine, because nothing in it can prove it.
#[must_use]
pub fn diagnose(request: &Request<'_>) -> Diagnosis {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let (read, summary) = match Ping::parse(request.payload()) {
        Ok(ping) => {
            let asks = match &ping {
                Ping::Session(token) => format!("well-formed: asks to look at session {}", token.as_str()),
                Ping::Transaction(id) => format!("well-formed: asks to look at transaction {}", id.as_str()),
                Ping::Other(kind) => format!("notificationType {kind}: not about a voucher payment"),
            };
            (
                asks,
                "a notification of Monext carries no signature and proves nothing; the answer of its API does",
            )
        }
        Err(what) => (what, "not a notification of Monext (and those carry no signature in any case)"),
    };
    Diagnosis {
        genuine: false,
        summary: summary.to_owned(),
        details: vec![format!("{method}, {} bytes", request.payload().len()), read],
    }
}
