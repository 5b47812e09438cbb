//! The way out through a proxy.

use secrecy::SecretString;

use super::secured::{GOOD_CERTIFICATE, accept, authority};
use super::*;

fn proxy_at(address: SocketAddr, credentials: Option<(&str, &str)>) -> Proxy {
    let (user, password) = credentials.unzip();
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    Proxy::parse(&format!("http://{user}{address}"), password.map(SecretString::from)).expect("a proxy")
}

/// A proxy that makes a tunnel, with psp.example at its end. Its result is what it was asked, and what
/// psp.example was.
async fn proxy() -> (SocketAddr, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let asked = request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.expect("read");
        let mut stream = accept(stream, GOOD_CERTIFICATE).await.expect("trusted");
        (asked, answer_one(&mut stream, GOOD.as_bytes()).await)
    });
    (address, serving)
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_credentials_stay_at_the_proxy() {
    for (credentials, header) in
        [(None, ""), (Some(("me", "pass:word")), "proxy-authorization: Basic bWU6cGFzczp3b3Jk\r\n")]
    {
        let (address, serving) = proxy().await;
        let client = Client::trusting(authority(), Some(proxy_at(address, credentials)));
        let answer = client.carry(&get("https://psp.example/v2")).await;
        assert_eq!(answer.map(|answer| answer.body), Ok(b"good".to_vec()));
        let (proxy_asked, psp_asked) = serving.await.expect("served");
        let expected = format!("CONNECT psp.example:443 HTTP/1.1\r\nhost: psp.example:443\r\n{header}\r\n");
        assert_eq!(proxy_asked, expected);
        assert!(psp_asked.starts_with("GET /v2 HTTP/1.1\r\nhost: psp.example\r\n"), "{psp_asked}");
        assert!(!psp_asked.contains("proxy"), "{psp_asked}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_quoted() {
    let credentials = Some(("me", "secret"));
    for (status, credentials, words) in [
        ("407 Proxy Authentication Required", credentials, "the proxy wants other credentials"),
        ("407 Proxy Authentication Required", None, "the proxy wants credentials"),
        ("403 Forbidden", None, "the proxy does not allow it"),
        ("502 Bad Gateway", None, "the proxy cannot reach it"),
        ("302 Found", None, "the proxy makes no tunnel"),
    ] {
        let (address, _serving) = server(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).await;
        let client = Client::trusting(authority(), Some(proxy_at(address, credentials)));
        let failure = client.carry(&get("https://psp.example/")).await.expect_err(status).to_string();
        assert!(failure.starts_with("cannot reach psp.example: ") && failure.contains(words), "{failure}");
        assert!(!failure.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_is_none_is_named() {
    let (mail_server, _serving) = server("220 mail.example ESMTP\r\n\r\n").await;
    for (address, words) in [(nobody().await, "refused"), (mail_server, "not HTTP")] {
        let client = Client::trusting(authority(), Some(proxy_at(address, None)));
        let failure = client.carry(&get("https://psp.example/")).await.expect_err("no proxy").to_string();
        assert!(failure.contains(&format!("the proxy {address}")) && failure.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_named_when_the_time_is_up() {
    // Its connections are taken by the system, and by nobody else.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let proxy = proxy_at(listener.local_addr().expect("bound"), None);
    let client = Client::new(Some(proxy.clone()), Duration::from_millis(300));
    let why = why_unreachable(client.carry(&get("https://psp.example/")).await);
    assert!(why.contains("in time") && why.contains(&proxy.authority), "{why}");
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let (address, _serving) = server(GOOD).await;
    let client = Client::new(Some(proxy_at(nobody().await, None)), PATIENCE);
    let answer = client.carry(&get(format!("http://{address}/"))).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200));
}
