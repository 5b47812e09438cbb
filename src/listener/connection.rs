//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::accept::Handler;
use super::crowd::Guest;
use super::head::{Beginning, HEAD_BYTES, make_target_legible};
use super::overheard::Overheard;
use super::stall::Unstalled;

/// How long a request's head may take, with the TLS handshake before the first one, and how long a connection may be idle
/// between two requests.
const HEAD: Duration = Duration::from_secs(10);

/// How long answers may wait for a peer that does not read them.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a stop waits for the next request of a connection: whoever connects sends at once, and must not find a closed
/// connection instead of an answer.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// So much is read at a time of a first head: most fit, and a thousand that never end take little.
const CHUNK: usize = 1024;

/// What is said to whom there is no room for.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 18\r\n\r\ntoo many are here\n";

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// So many are said farewell to at a time.
const FAREWELLS: usize = 16;

/// What ends connections from our side.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    /// They finish what they are about.
    pub(super) stop: CancellationToken,
    /// They are cut.
    pub(super) abandon: CancellationToken,
    /// For those who have to go because somebody else comes.
    pub(super) farewells: Farewells,
}

impl Ends {
    /// Returns when a connection of which nothing more came may be closed.
    async fn may_finish(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(LAST_REQUEST).await;
    }
}

/// Leads a connection to its end. `opening` is what must be done before HTTP can be spoken.
pub(super) async fn lead<S, H>(
    opening: impl Future<Output = io::Result<S>>,
    peer: H::Peer,
    handler: Arc<H>,
    guest: Guest,
    ends: Ends,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let beginning = Beginning::default();
    let by = tokio::time::Instant::now().checked_add(HEAD);
    let opened = tokio::select! {
        // Nothing is opened by plain HTTP, and whoever has to go is told so then.
        biased;
        opened = opening => opened,
        () = until(by) => Err(io::ErrorKind::TimedOut.into()),
        () = guest.sent_away() => return,
        () = ends.may_finish() => return,
    };
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return handler.unopened(&error, &peer),
    };
    let mut read = Vec::new();
    let ended = tokio::select! {
        first = first_head(&mut stream, &mut read, &beginning) => first,
        () = until(by) => Silence::Left,
        () = guest.sent_away() => Silence::SentAway,
        () = ends.abandon.cancelled() => Silence::Left,
        () = finished_before(&ends, &beginning) => Silence::Left,
    };
    match ended {
        Silence::Broken => {}
        Silence::SentAway => {
            drop(guest);
            return ends.farewells.say_if_free(stream).await;
        }
        Silence::Left => return,
    }
    make_target_legible(&mut read);
    let stream = Overheard::new(Unstalled::new(stream, ANSWER), beginning.clone(), read);
    if converse(stream, &peer, &handler, &guest, &ends, &beginning).await == Ended::Unreadable {
        handler.unreadable(beginning.bytes(), peer).await;
    }
}

/// How the silence at the start of a connection ended.
enum Silence {
    /// A head is there, or what will never be one.
    Broken,
    /// The caller left, or took too long.
    Left,
    /// Somebody else needs the place.
    SentAway,
}

async fn until(by: Option<tokio::time::Instant>) {
    match by {
        Some(by) => tokio::time::sleep_until(by).await,
        None => std::future::pending().await,
    }
}

/// Returns when we stop and nothing at all came of a first request.
async fn finished_before(ends: &Ends, beginning: &Beginning) {
    ends.may_finish().await;
    if beginning.has_begun() {
        std::future::pending::<()>().await;
    }
}

/// Reads until the first head is whole, or can be none. It takes no more memory than what was sent.
async fn first_head(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    beginning: &Beginning,
) -> Silence {
    while read.len() < HEAD_BYTES {
        let before = read.len();
        let mut chunk = [0; CHUNK];
        match stream.read(&mut chunk).await {
            Ok(0) if read.is_empty() => return Silence::Left,
            // What there is of it is not HTTP, which is counted.
            Ok(0) => break,
            Ok(length) => read.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(_) => return Silence::Left,
        }
        if beginning.hear(read.get(before..).unwrap_or_default()) {
            break;
        }
    }
    Silence::Broken
}

/// Says to callers that there is no room for them, to few at a time: each of them holds a descriptor meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Farewells(Arc<Semaphore>);

impl Default for Farewells {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(FAREWELLS)))
    }
}

impl Farewells {
    /// Waits until one more can be told so.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }

    /// Tells it to a caller if there is a turn for it now.
    async fn say_if_free(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        if let Ok(turn) = Arc::clone(&self.0).try_acquire_owned() {
            say_farewell(stream, turn).await;
        }
    }
}

/// Tells a caller that there is no room.
pub(super) async fn say_farewell(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    turn: OwnedSemaphorePermit,
) {
    let farewell = async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await?;
        // Closed with something unread, it would look like a broken connection.
        while stream.read(&mut [0; CHUNK]).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    drop(timeout(FAREWELL, farewell).await);
    drop(stream);
    drop(turn);
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// In whatever other way.
    Otherwise,
    /// By a request that could not be read.
    Unreadable,
}

async fn converse<S, H>(
    stream: S,
    peer: &H::Peer,
    handler: &Arc<H>,
    guest: &Guest,
    ends: &Ends,
    beginning: &Beginning,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let service = service_fn(|request| async move {
        guest.asks();
        let mut response = answer(request, peer, handler, beginning).await;
        if ends.stop.is_cancelled() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        guest.waits();
        Ok::<_, Infallible>(response)
    });
    let connection = http1::Builder::new()
        // Without a timer the time limit would not be kept at all.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        // Some callers close their side as soon as they have asked.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let finishes = async {
        tokio::select! {
            () = ends.may_finish() => {}
            () = guest.sent_away() => {}
        }
    };
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = ends.abandon.cancelled() => Ok(()),
        () = finishes => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = ends.abandon.cancelled() => Ok(()),
            }
        }
    };
    let Err(error) = ended else { return Ended::Otherwise };
    tracing::debug!(%error, "a connection ended early");
    if error.is_parse() { Ended::Unreadable } else { Ended::Otherwise }
}

/// Answers one request, if it can be read in one way alone.
async fn answer<H: Handler>(
    request: Request<Incoming>,
    peer: &H::Peer,
    handler: &Arc<H>,
    beginning: &Beginning,
) -> Response<Either<Full<Bytes>, H::Body>> {
    if let Some(why) = beginning.ambiguity(&request) {
        tracing::debug!(why, "an ambiguous request");
        Arc::clone(handler).unreadable(beginning.bytes(), peer.clone()).await;
        let mut response = Response::new(Either::Left(Full::new(Bytes::from(format!("{why}\n")))));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let has_body = !request.body().is_end_stream();
    let mut response = Arc::clone(handler).handle(request, peer.clone()).await.map(Either::Right);
    // What is left of its body would be taken for the next request's head.
    if has_body && !response.status().is_success() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::gauge::Gauge;
    use std::net::SocketAddr;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::super::crowd::{Crowd, Room};
    use super::*;

    /// A connection under care, as `serve` would have it.
    struct Cared {
        client: TcpStream,
        ends: Ends,
        crowd: Crowd,
        gauge: Gauge,
        ended: JoinHandle<()>,
    }

    async fn cared<H: Handler<Peer = SocketAddr>>(handler: &Arc<H>) -> Cared {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let client = TcpStream::connect(listener.local_addr().expect("address")).await.expect("a connection");
        let (stream, peer) = listener.accept().await.expect("accepted");
        let (gauge, ends) = (Gauge::default(), Ends::default());
        let crowd = Crowd::new(Room { connections: 1, silent_per_address: 1 }, gauge.clone());
        let guest = crowd.let_in(Some(peer.ip())).await.expect("room");
        let opening = std::future::ready(Ok(stream));
        let ended = tokio::spawn(lead(opening, peer, Arc::clone(handler), guest, ends.clone()));
        Cared { client, ends, crowd, gauge, ended }
    }

    impl Cared {
        async fn asks(&mut self) {
            self.client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.expect("sent");
        }

        async fn hears(&mut self) -> String {
            let mut answer = String::new();
            self.client.read_to_string(&mut answer).await.expect("the end of the connection");
            answer
        }
    }

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

    #[tokio::test]
    async fn a_connection_that_never_ends_is_cut() {
        let handler = Arc::new(Silent { asked: Notify::new() });
        let mut cared = cared(&handler).await;
        cared.asks().await;
        handler.asked.notified().await;
        assert_eq!(cared.gauge.get(), 1);
        assert!(cared.crowd.let_in(None).await.is_none(), "its request is under way");

        cared.ends.stop.cancel();
        cared.ends.abandon.cancel();
        cared.ended.await.expect("ended");
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
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.ends.stop.cancel();
        // There is one thread: by then the connection has seen the stop.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        cared.asks().await;
        let answer = cared.hears().await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("taken"), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    }

    /// So does a proxy over a connection that it has kept.
    #[tokio::test]
    async fn the_next_call_over_a_kept_connection_is_answered_after_the_stop() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.asks().await;
        let mut first = [0; 12];
        cared.client.read_exact(&mut first).await.expect("an answer");
        cared.ends.stop.cancel();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        cared.asks().await;
        assert_eq!(cared.hears().await.matches("taken").count(), 2);
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed_soon_after_the_stop() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.ends.stop.cancel();
        assert_eq!(cared.hears().await, "");
    }

    #[tokio::test]
    async fn who_closes_its_side_after_asking_is_answered() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.asks().await;
        cared.client.shutdown().await.expect("shut");
        assert!(cared.hears().await.ends_with("taken"));
    }

    #[tokio::test]
    async fn who_says_nothing_is_told_to_come_again_when_another_needs_the_place() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.client.write_all(b"GET / HT").await.expect("sent");
        let _other = cared.crowd.let_in(None).await.expect("room");
        let answer = cared.hears().await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 30"), "{answer}");
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_without_a_word_when_another_needs_the_place() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        cared.asks().await;
        let mut first = [0; 12];
        cared.client.read_exact(&mut first).await.expect("an answer");
        let _other = cared.crowd.let_in(None).await.expect("room");
        let rest = cared.hears().await;
        assert!(rest.ends_with("taken"), "the answer that it had, and no other: {rest}");
    }

    #[tokio::test]
    async fn what_can_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read() {
        let mut cared = cared(&Arc::new(Prompt)).await;
        let request =
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n\
            0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
        cared.client.write_all(request).await.expect("sent");
        let answer = cared.hears().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(!answer.contains("taken"), "{answer}");
    }
}
