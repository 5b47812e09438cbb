//! One kept-open HTTP/1.1 connection after the other, without TLS: the traffic is for the daemon itself, not for
//! the proxy in front of it.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sogecommerce waits for 10 seconds, Up2pay for 20.
const PATIENCE: Duration = Duration::from_secs(20);

/// The root of a listener, such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port.
    authority: String,
    /// The prefix of every path; empty, or beginning with a slash and not ending with one.
    prefix: String,
    host_header: HeaderValue,
}

/// Why a text is not an address to which traffic can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `http://HOST:PORT`.
    #[error("write the address as http://HOST:PORT, for instance http://127.0.0.1:8080")]
    Shape,
    /// `https`.
    #[error("https is not supported: give the daemon's own http address, behind the TLS proxy")]
    Tls,
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.trim().parse().map_err(|_| AddressError::Shape)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(AddressError::Tls),
            Some(_) | None => return Err(AddressError::Shape),
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.filter(|_| uri.query().is_none()).ok_or(AddressError::Shape)?;
        Ok(Self {
            authority: format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            host_header: HeaderValue::from_str(authority.as_str()).map_err(|_| AddressError::Shape)?,
        })
    }
}

impl Address {
    /// The target of a request: a path below this address.
    pub(super) fn target(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No connection.
    #[error("no connection to {0}: {1}")]
    Connect(String, std::io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    /// Too slow.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// A connection that is opened when it is needed, and again when the daemon has closed it.
pub(super) struct Connection {
    address: Address,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub(super) const fn new(address: Address) -> Self {
        Self { address, open: None }
    }

    /// Sends a request and reads the whole answer. A connection that was left open may have been closed by the
    /// daemon at the very moment of sending; the request then goes out once more, over a new one. It does no harm
    /// if both arrive: a notification or an order that is known already changes nothing.
    pub(super) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        request.headers_mut().insert(HOST, self.address.host_header.clone());
        let exchange = async {
            if let Some(open) = self.open.take()
                && let Ok(answer) = self.exchange(open, request.clone()).await
            {
                return Ok(answer);
            }
            let fresh = connect(&self.address.authority).await?;
            self.exchange(fresh, request).await
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or(Err(NoAnswer::TooSlow))
    }

    async fn exchange(
        &mut self,
        mut open: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, NoAnswer> {
        open.ready().await?;
        let response = open.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        self.open = Some(open);
        Ok(Answer { status, body })
    }
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>, NoAnswer> {
    let no_connection = |error| NoAnswer::Connect(authority.to_owned(), error);
    let stream = TcpStream::connect(authority).await.map_err(no_connection)?;
    stream.set_nodelay(true).map_err(no_connection)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, and its errors reach the sender too.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http() {
        let address: Address = "http://localhost/base/".parse().expect("an address");
        assert_eq!(
            (address.authority.as_str(), address.target("/n/x").as_str()),
            ("localhost:80", "/base/n/x")
        );
        let v6: Address = "http://[::1]:8080".parse().expect("an address");
        assert_eq!((v6.authority.as_str(), v6.target("/n/x").as_str()), ("[::1]:8080", "/n/x"));
        assert_eq!("https://localhost".parse::<Address>(), Err(AddressError::Tls));
        for wrong in ["", "localhost:8080", "ftp://x", "http://me@x", "http://x/?a=b", "http://"] {
            assert_eq!(wrong.parse::<Address>(), Err(AddressError::Shape), "{wrong}");
        }
    }
}
