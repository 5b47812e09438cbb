//! One connection: a request, and its answer or what goes wrong instead.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::answers::Canned;
use super::{Failure, Shared, request};

/// Between two bytes of a slow answer.
const PAUSE: Duration = Duration::from_millis(100);

/// An endless answer ends here after all, for a client that takes whatever comes.
const ENDLESS: usize = 64 * 1024 * 1024;

/// Not HTTP by any reading.
const GARBAGE: &[u8] = b"\x00\x16\xff\xfe 42 garbage\r\n\r\n\xc3\x28\r\n";

/// A SOAP answer that breaks off within an element.
const MALFORMED_XML: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><result><co",
);

/// Reads one request and answers it.
pub(super) async fn converse(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut wire = BufReader::new(stream);
    let call = request::read(&mut wire).await?;
    let failure = shared.failure();
    let answer = if let Some(lacking) = shared.lacking(&call) {
        Canned::text(format!("the header {lacking} is missing, or another one is wanted\n")).with_status(401)
    } else if failure.is_none() || failure == Some(Failure::Slow) {
        shared.answer(&call)
    } else {
        Canned::text("told to fail\n")
    };
    // Noted before a word of the answer: who has the answer finds the call.
    shared.note(call);
    match failure {
        None => say(&mut wire, &answer).await?,
        Some(Failure::Status(status)) => say(&mut wire, &answer.with_status(status)).await?,
        Some(Failure::WrongCredentials) => say(&mut wire, &answer.with_status(401)).await?,
        Some(Failure::MalformedXml) => say(&mut wire, &Canned::xml(MALFORMED_XML)).await?,
        Some(Failure::Garbage) => wire.write_all(GARBAGE).await?,
        Some(Failure::Drop) => return Ok(()),
        Some(Failure::Timeout) => {
            wire.read_to_end(&mut Vec::new()).await?;
        }
        Some(Failure::Slow) => {
            for byte in bytes(&answer) {
                wire.write_all(&[byte]).await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
        Some(Failure::Huge) => {
            wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n").await?;
            for _ in 0..ENDLESS / 8192 {
                wire.write_all(&[b'x'; 8192]).await?;
            }
        }
    }
    wire.shutdown().await
}

async fn say(wire: &mut BufReader<TcpStream>, answer: &Canned) -> io::Result<()> {
    wire.write_all(&bytes(answer)).await
}

fn bytes(answer: &Canned) -> Vec<u8> {
    let Canned { status, content_type, body } = answer;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
