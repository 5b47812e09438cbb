//! TLS to PostgreSQL: the server must prove its name, by an authority of the system's or by the one that the settings name.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

/// Makes connections secure.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// For where nothing leaves this machine, and TLS is not used.
    pub(crate) fn trusting_nobody() -> Result<Self, String> {
        Self::with(RootCertStore::empty())
    }

    /// TLS that trusts the authorities of the system, or those of a file instead.
    pub(crate) fn trusting(ca_file: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            Some(file) => {
                let read = |error| format!("[log] ca_file {}: {error}", file.display());
                let certificates =
                    CertificateDer::pem_file_iter(file).map_err(|error| read(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| read(error.to_string()))?;
                    roots.add(certificate).map_err(|error| read(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(read("holds no certificate in PEM".to_owned()));
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Self::with(roots)
    }

    fn with(roots: RootCertStore) -> Result<Self, String> {
        // The provider is named: two in one program would make the default ambiguous, which panics.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

/// TLS to one server.
pub(crate) struct Named {
    connector: TlsConnector,
    /// `None` for a socket, which has no name to prove and is not secured.
    name: Option<ServerName<'static>>,
}

/// A secured connection.
pub(crate) struct Secured<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Secured<S>;
    type TlsConnect = Named;
    type Error = Infallible;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Named, Self::Error> {
        Ok(Named { connector: self.0.clone(), name: ServerName::try_from(domain.to_owned()).ok() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Named {
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, plain: S) -> Self::Future {
        Box::pin(async move {
            let name =
                self.name.ok_or_else(|| io::Error::other("a certificate cannot be for such a name"))?;
            let connected = self.connector.connect(name.clone(), plain).await;
            Ok(Secured(connected.map_err(|error| why_not_trusted(error, &name))?))
        })
    }
}

/// The words for an administrator, where it is the server's certificate that is not good.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own words do for the rest")]
fn why_not_trusted(error: io::Error, name: &ServerName<'_>) -> io::Error {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, Other, UnknownIssuer,
    };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let Some(Error::InvalidCertificate(certificate)) = inner else { return error };
    io::Error::other(match certificate {
        NotValidForName | NotValidForNameContext { .. } => {
            format!("its certificate is for another name than {}", name.to_str())
        }
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or this machine's clock is wrong".to_owned()
        }
        // The verifier's other words are about a certificate that is its own authority.
        UnknownIssuer | Other(_) => {
            "its certificate is of an authority that is not trusted: name yours in [log] ca_file".to_owned()
        }
        other => format!("its certificate is not good: {other}"),
    })
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
