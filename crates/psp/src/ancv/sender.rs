//! Automatic responses as ANCV sends them, for trials, load and tests. They have the shape of the API's answer, and
//! nobody seals them.

use super::Transaction;
use crate::{Method, WireMessage};

impl Transaction {
    /// The automatic response about this transaction.
    #[must_use]
    pub fn automatic_response(&self) -> WireMessage {
        WireMessage { method: Method::Post, query: String::new(), body: self.body(), headers: Vec::new() }
    }
}
