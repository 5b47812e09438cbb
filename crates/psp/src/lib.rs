//! The adapters. Each turns one request into [`Event`]s or a typed [`Rejection`]; it is a pure function of the
//! request's bytes and its endpoint's settings, without I/O and without a clock. Only the adapter of a PSP
//! knows that PSP's field names.
//!
//! An adapter reads fields from nothing but bytes that verified ([`cvco_domain::crypto::Verified`]). This room may know
//! the domain alone. With the feature `sender` it also makes messages and answers as the PSPs would, for trials and tests.

pub mod ancv;
pub mod api;
pub mod monext;
pub mod sogecommerce;
pub mod up2pay;
mod wire;
pub mod worldline;

use cvco_domain::{Event, Mode, Psp, Question};

/// The parts of an HTTP request that an adapter may look at, untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb.
    pub method: Method,
    /// All that stands behind the first `?` of the target; empty if there is none.
    pub query: &'a [u8],
    /// The body; empty if there is none.
    pub body: &'a [u8],
    /// The headers that the adapter asked for ([`Adapter::headers`]), each as often as it was sent.
    pub headers: &'a [(&'static str, Vec<u8>)],
}

/// The verbs that a notification can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl Request<'_> {
    /// The values of a header, in the order of their arrival.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_slice())
    }

    /// The bytes that carry the notification: the body of a `POST` that has one, else the query. Their
    /// SHA-256 is what the ledger shows as `payload_sha256`.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        match self.method {
            Method::Post if !self.body.is_empty() => self.body,
            Method::Post | Method::Get => self.query,
        }
    }
}

/// What a genuine notification says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The facts; none if the notification is genuine but not about a voucher payment, or proves nothing itself.
    pub events: Vec<Event>,
    /// What to ask the PSP's API about it; none where the endpoint has no API.
    pub questions: Vec<Question>,
    /// Why there are no facts, or what is odd about the message; for the log, in English.
    pub remark: Option<String>,
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature is there, but does not fit.
    #[error("the signature does not verify")]
    Signature,
    /// Signed, it claims, with a key that the endpoint does not have.
    #[error("it names a signing key that the endpoint does not have")]
    UnknownKey,
    /// Genuine, but for another account or shop of the PSP than the endpoint's: `what` names another, in English,
    /// without any value from outside.
    #[error("signed for another account of {psp}: {what} is not the one configured")]
    Foreign {
        /// Whose account.
        psp: Psp,
        /// The field that names it.
        what: &'static str,
    },
    /// Not this PSP's format: `what` is wrong, in English, without any value from outside.
    #[error("not a notification of {psp}: {what}")]
    Malformed {
        /// Whose format.
        psp: Psp,
        /// The field or part that is wrong, and how.
        what: String,
    },
}

/// The adapter of one endpoint.
pub trait Adapter: Send + Sync {
    /// Whose format it reads.
    fn psp(&self) -> Psp;

    /// The world in which its endpoint is meant to live.
    fn mode(&self) -> Mode;

    /// Proves and reads one notification.
    ///
    /// # Errors
    /// A signature that does not verify, or bytes that are not this PSP's format.
    fn read(&self, request: &Request<'_>) -> Result<Reading, Rejection>;

    /// The names of the headers that it reads, in lower case.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// What to answer if the call is no notification but the PSP's test whether the address is ours.
    fn handshake(&self, _request: &Request<'_>) -> Option<String> {
        None
    }

    /// The PSP's own API, where the endpoint's settings have what it takes to ask it.
    fn api(&self) -> Option<&dyn api::Api> {
        None
    }

    /// The question about a payment session whose token the shop hands over.
    ///
    /// # Errors
    /// Not a token, or this PSP has no sessions.
    fn session(&self, _token: &str) -> Result<Question, Rejection> {
        Err(Rejection::Malformed { psp: self.psp(), what: "this PSP has no session tokens".to_owned() })
    }

    /// Explains at length why a request's signature verifies or does not.
    fn diagnose(&self, request: &Request<'_>) -> Diagnosis;
}

/// What `diagnose` has to say of one signature. In English: it speaks to administrators and developers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diagnosis {
    /// Whether the signature is genuine.
    pub genuine: bool,
    /// The answer in one sentence: over which bytes it verifies, or the near miss that would have, or why
    /// nothing does.
    pub summary: String,
    /// What was looked at, line by line.
    pub details: Vec<String>,
}

/// A message as a PSP sends it, made by an adapter's `sender` for trials, load and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireMessage {
    /// The verb.
    pub method: Method,
    /// Behind the `?`, without it.
    pub query: String,
    /// The body; of the type that the PSP sends.
    pub body: String,
    /// Headers beside the ordinary ones, in lower case.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

impl WireMessage {
    /// The same bytes, as an adapter would receive them.
    #[must_use]
    pub fn as_request(&self) -> Request<'_> {
        Request {
            method: self.method,
            query: self.query.as_bytes(),
            body: self.body.as_bytes(),
            headers: &self.headers,
        }
    }
}
