//! Connections: taken, bounded in number and time, and finished in the right order.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::unix::UCred;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::overheard::{Beginning, Overheard};
use super::stall::Unstalled;

/// How long a request's head may take, and how long a connection may be idle between two requests.
const HEAD: Duration = Duration::from_secs(10);

/// How long answers may wait for a peer that does not read them.
const ANSWER: Duration = Duration::from_secs(10);

/// The largest head that is read. A notification by GET carries its fields there: some 2 KiB at most.
const HEAD_BYTES: usize = 32 * 1024;

/// How long a stop waits for the first bytes of a connection that was taken just before: whoever connects sends at once, and
/// must not find a closed connection instead of an answer.
const FIRST_BYTES: Duration = Duration::from_secs(1);

/// How long a stop waits for requests that are under way.
const DRAIN: Duration = Duration::from_mins(1);

/// How long to wait after the system refused a connection (out of descriptors).
const BACK_OFF: Duration = Duration::from_millis(200);

/// Where connections come from.
pub trait Listen: Send + Sync + 'static {
    /// Who is at the other end.
    type Peer: Clone + Send + Sync + 'static;
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Self::Peer)>> + Send;
}

impl Listen for TcpListener {
    type Peer = SocketAddr;
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Answers are small and awaited: never hold them back. A socket that refuses the option still works.
        drop(stream.set_nodelay(true));
        Ok((stream, peer))
    }
}

/// The kernel says which account is at the other end.
impl Listen for UnixListener {
    type Peer = UCred;
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, UCred)> {
        let (stream, _) = Self::accept(self).await?;
        let account = stream.peer_cred()?;
        Ok((stream, account))
    }
}

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Who calls.
    type Peer: Clone + Send + Sync + 'static;
    /// What an answer holds.
    type Body: hyper::body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Answers one request of a peer.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Self::Peer,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// A request of a peer was answered with an error before it got here: it is not HTTP that can be read, or its head is
    /// too long. `beginning` are its first bytes.
    fn unreadable(
        self: Arc<Self>,
        _beginning: Vec<u8>,
        _peer: Self::Peer,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Serves until `stop`; then takes no more connections and returns when those that are there have finished
/// what they were about; after a minute they are cut.
pub async fn serve<L: Listen, H: Handler>(
    listener: L,
    handler: Arc<H>,
    limit: usize,
    connections: Gauge,
    stop: CancellationToken,
) where
    H::Peer: From<L::Peer>,
{
    let slots = Arc::new(Semaphore::new(limit));
    let open = TaskTracker::new();
    let abandon = CancellationToken::new();
    loop {
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = Arc::clone(&slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        let peer = H::Peer::from(peer);
        let beginning = Beginning::default();
        let connection = connection(stream, peer.clone(), Arc::clone(&handler), beginning.clone());
        let place = Place::taken(slot, connections.clone());
        let ends = Ends { stop: stop.clone(), abandon: abandon.clone(), beginning: beginning.clone() };
        let tended = tend(connection, ends, place);
        let handler = Arc::clone(&handler);
        open.spawn(async move {
            if tended.await == Ended::Unreadable {
                handler.unreadable(beginning.bytes(), peer).await;
            }
        });
    }
    drop(listener);
    finish(&open, &abandon, DRAIN).await;
}

/// What ends a connection from our side.
struct Ends {
    /// It finishes what it is about.
    stop: CancellationToken,
    /// It is cut.
    abandon: CancellationToken,
    /// What came of its request.
    beginning: Beginning,
}

impl Ends {
    /// Returns when the connection may be told to finish. One of which nothing was read yet would be closed at once then.
    async fn may_finish(&self) {
        self.stop.cancelled().await;
        drop(tokio::time::timeout(FIRST_BYTES, self.beginning.has_begun()).await);
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// In whatever other way.
    Otherwise,
    /// By a request that could not be read.
    Unreadable,
}

/// Leads a connection to its end.
async fn tend(connection: impl GracefulConnection<Error = hyper::Error>, ends: Ends, place: Place) -> Ended {
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = ends.abandon.cancelled() => Ok(()),
        () = ends.may_finish() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = ends.abandon.cancelled() => Ok(()),
            }
        }
    };
    drop(place);
    let Err(error) = ended else { return Ended::Otherwise };
    tracing::debug!(%error, "a connection ended early");
    if error.is_parse() { Ended::Unreadable } else { Ended::Otherwise }
}

/// Lets connections finish. Those that do not are cut: each holds the ledger open, and the stop up.
async fn finish(open: &TaskTracker, abandon: &CancellationToken, patience: Duration) {
    open.close();
    if tokio::time::timeout(patience, open.wait()).await.is_err() {
        tracing::warn!(seconds = patience.as_secs(), "connections were still open after the stop");
    }
    abandon.cancel();
}

/// A connection's place among those allowed; given back however it ends.
struct Place {
    _slot: OwnedSemaphorePermit,
    connections: Gauge,
}

impl Place {
    fn taken(slot: OwnedSemaphorePermit, connections: Gauge) -> Self {
        connections.inc();
        Self { _slot: slot, connections }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.dec();
    }
}

fn connection<S, H>(
    stream: S,
    peer: H::Peer,
    handler: Arc<H>,
    beginning: Beginning,
) -> impl GracefulConnection<Error = hyper::Error> + Send + use<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let service = service_fn(move |request| {
        let (handler, peer) = (Arc::clone(&handler), peer.clone());
        async move { Ok::<_, Infallible>(handler.handle(request, peer).await) }
    });
    http1::Builder::new()
        // Without a timer the time limit would not be kept at all.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Overheard::new(Unstalled::new(stream, ANSWER), beginning)), service)
}

/// How many connections to allow: more than any attack with slow senders should need to hold, less than the
/// descriptors that the system gives us.
#[must_use]
pub fn connection_limit() -> usize {
    const WANTED: usize = 4096;
    const FOR_FILES: usize = 96;
    let descriptors = std::fs::read_to_string("/proc/self/limits").ok().and_then(|limits| {
        let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
        line.split_whitespace().nth(3)?.parse::<usize>().ok()
    });
    descriptors.map_or(WANTED, |limit| limit.saturating_sub(FOR_FILES).clamp(16, WANTED))
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    use super::*;

    /// Never answers.
    struct Silent {
        asked: Notify,
    }

    impl Handler for Silent {
        type Peer = SocketAddr;
        type Body = Full<Bytes>;

        async fn handle(self: Arc<Self>, _: Request<Incoming>, _: SocketAddr) -> Response<Full<Bytes>> {
            self.asked.notify_one();
            std::future::pending().await
        }
    }

    /// A connection under care, as `serve` would have it.
    struct Cared {
        client: TcpStream,
        open: TaskTracker,
        stop: CancellationToken,
        abandon: CancellationToken,
        gauge: Gauge,
        ended: tokio::task::JoinHandle<Ended>,
    }

    async fn cared<H: Handler<Peer = SocketAddr>>(handler: Arc<H>) -> Cared {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let client = TcpStream::connect(listener.local_addr().expect("address")).await.expect("a connection");
        let (stream, peer) = listener.accept().await.expect("accepted");
        let (open, stop, abandon) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
        let (gauge, beginning) = (Gauge::default(), Beginning::default());
        let slot = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("a slot");
        let place = Place::taken(slot, gauge.clone());
        let ends = Ends { stop: stop.clone(), abandon: abandon.clone(), beginning: beginning.clone() };
        let ended = open.spawn(tend(connection(stream, peer, handler, beginning), ends, place));
        Cared { client, open, stop, abandon, gauge, ended }
    }

    #[tokio::test]
    async fn a_connection_that_never_ends_does_not_hold_up_the_stop() {
        let handler = Arc::new(Silent { asked: Notify::new() });
        let mut cared = cared(Arc::clone(&handler)).await;
        cared.client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.expect("sent");
        handler.asked.notified().await;
        assert_eq!(cared.gauge.get(), 1);

        cared.stop.cancel();
        finish(&cared.open, &cared.abandon, Duration::ZERO).await;
        assert_eq!(cared.ended.await.expect("ended"), Ended::Otherwise);
        assert_eq!(cared.gauge.get(), 0);
        assert_eq!(Arc::strong_count(&handler), 1, "nothing holds the ledger any more");
    }

    /// Answers.
    struct Prompt;

    impl Handler for Prompt {
        type Peer = SocketAddr;
        type Body = Full<Bytes>;

        async fn handle(self: Arc<Self>, _: Request<Incoming>, _: SocketAddr) -> Response<Full<Bytes>> {
            Response::new(Full::new(Bytes::from_static(b"taken")))
        }
    }

    /// A PSP whose connection was taken just before the stop sends into it, and must not find it closed.
    #[tokio::test]
    async fn a_call_whose_connection_was_taken_before_the_stop_is_answered() {
        let mut cared = cared(Arc::new(Prompt)).await;
        cared.stop.cancel();
        // There is one thread: by then the connection has seen the stop.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        cared.client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.expect("sent");
        let mut answer = String::new();
        cared.client.read_to_string(&mut answer).await.expect("an answer, and the end of the connection");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("taken"), "{answer}");
        assert_eq!(cared.ended.await.expect("ended"), Ended::Otherwise);
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed_soon_after_the_stop() {
        let mut cared = cared(Arc::new(Prompt)).await;
        cared.stop.cancel();
        let mut answer = String::new();
        cared.client.read_to_string(&mut answer).await.expect("the end of the connection");
        assert_eq!(answer, "");
    }
}
