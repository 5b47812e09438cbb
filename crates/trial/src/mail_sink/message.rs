//! A mail as it was received, decoded as far as our own mails need it: RFC 2047 words in headers, quoted-printable
//! and base64 in parts, multipart. All text is taken as UTF-8.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Who logged in to send it.
    pub login: Option<String>,
    /// As it came, without the dots that SMTP doubles.
    pub raw: Vec<u8>,
    /// Every header in its order, unfolded and decoded.
    pub headers: Vec<(String, String)>,
    /// The `text/plain` part.
    pub text: Option<String>,
    /// The `text/html` part.
    pub html: Option<String>,
}

impl ReceivedMail {
    pub(super) fn new(from: String, to: Vec<String>, login: Option<String>, raw: Vec<u8>) -> Self {
        let whole = String::from_utf8_lossy(&raw).into_owned();
        let (head, _) = head_and_body(&whole);
        let headers = headers(head).into_iter().map(|(name, value)| (name, decoded_words(&value))).collect();
        let mut mail = Self { from, to, login, raw, headers, text: None, html: None };
        mail.take_part(&whole, 0);
        mail
    }

    /// A header by its name in any case, decoded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The subject, or nothing.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.header("Subject").unwrap_or_default()
    }

    /// The Message-ID with its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.header("Message-ID")
    }

    /// The id of the mail that this one answers, with its angle brackets.
    #[must_use]
    pub fn in_reply_to(&self) -> Option<&str> {
        self.header("In-Reply-To")
    }

    /// Takes the text and the HTML of a part, and of the parts within it.
    fn take_part(&mut self, part: &str, depth: u8) {
        const DEEPEST: u8 = 4;
        let (head, body) = head_and_body(part);
        let headers = headers(head);
        let find =
            |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        let content_type = find("Content-Type").unwrap_or("text/plain");
        if let Some(boundary) = boundary(content_type).filter(|_| depth < DEEPEST) {
            for inner in inner_parts(body, &boundary) {
                self.take_part(&inner, depth + 1);
            }
            return;
        }
        let content = decoded_body(body, find("Content-Transfer-Encoding").unwrap_or("7bit"));
        let content_type = content_type.to_ascii_lowercase();
        if content_type.starts_with("text/html") {
            self.html.get_or_insert(content);
        } else if content_type.starts_with("text/plain") {
            self.text.get_or_insert(content);
        }
    }
}

fn head_and_body(part: &str) -> (&str, &str) {
    match part.strip_prefix("\r\n") {
        Some(body) => ("", body),
        None => part.split_once("\r\n\r\n").unwrap_or((part, "")),
    }
}

/// Headers in their order, with folded lines joined (RFC 5322 2.2.3).
fn headers(head: &str) -> Vec<(String, String)> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let split = unfolded.lines().filter_map(|line| line.split_once(':'));
    split.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn boundary(content_type: &str) -> Option<String> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = content_type.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned())
}

/// The parts between the boundary lines; what stands before the first and after the last is none.
fn inner_parts(body: &str, boundary: &str) -> Vec<String> {
    let (delimiter, end) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut parts: Vec<String> = Vec::new();
    for line in body.lines() {
        if line.trim_end() == end {
            break;
        } else if line.trim_end() == delimiter {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push_str("\r\n");
        }
    }
    parts
}

/// A body without its transfer encoding, with plain line ends.
fn decoded_body(body: &str, encoding: &str) -> String {
    let bytes = match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64_bytes(body),
        "quoted-printable" => quoted_printable(body),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn base64_bytes(text: &str) -> Vec<u8> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).unwrap_or_default()
}

/// RFC 2045 6.7: `=` at the end of a line joins it to the next, `=XX` is a byte.
fn quoted_printable(text: &str) -> Vec<u8> {
    hex_escapes(text.replace("=\r\n", "").as_bytes(), b'=')
}

fn hex_escapes(mut text: &[u8], mark: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        let escaped = match rest {
            [high, low, ..] if *first == mark => hex::decode([*high, *low]).ok(),
            _ => None,
        };
        if let Some(byte) = escaped {
            bytes.extend(byte);
            text = rest.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            text = rest;
        }
    }
    bytes
}

/// A header's value with its encoded words (RFC 2047: `=?utf-8?b?...?=`) read. White space between two of them
/// is not part of the text.
fn decoded_words(value: &str) -> String {
    let mut text = String::new();
    let mut after_encoded = false;
    for (index, word) in value.split(' ').enumerate() {
        let encoded = encoded_word(word);
        if index > 0 && !(after_encoded && encoded.is_some()) {
            text.push(' ');
        }
        after_encoded = encoded.is_some();
        text.push_str(encoded.as_deref().unwrap_or(word));
    }
    text
}

fn encoded_word(word: &str) -> Option<String> {
    let mut parts = word.strip_prefix("=?")?.strip_suffix("?=")?.splitn(3, '?');
    let (charset, encoding, content) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match encoding {
        "b" | "B" => base64_bytes(content),
        "q" | "Q" => hex_escapes(content.replace('_', " ").as_bytes(), b'='),
        _ => return None,
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(raw: &str) -> ReceivedMail {
        ReceivedMail::new("a@example".to_owned(), vec!["b@example".to_owned()], None, raw.as_bytes().to_vec())
    }

    #[test]
    fn headers_are_unfolded_and_decoded() {
        let mail = received(
            "Subject: =?utf-8?b?w6ljYXJ0?= =?utf-8?Q?_n=C2=B0?=\r\n 3 (fin)\r\nMESSAGE-ID: <1@host>\r\n\r\nbody\r\n",
        );
        assert_eq!(mail.subject(), "écart n° 3 (fin)");
        assert_eq!(mail.message_id(), Some("<1@host>"));
        assert_eq!(mail.in_reply_to(), None);
        assert_eq!(mail.text.as_deref(), Some("body\n"));
    }

    #[test]
    fn parts_are_found_and_decoded() {
        let mail = received(concat!(
            "Content-Type: multipart/alternative;\r\n boundary=\"x\"\r\n\r\npreamble\r\n",
            "--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
            "pay=C3=\r\n=A9 2=3D2 =zz\r\n",
            "--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+w6k8\r\nL3A+\r\n",
            "--x--\r\nepilogue\r\n",
        ));
        assert_eq!(mail.text.as_deref(), Some("payé 2=2 =zz\n"));
        assert_eq!(mail.html.as_deref(), Some("<p>é</p>"));
    }

    #[test]
    fn a_mail_without_a_head_is_all_body() {
        assert_eq!(received("\r\nHello").text.as_deref(), Some("Hello"));
        assert_eq!(received("").text.as_deref(), Some(""));
    }
}
