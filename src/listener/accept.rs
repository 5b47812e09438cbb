//! Connections: taken, bounded in number, and finished in the right order.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, Response};
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::unix::UCred;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Ends, lead, say_farewell};
use super::crowd::Crowd;
pub use super::crowd::Room;

/// How long a stop takes what waits to be accepted, as long as there is some. What systemd keeps for the next start is better
/// answered now, too.
const LAST_CALLS: Duration = Duration::from_millis(300);

/// Nothing waits to be accepted if none comes for so long.
const NO_MORE: Duration = Duration::from_millis(20);

/// How long a stop waits for requests that are under way. All of a stop takes 5 s at most: a caller that is slower comes again.
const DRAIN: Duration = Duration::from_secs(3);

/// How long to wait after the system refused a connection (out of descriptors) and nobody could be sent away.
const BACK_OFF: Duration = Duration::from_millis(200);

/// Where connections come from.
pub trait Listen: Send + Sync + 'static {
    /// Who is at the other end.
    type Peer: Clone + Send + Sync + 'static;
    /// A connection over which HTTP can be spoken.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Makes it from what was accepted.
    type Opening: Future<Output = io::Result<Self::Stream>> + Send + 'static;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Opening, Self::Peer)>> + Send;
}

impl Listen for TcpListener {
    type Peer = SocketAddr;
    type Stream = TcpStream;
    type Opening = std::future::Ready<io::Result<TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Opening, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Answers are small and awaited: never hold them back. A socket that refuses the option still works.
        drop(stream.set_nodelay(true));
        Ok((std::future::ready(Ok(stream)), peer))
    }
}

/// The kernel says which account is at the other end.
impl Listen for UnixListener {
    type Peer = UCred;
    type Stream = UnixStream;
    type Opening = std::future::Ready<io::Result<UnixStream>>;

    async fn accept(&self) -> io::Result<(Self::Opening, UCred)> {
        let (stream, _) = Self::accept(self).await?;
        let account = stream.peer_cred()?;
        Ok((std::future::ready(Ok(stream)), account))
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

    /// A request of a peer was answered with an error before it got here: it is not HTTP that can be read, can be read in two
    /// ways, or its head is too long. `beginning` are its first bytes.
    fn unreadable(
        self: Arc<Self>,
        _beginning: Vec<u8>,
        _peer: Self::Peer,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// A connection came to nothing before HTTP could be spoken.
    fn unopened(&self, _error: &io::Error, _peer: &Self::Peer) {}

    /// Where a peer is counted, if its silent connections are to be bounded.
    fn counted_at(&self, _peer: &Self::Peer) -> Option<IpAddr> {
        None
    }
}

/// Serves until `stop`; then takes what waits to be accepted, and returns when those that are there have finished what they
/// were about. Those that take too long are cut.
pub async fn serve<L: Listen, H: Handler>(
    listener: L,
    handler: Arc<H>,
    room: Room,
    connections: Gauge,
    stop: CancellationToken,
) where
    H::Peer: From<L::Peer>,
{
    let service = Service {
        handler,
        crowd: Crowd::new(room, connections),
        open: TaskTracker::new(),
        ends: Ends { stop: stop.clone(), ..Ends::default() },
    };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((opening, peer)) => service.take::<L>(opening, peer.into()).await,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                if !service.crowd.make_room() {
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
    let last_calls = async {
        while let Ok(Ok((opening, peer))) = timeout(NO_MORE, listener.accept()).await {
            service.take::<L>(opening, peer.into()).await;
        }
    };
    drop(timeout(LAST_CALLS, last_calls).await);
    drop(listener);
    service.finish(DRAIN).await;
}

struct Service<H> {
    handler: Arc<H>,
    crowd: Crowd,
    open: TaskTracker,
    ends: Ends,
}

impl<H: Handler> Service<H> {
    async fn take<L: Listen>(&self, opening: L::Opening, peer: H::Peer) {
        let Some(guest) = self.crowd.let_in(self.handler.counted_at(&peer)).await else {
            // Whoever comes next waits in the kernel meanwhile.
            let Some(turn) = self.ends.farewells.turn().await else { return };
            self.open.spawn(async move {
                if let Ok(Ok(stream)) = timeout(NO_MORE, opening).await {
                    say_farewell(stream, turn).await;
                }
            });
            return;
        };
        self.open.spawn(lead(opening, peer, Arc::clone(&self.handler), guest, self.ends.clone()));
    }

    /// Lets connections finish. Those that do not are cut: each holds the ledger open, and the stop up.
    async fn finish(self, patience: Duration) {
        self.open.close();
        if timeout(patience, self.open.wait()).await.is_err() {
            tracing::warn!(
                seconds = patience.as_secs(),
                "connections were still open after the stop, and are cut"
            );
            self.ends.abandon.cancel();
            self.open.wait().await;
        }
    }
}
