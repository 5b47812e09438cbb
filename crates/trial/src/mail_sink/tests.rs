use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

async fn sink() -> MailSink {
    MailSink::start(([127, 0, 0, 1], 0).into()).await.expect("a free port")
}

/// Says all of it at once and returns the codes that the sink answered until it closed the connection.
async fn codes(sink: &MailSink, lines: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(sink.address()).await.expect("listening");
    stream.write_all(lines.as_bytes()).await.expect("read");
    stream.shutdown().await.expect("closed");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("answers");
    answers.lines().filter_map(|line| line.split_once(' ')).map(|(code, _)| code.to_owned()).collect()
}

#[tokio::test]
async fn a_mail_loses_the_dots_that_smtp_doubles() {
    let sink = sink().await;
    let spoken = codes(
        &sink,
        "HELO me\r\nNOOP\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    );
    assert_eq!(spoken.await, ["220", "250", "250", "250", "250", "354", "250", "221"]);
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].raw, b"Subject: s\r\n\r\n.dot\r\n");
    assert_eq!((mails[0].from.as_str(), mails[0].to.as_slice()), ("a@x", &["b@x".to_owned()][..]));
}

#[tokio::test]
async fn commands_out_of_order_or_unknown_are_refused() {
    let sink = sink().await;
    let spoken = codes(
        &sink,
        "RCPT TO:<b@x>\r\nDATA\r\nMAIL FROM:a\r\nMAIL FROM:<a@x>\r\nRSET\r\nRCPT TO:<b@x>\r\nVRFY b\r\nQUIT\r\n",
    );
    assert_eq!(spoken.await, ["220", "503", "503", "501", "250", "250", "503", "502", "221"]);
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_line_without_end_closes_the_connection() {
    let sink = sink().await;
    let mut stream = TcpStream::connect(sink.address()).await.expect("listening");
    stream.write_all(&[b'x'; 4096]).await.expect("read");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("closed by the sink");
    assert_eq!(answers, "220 sink ESMTP\r\n");
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_not_kept() {
    let sink = sink().await;
    let mut stream = TcpStream::connect(sink.address()).await.expect("listening");
    stream.write_all(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n").await.expect("read");
    let line = [&[b'x'; 1022][..], b"\r\n"].concat();
    let (mut reader, mut writer) = stream.into_split();
    let writing = tokio::spawn(async move { while writer.write_all(&line).await.is_ok() {} });
    let mut answers = Vec::new();
    // The sink closes with our bytes still unread, which the system may report as a reset.
    drop(reader.read_to_end(&mut answers).await);
    writing.await.expect("ended by the sink");
    assert!(String::from_utf8_lossy(&answers).starts_with("220"));
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn waiting_ends_with_the_mail_waited_for() {
    let sink = sink().await;
    let mail = "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: second\r\n\r\n.\r\nQUIT\r\n";
    let wished = sink.wait_until(|mails| mails.iter().any(|mail| mail.subject() == "second"));
    let (mails, _) = tokio::join!(wished, codes(&sink, mail));
    assert_eq!(mails.len(), 1);
}
