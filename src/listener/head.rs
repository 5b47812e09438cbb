//! The head of a request as it came over the wire. A library that reads HTTP leniently hides what two readers could take
//! differently; here it is still to be seen.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::{Request, Version};

/// The largest head that is read. A notification by GET carries its fields there: some 2 KiB at most.
pub(super) const HEAD_BYTES: usize = 16 * 1024;

/// Percent-encodes in the target of a request the bytes that are no UTF-8: a customer's name in a reference may be in ISO 8859-1,
/// and what reads HTTP would refuse the whole call.
pub(super) fn make_target_legible(head: &mut Vec<u8>) {
    let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    let Some(target) = head.get(..line).filter(|target| str::from_utf8(target).is_err()) else { return };
    let mut legible = Vec::with_capacity(target.len().saturating_mul(3));
    for byte in target {
        if byte.is_ascii() {
            legible.push(*byte);
        } else {
            legible.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    head.splice(..line, legible);
}

/// What was read of a head.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    /// Where the line ends that is being read.
    is_whole: bool,
    /// A request with this head was handed on.
    is_used: bool,
}

/// The head of the request that is being read.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning(Arc<Mutex<Heard>>);

impl Beginning {
    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.with(|heard| heard.bytes.clone())
    }

    /// Notes what was read; whether the head is whole.
    pub(super) fn hear(&self, bytes: &[u8]) -> bool {
        self.with(|heard| heard.hear(bytes))
    }

    /// Whether anything was read of it.
    pub(super) fn has_begun(&self) -> bool {
        self.with(|heard| !heard.bytes.is_empty())
    }

    pub(super) fn forget(&self) {
        self.with(|heard| *heard = Heard::default());
    }

    /// Why this request could be read in two ways, if it could. What lies in front of us and what lies here would then see
    /// other requests than were sent (RFC 9112, 11.2).
    pub(super) fn ambiguity<B>(&self, request: &Request<B>) -> Option<&'static str> {
        self.with(|heard| heard.ambiguity(request))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Heard {
    fn hear(&mut self, mut bytes: &[u8]) -> bool {
        if self.is_whole {
            return true;
        }
        if self.bytes.is_empty() {
            // Empty lines before a request are no head (RFC 9112, 2.2).
            while let Some(rest) = bytes.strip_prefix(b"\r").or_else(|| bytes.strip_prefix(b"\n")) {
                bytes = rest;
            }
        }
        let searched = self.bytes.len().saturating_sub(2);
        let room = HEAD_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if let Some(end) = self.bytes.get(searched..).and_then(end_of_head) {
            self.bytes.truncate(searched.saturating_add(end));
            self.is_whole = true;
        }
        self.is_whole
    }

    fn ambiguity<B>(&mut self, request: &Request<B>) -> Option<&'static str> {
        // Two requests that came at once: of the second nothing was kept.
        let raw = (!std::mem::replace(&mut self.is_used, true) && self.is_whole).then_some(&self.bytes);
        let lengths = raw.map(|raw| raw.split(|byte| *byte == b'\n').filter(|line| is_length(line)).count());
        let headers = request.headers();
        let hosts = headers.get_all(HOST).iter().count();
        if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
            return Some("it does not name one Host");
        }
        if lengths.is_some_and(|lengths| lengths > 1) {
            return Some("it states its length more than once");
        }
        let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
        let encoding = encodings.next()?;
        if encodings.next().is_some() || !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Some("it has another transfer encoding than chunked");
        }
        (lengths != Some(0)).then_some("it is chunked, and states a length")
    }
}

fn is_length(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(b"content-length")
}

/// Where a head ends: behind its first empty line.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line_ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    line_ends.find_map(|at| match bytes.get(at.saturating_add(1)..)? {
        [b'\n', ..] => at.checked_add(2),
        [b'\r', b'\n', ..] => at.checked_add(3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Beginning {
        let beginning = Beginning::default();
        for byte in text.as_bytes() {
            beginning.hear(&[*byte]);
        }
        beginning
    }

    #[test]
    fn a_head_ends_with_its_first_empty_line_however_it_arrives() {
        for text in ["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n", "GET /\r\n\n"] {
            let with_more = format!("\r\n\r\n{text}body\r\n\r\n");
            assert_eq!(heard(&with_more).bytes(), text.as_bytes(), "byte by byte: {text:?}");
            let at_once = Beginning::default();
            assert!(at_once.hear(with_more.as_bytes()));
            assert_eq!(at_once.bytes(), text.as_bytes(), "at once: {text:?}");
        }
        assert!(!Beginning::default().hear(b"GET / HTTP/1.1\r\nHost: h\r\n"));
    }

    #[test]
    fn an_endless_head_is_bounded() {
        let beginning = Beginning::default();
        for _ in 0..100 {
            beginning.hear(&[b'a'; 1000]);
        }
        assert_eq!(beginning.bytes().len(), HEAD_BYTES);
    }

    /// A request as the library hands it over: it drops a length where there is a transfer encoding.
    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let is_chunked = headers.iter().any(|(name, _)| *name == "Transfer-Encoding");
        let mut request = Request::builder().uri("/");
        for (name, value) in headers.iter().filter(|(name, _)| !is_chunked || *name != "Content-Length") {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request")
    }

    fn ambiguity(headers: &[(&str, &str)]) -> Option<&'static str> {
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        heard(&format!("POST / HTTP/1.1\r\n{}\r\n", lines.concat())).ambiguity(&request(headers))
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_told() {
        let host = ("Host", "h");
        let (length, chunked) = (("Content-Length", "4"), ("Transfer-Encoding", "chunked"));
        for plain in
            [&[host][..], &[host, length], &[host, chunked], &[host, ("Transfer-Encoding", "Chunked")]]
        {
            assert_eq!(ambiguity(plain), None, "{plain:?}");
        }
        for ambiguous in [
            &[host, length, chunked][..],
            &[host, chunked, length],
            &[host, length, length],
            &[host, chunked, chunked],
            &[host, ("Transfer-Encoding", "gzip, chunked")],
            &[host, ("Transfer-Encoding", "gzip"), chunked],
            &[host, host],
            &[],
        ] {
            assert!(ambiguity(ambiguous).is_some(), "{ambiguous:?}");
        }
    }

    #[test]
    fn of_a_request_behind_another_no_head_is_known_so_it_must_not_be_chunked() {
        let beginning = heard("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(beginning.ambiguity(&request(&[("Host", "h")])), None);
        assert_eq!(beginning.ambiguity(&request(&[("Host", "h"), ("Content-Length", "4")])), None);
        let chunked = request(&[("Host", "h"), ("Transfer-Encoding", "chunked")]);
        assert!(beginning.ambiguity(&chunked).is_some());
    }
}
