//! TLS of the public listener: who trusts the authority reaches it, a new certificate is shown without a restart, and one that
//! is broken is not.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Daemon, Settings, Sogecommerce, Up2pay, send_raw, until};

const GOOD: &str = "good.pem";
const OTHER_NAME: &str = "other-name.pem";

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    std::fs::read_to_string(folder.join(name)).expect("a fixture")
}

/// Puts a file in place at once, as the tools for certificates do.
fn put(daemon: &Daemon, name: &str, text: &str) {
    let new = daemon.path(&format!("{name}.new"));
    std::fs::write(&new, text).expect("written");
    std::fs::rename(new, daemon.path(name)).expect("in place");
}

/// A daemon that speaks TLS with one of the fixtures, which are for `psp.example` and for this machine.
pub async fn secured(certificate: &str) -> Daemon {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    put(&daemon, "chain.pem", &fixture(certificate));
    put(&daemon, "tls.key", &fixture("server.key"));
    daemon.rewrite_configuration(|text| {
        let keys = "[listener]\ntls_certificate_file = \"chain.pem\"\ntls_key_file = \"tls.key\"\n\
            public_url = \"https://psp.example\"\n";
        text.replacen("[listener]\n", keys, 1)
    });
    daemon.restart();
    daemon
}

/// Sends a request to a name, as a PSP does that trusts the authority of the fixtures; the whole answer.
async fn call(address: SocketAddr, name: &'static str, request: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(fixture("authority.pem").as_bytes()).expect("PEM"))
        .expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("a provider")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name).expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: psp.example\r\nConnection: close\r\n\r\n")
}

/// Waits until the daemon shows a certificate for this name.
async fn shown(daemon: &Daemon, name: &'static str) {
    until(async || {
        let answer = call(daemon.public, name, &get("/")).await;
        answer.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_comes_in_over_tls_and_plain_http_does_not() {
    let daemon = secured(GOOD).await;
    let answer = call(daemon.public, "psp.example", &get(&Up2pay::voucher("A", 1, 1500).target())).await;
    assert!(answer.expect("trusted").starts_with("HTTP/1.1 200"));
    let plain = send_raw(daemon.public, get(&Up2pay::voucher("B", 2, 1500).target()).as_bytes());
    assert_eq!(plain, None, "no HTTP is spoken");
    daemon.until_figure("cvco_rejections_total{endpoint=\"\",reason=\"tls\"} 1").await;
    assert_eq!(daemon.rows("SELECT order_ref FROM acct_tenders"), ["A"]);
    // The last second of 2125.
    daemon.until_figure("cvco_certificate_expires_at_seconds{} 4922899199").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_slow_to_agree_on_tls_holds_nobody_up() {
    let daemon = secured(GOOD).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(daemon.public).await.expect("connected"));
    }
    let body = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let target = Sogecommerce::target();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: psp.example\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = call(daemon.public, "psp.example", &request).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let daemon = secured(GOOD).await;
    put(&daemon, "chain.pem", &fixture(OTHER_NAME));
    shown(&daemon, "other.example").await;

    put(&daemon, "chain.pem", "-----BEGIN CERTIFICATE-----\ncut");
    daemon.until_figure("cvco_certificate_broken{} 1").await;
    daemon.wait_for_log("the new certificate cannot be used; the old one stays");
    shown(&daemon, "other.example").await;
    daemon.signal("-HUP");
    daemon.wait_for_log("the new configuration is refused; the old one stays");
    shown(&daemon, "other.example").await;

    put(&daemon, "chain.pem", &fixture(GOOD));
    daemon.signal("-HUP");
    shown(&daemon, "psp.example").await;
    daemon.until_figure("cvco_certificate_broken{} 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_renews_is_mailed() {
    let daemon = secured("expired.pem").await;
    let mail = until(async || {
        let mails = daemon.mailbox.mails();
        mails.into_iter().next().ok_or_else(|| "no mail".to_owned())
    })
    .await;
    let text = mail.text.clone().unwrap_or_default();
    assert!(mail.subject().starts_with("[CVCo urgent] certificat à renouveler"), "{}", mail.subject());
    assert!(text.contains("01/01/2021"), "the day on which it expired: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_of_a_certificate_what_a_psp_would() {
    let daemon = secured(GOOD).await;
    let certificate = || {
        let output = daemon.run(&["check", "--offline"]);
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let lines = text.lines().filter(|line| line.contains("certificat") || line.contains("tls_"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let good = certificate();
    assert!(good.contains("ok    certificat\u{a0}:") && good.contains("01/01/2126"), "{good}");
    assert!(good.contains("note  certificat\u{a0}: sa chaîne ne mène pas à une autorité"), "{good}");

    put(&daemon, "chain.pem", &fixture(OTHER_NAME));
    let other = certificate();
    assert!(other.contains("FAUX  certificat\u{a0}: il n’est pas établi pour psp.example"), "{other}");
    put(&daemon, "chain.pem", &fixture("expired.pem"));
    assert!(certificate().contains("FAUX  certificat\u{a0}: il a expiré le 01/01/2021"), "{}", certificate());
    put(&daemon, "chain.pem", &fixture(GOOD));
    put(&daemon, "tls.key", &fixture("other.key"));
    let mismatch = certificate();
    assert!(mismatch.contains("listener.tls_certificate_file\u{a0}: la clé de"), "{mismatch}");
    put(&daemon, "tls.key", &fixture(GOOD));
    assert!(certificate().contains("ne contient pas de clé privée PEM"), "{}", certificate());
    daemon.rewrite_configuration(|text| text.replace("tls_key_file = \"tls.key\"\n", ""));
    let half = certificate();
    assert!(half.contains("listener.tls_key_file\u{a0}: nécessaire avec tls_certificate_file"), "{half}");
}
