//! What is measured over HTTP: the daemon's own way in, and a bare hyper server.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use cvco_domain::Seq;
use cvco_ledger::{Ledger, LedgerError};
use cvco_log::{Appender, Log, SqliteLog, key_file};
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_reconciled::follower::{Followed, Follower, Readers};
use cvco_reconciled::lead::Leads;
use cvco_reconciled::listener::room::Rooms;
use cvco_reconciled::listener::{Intake, Receiver, accept};
use cvco_reconciled::relay::FirstAttempts;
use cvco_reconciled::telemetry::Metrics;

/// A listener on a free port of the loopback address.
async fn listen() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The files of a run, as the daemon names them.
pub(crate) const LOG: &str = "log.sqlite";
pub(crate) const LEDGER: &str = "ledger.sqlite";
pub(crate) const KEY_FILE: &str = "payload.key";

/// The daemon's public listener, its log, and the ledger that follows, as `serve` runs them.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    appender: Appender,
    log: Log,
    following: Follower,
    followed: Followed,
}

impl Daemon {
    pub(crate) fn start(runtime: &Runtime, config: &Config, folder: &Path) -> Result<Self> {
        let store = SqliteLog::open_or_create(&folder.join(LOG), &[])?;
        let key = key_file::make(&folder.join(KEY_FILE))?;
        store.adopt_key(&key, &folder.join(KEY_FILE))?;
        let ledger = Ledger::open(&folder.join(LEDGER), &store.id()?)?;
        let reader = store.reader()?;
        let clock = Clock::system();
        let (appender, log) = Appender::start(store, move || clock.now())?;
        let in_runtime = runtime.enter();
        let (following, followed) = Follower::start(ledger, reader, log.changed(), || {})?;
        drop(in_runtime);
        let metrics = Arc::new(Metrics::default());
        let connections = metrics.connections.clone();
        let intake = Intake { endpoints: config.endpoints.clone(), trusted_proxies: Vec::new() };
        let (_, intake) = watch::channel(Arc::new(intake));
        let (clock, key) = (Clock::system(), Arc::new(key));
        let readers = Readers::of(folder.join(LEDGER));
        let first = FirstAttempts::new(followed.clone(), readers, Leads::alone());
        let receiver = Receiver::new(intake, log.clone(), key, followed.clone(), first, clock, metrics);
        let receiver = Arc::new(receiver);
        let (listener, address) = runtime.block_on(listen())?;
        let stop = CancellationToken::new();
        let limit = Rooms::of_this_process().public;
        let serving = runtime.spawn(accept::serve(listener, receiver, limit, connections, stop.clone()));
        Ok(Self { address, stop, serving, appender, log, following, followed })
    }

    /// Waits until the ledger has folded what was acknowledged; how many entries that are.
    pub(crate) fn reconciled(&self, runtime: &Runtime) -> Result<Seq, LedgerError> {
        let seq = self.log.changed().borrow().seq;
        runtime.block_on(self.followed.folded(seq))?;
        Ok(seq)
    }

    /// Stops in good order: connections first, then appender and follower.
    pub(crate) fn stop(self, runtime: &Runtime) -> Result<()> {
        self.stop.cancel();
        runtime.block_on(self.serving).context("the listener failed")?;
        drop((self.log, self.followed));
        self.appender.join()?;
        Ok(self.following.join()?)
    }
}

/// A server that reads the body and answers 200, with nothing around it.
pub(crate) fn start_bare_hyper(runtime: &Runtime) -> Result<SocketAddr> {
    start(runtime, |stream| connection(stream, service_fn(read_and_answer)))
}

/// Listens, and gives each connection to `serve` on a task of its own.
pub(crate) fn start<F>(
    runtime: &Runtime,
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> Result<SocketAddr>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = runtime.block_on(listen())?;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            tokio::spawn(serve(stream));
        }
    });
    Ok(address)
}

/// One keep-alive connection.
pub(crate) async fn connection<S>(stream: TcpStream, service: S)
where
    S: HttpService<Incoming, ResBody = Full<Bytes>, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    drop(
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service).await,
    );
}

async fn read_and_answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    Ok(Response::new(Full::new(Bytes::from_static(b"OK\n"))))
}
