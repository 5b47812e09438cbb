//! The e-mails that the platform writes when a call failed. They quote the call byte for byte, so a notification that
//! was lost can be proven and taken from them.
//!
//! A file holds one mail, or many as `mbox`, or the text of one. Only what the quotation itself needs is read of it;
//! its signature shows whether it is genuine.

mod html;
mod quotation;

use std::collections::BTreeSet;

use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

pub use quotation::Quotation;

/// One mail of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningMail {
    /// The calls that it quotes; none if it is no such mail.
    pub quotations: Vec<Quotation>,
}

/// How many levels of mails forwarded as attachments are read.
const DEEPEST: u8 = 4;

/// Every mail has at least one of these headers. A text that begins with `WARNING:` has none of them.
const HEADERS: [&str; 7] =
    ["From", "Subject", "Date", "Received", "Message-ID", "MIME-Version", "Content-Type"];

/// Reads a file: every mail in it, whatever it is about.
#[must_use]
pub fn read(file: &[u8]) -> Vec<WarningMail> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    mails(file).into_iter().map(|mail| WarningMail { quotations: quotations(mail) }).collect()
}

/// The mails of an `mbox` (RFC 4155), each after its `From ` line. Any other file is one mail.
fn mails(file: &[u8]) -> Vec<&[u8]> {
    if !file.starts_with(b"From ") {
        return vec![file];
    }
    let (mut starts, mut at, mut behind_empty) = (Vec::new(), 0_usize, true);
    for line in file.split_inclusive(|b| *b == b'\n') {
        let next = at.saturating_add(line.len());
        if behind_empty && line.starts_with(b"From ") {
            starts.push((at, next));
        }
        behind_empty = line.trim_ascii().is_empty();
        at = next;
    }
    let ends = starts.iter().skip(1).map(|(separator, _)| *separator).chain([file.len()]);
    starts.iter().zip(ends).filter_map(|((_, begin), end)| file.get(*begin..end)).collect()
}

/// What a mail quotes, each call once: the text is preferred to its HTML twin.
fn quotations(mail: &[u8]) -> Vec<Quotation> {
    let mut contents = Contents::default();
    contents.add_mail(mail, 0);
    let of_all = |texts: &[Vec<u8>]| texts.iter().flat_map(|text| quotation::all(text)).collect::<Vec<_>>();
    let mut found = of_all(&contents.texts);
    if found.is_empty() {
        found = of_all(&contents.pages);
    }
    if found.is_empty() {
        // Headers and text that somebody copied into one paragraph look like headers alone.
        found = quotation::all(mail);
    }
    let mut known = BTreeSet::new();
    found.retain(|quotation| known.insert(quotation.query.clone()));
    found
}

/// What a mail says, free of its transfer encoding. The character set does not matter: a call is ASCII, and what is
/// not stays as it is.
#[derive(Default)]
struct Contents {
    texts: Vec<Vec<u8>>,
    /// What was HTML.
    pages: Vec<Vec<u8>>,
}

impl Contents {
    fn add_mail(&mut self, mail: &[u8], depth: u8) {
        match parse_mail(mail) {
            Ok(parsed) if HEADERS.iter().any(|name| parsed.headers.get_first_header(name).is_some()) => {
                for part in parsed.parts().filter(|part| part.subparts.is_empty()) {
                    self.add_part(part, depth);
                }
            }
            Ok(_) | Err(_) => self.texts.push(mail.to_vec()),
        }
    }

    fn add_part(&mut self, part: &ParsedMail<'_>, depth: u8) {
        let Ok(body) = part.get_body_raw() else { return };
        match part.ctype.mimetype.as_str() {
            "text/html" => self.pages.push(html::to_text(&body)),
            "message/rfc822" if depth < DEEPEST => self.add_mail(&body, depth.saturating_add(1)),
            text if text.starts_with("text/") => self.texts.push(body),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
