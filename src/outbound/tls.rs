//! TLS: whom we trust, and why we do not.

use std::io;
use std::sync::Arc;

#[cfg(test)]
use rustls_pki_types::CertificateDer;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::target::Target;

/// TLS with the system's roots. They are read at their first use; as long as there are none, at each.
#[derive(Default)]
pub(super) struct Tls(OnceCell<TlsConnector>);

impl Tls {
    /// TLS that trusts one authority, whatever the system does.
    #[cfg(test)]
    pub(super) fn trusting(authority: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority).expect("an authority");
        Self(OnceCell::new_with(Some(connector(roots).expect("a provider with all it takes"))))
    }

    /// Secures a connection, if the server proves that it is the one meant; else why not, for people.
    pub(super) async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        plain: S,
        target: &Target,
    ) -> Result<TlsStream<S>, String> {
        let connector = self.0.get_or_try_init(|| async {
            let roots =
                tokio::task::spawn_blocking(system_roots).await.map_err(|error| error.to_string())??;
            connector(roots).map_err(|error| error.to_string())
        });
        let name = ServerName::try_from(target.certified().to_owned());
        let name = name.map_err(|_| "a certificate cannot be for such a name".to_owned())?;
        connector.await?.connect(name, plain).await.map_err(|error| why_not_secure(&error, target))
    }
}

/// What the system trusts: its own folder, or `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A root that we cannot read is one that we do not trust; systems come with odd ones.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("this system trusts no authority (install ca-certificates){cause}"));
    }
    Ok(roots)
}

/// The provider is named: two in one program would make the default ambiguous, which panics.
fn connector(roots: RootCertStore) -> Result<TlsConnector, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn why_not_secure(error: &io::Error, target: &Target) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(certificate)) => why_not_trusted(certificate, target),
        Some(Error::InvalidMessage(_)) => format!("it does not speak TLS on port {}", target.port),
        Some(Error::AlertReceived(alert)) => format!("it refuses our TLS ({alert:?})"),
        Some(Error::PeerIncompatible(_)) => "it speaks neither TLS 1.2 nor 1.3 as we do".to_owned(),
        Some(other) => format!("TLS failed: {other}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection before TLS was agreed".to_owned()
        }
        None => error.to_string(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own words do for the rest")]
fn why_not_trusted(certificate: &CertificateError, target: &Target) -> String {
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired (or this machine's clock is wrong)".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet (or this machine's clock is wrong)".to_owned()
        }
        // The verifier's other words are about a certificate that is its own authority.
        CertificateError::UnknownIssuer | CertificateError::Other(_) => {
            "its certificate comes from an authority that this system does not trust (old ca-certificates, a \
             self-signed certificate, or a proxy that opens TLS)"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another name than {}", target.certified())
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        other => format!("its certificate is not good: {other}"),
    }
}
