//! Calls quoted in a text. Two forms are known:
//!
//! - `Impossible de joindre URL pour le paiement CALL (404-0)`, older;
//! - `Impossible de joindre URL URL pour le paiement "CALL" Erreur : code HTTP: 404`, since 2023.
//!
//! The call may stand in brackets or in quotation marks of any kind. It holds no white space, so the line ends that
//! mail programs put into it are none of its own.

/// One quoted call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotation {
    /// Where the platform tried to deliver it, if the text says so. It holds the endpoint's secret token.
    pub url: Option<String>,
    /// The call: what the platform signed, and the signature, byte for byte.
    pub query: Vec<u8>,
}

/// Longer than any call.
const LONGEST: usize = 16 * 1024;

/// How many words the addresses before a call can have, broken lines included.
const WORDS_OF_ADDRESS: usize = 12;

/// Marks around a call: how they begin and end, in UTF-8 and in Windows-1252.
const MARKS: [(&[u8], &[u8]); 8] = [
    ("“".as_bytes(), "”".as_bytes()),
    ("„".as_bytes(), "“".as_bytes()),
    ("«".as_bytes(), "»".as_bytes()),
    (b"\x93", b"\x94"),
    (b"\xab", b"\xbb"),
    (b"<", b">"),
    (b"\"", b"\""),
    (b"'", b"'"),
];

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Blank,
    LineEnd,
    EmptyLine,
}

#[derive(Debug, Clone, Copy)]
struct Word<'t> {
    gap: Gap,
    bytes: &'t [u8],
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        self.bytes.eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether the text goes on behind the call: `(404-0)`, `Erreur : …`, or the next `pour le paiement`.
    fn ends_quotation(&self) -> bool {
        matches!(self.bytes, [b'(', digit, ..] if digit.is_ascii_digit())
            || ["pour", "erreur", "erreur:"].iter().any(|word| self.is(word))
    }
}

/// All calls that a text quotes.
pub(super) fn all(text: &[u8]) -> Vec<Quotation> {
    let text = without_hard_blanks(text);
    let words = words(&text);
    let marker = |at: &usize| {
        let word = |n: usize| words.get(at.saturating_add(n));
        word(0).is_some_and(|w| w.is("pour"))
            && word(1).is_some_and(|w| w.is("le"))
            && word(2).is_some_and(|w| w.is("paiement"))
    };
    let at = |marker: usize| {
        let query = call(words.get(marker.saturating_add(3)..)?)?;
        Some(Quotation { url: address(words.get(..marker)?), query })
    };
    (0..words.len()).filter(marker).filter_map(at).collect()
}

/// A no-break space becomes an ordinary one.
fn without_hard_blanks(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => text.replace('\u{a0}', " ").into_bytes(),
        Err(_) => text.iter().map(|b| if *b == 0xa0 { b' ' } else { *b }).collect(),
    }
}

/// The words of a text, free of the marks that mail programs put before the lines of what they answer.
fn words(text: &[u8]) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut empty_before = true;
    for line in text.split(|b| *b == b'\n') {
        let line = unquoted(line);
        let mut gap = if empty_before { Gap::EmptyLine } else { Gap::LineEnd };
        empty_before = line.is_empty();
        for bytes in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            words.push(Word { gap, bytes });
            gap = Gap::Blank;
        }
    }
    words
}

fn unquoted(line: &[u8]) -> &[u8] {
    let mut line = line.trim_ascii();
    while let Some(rest) = line.strip_prefix(b">") {
        line = rest.trim_ascii_start();
    }
    line
}

/// The call with which these words begin.
fn call(words: &[Word<'_>]) -> Option<Vec<u8>> {
    let first = words.first()?;
    let mark = MARKS.iter().find(|(begin, _)| first.bytes.starts_with(begin));
    let mut query: Vec<u8> = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let fresh = query.is_empty();
        let behind_end = match (word.gap, mark) {
            _ if fresh => false,
            (Gap::EmptyLine, _) | (Gap::Blank, None) => true,
            // Every signature of the platform's key ends with one `=`.
            (Gap::LineEnd, None) => query.ends_with(b"%3D") || query.ends_with(b"%3d"),
            (Gap::Blank | Gap::LineEnd, Some(_)) => false,
        };
        if behind_end || (!fresh && word.ends_quotation()) {
            break;
        }
        if word.gap == Gap::Blank && !fresh {
            query.push(b' ');
        }
        let (begin, end) = mark.copied().unwrap_or_default();
        let bytes = if n == 0 { word.bytes.strip_prefix(begin)? } else { word.bytes };
        let end = bytes.windows(end.len().max(1)).rposition(|window| window == end);
        query.extend_from_slice(bytes.get(..end.unwrap_or(bytes.len()))?);
        if query.len() > LONGEST {
            return None;
        }
        if end.is_some() {
            break;
        }
    }
    query.contains(&b'=').then(|| query.trim_ascii().to_vec())
}

/// The first address behind the last `joindre` before a call. It may be broken into lines.
fn address(words: &[Word<'_>]) -> Option<String> {
    let near = words.get(words.len().saturating_sub(WORDS_OF_ADDRESS)..)?;
    let joindre = near.iter().rposition(|word| word.is("joindre"))?;
    let mut words = near.get(joindre.saturating_add(1)..)?.iter();
    let mut address = words.next()?.bytes.to_vec();
    for word in words.take_while(|word| word.gap == Gap::LineEnd && !is_address(word.bytes)) {
        address.extend_from_slice(word.bytes);
    }
    let text = String::from_utf8(address).ok()?;
    let text = text.trim_matches(['<', '>', '"', '\'', '“', '”', '«', '»', ',']);
    is_address(text.as_bytes()).then(|| text.to_owned())
}

fn is_address(word: &[u8]) -> bool {
    word.windows(3).any(|window| window == b"://")
}
