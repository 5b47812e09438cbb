//! HTTP by hand: the tests say to the byte what goes over the wire.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In small letters.
    pub head: String,
    /// As they were set.
    pub cookies: Vec<String>,
    pub body: String,
}

/// Sends bytes and reads until the daemon closes the connection. `None` if there was no answer.
pub fn send_raw(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    // Not a wait for anything: a hanging test shall fail instead of hanging on.
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    // The daemon may answer and close before it has read everything.
    let written = stream.write_all(request);
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    if bytes.is_empty() {
        written.ok()?;
        read.ok()?;
    }
    Answer::parse(&String::from_utf8_lossy(&bytes))
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let cookie = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.to_owned())
        };
        let cookies = head.lines().filter_map(cookie).collect();
        Some(Self { status, head: head.to_ascii_lowercase(), cookies, body: body.to_owned() })
    }

    /// The body without the lengths of its pieces, where it was sent in pieces.
    pub fn whole(&self) -> String {
        if !self.head.contains("transfer-encoding: chunked") {
            return self.body.clone();
        }
        let (mut whole, mut rest) = (String::new(), self.body.as_str());
        while let Some((length, after)) = rest.split_once("\r\n") {
            let length = usize::from_str_radix(length, 16).expect("a length");
            let (piece, after) = after.split_at_checked(length).expect("a whole piece");
            whole.push_str(piece);
            rest = after.strip_prefix("\r\n").unwrap_or_default();
        }
        whole
    }
}
