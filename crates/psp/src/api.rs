//! Asking a PSP's own API: what an adapter says about it, as data. An adapter builds requests and reads answers; the
//! daemon decides who carries them, when, and how often.
//!
//! A conversation is a pure function of what was said so far ([`Api::next`]): so an answer that takes two calls, or
//! a second server where the first is down, needs no state and no I/O here.

use std::fmt;

use cvco_domain::{Bilingual, Event, Question, Standing, Timestamp, Worded};

use super::Method;

/// A request to a PSP's API.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// The verb.
    pub method: Method,
    /// The whole address, `https://` but for trials on this machine.
    pub url: String,
    /// The headers, credentials included.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for a `GET`.
    pub body: Vec<u8>,
}

/// Headers and body hold credentials: neither is shown.
impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// The whole body, bounded by the client.
    pub body: Vec<u8>,
}

/// Why nothing came back, or nothing whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The server, or the proxy before it, could not be reached.
    #[error("cannot reach {host}: {why}")]
    Connect {
        /// Which host.
        host: String,
        /// The reason.
        why: String,
    },
    /// There was no answer in time.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Which host.
        host: String,
    },
    /// The answer is larger than any that the daemon accepts.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Which host.
        host: String,
        /// The limit.
        limit: usize,
    },
    /// The answer broke off, or is not HTTP.
    #[error("the answer of {host} broke off: {why}")]
    Cut {
        /// Which host.
        host: String,
        /// The reason.
        why: String,
    },
}

impl Worded for CallFailure {
    fn in_french(&self) -> String {
        match self {
            Self::Connect { host, why } => format!("{host} est injoignable (en anglais\u{a0}: {why})"),
            Self::Timeout { host } => format!("{host} n’a pas répondu à temps"),
            Self::TooLarge { host, limit } => format!("la réponse de {host} dépasse {limit} octets"),
            Self::Cut { host, why } => {
                format!("la réponse de {host} s’est interrompue (en anglais\u{a0}: {why})")
            }
        }
    }
}

/// One call and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The call.
    pub request: ApiRequest,
    /// The answer, or why there is none.
    pub outcome: Result<ApiResponse, CallFailure>,
}

/// A question, with what the ledger knows of its order from this PSP.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The question.
    pub question: &'a Question,
    /// The events of the order that it is about, as notified by this PSP; none if the order is not known yet.
    pub known: &'a [Event],
}

/// What to do next in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make this call, then call [`Api::next`] again with its outcome.
    Call(ApiRequest),
    /// This is the answer.
    Answered(Answer),
    /// There is no answer.
    Failed(NoAnswer),
}

/// What the API says about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the PSP has decided.
    pub standing: Standing,
    /// The facts.
    pub events: Vec<Event>,
    /// What to ask next: the transactions that a window of time holds.
    pub questions: Vec<Question>,
    /// What is odd about it; for the log, in English.
    pub remark: Option<String>,
}

/// Why there is no answer. The texts are for people and hold no secret; what comes from outside is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The server or the network failed, or the answer cannot be read. Asking again may help.
    #[error("{0}")]
    Trouble(Bilingual),
    /// A setting is wrong: credentials, a right, an address. The text says what to change.
    #[error("{0}")]
    Setting(Bilingual),
}

impl NoAnswer {
    /// Asking again may help.
    pub fn trouble(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self::Trouble(Bilingual::new(french, english))
    }

    /// The configuration must be corrected.
    pub fn setting(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self::Setting(Bilingual::new(french, english))
    }
}

impl Worded for NoAnswer {
    fn in_french(&self) -> String {
        let (Self::Trouble(why) | Self::Setting(why)) = self;
        why.french.clone()
    }
}

impl From<&CallFailure> for NoAnswer {
    fn from(failure: &CallFailure) -> Self {
        Self::Trouble(failure.words())
    }
}

/// What a harmless call found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeStep {
    /// Make this call, then call [`Api::probe`] again with its outcome.
    Call(ApiRequest),
    /// The API answers and accepts the credentials.
    Good(Bilingual),
    /// The API cannot be used.
    Bad(NoAnswer),
}

/// The API of one endpoint's PSP. Reading calls only: nothing here ever captures, cancels or refunds.
pub trait Api: Send + Sync {
    /// What to do next about a question, given what was said so far. The first call comes with `said` empty.
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Step;

    /// The same for a call that asks nothing, by which `check` tries address and credentials.
    fn probe(&self, said: &[Exchange], now: Timestamp) -> ProbeStep;

    /// The questions that cover a span of time, where the API can be asked what happened in it.
    fn window(&self, _from: Timestamp, _until: Timestamp) -> Vec<Question> {
        Vec::new()
    }

    /// The question about an order that no message has mentioned, if the API can be asked by the shop's reference.
    fn order(&self, _reference: &cvco_domain::OrderRef) -> Option<Question> {
        None
    }

    /// The question that confirms a payment again, made from any of its events.
    fn again(&self, event: &Event) -> Option<Question>;
}

/// Where an API is: the beginning of its addresses, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why a text is not the address of an API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// The text is not an address, or it has a user, a query or a fragment.
    #[error("{0:?} is not an address like https://host/path")]
    Shape(String),
    /// Credentials would travel in the clear.
    #[error("{0:?} must be https: credentials travel there (plain http only to this machine, for trials)")]
    Plain(String),
}

impl Worded for BaseUrlError {
    fn in_french(&self) -> String {
        match self {
            Self::Shape(text) => {
                format!("«\u{a0}{text}\u{a0}» n’est pas une adresse comme https://hôte/chemin")
            }
            Self::Plain(text) => format!(
                "«\u{a0}{text}\u{a0}» doit être en https\u{a0}: des identifiants y circulent (http est admis vers cette \
                 machine seulement, pour des essais)"
            ),
        }
    }
}

impl BaseUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// The text is not an address, or credentials would travel in the clear.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        // What stands before an @ may be a password.
        let shown = || text.rsplit('@').next().unwrap_or_default().chars().take(100).collect::<String>();
        let shape = || BaseUrlError::Shape(shown());
        let text = text.trim_end_matches('/');
        let (scheme, rest) = text.split_once("://").ok_or_else(shape)?;
        let host = rest.split('/').next().unwrap_or_default();
        let sound =
            !host.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b));
        if !sound {
            return Err(shape());
        }
        let name = host.strip_prefix('[').map_or_else(
            || host.split(':').next().unwrap_or_default(),
            |rest| rest.split(']').next().unwrap_or_default(),
        );
        let here = name == "localhost"
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        match scheme {
            "https" => Ok(Self(text.to_owned())),
            "http" if here => Ok(Self(text.to_owned())),
            "http" => Err(BaseUrlError::Plain(shown())),
            _ => Err(shape()),
        }
    }

    /// The address of a page below it; `path` begins with a slash.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The path of a page below it, as a server sees it.
    #[must_use]
    pub fn path_at(&self, path: &str) -> String {
        let below = self.0.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        below.map_or_else(|| path.to_owned(), |(_, base)| format!("/{base}{path}"))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_reached_by_https_or_on_this_machine() {
        let base = BaseUrl::parse("https://services.payline.com/V4/services/").expect("an address");
        assert_eq!(base.at("/WebPaymentAPI"), "https://services.payline.com/V4/services/WebPaymentAPI");
        assert_eq!(base.path_at("/WebPaymentAPI"), "/V4/services/WebPaymentAPI");
        assert_eq!(BaseUrl::parse("https://host").expect("an address").path_at("/v2/x"), "/v2/x");
        for here in ["http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:9/x"] {
            assert!(BaseUrl::parse(here).is_ok(), "{here}");
        }
        for plain in ["http://example.com", "http://127.0.0.1.example.com/"] {
            assert!(matches!(BaseUrl::parse(plain), Err(BaseUrlError::Plain(_))), "{plain}");
        }
        for wrong in ["", "host", "https://", "ftp://host", "https://me@host", "https://h/?a", "https://h/#a"]
        {
            assert!(matches!(BaseUrl::parse(wrong), Err(BaseUrlError::Shape(_))), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let told = BaseUrl::parse("https://me:secret@host/x").expect_err("not taken").to_string();
        assert!(!told.contains("secret") && told.contains("host/x"), "{told}");
    }
}
