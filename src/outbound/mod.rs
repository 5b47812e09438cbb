//! The one client for calls to the outside: HTTP/1.1 over TLS with the system's roots, or through a proxy.
//!
//! It carries what an adapter describes as data ([`ApiRequest`]) and brings back what came, as it came: it follows
//! no redirect, tries nothing twice, and keeps no connection. Calls are few, and each may carry credentials: where
//! they go, and how often, is decided elsewhere.
//!
//! | bound | by |
//! |---|---|
//! | time of a whole call, body included | the client's `timeout` |
//! | head of an answer | 64 KiB |
//! | body of an answer | [`ANSWER_BYTES`] |

mod connect;
mod deliver;
mod exchange;
mod proxy;
mod signed;
mod target;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use cvco_psp::api::{ApiRequest, ApiResponse, CallFailure};
#[cfg(test)]
use rustls_pki_types::CertificateDer;

pub(crate) use deliver::why_private;
pub use deliver::{Delivery, Reply};
pub use exchange::ANSWER_BYTES;
pub use proxy::{Proxy, ProxyError};
pub use signed::{SecretError, Signer};
pub use tls::{Distrust, trusted_by_callers};

use connect::Reach;
use target::Target;
use tls::Tls;

/// A client. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Way>);

/// How to get out.
struct Way {
    proxy: Option<Proxy>,
    timeout: Duration,
    tls: Tls,
}

impl Client {
    /// A client whose calls may each take so long. The roots of trust are read at the first call that needs them,
    /// so that a machine without any can still make calls to itself.
    #[must_use]
    pub fn new(proxy: Option<Proxy>, timeout: Duration) -> Self {
        Self(Arc::new(Way { proxy, timeout, tls: Tls::default() }))
    }

    /// A client that trusts an authority of the tests, and no other.
    #[cfg(test)]
    fn trusting(authority: CertificateDer<'static>, proxy: Option<Proxy>) -> Self {
        let tls = Tls::trusting(authority);
        Self(Arc::new(Way { proxy, timeout: Duration::from_mins(1), tls }))
    }

    /// Makes a call and reads its whole answer, whatever its status.
    ///
    /// # Errors
    /// Nothing came back, or nothing whole; in words that help a person, without any credentials.
    pub async fn carry(&self, request: &ApiRequest) -> Result<ApiResponse, CallFailure> {
        let way = &*self.0;
        let target = Target::of(&request.url)?;
        let message = exchange::message(request, &target)?;
        let mut connected = false;
        let call = async {
            let stream = way.connect(&target, Reach::Anywhere).await?;
            connected = true;
            exchange::exchange(stream, message, &target).await
        };
        match tokio::time::timeout(way.timeout, call).await {
            Ok(outcome) => outcome,
            Err(_) if connected => Err(CallFailure::Timeout { host: target.authority }),
            Err(_) => Err(target.unreachable(way.why_late(&target))),
        }
    }

    /// Hands a call on as it is, and reads the start of its answer, whatever its status.
    ///
    /// # Errors
    /// Nothing came back, or its address may not be called.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Reply, CallFailure> {
        let way = &*self.0;
        let target = Target::of(&delivery.url)?.named(delivery.host.as_deref());
        let message = deliver::message(delivery, &target)?;
        let reach = if delivery.allow_private { Reach::Nearby } else { Reach::Outside };
        let mut connected = false;
        let call = async {
            let stream = way.connect(&target, reach).await?;
            connected = true;
            deliver::exchange(stream, message, &target).await
        };
        match tokio::time::timeout(way.timeout, call).await {
            Ok(outcome) => outcome,
            Err(_) if connected => Err(CallFailure::Timeout { host: target.authority }),
            Err(_) => Err(target.unreachable(way.why_late(&target))),
        }
    }
}

#[cfg(test)]
mod tests;
