//! Calls that a web server wrote into its access or error log: nginx, Apache, Caddy, Traefik, `HAProxy`, IIS. A shop that
//! lost notifications finds them there, as long as they were sent by GET.

use super::Method;

/// A call in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// The line that shows it, as an editor counts.
    pub line: usize,
    /// How it came.
    pub method: Method,
    /// Its address without the query, which may hold an endpoint's secret token.
    pub path: String,
    /// Its query, byte for byte; empty if it has none.
    pub query: Vec<u8>,
}

/// The longest query that is looked at.
const LONGEST: usize = 64 * 1024;

/// Names under which logs in JSON keep an address with its query.
const JSON_NAMES: [&str; 5] = ["uri", "request_uri", "RequestPath", "url", "path"];

/// The calls of a log, in order, each once a line: an error log names a call twice, as it came and as it was passed on.
#[must_use]
pub fn calls(text: &[u8]) -> Vec<LoggedCall> {
    let lines = (1_usize..).zip(text.split(|byte| *byte == b'\n'));
    lines.filter_map(|(number, line)| call(number, line)).collect()
}

fn call(line: usize, text: &[u8]) -> Option<LoggedCall> {
    let (method, target) = of_request_line(text).or_else(|| of_json(text))?;
    let target = unescaped(target);
    let (path, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (target.get(..at)?, target.get(at.saturating_add(1)..)?),
        None => (target.as_slice(), &b""[..]),
    };
    (query.len() <= LONGEST).then(|| LoggedCall {
        line,
        method,
        path: String::from_utf8_lossy(path).into_owned(),
        query: query.to_vec(),
    })
}

/// `GET /path?query HTTP/1.1`, anywhere in a line; IIS writes a blank for the question mark, and no version.
fn of_request_line(text: &[u8]) -> Option<(Method, &[u8])> {
    let starts = (0..text.len()).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        before.is_none_or(|byte| matches!(byte, b'"' | b' ' | b'\t' | b'\''))
    });
    for start in starts {
        let rest = text.get(start..)?;
        let (method, rest) = if let Some(rest) = rest.strip_prefix(b"GET ") {
            (Method::Get, rest)
        } else if let Some(rest) = rest.strip_prefix(b"POST ") {
            (Method::Post, rest)
        } else {
            continue;
        };
        if !(rest.starts_with(b"/") || rest.starts_with(b"http")) {
            continue;
        }
        let word = |bytes: &[u8]| bytes.iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len());
        let target = rest.get(..word(rest))?;
        let after = rest.get(target.len()..)?.strip_prefix(b" ").unwrap_or_default();
        let query = after.get(..word(after))?;
        if !target.contains(&b'?') && query.contains(&b'=') && !after.starts_with(b"HTTP/") {
            // One blank stands where IIS leaves the question mark out.
            let whole = rest.get(..target.len().saturating_add(1).saturating_add(query.len()))?;
            return Some((method, whole));
        }
        return Some((method, target));
    }
    None
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'\t' | b'\r')
}

/// `"uri":"/path?query"`: Caddy, Traefik, or nginx told to write JSON.
fn of_json(text: &[u8]) -> Option<(Method, &[u8])> {
    let is_post = text.windows(6).any(|window| window == b"\"POST\"");
    JSON_NAMES.iter().find_map(|name| {
        let value = after(text, format!("\"{name}\":").as_bytes())?;
        let value = value.trim_ascii_start().strip_prefix(b"\"")?;
        let end = value.iter().position(|byte| *byte == b'"')?;
        let target = value.get(..end)?;
        let is_call = target.starts_with(b"/") && target.contains(&b'?');
        is_call.then_some((if is_post { Method::Post } else { Method::Get }, target))
    })
}

fn after<'t>(text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let at = text.windows(name.len()).position(|window| window == name)?;
    text.get(at.saturating_add(name.len())..)
}

/// Undoes what logs do to bytes that could confuse their readers: `\x22`, `\u0026`, `\"`, `\\`, `\/`. A call itself has no
/// backslash. A blank is where IIS leaves the question mark out.
fn unescaped(target: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escape = match (first, tail) {
            (b' ', _) => Some((b'?', 0)),
            (b'\\', [b'x', a, b, ..]) => hexadecimal(&[*a, *b]).map(|byte| (byte, 3)),
            (b'\\', [b'u', b'0', b'0', a, b, ..]) => hexadecimal(&[*a, *b]).map(|byte| (byte, 5)),
            (b'\\', [byte @ (b'"' | b'\\' | b'/'), ..]) => Some((*byte, 1)),
            _ => None,
        };
        let (byte, taken) = escape.unwrap_or((*first, 0));
        bytes.push(byte);
        rest = rest.get(taken..).unwrap_or_default();
    }
    bytes
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUERY: &str = "Mt=1500&Ref=A-1&Appel=9782013&K=ab%2Fcd%2Bef%3D";

    fn found(line: &str) -> Vec<(Method, String, String)> {
        let call = |call: LoggedCall| (call.method, call.path, String::from_utf8(call.query).expect("ASCII"));
        calls(line.as_bytes()).into_iter().map(call).collect()
    }

    #[test]
    fn a_line_of_any_usual_log_shows_its_call() {
        let path = "/n/camping/TOKEN";
        for line in [
            format!(
                "194.50.38.1 - - [28/Nov/2026:10:00:00 +0100] \"GET {path}?{QUERY} HTTP/1.1\" 502 157 \"-\" \"-\""
            ),
            format!(
                "2026/11/28 10:00:00 [error] 12#12: *5 connect() failed (111: Connection refused) while connecting to upstream, client: 194.2.122.158, server: _, request: \"GET {path}?{QUERY} HTTP/1.1\", upstream: \"http://127.0.0.1:8080{path}?{QUERY}\", host: \"shop.example\""
            ),
            format!(
                "Nov 28 10:00:00 lb haproxy[7]: 194.2.122.158:33 [28/Nov/2026] fe be/s 0/0/0/-1/2 502 200 - - PH-- 1/1/0/0/0 0/0 \"GET {path}?{QUERY} HTTP/1.1\""
            ),
            format!("2026-11-28 10:00:00 10.0.0.1 GET {path} {QUERY} 443 - 194.2.122.158 - 502 0 0 12"),
            format!(
                "{{\"level\":\"info\",\"request\":{{\"method\":\"GET\",\"host\":\"shop.example\",\"uri\":\"{path}?{}\"}}}}",
                QUERY.replace('&', "\\u0026")
            ),
            format!("GET {path}?{QUERY} HTTP/1.1"),
        ] {
            assert_eq!(found(&line), [(Method::Get, path.to_owned(), QUERY.to_owned())], "{line}");
        }
    }

    #[test]
    fn lines_are_counted_and_what_shows_no_call_is_passed_over() {
        let log = format!("# log\r\n\r\n\"GET /a?{QUERY} HTTP/1.1\" 200\r\n\"POST /n/e/t HTTP/1.1\" 403\r\n");
        let calls = calls(log.as_bytes());
        let seen: Vec<_> = calls.iter().map(|call| (call.line, call.method, call.path.as_str())).collect();
        assert_eq!(seen, [(3, Method::Get, "/a"), (4, Method::Post, "/n/e/t")]);
        assert!(calls.last().is_some_and(|call| call.query.is_empty()));
        for other in
            ["", "Mt=1500&Ref=A", "{\"id\":\"1\",\"url\":\"https://x.example/a?b=c\"}", "TARGET /x?a=b"]
        {
            assert!(found(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn what_a_log_escapes_is_undone() {
        assert_eq!(unescaped(br"/a?b=\x22\u0026\\\/\q"), b"/a?b=\"&\\/\\q");
        assert_eq!(unescaped(br"/a?b=\x2"), br"/a?b=\x2");
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(calls(&bytes).len() <= bytes.len() + 1);
        }
    }
}
