//! Connections: taken, bounded in number and time, and finished in good order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::stall::Unstalled;

/// How long a request's head may take, and how long a connection may be idle between two requests.
const HEAD: Duration = Duration::from_secs(10);

/// How long answers may wait for a peer that does not read them.
const ANSWER: Duration = Duration::from_secs(10);

/// The largest head that is read. A notification by GET carries its fields there: some 2 KiB at most.
const HEAD_BYTES: usize = 32 * 1024;

/// How long a stop waits for requests that are under way.
const DRAIN: Duration = Duration::from_mins(1);

/// How long to wait after the system refused a connection (out of descriptors).
const BACK_OFF: Duration = Duration::from_millis(200);

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request of a peer.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Serves until `stop`; then takes no more connections and returns when those that are there have finished
/// what they were about, or after a minute.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    limit: usize,
    connections: Gauge,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limit));
    let graceful = GracefulShutdown::new();
    // Ends those that the stop did not: each holds the handler, and so the ledger, open.
    let overdue = CancellationToken::new();
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
        let connection = graceful.watch(connection(stream, peer, Arc::clone(&handler)));
        let connections = connections.clone();
        connections.inc();
        let overdue = overdue.clone();
        tokio::spawn(async move {
            if let Some(Err(error)) = overdue.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
            connections.dec();
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were still open a minute after the stop; they are cut");
        overdue.cancel();
    }
}

fn connection<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Arc<H>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<H> {
    // Answers are small and awaited: never hold them back. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(request, peer).await) }
    });
    http1::Builder::new()
        // Without a timer the time limit would not be kept at all.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Unstalled::new(stream, ANSWER)), service)
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
