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
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_reconciled::ledger::{Store, Writer};
use cvco_reconciled::listener::{Receiver, accept};
use cvco_reconciled::telemetry::Metrics;

/// A listener on a free port of the loopback address.
async fn listen() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The payload key, beside the ledgers of a run.
pub(crate) const KEY_FILE: &str = "payload.key";

/// The daemon's public listener and its ledger, as `serve` runs them.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    writer: Writer,
}

impl Daemon {
    pub(crate) fn start(runtime: &Runtime, config: Arc<Config>, ledger: &Path) -> Result<Self> {
        let store = Store::open(ledger, &ledger.with_file_name(KEY_FILE))?;
        let (writer, ledger) = Writer::start(store)?;
        let metrics = Arc::new(Metrics::default());
        let connections = metrics.connections.clone();
        let (_, config) = watch::channel(config);
        let receiver = Arc::new(Receiver::new(config, ledger, Clock::system(), metrics));
        let (listener, address) = runtime.block_on(listen())?;
        let stop = CancellationToken::new();
        let limit = accept::connection_limit();
        let serving = runtime.spawn(accept::serve(listener, receiver, limit, connections, stop.clone()));
        Ok(Self { address, stop, serving, writer })
    }

    /// Stops in good order: connections first, then the writer.
    pub(crate) fn stop(self, runtime: &Runtime) -> Result<()> {
        self.stop.cancel();
        runtime.block_on(self.serving).context("the listener failed")?;
        Ok(self.writer.join()?)
    }
}

/// A server that reads the body and answers 200, with nothing around it.
pub(crate) fn start_bare_hyper(runtime: &Runtime) -> Result<SocketAddr> {
    let (listener, address) = runtime.block_on(listen())?;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            tokio::spawn(
                http1::Builder::new()
                    .header_read_timeout(None)
                    .serve_connection(TokioIo::new(stream), service_fn(read_and_answer)),
            );
        }
    });
    Ok(address)
}

async fn read_and_answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    Ok(Response::new(Full::new(Bytes::from_static(b"OK\n"))))
}
