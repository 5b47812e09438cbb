//! Monext signs no notification. What can be checked is its form; the facts come from the API.

use cvco_domain::Psp;

use super::notification;
use crate::{Message, Rejection, Request};

/// Lets through what [`notification::read`] can read.
pub(super) fn prove(request: &Request<'_>) -> Result<Message, Rejection> {
    let payload = request.payload();
    match notification::read(payload) {
        Ok(_) => Ok(Message::Unsigned(payload.to_vec())),
        Err(what) => Err(Rejection::Malformed { psp: Psp::Monext, what }),
    }
}
