//! Answers, good and bad, over plain HTTP.

use super::*;

async fn carry(answer: impl Into<Vec<u8>>) -> Result<ApiResponse, CallFailure> {
    let (address, _serving) = server(answer).await;
    Client::new(None, PATIENCE).carry(&get(format!("http://{address}/"))).await
}

#[tokio::test]
async fn a_request_goes_out_as_the_adapter_said_and_the_answer_comes_back() {
    let (address, serving) = server(GOOD).await;
    let call = ApiRequest {
        method: Method::Post,
        url: format!("http://{address}/v2/x?a=b"),
        headers: vec![("Authorization", "Basic abc".to_owned()), ("content-type", "text/xml".to_owned())],
        body: b"<a/>".to_vec(),
    };
    let client = Client::new(None, PATIENCE);
    // As a task of its own, as a worker would.
    let answer = tokio::spawn(async move { client.carry(&call).await }).await.expect("carried");
    assert_eq!(answer, Ok(ApiResponse { status: 200, body: b"good".to_vec() }));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        serving.await.expect("served"),
        format!(
            "POST /v2/x?a=b HTTP/1.1\r\nauthorization: Basic abc\r\ncontent-type: text/xml\r\nhost: {address}\r\n\
             user-agent: cvco-reconciled/{version}\r\naccept-encoding: identity\r\nconnection: close\r\n\
             content-length: 4\r\n\r\n<a/>"
        )
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = nobody().await;
    let redirect =
        format!("HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(carry(redirect).await, Ok(ApiResponse { status: 302, body: Vec::new() }));
}

#[tokio::test]
async fn an_answer_may_be_large_but_not_larger() {
    let whole = |length: usize| [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'x'; length]].concat();
    assert_eq!(carry(whole(ANSWER_BYTES)).await.map(|answer| answer.body.len()), Ok(ANSWER_BYTES));
    let declared = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", ANSWER_BYTES + 1).into_bytes();
    let chunked = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n".as_slice(),
        &vec![b'x'; 0x50_0000],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    for too_large in [declared, whole(ANSWER_BYTES + 1), chunked] {
        let outcome = carry(too_large).await;
        assert!(matches!(outcome, Err(CallFailure::TooLarge { limit: ANSWER_BYTES, .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_or_not_whole_is_told_apart() {
    let endless_head = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    for (answer, why) in [
        ("", "closed before its end"),
        ("HTTP/1.1 200 OK\r\nContent-Le", "closed before its end"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed before its end"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "closed before its end"),
        ("220 mail.example ESMTP\r\n\r\n", "not HTTP"),
        (&endless_head, "head is larger"),
    ] {
        let failure = carry(answer).await.expect_err(answer);
        assert!(matches!(&failure, CallFailure::Cut { why: said, .. } if said.contains(why)), "{failure}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_only_so_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await.expect("read");
        // Until the client leaves.
        stream.read(&mut [0]).await
    });
    let client = Client::new(None, Duration::from_millis(300));
    let outcome = client.carry(&get(format!("http://{address}/"))).await;
    assert_eq!(outcome, Err(CallFailure::Timeout { host: address.to_string() }));
    assert_eq!(
        serving.await.expect("served").expect("closed in good order"),
        0,
        "the connection is not kept"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_apart_by_the_reason() {
    let client = Client::new(None, PATIENCE);
    let refused = why_unreachable(client.carry(&get(format!("http://{}/", nobody().await))).await);
    assert!(refused.contains("refused"), "{refused}");
    // No name has 64 letters between two dots (RFC 1035 2.3.4): no server is asked.
    let nameless = format!("http://{}.example/", "x".repeat(64));
    let nameless = why_unreachable(client.carry(&get(nameless)).await);
    assert!(nameless.contains("no address"), "{nameless}");
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    let call = ApiRequest {
        headers: vec![("authorization", "Basic secret\n".to_owned())],
        ..get(format!("http://{}/", nobody().await))
    };
    let why = why_unreachable(Client::new(None, PATIENCE).carry(&call).await);
    assert!(why.contains("authorization") && !why.contains("secret"), "{why}");
}
