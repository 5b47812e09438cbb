//! TLS: who is believed. The certificates are those of `tests/tls`.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream;

use super::*;

const SERVER_KEY: &[u8] = include_bytes!("../../../tests/tls/server.key");
pub(super) const GOOD_CERTIFICATE: &[u8] = include_bytes!("../../../tests/tls/good.pem");

fn certificate(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).expect("a certificate")
}

/// The one authority that clients trust here.
pub(super) fn authority() -> CertificateDer<'static> {
    certificate(include_bytes!("../../../tests/tls/authority.pem"))
}

/// The server's part of TLS.
pub(super) async fn accept(stream: TcpStream, pem: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate(pem)], key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config)).accept(stream).await
}

/// Makes a call to a server with this certificate that knows one answer.
async fn carry(pem: &'static [u8], answer: &'static str) -> Result<ApiResponse, CallFailure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        // A client that does not trust us leaves here.
        let Ok(mut stream) = accept(stream, pem).await else { return };
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.expect("read");
        stream.flush().await.expect("read");
        // Closed without TLS's own good-bye.
    });
    let outcome = Client::trusting(authority(), None).carry(&get(format!("https://{address}/"))).await;
    serving.await.expect("served");
    outcome
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_believed() {
    let answer = carry(GOOD_CERTIFICATE, GOOD).await;
    assert_eq!(answer, Ok(ApiResponse { status: 200, body: b"good".to_vec() }));
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused_with_the_reason() {
    for (pem, reason) in [
        (include_bytes!("../../../tests/tls/self-signed.pem").as_slice(), "does not trust"),
        (include_bytes!("../../../tests/tls/expired.pem"), "has expired"),
        (include_bytes!("../../../tests/tls/other-name.pem"), "another name than 127.0.0.1"),
    ] {
        let why = why_unreachable(carry(pem, GOOD).await);
        assert!(why.starts_with("its certificate") && why.contains(reason), "{why}");
    }
}

#[tokio::test]
async fn an_authority_of_nobody_is_not_among_the_systems() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        accept(stream, GOOD_CERTIFICATE).await.map(|_| ())
    });
    let why = why_unreachable(Client::new(None, PATIENCE).carry(&get(format!("https://{address}/"))).await);
    // A system without any authority says so.
    assert!(why.contains("does not trust") || why.contains("trusts no authority"), "{why}");
    serving.await.expect("served").expect_err("refused");
}

/// Without a length, only TLS's good-bye tells an end from a cut.
#[tokio::test]
async fn an_answer_that_an_attacker_cut_is_not_taken_for_a_whole_one() {
    let outcome = carry(GOOD_CERTIFICATE, "HTTP/1.1 200 OK\r\n\r\nnot all of it").await;
    assert!(matches!(outcome, Err(CallFailure::Cut { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(GOOD.as_bytes()).await.expect("read");
        stream.read_to_end(&mut Vec::new()).await.expect("closed");
    });
    let client = Client::trusting(authority(), None);
    let why = why_unreachable(client.carry(&get(format!("https://{address}/"))).await);
    assert!(why.contains("does not speak TLS"), "{why}");
    serving.await.expect("served");
}
