//! TLS: whom we trust, and why we do not.

use std::io;
use std::sync::Arc;

use cvco_domain::Bilingual;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::ParsedCertificate;
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

/// Why callers would not trust us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody would.
    Certain(Bilingual),
    /// Callers who know what this system knows would not.
    Likely(Bilingual),
}

/// Whether callers would trust a chain of certificates shown for a name. This system's roots stand for theirs.
///
/// # Errors
/// Why they would not.
pub fn trusted_by_callers(chain: &[CertificateDer<'_>], name: &str, at: UnixTime) -> Result<(), Distrust> {
    let certain = |french: &str, english: &str| Distrust::Certain(Bilingual::new(french, english));
    let unfit = |error: Error| Distrust::Certain(Bilingual::in_english_alone(error));
    let (leaf, others) = chain
        .split_first()
        .ok_or_else(|| certain("il n’y a pas de certificat", "there is no certificate"))?;
    let parsed = ParsedCertificate::try_from(leaf).map_err(unfit)?;
    let server = ServerName::try_from(name).map_err(|_| {
        certain(
            &format!("{name} n’est pas un nom pour lequel un certificat peut être établi"),
            &format!("{name} is no name that a certificate could be for"),
        )
    })?;
    verify_server_name(&parsed, &server).map_err(|_| {
        certain(
            &format!("il n’est pas établi pour {name}, le nom de [listener] public_url que les prestataires appellent"),
            &format!("it is not for {name}, the name in [listener] public_url that PSPs call"),
        )
    })?;
    let roots = system_roots().map_err(|why| Distrust::Likely(Bilingual::in_english_alone(why)))?;
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &roots, others, at, algorithms) {
        Ok(()) => Ok(()),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            Err(Distrust::Likely(Bilingual::new(
                "sa chaîne ne mène pas à une autorité que ce système reconnaît\u{a0}: les prestataires ne vont pas chercher ce \
                 qui y manque (mettez la chaîne complète dans le fichier) et ne reconnaissent aucune autorité interne",
                "its chain does not lead to an authority that this system trusts: PSPs do not fetch what is missing of it \
                 (write the whole chain into the file), and trust no authority of your own",
            )))
        }
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => Err(certain(
            "il a expiré, ou un certificat de sa chaîne a expiré",
            "it has expired, or one of its chain has",
        )),
        Err(error) => Err(unfit(error)),
    }
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
