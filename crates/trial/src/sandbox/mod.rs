//! Small HTTP servers that play the PSPs' APIs, for `demo` and for tests. A [`Sandbox`] knows no PSP: it gives the
//! answers laid out for it, whose texts come from the `answers` of each adapter, and fails as it is told.
//!
//! One sandbox is one server. A PSP with a backup server takes two, and either can fail alone.
//!
//! | PSP | call | is laid out for |
//! |---|---|---|
//! | Monext | a session, of SOAP's `WebPaymentAPI` | `Match::post("/V4/services/WebPaymentAPI").holding(token)` |
//! | Monext | a transaction, of `ExtendedAPI` | `Match::post("/V4/services/ExtendedAPI").holding(transaction_id)` |
//! | Monext | the directory of its servers | `Match::get("/services/servicesendpoints/SOAP/…")` |
//! | Worldline | a payment | `Match::get("/v2/…/payments/…/details")` |
//! | Sogecommerce | an order | `Match::post("/api-payment/V4/Order/Get").holding(reference)` |
//! | Up2pay | a transaction, of PPPS | `Match::post("/PPPS.php").holding("NUMTRANS=…")` |
//! | ANCV | a transaction | `Match::get("/acquisition/api/public/v1/payment-transactions/…/")` |
//!
//! A call that nothing fits is answered 404. For a PSP that says "unknown" in words of its own, lay those out first,
//! for the path alone: of several that fit, the latest answers.

mod answers;
mod request;
mod session;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use answers::{Canned, Match};
pub use request::Seen;

use answers::Answers;

/// What goes wrong with every call. The call is read and noted all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// This status, and no answer of any use.
    Status(u16),
    /// The call is never answered.
    Timeout,
    /// The right answer comes, a byte at a time.
    Slow,
    /// Something comes that is not HTTP.
    Garbage,
    /// An answer in XML that breaks off, although HTTP says that it is whole.
    MalformedXml,
    /// The answer does not end.
    Huge,
    /// 401, whatever the credentials.
    WrongCredentials,
    /// The connection is closed without a word.
    Drop,
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    play: Mutex<Play>,
    calls: watch::Sender<Vec<Seen>>,
}

/// How the server behaves.
#[derive(Debug, Default)]
struct Play {
    answers: Answers,
    failure: Option<Failure>,
    required: Vec<(String, String)>,
}

impl Sandbox {
    /// Listens there; port 0 takes any free port.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (calls, _) = watch::channel(Vec::new());
        let shared = Arc::new(Shared { play: Mutex::default(), calls });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a page of it; `path` begins with a slash, or is empty.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Lays out the answer to some calls, in place of what was there for the same calls.
    pub fn answer(&self, calls: Match, answer: Canned) {
        self.answer_in_turn(calls, [answer]);
    }

    /// Lays out answers to be given one after the other, the last one for good: a payment that is pending first, and
    /// decided then. None takes back what was laid out.
    pub fn answer_in_turn(&self, calls: Match, answers: impl IntoIterator<Item = Canned>) {
        self.shared.play().answers.lay_out(calls, answers);
    }

    /// Answers 401 from now on to calls without this very header.
    pub fn require(&self, header: &str, value: &str) {
        let mut play = self.shared.play();
        play.required.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
        play.required.push((header.to_owned(), value.to_owned()));
    }

    /// Fails in this manner from now on.
    pub fn fail(&self, failure: Failure) {
        self.shared.play().failure = Some(failure);
    }

    /// Answers again.
    pub fn recover(&self) {
        self.shared.play().failure = None;
    }

    /// The calls that came, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Seen> {
        self.shared.calls.borrow().clone()
    }

    /// Waits for a number of calls, and returns all of them.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Seen> {
        let mut calls = self.shared.calls.subscribe();
        match calls.wait_for(|calls| calls.len() >= count).await {
            Ok(calls) => calls.clone(),
            // `self` holds the sender, so the channel cannot be closed.
            Err(_) => self.calls(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts until it is dropped; its conversations end with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    sessions.spawn(session::converse(stream, Arc::clone(&shared)));
                }
                Err(error) => tracing::debug!(%error, "the sandbox could not accept a connection"),
            },
            Some(ended) = sessions.join_next() => if let Ok(Err(error)) = ended {
                tracing::debug!(%error, "a conversation with the sandbox broke off");
            },
        }
    }
}

impl Shared {
    fn play(&self) -> MutexGuard<'_, Play> {
        // Whatever thread died while it held this, each part of it is whole.
        self.play.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> Option<Failure> {
        self.play().failure
    }

    /// The required header that a call does not have as it should.
    fn lacking(&self, call: &Seen) -> Option<String> {
        let play = self.play();
        let lacking = play.required.iter().find(|(name, value)| call.header(name) != Some(value));
        lacking.map(|(name, _)| name.clone())
    }

    fn answer(&self, call: &Seen) -> Canned {
        let laid_out = self.play().answers.next_for(call);
        laid_out.unwrap_or_else(|| Canned::text("no answer is laid out for this call\n").with_status(404))
    }

    fn note(&self, call: Seen) {
        self.calls.send_modify(|calls| calls.push(call));
    }
}
