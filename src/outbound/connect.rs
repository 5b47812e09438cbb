//! The way to a server: TCP, the proxy's tunnel, TLS.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cvco_psp::api::CallFailure;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::deliver::why_private;
use super::exchange::{self, HEAD_BYTES};
use super::target::Target;
use super::{Proxy, Way};

/// So many addresses of one name are tried.
const ADDRESSES: usize = 4;

/// Nothing came back, not even a refusal.
const TOO_LATE: &str = "no connection in time (perhaps a firewall in between)";

/// Which addresses may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Any, by the proxy where there is one.
    Anywhere,
    /// Any, without the proxy: it may be in the own network.
    Nearby,
    /// None of the own network. A name is looked up once, and what was checked is what is called.
    Outside,
}

/// What a conversation runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Way {
    /// The proxy on the way to a target. Plain HTTP is for this machine alone, and no proxy can reach this machine
    /// for us.
    pub(super) fn proxy_to(&self, target: &Target) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|_| target.secure && !target.is_here())
    }

    /// A connection over which HTTP can be spoken with the target.
    pub(super) async fn connect(
        &self,
        target: &Target,
        reach: Reach,
    ) -> Result<Box<dyn Stream>, CallFailure> {
        let proxy = self.proxy_to(target).filter(|_| reach != Reach::Nearby);
        let plain: Box<dyn Stream> = if let Some(proxy) = proxy {
            // The proxy looks names up, and has rules of its own; an address is checked here all the same.
            if reach == Reach::Outside
                && let Some(why) = target.bare_host().parse().ok().and_then(why_private)
            {
                return Err(target.unreachable(why.english));
            }
            Box::new(TokioIo::new(self.tunnel(proxy, target).await?))
        } else {
            let dialled = dial(target.bare_host(), target.port, self.timeout, reach).await;
            Box::new(dialled.map_err(|why| target.unreachable(why))?)
        };
        if !target.secure {
            return Ok(plain);
        }
        let secured = self.tls.secure(plain, target).await.map_err(|why| target.unreachable(why))?;
        Ok(Box::new(secured))
    }

    /// Why there was no connection when the time for the whole call was up.
    pub(super) fn why_late(&self, target: &Target) -> String {
        self.proxy_to(target).map_or_else(
            || TOO_LATE.to_owned(),
            |proxy| format!("no connection in time through the proxy {}", proxy.authority),
        )
    }

    /// A tunnel through the proxy (RFC 9110 9.3.6).
    async fn tunnel(&self, proxy: &Proxy, target: &Target) -> Result<Upgraded, CallFailure> {
        let at_proxy =
            |why: String| CallFailure::Connect { host: format!("the proxy {}", proxy.authority), why };
        let (host, port) = proxy.host_and_port();
        let stream = dial(host, port, self.timeout, Reach::Anywhere).await.map_err(at_proxy)?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| at_proxy(exchange::why_cut(&error)))?;
        let request = connect_request(proxy, target)
            .ok_or_else(|| at_proxy("its user or its password cannot be sent in a header".to_owned()))?;
        let opening = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| at_proxy(exchange::why_cut(&error)))?;
            if !response.status().is_success() {
                return Err(target.unreachable(refusal(proxy, response.status())));
            }
            hyper::upgrade::on(response).await.map_err(|error| at_proxy(exchange::why_cut(&error)))
        };
        driven(connection.with_upgrades(), opening).await
    }
}

fn connect_request(proxy: &Proxy, target: &Target) -> Option<Request<Empty<Bytes>>> {
    let there = target.with_port();
    let mut request = Request::builder().method(Method::CONNECT).uri(&there).header(HOST, &there);
    if let Some((user, password)) = &proxy.credentials {
        let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        let mut value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
        value.set_sensitive(true);
        request = request.header(PROXY_AUTHORIZATION, value);
    }
    request.body(Empty::new()).ok()
}

/// Why a proxy does not let us through, for people.
fn refusal(proxy: &Proxy, status: StatusCode) -> String {
    let (name, number) = (&proxy.authority, status.as_u16());
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if proxy.credentials.is_some() => {
            format!("the proxy wants other credentials ({name} answered {number})")
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            format!("the proxy wants credentials: a user and a password ({name} answered {number})")
        }
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => {
            format!("the proxy does not allow it ({name} answered {number})")
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            format!("the proxy cannot reach it either ({name} answered {number})")
        }
        _ => format!("the proxy makes no tunnel ({name} answered {number})"),
    }
}

/// A TCP connection to the first address of a name that takes one. An address that leads nowhere (an IPv6 one,
/// on a network without) costs only its share of the time.
async fn dial(host: &str, port: u16, time: Duration, reach: Reach) -> Result<TcpStream, String> {
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> =
        found.map_err(|error| format!("its name has no address ({error})"))?.take(ADDRESSES).collect();
    let shares = u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut why = "its name has no address".to_owned();
    for address in addresses {
        if reach == Reach::Outside
            && let Some(private) = why_private(address.ip())
        {
            why = private.english;
            continue;
        }
        match tokio::time::timeout(time / shares, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A request is one write: a socket that refuses the option still works.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) => why = why_not_connected(&error, port),
            Err(_) => TOO_LATE.clone_into(&mut why),
        }
    }
    Err(why)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system's own words do for the rest")]
fn why_not_connected(error: &io::Error, port: u16) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("the connection was refused (nothing listens on port {port}, or a firewall refuses)")
        }
        io::ErrorKind::NetworkDown | io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no route leads there (network or firewall)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Does a piece of work over a connection that must be kept going meanwhile; both end together. How the connection
/// ended, the work hears from its own calls.
pub(super) async fn driven<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let driving = async {
        connection.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        done = work => done,
        never = driving => match never {},
    }
}
