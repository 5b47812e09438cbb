//! A mail as the sink received it, with its headers and its two texts decoded. All text is taken as UTF-8.

use mailparse::{ParsedMail, parse_mail};

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
        let mut mail = Self { from, to, login, raw: Vec::new(), headers: Vec::new(), text: None, html: None };
        // Bytes that are not a mail have no headers and no texts. `raw` keeps them anyway.
        if let Ok(parsed) = parse_mail(&raw) {
            mail.headers =
                parsed.headers.iter().map(|header| (header.get_key(), header.get_value())).collect();
            mail.text = first_part(&parsed, "text/plain");
            mail.html = first_part(&parsed, "text/html");
        }
        mail.raw = raw;
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
}

/// The first part of a type, without its transfer encoding and with plain line ends.
fn first_part(mail: &ParsedMail<'_>, mimetype: &str) -> Option<String> {
    let part = mail.parts().find(|part| part.subparts.is_empty() && part.ctype.mimetype == mimetype)?;
    let body = part.get_body_raw().ok()?;
    Some(String::from_utf8_lossy(&body).replace("\r\n", "\n"))
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
        // RFC 2046, 5.1.1: the line end before a boundary is part of the boundary.
        assert_eq!(mail.text.as_deref(), Some("payé 2=2 =zz"));
        assert_eq!(mail.html.as_deref(), Some("<p>é</p>"));
    }

    #[test]
    fn a_mail_without_a_head_is_all_body() {
        assert_eq!(received("\r\nHello").text.as_deref(), Some("Hello"));
        assert_eq!(received("").text.as_deref(), Some(""));
    }
}
