//! One HTTP/1.1 request (RFC 9112), from the server's side, as far as our own client and curl go.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The largest head taken.
const HEAD_BYTES: usize = 64 * 1024;

/// The largest body taken.
const BODY_BYTES: usize = 1024 * 1024;

/// A call that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The verb.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query without its `?`; empty if there is none.
    pub query: String,
    /// Every header in its order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn body_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Reads a request. An error if it is none, or none that is taken here.
pub(super) async fn read(wire: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Seen> {
    let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut lines = Vec::new();
    let mut size = 0;
    loop {
        let line = line(wire).await?;
        size += line.len();
        if size > HEAD_BYTES {
            return Err(wrong("the head is too large"));
        }
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut lines = lines.iter();
    let mut words = lines.next().map(|line| line.split(' ')).ok_or_else(|| wrong("no request"))?;
    let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        return Err(wrong("not HTTP/1.1"));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(':'));
    let mut seen = Seen {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect(),
        body: Vec::new(),
    };
    if seen.header("transfer-encoding").is_some() {
        return Err(wrong("a body in chunks is not taken here"));
    }
    let length = seen.header("content-length").map_or(Ok(0), str::parse::<usize>);
    let length =
        length.ok().filter(|length| *length <= BODY_BYTES).ok_or_else(|| wrong("the body is too large"))?;
    seen.body.resize(length, 0);
    wire.read_exact(&mut seen.body).await?;
    Ok(seen)
}

/// A line of the head without its end.
async fn line(wire: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = Vec::new();
    wire.take(HEAD_BYTES as u64).read_until(b'\n', &mut line).await?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into())
}
