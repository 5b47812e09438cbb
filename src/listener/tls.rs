//! TLS of the public listener: a certificate and its key, taken from their files, and again when these change.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::{Timestamp, Worded};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

use super::accept::Listen;
use crate::clock::Clock;
use crate::telemetry::{Known, Metrics};

/// A chain of certificates has a few KiB.
const LARGEST_FILE: u64 = 1024 * 1024;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate that has less time left should have been renewed: tools do so 30 days before.
pub const RENEWED_BEFORE: Duration = Duration::from_hours(14 * 24);

/// No certificate is valid for so long.
const FAR_FUTURE: Duration = Duration::from_secs(250_000_000_000);

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// A file holds something else.
    #[error("{0} holds no certificate in PEM: write here the whole chain, such as certbot's fullchain.pem")]
    NoCertificate(PathBuf),
    /// A file holds something else.
    #[error(
        "{0} holds no private key in PEM, or one with a password: write here one without, such as certbot's privkey.pem"
    )]
    NoKey(PathBuf),
    /// Two files that do not belong together.
    #[error("the key in {key} is not that of the first certificate in {certificate}")]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's.
        certificate: PathBuf,
    },
    /// The library's own reason.
    #[error("{file} cannot be used: {why}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

impl Worded for TlsError {
    fn in_french(&self) -> String {
        match self {
            Self::Unreadable { file, why } => {
                format!("impossible de lire {} (en anglais\u{a0}: {why})", file.display())
            }
            Self::NoCertificate(file) => format!(
                "{} ne contient pas de certificat PEM\u{a0}: indiquez ici la chaîne complète, comme fullchain.pem de certbot",
                file.display()
            ),
            Self::NoKey(file) => format!(
                "{} ne contient pas de clé privée PEM, ou en contient une avec mot de passe\u{a0}: indiquez ici une clé sans mot \
                 de passe, comme privkey.pem de certbot",
                file.display()
            ),
            Self::Mismatch { key, certificate } => format!(
                "la clé de {} n’est pas celle du premier certificat de {}",
                key.display(),
                certificate.display()
            ),
            Self::Unusable { file, why } => {
                format!("{} est inutilisable (en anglais\u{a0}: {why})", file.display())
            }
        }
    }
}

/// By what callers know that they have reached us.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate, and those after it.
    pub chain: Vec<CertificateDer<'static>>,
    /// When it expires.
    pub expires: Timestamp,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// Reads and checks a pair.
    ///
    /// # Errors
    /// It cannot be read, or is no pair.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles { certificate, key } = files;
        let text = read_bounded(certificate)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate(certificate.clone()))?;
        let first = chain.first().ok_or_else(|| TlsError::NoCertificate(certificate.clone()))?;
        let private =
            PrivateKeyDer::from_pem_slice(&read_bounded(key)?).map_err(|_| TlsError::NoKey(key.clone()))?;
        let unusable =
            |error: Error| TlsError::Unusable { file: certificate.clone(), why: error.to_string() };
        let provider = Arc::new(ring::default_provider());
        let usable = provider.key_provider.load_private_key(private.clone_key());
        usable.map_err(|error| TlsError::Unusable { file: key.clone(), why: error.to_string() })?;
        let expires = expiry(first).map_err(unusable)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), private);
        let mut config = config.map_err(|error| {
            if matches!(error, Error::InconsistentKeys(_)) {
                TlsError::Mismatch { key: key.clone(), certificate: certificate.clone() }
            } else {
                unusable(error)
            }
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { chain, expires, config: Arc::new(config) })
    }
}

fn read_bounded(file: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |why: String| TlsError::Unreadable { file: file.to_owned(), why };
    let metadata = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return Err(unreadable("it is no file of up to 1 MiB".to_owned()));
    }
    std::fs::read(file).map_err(|error| unreadable(error.to_string()))
}

/// When a certificate expires: what the library says of it in a far future.
fn expiry(certificate: &CertificateDer<'_>) -> Result<Timestamp, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let nobody = RootCertStore::empty();
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let then = UnixTime::since_unix_epoch(FAR_FUTURE);
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], then, algorithms) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            let seconds = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX);
            Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
        }
        Err(error) => Err(error),
        Ok(()) => Err(Error::General("it says no time until which it is valid".to_owned())),
    }
}

/// The public address, with TLS or without.
pub struct Public {
    listener: TcpListener,
    shown: Option<watch::Receiver<Arc<ServerConfig>>>,
}

impl Public {
    /// Plain HTTP: a web server with TLS stands in front.
    #[must_use]
    pub const fn plain(listener: TcpListener) -> Self {
        Self { listener, shown: None }
    }

    /// HTTPS, and what renews its certificate.
    #[must_use]
    pub fn secured(listener: TcpListener, identity: &Identity) -> (Self, Shown) {
        let (shown, seen) = watch::channel(Arc::clone(&identity.config));
        (Self { listener, shown: Some(seen) }, Shown { shown, expires: identity.expires })
    }
}

impl Listen for Public {
    type Peer = SocketAddr;
    type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    async fn accept(&self) -> io::Result<(Self::Opening, SocketAddr)> {
        let (opening, peer) = Listen::accept(&self.listener).await?;
        let Some(shown) = &self.shown else {
            return Ok((Box::pin(async { opening.await.map(Either::Left) }), peer));
        };
        let acceptor = TlsAcceptor::from(Arc::clone(&shown.borrow()));
        let handshake = async move {
            let secured = acceptor.accept(opening.await?).await?;
            Ok(Either::Right(Box::new(secured)))
        };
        Ok((Box::pin(handshake), peer))
    }
}

/// What callers are shown.
pub struct Shown {
    shown: watch::Sender<Arc<ServerConfig>>,
    expires: Timestamp,
}

/// By what a change of a file is seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stamp(Vec<Option<(i64, i64, u64, u64)>>);

impl Stamp {
    fn of(files: &TlsFiles) -> Self {
        let stamp = |file: &PathBuf| {
            let meta = std::fs::metadata(file).ok()?;
            Some((meta.mtime(), meta.mtime_nsec(), meta.ino(), meta.len()))
        };
        Self([&files.certificate, &files.key].into_iter().map(stamp).collect())
    }
}

/// Shows a new certificate as soon as its files are there. A pair that cannot be used is not shown: the old one stays, and a
/// person is told.
pub struct Renewal {
    /// The files, as last loaded.
    pub files: watch::Receiver<Option<TlsFiles>>,
    /// Where their pair is shown; nowhere if the listener is a plain one.
    pub shown: Option<Shown>,
    /// Why no new pair is shown, if there should be one.
    pub trouble: watch::Sender<Option<String>>,
    /// The time.
    pub clock: Clock,
    /// Tells when the certificate expires.
    pub metrics: Arc<Metrics>,
}

impl Renewal {
    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let Some(mut shown) = self.shown.take() else { return stop.cancelled().await };
        // The files may have changed since the configuration was read: they are read once more in any case.
        let mut last = Stamp::default();
        self.files.mark_unchanged();
        let mut broken = None;
        loop {
            self.tell(&shown, broken.as_ref());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
                changed = self.files.changed() => if changed.is_err() {
                    return stop.cancelled().await;
                }
            }
            let Some(files) = self.files.borrow_and_update().clone() else { continue };
            let stamp = Stamp::of(&files);
            if stamp == last && broken.is_none() {
                continue;
            }
            let read = tokio::task::spawn_blocking(move || Identity::read(&files)).await;
            match read {
                Ok(Ok(identity)) => {
                    shown.expires = identity.expires;
                    shown.shown.send_replace(identity.config);
                    broken = None;
                    tracing::info!(expires = %identity.expires, "a new certificate is shown");
                }
                Ok(Err(error)) => {
                    if broken.as_ref() != Some(&error) {
                        tracing::error!(%error, "the new certificate cannot be used; the old one stays");
                    }
                    broken = Some(error);
                }
                Err(error) => tracing::error!(%error, "the certificate was not read"),
            }
            last = stamp;
        }
    }

    fn tell(&self, shown: &Shown, broken: Option<&TlsError>) {
        let expires = shown.expires;
        self.metrics.certificate_expires_at_seconds.get_or_create(&Known {}).set(expires.millis() / 1000);
        self.metrics.certificate_broken.get_or_create(&Known {}).set(i64::from(broken.is_some()));
        let left = expires.since(self.clock.now());
        let trouble = match broken {
            Some(error) => Some(format!("{error}; the old one expires on {}", expires.paris_text())),
            None if left.is_zero() => Some(format!("it expired on {}", expires.paris_text())),
            None if left < RENEWED_BEFORE => Some(format!("it expires on {}", expires.paris_text())),
            None => None,
        };
        self.trouble.send_if_modified(|told| {
            let differs = *told != trouble;
            *told = trouble;
            differs
        });
    }
}
