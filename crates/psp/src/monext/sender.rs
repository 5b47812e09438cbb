//! Notifications as Monext sends them, for trials, load and tests.

use crate::{Method, WireMessage};

/// A session has ended.
#[must_use]
pub fn session(token: &str) -> WireMessage {
    get(&[("notificationType", "WEBTRS"), ("token", token), ("paymentEndpoint", "1")])
}

/// A transaction was made outside the payment page, in the Administration Center for instance.
#[must_use]
pub fn transaction(id: &str) -> WireMessage {
    get(&[("notificationType", "TRS"), ("transactionId", id)])
}

fn get(parameters: &[(&str, &str)]) -> WireMessage {
    // Serialising pairs of text cannot fail.
    let query = serde_urlencoded::to_string(parameters).unwrap_or_default();
    WireMessage { method: Method::Get, query, body: String::new(), headers: Vec::new() }
}
