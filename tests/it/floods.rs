//! Callers that say nothing, say it slowly, never read, or say what can be read in two ways: they hold nobody up, and a stop
//! neither loses who was there nor waits for who is slow. The daemon of these tests has few descriptors: 32 places for calls,
//! 16 at each of the doors of the shop and the administrator.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::{Daemon, Settings, Sogecommerce, TOKEN, Up2pay, send_raw};

const DESCRIPTORS: u32 = 128;

async fn narrow() -> Daemon {
    Daemon::start(&Settings { descriptors: Some(DESCRIPTORS), ..Settings::default() }).await
}

fn connect(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connected");
    // It may be closed already.
    drop(stream.write_all(bytes.as_bytes()));
    stream
}

/// A call whose body does not come.
fn with_slow_body(address: SocketAddr) -> TcpStream {
    let head = format!("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", Sogecommerce::target());
    connect(address, &head)
}

fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // How it was closed is no matter.
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// F13 and F23.
#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_and_silent_connections_keep_no_call_waiting() {
    let daemon = narrow().await;
    let slow: Vec<TcpStream> = (0..300)
        .map(|n| connect(daemon.public, if n % 2 == 0 { "" } else { "GET /n/up2pay/secret HTTP/1.1\r\nHo" }))
        .collect();
    for order in 0..20 {
        assert_eq!(daemon.up2pay(&Up2pay::voucher("A", order, 1500)), 200, "call {order}");
    }
    let answers: Vec<String> = slow.into_iter().take(200).map(read_all).collect();
    assert!(answers.iter().all(|answer| answer.is_empty() || answer.starts_with("HTTP/1.1 503")));
    assert!(!daemon.log_text().contains("could not be accepted"), "it kept within its descriptors");
}

/// F13: whoever is served stays, and whoever comes is told at once to come again.
#[tokio::test(flavor = "multi_thread")]
async fn when_every_place_is_taken_a_call_is_told_to_come_again() {
    let daemon = narrow().await;
    let busy: Vec<TcpStream> = (0..32).map(|_| with_slow_body(daemon.public)).collect();
    daemon.until_figure("cvco_connections 32").await;
    let call = Up2pay::voucher("A", 1, 1500);
    // Those that wait for their bodies may have been taken as silent ones a moment before.
    let refused = crate::support::until(async || {
        let answer = daemon.get(&call.target());
        if answer.status == 503 { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert!(refused.head.contains("retry-after: 30"), "{refused:?}");
    drop(busy);
    daemon.until_figure("cvco_connections 0").await;
    assert_eq!(daemon.up2pay(&call), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_to_the_admin_address_do_not_hide_the_daemons_health() {
    let daemon = narrow().await;
    let idle: Vec<TcpStream> = (0..40).map(|_| connect(daemon.admin, "")).collect();
    assert_eq!(daemon.admin_get("/readyz").status, 200);
    let slow: Vec<TcpStream> =
        (0..40).map(|_| connect(daemon.admin, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")).collect();
    // While all places are busy with answers it says so; they are free as soon as these are written.
    crate::support::until(async || {
        let answer = daemon.admin_get("/readyz");
        if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
    drop((idle, slow));
}

/// F14: RFC 9112, 11.2. What lies in front could see another request than we do.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_can_be_read_in_two_ways_is_refused_and_counted() {
    let daemon = Daemon::start(&Settings::default()).await;
    let body = Sogecommerce::split("A", "abc123", 6000, 3990).wire().body;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let length = format!("Content-Length: {}\r\n", body.len());
    let te = "Transfer-Encoding: chunked\r\n";
    let host = "Host: h\r\n";
    let ask = |headers: &[&str], body: &str| {
        let request = format!(
            "POST {} HTTP/1.1\r\n{}Connection: close\r\n\r\n{body}",
            Sogecommerce::target(),
            headers.concat()
        );
        send_raw(daemon.public, request.as_bytes()).expect("an answer").status
    };
    let ambiguous: [(&[&str], &str); 9] = [
        (&[host, &length, te], &chunked),
        (&[host, te, &length], &chunked),
        (&[host, te, te], &chunked),
        (&[host, "Transfer-Encoding: gzip, chunked\r\n"], &chunked),
        (&[host, "Transfer-Encoding: gzip\r\n", te], &chunked),
        (&[host, &length, &length], &body),
        (&[host, &length, "Content-Length: 1\r\n"], &body),
        (&[&length], &body),
        (&[host, host, &length], &body),
    ];
    for (headers, body) in ambiguous {
        assert_eq!(ask(headers, body), 400, "{headers:?}");
    }
    daemon.until_figure("cvco_rejections_total{endpoint=\"sogecommerce\",reason=\"http\"} 9").await;
    assert!(daemon.rows("SELECT * FROM acct_tenders").is_empty(), "none of them was taken");
    assert_eq!(ask(&[host, te], &chunked), 200, "chunks alone are clear");
    assert_eq!(daemon.rows("SELECT DISTINCT order_ref FROM acct_tenders"), ["A"]);
}

/// F14: some callers close their side as soon as they have asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_has_closed_its_side_is_answered() {
    let daemon = Daemon::start(&Settings::default()).await;
    let target = Up2pay::voucher("A", 1, 1500).target();
    let stream = connect(daemon.public, &format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
    stream.shutdown(std::net::Shutdown::Write).expect("closed");
    let answer = read_all(stream);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}

/// F22.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_who_was_there_and_cuts_who_is_slow() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    let slow = with_slow_body(daemon.public);
    let there: Vec<TcpStream> = (0..100).map(|_| connect(daemon.public, "")).collect();
    daemon.signal("-TERM");
    daemon.wait_for_log("stopping: finishing what was accepted");
    for (order, stream) in there.iter().enumerate() {
        let target = Up2pay::voucher("A", u64::try_from(order).expect("few"), 1500).target();
        let mut stream = stream;
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).expect("sent");
    }
    for stream in there {
        let answer = read_all(stream);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
    assert_eq!(daemon.ended(), Some(0));
    assert!(daemon.log_text().contains("still open after the stop, and are cut"), "it was not waited for");
    assert_eq!(read_all(slow), "");
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_notifications"), ["100"]);
    assert!(!daemon.log_text().contains(TOKEN));
}
