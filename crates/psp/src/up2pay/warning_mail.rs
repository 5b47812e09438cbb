//! The e-mails that the platform writes when a call failed. They quote the call byte for byte, so a notification that
//! was lost can be proven and taken from them.
//!
//! A file holds one mail, or many as `mbox`, or the text of one, in whatever encoding a mail program of Windows saved it. Only what the quotation itself needs is read of it;
//! its signature shows whether it is genuine.

mod html;
mod quotation;

use std::collections::BTreeSet;

use cvco_domain::Worded;
use cvco_domain::text_file::utf8;
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

pub use quotation::Quotation;

/// One mail of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningMail {
    /// The calls that it quotes; none if it is no such mail.
    pub quotations: Vec<Quotation>,
    /// What in it could not be read, and may quote more.
    pub unreadable: Option<Unreadable>,
}

/// A form of mail that nothing but Outlook reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A message that was saved or attached in Outlook's own form (`.msg`).
    #[error(
        "it is, or holds, an Outlook message (.msg): open it in Outlook, choose Save As with the type \"Text Only\", \
         and import that file"
    )]
    OutlookMessage,
    /// `winmail.dat`, in which an Exchange server wraps attachments.
    #[error("it holds a winmail.dat, which only Outlook reads: open the mail there and save its text")]
    WinMail,
}

impl Worded for Unreadable {
    fn in_french(&self) -> String {
        match self {
            Self::OutlookMessage => {
                "c’est un message Outlook (.msg), ou il en contient un\u{a0}: ouvrez-le dans Outlook, choisissez Enregistrer sous avec \
                 le type «\u{a0}Texte seulement\u{a0}», et importez ce fichier"
            }
            Self::WinMail => {
                "il contient un winmail.dat, que seul Outlook lit\u{a0}: ouvrez-y le message et enregistrez son texte"
            }
        }
        .to_owned()
    }
}

impl Unreadable {
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            Some(Self::OutlookMessage)
        } else if bytes.starts_with(b"\x78\x9f\x3e\x22") {
            Some(Self::WinMail)
        } else {
            None
        }
    }
}

/// How many levels of mails forwarded as attachments are read.
const DEEPEST: u8 = 4;

/// Every mail has at least one of these headers. A text that begins with `WARNING:` has none of them.
const HEADERS: [&str; 7] =
    ["From", "Subject", "Date", "Received", "Message-ID", "MIME-Version", "Content-Type"];

/// Reads a file: every mail in it, whatever it is about.
#[must_use]
pub fn read(file: &[u8]) -> Vec<WarningMail> {
    let file = utf8(file);
    mails(&file).into_iter().map(of_mail).collect()
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
fn of_mail(mail: &[u8]) -> WarningMail {
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
    WarningMail { quotations: found, unreadable: contents.unreadable }
}

/// What a mail says, free of its transfer encoding. The character set does not matter: a call is ASCII, and what is
/// not stays as it is.
#[derive(Default)]
struct Contents {
    texts: Vec<Vec<u8>>,
    /// What was HTML.
    pages: Vec<Vec<u8>>,
    unreadable: Option<Unreadable>,
}

impl Contents {
    fn add_mail(&mut self, mail: &[u8], depth: u8) {
        if let Some(unreadable) = Unreadable::of(mail) {
            self.unreadable = Some(unreadable);
            return;
        }
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
        let body = utf8(&body);
        match part.ctype.mimetype.as_str() {
            "text/html" => self.pages.push(html::to_text(&body)),
            text if text.starts_with("text/") => self.texts.push(body.into_owned()),
            // A mail or a text that was attached; many mail programs call it no more than a stream of bytes.
            "message/rfc822" | "application/octet-stream" if depth < DEEPEST => {
                self.add_mail(&body, depth.saturating_add(1));
            }
            _ => self.unreadable = self.unreadable.or_else(|| Unreadable::of(&body)),
        }
    }
}

#[cfg(test)]
mod tests;
