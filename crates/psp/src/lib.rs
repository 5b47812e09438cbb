//! The adapters. Each takes a request in two steps: [`Adapter::prove`] turns it into a [`Message`] or refuses it with a
//! [`Rejection`], and [`Adapter::read`] turns the message into a [`Reading`]. Both are pure functions of their argument
//! and the endpoint's settings, without I/O and without a clock. Only the adapter of a PSP knows that PSP's field names.
//!
//! Facts come from bytes that verified ([`cvco_domain::crypto::Verified`]) and from nothing else. This crate knows only
//! the domain. With the feature `sender` it also makes the PSPs' messages and answers, for trials and tests.

pub mod ancv;
pub mod api;
pub mod logged_call;
mod message;
pub mod monext;
mod phrase;
mod reference;
pub mod sogecommerce;
pub mod up2pay;
mod wire;
pub mod worldline;

#[cfg(test)]
mod testing;

pub use reference::{ReferencePattern, ReferencePatternError, ShopReferences, WithReferences};

pub use message::{Message, NotUnderstood, Proof, Reading, Rejection};

use cvco_domain::{Bilingual, Mode, Psp, Question};

/// The parts of an HTTP request that an adapter may look at, untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb.
    pub method: Method,
    /// Everything after the first `?` of the target; empty if there is none.
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

/// The adapter of one endpoint.
pub trait Adapter: Send + Sync {
    /// The PSP whose format it reads.
    fn psp(&self) -> Psp;

    /// The mode that its endpoint is configured for.
    fn mode(&self) -> Mode;

    /// Proves that a request is genuine and meant for this endpoint's account. Where the PSP signs nothing, it only
    /// proves that the request has the form of a notification.
    ///
    /// # Errors
    /// The signature does not verify, the bytes are not in this PSP's format, or they are meant for another account.
    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection>;

    /// Reads what a message says, from its bytes and nothing else.
    ///
    /// # Errors
    /// The message is genuine, but this program cannot read it. What [`Adapter::prove`] made of an unsigned request can
    /// always be read.
    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood>;

    /// The names of the headers that it reads, in lower case.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// The answer to a call by which the PSP only tests whether the address is ours; `None` for any other call.
    fn handshake(&self, _request: &Request<'_>) -> Option<String> {
        None
    }

    /// The PSP's own API, if the endpoint's settings are enough to ask it.
    fn api(&self) -> Option<&dyn api::Api> {
        None
    }

    /// The question about a payment session whose token the shop hands over.
    ///
    /// # Errors
    /// The text is not a token, or this PSP has no sessions.
    fn session(&self, _token: &str) -> Result<Question, Rejection> {
        Err(Rejection::Malformed { psp: self.psp(), what: "this PSP has no session tokens".to_owned() })
    }

    /// Explains at length why a request's signature verifies or does not.
    fn diagnose(&self, request: &Request<'_>) -> Diagnosis;
}

/// What `diagnose` says about one signature, to administrators and developers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Whether the signature is genuine.
    pub genuine: bool,
    /// The answer in one sentence: the bytes over which the signature verifies, the small change that would make it
    /// verify, or why nothing does.
    pub summary: Bilingual,
    /// What was looked at, line by line.
    pub details: Vec<Bilingual>,
}

impl Diagnosis {
    pub(crate) fn not_genuine(summary: impl Into<Bilingual>, details: Vec<Bilingual>) -> Self {
        Self { genuine: false, summary: summary.into(), details }
    }

    pub(crate) fn genuine(summary: impl Into<Bilingual>, details: Vec<Bilingual>) -> Self {
        Self { genuine: true, summary: summary.into(), details }
    }
}

/// A message as a PSP sends it, made by an adapter's `sender` for trials, load and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireMessage {
    /// The verb.
    pub method: Method,
    /// The query, without the `?`.
    pub query: String,
    /// The body, in the format that the PSP sends.
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
