//! ANCV seals no automatic response. What can be checked is its form; the facts come from the API.

use cvco_domain::Psp;

use super::{Settings, notification};
use crate::{Message, Method, Rejection, Request};

/// Lets through what [`notification::read`] can read.
pub(super) fn prove(settings: &Settings, request: &Request<'_>) -> Result<Message, Rejection> {
    let malformed = |what| Rejection::Malformed { psp: Psp::Ancv, what };
    if request.method != Method::Post {
        return Err(malformed("an automatic response is a POST".to_owned()));
    }
    notification::read(settings, request.body).map_err(malformed)?;
    Ok(Message::Unsigned(request.body.to_vec()))
}
