//! From bytes to text, and what to say where the encoding is not the one that the layout names.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_8859_15, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::problem::Problem;

/// Decodes a file. A mark at its beginning goes before what the layout says.
pub(super) fn decode<'b>(bytes: &'b [u8], encoding: &'static Encoding) -> Result<Cow<'b, str>, Problem> {
    if let Some(problem) = no_csv(bytes) {
        return Err(problem);
    }
    let seems = seems(bytes);
    if let Some(seems) = seems.filter(|seems| *seems != encoding && Encoding::for_bom(bytes).is_none()) {
        return Err(other(encoding, seems));
    }
    let (text, used, damaged) = encoding.decode(bytes);
    if !damaged {
        return Ok(text);
    }
    // A Western text in a single-byte encoding; which of its kin, nobody can tell.
    let nothing = Problem::Encoding { named: name(used), seems: Vec::new() };
    Err(if used == UTF_8 { other(used, WINDOWS_1252) } else { nothing })
}

fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

fn other(encoding: &'static Encoding, seems: &'static Encoding) -> Problem {
    let kin = (seems == WINDOWS_1252).then(|| name(ISO_8859_15));
    Problem::Encoding { named: name(encoding), seems: [name(seems)].into_iter().chain(kin).collect() }
}

/// What a file is by its first bytes, where that is no CSV: a zip, as workbooks are today, an OLE file, as those of old Excels
/// are, or XML.
fn no_csv(bytes: &[u8]) -> Option<Problem> {
    let is_workbook =
        [&b"PK\x03\x04"[..], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"].iter().any(|mark| bytes.starts_with(mark));
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let is_xml = text.starts_with(b"<?xml") || text.starts_with(b"<Document");
    if is_workbook { Some(Problem::Workbook) } else { is_xml.then_some(Problem::Xml) }
}

/// The encoding that the bytes betray. Text in a single-byte encoding is hardly ever UTF-8 by chance, and none but UTF-16
/// has zeros.
fn seems(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if even.max(odd) > bytes.len() / 8 {
        return Some(if even > odd { UTF_16BE } else { UTF_16LE });
    }
    (!bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()).then_some(UTF_8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn text_is_decoded_as_its_mark_or_its_layout_says() {
        let read = |bytes: &[u8], encoding| decode(bytes, encoding).map(Cow::into_owned);
        assert_eq!(read("Référence".as_bytes(), UTF_8).as_deref(), Ok("Référence"));
        assert_eq!(read(b"R\xe9f\xa4", ISO_8859_15).as_deref(), Ok("Réf€"));
        assert_eq!(read(b"\xef\xbb\xbfR\xc3\xa9f", WINDOWS_1252).as_deref(), Ok("Réf"));
        let marked = [&b"\xff\xfe"[..], &utf_16("Réf")].concat();
        assert_eq!(read(&marked, WINDOWS_1252).as_deref(), Ok("Réf"));
        assert_eq!(read(&utf_16("Réf"), UTF_16LE).as_deref(), Ok("Réf"));
    }

    #[test]
    fn what_is_no_csv_is_named() {
        for (bytes, problem, french) in [
            (&b"PK\x03\x04\x14\x00\x06\x00"[..], Problem::Workbook, "un classeur de tableur"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", Problem::Workbook, "un classeur de tableur"),
            (b"<?xml version=\"1.0\"?>\n<Document>", Problem::Xml, "du XML (CAMT.053"),
            (b"\xef\xbb\xbf\r\n<?xml version=\"1.0\"?>", Problem::Xml, "du XML (CAMT.053"),
        ] {
            let told = decode(bytes, UTF_8).expect_err("no CSV");
            assert!(told.in_french().starts_with(french), "{told:?}");
            assert_eq!(told, problem);
        }
    }

    #[test]
    fn a_wrong_encoding_is_named_with_the_one_that_it_looks_like() {
        for (bytes, encoding, wanted) in [
            (b"R\xe9f".to_vec(), UTF_8, "not utf-8; it looks like windows-1252 or iso-8859-15"),
            ("Réf".as_bytes().to_vec(), WINDOWS_1252, "not windows-1252; it looks like utf-8"),
            (utf_16("Montant;Ref"), UTF_8, "not utf-8; it looks like utf-16le"),
            (utf_16("Montant;Ref"), ISO_8859_15, "not iso-8859-15; it looks like utf-16le"),
        ] {
            let told = decode(&bytes, encoding).expect_err("wrong");
            assert_eq!(told.to_string(), format!("{wanted}: correct `encoding` of [[statement]]"));
        }
    }
}
