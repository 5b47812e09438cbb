mod plain;
mod proxied;
mod secured;

use std::net::SocketAddr;
use std::time::Duration;

use cvco_psp::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Longer than anything here takes; who waits for it has failed.
const PATIENCE: Duration = Duration::from_mins(1);

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood";

/// A server for one connection: takes a request, says something, closes. What it was asked is its result.
async fn server(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let answer = answer.into();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        answer_one(&mut stream, &answer).await
    });
    (address, serving)
}

/// Takes a request, and says something. Who is told too much closes first.
async fn answer_one(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &[u8]) -> String {
    let asked = request(stream).await;
    drop(stream.write_all(answer).await);
    drop(stream.shutdown().await);
    asked
}

/// A request as text: its head, and its body if it has one.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut asked = String::new();
    while !asked.ends_with("\r\n\r\n") {
        asked.push(char::from(stream.read_u8().await.expect("a request")));
    }
    let length = asked.lines().find_map(|line| line.strip_prefix("content-length: ")).map(str::parse);
    let mut body = vec![0; length.transpose().expect("a number").unwrap_or(0)];
    stream.read_exact(&mut body).await.expect("a body");
    asked + std::str::from_utf8(&body).expect("text")
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound")
}

fn get(url: impl Into<String>) -> ApiRequest {
    ApiRequest { method: Method::Get, url: url.into(), headers: Vec::new(), body: Vec::new() }
}

/// The words of a failure to connect.
fn why_unreachable(outcome: Result<ApiResponse, CallFailure>) -> String {
    match outcome {
        Err(CallFailure::Connect { why, .. }) => why,
        other => panic!("expected no connection, not {other:?}"),
    }
}
