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

use cvco_domain::crypto::Verified;
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

/// What proven bytes state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What happened; nothing, if it is not about a voucher payment.
    pub events: Vec<Event>,
    /// What to ask the PSP's API about it; nothing, where the endpoint has no API.
    pub questions: Vec<Question>,
    /// Why there are no events, or what a person should know about the message; in English.
    pub remark: Option<String>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It is genuine and states facts.
    Facts(Facts),
    /// Nobody signed it, so it states nothing; it says what to ask the PSP's API.
    Hint {
        /// What to ask; nothing, if it is not about a payment that concerns us.
        questions: Vec<Question>,
        /// What a person should know about it; in English.
        remark: Option<String>,
    },
    /// It is genuine, and not about a payment that concerns us.
    Nothing {
        /// What it is about; in English.
        why: String,
    },
}

impl Reading {
    /// What a proven message states. The proof is asked for, so that nothing unproven ever becomes a fact.
    fn proven<T>(_proof: &Verified<T>, facts: Facts) -> Self {
        if facts.events.is_empty() && facts.questions.is_empty() {
            return Self::Nothing { why: facts.remark.unwrap_or_else(|| "it states nothing".to_owned()) };
        }
        Self::Facts(facts)
    }

    /// What a message that nobody signed asks for.
    fn unsigned(questions: Vec<Question>, remark: String) -> Self {
        Self::Hint { questions, remark: Some(remark) }
    }
}

/// A message whose signature fits, or, at a PSP that signs none, one that has the right form. Only such a message can be
/// read.
pub trait Message {
    /// Reads what it says, from proven bytes and nothing else.
    ///
    /// # Errors
    /// It is meant for another account, or its content is none that this program understands.
    fn read(&self) -> Result<Reading, Unread>;
}

/// Why a genuine message was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is for another account or shop of the PSP than the endpoint's: `what` names another, in English, without any
    /// value from outside.
    #[error("signed for another account of {psp}: {what} is not the one configured")]
    Foreign {
        /// The PSP.
        psp: Psp,
        /// The field that names the account.
        what: &'static str,
    },
    /// Its content is none that this program understands: `what` is wrong or new, in English, without any value from
    /// outside.
    #[error("genuine, and not understood: {what}")]
    NotUnderstood {
        /// The field or part, and what is wrong with it.
        what: String,
    },
}

impl From<Rejection> for Unread {
    /// After its signature was found right, what is wrong with a message is its content.
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Foreign { psp, what } => Self::Foreign { psp, what },
            Rejection::Malformed { what, .. } => Self::NotUnderstood { what },
            Rejection::Signature | Rejection::UnknownKey => {
                Self::NotUnderstood { what: rejection.to_string() }
            }
        }
    }
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

    /// Proves that a request is a genuine notification; at a PSP that signs none, that it has the form of one.
    ///
    /// # Errors
    /// A signature that does not verify, or bytes that are not this PSP's format.
    fn prove<'m>(&'m self, request: &Request<'m>) -> Result<Box<dyn Message + 'm>, Rejection>;

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

/// Both steps at once, for tests and trials.
#[cfg(any(test, feature = "sender"))]
pub trait ProveAndRead: Adapter {
    /// What a request states. A genuine message that is not understood counts as malformed.
    ///
    /// # Errors
    /// As [`Adapter::prove`] and [`Message::read`].
    fn prove_and_read(&self, request: &Request<'_>) -> Result<Facts, Rejection> {
        match self.prove(request)?.read() {
            Ok(Reading::Facts(facts)) => Ok(facts),
            Ok(Reading::Hint { questions, remark }) => Ok(Facts { events: Vec::new(), questions, remark }),
            Ok(Reading::Nothing { why }) => Ok(Facts { remark: Some(why), ..Facts::default() }),
            Err(Unread::Foreign { psp, what }) => Err(Rejection::Foreign { psp, what }),
            Err(Unread::NotUnderstood { what }) => Err(Rejection::Malformed { psp: self.psp(), what }),
        }
    }
}

#[cfg(any(test, feature = "sender"))]
impl<A: Adapter + ?Sized> ProveAndRead for A {}
