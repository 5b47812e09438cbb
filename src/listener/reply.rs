//! Outcomes and their statuses: the one place that decides what a PSP is told.

use std::borrow::Cow;

use bytes::Bytes;
use cvco_domain::Psp;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Stored, whether it says something new or not: the PSP need not come again.
    Stored,
    /// No notification, but the PSP's test whether the address is ours, which wants this text back. Nothing is stored.
    Handshake(String),
    /// No such page.
    NotFound,
    /// Unknown endpoint, wrong token, an address that may not call, or a wrong signature.
    Forbidden,
    /// A wrong signature, or none, to a PSP that expects this status for it.
    Unauthorised,
    /// Not this PSP's format.
    Malformed,
    /// Not by the method by which this PSP notifies.
    WrongMethod,
    /// Above the size limit.
    TooLarge,
    /// The body did not come in time, or was cut.
    Incomplete,
    /// Not stored: the PSP shall come again.
    NotStored,
    /// Relayed by this daemon or another one: going on would never end.
    Loops,
}

impl Outcome {
    /// What a wrong signature is answered with.
    pub(super) const fn wrong_signature(psp: Psp) -> Self {
        match psp {
            Psp::Worldline => Self::Unauthorised,
            Psp::Up2pay | Psp::Sogecommerce | Psp::Monext | Psp::Ancv => Self::Forbidden,
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Stored | Self::Handshake(_) => StatusCode::OK,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
            Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            Self::Loops => StatusCode::LOOP_DETECTED,
        }
    }

    /// Short, plain and free of details: Sogecommerce shows it in its back office.
    fn text(&self) -> Cow<'static, str> {
        let ours = match self {
            Self::Handshake(wanted) => return Cow::Owned(wanted.clone()),
            Self::Stored => "OK\n",
            Self::NotFound => "not found\n",
            Self::Forbidden => "forbidden\n",
            Self::Unauthorised => "the signature does not verify\n",
            Self::Malformed => "not a notification in the format of this endpoint\n",
            Self::WrongMethod => {
                "notifications are not sent by this method; is there a redirect on the way?\n"
            }
            Self::TooLarge => "too large\n",
            Self::Incomplete => "incomplete\n",
            Self::NotStored => "not stored, please send again\n",
            Self::Loops => "relayed already: the relay's url leads back here\n",
        };
        Cow::Borrowed(ours)
    }
}

/// The answer to a call.
pub(super) fn reply(outcome: &Outcome) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(outcome.text()));
    *response.status_mut() = outcome.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    match outcome {
        Outcome::NotStored => {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
        }
        // What is left of the body will not be read.
        Outcome::TooLarge | Outcome::Incomplete | Outcome::Loops => {
            headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        Outcome::Stored
        | Outcome::Handshake(_)
        | Outcome::NotFound
        | Outcome::Forbidden
        | Outcome::Unauthorised
        | Outcome::Malformed => {}
        Outcome::WrongMethod => {
            headers.insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        }
    }
    response
}
